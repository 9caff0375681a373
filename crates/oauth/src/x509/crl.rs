//! Revocation lists. SPEC: RFC 5280 sections 5 and 6.3; row D9.
//!
//! A [`Crl`] is what came; a [`List`] is one whose signature, issuer and time were verified, and only that can be asked.
//! Usable are lists that the issuer of a certificate signed itself, for all reasons. Refused: lists without an end,
//! indirect ones, ones with critical extensions that are not known. A list of changes (delta) is asked together with
//! the whole list that it changes, never alone.

use super::{Status, certificate::Certificate, pem, scheme::Sealed};
use crate::der::{self, Malformed, Reader};
use crate::limits;
use std::{cmp::Ordering, fmt};

mod reading;

use reading::{Entry, Facts};

/// Why a list cannot be used. Tells no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrlError {
    /// Neither DER nor PEM of a revocation list.
    Malformed,
    /// Over 8 MB.
    TooLarge,
    /// It names another issuer, or another key of it.
    Issuer,
    /// The issuer's key may not sign lists.
    KeyUsage,
    /// The signature is not the issuer's, or proves nothing.
    Signature,
    /// It was made later than now.
    NotYet,
    /// There should be a newer one by now.
    Old,
    /// It does not say when there will be a newer one.
    Endless,
    /// It has a critical extension that is not known.
    Critical,
    /// It lists certificates of other issuers.
    Indirect,
    /// It holds some reasons alone.
    Reasons,
}

impl fmt::Display for CrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is not a revocation list",
            Self::TooLarge => "it has more than 8 MB",
            Self::Issuer => "it is another issuer's",
            Self::KeyUsage => "its issuer's key may not sign revocation lists",
            Self::Signature => "its signature is not its issuer's",
            Self::NotYet => "it was made in the future",
            Self::Old => "there should be a newer one by now",
            Self::Endless => "it does not say when there will be a newer one",
            Self::Critical => "it has a critical extension that is not supported",
            Self::Indirect => "it is an indirect list, which is not supported",
            Self::Reasons => "it holds some reasons for revocation alone, which is not supported",
        })
    }
}

impl std::error::Error for CrlError {}

impl From<Malformed> for CrlError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// A list that came, not verified.
pub struct Crl {
    der: Vec<u8>,
    facts: Facts,
}

impl Crl {
    /// Reads one, DER or PEM.
    ///
    /// # Errors
    /// [`CrlError`]; its signature is not looked at here.
    pub fn read(bytes: &[u8]) -> Result<Self, CrlError> {
        if bytes.len() > limits::CRL_BYTES_MAX {
            return Err(CrlError::TooLarge);
        }
        let der = match bytes.first() {
            Some(&der::SEQUENCE) => bytes.to_owned(),
            _ => pem::first(bytes, "X509 CRL").ok_or(CrlError::Malformed)?,
        };
        let facts = Facts::read(&der)?;
        Ok(Self { der, facts })
    }

    /// The list, when this authority made it and it counts now.
    ///
    /// # Errors
    /// [`CrlError`].
    pub fn verify(self, issuer: &Certificate, now_s: i64) -> Result<List, CrlError> {
        let facts = &self.facts;
        let other_key = facts.authority_key.as_ref().zip(issuer.extensions().subject_key.as_ref());
        if facts.issuer != issuer.subject_der() || other_key.is_some_and(|(named, own)| named != own) {
            return Err(CrlError::Issuer);
        }
        if !issuer.extensions().may_revoke() {
            return Err(CrlError::KeyUsage);
        }
        let mut parts = Reader::only(&self.der, der::SEQUENCE)?.inside();
        if !Sealed::read(&mut parts)?.verifies(issuer.key()) {
            return Err(CrlError::Signature);
        }
        if facts.made_s > now_s + limits::CLOCK_SKEW_S {
            return Err(CrlError::NotYet);
        }
        let until_s = facts.until_s.ok_or(CrlError::Endless)?;
        if until_s <= now_s {
            return Err(CrlError::Old);
        }
        if let Some(why) = facts.refused {
            return Err(why);
        }
        Ok(List { der: self.der, facts: self.facts, until_s })
    }
}

/// A verified list.
pub struct List {
    der: Vec<u8>,
    facts: Facts,
    until_s: i64,
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "List({} entries)", self.facts.entries.len())
    }
}

impl List {
    /// When there will be a newer one: from this second on it does not count.
    #[must_use]
    pub fn until_s(&self) -> i64 {
        self.until_s
    }

    /// Bytes that it holds in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.der.len() + self.facts.entries.len() * size_of::<u32>()
    }

    /// Whether it holds changes alone.
    #[must_use]
    pub fn is_delta(&self) -> bool {
        self.facts.base.is_some()
    }

    /// Where lists of changes to it are.
    #[must_use]
    pub fn delta_urls(&self) -> &[String] {
        &self.facts.deltas
    }

    /// Whether it holds the changes to that list: of the same issuer and key, with the same reach, begun no later than
    /// it and not older than it (RFC 5280 section 5.2.4).
    #[must_use]
    pub fn changes(&self, whole: &Self) -> bool {
        let (Some(base), Some(own), Some(number)) = (&self.facts.base, &self.facts.number, &whole.facts.number) else {
            return false;
        };
        self.facts.issuer == whole.facts.issuer
            && self.facts.authority_key == whole.facts.authority_key
            && self.facts.point == whole.facts.point
            && compare(base, number) != Ordering::Greater
            && compare(number, own) != Ordering::Greater
    }

    /// What it says of a certificate, changes regarded. `changes` that do not fit are left aside.
    #[must_use]
    pub fn status(&self, certificate: &Certificate, changes: Option<&Self>) -> Status {
        if self.is_delta() || !self.reaches(certificate) {
            return Status::Unknown;
        }
        let changes = changes.filter(|changes| changes.changes(self));
        let until_s = changes.map_or(self.until_s, |changes| changes.until_s.min(self.until_s));
        let found = changes.and_then(|changes| changes.entry(certificate.serial()));
        match found.or_else(|| self.entry(certificate.serial())) {
            Some(entry) if !entry.is_removed => Status::Revoked { since_s: entry.since_s, until_s },
            _ => Status::Good { until_s },
        }
    }

    /// Whether it speaks of certificates like this one, of its issuer.
    fn reaches(&self, certificate: &Certificate) -> bool {
        if self.facts.issuer != certificate.issuer_der() {
            return false;
        }
        let Some(point) = &self.facts.point else { return true };
        let kind_fits = match certificate.is_authority() {
            true => !point.users_only,
            false => !point.authorities_only,
        };
        // SPEC: section 6.3.3 (b) (2): a name that the certificate has too.
        let name_fits = !point.has_name || point.urls.iter().any(|url| certificate.crl_urls().contains(url));
        kind_fits && !point.attributes_only && name_fits
    }

    fn entry(&self, serial: &[u8]) -> Option<Entry<'_>> {
        let at = |offset: &u32| Entry::at(&self.der, *offset);
        let found = self
            .facts
            .entries
            .binary_search_by(|offset| at(offset).map_or(Ordering::Less, |entry| entry.serial.cmp(serial)));
        found.ok().and_then(|found| self.facts.entries.get(found)).and_then(at)
    }
}

/// Numbers that are not negative, as two's complement without zeros in front.
fn compare(one: &[u8], other: &[u8]) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests;
