//! Claims that every UDAP JWT has. SPEC: HL7 FHIR UDAP Security 2.0 section 1.2; RFC 7519 section 4.1; rows D4, D12, D14,
//! D20, D26.

use crate::{client_assertion::numeric_date, limits};
use serde_json::{Map, Value};
use std::fmt;

/// What is wrong with a claim. Tells its name, never what was in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimError {
    /// `iss` and `sub` are not both what they must be.
    Issuer,
    /// `aud` is not this endpoint.
    Audience,
    /// A claim is missing or has the wrong type.
    Claim(&'static str),
    /// `exp` is past.
    Expired,
    /// `exp` is further from `iat` than is allowed, or before it.
    Life,
    /// `iat` or `nbf` is in the future.
    NotYet,
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issuer => f.write_str("iss and sub are not both what they must be"),
            Self::Audience => f.write_str("aud is not the URL of this endpoint"),
            Self::Claim(name) => write!(f, "{name} is missing or not as it should be"),
            Self::Expired => f.write_str("expired"),
            Self::Life => f.write_str("exp is too far from iat"),
            Self::NotYet => f.write_str("iat or nbf is in the future"),
        }
    }
}

impl std::error::Error for ClaimError {}

/// What makes a JWT one of a kind, for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Once {
    pub(super) jti: String,
    /// `exp`, seconds since the epoch.
    pub(super) expires_at_s: i64,
}

/// `iat`, `exp`, `nbf` and `jti`.
pub(super) fn once(claims: &Map<String, Value>, now_s: i64, life_s_max: i64) -> Result<Once, ClaimError> {
    let at = |name: &'static str| numeric_date(claims, name).ok_or(ClaimError::Claim(name));
    let (issued_at_s, expires_at_s) = (at("iat")?, at("exp")?);
    // Both are numbers of a stranger: nothing may overflow.
    if expires_at_s <= issued_at_s || expires_at_s.saturating_sub(issued_at_s) > life_s_max {
        return Err(ClaimError::Life);
    }
    if expires_at_s.saturating_add(limits::CLOCK_SKEW_S) <= now_s {
        return Err(ClaimError::Expired);
    }
    let in_future = |time_s: i64| time_s > now_s.saturating_add(limits::CLOCK_SKEW_S);
    if in_future(issued_at_s) || (claims.contains_key("nbf") && in_future(at("nbf")?)) {
        return Err(ClaimError::NotYet);
    }
    let jti = text(claims, "jti")?;
    if jti.len() > limits::UDAP_JTI_BYTES_MAX {
        return Err(ClaimError::Claim("jti"));
    }
    Ok(Once { jti: jti.to_owned(), expires_at_s })
}

/// A text that is there and not empty.
pub(super) fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, ClaimError> {
    claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or(ClaimError::Claim(name))
}

/// `iss` and `sub`, when both are the same.
pub(super) fn issuer(claims: &Map<String, Value>) -> Result<&str, ClaimError> {
    match (text(claims, "iss"), text(claims, "sub")) {
        (Ok(issuer), Ok(subject)) if issuer == subject => Ok(issuer),
        _ => Err(ClaimError::Issuer),
    }
}

/// Whether `aud` is this URL to the letter, or a list with it (row D6).
pub(super) fn is_for(claims: &Map<String, Value>, url: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(audience)) => audience == url,
        Some(Value::Array(list)) => list.iter().any(|audience| audience.as_str() == Some(url)),
        _ => false,
    }
}
