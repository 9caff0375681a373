//! What heads mean.

use super::{MediaType, Prefer, Request, Return, Tags, decode, tags};
use fhir::VersionId;

fn head(headers: &[(&str, &str)]) -> Request {
    let mut builder = http::Request::builder().uri("/fhir/Patient");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    Request::split(builder.body(()).unwrap()).0
}

/// F65: what is read at all.
#[test]
fn media_types() {
    for (declared, media_type) in [
        ("application/fhir+json", MediaType::Json),
        ("application/json; charset=UTF-8", MediaType::Json),
        ("application/fhir+json; fhirVersion=4.0", MediaType::Json),
        ("application/x-www-form-urlencoded", MediaType::Form),
        ("application/fhir+json; charset=utf-16", MediaType::Other),
        ("application/fhir+json; fhirVersion=5.0", MediaType::Other),
        ("application/fhir+xml", MediaType::Xml),
        ("text/plain", MediaType::Other),
        ("", MediaType::Other),
    ] {
        assert_eq!(head(&[("content-type", declared)]).media_type(), media_type, "{declared}");
    }
    assert_eq!(head(&[]).media_type(), MediaType::Absent);
    // F57: no compressed bodies.
    let compressed = [("content-type", "application/fhir+json"), ("content-encoding", "gzip")];
    assert_eq!(head(&compressed).media_type(), MediaType::Other);
    for encodings in [["identity", "gzip"], ["gzip", "identity"], ["identity", ""]] {
        let [one, other] = encodings.map(|encoding| ("content-encoding", encoding));
        let both = head(&[("content-type", "application/fhir+json"), one, other]);
        assert_eq!(both.media_type(), MediaType::Other, "{encodings:?}");
    }
    let twice = [("content-type", "application/fhir+json"), ("content-type", "text/html")];
    assert_eq!(head(&twice).media_type(), MediaType::Other);
}

/// H41: `_format` overrides Accept.
#[test]
fn acceptable_forms() {
    for (accept, takes) in [
        ("*/*", true),
        ("application/fhir+json", true),
        ("text/html, application/json;q=0.5", true),
        ("application/fhir+json;fhirVersion=4.0", true),
        ("application/fhir+json;fhirVersion=3.0", false),
        ("application/fhir+xml", false),
        ("application/json;q=0", false),
        ("text/html", false),
    ] {
        assert_eq!(head(&[("accept", accept)]).accepts_json(None), takes, "{accept}");
    }
    assert!(head(&[]).accepts_json(None));
    for (format, takes) in
        [("json", true), ("application/fhir json", true), ("application/fhir+json", true), ("xml", false), ("", false)]
    {
        assert_eq!(head(&[("accept", "text/html")]).accepts_json(Some(format)), takes, "{format}");
        assert_eq!(head(&[("accept", "*/*")]).accepts_json(Some(format)), takes, "{format}");
    }
}

#[test]
fn version_tags() {
    let version = |number| VersionId::new(number).unwrap();
    assert_eq!(tags("W/\"3\""), Tags::Versions(vec![version(3)]));
    assert_eq!(tags("\"3\", W/\"4\""), Tags::Versions(vec![version(3), version(4)]));
    assert_eq!(tags(" * "), Tags::Any);
    assert_eq!(tags("W/\"abc\""), Tags::Versions(vec![]));
}

#[test]
fn preferences() {
    let prefer = head(&[("prefer", "respond-async, return=minimal"), ("prefer", "handling=lenient")]).prefer();
    assert_eq!(prefer, Prefer { returns: Some(Return::Minimal), lenient: true });
    assert_eq!(head(&[("prefer", "return=everything")]).prefer(), Prefer::default());
}

/// F61, F15: what a client sends as its request id is echoed only when it is plain.
#[test]
fn request_ids() {
    assert_eq!(head(&[("x-request-id", "abc-1.2_3")]).request_id(), Some("abc-1.2_3"));
    let long = "a".repeat(65);
    for id in ["", "a b", "<script>", "a\tb", long.as_str()] {
        assert_eq!(head(&[("x-request-id", id)]).request_id(), None, "{id}");
    }
}

/// B64: one Authorization header, or none.
#[test]
fn two_tokens_are_none() {
    assert!(head(&[("authorization", "Bearer a"), ("authorization", "Bearer b")]).authorization().is_err());
    assert_eq!(head(&[]).authorization(), Ok(None));
}

#[test]
fn decoding() {
    assert_eq!(decode("a%20b+c").as_deref(), Some("a b c"));
    assert_eq!(decode("http%3A%2F%2Floinc.org%7C1-8").as_deref(), Some("http://loinc.org|1-8"));
    assert_eq!(decode("%ff"), None);
    assert_eq!(decode("%zz"), None);
    assert_eq!(decode("100%"), None);
    assert_eq!(decode("%2"), None);
}
