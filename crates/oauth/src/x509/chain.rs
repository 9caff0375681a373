//! Chains from a leaf to an anchor. SPEC: RFC 5280 section 6; rows D9, D10.
//!
//! The chain is looked for among what was sent, for it need not come in order, with bounded work. Every certificate in
//! it must be in its time, anchors too; every authority must be one, may certify, and permits the names and the number
//! of those below it. Extended key usages mean nothing here: communities differ in what they write. Whether one was
//! revoked is asked elsewhere ([`super::crl`], [`super::ocsp`]).

use super::certificate::{Certificate, CertificateError};
use crate::limits;
use std::{fmt, sync::Arc};

/// Why there is no chain. The names are those of certificates' subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainError {
    /// No certificate was sent.
    Empty,
    /// More than ten certificates.
    TooMany,
    /// More than 64 kB.
    TooLarge,
    /// One of what was sent (its place, from 0 on) is no certificate that can be used.
    Certificate(usize, CertificateError),
    /// It has ended.
    Ended(String),
    /// It has not begun.
    NotYet(String),
    /// None of the anchors, and no certificate that was sent, is its issuer.
    NoIssuer(String),
    /// Its signature is not its issuer's.
    Signature(String),
    /// It was signed in a way that proves nothing: SHA-1, or an algorithm that we do not know.
    Algorithm(String),
    /// It gave out a certificate and is no authority.
    NoAuthority(String),
    /// The leaf is an authority.
    LeafIsAuthority,
    /// Its key usage does not permit what it did.
    KeyUsage(String),
    /// It has a critical extension (the number) that is not known here.
    Critical(String, String),
    /// It permits fewer authorities below it.
    PathLength(String),
    /// It does not permit a name of a certificate below it.
    Names(String),
    /// More than six certificates, the anchor included.
    TooLong,
    /// What was sent leads on so many ways that not all were tried.
    Work,
    /// The anchor has ended.
    AnchorEnded(String),
}

impl ChainError {
    /// One word for logs and audit entries.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Empty => "chain-empty",
            Self::TooMany => "chain-certificates",
            Self::TooLarge => "chain-bytes",
            Self::Certificate(_, CertificateError::Malformed) => "certificate-malformed",
            Self::Certificate(_, CertificateError::Key(_)) => "certificate-key",
            Self::Ended(_) => "certificate-ended",
            Self::NotYet(_) => "certificate-not-yet",
            Self::NoIssuer(_) => "chain-no-issuer",
            Self::Signature(_) => "certificate-signature",
            Self::Algorithm(_) => "certificate-algorithm",
            Self::NoAuthority(_) => "chain-no-authority",
            Self::LeafIsAuthority => "leaf-is-authority",
            Self::KeyUsage(_) => "key-usage",
            Self::Critical(..) => "critical-extension",
            Self::PathLength(_) => "path-length",
            Self::Names(_) => "name-constraints",
            Self::TooLong => "chain-length",
            Self::Work => "chain-work",
            Self::AnchorEnded(_) => "anchor-ended",
        }
    }

    /// Whether the certificates themselves are not in order (row D17: `invalid_software_statement`), rather than in
    /// order and not trusted (`unapproved_software_statement`).
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        matches!(
            self,
            Self::Empty | Self::TooMany | Self::TooLarge | Self::Certificate(..) | Self::Ended(_) | Self::NotYet(_)
        )
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no certificate"),
            Self::TooMany => write!(f, "there are more than {} certificates", limits::X5C_CERTIFICATES_MAX),
            Self::TooLarge => f.write_str("the certificates have more than 64 kB"),
            Self::Certificate(at, why) => write!(f, "certificate {}: {why}", at + 1),
            Self::Ended(whose) => write!(f, "the certificate of {whose} has ended"),
            Self::NotYet(whose) => write!(f, "the certificate of {whose} does not count yet"),
            Self::NoIssuer(whose) => {
                write!(
                    f,
                    "the certificate of {whose} was given out by none of the anchors, nor by a certificate that came with it"
                )
            }
            Self::Signature(whose) => write!(f, "the signature on the certificate of {whose} is not its issuer's"),
            Self::Algorithm(whose) => {
                write!(f, "the certificate of {whose} is signed with SHA-1 or an algorithm that is not supported")
            }
            Self::NoAuthority(whose) => write!(f, "{whose} gave out a certificate and is no authority"),
            Self::LeafIsAuthority => f.write_str("the first certificate is an authority's"),
            Self::KeyUsage(whose) => write!(f, "the key usage of {whose} does not permit this use"),
            Self::Critical(whose, oid) => {
                write!(f, "the certificate of {whose} has the critical extension {oid}, which is not supported")
            }
            Self::PathLength(whose) => write!(f, "{whose} permits fewer authorities below it"),
            Self::Names(whose) => write!(f, "{whose} does not permit a name of a certificate below it"),
            Self::TooLong => write!(f, "the chain has more than {} certificates", limits::CHAIN_LENGTH_MAX),
            Self::Work => f.write_str("the certificates lead on too many ways"),
            Self::AnchorEnded(whose) => write!(f, "the anchor {whose} has ended"),
        }
    }
}

