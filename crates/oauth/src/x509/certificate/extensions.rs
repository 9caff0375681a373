//! The extensions of a certificate. SPEC: RFC 5280 section 4.2; RFC 6960 section 4.2.2.2.1.
//!
//! Each at most once. One that is critical and not known here is remembered by its number: such a certificate is in no
//! chain.

use crate::der::{self, Malformed, Reader, Value, dotted};
use crate::x509::{
    name::{self, GeneralName},
    name_constraints::NameConstraints,
};

/// `digitalSignature`.
const DIGITAL_SIGNATURE: usize = 0;
/// `keyCertSign`.
const CERT_SIGN: usize = 5;
/// `cRLSign`.
const CRL_SIGN: usize = 6;

/// `id-kp-OCSPSigning`.
const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];
/// `id-pe-authorityInfoAccess`.
const AUTHORITY_INFO: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
/// `id-pe-subjectInfoAccess`.
const SUBJECT_INFO: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 11];
/// `id-ad-ocsp`.
const OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1];
/// `id-pkix-ocsp-nocheck`.
const OCSP_NO_CHECK: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1, 5];

/// A key identifier.
pub(in crate::x509) type Identifier = Vec<u8>;

/// Basic constraints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::x509) struct Authority {
    pub(in crate::x509) is_one: bool,
    /// Authorities that may stand between it and a leaf.
    pub(in crate::x509) below_max: Option<u32>,
}

/// All that a chain and its lists ask of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::x509) struct Extensions {
    pub(in crate::x509) authority: Option<Authority>,
    key_usage: Option<Vec<u8>>,
    purposes: Option<Vec<Vec<u8>>>,
    pub(in crate::x509) uris: Vec<String>,
    /// All alternative names.
    pub(in crate::x509) names: Vec<GeneralName>,
    pub(in crate::x509) name_constraints: Option<NameConstraints>,
    pub(in crate::x509) subject_key: Option<Identifier>,
    pub(in crate::x509) authority_key: Option<Identifier>,
    pub(in crate::x509) lists: Vec<String>,
    pub(in crate::x509) deltas: Vec<String>,
    pub(in crate::x509) responders: Vec<String>,
    pub(in crate::x509) is_exempt_from_ocsp: bool,
    /// The first that is critical and not known.
    pub(in crate::x509) unknown: Option<String>,
}

impl Extensions {
    pub(super) fn read(mut all: Reader<'_>) -> Result<Self, Malformed> {
        let (mut found, mut seen): (Self, Vec<&[u8]>) = (Self::default(), Vec::new());
        while !all.is_empty() {
            let (oid, critical, value) = extension(&mut all)?;
            if seen.contains(&oid) {
                return Err(Malformed);
            }
            seen.push(oid);
            if !found.take(oid, value)? && critical && found.unknown.is_none() {
                found.unknown = Some(dotted(oid));
            }
        }
        Ok(found)
    }

