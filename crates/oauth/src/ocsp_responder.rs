//! The answering side of OCSP: reads questions, writes signed answers. SPEC: RFC 6960; RFC 9654 (nonce). Row D9.
//!
//! For a certification authority that tells of its own certificates (`handrail pki community`), and for tests of who asks.
//! Left out: signed requests (the signature is not looked at), extensions other than the nonce, more than one responder.

use crate::{
    der::{self, Malformed, Reader, Signing},
    limits::{OCSP_NONCE_BYTES_MAX, OCSP_QUESTIONS_MAX, OCSP_REQUEST_BYTES_MAX},
};
use aws_lc_rs::digest::{self, digest};

const NONCE: [u32; 10] = [1, 3, 6, 1, 5, 5, 7, 48, 1, 2];
const BASIC: [u32; 10] = [1, 3, 6, 1, 5, 5, 7, 48, 1, 1];
const SHA_1: [u32; 6] = [1, 3, 14, 3, 2, 26];
const SHA_256: [u32; 9] = [2, 16, 840, 1, 101, 3, 4, 2, 1];

/// What somebody asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// About which certificates.
    pub asked: Vec<Asked>,
    /// What the answer must repeat.
    pub nonce: Option<Vec<u8>>,
}

/// A certificate that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// CertID as it came: an answer repeats it.
    pub id: Vec<u8>,
    hash: Option<IdHash>,
    name_hash: Vec<u8>,
    key_hash: Vec<u8>,
    serial: Vec<u8>,
}

/// What issuers are hashed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdHash {
    /// SHA-1: what nearly everybody sends; it names, it proves nothing.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl IdHash {
    /// The one with this name: the content of an OBJECT IDENTIFIER.
    pub(crate) fn named(oid: &[u8]) -> Option<Self> {
        [Self::Sha1, Self::Sha256].into_iter().find(|hash| hash.oid().get(2..) == Some(oid))
    }

    fn oid(self) -> Vec<u8> {
        match self {
            Self::Sha1 => der::oid(&SHA_1),
            Self::Sha256 => der::oid(&SHA_256),
        }
    }

    pub(crate) fn of(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
        };
        digest(algorithm, bytes).as_ref().to_vec()
    }
}

/// CertID of a certificate: `name` is its issuer's name (DER), `key` the content of its issuer's subjectPublicKey.
#[must_use]
pub fn certificate_id(hash: IdHash, name: &[u8], key: &[u8], serial: &[u8]) -> Vec<u8> {
    let algorithm = der::sequence(&[&hash.oid(), &der::value(der::NULL, &[])]);
    der::sequence(&[&algorithm, &der::octets(&hash.of(name)), &der::octets(&hash.of(key)), &der::integer(serial)])
}

impl Question {
    /// Reads an OCSPRequest.
    ///
    /// # Errors
    /// [`Malformed`], also when it asks about more certificates than one would.
    pub fn read(request: &[u8]) -> Result<Self, Malformed> {
        if request.len() > OCSP_REQUEST_BYTES_MAX {
            return Err(Malformed);
        }
        let mut outer = Reader::only(request, der::SEQUENCE)?.inside();
        let mut inner = outer.expect(der::SEQUENCE)?.inside();
        outer.optional(der::context(0))?;
        outer.end()?;
        inner.optional(der::context(0))?;
        inner.optional(der::context(1))?;
        let mut list = inner.expect(der::SEQUENCE)?.inside();
        let mut asked = Vec::new();
        while !list.is_empty() {
            let mut one = list.expect(der::SEQUENCE)?.inside();
            asked.push(Asked::read(one.expect(der::SEQUENCE)?)?);
            one.optional(der::context(0))?;
            one.end()?;
        }
        if asked.is_empty() || asked.len() > OCSP_QUESTIONS_MAX {
            return Err(Malformed);
        }
        let nonce = match inner.optional(der::context(2))? {
            Some(extensions) => nonce(Reader::only(extensions.content, der::SEQUENCE)?.inside())?,
            None => None,
        };
        inner.end()?;
        Ok(Self { asked, nonce })
    }
}

fn nonce(mut extensions: Reader<'_>) -> Result<Option<Vec<u8>>, Malformed> {
    let name = der::oid(&NONCE);
    let mut found = None;
    while !extensions.is_empty() {
        let mut extension = extensions.expect(der::SEQUENCE)?.inside();
        let is_nonce = extension.expect(der::OID)?.whole == name;
        extension.optional(der::BOOLEAN)?;
        let inner = extension.expect(der::OCTET_STRING)?.content;
        extension.end()?;
        if is_nonce {
            let bytes = Reader::only(inner, der::OCTET_STRING)?.content;
            // SPEC: RFC 9654 section 2.1: 1 to 128 bytes; others are malformed.
            if bytes.is_empty() || bytes.len() > OCSP_NONCE_BYTES_MAX || found.is_some() {
                return Err(Malformed);
            }
            found = Some(bytes.to_vec());
        }
    }
    Ok(found)
}

