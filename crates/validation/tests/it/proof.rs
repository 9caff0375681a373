//! What passes, and what the proof says.

use super::{OBSERVATION, errors, issues, tree};
use fhir::ResourceType;
use fhir::issue::Severity;

#[test]
fn a_right_resource_gives_the_proof_with_its_bytes() {
    let tree = tree(OBSERVATION);
    let bytes = tree.bytes().clone();
    let (validated, warnings) = validation::r4().validate(tree, None).expect("valid");
    assert_eq!(validated.resource_type().name(), "Observation");
    assert_eq!(validated.into_tree().bytes(), &bytes);
    assert_eq!(warnings, []);
}

#[test]
fn every_resource_type_is_known_and_an_id_is_not_asked_for() {
    for resource_type in ResourceType::all() {
        let text = format!(r#"{{"resourceType": "{resource_type}"}}"#);
        // Required elements may be missing, nothing else may be wrong.
        for error in errors(&text) {
            let code = error.code.code();
            assert!(code == "required" || code == "invariant", "{resource_type}: {error:?}");
        }
    }
}

#[test]
fn the_type_that_the_place_asks_for_is_checked() {
    let expected = ResourceType::parse("Patient").expect("type");
    let invalid = validation::r4().validate(tree(OBSERVATION), Some(expected)).expect_err("wrong type");
    assert_eq!(invalid.issues[0].diagnostics, "expected a resource of type Patient, found Observation");
    assert_eq!(invalid.issues[0].position, Some((2, 19)));
    assert_eq!(invalid.tree.resource_type().as_deref(), Some("Observation"));
}

#[test]
fn what_is_no_resource_says_so() {
    for text in
        ["[]", "1", "{}", r#"{"resourceType": 1}"#, r#"{"resourceType": "Resource"}"#, r#"{"resourceType": "Nothing"}"#]
    {
        assert_eq!(errors(text).len(), 1, "{text}");
    }
}

#[test]
fn a_missing_narrative_is_a_warning_and_no_more() {
    let found = issues(r#"{"resourceType": "Patient"}"#);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, Severity::Warning);
    assert!(found[0].diagnostics.contains("dom-6"));
}

#[test]
fn primitives_may_have_extensions_in_place_of_a_value() {
    let text = r#"{"resourceType": "Patient",
        "_birthDate": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]},
        "name": [{"given": ["Betsy", null], "_given": [null, {"extension": [{"url": "http://example.org/x", "valueBoolean": true}]}]}],
        "_deceasedBoolean": {"extension": [{"url": "http://example.org/x", "valueBoolean": true}]}}"#;
    assert_eq!(errors(text), []);
}
