//! COSE keys and their signatures. SPEC: RFC 9052 section 7, RFC 9053 sections 2, 7; RFC 8812; WebAuthn section 5.8.5
//! (an EC2 key of ES256 is on P-256 with both coordinates, an OKP key of EdDSA on Ed25519).

use super::{PasskeyError, cbor, member};
use aws_lc_rs::{
    rsa::PublicKeyComponents,
    signature::{ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use ciborium::Value;

/// The algorithms that are asked for, in this order: their numbers in COSE.
pub(crate) const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];

const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

/// Bytes of an RSA modulus: 2048 to 4096 bits.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// Bytes of a COSE key: an RSA key of 4096 bits with its labels.
const COSE_BYTES_MAX: usize = 600;

#[derive(Clone, PartialEq, Eq)]
enum Material {
    /// An uncompressed point.
    Es256([u8; 65]),
    EdDsa([u8; 32]),
    Rs256 {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
}

/// A public key with its algorithm.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PublicKey {
    material: Material,
    cose: Vec<u8>,
}

impl PublicKey {
    /// Reads a COSE_Key with nothing behind it.
    pub(crate) fn from_cose(bytes: &[u8]) -> Result<Self, PasskeyError> {
        let (value, rest) = cbor(bytes)?;
        if !rest.is_empty() || bytes.len() > COSE_BYTES_MAX {
            return Err(PasskeyError::Malformed);
        }
        let map = value.as_map().ok_or(PasskeyError::Malformed)?;
        let label = |label: i64| member(map, &Value::Integer(label.into()));
        let number = |name: i64| -> Result<i64, PasskeyError> {
            let value = label(name)?.and_then(Value::as_integer).ok_or(PasskeyError::Key)?;
            i64::try_from(value).map_err(|_| PasskeyError::Key)
        };
        let bytes_of = |name: i64| -> Result<&[u8], PasskeyError> {
            Ok(label(name)?.and_then(Value::as_bytes).ok_or(PasskeyError::Key)?.as_slice())
        };
        // Labels: 1 kind of key, 3 algorithm, -1 curve or modulus, -2 x or exponent, -3 y.
        let material = match (number(1)?, number(3)?) {
            (2, ES256) if number(-1)? == 1 => {
                let (x, y) = (bytes_of(-2)?, bytes_of(-3)?);
                if x.len() != 32 || y.len() != 32 {
                    return Err(PasskeyError::Key);
                }
                let point = [&[4], x, y].concat().try_into().map_err(|_| PasskeyError::Key)?;
                Material::Es256(point)
            }
            (1, EDDSA) if number(-1)? == 6 => Material::EdDsa(bytes_of(-2)?.try_into().map_err(|_| PasskeyError::Key)?),
            (3, RS256) => {
                let (modulus, exponent) = (bytes_of(-1)?.to_vec(), bytes_of(-2)?.to_vec());
                if !MODULUS_BYTES.contains(&modulus.len()) || exponent.is_empty() || exponent.len() > 8 {
                    return Err(PasskeyError::Key);
                }
                Material::Rs256 { modulus, exponent }
            }
            _ => return Err(PasskeyError::Key),
        };
        Ok(Self { material, cose: bytes.to_vec() })
    }

    /// As it came, for the table.
    pub(crate) fn cose(&self) -> &[u8] {
        &self.cose
    }

    /// Whether the signature is this key's.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), PasskeyError> {
        let verified = match &self.material {
            Material::Es256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature),
            Material::EdDsa(point) => UnparsedPublicKey::new(&ED25519, point).verify(message, signature),
            Material::Rs256 { modulus, exponent } => {
                PublicKeyComponents { n: modulus, e: exponent }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
        };
        verified.map_err(|_| PasskeyError::Signature)
    }
}
