//! JWTs that bring their certificates along. SPEC: HL7 FHIR UDAP Security 2.0 section 1.2; RFC 7515 section 4.1.6; rows D8,
//! D10.
//!
//! Left out: `jku` in place of `x5c` (row D33), `x5u`.

use crate::{
    jwk::PublicKey,
    jws::{Algorithm, Compact, JwsError},
    limits,
    sign::{KeyError, PrivateKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use std::fmt;

/// The algorithms: the first one everybody must have, the last two are optional.
pub const ALGORITHMS: [Algorithm; 4] = [Algorithm::Rs256, Algorithm::Es256, Algorithm::Rs384, Algorithm::Es384];

/// Why a text is not such a JWT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UdapJwtError {
    /// It is no JWS that we verify, or its signature is wrong.
    Jws(JwsError),
    /// `alg` is none of [`ALGORITHMS`].
    Algorithm,
    /// `x5c` is missing or empty.
    NoCertificates,
    /// `x5c` is not a list of standard base64.
    Certificates,
    /// More than [`limits::X5C_CERTIFICATES_MAX`].
    TooManyCertificates,
}

impl fmt::Display for UdapJwtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jws(why) => why.fmt(f),
            Self::Algorithm => f.write_str("alg is not RS256, ES256, RS384 or ES384"),
            Self::NoCertificates => f.write_str("x5c is missing from the header"),
            Self::Certificates => f.write_str("x5c is not a list of certificates in standard base64"),
            Self::TooManyCertificates => f.write_str("x5c has more than ten certificates"),
        }
    }
}

impl std::error::Error for UdapJwtError {}

impl From<JwsError> for UdapJwtError {
    fn from(error: JwsError) -> Self {
        Self::Jws(error)
    }
}

/// A JWT with certificates, read but not verified.
pub struct Signed<'a> {
    jws: Compact<'a>,
    x5c: Vec<Vec<u8>>,
}

impl<'a> Signed<'a> {
    /// Takes a text apart.
    ///
    /// # Errors
    /// [`UdapJwtError`]; neither signature nor certificates are looked into here.
    pub fn parse(text: &'a str) -> Result<Self, UdapJwtError> {
        let jws = Compact::parse_within(text, limits::UDAP_JWS_BYTES_MAX).map_err(|why| match why {
            JwsError::Algorithm => UdapJwtError::Algorithm,
            why => UdapJwtError::Jws(why),
        })?;
        if !ALGORITHMS.contains(&jws.algorithm()) {
            return Err(UdapJwtError::Algorithm);
        }
        let certificates = match jws.certificates() {
            None => return Err(UdapJwtError::NoCertificates),
            Some(Value::Array(list)) if list.is_empty() => return Err(UdapJwtError::NoCertificates),
            Some(Value::Array(list)) if list.len() > limits::X5C_CERTIFICATES_MAX => {
                return Err(UdapJwtError::TooManyCertificates);
            }
            Some(Value::Array(list)) => list,
            Some(_) => return Err(UdapJwtError::Certificates),
        };
        let decoded = |text: &Value| text.as_str().and_then(|text| STANDARD.decode(text).ok());
        let x5c = certificates.iter().map(decoded).collect::<Option<Vec<_>>>().ok_or(UdapJwtError::Certificates)?;
        Ok(Self { jws, x5c })
    }

    /// The certificates as DER, that of the signer first.
    #[must_use]
    pub fn x5c(&self) -> &[Vec<u8>] {
        &self.x5c
    }

    /// What it says it was signed with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.jws.algorithm()
    }

    /// A text claim that nobody has vouched for yet.
    #[must_use]
    pub fn unverified(&self, claim: &str) -> Option<&str> {
        self.jws.unverified(claim)
    }

    /// All claims, that nobody has vouched for yet.
    pub(super) fn unverified_claims(&self) -> &Map<String, Value> {
        self.jws.unverified_claims()
    }

    /// The claims, when the signature is this key's: that of the first certificate.
    ///
    /// # Errors
    /// [`UdapJwtError::Jws`].
    pub fn verify(&self, key: &PublicKey) -> Result<&Map<String, Value>, UdapJwtError> {
        Ok(self.jws.verify(key)?)
    }
}

/// Makes one: header `alg` and `x5c`, nothing else. `chain` is DER, that of the signer first; the anchor may be left out.
///
/// # Errors
/// [`KeyError::Unsupported`] for a key whose algorithm is none of [`ALGORITHMS`]; [`KeyError::Failed`].
pub fn sign(key: &PrivateKey, chain: &[Vec<u8>], claims: &Value) -> Result<String, KeyError> {
    if !ALGORITHMS.contains(&key.algorithm()) {
        return Err(KeyError::Unsupported);
    }
    let x5c: Vec<String> = chain.iter().map(|der| STANDARD.encode(der)).collect();
    key.jws(&json!({ "alg": key.algorithm().as_str(), "x5c": x5c }), claims.to_string().as_bytes())
}

#[cfg(test)]
mod tests;
