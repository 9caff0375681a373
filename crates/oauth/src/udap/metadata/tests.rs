//! Metadata from both sides. Rows D2 to D6, D20.

use super::*;
use crate::udap::testing::{KEY, NOW_S, OTHER, chain};

const BASE: &str = "https://care.example/fhir";
const DAY_S: i64 = 24 * 3600;

fn document() -> Document {
    Document::offered(&Offered {
        authorization_endpoint: "https://care.example/oauth/authorize",
        token_endpoint: "https://care.example/oauth/token",
        registration_endpoint: "https://care.example/oauth/udap/register",
        scopes: &["system/*.rs".to_owned(), "openid".to_owned()],
        certifications: &[],
        is_tiered: false,
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut document = document().to_value();
    match value {
        Value::Null => drop(document.as_object_mut().unwrap().remove(name)),
        value => document[name] = value,
    }
    document
}

fn read(value: &Value) -> Result<Document, DocumentError> {
    Document::read(value.to_string().as_bytes())
}

#[test]
fn d2_our_own_document() {
    let mut ours = document();
    ours.signed = "a.b.c".to_owned();
    let value = ours.to_value();
    assert_eq!(value["udap_versions_supported"], json!(["1"]));
    assert_eq!(value["udap_profiles_supported"], json!(["udap_dcr", "udap_authn", "udap_authz"]));
    assert_eq!(value["udap_authorization_extensions_supported"], json!(["hl7-b2b"]));
    assert_eq!(value["udap_authorization_extensions_required"], json!(["hl7-b2b"]));
    assert_eq!(value["udap_certifications_supported"], json!([]));
    assert!(value.get("udap_certifications_required").is_none());
    assert_eq!(value["grant_types_supported"], json!(["authorization_code", "refresh_token", "client_credentials"]));
    assert_eq!(value["token_endpoint_auth_methods_supported"], json!(["private_key_jwt"]));
    let algorithms = json!(["RS256", "ES256", "RS384", "ES384"]);
    assert_eq!(value["token_endpoint_auth_signing_alg_values_supported"], algorithms);
    assert_eq!(value["registration_endpoint_jwt_signing_alg_values_supported"], algorithms);
    // Row D34: not until somebody can sign in elsewhere.
    assert!(!value.to_string().contains("udap_to"));
    assert_eq!(ours.broken_rules(), [""; 0]);
    assert_eq!(read(&value).unwrap(), ours);
}

#[test]
fn d20_certifications_that_are_required_are_told() {
    let uris = ["https://certifier.example/rules".to_owned()];
    let document = Document::offered(&Offered {
        authorization_endpoint: "https://care.example/oauth/authorize",
        token_endpoint: "https://care.example/oauth/token",
        registration_endpoint: "https://care.example/oauth/udap/register",
        scopes: &[],
        certifications: &uris,
        is_tiered: false,
    });
    assert_eq!(document.certifications_required.as_deref(), Some(&uris[..]));
    assert_eq!(document.broken_rules(), [""; 0]);
}

#[test]
fn d2_each_broken_rule_is_told() {
    for (name, value, told) in [
        ("udap_versions_supported", json!(["1", "2"]), "exactly [\"1\"]"),
        ("udap_versions_supported", Value::Null, "exactly [\"1\"]"),
        ("udap_profiles_supported", json!(["udap_authn", "udap_authz"]), "udap_dcr"),
        ("udap_profiles_supported", json!(["udap_dcr", "udap_authz"]), "udap_authn"),
        ("udap_profiles_supported", json!(["udap_dcr", "udap_authn"]), "udap_authz"),
        ("udap_authorization_extensions_required", Value::Null, "extensions_required is missing"),
        ("udap_authorization_extensions_required", json!(["x"]), "not in udap_authorization_extensions_supported"),
        ("udap_certifications_required", json!(["https://x.example"]), "not in udap_certifications_supported"),
        ("grant_types_supported", json!(["refresh_token", "client_credentials"]), "without authorization_code"),
        ("authorization_endpoint", Value::Null, "exactly when"),
        ("scopes_supported", Value::Null, "2.0 demands"),
        ("token_endpoint_auth_methods_supported", json!(["private_key_jwt", "none"]), "exactly"),
        ("token_endpoint_auth_signing_alg_values_supported", json!(["ES256"]), "RS256"),
        ("registration_endpoint_jwt_signing_alg_values_supported", Value::Null, "2.0 demands"),
        ("registration_endpoint_jwt_signing_alg_values_supported", json!(["ES256"]), "RS256"),
        ("token_endpoint", json!("http://care.example/oauth/token"), "https"),
    ] {
        let mut value = with(name, value);
        value["signed_metadata"] = json!("a.b.c");
        let broken = read(&value).unwrap().broken_rules();
        assert!(broken.iter().any(|text| text.contains(told)), "{name}: {broken:?}");
    }
}

#[test]
fn d2_what_cannot_be_read() {
    assert_eq!(read(&json!([])), Err(DocumentError::NotAnObject));
    assert_eq!(Document::read(&vec![b' '; 256 * 1024 + 1]), Err(DocumentError::TooLong));
    assert_eq!(read(&with("signed_metadata", json!(""))), Err(DocumentError::Missing("signed_metadata")));
    assert_eq!(read(&with("token_endpoint", Value::Null)), Err(DocumentError::Missing("token_endpoint")));
    assert_eq!(read(&with("scopes_supported", json!("x"))), Err(DocumentError::Member("scopes_supported")));
}

#[test]
fn d4_the_signed_part() {
    let text = signed(&document(), BASE, &KEY, &chain(), "m1", NOW_S, DAY_S).unwrap();
    let read =
        |key: &PublicKey, base: &str, now_s| SignedMetadata::read(&Signed::parse(&text).unwrap(), key, base, now_s);
    let metadata = read(KEY.public(), BASE, NOW_S).unwrap();
    assert_eq!((metadata.jti.as_str(), metadata.expires_at_s), ("m1", NOW_S + DAY_S));
    assert_eq!(metadata.authorization_endpoint.as_deref(), Some("https://care.example/oauth/authorize"));
    let issuer = Err(SignedMetadataError::Claim(ClaimError::Issuer));
    // Row D6: to the letter.
    for base in ["https://care.example/fhir/", "https://CARE.example/fhir", "https://care.example:443/fhir"] {
        assert_eq!(read(KEY.public(), base, NOW_S), issuer, "{base}");
    }
    assert_eq!(read(KEY.public(), BASE, NOW_S + DAY_S + 60), Err(SignedMetadataError::Claim(ClaimError::Expired)));
    assert!(read(OTHER.public(), BASE, NOW_S).is_err());
    let text = signed(&document(), BASE, &KEY, &chain(), "m1", NOW_S, 400 * DAY_S).unwrap();
    let outcome = SignedMetadata::read(&Signed::parse(&text).unwrap(), KEY.public(), BASE, NOW_S);
    assert_eq!(outcome, Err(SignedMetadataError::Claim(ClaimError::Life)));
}

#[test]
fn d4_signed_values_win() {
    let mut elsewhere = document();
    elsewhere.token_endpoint = "https://other.example/token".to_owned();
    let text = signed(&document(), BASE, &KEY, &chain(), "m1", NOW_S, DAY_S).unwrap();
    let metadata = SignedMetadata::read(&Signed::parse(&text).unwrap(), KEY.public(), BASE, NOW_S).unwrap();
    assert_eq!(elsewhere.with(&metadata).token_endpoint, "https://care.example/oauth/token");
}
