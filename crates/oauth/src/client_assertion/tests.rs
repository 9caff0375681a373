//! Client assertions, good and attacked. Rows C1 to C7.

use super::{AssertionError, ClientAssertion, Expected, Unverified, signed};
use crate::{
    jwk::{Jwks, MatchError},
    jws::{Algorithm, JwsError},
    sign::PrivateKey,
};
use serde_json::{Value, json};
use std::sync::LazyLock;

const NOW: i64 = 1_800_000_000;
const TOKEN: &str = "https://localhost:8443/oauth/token";
const ISSUER: &str = "https://localhost:8443";
const URL: &str = "https://client.example/jwks.json";

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Es384).unwrap());
static OTHER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Es384).unwrap());

fn header() -> Value {
    json!({ "alg": "ES384", "kid": KEY.kid(), "typ": "JWT" })
}

fn claims() -> Value {
    json!({ "iss": "client", "sub": "client", "aud": TOKEN, "exp": NOW + 300, "iat": NOW, "jti": "one" })
}

fn verify_with(keys: &Jwks, jwks_url: Option<&str>, text: &str) -> Result<ClientAssertion, AssertionError> {
    Unverified::parse(text)?.verify(Expected { keys, jwks_url, audiences: &[TOKEN, ISSUER], now_s: NOW })
}

fn verify(text: &str) -> Result<ClientAssertion, AssertionError> {
    verify_with(&Jwks::new(vec![KEY.public().clone()]), None, text)
}

fn with(name: &str, value: Value) -> Result<ClientAssertion, AssertionError> {
    let mut claims = claims();
    claims[name] = value;
    verify(&KEY.jws(&header(), claims.to_string().as_bytes()).unwrap())
}

fn without(name: &str) -> Result<ClientAssertion, AssertionError> {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    verify(&KEY.jws(&header(), claims.to_string().as_bytes()).unwrap())
}

fn with_header(name: &str, value: Value) -> Result<ClientAssertion, AssertionError> {
    let mut header = header();
    header[name] = value;
    verify(&KEY.jws(&header, claims().to_string().as_bytes()).unwrap())
}

#[test]
fn a_good_assertion_is_accepted_for_each_algorithm() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        let text = signed(&key, "client", TOKEN, "one", NOW, 300).unwrap();
        let good = verify_with(&Jwks::new(vec![key.public().clone()]), None, &text).unwrap();
        assert_eq!((good.client_id(), good.jti(), good.replayable_until_s()), ("client", "one", NOW + 360));
    }
}

/// Row C2.
#[test]
fn header_rules() {
    assert_eq!(with_header("typ", "at+jwt".into()), Err(AssertionError::Type));
    assert_eq!(with_header("typ", "".into()), Err(AssertionError::Type));
    assert!(with_header("typ", "jwt".into()).is_ok());
    assert_eq!(with_header("kid", "".into()), Err(AssertionError::NoKid));
    assert_eq!(with_header("kid", "../../etc/passwd".into()), Err(AssertionError::Key(MatchError::None)));
    assert_eq!(with_header("kid", OTHER.kid().into()), Err(AssertionError::Key(MatchError::None)));
    assert_eq!(with_header("crit", json!(["exp"])), Err(AssertionError::Jws(JwsError::Critical)));
    assert_eq!(with_header("alg", "none".into()), Err(AssertionError::Jws(JwsError::Algorithm)));
    assert_eq!(with_header("alg", "ES256".into()), Err(AssertionError::Key(MatchError::None)));
    let no_typ = KEY.jws(&json!({ "alg": "ES384", "kid": KEY.kid() }), claims().to_string().as_bytes()).unwrap();
    assert_eq!(verify(&no_typ), Err(AssertionError::Type));
    let no_kid = KEY.jws(&json!({ "alg": "ES384", "typ": "JWT" }), claims().to_string().as_bytes()).unwrap();
    assert_eq!(verify(&no_kid), Err(AssertionError::NoKid));
    // A key of its own in the header changes nothing, for good or ill.
    assert!(with_header("jwk", OTHER.public().to_jwk()).is_ok());
}

/// Row C2: `jku` counts only when it is the registered URL to the letter.
#[test]
fn jku_rules() {
    let keys = Jwks::new(vec![KEY.public().clone()]);
    let signed_with = |jku: &str| {
        let mut header = header();
        header["jku"] = jku.into();
        KEY.jws(&header, claims().to_string().as_bytes()).unwrap()
    };
    assert!(verify_with(&keys, Some(URL), &signed_with(URL)).is_ok());
    for jku in [
        "https://attacker.example/jwks.json",
        "https://client.example/jwks.json#a",
        "https://CLIENT.example/jwks.json",
        "",
    ] {
        assert_eq!(verify_with(&keys, Some(URL), &signed_with(jku)), Err(AssertionError::Jku), "{jku}");
    }
    assert_eq!(verify_with(&keys, None, &signed_with(URL)), Err(AssertionError::Jku), "inline keys have no URL");
}

