//! OCSP: asking an authority's responder for one certificate. SPEC: RFC 6960; RFC 5019; row D9.
//!
//! The question names the certificate by SHA-1, the one way that every responder knows; it proves nothing and need not.
//! There is no nonce, so that an answer can be kept for its time. An answer counts when the issuer signed it, or one
//! whom the issuer made for answering: whether that one was itself revoked is for the caller to ask ([`Answer::delegate`]).

use super::{
    Status,
    certificate::{Certificate, extension},
    scheme::Sealed,
};
use crate::der::{self, Malformed, Reader, Value};
use crate::{
    limits,
    ocsp_responder::{IdHash, certificate_id},
};
use aws_lc_rs::digest;
use std::fmt;

/// `id-pkix-ocsp-basic`.
const BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1, 1];

/// Certificates in an answer.
const CERTIFICATES_MAX: usize = 10;

/// Single answers in an answer.
const SINGLES_MAX: usize = 100;

/// Seconds that an answer counts that does not say when there will be a newer one.
const UNSTATED_S: i64 = 600;

/// Why an answer cannot be used. Tells no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OcspError {
    /// Not DER of a basic OCSP response.
    Malformed,
    /// Over 64 kB.
    TooLarge,
    /// The responder does not answer: 1 malformed request, 2 internal error, 3 try later, 5 signature required,
    /// 6 unauthorized.
    Refused(u8),
    /// It has a critical extension that is not known.
    Critical,
    /// Whoever signed it is neither the issuer nor made for answering by it.
    Responder,
    /// The signature is not the responder's.
    Signature,
    /// It was made later than now.
    NotYet,
    /// There should be a newer one by now.
    Old,
}

impl fmt::Display for OcspError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is not an OCSP answer",
            Self::TooLarge => "it has more than 64 kB",
            Self::Refused(status) => return write!(f, "the responder does not answer (status {status})"),
            Self::Critical => "it has a critical extension that is not supported",
            Self::Responder => "whoever signed it may not speak for the issuer",
            Self::Signature => "its signature is not the responder's",
            Self::NotYet => "it was made in the future",
            Self::Old => "there should be a newer one by now",
        })
    }
}

impl std::error::Error for OcspError {}

impl From<Malformed> for OcspError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// The question for this certificate, to be sent as `application/ocsp-request`.
#[must_use]
pub fn request(certificate: &Certificate, issuer: &Certificate) -> Vec<u8> {
    let id = certificate_id(IdHash::Sha1, issuer.subject_der(), issuer.key_bits(), certificate.serial());
    // OCSPRequest, tbsRequest, requestList, Request.
    (0..4).fold(id, |inner, _| der::sequence(&[&inner]))
}

/// An answer that came, not verified.
#[derive(Debug, Clone)]
pub struct Response {
    /// `BasicOCSPResponse`.
    basic: Vec<u8>,
}

/// What an answer says of a certificate, whoever signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// Its standing.
    pub standing: Standing,
    /// Since when that is known, in seconds since the epoch.
    pub from_s: i64,
    /// When there will be a newer answer.
    pub until_s: Option<i64>,
}

/// The standing of a certificate, as an answer has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is not revoked.
    Good,
    /// It is, since then.
    Revoked {
        /// Seconds since the epoch.
        since_s: i64,
    },
    /// It is not known.
    Unknown,
}

/// What a verified answer says.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The standing of the certificate.
    pub status: Status,
    /// Who signed in the issuer's place, when the issuer does not vouch for them for as long as their certificate lasts
    /// (`id-pkix-ocsp-nocheck`): the answer counts only if they are not revoked.
    pub delegate: Option<Box<Certificate>>,
}