impl Asked {
    fn read(id: der::Value<'_>) -> Result<Self, Malformed> {
        let mut parts = id.inside();
        let mut algorithm = parts.expect(der::SEQUENCE)?.inside();
        let hash = IdHash::named(algorithm.oid()?);
        let name_hash = parts.expect(der::OCTET_STRING)?.content.to_vec();
        let key_hash = parts.expect(der::OCTET_STRING)?.content.to_vec();
        let serial = parts.expect(der::INTEGER)?.content;
        let serial = serial.get(serial.iter().position(|byte| *byte != 0).unwrap_or(serial.len())..);
        parts.end()?;
        Ok(Self { id: id.whole.to_vec(), hash, name_hash, key_hash, serial: serial.unwrap_or_default().to_vec() })
    }

    /// Whether the issuer of the certificate is this one. See [`certificate_id`]. An unknown hash is nobody's.
    #[must_use]
    pub fn is_issued_by(&self, name: &[u8], key: &[u8]) -> bool {
        self.hash.is_some_and(|hash| hash.of(name) == self.name_hash && hash.of(key) == self.key_hash)
    }

    /// Its serial number, big-endian, without leading zeros.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }
}

/// What is known of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It is not revoked.
    Good,
    /// It is, since then, for this reason (RFC 5280 section 5.3.1).
    Revoked {
        /// Seconds since the epoch.
        at_s: i64,
        /// CRLReason.
        reason: Option<u8>,
    },
    /// It is none of ours.
    Unknown,
}

/// What is told of one certificate.
#[derive(Debug, Clone)]
pub struct Single {
    /// CertID.
    pub id: Vec<u8>,
    /// What is known.
    pub told: Told,
    /// Since when, in seconds since the epoch.
    pub this_update_s: i64,
    /// Until when; `None`: newer word may be had at any time.
    pub next_update_s: Option<i64>,
}

/// An answer to be signed.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    /// Content of the responder's subjectPublicKey.
    pub responder_key: &'a [u8],
    /// When it is made, in seconds since the epoch.
    pub produced_s: i64,
    /// What is told.
    pub singles: &'a [Single],
    /// What was asked for to be repeated.
    pub nonce: Option<&'a [u8]>,
    /// Certificates of the responder, DER; none when it is the issuer itself.
    pub certificates: &'a [&'a [u8]],
}

impl Answer<'_> {
    /// The OCSPResponse; `None` when it could not be signed.
    pub fn signed(&self, signing: Signing, sign: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        let id = der::explicit(2, &der::octets(&IdHash::Sha1.of(self.responder_key)));
        let singles: Vec<Vec<u8>> = self.singles.iter().map(Single::to_der).collect();
        let extensions = self.nonce.map_or_else(Vec::new, |nonce| {
            let extension = der::extension(&NONCE, false, &der::octets(nonce));
            der::explicit(1, &der::sequence(&[&extension]))
        });
        let singles = der::value(der::SEQUENCE, &singles.concat());
        let data = der::sequence(&[&id, &der::generalized_time(self.produced_s), &singles, &extensions]);
        let signature = sign(&data)?;
        let certificates = match self.certificates {
            [] => Vec::new(),
            all => der::explicit(0, &der::sequence(all)),
        };
        let basic = der::sequence(&[&data, &signing.identifier(), &der::bits(&signature), &certificates]);
        let bytes = der::sequence(&[&der::oid(&BASIC), &der::octets(&basic)]);
        Some(der::sequence(&[&der::enumerated(0), &der::explicit(0, &bytes)]))
    }
}

impl Single {
    fn to_der(&self) -> Vec<u8> {
        let told = match self.told {
            Told::Good => der::value(der::context_plain(0), &[]),
            Told::Unknown => der::value(der::context_plain(2), &[]),
            Told::Revoked { at_s, reason } => {
                let reason = reason.map_or_else(Vec::new, |reason| der::explicit(0, &der::enumerated(reason)));
                der::value(der::context(1), &[der::generalized_time(at_s), reason].concat())
            }
        };
        let until = self.next_update_s.map_or_else(Vec::new, |at_s| der::explicit(0, &der::generalized_time(at_s)));
        der::sequence(&[&self.id, &told, &der::generalized_time(self.this_update_s), &until])
    }
}

/// Why there is no answer. SPEC: RFC 6960 section 4.2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// The question cannot be read.
    MalformedRequest,
    /// Something is wrong here.
    InternalError,
    /// Later.
    TryLater,
    /// Not to you, or not about that.
    Unauthorized,
}

impl Failed {
    /// The OCSPResponse, which nobody signs.
    #[must_use]
    pub fn to_der(self) -> Vec<u8> {
        let status = match self {
            Self::MalformedRequest => 1,
            Self::InternalError => 2,
            Self::TryLater => 3,
            Self::Unauthorized => 6,
        };
        der::sequence(&[&der::enumerated(status)])
    }
}

#[cfg(test)]
mod tests;