impl std::error::Error for ChainError {}

/// Why certificates cannot be anchors; the place is counted from 0 on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnchorsError {
    /// There is none.
    Empty,
    /// More than fit.
    TooMany,
    /// It cannot be read.
    Certificate(usize, CertificateError),
    /// It is no authority's, or its key may not certify.
    NoAuthority(usize),
    /// It has a critical extension (the number) that is not known here.
    Critical(usize, String),
}

impl fmt::Display for AnchorsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no anchor"),
            Self::TooMany => write!(f, "there are more than {} anchors", limits::ANCHORS_MAX),
            Self::Certificate(at, why) => write!(f, "anchor {}: {why}", at + 1),
            Self::NoAuthority(at) => write!(f, "anchor {}: it is no authority's certificate", at + 1),
            Self::Critical(at, oid) => {
                write!(f, "anchor {}: it has the critical extension {oid}, which is not supported", at + 1)
            }
        }
    }
}

impl std::error::Error for AnchorsError {}

/// What is believed without proof.
#[derive(Debug, Clone)]
pub struct Anchors {
    all: Vec<Arc<Certificate>>,
}

impl Anchors {
    /// From DER, each.
    ///
    /// # Errors
    /// [`AnchorsError`].
    pub fn new<D: AsRef<[u8]>>(ders: &[D]) -> Result<Self, AnchorsError> {
        if ders.is_empty() {
            return Err(AnchorsError::Empty);
        }
        if ders.len() > limits::ANCHORS_MAX {
            return Err(AnchorsError::TooMany);
        }
        let read = |(at, der): (usize, &D)| {
            let anchor = Certificate::read(der.as_ref()).map_err(|why| AnchorsError::Certificate(at, why))?;
            if let Some(oid) = &anchor.extensions().unknown {
                return Err(AnchorsError::Critical(at, oid.clone()));
            }
            if !anchor.is_authority() || !anchor.extensions().may_certify() {
                return Err(AnchorsError::NoAuthority(at));
            }
            Ok(Arc::new(anchor))
        };
        Ok(Self { all: ders.iter().enumerate().map(read).collect::<Result<_, _>>()? })
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Arc<Certificate>] {
        &self.all
    }

