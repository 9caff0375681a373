//! DPoP proofs, good and attacked. RFC 9449 sections 4.3, 7, 8 and 11.

use super::{DpopError as E, Expected, Nonces, Proof, check, normal, signed};
use crate::{
    jwk::JwkError,
    jws::{Algorithm, JwsError},
    sign::PrivateKey,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::sync::LazyLock;

const NOW: i64 = 1_800_000_000;
const URL: &str = "https://care.example/oauth/token";

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Es256).unwrap());
static OTHER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Es256).unwrap());
static NONCES: LazyLock<Nonces> = LazyLock::new(|| Nonces::new(&[7; 32]));

fn expected() -> Expected<'static> {
    Expected { method: "POST", url: URL, access_token: None, nonces: &NONCES, requires_nonce: false, now_s: NOW }
}

fn header() -> Value {
    json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.public().to_bare_jwk() })
}

fn claims() -> Value {
    json!({ "htm": "POST", "htu": URL, "iat": NOW, "jti": "one" })
}

fn text(header: &Value, claims: &Value) -> String {
    KEY.jws(header, claims.to_string().as_bytes()).unwrap()
}

fn with(name: &str, value: Value) -> Result<Proof, E> {
    let mut claims = claims();
    claims[name] = value;
    check(&text(&header(), &claims), &expected())
}

fn with_header(name: &str, value: Value) -> Result<Proof, E> {
    let mut header = header();
    header[name] = value;
    check(&text(&header, &claims()), &expected())
}

#[test]
fn a_good_proof_for_each_algorithm() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        let proof = check(&signed(&key, "POST", URL, "one", NOW, None, None).unwrap(), &expected()).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(proof.key()), key.public().thumbprint());
        assert_eq!((proof.algorithm(), proof.access_token()), (algorithm, None));
        assert_eq!(proof.replayable_until_s(), NOW + 120);
    }
}

/// The key in the header: no other signature, none that is private, none that is symmetric, none at all.
#[test]
fn key_confusion() {
    assert_eq!(with_header("jwk", OTHER.public().to_bare_jwk()).err(), Some(E::Jws(JwsError::Signature)));
    let private: Value = serde_json::from_str(&KEY.to_private_jwk().unwrap()).unwrap();
    assert_eq!(with_header("jwk", private).err(), Some(E::Key(Some(JwkError::Private))));
    let symmetric = json!({ "kty": "oct", "k": "c2VjcmV0" });
    assert_eq!(with_header("jwk", symmetric).err(), Some(E::Key(Some(JwkError::Private))));
    assert_eq!(with_header("jwk", Value::Null).err(), Some(E::Key(None)));
    assert_eq!(with_header("jwk", json!("key")).err(), Some(E::Key(None)));
    assert_eq!(with_header("alg", json!("none")).err(), Some(E::Jws(JwsError::Algorithm)));
    assert_eq!(with_header("alg", json!("HS256")).err(), Some(E::Jws(JwsError::Algorithm)));
    assert_eq!(with_header("alg", json!("ES384")).err(), Some(E::Jws(JwsError::KeyType)));
    assert_eq!(with_header("alg", json!("RS256")).err(), Some(E::Jws(JwsError::KeyType)));
    assert_eq!(with_header("crit", json!(["exp"])).err(), Some(E::Jws(JwsError::Critical)));
    for typ in [json!("JWT"), json!("at+jwt"), json!("")] {
        assert_eq!(with_header("typ", typ).err(), Some(E::Type), "no other JWT passes for a proof");
    }
    // A key at another place is not fetched.
    assert!(with_header("jku", json!("https://evil.example/jwks")).is_ok());
    assert!(with_header("kid", json!("../../key")).is_ok(), "kid names nothing here");
    let unsigned = format!("{}.", text(&header(), &claims()).rsplit_once('.').unwrap().0);
    assert_eq!(check(&unsigned, &expected()).err(), Some(E::Jws(JwsError::Signature)));
}

