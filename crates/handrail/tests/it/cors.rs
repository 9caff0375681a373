//! Rows A12 to A17 and A19 through the running server.

use crate::support::{Server, handrail, ok};

const APP: &str = "https://app.example.org";

fn register(server: &Server) {
    let output = handrail()
        .args(["client", "add", "app", "--scope", "system/*.rs", "--origin", APP, "--data"])
        .arg(&server.directory)
        .arg("--generate-key")
        .arg(server.directory.join("app.jwk"))
        .output()
        .unwrap();
    ok(&output);
}

#[tokio::test]
async fn public_documents_are_readable_from_anywhere_and_data_from_registered_origins() {
    let server = Server::start();
    let mut http = server.http().await;
    let from = |origin: &'static str| [("origin", origin)];
    for path in ["/fhir/metadata", "/fhir/.well-known/smart-configuration", "/oauth/jwks"] {
        let answer = http.get(path, &from("https://anyone.example")).await;
        assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (200, "*"), "A12 {path}");
    }
    let before = http.get("/fhir/Patient", &from(APP)).await;
    assert_eq!(before.header("access-control-allow-origin"), "", "A13 nobody registered it yet");
    register(&server);
    let after = http.get("/fhir/Patient", &from(APP)).await;
    assert_eq!(after.status, 401);
    assert_eq!(after.header("access-control-allow-origin"), APP, "A13 also on a refusal, so that a page can read it");
    assert!(after.header("access-control-expose-headers").contains("WWW-Authenticate"), "A15");
    for answer in [&before, &after] {
        assert!(answer.headers.get_all("vary").iter().any(|value| value == "Origin"), "A16");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"), "A16");
    }
    for origin in ["null", "https://app.example.org.evil.example", "http://app.example.org"] {
        let answer = http.get("/fhir/Patient", &[("origin", origin)]).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "A16 {origin}");
    }
    let answer = http.get("/oauth/authorize", &from(APP)).await;
    assert_eq!(answer.header("access-control-allow-origin"), "", "A17");
}

#[tokio::test]
async fn a15_a_preflight_needs_no_token() {
    let server = Server::configured(&format!("allowed_origins = [\"{APP}\"]"));
    let mut http = server.http().await;
    for path in ["/fhir/Patient/1", "/oauth/token", "/fhir"] {
        let headers = [
            ("origin", APP),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "authorization, if-match"),
        ];
        let answer = http.send("OPTIONS", path, &headers, "").await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), APP, "{path}");
        assert!(answer.header("access-control-allow-methods").contains("PUT"), "{path}");
        assert!(answer.header("access-control-allow-headers").contains("If-Match"), "{path}");
    }
    let other = [("origin", "https://other.example"), ("access-control-request-method", "GET")];
    let answer = http.send("OPTIONS", "/fhir/Patient", &other, "").await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    assert!(!answer.headers.contains_key("access-control-allow-headers"));
}

#[tokio::test]
async fn a4_a19_every_answer_carries_the_security_headers() {
    let server = Server::start();
    let mut http = server.http().await;
    for (path, status) in
        [("/fhir/metadata", 200), ("/fhir/Patient/1", 401), ("/nowhere", 404), ("/livez", 200), ("/oauth/token", 405)]
    {
        let answer = http.get(path, &[]).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{path}");
        assert!(answer.header("strict-transport-security").starts_with("max-age="), "A4 {path}");
        assert!(!answer.header("cross-origin-resource-policy").is_empty(), "{path}");
        assert!(!answer.headers.contains_key("server"), "{path}");
        assert!(!answer.headers.contains_key("set-cookie"), "A20 {path}");
    }
    let answer = http.get("/fhir/Patient/1", &[]).await;
    assert_eq!(answer.header("cache-control"), "no-store");
}
