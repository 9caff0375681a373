//! JWS with a detached payload, as FHIR's Signature carries it: `header..signature`. SPEC: RFC 7515 appendix F, RFC 7797;
//! rows F31, F33.
//!
//! As strict as [`super::Compact`], with two differences: the payload is whatever the verifier puts together, and `b64`,
//! `sigT` may be critical, for they are understood here. What the header says of a key (`jwk`, `jku`, `x5u`) is not
//! looked at; certificates (`x5c`) are handed on, and say nothing before a chain of them was found.
//! Left out: a payload that is not detached, JSON serialization.

use super::{Algorithm, JwsError};
use crate::{
    jwk::PublicKey,
    limits,
    sign::{KeyError, PrivateKey},
    strict_json,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value, json};
use std::fmt;

/// Why a text is not such a JWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DetachedError {
    /// Over [`limits::UDAP_JWS_BYTES_MAX`].
    TooLong,
    /// Not `header..signature` in base64url without padding, or the header is no strict JSON object.
    Malformed,
    /// There is a payload between the points.
    Attached,
    /// `alg` is missing or none of [`Algorithm::OF_CONTENT`].
    Algorithm,
    /// `crit` is empty, names a member twice, that is not there or that is not understood; or `b64` is not in it.
    Critical,
    /// This header member has the wrong type.
    Header(&'static str),
    /// `x5c` has more than [`limits::X5C_CERTIFICATES_MAX`] certificates.
    TooManyCertificates,
}

impl fmt::Display for DetachedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the JWS is too long"),
            Self::Malformed => {
                f.write_str("it is not a JWS of the form header..signature with a strict JSON object as header")
            }
            Self::Attached => f.write_str("the JWS brings a payload along; it must be detached"),
            Self::Algorithm => {
                f.write_str("alg is none of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512")
            }
            Self::Critical => f.write_str("crit is not in order or names a header member that is not understood"),
            Self::Header(name) => write!(f, "the header member {name} has the wrong type"),
            Self::TooManyCertificates => f.write_str("x5c has too many certificates"),
        }
    }
}

impl std::error::Error for DetachedError {}

/// A JWS without its payload, read but not verified.
pub struct Detached {
    algorithm: Algorithm,
    x5c: Vec<Vec<u8>>,
    signing_time: Option<String>,
    has_key: bool,
    /// `b64` is not false.
    is_encoded: bool,
    header: String,
    signature: Vec<u8>,
}

impl Detached {
    /// Takes a text apart.
    ///
    /// # Errors
    /// [`DetachedError`]; neither signature nor certificates are looked into here.
    pub fn parse(text: &str) -> Result<Self, DetachedError> {
        if text.len() > limits::UDAP_JWS_BYTES_MAX {
            return Err(DetachedError::TooLong);
        }
        let (header_text, rest) = text.split_once('.').ok_or(DetachedError::Malformed)?;
        let (payload, signature) = rest.split_once('.').ok_or(DetachedError::Malformed)?;
        if signature.contains('.') || signature.is_empty() {
            return Err(DetachedError::Malformed);
        }
        if !payload.is_empty() {
            return Err(DetachedError::Attached);
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| DetachedError::Malformed);
        let header = strict_json::object(&decode(header_text)?).map_err(|_| DetachedError::Malformed)?;
        let alg = header.get("alg").and_then(Value::as_str).ok_or(DetachedError::Algorithm)?;
        let algorithm = Algorithm::OF_CONTENT.into_iter().find(|algorithm| algorithm.as_str() == alg);
        Ok(Self {
            algorithm: algorithm.ok_or(DetachedError::Algorithm)?,
            x5c: certificates(&header)?,
            signing_time: match header.get("sigT") {
                None => None,
                Some(Value::String(time)) => Some(time.clone()),
                Some(_) => return Err(DetachedError::Header("sigT")),
            },
            has_key: ["jwk", "jku", "x5u"].iter().any(|name| header.contains_key(*name)),
            is_encoded: is_encoded(&header)?,
            header: header_text.to_owned(),
            signature: decode(signature)?,
        })
    }

    /// `alg`.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `x5c` as DER, the signer's first; empty when there is none.
    #[must_use]
    pub fn x5c(&self) -> &[Vec<u8>] {
        &self.x5c
    }

