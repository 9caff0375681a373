//! A client proves who it is with a certificate of a trust community. SPEC: HL7 FHIR UDAP Security 2.0 sections 4.2 and 5.2;
//! rows D25, D26, D27.
//!
//! Two steps, because the certificates must be vouched for in between: [`Unverified::parse`], then
//! [`Unverified::verify`] with the key of the first certificate. That its `jti` was not used before is for the caller.

use super::{
    b2b::{self, B2b, B2bError},
    claims::{self, ClaimError},
    x5c::{Signed, UdapJwtError},
};
use crate::{client_assertion::ClientAssertion, jwk::PublicKey, limits};
use serde_json::Value;
use std::fmt;

/// Why an assertion is not accepted. For the log: the client hears `invalid_client` for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssertionError {
    /// It is no JWT with certificates, or its signature is wrong.
    Jwt(UdapJwtError),
    /// A claim is wrong.
    Claim(ClaimError),
}

impl fmt::Display for AssertionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jwt(why) => write!(f, "authentication token: {why}"),
            Self::Claim(why) => write!(f, "authentication token: {why}"),
        }
    }
}

impl std::error::Error for AssertionError {}

impl From<UdapJwtError> for AssertionError {
    fn from(error: UdapJwtError) -> Self {
        Self::Jwt(error)
    }
}

impl From<ClaimError> for AssertionError {
    fn from(error: ClaimError) -> Self {
        Self::Claim(error)
    }
}

/// An assertion that was read; nobody has vouched for it.
pub struct Unverified<'a> {
    signed: Signed<'a>,
    client_id: String,
}

/// An assertion whose signature and claims are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// The proof, to be used once. It is as good as the certificates are.
    pub proof: ClientAssertion,
    /// `extensions.hl7-b2b`, as it was sent.
    b2b: Option<Value>,
}

impl<'a> Unverified<'a> {
    /// Reads an assertion as far as is needed to know who the client says it is.
    ///
    /// # Errors
    /// [`AssertionError`].
    pub fn parse(text: &'a str) -> Result<Self, AssertionError> {
        let signed = Signed::parse(text)?;
        let client_id = claims::issuer(signed.unverified_claims())?.to_owned();
        Ok(Self { signed, client_id })
    }

    /// Who the client says it is.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The certificates as DER, the client's first.
    #[must_use]
    pub fn x5c(&self) -> &[Vec<u8>] {
        self.signed.x5c()
    }

    /// The JWT itself.
    #[must_use]
    pub fn signed(&self) -> &Signed<'a> {
        &self.signed
    }

    /// Verifies signature and claims; `token_endpoint` is its URL to the letter.
    ///
    /// # Errors
    /// [`AssertionError`]; the signature comes first.
    pub fn verify(&self, key: &PublicKey, token_endpoint: &str, now_s: i64) -> Result<Assertion, AssertionError> {
        let claims = self.signed.verify(key)?;
        // Alone: with others in the list it would be theirs to use too (row C5).
        let is_alone = claims.get("aud").and_then(Value::as_array).is_none_or(|list| list.len() == 1);
        if !claims::is_for(claims, token_endpoint) || !is_alone {
            return Err(ClaimError::Audience.into());
        }
        let once = claims::once(claims, now_s, limits::UDAP_JWT_LIFE_S_MAX)?;
        let b2b = claims.get("extensions").and_then(|extensions| extensions.get(b2b::NAME)).cloned();
        let proof = ClientAssertion::of_certificate(self.client_id.clone(), once.jti, once.expires_at_s);
        Ok(Assertion { proof, b2b })
    }
}

impl Assertion {
    /// The B2B object; `None` when there is none.
    ///
    /// # Errors
    /// [`B2bError`]: the client hears `invalid_grant` (row D27).
    pub fn b2b(&self) -> Result<Option<B2b>, B2bError> {
        self.b2b.as_ref().map(B2b::read).transpose()
    }
}

#[cfg(test)]
mod tests;
