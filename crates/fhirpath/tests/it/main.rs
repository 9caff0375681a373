//! Black-box tests of FHIRPath.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests; clippy.toml exempts only the test functions themselves"
)]

mod allocations;
mod arbitrary_resources;
mod arbitrary_text;
mod budget;
mod context;
mod filled;
mod invariants;
mod language;
mod printing;
mod references;
mod search_parameters;
mod strict;

use fhir::element::Element;
use fhir::json::Tree;
use fhirpath::{Context, EvaluateError, Expression, evaluate};

/// A patient that the tests of the language ask about.
const PATIENT: &str = r##"{
  "resourceType": "Patient", "id": "p1", "active": true,
  "contained": [{"resourceType": "Organization", "id": "o1", "name": "Home Health"}],
  "extension": [{"url": "http://example.org/age", "valueAge": {"value": 71, "unit": "years", "system": "http://unitsofmeasure.org", "code": "a"}}],
  "name": [
    {"use": "official", "family": "Smith-Johnson", "given": ["Betsy", "Ann"]},
    {"use": "usual", "given": ["Bets"]}
  ],
  "_gender": {"extension": [{"url": "http://example.org/why", "valueCode": "unknown"}]},
  "birthDate": "1950-11-15", "_birthDate": {"id": "b", "extension": [{"url": "http://example.org/time", "valueDateTime": "1950-11-15T06:30:00Z"}]},
  "deceasedBoolean": false,
  "telecom": [{"system": "phone", "value": "555-1", "rank": 1}, {"system": "email", "value": "b@example.org", "rank": 2}],
  "generalPractitioner": [{"reference": "Practitioner/7"}, {"reference": "#o1"}, {"reference": "urn:uuid:1", "type": "PractitionerRole"}],
  "managingOrganization": {"reference": "https://far.example/fhir/Organization/3/_history/1"}
}"##;

fn tree(text: &str) -> Tree {
    Tree::parse(text.to_owned()).expect("test resource is JSON")
}

/// The texts of the items that an expression yields; `?` for what has no text.
fn texts(text: &str, resource: &str) -> Result<Vec<String>, EvaluateError> {
    let tree = tree(resource);
    let root = Element::resource(&tree, fhir::schema::r4()).expect("test resource has a type");
    let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let context = Context { now: Some(fhir::Instant::from_unix_millis(1_763_200_000_000)), ..Context::default() };
    let items = evaluate(&expression, root, &context)?;
    Ok(items.iter().map(|item| item.to_text().map_or_else(|| "?".to_owned(), Into::into)).collect())
}
