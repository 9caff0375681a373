//! JWS in compact form: reading and verifying. SPEC: RFC 7515, 7518; rows C2, C6, C7, F33.
//!
//! Strict: base64url without padding and without stray bits, JSON without duplicates, `crit` and `b64` refused, only
//! the algorithms of [`Algorithm`] (never `none`, never HMAC), each of them for one type of key. `x5u` of the header is not
//! looked at, `jwk` by nobody but [`crate::dpop`], `x5c` by nobody but [`crate::udap`]: a client's key comes from its
//! registration alone.
//! Left out: JSON serialization, JWE.

pub mod detached;

use crate::{jwk::PublicKey, limits, strict_json};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use std::fmt;

/// A signature algorithm that this server verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of RFC 7518")]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
}

impl Algorithm {
    /// Those that tokens and assertions may be signed with, those that SMART demands first.
    pub const ALL: [Self; 7] =
        [Self::Rs384, Self::Es384, Self::Rs256, Self::Es256, Self::Es512, Self::Ps256, Self::Ps384];

    /// Those that a signature on content may have: also the two with RSA and SHA-512.
    pub const OF_CONTENT: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
    ];

    /// The `alg` value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
        }
    }

    /// The algorithm of [`Algorithm::ALL`] of this `alg` value. Case counts.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is not a JWS that this server would verify, or does not verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwsError {
    /// Over [`limits::JWS_BYTES_MAX`], or [`limits::UDAP_JWS_BYTES_MAX`] where certificates come along.
    TooLong,
    /// Not three parts of base64url, or a part is not a strict JSON object.
    Malformed,
    /// `alg` is missing or not one of [`Algorithm`].
    Algorithm,
    /// A header member that changes the meaning: `crit` or `b64`.
    Critical,
    /// A header member has the wrong JSON type.
    Header,
    /// The key is not of the algorithm's type.
    KeyType,
    /// The signature is not the key's.
    Signature,
}

impl fmt::Display for JwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "too long",
            Self::Malformed => "not a compact JWS with strict JSON",
            Self::Algorithm => "its alg is none that is accepted",
            Self::Critical => "it has crit or b64 in its header",
            Self::Header => "a header member has the wrong type",
            Self::KeyType => "the key is not of the algorithm's type",
            Self::Signature => "the signature does not verify",
        })
    }
}

impl std::error::Error for JwsError {}

/// A compact JWS, read but not verified.
pub struct Compact<'a> {
    algorithm: Algorithm,
    kid: Option<String>,
    jku: Option<String>,
    typ: Option<String>,
    jwk: Option<Map<String, Value>>,
    x5c: Option<Value>,
    payload: Map<String, Value>,
    signed: &'a [u8],
    signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Takes a text apart.
    ///
    /// # Errors
    /// [`JwsError`]; the signature is not looked at here.
    pub fn parse(text: &'a str) -> Result<Self, JwsError> {
        Self::parse_within(text, limits::JWS_BYTES_MAX)
    }

    /// The same for one of at most this many bytes: with certificates it is longer.
    pub(crate) fn parse_within(text: &'a str, bytes_max: usize) -> Result<Self, JwsError> {
        if text.len() > bytes_max {
            return Err(JwsError::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::Malformed)?;
        if payload.contains('.') {
            return Err(JwsError::Malformed);
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::Malformed);
        let object = |part: &str| strict_json::object(&decode(part)?).map_err(|_| JwsError::Malformed);
        let mut header = object(header)?;
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(JwsError::Critical);
        }
        let algorithm =
            header.get("alg").and_then(Value::as_str).and_then(Algorithm::parse).ok_or(JwsError::Algorithm)?;
        let text_member = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(value)) => Ok(Some(value.clone())),
            Some(_) => Err(JwsError::Header),
        };
        let (kid, jku, typ) = (text_member("kid")?, text_member("jku")?, text_member("typ")?);
        let jwk = match header.remove("jwk") {
            Some(Value::Object(jwk)) => Some(jwk),
            _ => None,
        };
        Ok(Self {
            x5c: header.remove("x5c"),
            algorithm,
            kid,
            jku,
            typ,
            jwk,
            payload: object(payload)?,
            signed: signed.as_bytes(),
            signature: decode(signature)?,
        })
    }

    /// `alg`.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// `jku`. Only to be compared with what is registered, never to be fetched.
    #[must_use]
    pub fn jku(&self) -> Option<&str> {
        self.jku.as_deref()
    }

    /// `typ`.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// `jwk`: the key that a DPoP proof brings along. It says nothing of who holds it.
    pub(crate) fn embedded_key(&self) -> Option<&Map<String, Value>> {
        self.jwk.as_ref()
    }

    /// `x5c`: certificates that come along, as they stand. They say nothing of who sent them.
    pub(crate) fn certificates(&self) -> Option<&Value> {
        self.x5c.as_ref()
    }

    /// All claims, that nobody has vouched for yet.
    pub(crate) fn unverified_claims(&self) -> &Map<String, Value> {
        &self.payload
    }

    /// A text claim that nobody has vouched for yet: good for finding the client whose key to try.
    #[must_use]
    pub fn unverified(&self, claim: &str) -> Option<&str> {
        self.payload.get(claim).and_then(Value::as_str)
    }

    /// The claims, when the signature is this key's.
    ///
    /// # Errors
    /// [`JwsError::KeyType`], [`JwsError::Signature`].
    pub fn verify(&self, key: &PublicKey) -> Result<&Map<String, Value>, JwsError> {
        key.verify(self.algorithm, self.signed, &self.signature)?;
        Ok(&self.payload)
    }
}

#[cfg(test)]
mod tests;
