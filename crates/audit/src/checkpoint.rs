//! Signed checkpoints: who holds the key says that the log stood so at this sequence.
//!
//! A checkpoint is 121 bytes; its file is one after the other. Numbers are big-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version of this format: 1 |
//! | 8 | sequence |
//! | 32 | hash of the record with that sequence |
//! | 8 | time of signing: milliseconds since 1970 |
//! | 8 | key id: first bytes of SHA-256 of the public key |
//! | 64 | Ed25519 signature over `handrail audit checkpoint 1`, a zero byte, and the bytes above |
//!
//! A cut has the same bytes, signed over `handrail audit cut 1` instead: the log begins after this record, because those
//! up to it were kept for as long as they have to be (row F26).
//!
//! They lie beside the log, not in it, so that they can be copied elsewhere (another machine, a
//! printer) and still speak for the log. SPEC: row F23; RFC 8032.

use crate::{bytes::Reader, frame::Hash};
use aws_lc_rs::{
    digest, rand,
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use fhir::Instant;
use std::fmt;

#[cfg(test)]
mod tests;

/// Bytes of one checkpoint.
pub const CHECKPOINT_BYTES: usize = 121;

const VERSION: u8 = 1;
const PURPOSE: &[u8] = b"handrail audit checkpoint 1\0";
/// What a cut is signed over in its place: a checkpoint is no cut, and a cut no checkpoint.
const CUT_PURPOSE: &[u8] = b"handrail audit cut 1\0";

/// The first part of an Ed25519 SubjectPublicKeyInfo; the 32 bytes of the key follow. SPEC: RFC 8410.
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The public half of a checkpoint key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Its id: first 8 bytes of its SHA-256.
    #[must_use]
    pub fn id(&self) -> [u8; 8] {
        let mut id = [0; 8];
        id.iter_mut().zip(digest::digest(&digest::SHA256, &self.0).as_ref()).for_each(|(to, from)| *to = *from);
        id
    }

    /// As PEM (SubjectPublicKeyInfo), which `openssl pkey -pubin` reads.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let der = [&SPKI_PREFIX[..], &self.0[..]].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    }

    /// Every Ed25519 public key in a PEM text, in order; other blocks are passed over.
    #[must_use]
    pub fn from_pem(text: &str) -> Vec<Self> {
        let blocks = text.split("-----BEGIN PUBLIC KEY-----").skip(1);
        blocks
            .filter_map(|block| {
                let body: String = block.split("-----END").next()?.split_whitespace().collect();
                let der = STANDARD.decode(body).ok()?;
                der.strip_prefix(&SPKI_PREFIX)?.try_into().ok().map(Self)
            })
            .collect()
    }
}

/// A key could not be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyError;

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an Ed25519 private key (PKCS#8)")
    }
}

impl std::error::Error for KeyError {}

/// Signs checkpoints.
pub struct Signer {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(…)")
    }
}

impl Signer {
    /// A new private key as PKCS#8, for the binary to keep in a file that only it may read.
    ///
    /// # Errors
    /// [`KeyError`] when the machine gives no randomness.
    pub fn new_key() -> Result<Vec<u8>, KeyError> {
        let document = Ed25519KeyPair::generate_pkcs8(&rand::SystemRandom::new()).map_err(|_| KeyError)?;
        Ok(document.as_ref().to_vec())
    }

    /// The signer with this private key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_pkcs8(key: &[u8]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_pkcs8(key).map_err(|_| KeyError)?;
        let public = PublicKey(pair.public_key().as_ref().try_into().map_err(|_| KeyError)?);
        Ok(Self { pair, public })
    }

    /// The public key, to be published.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    pub(crate) fn sign(&self, sequence: u64, hash: Hash, time: Instant) -> Checkpoint {
        self.signed(PURPOSE, sequence, hash, time)
    }

    /// Says that the log begins after this record, because those up to it were kept for long enough (row F26).
    pub(crate) fn sign_cut(&self, sequence: u64, hash: Hash, time: Instant) -> Checkpoint {
        self.signed(CUT_PURPOSE, sequence, hash, time)
    }

    fn signed(&self, purpose: &[u8], sequence: u64, hash: Hash, time: Instant) -> Checkpoint {
        let mut checkpoint = Checkpoint { sequence, hash, time, key_id: self.public.id(), signature: [0; 64] };
        let signature = self.pair.sign(&checkpoint.signed_bytes(purpose));
        checkpoint.signature.iter_mut().zip(signature.as_ref()).for_each(|(to, from)| *to = *from);
        checkpoint
    }
}

/// One checkpoint. Its signature was not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Sequence of the record it speaks of.
    pub sequence: u64,
    /// Hash of that record.
    pub hash: Hash,
    /// When it was signed.
    pub time: Instant,
    /// Which key signed.
    pub key_id: [u8; 8],
    /// The signature.
    pub signature: [u8; 64],
}

impl Checkpoint {
    /// The bytes, as the module describes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.unsigned_bytes();
        out.extend_from_slice(&self.signature);
        out
    }

    /// Reads one checkpoint; `None` when the bytes are none of this version.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader(bytes);
        if r.byte()? != VERSION {
            return None;
        }
        let checkpoint = Self {
            sequence: u64::from_be_bytes(r.array()?),
            hash: r.array()?,
            time: Instant::from_unix_millis(i64::from_be_bytes(r.array()?)),
            key_id: r.array()?,
            signature: r.array()?,
        };
        r.0.is_empty().then_some(checkpoint)
    }

    /// The last whole checkpoint of a file; `None` when there is none.
    #[must_use]
    pub fn last(file: &[u8]) -> Option<Self> {
        file.chunks_exact(CHECKPOINT_BYTES).next_back().and_then(Self::decode)
    }

    /// Whether one of these keys made the signature.
    #[must_use]
    pub fn is_signed_by(&self, keys: &[PublicKey]) -> bool {
        self.is_signed(PURPOSE, keys)
    }

    /// The same of a cut.
    #[must_use]
    pub fn is_cut_signed_by(&self, keys: &[PublicKey]) -> bool {
        self.is_signed(CUT_PURPOSE, keys)
    }

    fn is_signed(&self, purpose: &[u8], keys: &[PublicKey]) -> bool {
        let key = keys.iter().find(|key| key.id() == self.key_id);
        key.is_some_and(|key| {
            UnparsedPublicKey::new(&ED25519, &key.0).verify(&self.signed_bytes(purpose), &self.signature).is_ok()
        })
    }

    fn unsigned_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(CHECKPOINT_BYTES);
        out.push(VERSION);
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.hash);
        out.extend_from_slice(&self.time.unix_millis().to_be_bytes());
        out.extend_from_slice(&self.key_id);
        out
    }

    fn signed_bytes(&self, purpose: &[u8]) -> Vec<u8> {
        [purpose, &self.unsigned_bytes()].concat()
    }
}
