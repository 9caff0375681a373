//! Binaries: who sees one, how it leaves, HEAD and Range. Rows F35, F36, F39.

use crate::world::{create, get, server};
use oauth::caller::Role;
use serde_json::json;
use testkit::Person;

const PAGE: &str = "<html><script>alert(1)</script></html>";

const ANNA: Person = Person {
    id: "u-anna",
    name: "Anna Alba",
    role: Role::Patient,
    fhir_user: Some("Patient/anna"),
    patients: &["anna"],
};

/// F35: in nobody's record, so nobody reaches one by a record: no person's app, whatever it names as its context. Not
/// visible is not found.
#[test]
fn f35_a_binary_is_in_nobodys_record() {
    let (server, token) = server();
    let binary = json!({"resourceType": "Binary", "contentType": "text/plain", "data": "QW5u",
        "securityContext": {"reference": "Patient/anna"}});
    let id = create(&server, &token, &binary).id();
    for scope in ["patient/*.cruds", "patient/Binary.rs user/Binary.rs"] {
        let anna = server.tokens().token_of_person(&ANNA, Some("anna"), scope);
        let one = get(&server, &anna, &format!("Binary/{id}"));
        let none = get(&server, &anna, "Binary/none");
        assert!(one.status == 403 || one.status == 404, "{}", one.status);
        assert_eq!((one.status, &one.body), (none.status, &none.body));
        let sent = server.request("POST", "Binary").token(&anna).json(&binary).send();
        assert_eq!(sent.status, 403);
    }
}

/// F36: it leaves as a resource, never as the page or program that it may hold.
#[test]
fn f36_a_binary_leaves_as_a_resource_alone() {
    let (server, token) = server();
    let data = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, PAGE);
    let id = create(&server, &token, &json!({"resourceType": "Binary", "contentType": "text/html", "data": data})).id();
    let path = format!("Binary/{id}");
    for accept in ["text/html", "image/svg+xml", "application/xhtml+xml", "application/octet-stream"] {
        let reply = server.request("GET", &path).token(&token).header("accept", accept).send();
        assert!(reply.expect(406).text().contains("application/fhir+json"), "{accept}");
    }
    let whole = server.request("GET", &path).token(&token).header("accept", "text/html, */*").send().expect(200);
    assert_eq!(whole.header("content-type"), Some("application/fhir+json; charset=utf-8"));
    assert!(!whole.text().contains("<script"));
    // Nor does it come in as one.
    for media_type in ["text/html", "application/pdf", "application/octet-stream"] {
        let _ = server.request("POST", "Binary").token(&token).body(media_type, PAGE).send().expect(415);
    }
}

/// F39: HEAD is decided and recorded as GET is; parts of a resource are not given out.
#[test]
fn f39_head_and_range() {
    let (server, token) = server();
    let id =
        create(&server, &token, &json!({"resourceType": "Binary", "contentType": "text/plain", "data": "QW5u"})).id();
    let path = format!("Binary/{id}");
    let other = server.token_for("system/Patient.rs");
    let _ = server.request("HEAD", &path).send().expect(401);
    let _ = server.request("HEAD", &path).token(&other).send().expect(403);
    let head = server.request("HEAD", &path).token(&token).header("x-request-id", "the-head").send().expect(200);
    assert!(head.body.is_empty());
    let auditor = server.tokens().token_of("auditor", "system/AuditEvent.rs");
    let log = get(&server, &auditor, "AuditEvent?_count=100").expect(200).text();
    assert!(log.contains("the-head"), "{log}");
    let ranged = server.request("GET", &path).token(&token).header("range", "bytes=0-3").send().expect(200);
    assert_eq!(ranged.body, get(&server, &token, &path).body);
    assert_eq!(ranged.header("accept-ranges"), None);
}
