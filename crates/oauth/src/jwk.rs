//! Public keys as JWK and JWKS. SPEC: RFC 7517, 7518 section 6, 7638 (thumbprints); rows C6, C7.
//!
//! Only public keys live here; private ones are [`crate::sign`]'s. Left out: `x5c` (UDAP, a later issue), OKP keys.

pub mod set;

pub use set::{Jwks, JwksError, MatchError};

use crate::{
    jws::{Algorithm, JwsError},
    limits,
};
use aws_lc_rs::{
    digest,
    signature::{
        self, EcdsaVerificationAlgorithm, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use std::fmt;

/// An elliptic curve of RFC 7518.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of RFC 7518")]
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// The `crv` value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// Bytes of a coordinate, always in full (RFC 7518 section 6.2.1.2).
    #[must_use]
    pub const fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The one JOSE algorithm of this curve.
    #[must_use]
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 => Algorithm::Es256,
            Self::P384 => Algorithm::Es384,
            Self::P521 => Algorithm::Es512,
        }
    }

    fn verification(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::P384 => &signature::ECDSA_P384_SHA384_FIXED,
            Self::P521 => &signature::ECDSA_P521_SHA512_FIXED,
        }
    }
}

/// The numbers of a public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa {
        /// `n`.
        modulus: Vec<u8>,
        /// `e`.
        exponent: Vec<u8>,
    },
    /// An uncompressed point: 4, x, y.
    Ec {
        /// `crv`.
        curve: Curve,
        /// The point's bytes.
        point: Vec<u8>,
    },
}

/// One public key that can verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    material: Material,
}

/// Why a JWK is not one that we verify with. Tells no part of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwkError {
    /// A member is missing, has the wrong type, or is not canonical base64url.
    Malformed(&'static str),
    /// It holds a private or symmetric key.
    Private,
    /// `kty`, `crv` or `alg` is none that we use, or they do not go together.
    Unsupported,
    /// `use` or `key_ops` says that it is not for verifying signatures.
    Use,
    /// An RSA modulus under 2048 or over 8192 bits.
    Size,
    /// The numbers make no key: the point is not on the curve, the modulus or exponent is even.
    Numbers,
}

impl fmt::Display for JwkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(member) => write!(f, "its member {member} is missing or malformed"),
            Self::Private => f.write_str("it holds a private or secret key; register the public key only"),
            Self::Unsupported => {
                f.write_str("its kty, crv or alg is not supported (RSA, or EC with P-256, P-384, P-521)")
            }
            Self::Use => f.write_str("its use or key_ops is not for verifying signatures"),
            Self::Size => f.write_str("its RSA modulus is not 2048 to 8192 bits long"),
            Self::Numbers => f.write_str("its numbers make no valid key"),
        }
    }
}

impl std::error::Error for JwkError {}

