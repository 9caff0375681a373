//! One certificate as facts. SPEC: RFC 5280 section 4; row D10.
//!
//! Reading decides what a certificate *is*: version 3, with a key that we verify with, its extensions once each. Whether
//! it is to be believed is decided by a chain alone.

mod extensions;

pub(super) use extensions::{Extensions, Identifier, authority_key, extension, point_urls, points};

use super::{
    name,
    name_constraints::NameConstraints,
    scheme::{self, KeyError, Sealed},
};
use crate::der::{self, Malformed, Reader};
use crate::{
    certificate::DistinguishedName,
    jwk::{JwkError, PublicKey},
};
use aws_lc_rs::digest;
use std::{fmt, ops::Range};

/// Why bytes are no certificate of ours. Tells no part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateError {
    /// Not DER of a certificate of version 3.
    Malformed,
    /// Its key is too short or of a kind that we do not verify with.
    Key(JwkError),
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("it is not an X.509 certificate of version 3 in DER"),
            Self::Key(why) => write!(f, "its key cannot be used: {why}"),
        }
    }
}

impl std::error::Error for CertificateError {}

impl From<Malformed> for CertificateError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<KeyError> for CertificateError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Malformed => Self::Malformed,
            KeyError::Refused(why) => Self::Key(why),
        }
    }
}

/// A certificate, read but not believed.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    serial: Vec<u8>,
    issuer: Vec<u8>,
    issuer_name: DistinguishedName,
    subject: Vec<u8>,
    subject_name: DistinguishedName,
    not_before_s: i64,
    not_after_s: i64,
    key: PublicKey,
    key_bits: Range<usize>,
    extensions: Extensions,
    thumbprint: [u8; 32],
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, of {})", self.subject_name, self.issuer_name)
    }
}

impl Certificate {
    /// Reads one from DER.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn read(der: &[u8]) -> Result<Self, CertificateError> {
        let mut parts = Reader::only(der, der::SEQUENCE)?.inside();
        let sealed = Sealed::read(&mut parts)?;
        parts.end()?;
        let mut tbs = sealed.content.inside();
        let version = tbs.expect(der::context(0))?.inside().small()?;
        let serial = tbs.integer()?.to_owned();
        // SPEC: RFC 5280 section 4.1.2.3: the same algorithm inside and outside.
        if version != 2 || serial.len() > 21 || tbs.expect(der::SEQUENCE)?.whole != sealed.algorithm.whole {
            return Err(CertificateError::Malformed);
        }
        let issuer = tbs.expect(der::SEQUENCE)?;
        let mut validity = tbs.sequence()?;
        let (not_before_s, not_after_s) = (validity.time()?, validity.time()?);
        validity.end()?;
        let subject = tbs.expect(der::SEQUENCE)?;
        let (key, bits) = scheme::public_key(tbs.expect(der::SEQUENCE)?)?;
        // SPEC: sections 4.1.2.8: unique identifiers, which nobody writes.
        tbs.optional(der::context_plain(1))?;
        tbs.optional(der::context_plain(2))?;
        let extensions = match tbs.optional(der::context(3))? {
            Some(all) => Extensions::read(Reader::only(all.content, der::SEQUENCE)?.inside())?,
            None => Extensions::default(),
        };
        tbs.end()?;
        let mut thumbprint = [0; 32];
        thumbprint.copy_from_slice(digest::digest(&digest::SHA256, der).as_ref());
        // Both are slices of the same bytes.
        let start = bits.as_ptr().addr().wrapping_sub(der.as_ptr().addr());
        Ok(Self {
            serial,
            issuer: issuer.whole.to_owned(),
            issuer_name: name::distinguished(issuer)?,
            subject: subject.whole.to_owned(),
            subject_name: name::distinguished(subject)?,
            not_before_s,
            not_after_s,
            key_bits: start..start + bits.len(),
            key,
            extensions,
            thumbprint,
            der: der.to_owned(),
        })
    }

    /// Its bytes.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of its bytes.
    #[must_use]
    pub fn thumbprint(&self) -> &[u8; 32] {
        &self.thumbprint
    }

    /// Serial number as two's complement, big-endian.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// Whose it is, for people.
    #[must_use]
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject_name
    }

    /// Who gave it out, for people.
    #[must_use]
    pub fn issuer(&self) -> &DistinguishedName {
        &self.issuer_name
    }

    /// Whose it is, as DER.
    #[must_use]
    pub fn subject_der(&self) -> &[u8] {
        &self.subject
    }

    /// Who gave it out, as DER.
    #[must_use]
    pub fn issuer_der(&self) -> &[u8] {
        &self.issuer
    }

    /// The first second in which it counts, since the epoch.
    #[must_use]
    pub fn not_before_s(&self) -> i64 {
        self.not_before_s
    }

    /// The last second in which it counts, since the epoch.
    #[must_use]
    pub fn not_after_s(&self) -> i64 {
        self.not_after_s
    }

    /// Its public key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Alternative names of kind URI, to the letter (row D11).
    #[must_use]
    pub fn uris(&self) -> &[String] {
        &self.extensions.uris
    }

    /// Whether it is an authority's (basic constraints).
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.extensions.authority.is_some_and(|authority| authority.is_one)
    }

    /// Where its revocation lists are, as it says; http and https alone.
    #[must_use]
    pub fn crl_urls(&self) -> &[String] {
        &self.extensions.lists
    }

    /// Where lists of changes to those are.
    #[must_use]
    pub fn delta_crl_urls(&self) -> &[String] {
        &self.extensions.deltas
    }

    /// Where an OCSP responder answers, as it says; http and https alone.
    #[must_use]
    pub fn ocsp_urls(&self) -> &[String] {
        &self.extensions.responders
    }

    /// The bits of the key, of which key identifiers are made.
    pub(super) fn key_bits(&self) -> &[u8] {
        self.der.get(self.key_bits.clone()).unwrap_or_default()
    }

    pub(super) fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    pub(super) fn name_constraints(&self) -> Option<&NameConstraints> {
        self.extensions.name_constraints.as_ref()
    }

    /// Whether it is within its time.
    #[must_use]
    pub fn is_in_time(&self, now_s: i64) -> bool {
        (self.not_before_s..=self.not_after_s).contains(&now_s)
    }

    /// Whether it names itself as its issuer (RFC 5280 section 3.2).
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether the signature on it is this key's. `None`: it was made in a way that proves nothing, such as with SHA-1.
    pub(super) fn is_signed_by(&self, key: &PublicKey) -> Option<bool> {
        // It was read before, from the same bytes.
        let mut parts = Reader::only(&self.der, der::SEQUENCE).ok()?.inside();
        let sealed = Sealed::read(&mut parts).ok()?;
        (sealed.scheme != scheme::Scheme::Refused).then(|| sealed.verifies(key))
    }
}
