//! Signatures on certificates, lists and OCSP answers. SPEC: RFC 3279, 4055, 5758; row D10: no SHA-1.

use crate::der::{self, Malformed, Reader, Value};
use crate::jwk::{Curve, JwkError, Material, PublicKey, without_leading_zeros};
use aws_lc_rs::signature::{
    self as lib, EcdsaVerificationAlgorithm, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// How something was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Pkcs1(Hash),
    Pss(Hash),
    Ecdsa(Hash),
    /// With a hash that anybody can break, or one that is not known here.
    Refused,
}

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x2b, 0x81, 4, 0, 34];
const P521: &[u8] = &[0x2b, 0x81, 4, 0, 35];
const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
const PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];

impl Scheme {
    /// Reads an `AlgorithmIdentifier`.
    pub(super) fn read(algorithm: Value<'_>) -> Result<Self, Malformed> {
        let mut parts = algorithm.inside();
        let oid = parts.oid()?;
        let rsa = |hash| (Self::Pkcs1(hash), true);
        let (scheme, may_be_null) = match oid {
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11] => rsa(Hash::Sha256),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12] => rsa(Hash::Sha384),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13] => rsa(Hash::Sha512),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2] => (Self::Ecdsa(Hash::Sha256), false),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3] => (Self::Ecdsa(Hash::Sha384), false),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4] => (Self::Ecdsa(Hash::Sha512), false),
            oid if oid == PSS => return Ok(pss(parts).unwrap_or(Self::Refused)),
            _ => return Ok(Self::Refused),
        };
        if may_be_null {
            let null = parts.optional(der::NULL)?;
            if null.is_some_and(|null| !null.content.is_empty()) {
                return Err(Malformed);
            }
        }
        parts.end()?;
        Ok(scheme)
    }

    /// Whether this is the key's signature of the message.
    pub(super) fn verifies(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        match (self, key.material()) {
            (Self::Ecdsa(hash), Material::Ec { curve, point }) => {
                UnparsedPublicKey::new(ecdsa(*curve, hash), point).verify(message, signature).is_ok()
            }
            (Self::Pkcs1(hash), Material::Rsa { modulus, exponent }) => {
                let parameters: &RsaParameters = match hash {
                    Hash::Sha256 => &lib::RSA_PKCS1_2048_8192_SHA256,
                    Hash::Sha384 => &lib::RSA_PKCS1_2048_8192_SHA384,
                    Hash::Sha512 => &lib::RSA_PKCS1_2048_8192_SHA512,
                };
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, signature).is_ok()
            }
            (Self::Pss(hash), Material::Rsa { modulus, exponent }) => {
                let parameters: &RsaParameters = match hash {
                    Hash::Sha256 => &lib::RSA_PSS_2048_8192_SHA256,
                    Hash::Sha384 => &lib::RSA_PSS_2048_8192_SHA384,
                    Hash::Sha512 => &lib::RSA_PSS_2048_8192_SHA512,
                };
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, signature).is_ok()
            }
            _ => false,
        }
    }
}

fn ecdsa(curve: Curve, hash: Hash) -> &'static EcdsaVerificationAlgorithm {
    match (curve, hash) {
        (Curve::P256, Hash::Sha256) => &lib::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Hash::Sha384) => &lib::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Hash::Sha512) => &lib::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Hash::Sha256) => &lib::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Hash::Sha384) => &lib::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Hash::Sha512) => &lib::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Hash::Sha256) => &lib::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Hash::Sha384) => &lib::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Hash::Sha512) => &lib::ECDSA_P521_SHA512_ASN1,
    }
}

/// SPEC: RFC 4055 section 3.1. Only the parameters that are in use: one hash for both, a salt as long as it.
fn pss(mut algorithm: Reader<'_>) -> Option<Scheme> {
    let mut parameters = algorithm.sequence().ok()?;
    algorithm.end().ok()?;
    let hash = hash_of(parameters.expect(der::context(0)).ok()?.content)?;
    let mut mask = parameters.expect(der::context(1)).ok()?.inside().sequence().ok()?;
    if mask.oid().ok()? != MGF1 || hash_of(mask.take().ok()?.whole)? != hash {
        return None;
    }
    let salt = parameters.expect(der::context(2)).ok()?.inside().small().ok()?;
    let fits = match hash {
        Hash::Sha256 => salt == 32,
        Hash::Sha384 => salt == 48,
        Hash::Sha512 => salt == 64,
    };
    (fits && parameters.is_empty()).then_some(Scheme::Pss(hash))
}

fn hash_of(algorithm: &[u8]) -> Option<Hash> {
    match Reader::only(algorithm, der::SEQUENCE).ok()?.inside().oid().ok()? {
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1] => Some(Hash::Sha256),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2] => Some(Hash::Sha384),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3] => Some(Hash::Sha512),
        _ => None,
    }
}

/// Why a `SubjectPublicKeyInfo` holds no key that we verify with.
pub(super) enum KeyError {
    Malformed,
    Refused(JwkError),
}

impl From<Malformed> for KeyError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// Reads a `SubjectPublicKeyInfo`: the key, and the bits of it that identifiers are made of.
pub(super) fn public_key(info: Value<'_>) -> Result<(PublicKey, &[u8]), KeyError> {
    let mut parts = info.inside();
    let mut algorithm = parts.sequence()?;
    let bits = parts.bits()?;
    parts.end()?;
    let oid = algorithm.oid()?;
    let material = if oid == RSA_ENCRYPTION {
        let mut numbers = Reader::only(bits, der::SEQUENCE)?.inside();
        let mut number = || match numbers.integer()? {
            [first, ..] if *first >= 0x80 => Err(Malformed),
            bytes => Ok(without_leading_zeros(bytes.to_owned())),
        };
        let (modulus, exponent) = (number()?, number()?);
        numbers.end()?;
        Material::Rsa { modulus, exponent }
    } else if oid == EC_PUBLIC_KEY {
        let curve = match algorithm.oid()? {
            named if named == P256 => Curve::P256,
            named if named == P384 => Curve::P384,
            named if named == P521 => Curve::P521,
            _ => return Err(KeyError::Refused(JwkError::Unsupported)),
        };
        algorithm.end()?;
        // Uncompressed, as RFC 5480 section 2.2 demands of all to support.
        if bits.first() != Some(&4) {
            return Err(KeyError::Refused(JwkError::Unsupported));
        }
        Material::Ec { curve, point: bits.to_owned() }
    } else {
        return Err(KeyError::Refused(JwkError::Unsupported));
    };
    PublicKey::new(None, None, material).map(|key| (key, bits)).map_err(KeyError::Refused)
}

/// What is signed, taken apart: `SEQUENCE { content, algorithm, signature }`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sealed<'a> {
    pub(super) content: Value<'a>,
    pub(super) algorithm: Value<'a>,
    pub(super) scheme: Scheme,
    pub(super) signature: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// Reads the three; what follows them is for the caller.
    pub(super) fn read(parts: &mut Reader<'a>) -> Result<Self, Malformed> {
        let content = parts.expect(der::SEQUENCE)?;
        let algorithm = parts.expect(der::SEQUENCE)?;
        let signature = parts.bits()?;
        Ok(Self { content, algorithm, scheme: Scheme::read(algorithm)?, signature })
    }

    /// Whether this key signed it.
    pub(super) fn verifies(&self, key: &PublicKey) -> bool {
        self.scheme.verifies(key, self.content.whole, self.signature)
    }
}
