//! The OCSP response that handshakes show beside the certificate ("stapling"), from a file of the operator's own
//! fetcher. SPEC: RFC 6960 sections 4.2.1 and 4.2.2; RFC 6066 section 8; row A5.
//!
//! What is shown must be about this very certificate, say that it is good, and be current: clients refuse a connection
//! whose response says otherwise. Left out: fetching it, and its signature, which clients check and the fetcher did.

use super::certificate::Leaf;
use crate::limits;
use aws_lc_rs::digest::{self, digest};
use fhir::Instant;
use oauth::der::{self, Malformed, Reader, Value};
use std::{fmt, io::Read, path::Path};
use x509_parser::{asn1_rs::GeneralizedTime, prelude::FromDer};

/// What a clock may differ from the responder's, in seconds.
const SKEW_S: i64 = 300;

/// A response that can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Staple {
    /// OCSPResponse, DER.
    pub(crate) der: Vec<u8>,
    /// When it ends, in seconds since the epoch.
    pub(crate) until_s: i64,
}

/// Why a file holds no response that can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StapleError {
    /// It cannot be read.
    File(String),
    /// Over [`limits::OCSP_STAPLE_BYTES_MAX`].
    TooLarge,
    /// Not an OCSP response in DER.
    NotOcsp,
    /// The responder gave no answer, but this status.
    NoAnswer(u8),
    /// It tells of other certificates.
    OtherCertificate,
    /// The certificate is revoked.
    Revoked,
    /// The responder does not know the certificate.
    Unknown,
    /// It counts from then on.
    Early(i64),
    /// It ended then.
    Stale(i64),
    /// It does not say until when it is good.
    NoEnd,
}

impl fmt::Display for StapleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |seconds: i64| Instant::from_unix_millis(seconds.saturating_mul(1000));
        match self {
            Self::File(why) => f.write_str(why),
            Self::TooLarge => write!(f, "the file is over {} bytes", limits::OCSP_STAPLE_BYTES_MAX),
            Self::NotOcsp => f.write_str("the file is not an OCSP response in DER (not PEM, not a request)"),
            Self::NoAnswer(status) => {
                let name = match status {
                    1 => "malformedRequest",
                    2 => "internalError",
                    3 => "tryLater",
                    5 => "sigRequired",
                    6 => "unauthorized",
                    _ => "no known status",
                };
                write!(f, "the OCSP responder gave no answer, but {name}")
            }
            Self::OtherCertificate => f.write_str("the OCSP response is about another certificate"),
            Self::Revoked => f.write_str("the OCSP response says that the certificate is revoked"),
            Self::Unknown => f.write_str("the OCSP responder does not know the certificate"),
            Self::Early(from_s) => write!(f, "the OCSP response counts only from {} on", at(*from_s)),
            Self::Stale(until_s) => write!(f, "the OCSP response ended on {}", at(*until_s)),
            Self::NoEnd => f.write_str("the OCSP response does not say until when it is good (nextUpdate)"),
        }
    }
}

impl From<Malformed> for StapleError {
    fn from(_: Malformed) -> Self {
        Self::NotOcsp
    }
}

/// What a response says of one certificate.
struct Single<'a> {
    name_hash: (&'a [u8], &'a [u8]),
    serial: &'a [u8],
    told: u8,
    from_s: i64,
    until_s: Option<i64>,
}

/// The bytes of the file; more than could be a response are not read.
pub(crate) fn bytes_of(path: &Path) -> Result<Vec<u8>, StapleError> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limits::OCSP_STAPLE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|why| StapleError::File(why.to_string()))?;
    Ok(bytes)
}

impl Staple {
    /// Reads a response that may be shown beside this certificate at this moment.
    ///
    /// # Errors
    /// [`StapleError`].
    pub(crate) fn read(bytes: &[u8], leaf: &Leaf, now_s: i64) -> Result<Self, StapleError> {
        if bytes.len() > limits::OCSP_STAPLE_BYTES_MAX {
            return Err(StapleError::TooLarge);
        }
        let singles = singles(bytes)?;
        let single = singles.iter().find(|single| single.is_about(leaf)).ok_or(StapleError::OtherCertificate)?;
        match single.told {
            GOOD => {}
            REVOKED => return Err(StapleError::Revoked),
            _ => return Err(StapleError::Unknown),
        }
        let until_s = single.until_s.ok_or(StapleError::NoEnd)?;
        if single.from_s > now_s.saturating_add(SKEW_S) {
            return Err(StapleError::Early(single.from_s));
        }
        if until_s <= now_s {
            return Err(StapleError::Stale(until_s));
        }
        Ok(Self { der: bytes.to_vec(), until_s })
    }
}

