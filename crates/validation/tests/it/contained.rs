//! Contained resources, and resources in Bundles. SPEC: R4 references.html#contained.

use super::errors;

fn patient(contained: &str, reference: &str) -> String {
    format!(
        r##"{{"resourceType": "Patient", "contained": [{contained}], "managingOrganization": {{"reference": "{reference}"}}}}"##
    )
}

fn found(text: &str) -> Vec<(String, String)> {
    errors(text)
        .into_iter()
        .map(|issue| (issue.expression.unwrap_or_default(), issue.diagnostics.into_owned()))
        .collect()
}

const HOME: &str = r#"{"resourceType": "Organization", "id": "o", "name": "Home Health"}"#;

#[test]
fn a_contained_resource_is_referred_to() {
    assert_eq!(found(&patient(HOME, "#o")), []);
    for (contained, reference) in
        [(HOME, "Organization/1"), (r#"{"resourceType": "Organization", "name": "x"}"#, "Organization/1")]
    {
        let found = found(&patient(contained, reference));
        assert_eq!(found[0].0, "Patient.contained[0]");
        assert!(found[0].1.contains("dom-3"), "{found:?}");
    }
    let refers_back = r##"{"resourceType": "Observation", "id": "b", "status": "final", "code": {"text": "x"}, "subject": {"reference": "#"}}"##;
    assert_eq!(found(&patient(refers_back, "Organization/1")), []);
    let by_canonical = r##"{"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "#q",
        "contained": [{"resourceType": "Questionnaire", "id": "q", "status": "active"}]}"##;
    assert_eq!(found(by_canonical), []);
}

#[test]
fn a_contained_resource_is_a_part_not_a_whole() {
    let rows = [
        (
            r#"{"resourceType": "Organization", "id": "o", "name": "x", "contained": [{"resourceType": "Patient", "id": "p"}]}"#,
            "dom-2",
        ),
        (r#"{"resourceType": "Organization", "id": "o", "name": "x", "meta": {"versionId": "1"}}"#, "dom-4"),
        (r#"{"resourceType": "Organization", "id": "o", "name": "x", "meta": {"security": [{"code": "R"}]}}"#, "dom-5"),
        (r#"{"resourceType": "Organization", "id": "o"}"#, "org-1"),
        (r#"{"resourceType": "Organization", "id": "o", "name": 1}"#, "string in JSON"),
        (r#"{"resourceType": "Nothing", "id": "o"}"#, "resource type"),
        (r#""o""#, "is an object"),
    ];
    for (contained, text) in rows {
        let found = found(&patient(contained, "#o"));
        let hit = found
            .iter()
            .any(|(place, diagnostics)| place.starts_with("Patient.contained[0]") && diagnostics.contains(text));
        assert!(hit, "{contained}: {found:?}");
    }
    let twice = patient(&format!("{HOME}, {HOME}"), "#o");
    assert!(found(&twice).iter().any(|(place, text)| place == "Patient.contained[1]" && text.contains("same id")));
}

#[test]
fn each_resource_of_a_bundle_has_its_own_contained() {
    let inside = patient(HOME, "#o");
    let bundle = |other: &str| {
        format!(
            r#"{{"resourceType": "Bundle", "type": "collection", "entry": [{{"fullUrl": "urn:uuid:1", "resource": {inside}}}, {{"fullUrl": "urn:uuid:2", "resource": {other}}}]}}"#
        )
    };
    assert_eq!(found(&bundle(&inside)), []);
    let borrowed = r##"{"resourceType": "Patient", "managingOrganization": {"reference": "#o"}}"##;
    let found = found(&bundle(borrowed));
    assert_eq!(found[0].0, "Bundle.entry[1].resource.managingOrganization");
}

#[test]
fn rules_of_bundles_hold() {
    let bundle =
        r#"{"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": {"resourceType": "Patient"}}]}"#;
    assert!(found(bundle).iter().any(|(place, text)| place == "Bundle" && text.contains("bdl-3")));
}