    /// Reads one; whether it is known.
    fn take(&mut self, oid: &[u8], value: &[u8]) -> Result<bool, Malformed> {
        match oid {
            [0x55, 0x1d, 14] => self.subject_key = Some(octets(value)?),
            [0x55, 0x1d, 15] => self.key_usage = Some(named_bits(value)?),
            [0x55, 0x1d, 17] => {
                self.names = names(Reader::only(value, der::SEQUENCE)?.inside())?;
                let uris = self.names.iter();
                self.uris = uris
                    .filter_map(|name| if let GeneralName::Uri(uri) = name { Some(uri.clone()) } else { None })
                    .collect();
            }
            [0x55, 0x1d, 19] => {
                let mut parts = Reader::only(value, der::SEQUENCE)?.inside();
                let is_one = parts.flag()?;
                let below_max = if parts.is_empty() { None } else { Some(parts.small()?) };
                parts.end()?;
                self.authority = Some(Authority { is_one, below_max });
            }
            [0x55, 0x1d, 30] => self.name_constraints = Some(NameConstraints::read(value)?),
            [0x55, 0x1d, 31] => self.lists = points(value)?,
            [0x55, 0x1d, 46] => self.deltas = points(value)?,
            [0x55, 0x1d, 35] => self.authority_key = authority_key(value)?,
            [0x55, 0x1d, 37] => {
                let (mut parts, mut all) = (Reader::only(value, der::SEQUENCE)?.inside(), Vec::new());
                while !parts.is_empty() {
                    all.push(parts.oid()?.to_owned());
                }
                self.purposes = Some(all);
            }
            oid if oid == AUTHORITY_INFO => self.responders = responders(value)?,
            oid if oid == OCSP_NO_CHECK => self.is_exempt_from_ocsp = true,
            // Issuer's other names, policies and their mappings, who may not map them: they change nothing where no
            // policy is asked for. Policy constraints ask for one, and are not known here.
            [0x55, 0x1d, 18 | 32 | 33 | 54] => {}
            oid if oid == SUBJECT_INFO => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn may(&self, bit: usize) -> bool {
        // SPEC: section 6.1.4 (n): an absent key usage forbids nothing.
        self.key_usage.as_ref().is_none_or(|bits| bits.get(bit / 8).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0))
    }

    /// Whether its key may sign messages.
    pub(in crate::x509) fn may_sign(&self) -> bool {
        self.may(DIGITAL_SIGNATURE)
    }

    /// Whether its key may sign certificates.
    pub(in crate::x509) fn may_certify(&self) -> bool {
        self.may(CERT_SIGN)
    }

    /// Whether its key may sign revocation lists.
    pub(in crate::x509) fn may_revoke(&self) -> bool {
        self.may(CRL_SIGN)
    }

    /// Whether it was made for OCSP answers. SPEC: RFC 6960 section 4.2.2.2: by name; `anyExtendedKeyUsage` is not it.
    pub(in crate::x509) fn answers_ocsp(&self) -> bool {
        self.purposes.as_ref().is_some_and(|all| all.iter().any(|purpose| purpose == OCSP_SIGNING))
    }
}

/// One `Extension`: its type, whether it is critical, its value.
pub(in crate::x509) fn extension<'a>(all: &mut Reader<'a>) -> Result<(&'a [u8], bool, &'a [u8]), Malformed> {
    let mut parts = all.sequence()?;
    let (oid, critical, value) = (parts.oid()?, parts.flag()?, parts.octets()?);
    parts.end()?;
    Ok((oid, critical, value))
}

fn octets(value: &[u8]) -> Result<Vec<u8>, Malformed> {
    Ok(Reader::only(value, der::OCTET_STRING)?.content.to_owned())
}

fn named_bits(value: &[u8]) -> Result<Vec<u8>, Malformed> {
    match Reader::only(value, der::BIT_STRING)?.content {
        [unused, bits @ ..] if *unused < 8 && (*unused == 0 || !bits.is_empty()) => Ok(bits.to_owned()),
        _ => Err(Malformed),
    }
}

pub(in crate::x509) fn names(mut all: Reader<'_>) -> Result<Vec<GeneralName>, Malformed> {
    let mut names = Vec::new();
    while !all.is_empty() {
        names.push(name::general(all.take()?)?);
    }
    Ok(names)
}

/// The key identifier of an authority key identifier.
pub(in crate::x509) fn authority_key(value: &[u8]) -> Result<Option<Identifier>, Malformed> {
    let mut parts = Reader::only(value, der::SEQUENCE)?.inside();
    Ok(parts.optional(der::context_plain(0))?.map(|identifier| identifier.content.to_owned()))
}

/// URLs of distribution points. One with reasons of its own, or whose list another one signs, holds no whole list of the
/// issuer's, and is left aside.
pub(in crate::x509) fn points(value: &[u8]) -> Result<Vec<String>, Malformed> {
    let (mut all, mut urls) = (Reader::only(value, der::SEQUENCE)?.inside(), Vec::new());
    while !all.is_empty() {
        let mut point = all.sequence()?;
        let name = point.optional(der::context(0))?;
        if !point.is_empty() {
            continue;
        }
        if let Some(name) = name {
            urls.extend(point_urls(name)?);
        }
    }
    Ok(urls)
}

/// URLs of a `DistributionPointName` in its `[0]`; none when it is relative to the issuer.
pub(in crate::x509) fn point_urls(name: Value<'_>) -> Result<Vec<String>, Malformed> {
    let mut inside = name.inside();
    let Some(full) = inside.optional(der::context(0))? else { return Ok(Vec::new()) };
    inside.end()?;
    let web = |name: GeneralName| match name {
        GeneralName::Uri(url) if is_web(&url) => Some(url),
        _ => None,
    };
    Ok(names(full.inside())?.into_iter().filter_map(web).collect())
}

fn responders(value: &[u8]) -> Result<Vec<String>, Malformed> {
    let (mut all, mut urls) = (Reader::only(value, der::SEQUENCE)?.inside(), Vec::new());
    while !all.is_empty() {
        let mut access = all.sequence()?;
        let method = access.oid()?;
        let place = access.take()?;
        access.end()?;
        if method == OCSP
            && let GeneralName::Uri(url) = name::general(place)?
            && is_web(&url)
        {
            urls.push(url);
        }
    }
    Ok(urls)
}

fn is_web(url: &str) -> bool {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}
