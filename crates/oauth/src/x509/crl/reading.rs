//! A revocation list taken apart. SPEC: RFC 5280 sections 5.1 to 5.3.
//!
//! Its entries stay where they are, in the list's own bytes; an index of places in the order of serial numbers makes
//! them quick to find and small to keep.

use super::CrlError;
use crate::der::{self, Malformed, Reader, Value, integer_of};
use crate::x509::{
    certificate::{Identifier, authority_key, extension, point_urls, points},
    scheme::Sealed,
};

/// `removeFromCRL`.
const REMOVED: &[u8] = &[8];

/// The issuing distribution point: whom the list speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) has_name: bool,
    pub(super) urls: Vec<String>,
    pub(super) users_only: bool,
    pub(super) authorities_only: bool,
    pub(super) attributes_only: bool,
}

/// All but the signature.
pub(super) struct Facts {
    pub(super) issuer: Vec<u8>,
    pub(super) made_s: i64,
    pub(super) until_s: Option<i64>,
    pub(super) number: Option<Vec<u8>>,
    /// Of a list of changes: the number of the list that they begin with.
    pub(super) base: Option<Vec<u8>>,
    pub(super) authority_key: Option<Identifier>,
    pub(super) point: Option<Point>,
    pub(super) deltas: Vec<String>,
    /// Places of entries, by serial number.
    pub(super) entries: Vec<u32>,
    /// It can be read and not used.
    pub(super) refused: Option<CrlError>,
}

impl Facts {
    pub(super) fn read(der: &[u8]) -> Result<Self, CrlError> {
        let mut parts = Reader::only(der, der::SEQUENCE)?.inside();
        let sealed = Sealed::read(&mut parts)?;
        parts.end()?;
        let mut tbs = sealed.content.inside();
        // Version 1 has no number, so that nobody knows which is newer; nobody makes it.
        if tbs.small()? != 1 || tbs.expect(der::SEQUENCE)?.whole != sealed.algorithm.whole {
            return Err(CrlError::Malformed);
        }
        let issuer = tbs.expect(der::SEQUENCE)?.whole.to_owned();
        let made_s = tbs.time()?;
        let until_s = match tbs.clone().take() {
            Ok(Value { tag: der::UTC_TIME | der::GENERALIZED_TIME, .. }) => Some(tbs.time()?),
            _ => None,
        };
        let revoked = tbs.optional(der::SEQUENCE)?;
        let mut facts = Self {
            issuer,
            made_s,
            until_s,
            number: None,
            base: None,
            authority_key: None,
            point: None,
            deltas: Vec::new(),
            entries: Vec::new(),
            refused: None,
        };
        if let Some(all) = tbs.optional(der::context(0))? {
            facts.read_extensions(Reader::only(all.content, der::SEQUENCE)?.inside())?;
        }
        tbs.end()?;
        if let Some(revoked) = revoked {
            facts.read_entries(der, revoked)?;
        }
        Ok(facts)
    }

