//! A client proves who it is with a signed JWT. SPEC: RFC 7523; SMART App Launch 2.2 client-confidential-asymmetric;
//! rows C1 to C7.
//!
//! Two steps, because the key depends on who the client says it is: [`Unverified::parse`] reads, [`Unverified::verify`]
//! makes a [`ClientAssertion`], the proof. That its `jti` was not used before is for the caller to see to (row C4), who
//! has a store.

use crate::{
    jwk::{Jwks, MatchError},
    jws::{Algorithm, Compact, JwsError},
    limits,
    sign::{KeyError, PrivateKey},
};
use serde_json::{Map, Value, json};
use std::fmt;

/// The one `client_assertion_type`.
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Why an assertion is not accepted. For the log and the audit entry: the client hears `invalid_client` for all (row C13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssertionError {
    /// It is no JWS that we verify, or its signature is wrong.
    Jws(JwsError),
    /// `typ` is not `JWT`.
    Type,
    /// No `kid`.
    NoKid,
    /// `iss` and `sub` are not both the client id.
    Issuer,
    /// `jku` is not the registered JWKS URL.
    Jku,
    /// No key, or more than one, matches `kid` and `alg`.
    Key(MatchError),
    /// `aud` is not this server alone.
    Audience,
    /// `exp` is missing or no number.
    NoExpiry,
    /// `exp` is past.
    Expired,
    /// `exp` is more than five minutes ahead.
    TooLong,
    /// `iat` or `nbf` is no number, or in the future.
    NotYet,
    /// No `jti`.
    NoJti,
}

impl fmt::Display for AssertionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jws(why) => return write!(f, "client assertion: {why}"),
            Self::Type => "client assertion: typ is not JWT",
            Self::NoKid => "client assertion: no kid",
            Self::Issuer => "client assertion: iss and sub are not both the client id",
            Self::Jku => "client assertion: jku is not the registered JWKS URL",
            Self::Key(MatchError::None) => "client assertion: no registered key matches kid and alg",
            Self::Key(MatchError::Several) => "client assertion: several registered keys match kid and alg",
            Self::Audience => "client assertion: aud is not this server's token endpoint or issuer alone",
            Self::NoExpiry => "client assertion: exp is missing or no number",
            Self::Expired => "client assertion: expired",
            Self::TooLong => "client assertion: exp is more than five minutes ahead",
            Self::NotYet => "client assertion: iat or nbf is in the future",
            Self::NoJti => "client assertion: no jti",
        })
    }
}

impl std::error::Error for AssertionError {}

impl From<JwsError> for AssertionError {
    fn from(error: JwsError) -> Self {
        Self::Jws(error)
    }
}

/// What a good assertion must agree with.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The client's registered keys.
    pub keys: &'a Jwks,
    /// The client's registered JWKS URL, when it has one.
    pub jwks_url: Option<&'a str>,
    /// What this server may be called in `aud`: token endpoint, issuer, and the endpoint asked.
    pub audiences: &'a [&'a str],
    /// Now, seconds since the epoch.
    pub now_s: i64,
}

/// An assertion that was read; nobody has vouched for it.
pub struct Unverified<'a> {
    jws: Compact<'a>,
    kid: String,
    client_id: String,
}

/// Proof that a client holds the private key of a registered public one, or of a certificate. Made by
/// [`Unverified::verify`] and [`crate::udap::assertion::Unverified::verify`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAssertion {
    client_id: String,
    jti: String,
    expires_at_s: i64,
}

impl<'a> Unverified<'a> {
    /// Reads an assertion as far as is needed to know whose key to try.
    ///
    /// # Errors
    /// [`AssertionError`].
    pub fn parse(text: &'a str) -> Result<Self, AssertionError> {
        let jws = Compact::parse(text)?;
        // SPEC: RFC 7515 section 4.1.9: `typ` is compared without regard to case.
        if !jws.typ().is_some_and(|typ| typ.eq_ignore_ascii_case("JWT")) {
            return Err(AssertionError::Type);
        }
        let kid = jws.kid().filter(|kid| !kid.is_empty()).ok_or(AssertionError::NoKid)?.to_owned();
        match (jws.unverified("iss"), jws.unverified("sub")) {
            (Some(issuer), Some(subject)) if issuer == subject && !issuer.is_empty() => {
                Ok(Self { client_id: issuer.to_owned(), kid, jws })
            }
            _ => Err(AssertionError::Issuer),
        }
    }

