//! Discovery documents as a client reads them. Rows B2 to B6, B10.

use super::{Endpoints, authorization_server, smart_configuration};
use serde_json::Value;

/// Row A24: endpoints come from the configured base, whatever path stands before `/fhir`.
#[test]
fn endpoints_of_the_base() {
    let endpoints = Endpoints::of_fhir_base("https://care.example:8443/a/fhir").unwrap();
    assert_eq!(endpoints.issuer, "https://care.example:8443/a");
    assert_eq!(endpoints.token, "https://care.example:8443/a/oauth/token");
    for base in [
        "http://care.example/fhir",
        "https://care.example",
        "https://care.example/fhir/",
        "https:///fhir",
        "https://a@b/fhir",
        "https://a?b/fhir",
        "",
    ] {
        assert!(Endpoints::of_fhir_base(base).is_none(), "{base}");
    }
}

/// Rows B2, B3, B6: what a conformance suite reads off.
#[test]
fn documents_have_what_is_required() {
    let endpoints = Endpoints::of_fhir_base("https://care.example/fhir").unwrap();
    let scopes = ["system/*.cruds".to_owned()];
    let document = smart_configuration(&endpoints, &scopes);
    for name in ["token_endpoint", "introspection_endpoint", "revocation_endpoint"] {
        assert!(document[name].as_str().unwrap().starts_with("https://care.example/oauth/"), "{name}");
    }
    let list = |name: &str| -> Vec<String> {
        document[name].as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(list("grant_types_supported"), ["client_credentials"]);
    assert_eq!(list("code_challenge_methods_supported"), ["S256"]);
    assert_eq!(list("token_endpoint_auth_methods_supported"), ["private_key_jwt"]);
    let algorithms = list("token_endpoint_auth_signing_alg_values_supported");
    assert!(algorithms.contains(&"RS384".into()) && algorithms.contains(&"ES384".into()));
    assert!(!algorithms.iter().any(|alg| alg == "none" || alg.starts_with("HS")));
    assert_eq!(list("capabilities"), ["client-confidential-asymmetric", "permission-v1", "permission-v2"]);
    assert!(document.get("issuer").is_none(), "B2: only with sso-openid-connect");
    assert!(document.get("authorization_endpoint").is_none(), "nothing is claimed that is not built");

    let document = authorization_server(&endpoints, &scopes);
    assert_eq!(document["issuer"], "https://care.example");
    assert_eq!(document["response_types_supported"], Value::Array(Vec::new()));
    assert_eq!(document["jwks_uri"], "https://care.example/oauth/jwks");
}
