//! PKCE, good and attacked. Rows B18, B48.

use super::{Challenge, PkceError};
use crate::secret::Secret;

// The example of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn challenge() -> Challenge {
    Challenge::parse(Some(CHALLENGE), Some("S256")).unwrap()
}

fn verify(verifier: &str) -> Result<(), PkceError> {
    challenge().verify(Some(&Secret::new(verifier)))
}

#[test]
fn the_published_example() {
    assert_eq!(verify(VERIFIER), Ok(()));
    assert_eq!(Challenge::of(VERIFIER), challenge());
    assert_eq!(challenge().as_parameter(), CHALLENGE);
    assert_eq!(Challenge::from_bytes(*challenge().as_bytes()), challenge());
}

/// Row B18 and the downgrade attack: no challenge, no method (which means `plain`), `plain`, or another case.
#[test]
fn only_s256_is_taken() {
    assert_eq!(Challenge::parse(None, Some("S256")), Err(PkceError::NoChallenge));
    assert_eq!(Challenge::parse(None, None), Err(PkceError::NoChallenge));
    for method in [None, Some("plain"), Some("s256"), Some("S256 "), Some("S384"), Some("none")] {
        assert_eq!(Challenge::parse(Some(CHALLENGE), method), Err(PkceError::Method), "{method:?}");
    }
    for challenge in [
        "",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMA",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw cM",
    ] {
        assert_eq!(Challenge::parse(Some(challenge), Some("S256")), Err(PkceError::Challenge), "{challenge}");
    }
    let long = "A".repeat(128);
    assert_eq!(Challenge::parse(Some(&long), Some("S256")), Err(PkceError::Challenge));
}

/// Row B48: what the (g)(10) test procedure sends must fail: none, blank, another one, and the challenge itself.
#[test]
fn wrong_verifiers() {
    assert_eq!(challenge().verify(None), Err(PkceError::NoVerifier));
    assert_eq!(verify(""), Err(PkceError::Verifier));
    assert_eq!(verify(CHALLENGE), Err(PkceError::Mismatch));
    assert_eq!(verify(&"a".repeat(43)), Err(PkceError::Mismatch));
    assert_eq!(verify(&"a".repeat(42)), Err(PkceError::Verifier));
    assert_eq!(verify(&"a".repeat(129)), Err(PkceError::Verifier));
    assert_eq!(verify(&VERIFIER.replace('-', "+")), Err(PkceError::Verifier));
    assert_eq!(verify(&format!("{VERIFIER}\u{e9}")), Err(PkceError::Verifier));
    assert_eq!(verify(&VERIFIER.to_lowercase()), Err(PkceError::Mismatch));
}
