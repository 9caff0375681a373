//! Rows A12 to A17, without a socket.

use super::*;

fn cors() -> Cors {
    let configured = [Origin::parse("https://app.example.org").unwrap()];
    Cors::new(configured, Box::new(|origin| origin == "https://registered.example.org:8443"))
}

fn allowed(path: &str, origin: &str) -> Option<String> {
    let mut headers = HeaderMap::new();
    cors().apply(path, Some(&HeaderValue::from_str(origin).unwrap()), false, &mut headers);
    assert_eq!(headers.get(header::VARY).unwrap(), "Origin", "A16: always");
    assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), "A16: never");
    headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn public_documents_are_anyones() {
    for path in ["/fhir/metadata", "/fhir/.well-known/smart-configuration", "/oauth/jwks"] {
        assert_eq!(allowed(path, "https://anyone.example").as_deref(), Some("*"), "A12 {path}");
    }
}

#[test]
fn data_and_tokens_are_for_registered_origins() {
    for path in ["/fhir/Patient/1", "/fhir", "/oauth/token"] {
        for origin in ["https://app.example.org", "https://registered.example.org:8443"] {
            assert_eq!(allowed(path, origin).as_deref(), Some(origin), "A13 {path}");
        }
        assert_eq!(allowed(path, "https://other.example.org"), None, "A13 {path}");
    }
}

#[test]
fn origins_are_compared_whole() {
    for origin in [
        "https://app.example.org.evil.example",
        "https://evil-app.example.org",
        "http://app.example.org",
        "https://app.example.org:444",
        "https://registered.example.org",
        "null",
        "*",
        "",
    ] {
        assert_eq!(allowed("/fhir/Patient", origin), None, "A16 {origin}");
    }
    assert_eq!(allowed("/fhir/Patient", "https://app.example.org:443").as_deref(), Some("https://app.example.org:443"));
}

#[test]
fn pages_for_people_and_introspection_are_shared_with_nobody() {
    for path in ["/oauth/authorize", "/oauth/introspect", "/login", "/fhirish", "/"] {
        assert_eq!(allowed(path, "https://app.example.org"), None, "A17 {path}");
    }
}

#[test]
fn a_preflight_lists_methods_and_headers() {
    let mut headers = HeaderMap::new();
    let origin = HeaderValue::from_static("https://app.example.org");
    cors().apply("/fhir/Patient", Some(&origin), true, &mut headers);
    let allow = headers.get(header::ACCESS_CONTROL_ALLOW_HEADERS).unwrap().to_str().unwrap();
    for name in
        ["Authorization", "If-None-Exist", "X-Request-Id", "DPoP", "Category", "X-Provenance", "X-Purpose-Of-Use"]
    {
        assert!(allow.contains(name), "A15 {name}");
    }
    let methods = headers.get(header::ACCESS_CONTROL_ALLOW_METHODS).unwrap().to_str().unwrap();
    assert!(methods.contains("PUT") && methods.contains("DELETE"));
}

#[test]
fn an_origin_has_no_path() {
    assert!(Origin::parse("https://app.example.org/").is_err());
    assert!(Origin::parse("https://app.example.org/x").is_err());
    assert!(Origin::parse("https://user@app.example.org").is_err());
    assert!(Origin::parse("app.example.org").is_err());
    assert_eq!(Origin::parse("HTTPS://App.Example.Org:443").unwrap().as_str(), "https://app.example.org");
}
