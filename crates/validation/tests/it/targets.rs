//! References of profiles: by type, by profile, contained, in the Bundle, in the store; aggregation, versions.

use crate::made::{Known, Made, issues_with, only, right, url, wrong};
use fhir::issue::IssueType::Value;
use fhir::issue::Severity::Error;
use validation::{Options, Validator};

fn validator() -> Validator<'static> {
    let named = url("named");
    Made::default()
        .profile("named", "Patient")
        .element("Patient.name", &[("min", "1")])
        .profile("older", "Patient")
        .element("Patient.birthDate", &[("min", "1")])
        .profile("p", "Observation")
        .element("Observation.subject", &[("types", &format!("Reference>{named}"))])
        .profile("several", "Observation")
        .element("Observation.subject", &[("types", &format!("Reference>{named},{},Group", url("older")))])
        .profile("far", "Observation")
        .element("Observation.subject", &[("types", "Reference>http://example.org/not-loaded")])
        .profile("held", "Observation")
        .element("Observation.subject", &[("types", "Reference(contained,bundled)>Patient")])
        .profile("versioned", "Observation")
        .element("Observation.subject", &[("types", "Reference(;specific)>Patient")])
        .validator()
}

fn about(subject: &str) -> String {
    format!(r#"{{"resourceType": "Observation", "status": "final", "code": {{"text": "x"}}, "subject": {subject}}}"#)
}

fn contained(patient: &str) -> String {
    about(r##"{"reference": "#p"}"##).replacen(
        '{',
        &format!(r#"{{"contained": [{{"resourceType": "Patient", "id": "p", {patient}}}], "#),
        1,
    )
}

#[test]
fn by_type() {
    let v = validator();
    let place = "Observation.subject";
    right(&v, "p", &about(r#"{"reference": "Patient/1"}"#));
    right(&v, "p", &about(r#"{"reference": "urn:uuid:6e1b1c0e-7c0a-4d6c-8a59-3d6a2f0f8d11"}"#));
    right(&v, "p", &about(r#"{"display": "someone"}"#));
    wrong(&v, "p", &about(r#"{"reference": "Group/1"}"#), (Error, place, Value, "found one to Group"));
    wrong(&v, "p", &about(r#"{"type": "Device", "display": "x"}"#), (Error, place, Value, "found one to Device"));
    right(&v, "several", &about(r#"{"reference": "Group/1"}"#));
    right(&v, "far", &about(r#"{"reference": "Device/1"}"#));
}

#[test]
fn by_profile_in_the_container() {
    let v = validator();
    right(&v, "p", &contained(r#""name": [{"family": "x"}]"#));
    wrong(
        &v,
        "p",
        &contained(r#""birthDate": "1950""#),
        (Error, "Observation.subject", Value, "the one found does not"),
    );
    right(&v, "several", &contained(r#""birthDate": "1950""#));
    wrong(&v, "several", &contained(r#""active": true"#), (Error, "Observation.subject", Value, "meets"));
}

#[test]
fn by_profile_in_the_store() {
    let v = validator();
    let known = Known(vec![
        ("Patient/named", r#"{"resourceType": "Patient", "id": "named", "name": [{"family": "x"}]}"#.to_owned()),
        ("Patient/nameless", r#"{"resourceType": "Patient", "id": "nameless"}"#.to_owned()),
        (
            "Patient/claims",
            format!(
                r#"{{"resourceType": "Patient", "id": "claims", "meta": {{"profile": ["{}|1.0.0"]}}}}"#,
                url("named")
            ),
        ),
    ]);
    let profile = url("p");
    let options = Options { profiles: &[&profile], resolver: Some(&known), ..Options::default() };
    let found = |name: &str| issues_with(&v, &about(&format!(r#"{{"reference": "Patient/{name}"}}"#)), &options);
    assert_eq!(found("named"), []);
    only(&found("nameless"), (Error, "Observation.subject", Value, "the one found does not"), "in the store");
    // What claims the profile was held to it when it was stored.
    assert_eq!(found("claims"), []);
    // What may not be seen is as what is not there: its type alone is looked at.
    assert_eq!(found("hidden"), []);
}

#[test]
fn by_profile_in_the_bundle() {
    let v = validator();
    let bundle = |patient: &str, reference: &str| {
        let observation = about(&format!(r#"{{"reference": "{reference}"}}"#)).replacen(
            '{',
            &format!(r#"{{"meta": {{"profile": ["{}"]}}, "#, url("p")),
            1,
        );
        format!(
            r#"{{"resourceType": "Bundle", "type": "collection", "entry": [
            {{"fullUrl": "http://h.example/fhir/Observation/o", "resource": {}}},
            {{"fullUrl": "http://h.example/fhir/Patient/p", "resource": {{"resourceType": "Patient", "id": "p", {patient}}}}},
            {{"fullUrl": "urn:uuid:6e1b1c0e-7c0a-4d6c-8a59-3d6a2f0f8d11", "resource": {{"resourceType": "Patient", {patient}}}}}]}}"#,
            observation.replacen('{', r#"{"id": "o", "#, 1)
        )
    };
    let place = "Bundle.entry[0].resource.subject";
    for reference in ["Patient/p", "http://h.example/fhir/Patient/p", "urn:uuid:6e1b1c0e-7c0a-4d6c-8a59-3d6a2f0f8d11"] {
        assert_eq!(issues_with(&v, &bundle(r#""name": [{"text": "x"}]"#, reference), &Options::default()), []);
        let found = issues_with(&v, &bundle(r#""active": true"#, reference), &Options::default());
        only(&found, (Error, place, Value, "the one found does not"), reference);
    }
    assert_eq!(issues_with(&v, &bundle(r#""active": true"#, "Patient/other"), &Options::default()), []);
}

#[test]
fn how_a_target_is_held_and_which_version() {
    let v = validator();
    let text = contained(r#""active": true"#);
    right(&v, "held", &text);
    wrong(
        &v,
        "held",
        &about(r#"{"reference": "Patient/1"}"#),
        (Error, "Observation.subject", Value, "found one that is referenced"),
    );
    right(&v, "versioned", &about(r#"{"reference": "Patient/1/_history/2"}"#));
    wrong(
        &v,
        "versioned",
        &about(r#"{"reference": "Patient/1"}"#),
        (Error, "Observation.subject", Value, "names a version"),
    );
}

#[test]
fn a_circle_of_references_ends() {
    let v = Made::default()
        .profile("a", "Observation")
        .element("Observation.hasMember", &[("types", &format!("Reference>{}", url("b")))])
        .profile("b", "Observation")
        .element("Observation.hasMember", &[("types", &format!("Reference>{}", url("a")))])
        .validator();
    let one = |id: &str, other: &str| {
        format!(
            r#"{{"resource": {{"resourceType": "Observation", "id": "{id}", "status": "final", "code": {{"text": "x"}},
            "hasMember": [{{"reference": "Observation/{other}"}}], "meta": {{"profile": ["{}"]}}}}}}"#,
            url("a")
        )
    };
    let text = format!(
        r#"{{"resourceType": "Bundle", "type": "collection", "entry": [{}, {}]}}"#,
        one("x", "y"),
        one("y", "x")
    );
    assert_eq!(issues_with(&v, &text, &Options::default()), []);
}
