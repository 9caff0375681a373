//! Sets of public keys. SPEC: RFC 7517 section 5; row C6: exactly one key must match, else the client is unknown.
//!
//! Two ways in: [`Jwks::register`] is strict, for an operator who can mend the set; [`Jwks::parse`] passes over keys
//! that we cannot use, as RFC 7517 asks, for a set that another host publishes.

use super::{JwkError, PublicKey};
use crate::{jws::Algorithm, limits, strict_json};
use serde_json::{Map, Value, json};
use std::fmt;

/// Why a text is no usable JWKS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwksError {
    /// Over [`limits::JWKS_BYTES_MAX`] or [`limits::JWKS_KEYS_MAX`].
    TooLarge,
    /// Not a strict JSON object with an array `keys` of objects.
    Malformed,
    /// The key at this place (from 1) is not acceptable.
    Key(usize, JwkError),
    /// The key at this place (from 1) has no `kid`, so no assertion can name it.
    NoKid(usize),
    /// Two keys of one type have this place's (from 1) `kid`: neither would ever match.
    SameKid(usize),
    /// It has no key that we can use.
    Empty,
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "the JWKS is over {} keys or 256 kB", limits::JWKS_KEYS_MAX),
            Self::Malformed => f.write_str("not a JWKS: a JSON object with an array \"keys\" of JWKs, no member twice"),
            Self::Key(place, why) => write!(f, "key {place} of the JWKS: {why}"),
            Self::NoKid(place) => {
                write!(f, "key {place} of the JWKS has no \"kid\"; assertions must name their key by it")
            }
            Self::SameKid(place) => write!(f, "key {place} of the JWKS has the \"kid\" of another key of its type"),
            Self::Empty => f.write_str("the JWKS has no key that can verify (RSA, or EC with P-256, P-384, P-521)"),
        }
    }
}

impl std::error::Error for JwksError {}

/// Why no key was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchError {
    /// No key has this `kid` and fits the algorithm.
    None,
    /// More than one does.
    Several,
}

/// A set of public keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jwks {
    keys: Vec<PublicKey>,
}

impl Jwks {
    /// Of keys at hand.
    #[must_use]
    pub fn new(keys: Vec<PublicKey>) -> Self {
        Self { keys }
    }

    /// Reads a published set; keys that we cannot use are passed over.
    ///
    /// # Errors
    /// [`JwksError::TooLarge`], [`JwksError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, JwksError> {
        let keys = members(bytes)?.iter().filter_map(|jwk| PublicKey::from_jwk(jwk).ok()).collect();
        Ok(Self { keys })
    }

    /// Reads a set, or a single JWK, for registration: a private, small or malformed key is an error that says which;
    /// a key for encryption or of a type that we do not know is passed over.
    ///
    /// # Errors
    /// [`JwksError`].
    pub fn register(bytes: &[u8]) -> Result<Self, JwksError> {
        let mut keys: Vec<PublicKey> = Vec::new();
        for (index, jwk) in members(bytes)?.iter().enumerate() {
            let place = index + 1;
            let key = match PublicKey::from_jwk(jwk) {
                Ok(key) => key,
                Err(JwkError::Unsupported | JwkError::Use) => continue,
                Err(why) => return Err(JwksError::Key(place, why)),
            };
            if key.kid().is_none_or(str::is_empty) {
                return Err(JwksError::NoKid(place));
            }
            if keys.iter().any(|other| other.kid() == key.kid() && other.key_type() == key.key_type()) {
                return Err(JwksError::SameKid(place));
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(JwksError::Empty) } else { Ok(Self { keys }) }
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// The one key with this `kid` that fits this algorithm (row C6).
    ///
    /// # Errors
    /// [`MatchError`].
    pub fn matching(&self, kid: &str, algorithm: Algorithm) -> Result<&PublicKey, MatchError> {
        let mut fitting = self.keys.iter().filter(|key| key.kid() == Some(kid) && key.fits(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (None, _) => Err(MatchError::None),
            (Some(_), Some(_)) => Err(MatchError::Several),
        }
    }

    /// The set as JSON: public members only.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "keys": self.keys.iter().map(PublicKey::to_jwk).collect::<Vec<_>>() })
    }
}

/// The JWKs of a set, or the single one that stands for a set.
pub(crate) fn members(bytes: &[u8]) -> Result<Vec<Map<String, Value>>, JwksError> {
    if bytes.len() > limits::JWKS_BYTES_MAX {
        return Err(JwksError::TooLarge);
    }
    let mut set = strict_json::object(bytes).map_err(|_| JwksError::Malformed)?;
    let keys = match set.remove("keys") {
        Some(Value::Array(keys)) => keys,
        None if set.contains_key("kty") => vec![Value::Object(set)],
        _ => return Err(JwksError::Malformed),
    };
    if keys.len() > limits::JWKS_KEYS_MAX {
        return Err(JwksError::TooLarge);
    }
    keys.into_iter()
        .map(|key| match key {
            Value::Object(jwk) => Ok(jwk),
            _ => Err(JwksError::Malformed),
        })
        .collect()
}