#[test]
fn method_and_url() {
    for method in [json!("GET"), json!("post"), json!(""), Value::Null, json!(["POST"])] {
        assert_eq!(with("htm", method.clone()).err(), Some(E::Method), "{method}");
    }
    for good in [
        "https://care.example/oauth/token?x=1#y",
        "HTTPS://CARE.example:443/oauth/token",
        "https://care.example/oauth/%74oken",
    ] {
        assert!(with("htu", json!(good)).is_ok(), "{good}");
    }
    for bad in [
        json!("https://evil.example/oauth/token"),
        json!("https://care.example/oauth/token/"),
        json!("https://care.example/oauth/Token"),
        json!("https://care.example:8443/oauth/token"),
        json!("http://care.example/oauth/token"),
        json!("https://care.example@evil.example/oauth/token"),
        json!("https://care.example/oauth/x/../token"),
        json!("/oauth/token"),
        json!(""),
        json!(7),
    ] {
        assert_eq!(with("htu", bad.clone()).err(), Some(E::Url), "{bad}");
    }
    assert_eq!(normal("https://a/Patient/%24everything"), normal("https://a/Patient/$everything"));
    assert_ne!(normal("https://a/Patient%2F1"), normal("https://a/Patient/1"), "an encoded slash is no slash");
    assert_eq!(normal("https://a"), normal("https://a/"));
    assert_eq!(normal("https://a/%"), None);
    assert_eq!(normal("https://a/%+1"), None);
}

#[test]
fn time_and_name() {
    for good in [NOW - 120, NOW + 60] {
        assert!(with("iat", good.into()).is_ok(), "{good}");
    }
    for bad in
        [json!(NOW - 121), json!(NOW + 61), json!(0), json!("1800000000"), Value::Null, json!(i64::MAX), json!(1e300)]
    {
        assert_eq!(with("iat", bad.clone()).err(), Some(E::Time), "{bad}");
    }
    for bad in [json!(""), json!(1), json!("j".repeat(513))] {
        assert_eq!(with("jti", bad).err(), Some(E::NoJti));
    }
    // What the caller keeps against replay depends on key and jti, and on nothing that a replay could change.
    let one = with("x", json!(1)).unwrap();
    assert_eq!(one.replay_key(), with("x", json!(2)).unwrap().replay_key());
    assert_ne!(one.replay_key(), with("jti", json!("two")).unwrap().replay_key());
    let other = check(&signed(&OTHER, "POST", URL, "one", NOW, None, None).unwrap(), &expected()).unwrap();
    assert_ne!(one.replay_key(), other.replay_key(), "one client's jti does not use up another's");
}

/// RFC 9449 section 7.1: a proof beside a token is for this token.
#[test]
fn the_access_token() {
    let with_token = |token, named: Option<&str>| {
        let text = signed(&KEY, "POST", URL, "one", NOW, named, None).unwrap();
        check(&text, &Expected { access_token: Some(token), ..expected() })
    };
    let proof = with_token("token", Some("token")).unwrap();
    assert!(proof.access_token().is_some());
    assert_eq!(with_token("token", Some("other")).err(), Some(E::AccessToken));
    assert_eq!(with_token("token", None).err(), Some(E::AccessToken));
    assert_eq!(with("ath", json!("x")).unwrap().access_token(), None, "at the token endpoint it means nothing");
}

/// RFC 9449 section 8.
#[test]
fn nonces() {
    let required = Expected { requires_nonce: true, ..expected() };
    let with_nonce = |nonce: Option<&str>, expected: &Expected<'_>| {
        check(&signed(&KEY, "POST", URL, "one", NOW, None, nonce).unwrap(), expected)
    };
    assert_eq!(with_nonce(None, &required).err(), Some(E::NoNonce));
    assert!(with_nonce(None, &expected()).is_ok());
    let current = NONCES.current(NOW);
    assert!(with_nonce(Some(&current), &required).is_ok());
    assert!(with_nonce(Some(&NONCES.current(NOW - 120)), &required).is_ok(), "the one before");
    let foreign = Nonces::new(&[8; 32]).current(NOW);
    for bad in [NONCES.current(NOW - 240).as_str(), &NONCES.current(NOW + 120), &foreign, "", "x"] {
        assert_eq!(with_nonce(Some(bad), &required).err(), Some(E::Nonce), "{bad}");
        assert_eq!(with_nonce(Some(bad), &expected()).err(), Some(E::Nonce), "a bad one is refused in any case");
    }
    assert_eq!(with("nonce", json!(1)).err(), Some(E::Nonce));
    assert!(E::Nonce.wants_nonce() && E::NoNonce.wants_nonce() && !E::Time.wants_nonce());
    assert!(NONCES.knows(&NONCES.current(-1), 0), "before the epoch too");
}
