//! Bindings of all strengths, displays, and what cannot be checked.

use crate::made::{Made, issues_of, only, right, url, wrong};
use fhir::issue::IssueType::{CodeInvalid, Incomplete, Value};
use fhir::issue::Severity::{Error, Information, Warning};
use validation::Validator;

const SURVEY: &str = "http://hl7.org/fhir/us/pacio-pfe/ValueSet/pfe-survey-category-vs";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

fn bound(strength: &str, set: &str) -> Validator<'static> {
    Made::default()
        .profile("p", "Observation")
        .element("Observation.method", &[("binding", &format!("{strength} {set}"))])
        .validator()
}

fn method(concept: &str) -> String {
    format!(r#"{{"resourceType": "Observation", "status": "final", "code": {{"text": "x"}}, "method": {concept}}}"#)
}

fn coded(system: &str, code: &str) -> String {
    method(&format!(r#"{{"coding": [{{"system": "{system}", "code": "{code}"}}]}}"#))
}

#[test]
fn required() {
    let v = bound("required", SURVEY);
    right(&v, "p", &coded(CATEGORY, "survey"));
    let two = method(&format!(
        r#"{{"coding": [{{"system": "http://x.example", "code": "y"}}, {{"system": "{CATEGORY}", "code": "survey"}}]}}"#
    ));
    right(&v, "p", &two);
    let place = "Observation.method";
    wrong(
        &v,
        "p",
        &coded(CATEGORY, "exam"),
        (Error, place, CodeInvalid, "found http://terminology.hl7.org/CodeSystem/observation-category|exam"),
    );
    wrong(&v, "p", &coded("http://x.example", "survey"), (Error, place, CodeInvalid, SURVEY));
    wrong(&v, "p", &method(r#"{"coding": [{"code": "survey"}]}"#), (Error, place, CodeInvalid, SURVEY));
    wrong(&v, "p", &method(r#"{"text": "Survey"}"#), (Error, place, CodeInvalid, "text alone"));
    // The reason why there is none may stand in its place.
    let absent = method(
        r#"{"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}"#,
    );
    assert!(issues_of(&v, &absent, &[&url("p")]).iter().all(|one| one.severity < Error));
}

#[test]
fn extensible_and_preferred() {
    let v = bound("extensible", SURVEY);
    right(&v, "p", &coded(CATEGORY, "survey"));
    wrong(&v, "p", &coded(CATEGORY, "exam"), (Warning, "Observation.method", CodeInvalid, "unless none fits"));
    wrong(&v, "p", &method(r#"{"text": "Survey"}"#), (Warning, "Observation.method", CodeInvalid, "text alone"));
    let v = bound("preferred", SURVEY);
    wrong(&v, "p", &coded(CATEGORY, "exam"), (Information, "Observation.method", CodeInvalid, "is preferred"));
    right(&v, "p", &method(r#"{"text": "Survey"}"#));
    right(&bound("example", SURVEY), "p", &coded(CATEGORY, "exam"));
}

#[test]
fn what_cannot_be_checked_is_never_wrong() {
    let nowhere = "http://example.org/ValueSet/nobody-has-it";
    let text = coded("http://x.example", "y");
    wrong(&bound("required", nowhere), "p", &text, (Warning, "Observation.method", Incomplete, "cannot be checked"));
    wrong(
        &bound("extensible", nowhere),
        "p",
        &text,
        (Information, "Observation.method", Incomplete, "cannot be checked"),
    );
    right(&bound("preferred", nowhere), "p", &text);
    // A value set of a system that is not loaded, in a set that is.
    let loinc = "http://hl7.org/fhir/us/core/ValueSet/us-core-laboratory-test-codes";
    let text = coded("http://loinc.org", "2093-3");
    let found = issues_of(&bound("required", loinc), &text, &[&url("p")]);
    assert!(found.iter().all(|one| one.severity < Error), "{found:#?}");
}

#[test]
fn codes_of_primitives_and_quantities() {
    let v = Made::default()
        .profile("p", "Observation")
        .element(
            "Observation.status",
            &[("binding", "required http://hl7.org/fhir/us/pacio-rt/ValueSet/timepoint-status-vs")],
        )
        .profile("q", "Observation")
        .element(
            "Observation.value[x]",
            &[("types", "Quantity"), ("binding", "required http://hl7.org/fhir/ValueSet/ucum-bodyweight|4.0.1")],
        )
        .validator();
    let text = r#"{"resourceType": "Observation", "status": "final", "code": {"text": "x"}}"#;
    wrong(&v, "p", text, (Error, "Observation.status", CodeInvalid, "found final"));
    let weight = |code: &str| {
        format!(
            r#"{{"resourceType": "Observation", "status": "final", "code": {{"text": "x"}},
            "valueQuantity": {{"value": 70, "system": "http://unitsofmeasure.org", "code": "{code}"}}}}"#
        )
    };
    let errors = |text: &str| {
        issues_of(&v, text, &[&url("q")]).into_iter().filter(|one| one.severity == Error).collect::<Vec<_>>()
    };
    assert_eq!(errors(&weight("kg")), []);
    only(&errors(&weight("cm")), (Error, "Observation.value", CodeInvalid, "unitsofmeasure.org|cm"), "a length");
}

#[test]
fn displays_and_codes_of_systems_that_are_loaded() {
    let v = Made::default().profile("p", "Observation").element("Observation", &[]).validator();
    let coding = |members: &str| method(&format!(r#"{{"coding": [{{"system": "{CATEGORY}", {members}}}]}}"#));
    let place = "Observation.method.coding[0]";
    right(&v, "p", &coding(r#""code": "survey", "display": "  survey ""#));
    wrong(
        &v,
        "p",
        &coding(r#""code": "survey", "display": "Exam""#),
        (Warning, place, Value, "\"Survey\"; found another"),
    );
    wrong(&v, "p", &coding(r#""code": "surveys""#), (Warning, place, CodeInvalid, "has no code surveys"));
    right(&v, "p", &coded("http://snomed.info/sct", "1"));
}

#[test]
fn bindings_of_base_r4_beyond_required() {
    let v = Made::default().profile("p", "Observation").element("Observation", &[]).validator();
    let text = r#"{"resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "dataAbsentReason": {"coding": [{"system": "http://x.example", "code": "y"}]}}"#;
    wrong(&v, "p", text, (Warning, "Observation.dataAbsentReason", CodeInvalid, "(Observation.dataAbsentReason)"));
}
