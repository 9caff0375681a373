//! Which profiles a resource is held to.

use crate::made::{Made, issues_of, issues_with, only, url};
use fhir::issue::IssueType::{Invalid, NotFound, Required};
use fhir::issue::Severity::{Error, Warning};
use fhir::json::Tree;
use validation::{Mode, Options, Validator};

fn validator() -> Validator<'static> {
    Made::default()
        .profile("p", "Patient")
        .element("Patient.name", &[("min", "1")])
        .profile("q", "Patient")
        .element("Patient.birthDate", &[("min", "1")])
        .validator()
}

fn claiming(profiles: &[&str]) -> String {
    let list: Vec<String> = profiles.iter().map(|one| format!("\"{one}\"")).collect();
    format!(r#"{{"resourceType": "Patient", "meta": {{"profile": [{}]}}, "active": true}}"#, list.join(", "))
}

#[test]
fn those_that_it_claims() {
    let v = validator();
    let missing = (Error, "Patient", Required, "Patient.name is missing");
    only(&issues_of(&v, &claiming(&[&url("p")]), &[]), missing, "without version");
    only(&issues_of(&v, &claiming(&[&format!("{}|1.0.0", url("p"))]), &[]), missing, "with version");
    // Two claims are two profiles; one that is claimed and wanted is one.
    assert_eq!(issues_of(&v, &claiming(&[&url("p"), &url("q")]), &[]).len(), 2);
    assert_eq!(issues_of(&v, &claiming(&[&url("p")]), &[&url("p")]).len(), 1);
    // The type itself is a profile that says nothing more.
    assert_eq!(issues_of(&v, &claiming(&["http://hl7.org/fhir/StructureDefinition/Patient"]), &[]), []);
    let silent = Options { claims: false, ..Options::default() };
    assert_eq!(issues_with(&v, &claiming(&[&url("p")]), &silent), []);
}

#[test]
fn those_that_are_not_loaded_or_for_another_type() {
    let v = validator();
    let far = claiming(&["http://example.org/far"]);
    let place = "Patient.meta.profile[0]";
    only(&issues_of(&v, &far, &[]), (Warning, place, NotFound, "http://example.org/far is not loaded"), "claimed");
    let strict = Options { unknown_profile: Error, ..Options::default() };
    only(&issues_with(&v, &far, &strict), (Error, place, NotFound, "not loaded"), "strict");
    let version = claiming(&[&format!("{}|2.0.0", url("p"))]);
    only(&issues_of(&v, &version, &[]), (Warning, place, NotFound, "|2.0.0 is not loaded"), "version");
    let found = issues_of(&v, &claiming(&[]).replace("[]", "[\"\"]"), &["http://example.org/far"]);
    assert!(found.iter().any(|one| one.severity == Error && one.code == NotFound), "wanted {found:#?}");
    let observation = claiming(&["http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner"]);
    only(
        &issues_of(&v, &observation, &[]),
        (Error, place, Invalid, "for Practitioner, the resource is Patient"),
        "type",
    );
    let base = claiming(&["http://hl7.org/fhir/StructureDefinition/Observation"]);
    only(&issues_of(&v, &base, &[]), (Error, place, Invalid, "for Observation"), "base type");
}

#[test]
fn those_that_are_inside() {
    let v = validator();
    let inner = claiming(&[&url("p")]).replacen('{', r#"{"id": "c", "#, 1);
    let contained = format!(
        r##"{{"resourceType": "Observation", "status": "final", "code": {{"text": "x"}}, "contained": [{inner}], "subject": {{"reference": "#c"}}}}"##
    );
    only(&issues_of(&v, &contained, &[]), (Error, "Observation.contained[0]", Required, "Patient.name"), "contained");
    let bundle = format!(
        r#"{{"resourceType": "Bundle", "type": "collection", "entry": [{{"fullUrl": "http://h.example/Patient/c", "resource": {inner}}}]}}"#
    );
    only(&issues_of(&v, &bundle, &[]), (Error, "Bundle.entry[0].resource", Required, "Patient.name"), "entry");
}

#[test]
fn the_proof_and_the_body_of_an_update() {
    let v = validator();
    let tree = |text: &str| Tree::parse(text.to_owned()).unwrap();
    let text = claiming(&[&url("p")]).replace("\"active\": true", r#""name": [{"text": "x"}]"#);
    let (validated, _) = v.validate_with(tree(&text), None, &Options::default()).unwrap();
    assert_eq!(validated.resource_type().name(), "Patient");
    assert!(v.validate_with(tree(&claiming(&[&url("p")])), None, &Options::default()).is_err());
    // Base R4 alone asks for no name.
    assert!(v.validate(tree(&claiming(&[&url("p")])), None).is_ok());
    let update = Options { mode: Mode::Update, ..Options::default() };
    only(&issues_with(&v, &text, &update), (Error, "Patient", Required, "has an id"), "update");
}
