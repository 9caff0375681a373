//! Id tokens as an app verifies them. Rows B53 to B56.

use super::{Claims, IdTokenError, fhir_user_url};
use crate::{
    jwk::Jwks,
    jws::{Algorithm, Compact},
    secret::Secret,
    sign::PrivateKey,
};
use serde_json::json;
use std::sync::LazyLock;

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Rs256).unwrap());

fn claims() -> Claims<'static> {
    Claims {
        issuer: "https://care.example",
        subject: "s",
        client_id: "app",
        issued_at_s: 1_800_000_000,
        expires_at_s: 1_800_000_300,
        authenticated_at_s: Some(1_799_999_990),
        nonce: Some("n"),
        acr: Some("2"),
        amr: &["pwd", "otp"],
        fhir_user: Some("https://care.example/fhir/Practitioner/1"),
        name: None,
        session: None,
    }
}

#[test]
fn an_app_can_verify_it() {
    let token = claims().signed(&KEY, &Secret::new("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y")).unwrap();
    let jws = Compact::parse(token.expose()).unwrap();
    let keys = Jwks::new(vec![KEY.public().clone()]);
    let key = keys.matching(jws.kid().unwrap(), Algorithm::Rs256).unwrap();
    let expected = json!({
        "iss": "https://care.example", "sub": "s", "aud": "app", "iat": 1_800_000_000, "exp": 1_800_000_300,
        "auth_time": 1_799_999_990, "nonce": "n", "acr": "2", "amr": ["pwd", "otp"],
        // The published example of OpenID Connect Core appendix A.3.
        "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
        "fhirUser": "https://care.example/fhir/Practitioner/1",
    });
    assert_eq!(json!(jws.verify(key).unwrap()), expected);
    assert_eq!(jws.algorithm(), Algorithm::Rs256);
}

#[test]
fn only_what_there_is() {
    let bare = Claims {
        authenticated_at_s: None,
        nonce: None,
        acr: None,
        amr: &[],
        fhir_user: None,
        name: Some("Ann"),
        ..claims()
    };
    let token = bare.signed(&KEY, &Secret::new("t")).unwrap();
    let jws = Compact::parse(token.expose()).unwrap();
    let claims = jws.verify(KEY.public()).unwrap();
    let names: Vec<&str> = claims.keys().map(String::as_str).collect();
    assert_eq!(names, ["iss", "sub", "aud", "iat", "exp", "at_hash", "name"]);
    assert_eq!(bare.userinfo(), json!({ "sub": "s", "name": "Ann" }));
    assert_eq!(fhir_user_url("https://a/fhir", "Patient/1"), "https://a/fhir/Patient/1");
}

#[test]
fn refused() {
    let other = PrivateKey::generate(Algorithm::Es384).unwrap();
    let token = Secret::new("t");
    assert_eq!(claims().signed(&other, &token).err(), Some(IdTokenError::Key), "B53: RS256");
    for subject in ["", " ", &"s".repeat(256)] {
        assert_eq!(Claims { subject, ..claims() }.signed(&KEY, &token).err(), Some(IdTokenError::Subject));
    }
}