impl PublicKey {
    /// Made of its parts, checked.
    ///
    /// # Errors
    /// [`JwkError`].
    pub fn new(kid: Option<String>, algorithm: Option<Algorithm>, material: Material) -> Result<Self, JwkError> {
        match &material {
            Material::Rsa { modulus, exponent } => {
                let bits =
                    (modulus.len() * 8).saturating_sub(modulus.first().map_or(0, |byte| byte.leading_zeros() as usize));
                if !(limits::RSA_MODULUS_BITS_MIN..=limits::RSA_MODULUS_BITS_MAX).contains(&bits) {
                    return Err(JwkError::Size);
                }
                let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
                // An exponent of 1 would make every text its own signature; over four bytes it only costs.
                if !odd(modulus) || !odd(exponent) || exponent.as_slice() == [1] || exponent.len() > 4 {
                    return Err(JwkError::Numbers);
                }
                RsaPublicKeyComponents { n: modulus, e: exponent }
                    .to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256)
                    .map_err(|_| JwkError::Numbers)?;
            }
            Material::Ec { curve, point } => {
                ParsedPublicKey::new(curve.verification(), point).map_err(|_| JwkError::Numbers)?;
            }
        }
        let key = Self { kid, algorithm, material };
        if key.algorithm.is_some_and(|algorithm| !key.fits(algorithm)) {
            return Err(JwkError::Unsupported);
        }
        Ok(key)
    }

    /// Reads one JWK.
    ///
    /// # Errors
    /// [`JwkError`].
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, JwkError> {
        // Any member of a private key, of whatever type, and the symmetric `k`.
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| jwk.contains_key(*name)) {
            return Err(JwkError::Private);
        }
        let text = |name: &'static str| match jwk.get(name) {
            None => Ok(None),
            Some(Value::String(value)) => Ok(Some(value.as_str())),
            Some(_) => Err(JwkError::Malformed(name)),
        };
        if text("use")?.is_some_and(|purpose| purpose != "sig") {
            return Err(JwkError::Use);
        }
        match jwk.get("key_ops") {
            None => {}
            Some(Value::Array(operations)) if operations.iter().any(|operation| operation == "verify") => {}
            Some(_) => return Err(JwkError::Use),
        }
        let algorithm = match text("alg")? {
            None => None,
            Some(name) => Some(Algorithm::parse(name).ok_or(JwkError::Unsupported)?),
        };
        let bytes = |name: &'static str| {
            let value = text(name)?.ok_or(JwkError::Malformed(name))?;
            URL_SAFE_NO_PAD.decode(value).map_err(|_| JwkError::Malformed(name))
        };
        let material = match text("kty")?.ok_or(JwkError::Malformed("kty"))? {
            // Some makers put a leading zero byte, against RFC 7518; the number is the same.
            "RSA" => Material::Rsa {
                modulus: without_leading_zeros(bytes("n")?),
                exponent: without_leading_zeros(bytes("e")?),
            },
            "EC" => {
                let curve = match text("crv")?.ok_or(JwkError::Malformed("crv"))? {
                    "P-256" => Curve::P256,
                    "P-384" => Curve::P384,
                    "P-521" => Curve::P521,
                    _ => return Err(JwkError::Unsupported),
                };
                let mut point = vec![4];
                for name in ["x", "y"] {
                    let coordinate = bytes(name)?;
                    if coordinate.len() != curve.coordinate_bytes() {
                        return Err(JwkError::Malformed(name));
                    }
                    point.extend_from_slice(&coordinate);
                }
                Material::Ec { curve, point }
            }
            _ => return Err(JwkError::Unsupported),
        };
        Self::new(text("kid")?.map(str::to_owned), algorithm, material)
    }

    /// `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The one algorithm that the key names, when it names one.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// Its numbers.
    #[must_use]
    pub fn material(&self) -> &Material {
        &self.material
    }

    /// `kty`.
    #[must_use]
    pub fn key_type(&self) -> &'static str {
        match self.material {
            Material::Rsa { .. } => "RSA",
            Material::Ec { .. } => "EC",
        }
    }

    /// Whether this key may verify signatures of this algorithm: its type and curve fit, and its own `alg`, when it
    /// names one, is the same (row C7).
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        let type_fits = match (&self.material, algorithm) {
            (
                Material::Rsa { .. },
                Algorithm::Rs256
                | Algorithm::Rs384
                | Algorithm::Rs512
                | Algorithm::Ps256
                | Algorithm::Ps384
                | Algorithm::Ps512,
            ) => true,
            (Material::Ec { curve, .. }, _) => curve.algorithm() == algorithm,
            _ => false,
        };
        type_fits && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// Verifies a signature.
    ///
    /// # Errors
    /// [`JwsError::KeyType`] when the key does not fit the algorithm, [`JwsError::Signature`].
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature_bytes: &[u8]) -> Result<(), JwsError> {
        if !self.fits(algorithm) {
            return Err(JwsError::KeyType);
        }
        let verified = match &self.material {
            Material::Ec { curve, point } => {
                UnparsedPublicKey::new(curve.verification(), point).verify(message, signature_bytes)
            }
            Material::Rsa { modulus, exponent } => {
                let parameters: &RsaParameters = match algorithm {
                    Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                    Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                    Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                    Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                    Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
                    Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
                    Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => return Err(JwsError::KeyType),
                };
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, signature_bytes)
            }
        };
        verified.map_err(|_| JwsError::Signature)
    }

    /// The key as JWK, public members only, with `use`, and `kid` and `alg` where it has them.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        let mut jwk = self.to_bare_jwk();
        if let Some(members) = jwk.as_object_mut() {
            members.insert("use".into(), "sig".into());
            if let Some(algorithm) = self.algorithm {
                members.insert("alg".into(), algorithm.as_str().into());
            }
            if let Some(kid) = &self.kid {
                members.insert("kid".into(), kid.as_str().into());
            }
        }
        jwk
    }

    /// SHA-256 thumbprint as base64url. SPEC: RFC 7638.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.thumbprint_bytes())
    }

    /// SHA-256 thumbprint. SPEC: RFC 7638.
    #[must_use]
    pub fn thumbprint_bytes(&self) -> [u8; 32] {
        // The required members stand in lexicographic order below, and serde_json adds no blanks.
        let members = self.to_bare_jwk().to_string();
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, members.as_bytes()).as_ref());
        hash
    }

    /// The key as JWK with only the members that make it the key it is. SPEC: RFC 7638 section 3.2.
    #[must_use]
    pub fn to_bare_jwk(&self) -> Value {
        match &self.material {
            Material::Rsa { modulus, exponent } => json!({
                "e": URL_SAFE_NO_PAD.encode(exponent),
                "kty": "RSA",
                "n": URL_SAFE_NO_PAD.encode(modulus),
            }),
            Material::Ec { curve, point } => {
                let (x, y) =
                    point.get(1..).unwrap_or_default().split_at_checked(curve.coordinate_bytes()).unwrap_or_default();
                json!({
                    "crv": curve.as_str(),
                    "kty": "EC",
                    "x": URL_SAFE_NO_PAD.encode(x),
                    "y": URL_SAFE_NO_PAD.encode(y),
                })
            }
        }
    }
}

/// The same number without zero bytes in front.
pub(crate) fn without_leading_zeros(mut bytes: Vec<u8>) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    bytes
}

#[cfg(test)]
mod tests;