const GOOD: u8 = der::context_plain(0);
const REVOKED: u8 = der::context(1);

impl Single<'_> {
    fn is_about(&self, leaf: &Leaf) -> bool {
        let (algorithm, name_hash) = self.name_hash;
        let hash = [
            (der::oid(&[1, 3, 14, 3, 2, 26]), &digest::SHA1_FOR_LEGACY_USE_ONLY),
            (der::oid(&[2, 16, 840, 1, 101, 3, 4, 2, 1]), &digest::SHA256),
        ];
        let hash = hash.into_iter().find(|(oid, _)| *oid == algorithm);
        self.serial == leaf.serial
            && hash.is_some_and(|(_, algorithm)| digest(algorithm, &leaf.issuer).as_ref() == name_hash)
    }
}

/// What the response says of each certificate.
fn singles(bytes: &[u8]) -> Result<Vec<Single<'_>>, StapleError> {
    let mut response = Reader::only(bytes, der::SEQUENCE)?.inside();
    match response.expect(der::ENUMERATED)?.content {
        [0] => {}
        [status] => return Err(StapleError::NoAnswer(*status)),
        _ => return Err(StapleError::NotOcsp),
    }
    let mut wrapped = Reader::only(response.expect(der::context(0))?.content, der::SEQUENCE)?.inside();
    response.end()?;
    // id-pkix-ocsp-basic: the one kind that there is.
    if wrapped.expect(der::OID)?.whole != der::oid(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 1]) {
        return Err(StapleError::NotOcsp);
    }
    let mut basic = Reader::only(wrapped.expect(der::OCTET_STRING)?.content, der::SEQUENCE)?.inside();
    wrapped.end()?;
    let mut data = basic.expect(der::SEQUENCE)?.inside();
    basic.expect(der::SEQUENCE)?;
    basic.expect(der::BIT_STRING)?;
    basic.optional(der::context(0))?;
    basic.end()?;
    // Version, then who answers, by name or key.
    data.optional(der::context(0))?;
    let responder = data.take()?;
    if responder.tag != der::context(1) && responder.tag != der::context(2) {
        return Err(StapleError::NotOcsp);
    }
    data.expect(der::GENERALIZED_TIME)?;
    let mut list = data.expect(der::SEQUENCE)?.inside();
    data.optional(der::context(1))?;
    data.end()?;
    let mut found = Vec::new();
    while !list.is_empty() {
        found.push(single(list.expect(der::SEQUENCE)?)?);
    }
    Ok(found)
}

fn single(value: Value<'_>) -> Result<Single<'_>, StapleError> {
    let mut single = value.inside();
    let mut id = single.expect(der::SEQUENCE)?.inside();
    let algorithm = id.expect(der::SEQUENCE)?.inside().expect(der::OID)?.whole;
    let name_hash = id.expect(der::OCTET_STRING)?.content;
    id.expect(der::OCTET_STRING)?;
    let serial = id.expect(der::INTEGER)?.content;
    id.end()?;
    let told = single.take()?.tag;
    let from_s = seconds(single.expect(der::GENERALIZED_TIME)?)?;
    let until_s = match single.optional(der::context(0))? {
        Some(until) => Some(seconds(Reader::only(until.content, der::GENERALIZED_TIME)?)?),
        None => None,
    };
    single.optional(der::context(1))?;
    single.end()?;
    Ok(Single { name_hash: (algorithm, name_hash), serial, told, from_s, until_s })
}

fn seconds(time: Value<'_>) -> Result<i64, StapleError> {
    let (_, time) = GeneralizedTime::from_der(time.whole).map_err(|_| StapleError::NotOcsp)?;
    time.utc_datetime().map(|at| at.unix_timestamp()).map_err(|_| StapleError::NotOcsp)
}

#[cfg(test)]
pub(crate) mod tests;