impl Response {
    /// Reads one.
    ///
    /// # Errors
    /// [`OcspError`]; its signature is not looked at here.
    pub fn read(bytes: &[u8]) -> Result<Self, OcspError> {
        if bytes.len() > limits::OCSP_BYTES_MAX {
            return Err(OcspError::TooLarge);
        }
        let mut parts = Reader::only(bytes, der::SEQUENCE)?.inside();
        match parts.expect(der::ENUMERATED)?.content {
            [0] => {}
            [status] => return Err(OcspError::Refused(*status)),
            _ => return Err(OcspError::Malformed),
        }
        let body = parts.expect(der::context(0))?;
        parts.end()?;
        let mut body = Reader::only(body.content, der::SEQUENCE)?.inside();
        if body.oid()? != BASIC {
            return Err(OcspError::Malformed);
        }
        let basic = body.octets()?.to_owned();
        body.end()?;
        Ok(Self { basic })
    }

    /// What it says of this certificate, when it may: signed by the issuer or by its delegate, and fresh.
    ///
    /// # Errors
    /// [`OcspError`].
    pub fn verify(&self, certificate: &Certificate, issuer: &Certificate, now_s: i64) -> Result<Answer, OcspError> {
        let mut parts = Reader::only(&self.basic, der::SEQUENCE)?.inside();
        let sealed = Sealed::read(&mut parts)?;
        let enclosed = parts.optional(der::context(0))?;
        parts.end()?;
        let data = Data::read(sealed.content)?;
        let delegate = if data.responder.is(issuer) {
            if !sealed.verifies(issuer.key()) {
                return Err(OcspError::Signature);
            }
            None
        } else {
            let delegate = delegate(enclosed, &data.responder, issuer, now_s)?;
            if !sealed.verifies(delegate.key()) {
                return Err(OcspError::Signature);
            }
            (!delegate.extensions().is_exempt_from_ocsp).then(|| Box::new(delegate))
        };
        if data.critical {
            return Err(OcspError::Critical);
        }
        let is_its = |hash: IdHash, id: &Id<'_>| {
            id.serial == certificate.serial()
                && id.name == hash.of(issuer.subject_der())
                && id.key == hash.of(issuer.key_bits())
        };
        let Some(single) = data.single(is_its)? else { return Ok(Answer { status: Status::Unknown, delegate }) };
        if single.critical {
            return Err(OcspError::Critical);
        }
        let Said { standing, from_s, until_s } = single.said;
        if from_s > now_s + limits::CLOCK_SKEW_S {
            return Err(OcspError::NotYet);
        }
        let until_s = until_s.unwrap_or(from_s + UNSTATED_S);
        if until_s <= now_s {
            return Err(OcspError::Old);
        }
        let status = match standing {
            Standing::Good => Status::Good { until_s },
            Standing::Revoked { since_s } => Status::Revoked { since_s, until_s },
            Standing::Unknown => Status::Unknown,
        };
        Ok(Answer { status, delegate })
    }

    /// What it says of the certificate with this serial number of the issuer with this name (DER). **Nothing is
    /// verified**: for who hands on what somebody else checks, as a server does that staples it.
    ///
    /// # Errors
    /// [`OcspError::Malformed`].
    pub fn unverified(&self, issuer: &[u8], serial: &[u8]) -> Result<Option<Said>, OcspError> {
        let mut parts = Reader::only(&self.basic, der::SEQUENCE)?.inside();
        let sealed = Sealed::read(&mut parts)?;
        parts.optional(der::context(0))?;
        parts.end()?;
        let is_its = |hash: IdHash, id: &Id<'_>| id.serial == serial && id.name == hash.of(issuer);
        Ok(Data::read(sealed.content)?.single(is_its)?.map(|single| single.said))
    }
}

