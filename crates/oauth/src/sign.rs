//! Private keys: making, reading, writing, signing. For the server's own keys, the command `handrail token` and tests.
//!
//! SPEC: RFC 7515 section 5.1, 7517, 7518; PEM of RFC 7468, PKCS#8, PKCS#1 and SEC 1. Secrets have no Debug, Display or
//! Serialize. Randomness: `aws-lc-rs` draws its own, it takes none from outside.

mod der;

use crate::{
    jwk::{Curve, JwkError, Material, PublicKey, without_leading_zeros},
    jws::Algorithm,
    strict_json,
};
use aws_lc_rs::{
    encoding::{AsBigEndian, AsDer},
    rand::SystemRandom,
    rsa::{KeyPairComponents, KeySize},
    signature::{
        self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
    },
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value};
use std::fmt;

/// Why a key cannot be made, read or used. Tells no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// Neither a private JWK nor PEM.
    Format,
    /// PEM of another kind: encrypted, a certificate, a public key.
    PemKind,
    /// A JWKS with more than one key, or none.
    Several,
    /// A JWK member is missing or malformed.
    Malformed(&'static str),
    /// A key type, curve, size or algorithm that we do not sign with, or that do not go together.
    Unsupported,
    /// The cryptographic library refused.
    Failed,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format => f.write_str("not a private key: expected a private JWK (JSON) or PEM"),
            Self::PemKind => f.write_str(
                "the PEM is not an unencrypted private key (PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY)",
            ),
            Self::Several => f.write_str("the JWKS must hold exactly one private key"),
            Self::Malformed(member) => write!(f, "the JWK's member {member} is missing or malformed"),
            Self::Unsupported => f.write_str("the key's type, curve, size or alg is not supported for signing"),
            Self::Failed => f.write_str("the key's numbers make no valid key"),
        }
    }
}

impl std::error::Error for KeyError {}

