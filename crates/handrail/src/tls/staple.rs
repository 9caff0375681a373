//! The OCSP response that handshakes show beside the certificate ("stapling"), from a file of the operator's own
//! fetcher. SPEC: RFC 6960 sections 4.2.1 and 4.2.2; RFC 6066 section 8; row A5.
//!
//! What is shown must be about this very certificate, say that it is good, and be current: clients refuse a connection
//! whose response says otherwise. Left out: fetching it, and its signature, which clients check and the fetcher did.

use super::certificate::Leaf;
use crate::limits;
use fhir::Instant;
use oauth::x509::ocsp::{OcspError, Response, Said, Standing};
use std::{fmt, io::Read, path::Path};

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

impl From<OcspError> for StapleError {
    fn from(why: OcspError) -> Self {
        match why {
            OcspError::TooLarge => Self::TooLarge,
            OcspError::Refused(status) => Self::NoAnswer(status),
            _ => Self::NotOcsp,
        }
    }
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
        let said = Response::read(bytes)?.unverified(&leaf.issuer, &leaf.serial)?;
        let Said { standing, from_s, until_s } = said.ok_or(StapleError::OtherCertificate)?;
        match standing {
            Standing::Good => {}
            Standing::Revoked { .. } => return Err(StapleError::Revoked),
            Standing::Unknown => return Err(StapleError::Unknown),
        }
        let until_s = until_s.ok_or(StapleError::NoEnd)?;
        if from_s > now_s.saturating_add(SKEW_S) {
            return Err(StapleError::Early(from_s));
        }
        if until_s <= now_s {
            return Err(StapleError::Stale(until_s));
        }
        Ok(Self { der: bytes.to_vec(), until_s })
    }
}

#[cfg(test)]
pub(crate) mod tests;
