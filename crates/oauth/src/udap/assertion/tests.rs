//! Authentication tokens, each claim broken once. Rows D26, D27.

use super::*;
use crate::{
    jws::JwsError,
    udap::{
        testing::{KEY, NOW_S, OTHER, chain},
        x5c::sign,
    },
};
use serde_json::json;

const TOKEN: &str = "https://care.example/oauth/token";

fn good() -> Value {
    json!({
        "iss": "client-1", "sub": "client-1", "aud": TOKEN, "iat": NOW_S, "exp": NOW_S + 300, "jti": "j1",
        "extensions": { "hl7-b2b": {
            "version": "1", "organization_id": "https://payer.example", "purpose_of_use": ["SYSDEV"],
        } },
    })
}

fn read(claims: &Value) -> Result<Assertion, AssertionError> {
    let text = sign(&KEY, &chain(), claims).unwrap();
    Unverified::parse(&text)?.verify(KEY.public(), TOKEN, NOW_S)
}

fn with(name: &str, value: Value) -> Result<Assertion, AssertionError> {
    let mut claims = good();
    claims[name] = value;
    read(&claims)
}

fn claim(why: ClaimError) -> Result<Assertion, AssertionError> {
    Err(AssertionError::Claim(why))
}

#[test]
fn d26_a_good_one() {
    let assertion = read(&good()).unwrap();
    assert_eq!((assertion.proof.client_id(), assertion.proof.jti()), ("client-1", "j1"));
    assert_eq!(assertion.b2b().unwrap().unwrap().organization_id, "https://payer.example");
    assert!(with("aud", json!([TOKEN])).is_ok());
    assert!(with("extensions", Value::Null).unwrap().b2b().unwrap().is_none());
}

#[test]
fn d26_claims_that_are_wrong() {
    for name in ["iss", "sub"] {
        for bad in [json!("other"), json!(""), json!(1), Value::Null] {
            assert_eq!(with(name, bad), claim(ClaimError::Issuer), "{name}");
        }
    }
    for bad in [
        json!("https://care.example/oauth/token/"),
        json!("https://care.example/fhir"),
        json!("https://CARE.example/oauth/token"),
        json!([TOKEN, "https://other.example"]),
        json!([]),
        Value::Null,
    ] {
        assert_eq!(with("aud", bad.clone()), claim(ClaimError::Audience), "{bad}");
    }
    for name in ["iat", "exp", "jti"] {
        assert_eq!(with(name, Value::Null), claim(ClaimError::Claim(name)));
    }
    assert_eq!(with("exp", json!(NOW_S + 301)), claim(ClaimError::Life));
    assert_eq!(with("exp", json!(NOW_S)), claim(ClaimError::Life));
    assert_eq!(with("exp", json!(i64::MAX)), claim(ClaimError::Life));
    assert_eq!(with("iat", json!(i64::MIN)), claim(ClaimError::Life));
    assert_eq!(with("nbf", json!(NOW_S + 61)), claim(ClaimError::NotYet));
    assert_eq!(with("jti", json!("")), claim(ClaimError::Claim("jti")));
    assert_eq!(with("jti", json!("j".repeat(513))), claim(ClaimError::Claim("jti")));
    let mut later = good();
    (later["iat"], later["exp"]) = (json!(NOW_S + 61), json!(NOW_S + 200));
    assert_eq!(read(&later), claim(ClaimError::NotYet));
    let mut past = good();
    (past["iat"], past["exp"]) = (json!(NOW_S - 300), json!(NOW_S - 60));
    assert_eq!(read(&past), claim(ClaimError::Expired));
    past["exp"] = json!(NOW_S - 59);
    assert!(read(&past).is_ok(), "clocks differ");
}

#[test]
fn d26_another_key_is_refused() {
    let text = sign(&OTHER, &chain(), &good()).unwrap();
    let why = Unverified::parse(&text).unwrap().verify(KEY.public(), TOKEN, NOW_S);
    assert_eq!(why, Err(AssertionError::Jwt(UdapJwtError::Jws(JwsError::KeyType))));
}

#[test]
fn d27_a_bad_b2b_object_is_told_apart() {
    let assertion = with("extensions", json!({ "hl7-b2b": { "version": "1" } })).unwrap();
    assert_eq!(assertion.b2b(), Err(B2bError::Missing("organization_id")));
}
