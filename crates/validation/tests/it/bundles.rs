//! Rules of Bundles: URLs against ids, requests, what documents and messages hold.

use crate::made::{Made, issues_of, only};
use fhir::issue::Issue;
use fhir::issue::IssueType::{Invariant, NotFound, Structure, Value};
use fhir::issue::Severity::Error;
use std::sync::LazyLock;
use validation::Validator;

static PLAIN: LazyLock<Validator<'static>> = LazyLock::new(|| Made::default().validator());

fn bundle(kind: &str, entries: &[String]) -> String {
    format!(
        r#"{{"resourceType": "Bundle", "type": "{kind}", "identifier": {{"system": "urn:x", "value": "1"}},
        "timestamp": "2024-05-01T10:00:00Z", "entry": [{}]}}"#,
        entries.join(", ")
    )
}

fn entry(url: &str, resource: &str) -> String {
    format!(r#"{{"fullUrl": "{url}", "resource": {resource}}}"#)
}

fn errors(text: &str) -> Vec<Issue> {
    issues_of(&PLAIN, text, &[]).into_iter().filter(|one| one.severity == Error).collect()
}

const PATIENT: &str = r#"{"resourceType": "Patient", "id": "p"}"#;

#[test]
fn full_urls() {
    let of = |url: &str| bundle("collection", &[entry(url, PATIENT)]);
    for right in [
        "http://h.example/fhir/Patient/p",
        "urn:uuid:6e1b1c0e-7c0a-4d6c-8a59-3d6a2f0f8d11",
        "http://h.example/any/thing",
    ] {
        assert_eq!(errors(&of(right)), [], "{right}");
    }
    let place = "Bundle.entry[0].fullUrl";
    only(&errors(&of("Patient/p")), (Error, place, Value, "is absolute"), "relative");
    only(&errors(&of("http://h.example/fhir/Patient/q")), (Error, place, Value, "agrees with the type and id"), "id");
    only(&errors(&of("http://h.example/fhir/Group/p")), (Error, place, Value, "agrees"), "type");
    let twice = bundle(
        "collection",
        &[entry("http://h.example/Patient/p", PATIENT), entry("http://h.example/Patient/p", PATIENT)],
    );
    only(&errors(&twice), (Error, "Bundle", Invariant, "bdl-7"), "unique");
}

#[test]
fn requests_of_a_transaction() {
    let of = |request: &str, resource: &str| {
        bundle(
            "transaction",
            &[format!(
                r#"{{"fullUrl": "urn:uuid:6e1b1c0e-7c0a-4d6c-8a59-3d6a2f0f8d11", {resource} "request": {request}}}"#
            )],
        )
    };
    let patient = format!(r#""resource": {PATIENT},"#);
    assert_eq!(errors(&of(r#"{"method": "PUT", "url": "Patient/p"}"#, &patient)), []);
    let place = "Bundle.entry[0]";
    let found = errors(&of(r#"{"method": "POST", "url": "Observation"}"#, &patient));
    only(&found, (Error, place, Value, "for Observation, the resource is Patient"), "type");
    let found = errors(&of(r#"{"method": "DELETE", "url": "Patient/p"}"#, &patient));
    only(&found, (Error, place, Structure, "has no resource"), "delete");
    let found = errors(&of(r#"{"method": "POST", "url": "Patient"}"#, ""));
    only(&found, (Error, place, Structure, "has a resource"), "post");
}

#[test]
fn a_document_holds_what_its_composition_refers_to() {
    let composition = |subject: &str| {
        format!(
            r#"{{"resourceType": "Composition", "id": "c", "status": "final", "type": {{"text": "x"}}, "date": "2024",
            "author": [{{"display": "x"}}], "title": "x", "subject": {{"reference": "{subject}"}},
            "section": [{{"title": "a", "section": [{{"title": "b", "entry": [{{"reference": "Patient/p"}}]}}]}}]}}"#
        )
    };
    let patient = entry("http://h.example/Patient/p", PATIENT);
    let document = |subject: &str| {
        bundle("document", &[entry("http://h.example/Composition/c", &composition(subject)), patient.clone()])
    };
    assert_eq!(errors(&document("Patient/p")), []);
    assert_eq!(errors(&document("http://h.example/Patient/p")), []);
    let found = errors(&document("Patient/q"));
    only(&found, (Error, "Bundle.entry[0]", NotFound, "is in the Bundle"), "subject");
    let found = errors(&bundle("document", &[entry("http://h.example/Composition/c", &composition("Patient/p"))]));
    assert_eq!(found.len(), 2, "{found:#?}");
    let found = errors(&bundle("document", std::slice::from_ref(&patient)));
    assert!(found.iter().any(|one| one.diagnostics.contains("bdl-11")), "{found:#?}");
}

#[test]
fn a_message_holds_its_focus() {
    let header = |focus: &str| {
        format!(
            r#"{{"resourceType": "MessageHeader", "id": "m", "eventCoding": {{"code": "x"}},
            "source": {{"endpoint": "http://h.example"}}, "focus": [{{"reference": "{focus}"}}]}}"#
        )
    };
    let message = |focus: &str| {
        bundle(
            "message",
            &[entry("http://h.example/MessageHeader/m", &header(focus)), entry("http://h.example/Patient/p", PATIENT)],
        )
    };
    assert_eq!(errors(&message("Patient/p")), []);
    only(&errors(&message("Patient/q")), (Error, "Bundle.entry[0]", NotFound, "is in the Bundle"), "focus");
}