/// Row C3: `iss` and `sub` are the client.
#[test]
fn issuer_and_subject() {
    for name in ["iss", "sub"] {
        assert_eq!(with(name, "other".into()), Err(AssertionError::Issuer));
        assert_eq!(with(name, "".into()), Err(AssertionError::Issuer));
        assert_eq!(with(name, 1.into()), Err(AssertionError::Issuer));
        assert_eq!(with(name, json!(["client"])), Err(AssertionError::Issuer));
        assert_eq!(without(name), Err(AssertionError::Issuer));
    }
}

/// Row C5: this server alone.
#[test]
fn audience() {
    assert!(with("aud", ISSUER.into()).is_ok());
    assert!(with("aud", json!([TOKEN])).is_ok());
    for aud in [
        json!("https://localhost:8443/oauth/token/"),
        json!("https://LOCALHOST:8443/oauth/token"),
        json!("http://localhost:8443/oauth/token"),
        json!("https://localhost:8443/fhir"),
        json!("https://other.example/token"),
        json!([TOKEN, "https://other.example/token"]),
        json!([TOKEN, TOKEN]),
        json!([]),
        json!([[TOKEN]]),
        json!(""),
        json!(1),
        json!(null),
        json!({ "aud": TOKEN }),
    ] {
        assert_eq!(with("aud", aud.clone()), Err(AssertionError::Audience), "{aud}");
    }
    assert_eq!(without("aud"), Err(AssertionError::Audience));
}

/// Row C3: five minutes ahead at most, not past, with 60 s for clocks that differ (row A22).
#[test]
fn times() {
    for exp in [NOW + 1, NOW + 300, NOW + 360, NOW, NOW - 59] {
        assert!(with("exp", exp.into()).is_ok(), "{}", exp - NOW);
    }
    for exp in [NOW - 60, NOW - 61, 0, -1, i64::MIN] {
        assert_eq!(with("exp", exp.into()), Err(AssertionError::Expired), "{exp}");
    }
    for exp in [json!(NOW + 361), json!(NOW + 3600), json!(i64::MAX), json!(u64::MAX), json!(1e300)] {
        assert_eq!(with("exp", exp.clone()), Err(AssertionError::TooLong), "{exp}");
    }
    for exp in [json!("1800000300"), json!(null), json!(true), json!([NOW])] {
        assert_eq!(with("exp", exp.clone()), Err(AssertionError::NoExpiry), "{exp}");
    }
    assert_eq!(without("exp"), Err(AssertionError::NoExpiry));
    assert!(with("exp", json!(1_800_000_300.5)).is_ok());
    assert!(without("iat").is_ok());
    for name in ["iat", "nbf"] {
        assert!(with(name, (NOW + 60).into()).is_ok());
        assert!(with(name, (NOW - 10_000).into()).is_ok());
        assert_eq!(with(name, (NOW + 61).into()), Err(AssertionError::NotYet));
        assert_eq!(with(name, "now".into()), Err(AssertionError::NotYet));
        assert_eq!(with(name, json!(null)), Err(AssertionError::NotYet));
    }
}

/// Rows C3 and C4.
#[test]
fn jti() {
    assert_eq!(without("jti"), Err(AssertionError::NoJti));
    assert_eq!(with("jti", "".into()), Err(AssertionError::NoJti));
    assert_eq!(with("jti", 7.into()), Err(AssertionError::NoJti));
}

/// Row C6, and a stranger's signature is found before any claim is looked at.
#[test]
fn keys() {
    let text = OTHER.jws(&header(), claims().to_string().as_bytes()).unwrap();
    assert_eq!(verify(&text), Err(AssertionError::Jws(JwsError::Signature)));
    let twice = Jwks::new(vec![KEY.public().clone(), KEY.public().clone()]);
    let good = KEY.jws(&header(), claims().to_string().as_bytes()).unwrap();
    assert_eq!(verify_with(&twice, None, &good), Err(AssertionError::Key(MatchError::Several)));
    assert_eq!(verify_with(&Jwks::default(), None, &good), Err(AssertionError::Key(MatchError::None)));
    let mut expired = claims();
    expired["exp"] = 1.into();
    let forged = OTHER.jws(&header(), expired.to_string().as_bytes()).unwrap();
    assert_eq!(verify(&forged), Err(AssertionError::Jws(JwsError::Signature)));
}
