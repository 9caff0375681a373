//! Black-box tests of validation.

#![expect(clippy::panic, reason = "helpers of tests; clippy.toml exempts only the test functions themselves")]

mod arbitrary_json;
mod bindings;
mod bounds;
mod bundles;
mod claims;
mod contained;
mod extensions;
mod from_xml;
mod made;
mod mutants;
mod proof;
mod questionnaires;
mod slicing;
mod targets;
mod traps;
mod values;

use fhir::issue::{Issue, Severity};
use fhir::json::Tree;

/// A resource of the kinds of elements that validation tells apart. Right as it stands.
const OBSERVATION: &str = r##"{
  "resourceType": "Observation",
  "id": "mobility-1",
  "meta": {"profile": ["http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-observation-single"]},
  "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Walk 10 feet: 4</div>"},
  "contained": [{"resourceType": "Device", "id": "walker", "deviceName": [{"name": "Walker", "type": "other"}]}],
  "extension": [{"url": "http://example.org/device", "valueReference": {"reference": "#walker"}}],
  "status": "final",
  "_status": {"id": "s1"},
  "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey"}]}],
  "code": {"coding": [{"system": "http://loinc.org", "code": "95019-8"}], "text": "Walk 10 feet"},
  "subject": {"reference": "Patient/betsy"},
  "effectiveDateTime": "2024-05-01T10:30:00-05:00",
  "performer": [{"reference": "PractitionerRole/pt"}, {"display": "A nurse"}],
  "valueQuantity": {"value": 4.0, "unit": "score", "system": "http://unitsofmeasure.org", "code": "{score}"},
  "referenceRange": [{"low": {"value": 1}, "high": {"value": 6}}],
  "component": [
    {"code": {"text": "first"}, "valueString": "needs help"},
    {"code": {"text": "second"}, "valueInteger": 2, "interpretation": [{"text": "low"}]}
  ]
}"##;

fn tree(text: &str) -> Tree {
    Tree::parse(text.to_owned()).unwrap_or_else(|error| panic!("{error:?} in {text}"))
}

/// All issues of a resource, warnings too.
fn issues(text: &str) -> Vec<Issue> {
    match validation::r4().validate(tree(text), None) {
        Ok((_, warnings)) => warnings,
        Err(invalid) => invalid.issues,
    }
}

fn errors(text: &str) -> Vec<Issue> {
    issues(text).into_iter().filter(|issue| issue.severity >= Severity::Error).collect()
}
