//! JWS in compact form, good and attacked. Rows C2, F33.

use super::{Algorithm, Compact, JwsError};
use crate::{
    jwk::{JwkError, PublicKey},
    sign::PrivateKey,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use proptest::prelude::*;
use serde_json::json;

fn error(text: &str) -> JwsError {
    match Compact::parse(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(why) => why,
    }
}

fn assembled(header: &str, payload: &str) -> String {
    format!("{}.{}.{}", B64.encode(header), B64.encode(payload), B64.encode("signature"))
}

/// Row C7: each accepted algorithm signs and verifies, and only with its own key.
#[test]
fn every_algorithm_round_trips() {
    let keys: Vec<PrivateKey> = Algorithm::ALL.into_iter().map(|alg| PrivateKey::generate(alg).unwrap()).collect();
    for key in &keys {
        let text = key.jwt(&json!({ "a": 1 })).unwrap();
        let jws = Compact::parse(&text).unwrap();
        assert_eq!((jws.algorithm(), jws.kid(), jws.typ()), (key.algorithm(), Some(key.kid()), Some("JWT")));
        for other in &keys {
            assert_eq!(jws.verify(other.public()).is_ok(), std::ptr::eq(key, other), "{}", key.algorithm());
        }
    }
}

/// Row F33: `none`, HMAC and unknown algorithms never get as far as a key.
#[test]
fn algorithms_outside_of_the_list_are_refused() {
    for alg in
        ["none", "None", "NONE", "HS256", "HS384", "HS512", "RS1", "RS512", "EdDSA", "ES256K", "rs384", "", "A128KW"]
    {
        assert_eq!(error(&assembled(&format!(r#"{{"alg":"{alg}"}}"#), "{}")), JwsError::Algorithm, "{alg}");
    }
    assert_eq!(error(&assembled(r#"{"kid":"a"}"#, "{}")), JwsError::Algorithm);
    assert_eq!(error(&assembled(r#"{"alg":["RS384"]}"#, "{}")), JwsError::Algorithm);
    assert_eq!(error(&assembled(r#"{"alg":null}"#, "{}")), JwsError::Algorithm);
    // An unsigned one, with an empty third part.
    let unsigned = format!("{}.{}.", B64.encode(r#"{"alg":"none"}"#), B64.encode("{}"));
    assert_eq!(error(&unsigned), JwsError::Algorithm);
}

/// Row F33: a header's `alg` cannot turn a key into one of another type, nor strengthen or weaken it.
#[test]
fn algorithm_is_pinned_to_the_key() {
    let rsa = PrivateKey::generate(Algorithm::Rs384).unwrap();
    let ec = PrivateKey::generate(Algorithm::Es256).unwrap();
    for (key, alg) in [(&rsa, "RS256"), (&rsa, "PS384"), (&rsa, "ES384"), (&ec, "ES384"), (&ec, "RS256")] {
        let text = key.jws(&json!({ "alg": alg }), b"{}").unwrap();
        assert_eq!(Compact::parse(&text).unwrap().verify(key.public()).err(), Some(JwsError::KeyType), "{alg}");
    }
    // An RSA key that names no algorithm: the padding and digest of the header count, so a wrong one fails.
    let unpinned = PublicKey::new(None, None, rsa.public().material().clone()).unwrap();
    let wrong = rsa.jws(&json!({ "alg": "PS384" }), b"{}").unwrap();
    assert_eq!(Compact::parse(&wrong).unwrap().verify(&unpinned).err(), Some(JwsError::Signature));
    let right = rsa.jws(&json!({ "alg": "RS384" }), b"{}").unwrap();
    assert!(Compact::parse(&right).unwrap().verify(&unpinned).is_ok());
}

#[test]
fn crit_and_b64_are_refused() {
    for header in [
        r#"{"alg":"RS384","crit":["exp"]}"#,
        r#"{"alg":"RS384","crit":[]}"#,
        r#"{"alg":"RS384","crit":null}"#,
        r#"{"alg":"RS384","b64":false}"#,
        r#"{"alg":"RS384","b64":true}"#,
    ] {
        assert_eq!(error(&assembled(header, "{}")), JwsError::Critical, "{header}");
    }
}

#[test]
fn only_the_strict_form_is_read() {
    let key = PrivateKey::generate(Algorithm::Es384).unwrap();
    let good = key.jwt(&json!({ "a": 1 })).unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let malformed = [
        String::new(),
        "..".into(),
        "a.b".into(),
        format!("{good}.{signature}"),
        format!("{good}="),
        format!("{good}\n"),
        format!(" {good}"),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}.{}+/", &signature[2..]),
        format!("{header}..{signature}"),
        // Duplicate members, in header and payload (row F33).
        assembled(r#"{"alg":"ES384","alg":"ES384"}"#, "{}"),
        assembled(r#"{"alg":"ES384"}"#, r#"{"iss":"a","iss":"b"}"#),
        assembled(r#"{"alg":"ES384"}"#, r#"{"iss":"a","\u0069ss":"b"}"#),
        assembled(r#"{"alg":"ES384"}"#, "[]"),
        assembled(r#"{"alg":"ES384"}"#, r#""x""#),
        assembled(r#"{"alg":"ES384"} "#, r#"{} {}"#),
        assembled("[]", "{}"),
    ];
    for text in malformed {
        assert_eq!(error(&text), JwsError::Malformed, "{text:?}");
    }
    assert_eq!(error(&assembled(r#"{"alg":"ES384","kid":1}"#, "{}")), JwsError::Header);
    assert_eq!(error(&assembled(r#"{"alg":"ES384","jku":{}}"#, "{}")), JwsError::Header);
    // Row C3: 8 kB, and not a byte more.
    assert_eq!(error(&"a".repeat(8 * 1024 + 1)), JwsError::TooLong);
    assert_eq!(error(&"a".repeat(8 * 1024)), JwsError::Malformed);
}

/// Two texts must not stand for one signature: stray bits in the last base64 character are refused.
#[test]
fn base64_is_canonical() {
    let text = assembled(r#"{"alg":"ES384"}"#, "{}");
    let spoiled = text.replace(".e30.", ".e31.");
    assert_ne!(text, spoiled);
    assert_eq!(error(&spoiled), JwsError::Malformed);
}

#[test]
fn changed_bytes_do_not_verify() {
    let key = PrivateKey::generate(Algorithm::Es256).unwrap();
    let good = key.jwt(&json!({ "sub": "a" })).unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let other = format!("{}.{}.{}", parts[0], B64.encode(r#"{"sub":"b"}"#), parts[2]);
    assert_eq!(Compact::parse(&other).unwrap().verify(key.public()).err(), Some(JwsError::Signature));
    for signature in [vec![], vec![0; 64], vec![0; 63], vec![255; 64], vec![0; 65]] {
        let text = format!("{}.{}.{}", parts[0], parts[1], B64.encode(signature));
        assert_eq!(Compact::parse(&text).unwrap().verify(key.public()).err(), Some(JwsError::Signature));
    }
}

/// Row C2: a key that the token brings along is no key.
#[test]
fn embedded_keys_are_not_looked_at() {
    let registered = PrivateKey::generate(Algorithm::Es384).unwrap();
    let attacker = PrivateKey::generate(Algorithm::Es384).unwrap();
    let header = json!({
        "alg": "ES384", "kid": registered.kid(), "jwk": attacker.public().to_jwk(),
        "x5u": "https://attacker.example/cert", "x5c": ["AAAA"],
    });
    let forged = attacker.jws(&header, b"{}").unwrap();
    assert_eq!(Compact::parse(&forged).unwrap().verify(registered.public()).err(), Some(JwsError::Signature));
}

#[test]
fn a_shared_secret_is_no_key() {
    let jwk = json!({ "kty": "oct", "k": "AAAA", "kid": "a" });
    assert_eq!(PublicKey::from_jwk(jwk.as_object().unwrap()), Err(JwkError::Private));
}

proptest! {
    /// Row F67.
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}", header in ".{0,40}", payload in "\\PC{0,40}", bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = Compact::parse(&text);
        let _ = Compact::parse(&assembled(&header, &payload));
        let framed = format!("{}.{}.{}", B64.encode(r#"{"alg":"ES384"}"#), B64.encode(&bytes), B64.encode(&bytes));
        let _ = Compact::parse(&framed);
    }
}
