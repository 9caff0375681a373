//! Software statements, each member broken once. Rows D14 to D17, D19.

use super::*;
use crate::{
    jws::JwsError,
    udap::{
        testing::{KEY, NOW_S, chain},
        x5c::sign,
    },
};

const ENDPOINT: &str = "https://care.example/oauth/udap/register";
const CLIENT: &str = "https://client.example/app";

fn app() -> Value {
    json!({
        "iss": CLIENT, "sub": CLIENT, "aud": ENDPOINT, "iat": NOW_S, "exp": NOW_S + 300, "jti": "j1",
        "client_name": "An app",
        "redirect_uris": ["https://client.example/back"],
        "contacts": ["https://client.example/help", "mailto:ops@client.example"],
        "logo_uri": "https://client.example/logo.png",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": "user/*.read launch/patient",
    })
}

fn system() -> Value {
    let mut claims = app();
    for name in ["redirect_uris", "response_types", "logo_uri"] {
        claims.as_object_mut().unwrap().remove(name);
    }
    claims["grant_types"] = json!(["client_credentials"]);
    claims["scope"] = json!("system/Patient.rs");
    claims
}

fn read(claims: &Value) -> Result<SoftwareStatement, StatementError> {
    let text = sign(&KEY, &chain(), claims).unwrap();
    Unverified::parse(&text)?.verify(KEY.public(), ENDPOINT, NOW_S)
}

/// What becomes of it when this member has this value; `null` takes it out.
fn with(claims: &Value, name: &str, value: Value) -> Result<SoftwareStatement, StatementError> {
    let mut claims = claims.clone();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    read(&claims)
}

fn code(outcome: Result<SoftwareStatement, StatementError>) -> &'static str {
    outcome.map(drop).map_err(|why| why.code().as_str()).expect_err("it was taken")
}

#[test]
fn d14_an_app_and_a_system() {
    let statement = read(&app()).unwrap();
    assert_eq!((statement.uri.as_str(), statement.jti()), (CLIENT, "j1"));
    let registration = statement.registration.as_ref().unwrap();
    assert!(registration.is_app());
    assert_eq!(registration.logo.as_deref(), Some("https://client.example/logo.png"));
    let registration = read(&system()).unwrap().registration.unwrap();
    assert!(!registration.is_app());
    assert_eq!(registration.grants, [GrantType::ClientCredentials]);
}

/// Row D16: identical, where it must be identical, and without empty members and claims.
#[test]
fn d16_the_answer() {
    let statement = read(&app()).unwrap();
    let answer = statement.answer("client-1", "user/*.read");
    assert_eq!(answer["client_id"], "client-1");
    assert_eq!(answer["software_statement"], json!(sign(&KEY, &chain(), &app()).unwrap()));
    for name in ["client_name", "redirect_uris", "grant_types", "response_types", "contacts", "logo_uri"] {
        assert_eq!(answer[name], app()[name], "{name}");
    }
    assert_eq!(answer["token_endpoint_auth_method"], "private_key_jwt");
    assert_eq!(answer["scope"], "user/*.read");
    for name in ["iss", "sub", "aud", "exp", "iat", "jti", "client_uri", "client_secret"] {
        assert!(answer.get(name).is_none(), "{name}");
    }
    let answer = read(&system()).unwrap().answer("client-2", "system/Patient.rs");
    for name in ["redirect_uris", "response_types", "logo_uri"] {
        assert!(answer.get(name).is_none(), "{name}");
    }
}

#[test]
fn d14_claims_of_the_jwt() {
    for (name, bad) in [
        ("iss", json!("https://other.example")),
        ("sub", json!("https://client.example/app/")),
        ("iss", Value::Null),
        ("sub", Value::Null),
        ("aud", json!("https://care.example/oauth/udap/register/")),
        ("aud", json!(["https://care.example/oauth/token"])),
        ("aud", Value::Null),
        ("exp", json!(NOW_S + 301)),
        ("exp", json!(NOW_S - 60)),
        ("exp", Value::Null),
        ("iat", Value::Null),
        ("jti", Value::Null),
    ] {
        assert_eq!(code(with(&app(), name, bad.clone())), "invalid_software_statement", "{name} {bad}");
    }
    assert!(with(&app(), "aud", json!(["https://other.example", ENDPOINT])).is_ok());
    let mut nameless = app();
    (nameless["iss"], nameless["sub"]) = (json!("client"), json!("client"));
    assert_eq!(code(read(&nameless)), "invalid_software_statement");
}

#[test]
fn d17_a_tampered_signature() {
    let mut text = sign(&KEY, &chain(), &app()).unwrap();
    text.truncate(text.len() - 4);
    text.push_str("AAAA");
    let why = Unverified::parse(&text).unwrap().verify(KEY.public(), ENDPOINT, NOW_S).unwrap_err();
    assert_eq!(why, StatementError::Jwt(UdapJwtError::Jws(JwsError::Signature)));
    assert_eq!(why.code(), ErrorCode::InvalidSoftwareStatement);
}

#[test]
fn d14_metadata_of_an_app() {
    for (name, bad) in [
        ("client_name", Value::Null),
        ("client_name", json!("a\u{202e}b")),
        ("contacts", Value::Null),
        ("contacts", json!([])),
        ("contacts", json!(["https://client.example/help"])),
        ("contacts", json!(["mailto:"])),
        ("grant_types", Value::Null),
        ("grant_types", json!("authorization_code")),
        ("grant_types", json!(["authorization_code", "client_credentials"])),
        ("grant_types", json!(["refresh_token"])),
        ("grant_types", json!(["authorization_code", "implicit"])),
        ("response_types", Value::Null),
        ("response_types", json!(["token"])),
        ("response_types", json!(["code", "token"])),
        ("logo_uri", Value::Null),
        ("logo_uri", json!("http://client.example/logo.png")),
        ("logo_uri", json!("https://client.example/logo.svg")),
        ("logo_uri", json!("data:image/png;base64,AA==")),
        ("token_endpoint_auth_method", Value::Null),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("scope", Value::Null),
        ("scope", json!("")),
        ("scope", json!(["user/*.read"])),
    ] {
        assert_eq!(code(with(&app(), name, bad.clone())), "invalid_client_metadata", "{name} {bad}");
    }
    for bad in [
        Value::Null,
        json!([]),
        json!(["http://client.example/back"]),
        json!(["http://localhost/back"]),
        json!(["https://client.example/back#x"]),
        json!(["com.example.client:/back"]),
        json!(["https://client.example/*"]),
    ] {
        assert_eq!(code(with(&app(), "redirect_uris", bad.clone())), "invalid_redirect_uri", "{bad}");
    }
    for good in ["https://client.example/Logo.JPG?v=1.2", "https://client.example/logo", "https://client.example"] {
        assert!(with(&app(), "logo_uri", json!(good)).is_ok(), "{good}");
    }
}

#[test]
fn d14_metadata_of_a_system() {
    let refresh = json!(["client_credentials", "refresh_token"]);
    assert_eq!(code(with(&system(), "grant_types", refresh)), "invalid_client_metadata");
    assert_eq!(code(with(&system(), "response_types", json!(["code"]))), "invalid_client_metadata");
    let back = json!(["https://client.example/back"]);
    assert_eq!(code(with(&system(), "redirect_uris", back)), "invalid_redirect_uri");
}

/// Row D15: what a public test kit sends beside.
#[test]
fn d15_what_is_not_ours_is_not_looked_at() {
    for (name, value) in [
        ("logo_uri", json!("https://kit.example/logo.png")),
        ("logo_uri", json!("http://kit.example/logo.svg")),
        ("software_id", json!(["x"])),
        ("jwks", json!({ "keys": [] })),
        ("redirect_uris", json!([])),
        ("response_types", json!([])),
    ] {
        let registration = with(&system(), name, value).unwrap().registration.unwrap();
        assert_eq!((registration.logo, registration.redirect_uris.len()), (None, 0), "{name}");
    }
}

/// Row D19: nothing but the JWT itself counts then.
#[test]
fn d19_empty_grant_types_cancel() {
    let mut claims = app();
    claims["grant_types"] = json!([]);
    let statement = read(&claims).unwrap();
    assert_eq!(statement.registration, None);
    assert_eq!(statement.answer("client-1", "")["grant_types"], json!([]));
    for name in ["client_name", "contacts", "scope", "redirect_uris", "logo_uri"] {
        claims.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(read(&claims).unwrap().registration, None);
}