/// Whoever answers in the issuer's place. SPEC: RFC 6960 section 4.2.2.2: given out by the very issuer, for this.
fn delegate(
    enclosed: Option<Value<'_>>,
    responder: &Responder<'_>,
    issuer: &Certificate,
    now_s: i64,
) -> Result<Certificate, OcspError> {
    let enclosed = enclosed.ok_or(OcspError::Responder)?;
    let (mut all, mut count) = (Reader::only(enclosed.content, der::SEQUENCE)?.inside(), 0);
    while !all.is_empty() {
        let der = all.expect(der::SEQUENCE)?.whole;
        count += 1;
        if count > CERTIFICATES_MAX {
            return Err(OcspError::Malformed);
        }
        let Ok(found) = Certificate::read(der) else { continue };
        let extensions = found.extensions();
        let is_made_for_it = extensions.answers_ocsp() && extensions.may_sign() && extensions.unknown.is_none();
        if responder.is(&found)
            && is_made_for_it
            && found.is_in_time(now_s)
            && found.issuer_der() == issuer.subject_der()
            && found.is_signed_by(issuer.key()) == Some(true)
        {
            return Ok(found);
        }
    }
    Err(OcspError::Responder)
}

enum Responder<'a> {
    Name(&'a [u8]),
    Key(&'a [u8]),
}

impl Responder<'_> {
    fn is(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Name(name) => *name == certificate.subject_der(),
            Self::Key(hash) => {
                digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate.key_bits()).as_ref() == *hash
            }
        }
    }
}

struct Data<'a> {
    responder: Responder<'a>,
    singles: Reader<'a>,
    critical: bool,
}

impl<'a> Data<'a> {
    fn read(whole: Value<'a>) -> Result<Self, Malformed> {
        let mut parts = whole.inside();
        parts.optional(der::context(0))?;
        let responder = parts.take()?;
        let responder = match responder.tag {
            0xa1 => Responder::Name(Reader::only(responder.content, der::SEQUENCE)?.whole),
            0xa2 => Responder::Key(Reader::only(responder.content, der::OCTET_STRING)?.content),
            _ => return Err(Malformed),
        };
        parts.time()?;
        let singles = parts.sequence()?;
        let critical = has_critical(parts.optional(der::context(1))?)?;
        parts.end()?;
        Ok(Self { responder, singles, critical })
    }

    /// The first that is about the certificate that is meant.
    fn single(self, is_meant: impl Fn(IdHash, &Id<'_>) -> bool) -> Result<Option<Single<'a>>, Malformed> {
        let (mut singles, mut count) = (self.singles, 0);
        while !singles.is_empty() {
            count += 1;
            if count > SINGLES_MAX {
                return Err(Malformed);
            }
            let single = Single::read(singles.sequence()?)?;
            if single.id.as_ref().is_some_and(|(hash, id)| is_meant(*hash, id)) {
                return Ok(Some(single));
            }
        }
        Ok(None)
    }
}

/// `CertID`, its hash apart.
struct Id<'a> {
    name: &'a [u8],
    key: &'a [u8],
    serial: &'a [u8],
}

struct Single<'a> {
    /// `None`: a hash that is not known, so nobody's.
    id: Option<(IdHash, Id<'a>)>,
    said: Said,
    critical: bool,
}

impl<'a> Single<'a> {
    fn read(mut parts: Reader<'a>) -> Result<Self, Malformed> {
        let mut id = parts.sequence()?;
        let hash = IdHash::named(id.sequence()?.oid()?);
        let (name, key, serial) = (id.octets()?, id.octets()?, id.integer()?);
        id.end()?;
        let standing = parts.take()?;
        let standing = match standing.tag {
            0x80 => Standing::Good,
            0xa1 => Standing::Revoked { since_s: standing.inside().time()? },
            0x82 => Standing::Unknown,
            _ => return Err(Malformed),
        };
        let from_s = parts.time()?;
        let until_s = parts.optional(der::context(0))?.map(|value| value.inside().time()).transpose()?;
        let critical = has_critical(parts.optional(der::context(1))?)?;
        parts.end()?;
        let id = hash.map(|hash| (hash, Id { name, key, serial }));
        Ok(Self { id, said: Said { standing, from_s, until_s }, critical })
    }
}

fn has_critical(all: Option<Value<'_>>) -> Result<bool, Malformed> {
    let Some(all) = all else { return Ok(false) };
    let mut all = Reader::only(all.content, der::SEQUENCE)?.inside();
    let mut found = false;
    while !all.is_empty() {
        found |= extension(&mut all)?.1;
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