impl From<JwkError> for KeyError {
    fn from(error: JwkError) -> Self {
        match error {
            JwkError::Malformed(member) => Self::Malformed(member),
            _ => Self::Unsupported,
        }
    }
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// A private key with its name and its one algorithm.
pub struct PrivateKey {
    public: PublicKey,
    algorithm: Algorithm,
    kid: String,
    pair: Pair,
}

impl PrivateKey {
    /// A new key for this algorithm, named by its thumbprint. RSA keys have 2048 bits.
    ///
    /// # Errors
    /// [`KeyError::Failed`].
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let pair = match ecdsa(algorithm) {
            Some((_, signing)) => Pair::Ec(EcdsaKeyPair::generate(signing).map_err(|_| KeyError::Failed)?),
            None => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Failed)?),
        };
        Self::of(pair, Some(algorithm), None)
    }

    /// Reads a private JWK, a JWKS with one, or PEM. `algorithm` chooses for an RSA key that names none
    /// (RS384 otherwise); an EC key has one by its curve.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse(text: &str, algorithm: Option<Algorithm>) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.starts_with('{') { Self::from_jwk_text(text, algorithm) } else { Self::from_pem(text, algorithm) }
    }

    fn from_jwk_text(text: &str, algorithm: Option<Algorithm>) -> Result<Self, KeyError> {
        let mut jwk = strict_json::object(text.as_bytes()).map_err(|_| KeyError::Format)?;
        if let Some(keys) = jwk.remove("keys") {
            jwk = match keys {
                Value::Array(mut keys) if keys.len() == 1 => match keys.pop() {
                    Some(Value::Object(only)) => only,
                    _ => return Err(KeyError::Format),
                },
                _ => return Err(KeyError::Several),
            };
        }
        Self::from_jwk(jwk, algorithm)
    }

    fn from_jwk(mut jwk: Map<String, Value>, algorithm: Option<Algorithm>) -> Result<Self, KeyError> {
        let mut secret = |name: &'static str| match jwk.remove(name) {
            Some(Value::String(text)) => URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::Malformed(name)),
            _ => Err(KeyError::Malformed(name)),
        };
        let private_exponent = secret("d")?;
        let crt = ["p", "q", "dp", "dq", "qi"].map(secret);
        jwk.remove("oth");
        // `sign` among key_ops is the private side's word for `verify`.
        jwk.remove("key_ops");
        let public = PublicKey::from_jwk(&jwk)?;
        let pair = match public.material() {
            Material::Ec { curve, point } => {
                let (_, signing) = ecdsa(curve.algorithm()).ok_or(KeyError::Unsupported)?;
                let pair = EcdsaKeyPair::from_private_key_and_public_key(signing, &private_exponent, point);
                Pair::Ec(pair.map_err(|_| KeyError::Failed)?)
            }
            Material::Rsa { modulus, exponent } => {
                let [p, q, dp, dq, qi] = crt;
                let components = KeyPairComponents {
                    public_key: RsaPublicKeyComponents { n: modulus.clone(), e: exponent.clone() },
                    d: private_exponent,
                    p: p?,
                    q: q?,
                    dP: dp?,
                    dQ: dq?,
                    qInv: qi?,
                };
                Pair::Rsa(RsaKeyPair::from_components(&components).map_err(|_| KeyError::Failed)?)
            }
        };
        Self::of(pair, public.algorithm().or(algorithm), public.kid().map(str::to_owned))
    }

    fn from_pem(text: &str, algorithm: Option<Algorithm>) -> Result<Self, KeyError> {
        let (_, rest) = text.split_once("-----BEGIN ").ok_or(KeyError::Format)?;
        let (label, rest) = rest.split_once("-----").ok_or(KeyError::Format)?;
        // `openssl ecparam -genkey` writes the parameters in front of the key.
        if label == "EC PARAMETERS" {
            return Self::from_pem(rest, algorithm);
        }
        let (body, _) = rest.split_once("-----END ").ok_or(KeyError::Format)?;
        if body.contains(':') {
            return Err(KeyError::PemKind);
        }
        let base64: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let der = STANDARD.decode(base64).map_err(|_| KeyError::Format)?;
        let ec = || {
            [Algorithm::Es384, Algorithm::Es256, Algorithm::Es512]
                .into_iter()
                .filter_map(ecdsa)
                .find_map(|(_, signing)| EcdsaKeyPair::from_private_key_der(signing, &der).ok())
                .map(Pair::Ec)
        };
        let pair = match label {
            "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der).ok().map(Pair::Rsa).or_else(ec),
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der).ok().map(Pair::Rsa),
            "EC PRIVATE KEY" => ec(),
            _ => return Err(KeyError::PemKind),
        };
        Self::of(pair.ok_or(KeyError::Unsupported)?, algorithm, None)
    }

    fn of(pair: Pair, algorithm: Option<Algorithm>, kid: Option<String>) -> Result<Self, KeyError> {
        let (material, algorithm) = match &pair {
            Pair::Ec(key) => {
                let point = key.public_key().as_ref().to_vec();
                let curve = [Curve::P256, Curve::P384, Curve::P521]
                    .into_iter()
                    .find(|curve| point.len() == 1 + 2 * curve.coordinate_bytes())
                    .ok_or(KeyError::Unsupported)?;
                (Material::Ec { curve, point }, curve.algorithm())
            }
            Pair::Rsa(key) => {
                let modulus =
                    without_leading_zeros(key.public_key().modulus().big_endian_without_leading_zero().to_vec());
                let exponent =
                    without_leading_zeros(key.public_key().exponent().big_endian_without_leading_zero().to_vec());
                let algorithm = algorithm.filter(|wanted| ecdsa(*wanted).is_none()).unwrap_or(Algorithm::Rs384);
                (Material::Rsa { modulus, exponent }, algorithm)
            }
        };
        let unnamed = PublicKey::new(None, Some(algorithm), material.clone())?;
        let kid = kid.filter(|kid| !kid.is_empty()).unwrap_or_else(|| unnamed.thumbprint());
        let public = PublicKey::new(Some(kid.clone()), Some(algorithm), material)?;
        Ok(Self { public, algorithm, kid, pair })
    }

    /// The public half, with `kid` and `alg`.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The key's name.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The whole key as the text of a private JWK. A secret: for a file that only its owner reads, or the server's table.
    ///
    /// # Errors
    /// [`KeyError::Failed`].
    pub fn to_private_jwk(&self) -> Result<String, KeyError> {
        let mut jwk = self.public.to_jwk();
        let members = jwk.as_object_mut().ok_or(KeyError::Failed)?;
        let mut put = |name: &str, number: &[u8]| members.insert(name.into(), URL_SAFE_NO_PAD.encode(number).into());
        match &self.pair {
            Pair::Ec(key) => {
                let number = key.private_key().as_be_bytes().map_err(|_| KeyError::Failed)?;
                put("d", number.as_ref());
            }
            Pair::Rsa(key) => {
                let pkcs8 = AsDer::as_der(key).map_err(|_| KeyError::Failed)?;
                let [d, p, q, dp, dq, qi] = der::rsa_private_numbers(pkcs8.as_ref()).ok_or(KeyError::Failed)?;
                for (name, number) in [("d", d), ("p", p), ("q", q), ("dp", dp), ("dq", dq), ("qi", qi)] {
                    put(name, number);
                }
            }
        }
        Ok(jwk.to_string())
    }

    /// Signs bytes as the algorithm says: for ECDSA the fixed form of RFC 7518 section 3.4.
    ///
    /// # Errors
    /// [`KeyError::Failed`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(key) => Ok(key.sign(&random, message).map_err(|_| KeyError::Failed)?.as_ref().to_vec()),
            Pair::Rsa(key) => {
                let encoding: &'static dyn RsaEncoding = match self.algorithm {
                    Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
                    Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
                    Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
                    Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
                    Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
                    Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
                    Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => return Err(KeyError::Unsupported),
                };
                let mut signed = vec![0; key.public_modulus_len()];
                key.sign(encoding, &random, message, &mut signed).map_err(|_| KeyError::Failed)?;
                Ok(signed)
            }
        }
    }

    /// A compact JWS of these claims with header `alg`, `kid` and `typ`: `JWT`.
    ///
    /// # Errors
    /// [`KeyError::Failed`].
    pub fn jwt(&self, claims: &Value) -> Result<String, KeyError> {
        let header = serde_json::json!({ "alg": self.algorithm.as_str(), "kid": self.kid, "typ": "JWT" });
        self.jws(&header, claims.to_string().as_bytes())
    }

    /// A compact JWS with this header as it stands.
    ///
    /// # Errors
    /// [`KeyError::Failed`].
    pub fn jws(&self, header: &Value, payload: &[u8]) -> Result<String, KeyError> {
        let mut text = URL_SAFE_NO_PAD.encode(header.to_string());
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut text);
        let signed = self.sign(text.as_bytes())?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signed, &mut text);
        Ok(text)
    }
}

/// The signing side of an ECDSA algorithm; `None` for RSA ones.
fn ecdsa(algorithm: Algorithm) -> Option<(Curve, &'static EcdsaSigningAlgorithm)> {
    match algorithm {
        Algorithm::Es256 => Some((Curve::P256, &signature::ECDSA_P256_SHA256_FIXED_SIGNING)),
        Algorithm::Es384 => Some((Curve::P384, &signature::ECDSA_P384_SHA384_FIXED_SIGNING)),
        Algorithm::Es512 => Some((Curve::P521, &signature::ECDSA_P521_SHA512_FIXED_SIGNING)),
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512 => None,
    }
}

#[cfg(test)]
mod tests;
