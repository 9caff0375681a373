//! Detached JWS, good and attacked. Row F33.

use super::{Detached, DetachedError, sign, sign_with};
use crate::{
    jws::{Algorithm, JwsError},
    sign::PrivateKey,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use serde_json::{Value, json};

const TIME: &str = "2026-11-23T17:00:00Z";

fn es256() -> PrivateKey {
    PrivateKey::generate(Algorithm::Es256).unwrap()
}

fn error(text: &str) -> DetachedError {
    match Detached::parse(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(why) => why,
    }
}

fn headed(header: &str) -> String {
    format!("{}..{}", B64.encode(header), B64.encode("signature"))
}

#[test]
fn every_algorithm_round_trips() {
    let rsa = PrivateKey::generate(Algorithm::Rs256).unwrap().to_private_jwk().unwrap();
    let mut rsa: Value = serde_json::from_str(&rsa).unwrap();
    for algorithm in Algorithm::OF_CONTENT {
        let key = if algorithm.as_str().starts_with("ES") {
            PrivateKey::generate(algorithm).unwrap()
        } else {
            // One key for all: to make RSA keys takes its time. Clients may not name the two with SHA-512.
            rsa.as_object_mut().unwrap().remove("alg");
            PrivateKey::parse(&rsa.to_string(), Some(algorithm)).unwrap()
        };
        let text = sign(&key, &[vec![1, 2]], TIME, b"payload").unwrap();
        let jws = Detached::parse(&text).unwrap();
        assert_eq!((jws.algorithm(), jws.signing_time(), jws.x5c()), (algorithm, Some(TIME), &[vec![1, 2]][..]));
        assert_eq!(jws.verify(key.public(), b"payload"), Ok(()), "{algorithm}");
        assert_eq!(jws.verify(key.public(), b"payloae"), Err(JwsError::Signature), "{algorithm}");
    }
}

/// F33: no algorithm that proves nothing, none with a shared secret, no confusion of key types.
#[test]
fn f33_algorithms() {
    for alg in ["none", "None", "HS256", "HS512", "RS1", "rs256", "EdDSA", ""] {
        assert_eq!(error(&headed(&json!({ "alg": alg }).to_string())), DetachedError::Algorithm, "{alg}");
    }
    assert_eq!(error(&headed("{}")), DetachedError::Algorithm);
    let key = es256();
    let text = sign_with(&key, &json!({"alg": "RS256"}), b"x").unwrap();
    assert_eq!(Detached::parse(&text).unwrap().verify(key.public(), b"x"), Err(JwsError::KeyType));
}

/// F33: what must be understood is understood or refused.
#[test]
fn f33_crit_and_b64() {
    for header in [
        r#"{"alg":"ES256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"ES256","crit":["sigD"],"sigD":{}}"#,
        r#"{"alg":"ES256","crit":[]}"#,
        r#"{"alg":"ES256","crit":"sigT","sigT":"x"}"#,
        r#"{"alg":"ES256","crit":["sigT"]}"#,
        r#"{"alg":"ES256","crit":["sigT","sigT"],"sigT":"x"}"#,
        r#"{"alg":"ES256","crit":["alg"]}"#,
        r#"{"alg":"ES256","b64":false}"#,
        r#"{"alg":"ES256","b64":true}"#,
        r#"{"alg":"ES256","crit":["sigT"],"sigT":"x","b64":false}"#,
    ] {
        assert_eq!(error(&headed(header)), DetachedError::Critical, "{header}");
    }
    assert_eq!(error(&headed(r#"{"alg":"ES256","crit":["b64"],"b64":"false"}"#)), DetachedError::Header("b64"));
    let key = es256();
    for (b64, payload) in [(false, &b"pay.load"[..]), (true, b"pay.load")] {
        let header = json!({"alg": "ES256", "crit": ["b64", "sigT"], "b64": b64, "sigT": TIME});
        let jws = sign_with(&key, &header, payload).unwrap();
        assert_eq!(Detached::parse(&jws).unwrap().verify(key.public(), payload), Ok(()));
        // The one form is not taken for the other.
        assert_eq!(
            Detached::parse(&jws).unwrap().verify(key.public(), B64.encode(payload).as_bytes()),
            Err(JwsError::Signature)
        );
    }
}

/// F33: a key that comes along is not a key to verify with.
#[test]
fn f33_embedded_keys_are_noted_and_not_used() {
    let key = es256();
    let text = sign_with(&key, &json!({"alg": "ES256", "jwk": key.public().to_jwk()}), b"x").unwrap();
    let jws = Detached::parse(&text).unwrap();
    assert!(jws.has_key() && jws.x5c().is_empty());
    assert_eq!(jws.verify(es256().public(), b"x"), Err(JwsError::Signature));
}

/// F33: duplicate names, stray bytes, truncations.
#[test]
fn f33_malformed() {
    assert_eq!(error(&headed(r#"{"alg":"ES256","alg":"none"}"#)), DetachedError::Malformed);
    assert_eq!(error(&headed(r#"{"alg":"ES256"} "x""#)), DetachedError::Malformed);
    assert_eq!(error(&headed(r#"["ES256"]"#)), DetachedError::Malformed);
    assert_eq!(error(&headed(r#"{"alg":"ES256","sigT":1}"#)), DetachedError::Header("sigT"));
    assert_eq!(error(&headed(r#"{"alg":"ES256","x5c":"MA=="}"#)), DetachedError::Header("x5c"));
    assert_eq!(error(&headed(r#"{"alg":"ES256","x5c":[1]}"#)), DetachedError::Header("x5c"));
    let many = vec!["MA=="; 11];
    assert_eq!(error(&headed(&json!({"alg": "ES256", "x5c": many}).to_string())), DetachedError::TooManyCertificates);
    let good = sign(&es256(), &[], TIME, b"x").unwrap();
    let (header, signature) = good.split_once("..").unwrap();
    assert_eq!(error(&format!("{header}.eA.{signature}")), DetachedError::Attached);
    for text in [
        format!("{header}."),
        format!("{header}.."),
        format!("{good}."),
        format!("{good}="),
        format!(" {good}"),
        String::new(),
    ] {
        assert_eq!(error(&text), DetachedError::Malformed, "{text}");
    }
    assert_eq!(error(&"a".repeat(61 * 1024)), DetachedError::TooLong);
    // A signature cut short is none.
    let key = es256();
    let text = sign(&key, &[], TIME, b"x").unwrap();
    for cut in 1..8 {
        let verified = Detached::parse(&text[..text.len() - cut * 4]).map(|jws| jws.verify(key.public(), b"x"));
        assert!(!matches!(verified, Ok(Ok(()))));
    }
}