    /// `sigT`: when it was signed, as the signer says.
    #[must_use]
    pub fn signing_time(&self) -> Option<&str> {
        self.signing_time.as_deref()
    }

    /// Whether the header brings a key along, or says where one is. Nobody vouches for it.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.has_key
    }

    /// Whether the signature over this payload is this key's.
    ///
    /// # Errors
    /// [`JwsError::KeyType`], [`JwsError::Signature`].
    pub fn verify(&self, key: &PublicKey, payload: &[u8]) -> Result<(), JwsError> {
        key.verify(self.algorithm, &signed(&self.header, payload, self.is_encoded), &self.signature)
    }
}

/// What is signed. SPEC: RFC 7515 section 5.1, RFC 7797 section 3.
fn signed(header: &str, payload: &[u8], is_encoded: bool) -> Vec<u8> {
    let mut signed = Vec::with_capacity(header.len() + 1 + payload.len() / 3 * 4 + 4);
    signed.extend_from_slice(header.as_bytes());
    signed.push(b'.');
    if is_encoded {
        signed.extend_from_slice(URL_SAFE_NO_PAD.encode(payload).as_bytes());
    } else {
        signed.extend_from_slice(payload);
    }
    signed
}

fn certificates(header: &Map<String, Value>) -> Result<Vec<Vec<u8>>, DetachedError> {
    let list = match header.get("x5c") {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(DetachedError::Header("x5c")),
    };
    if list.len() > limits::X5C_CERTIFICATES_MAX {
        return Err(DetachedError::TooManyCertificates);
    }
    let decoded = |text: &Value| text.as_str().and_then(|text| STANDARD.decode(text).ok());
    list.iter().map(decoded).collect::<Option<_>>().ok_or(DetachedError::Header("x5c"))
}

/// Looks at `crit` and `b64`; whether the payload is signed as base64url.
///
/// SPEC: RFC 7515 section 4.1.11; RFC 7797 section 6: who does not know `b64` must stop, so it is always critical.
fn is_encoded(header: &Map<String, Value>) -> Result<bool, DetachedError> {
    let critical = match header.get("crit") {
        None => &[][..],
        Some(Value::Array(list)) if !list.is_empty() => list.as_slice(),
        Some(_) => return Err(DetachedError::Critical),
    };
    for (at, name) in critical.iter().enumerate() {
        let is_understood = matches!(name.as_str(), Some("b64" | "sigT"));
        let is_there = name.as_str().is_some_and(|name| header.contains_key(name));
        let is_again = critical.get(..at).is_some_and(|before| before.contains(name));
        if !is_understood || !is_there || is_again {
            return Err(DetachedError::Critical);
        }
    }
    match header.get("b64") {
        None => Ok(true),
        Some(Value::Bool(is_encoded)) if critical.iter().any(|name| name == "b64") => Ok(*is_encoded),
        Some(Value::Bool(_)) => Err(DetachedError::Critical),
        Some(_) => Err(DetachedError::Header("b64")),
    }
}

/// Signs a payload and leaves it out: header `alg`, `typ`, `sigT`, and `x5c` when there are certificates. `chain` is
/// DER, the signer's first; `signing_time` is `YYYY-MM-DDThh:mm:ssZ`.
///
/// # Errors
/// [`KeyError::Failed`].
pub fn sign(key: &PrivateKey, chain: &[Vec<u8>], signing_time: &str, payload: &[u8]) -> Result<String, KeyError> {
    let mut header = json!({ "alg": key.algorithm().as_str(), "typ": "JOSE", "sigT": signing_time });
    if let (false, Some(members)) = (chain.is_empty(), header.as_object_mut()) {
        let x5c: Vec<String> = chain.iter().map(|der| STANDARD.encode(der)).collect();
        members.insert("x5c".into(), x5c.into());
    }
    sign_with(key, &header, payload)
}

/// The same with this header as it stands; a `b64` of false in it is heeded.
///
/// # Errors
/// [`KeyError::Failed`].
pub fn sign_with(key: &PrivateKey, header: &Value, payload: &[u8]) -> Result<String, KeyError> {
    let is_encoded = header.get("b64") != Some(&Value::Bool(false));
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let signature = key.sign(&signed(&header, payload, is_encoded))?;
    Ok(format!("{header}..{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
mod tests;