    fn read_extensions(&mut self, mut all: Reader<'_>) -> Result<(), CrlError> {
        let mut seen: Vec<&[u8]> = Vec::new();
        while !all.is_empty() {
            let (oid, critical, value) = extension(&mut all)?;
            if seen.contains(&oid) {
                return Err(CrlError::Malformed);
            }
            seen.push(oid);
            match oid {
                [0x55, 0x1d, 20] => self.number = Some(number(value)?),
                [0x55, 0x1d, 27] => self.base = Some(number(value)?),
                [0x55, 0x1d, 28] => self.read_point(value)?,
                [0x55, 0x1d, 35] => self.authority_key = authority_key(value)?,
                [0x55, 0x1d, 46] => self.deltas = points(value)?,
                _ if critical => self.refuse(CrlError::Critical),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_point(&mut self, value: &[u8]) -> Result<(), CrlError> {
        let mut parts = Reader::only(value, der::SEQUENCE)?.inside();
        let name = parts.optional(der::context(0))?;
        let mut flag = |number: u8| match parts.optional(der::context_plain(number))?.map(|value| value.content) {
            None | Some([0]) => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(Malformed),
        };
        let (users_only, authorities_only) = (flag(1)?, flag(2)?);
        let some_reasons = parts.optional(der::context_plain(3))?.is_some();
        let mut flag = |number: u8| match parts.optional(der::context_plain(number))?.map(|value| value.content) {
            None | Some([0]) => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(Malformed),
        };
        let (indirect, attributes_only) = (flag(4)?, flag(5)?);
        parts.end()?;
        if indirect {
            self.refuse(CrlError::Indirect);
        }
        if some_reasons {
            self.refuse(CrlError::Reasons);
        }
        let urls = name.map(point_urls).transpose()?.unwrap_or_default();
        self.point = Some(Point { has_name: name.is_some(), urls, users_only, authorities_only, attributes_only });
        Ok(())
    }

    fn read_entries(&mut self, der: &[u8], revoked: Value<'_>) -> Result<(), CrlError> {
        let mut all = revoked.inside();
        // Both are slices of the same bytes.
        let place = |value: &Value<'_>| {
            let offset = value.whole.as_ptr().addr().wrapping_sub(der.as_ptr().addr());
            u32::try_from(offset).map_err(|_| CrlError::TooLarge)
        };
        let mut entries: Vec<(&[u8], u32)> = Vec::new();
        while !all.is_empty() {
            let whole = all.expect(der::SEQUENCE)?;
            let entry = Entry::read(whole)?;
            if let Some(why) = entry.refused {
                self.refuse(why);
            }
            entries.push((entry.serial, place(&whole)?));
        }
        // SPEC: section 5.1.2.6 has one entry a certificate. Where there are two, the list is not to be relied on.
        entries.sort_unstable();
        if entries.windows(2).any(|pair| matches!(pair, [one, other] if one.0 == other.0)) {
            return Err(CrlError::Malformed);
        }
        self.entries = entries.into_iter().map(|(_, place)| place).collect();
        Ok(())
    }

    fn refuse(&mut self, why: CrlError) {
        self.refused.get_or_insert(why);
    }
}

/// A CRL number.
fn number(value: &[u8]) -> Result<Vec<u8>, Malformed> {
    let bytes = integer_of(Reader::only(value, der::INTEGER)?.content)?;
    match bytes {
        [first, ..] if *first >= 0x80 => Err(Malformed),
        // SPEC: section 5.2.3: 20 bytes at most; one of zeros may stand before them.
        bytes if bytes.len() > 21 => Err(Malformed),
        bytes => Ok(bytes.to_owned()),
    }
}

/// One revoked certificate.
pub(super) struct Entry<'a> {
    pub(super) serial: &'a [u8],
    pub(super) since_s: i64,
    /// A list of changes takes it off the list.
    pub(super) is_removed: bool,
    refused: Option<CrlError>,
}

impl<'a> Entry<'a> {
    /// The one at this place, which was read before.
    pub(super) fn at(der: &'a [u8], offset: u32) -> Option<Self> {
        let bytes = der.get(usize::try_from(offset).ok()?..)?;
        Self::read(Reader::new(bytes).expect(der::SEQUENCE).ok()?).ok()
    }

    fn read(whole: Value<'a>) -> Result<Self, Malformed> {
        let mut parts = whole.inside();
        let (serial, since_s) = (parts.integer()?, parts.time()?);
        let (mut is_removed, mut refused) = (false, None);
        if let Some(all) = parts.optional(der::SEQUENCE)? {
            let mut all = all.inside();
            while !all.is_empty() {
                match extension(&mut all)? {
                    ([0x55, 0x1d, 21], _, value) => {
                        is_removed = Reader::only(value, der::ENUMERATED)?.content == REMOVED
                    }
                    // Since when the key may have been known to others.
                    ([0x55, 0x1d, 24], ..) => {}
                    // From here on the entries are another issuer's.
                    ([0x55, 0x1d, 29], ..) => refused = Some(CrlError::Indirect),
                    (_, true, _) => refused = Some(CrlError::Critical),
                    _ => {}
                }
            }
        }
        parts.end()?;
        Ok(Self { serial, since_s, is_removed, refused })
    }
}