    /// The chain of the first of these certificates, made of the others where need be.
    ///
    /// # Errors
    /// [`ChainError`]: of the way that led farthest.
    pub fn chain<D: AsRef<[u8]>>(&self, x5c: &[D], now_s: i64) -> Result<Chain, ChainError> {
        if x5c.is_empty() {
            return Err(ChainError::Empty);
        }
        if x5c.len() > limits::X5C_CERTIFICATES_MAX {
            return Err(ChainError::TooMany);
        }
        if x5c.iter().map(|der| der.as_ref().len()).sum::<usize>() > limits::X5C_BYTES_MAX {
            return Err(ChainError::TooLarge);
        }
        let mut sent: Vec<Arc<Certificate>> = Vec::with_capacity(x5c.len());
        for (at, der) in x5c.iter().enumerate() {
            let certificate = Certificate::read(der.as_ref()).map_err(|why| ChainError::Certificate(at, why))?;
            if sent.iter().all(|other| other.thumbprint() != certificate.thumbprint()) {
                sent.push(Arc::new(certificate));
            }
        }
        let leaf = Arc::clone(sent.first().ok_or(ChainError::Empty)?);
        in_order(&leaf, now_s)?;
        if leaf.is_authority() {
            return Err(ChainError::LeafIsAuthority);
        }
        if !leaf.extensions().may_sign() {
            return Err(ChainError::KeyUsage(leaf.subject().to_string()));
        }
        let mut search =
            Search { anchors: &self.all, sent: &sent, now_s, signatures_left: limits::CHAIN_SIGNATURES_MAX, why: None };
        let mut path = vec![Arc::clone(&leaf)];
        match search.goes_on(&mut path) {
            Ok(true) => Ok(Chain { certificates: path }),
            Ok(false) => {
                Err(search.why.map_or_else(|| ChainError::NoIssuer(leaf.subject().to_string()), |(_, why)| why))
            }
            Err(OutOfWork) => Err(ChainError::Work),
        }
    }
}

/// What any certificate must be.
fn in_order(certificate: &Certificate, now_s: i64) -> Result<(), ChainError> {
    let whose = || certificate.subject().to_string();
    if now_s > certificate.not_after_s() {
        return Err(ChainError::Ended(whose()));
    }
    if now_s < certificate.not_before_s() {
        return Err(ChainError::NotYet(whose()));
    }
    match &certificate.extensions().unknown {
        Some(oid) => Err(ChainError::Critical(whose(), oid.clone())),
        None => Ok(()),
    }
}

/// What an authority in the middle must be besides.
fn is_authority(certificate: &Certificate) -> Result<(), ChainError> {
    let whose = || certificate.subject().to_string();
    if !certificate.is_authority() {
        return Err(ChainError::NoAuthority(whose()));
    }
    if certificate.extensions().may_certify() { Ok(()) } else { Err(ChainError::KeyUsage(whose())) }
}

/// All signatures that may be looked at were.
struct OutOfWork;

struct Search<'a> {
    anchors: &'a [Arc<Certificate>],
    sent: &'a [Arc<Certificate>],
    now_s: i64,
    signatures_left: usize,
    /// Why the longest way so far went no further, and its length.
    why: Option<(usize, ChainError)>,
}