    /// Who the client says it is.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The algorithm that it says it was signed with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.jws.algorithm()
    }

    /// Whether the signature is this key's; nothing else is checked. For spending the time of a verification on a client
    /// that does not exist (row C13).
    #[must_use]
    pub fn is_signed_by(&self, key: &crate::jwk::PublicKey) -> bool {
        self.jws.verify(key).is_ok()
    }

    /// Verifies signature and claims.
    ///
    /// # Errors
    /// [`AssertionError`]; the signature comes first, so that claims of a stranger decide nothing.
    pub fn verify(&self, expected: Expected<'_>) -> Result<ClientAssertion, AssertionError> {
        if self.jws.jku().is_some_and(|jku| expected.jwks_url != Some(jku)) {
            return Err(AssertionError::Jku);
        }
        let key = expected.keys.matching(&self.kid, self.jws.algorithm()).map_err(AssertionError::Key)?;
        let claims = self.jws.verify(key)?;
        if !names_only(claims.get("aud"), expected.audiences) {
            return Err(AssertionError::Audience);
        }
        let now_s = expected.now_s;
        let expires_at_s = numeric_date(claims, "exp").ok_or(AssertionError::NoExpiry)?;
        if expires_at_s.saturating_add(limits::CLOCK_SKEW_S) <= now_s {
            return Err(AssertionError::Expired);
        }
        if expires_at_s > now_s + limits::ASSERTION_LIFE_S_MAX + limits::CLOCK_SKEW_S {
            return Err(AssertionError::TooLong);
        }
        for name in ["iat", "nbf"] {
            let in_past = |time_s: i64| time_s <= now_s + limits::CLOCK_SKEW_S;
            if claims.contains_key(name) && !numeric_date(claims, name).is_some_and(in_past) {
                return Err(AssertionError::NotYet);
            }
        }
        let jti =
            claims.get("jti").and_then(Value::as_str).filter(|jti| !jti.is_empty()).ok_or(AssertionError::NoJti)?;
        Ok(ClientAssertion { client_id: self.client_id.clone(), jti: jti.to_owned(), expires_at_s })
    }
}

impl ClientAssertion {
    /// One that was signed with the key of a certificate.
    pub(crate) fn of_certificate(client_id: String, jti: String, expires_at_s: i64) -> Self {
        Self { client_id, jti, expires_at_s }
    }

    /// The client.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// `jti`: to be used once.
    #[must_use]
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// From when on the same `jti` may come again: the assertion could not be replayed any more (row C4).
    #[must_use]
    pub fn replayable_until_s(&self) -> i64 {
        self.expires_at_s.saturating_add(limits::CLOCK_SKEW_S)
    }
}

/// Whether `aud` is one of these, alone: a text, or a list of that one text (row C5).
fn names_only(audience: Option<&Value>, accepted: &[&str]) -> bool {
    let one = match audience {
        Some(Value::Array(list)) => match list.as_slice() {
            [only] => only,
            _ => return false,
        },
        Some(other) => other,
        None => return false,
    };
    one.as_str().is_some_and(|text| accepted.contains(&text))
}

/// A NumericDate: a JSON number, perhaps with a fraction, which is cut off. SPEC: RFC 7519 section 2.
pub(crate) fn numeric_date(claims: &Map<String, Value>, name: &str) -> Option<i64> {
    let number = claims.get(name)?;
    number.as_i64().or_else(|| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float casts to the nearest i64, which then is out of any range"
        )]
        number.as_f64().map(|float| float.floor() as i64)
    })
}

/// A signed assertion, for the client's side: the command `handrail token` and tests. `life_s` is at most 300.
///
/// # Errors
/// [`KeyError::Failed`].
pub fn signed(
    key: &PrivateKey,
    client_id: &str,
    audience: &str,
    jti: &str,
    now_s: i64,
    life_s: i64,
) -> Result<String, KeyError> {
    key.jwt(&json!({
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "iat": now_s,
        "exp": now_s + life_s,
        "jti": jti,
    }))
}

#[cfg(test)]
mod tests;
