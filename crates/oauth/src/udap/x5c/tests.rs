//! JWTs with certificates. Rows D8 to D10.

use super::*;
use crate::udap::testing::{KEY, OTHER, chain};

fn claims() -> Value {
    json!({ "iss": "https://a.example" })
}

fn with_header(header: &Value) -> String {
    KEY.jws(header, claims().to_string().as_bytes()).unwrap()
}

fn refused(text: &str) -> UdapJwtError {
    Signed::parse(text).map(drop).unwrap_err()
}

#[test]
fn d8_what_is_signed_is_read() {
    for algorithm in ALGORITHMS {
        let key = PrivateKey::generate(algorithm).unwrap();
        let text = sign(&key, &chain(), &claims()).unwrap();
        let signed = Signed::parse(&text).unwrap();
        assert_eq!((signed.algorithm(), signed.x5c()), (algorithm, chain().as_slice()));
        assert_eq!(signed.unverified("iss"), Some("https://a.example"));
        assert_eq!(signed.verify(key.public()).unwrap().get("iss"), claims().get("iss"));
        assert!(signed.verify(OTHER.public()).is_err(), "{algorithm}");
    }
}

#[test]
fn d8_other_algorithms_are_refused() {
    for alg in ["none", "HS256", "PS256", "ES512", "rs256", ""] {
        assert_eq!(refused(&with_header(&json!({ "alg": alg, "x5c": ["AA=="] }))), UdapJwtError::Algorithm, "{alg}");
    }
    let key = PrivateKey::generate(Algorithm::Ps256).unwrap();
    assert_eq!(sign(&key, &chain(), &claims()), Err(KeyError::Unsupported));
}

#[test]
fn d8_certificates_stand_in_the_header() {
    let of = |x5c: Value| refused(&with_header(&json!({ "alg": "RS256", "x5c": x5c })));
    assert_eq!(refused(&with_header(&json!({ "alg": "RS256" }))), UdapJwtError::NoCertificates);
    assert_eq!(of(json!([])), UdapJwtError::NoCertificates);
    assert_eq!(of(json!("AA==")), UdapJwtError::Certificates);
    assert_eq!(of(json!([1])), UdapJwtError::Certificates);
    // Base64 of URLs, no padding, blanks.
    for text in ["-_8=", "AA", "A A==", "not base64"] {
        assert_eq!(of(json!([text])), UdapJwtError::Certificates, "{text}");
    }
    assert_eq!(of(json!(vec!["AA=="; 11])), UdapJwtError::TooManyCertificates);
    assert!(Signed::parse(&with_header(&json!({ "alg": "RS256", "x5c": vec!["AA=="; 10] }))).is_ok());
}

/// Row D10: before anything is decoded.
#[test]
fn d10_a_chain_that_is_too_long_is_not_read() {
    let text = sign(&KEY, &[vec![0; 40_000]], &claims()).unwrap();
    assert_eq!(refused(&text), UdapJwtError::Jws(JwsError::TooLong));
}

#[test]
fn d9_a_changed_text_does_not_verify() {
    let text = sign(&KEY, &chain(), &claims()).unwrap();
    let other = sign(&KEY, &chain(), &json!({ "iss": "https://b.example" })).unwrap();
    let (head, rest) = text.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let payload = other.split('.').nth(1).unwrap();
    let forged = format!("{head}.{payload}.{signature}");
    let signed = Signed::parse(&forged).unwrap();
    assert_eq!(signed.verify(KEY.public()).unwrap_err(), UdapJwtError::Jws(JwsError::Signature));
}
