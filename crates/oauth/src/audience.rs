//! For which server a token is asked: `aud` of SMART, `resource` of RFC 8707. SPEC: SMART App Launch 2.2 app-launch; RFC
//! 8707 section 2; row B17.
//!
//! An app that was led to a false server names that one here; it must get nothing from us.

use crate::form::Form;
use std::fmt;

/// Why the named server is not this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudienceError {
    /// Neither `aud` nor `resource`.
    Missing,
    /// One of them is not our FHIR base.
    Other,
}

impl fmt::Display for AudienceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "aud is missing: the FHIR base URL of this server",
            Self::Other => "aud (or resource) is not the FHIR base URL of this server",
        })
    }
}

impl std::error::Error for AudienceError {}

/// Checks `aud` and every `resource`: at least one, and each of them our FHIR base. A slash at the end makes no
/// difference, nothing else is forgiven.
///
/// # Errors
/// [`AudienceError`].
pub fn required(form: &Form, fhir_base: &str) -> Result<(), AudienceError> {
    if form.value("aud").is_none() && form.value("resource").is_none() {
        return Err(AudienceError::Missing);
    }
    if_named(form, fhir_base)
}

/// As [`required`], where nothing needs to be named: at the token endpoint, which has the code's or token's own.
///
/// # Errors
/// [`AudienceError::Other`].
pub fn if_named(form: &Form, fhir_base: &str) -> Result<(), AudienceError> {
    let ours = |named: &str| named.strip_suffix('/').unwrap_or(named) == fhir_base;
    if form.values("aud").chain(form.values("resource")).all(ours) { Ok(()) } else { Err(AudienceError::Other) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://care.example/fhir";

    fn check(form: &str) -> Result<(), AudienceError> {
        required(&Form::parse_noting_repeats(form.as_bytes()).unwrap(), BASE)
    }

    /// Row B17.
    #[test]
    fn only_our_base() {
        assert_eq!(check("aud=https://care.example/fhir"), Ok(()));
        assert_eq!(check("aud=https://care.example/fhir/"), Ok(()));
        assert_eq!(check("resource=https%3A%2F%2Fcare.example%2Ffhir"), Ok(()));
        assert_eq!(check("aud=https://care.example/fhir&resource=https://care.example/fhir"), Ok(()));
        assert_eq!(check("x=1"), Err(AudienceError::Missing));
        assert_eq!(check("aud="), Err(AudienceError::Missing));
        for other in [
            "https://evil.example/fhir",
            "https://care.example",
            "https://care.example/fhir//",
            "https://care.example/fhir/Patient",
            "https://care.example.evil.example/fhir",
            "https://CARE.example/fhir",
            "http://care.example/fhir",
            "https://care.example:443/fhir",
            " https://care.example/fhir",
        ] {
            assert_eq!(check(&format!("aud={other}")), Err(AudienceError::Other), "{other}");
            assert_eq!(check(&format!("aud={BASE}&resource={other}")), Err(AudienceError::Other), "{other}");
            assert_eq!(check(&format!("resource={BASE}&resource={other}")), Err(AudienceError::Other), "{other}");
        }
        assert_eq!(if_named(&Form::parse(b"x=1").unwrap(), BASE), Ok(()));
    }
}