impl Search<'_> {
    /// Goes on from the last of the path, to an anchor; whether there is one, which then is the last.
    fn goes_on(&mut self, path: &mut Vec<Arc<Certificate>>) -> Result<bool, OutOfWork> {
        let Some(last) = path.last().cloned() else { return Ok(false) };
        let at = path.len();
        let (anchors, sent) = (self.anchors, self.sent);
        for anchor in anchors.iter().filter(|anchor| anchor.subject_der() == last.issuer_der()) {
            if at + 1 > limits::CHAIN_LENGTH_MAX {
                self.note(at, ChainError::TooLong);
                continue;
            }
            if !anchor.is_in_time(self.now_s) {
                self.note(at, ChainError::AnchorEnded(anchor.subject().to_string()));
                continue;
            }
            if !self.signed(&last, anchor, at)? {
                continue;
            }
            path.push(Arc::clone(anchor));
            match whole(path) {
                Ok(()) => return Ok(true),
                // Nothing is farther than this.
                Err(why) => self.note(usize::MAX, why),
            }
            path.pop();
        }
        for issuer in sent.iter().filter(|issuer| issuer.subject_der() == last.issuer_der()) {
            // A name with its key comes once in a chain, or it would go in circles.
            if path.iter().any(|other| other.subject_der() == issuer.subject_der() && other.key() == issuer.key()) {
                continue;
            }
            if at + 2 > limits::CHAIN_LENGTH_MAX {
                self.note(at, ChainError::TooLong);
                continue;
            }
            if let Err(why) = is_authority(issuer).and_then(|()| in_order(issuer, self.now_s)) {
                self.note(at, why);
                continue;
            }
            if !self.signed(&last, issuer, at)? {
                continue;
            }
            path.push(Arc::clone(issuer));
            if self.goes_on(path)? {
                return Ok(true);
            }
            path.pop();
        }
        self.note(at, ChainError::NoIssuer(last.subject().to_string()));
        Ok(false)
    }

    fn signed(&mut self, certificate: &Certificate, issuer: &Certificate, at: usize) -> Result<bool, OutOfWork> {
        self.signatures_left = self.signatures_left.checked_sub(1).ok_or(OutOfWork)?;
        let whose = || certificate.subject().to_string();
        match certificate.is_signed_by(issuer.key()) {
            Some(true) => return Ok(true),
            Some(false) => self.note(at, ChainError::Signature(whose())),
            None => self.note(at, ChainError::Algorithm(whose())),
        }
        Ok(false)
    }

    /// The first reason of the longest way counts.
    fn note(&mut self, at: usize, why: ChainError) {
        if self.why.as_ref().is_none_or(|(farthest, _)| at > *farthest) {
            self.why = Some((at, why));
        }
    }
}

/// What only a whole chain shows: how many authorities stand below each, and which names.
fn whole(path: &[Arc<Certificate>]) -> Result<(), ChainError> {
    for (at, authority) in path.iter().enumerate().skip(1) {
        let below = path.get(..at).unwrap_or_default();
        // SPEC: section 4.2.1.9: the leaf and those that name themselves as their issuer do not count.
        let authorities = below.iter().skip(1).filter(|certificate| !certificate.is_self_issued()).count();
        let below_max = authority.extensions().authority.and_then(|authority| authority.below_max);
        if below_max.is_some_and(|most| authorities > most as usize) {
            return Err(ChainError::PathLength(authority.subject().to_string()));
        }
        if let Some(constraints) = authority.name_constraints() {
            // SPEC: section 6.1.3 (b): the same exception, but for the leaf.
            let mut looked_at =
                below.iter().enumerate().filter(|(at, certificate)| *at == 0 || !certificate.is_self_issued());
            if looked_at.any(|(_, certificate)| !constraints.permit(certificate)) {
                return Err(ChainError::Names(authority.subject().to_string()));
            }
        }
    }
    Ok(())
}

/// A chain that holds: the leaf first, an anchor last. Whether one of it was revoked is not known yet.
#[derive(Debug, Clone)]
pub struct Chain {
    certificates: Vec<Arc<Certificate>>,
}

impl Chain {
    /// All, the leaf first, the anchor last.
    #[must_use]
    pub fn certificates(&self) -> &[Arc<Certificate>] {
        &self.certificates
    }

    /// The first.
    #[must_use]
    pub fn leaf(&self) -> Option<&Arc<Certificate>> {
        self.certificates.first()
    }

    /// Each but the anchor, with its issuer: those that can have been revoked.
    pub fn issued(&self) -> impl Iterator<Item = (&Arc<Certificate>, &Arc<Certificate>)> {
        self.certificates.iter().zip(self.certificates.iter().skip(1))
    }

    /// The last second in which all of it is in its time.
    #[must_use]
    pub fn until_s(&self) -> i64 {
        self.certificates.iter().map(|certificate| certificate.not_after_s()).min().unwrap_or(i64::MIN)
    }
}

#[cfg(test)]
mod tests;
