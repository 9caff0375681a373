//! A certification: what somebody else, or the client itself, certifies of a client. SPEC: HL7 FHIR UDAP Security 2.0
//! section 3.3; UDAP Certifications and Endorsements profile; row D20.
//!
//! Only one that the community requires is ever looked into; all others are not (row D20). Left out: asking the
//! certifier whether it still stands (`certification_status_endpoint`).

use super::{
    claims::{self, ClaimError},
    statement::Registration,
    x5c::{Signed, UdapJwtError},
};
use crate::{client_metadata::texts, jwk::PublicKey, limits};
use serde_json::Value;
use std::fmt;

/// Why a certification counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificationError {
    /// It is no JWT with certificates, or its signature is wrong.
    Jwt(UdapJwtError),
    /// A claim is wrong.
    Claim(ClaimError),
    /// `sub` is not the client.
    OtherClient,
    /// The client asks for more than what was certified: the member.
    Beyond(&'static str),
}

impl fmt::Display for CertificationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jwt(why) => write!(f, "certification: {why}"),
            Self::Claim(why) => write!(f, "certification: {why}"),
            Self::OtherClient => f.write_str("certification: it is another client's"),
            Self::Beyond(member) => write!(f, "certification: the client's {member} is not what was certified"),
        }
    }
}

impl std::error::Error for CertificationError {}

impl From<UdapJwtError> for CertificationError {
    fn from(error: UdapJwtError) -> Self {
        Self::Jwt(error)
    }
}

impl From<ClaimError> for CertificationError {
    fn from(error: ClaimError) -> Self {
        Self::Claim(error)
    }
}

/// A certification that was read; nobody has vouched for it.
pub struct Unverified<'a> {
    signed: Signed<'a>,
    uris: Vec<String>,
    issuer: String,
}

/// A certification whose signature and claims are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certification {
    /// `iss`: who certifies; its certificate must have it among its names.
    pub issuer: String,
    /// `certification_name`: for people.
    pub name: String,
    /// `certification_uris`: what is certified.
    pub uris: Vec<String>,
    /// `exp`, seconds since the epoch.
    pub expires_at_s: i64,
}

impl<'a> Unverified<'a> {
    /// Reads a certification as far as is needed to know whether it matters.
    ///
    /// # Errors
    /// [`CertificationError`].
    pub fn parse(text: &'a str) -> Result<Self, CertificationError> {
        let signed = Signed::parse(text)?;
        let claims = signed.unverified_claims();
        let uris = texts(claims, "certification_uris").map_err(|_| ClaimError::Claim("certification_uris"))?;
        let uris = uris.unwrap_or_default().into_iter().map(str::to_owned).collect();
        let issuer = claims::text(claims, "iss")?.to_owned();
        Ok(Self { signed, uris, issuer })
    }

    /// What it says it certifies.
    #[must_use]
    pub fn uris(&self) -> &[String] {
        &self.uris
    }

    /// Who says so: a URI.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The certificates as DER, the certifier's first.
    #[must_use]
    pub fn x5c(&self) -> &[Vec<u8>] {
        self.signed.x5c()
    }

    /// Verifies signature and claims, and that the client of this URI does not ask for more than was certified.
    ///
    /// # Errors
    /// [`CertificationError`]; the signature comes first.
    pub fn verify(
        &self,
        key: &PublicKey,
        client: &str,
        asked: &Registration,
        now_s: i64,
    ) -> Result<Certification, CertificationError> {
        let claims = self.signed.verify(key)?;
        if claims::text(claims, "sub")? != client {
            return Err(CertificationError::OtherClient);
        }
        let once = claims::once(claims, now_s, limits::CERTIFICATION_LIFE_S_MAX)?;
        let name = claims::text(claims, "certification_name")?;
        let within = |member: &'static str, asked: Vec<&str>| match claims.get(member) {
            None | Some(Value::Null) => Ok(()),
            Some(_) => {
                let certified = texts(claims, member).map_err(|_| ClaimError::Claim(member))?.unwrap_or_default();
                let is_within = asked.iter().all(|item| certified.contains(item));
                if is_within { Ok(()) } else { Err(CertificationError::Beyond(member)) }
            }
        };
        within("grant_types", asked.grants.iter().map(|grant| grant.as_str()).collect())?;
        within("redirect_uris", asked.redirect_uris.iter().map(|uri| uri.as_str()).collect())?;
        let is_name = |certified: &Value| certified.as_str() == Some(asked.name.as_str());
        if claims.get("client_name").is_some_and(|certified| !certified.is_null() && !is_name(certified)) {
            return Err(CertificationError::Beyond("client_name"));
        }
        Ok(Certification {
            issuer: self.issuer.clone(),
            name: name.to_owned(),
            uris: self.uris.clone(),
            expires_at_s: once.expires_at_s,
        })
    }
}

#[cfg(test)]
mod tests;
