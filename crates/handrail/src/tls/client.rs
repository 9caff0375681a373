//! Client certificates: whom they come from, whether they hold now, and the files that say so.
//! SPEC: RFC 8446 section 4.4.2; RFC 5280; RFC 8705; rows A6, A8, A11.
//!
//! A certificate is examined in the handshake, and again with a request whenever anchors or revocation lists changed or
//! time could have changed the outcome ([`Standing`]): a session that is resumed, or a connection that stays open, is
//! no way around a revocation. Fail-closed: where there is any list, a certificate for whose issuer none is current is
//! refused. Left out: OCSP (this server asks nobody about its callers), lists fetched from distribution points.

pub(crate) mod verifier;
pub(crate) mod watch;

use arc_swap::ArcSwap;
use rustls::{
    CertificateError, DistinguishedName, Error, RootCertStore,
    pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

/// Whether a place to listen asks its clients for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Never.
    Off,
    /// Asks, and takes what is of an anchor or self-signed; goes on without.
    Optional,
    /// Goes on with one of an anchor alone.
    Required,
}

impl Mode {
    /// As the settings write it.
    pub(crate) fn of_word(word: Option<&str>) -> Self {
        match word {
            Some("optional") => Self::Optional,
            Some("required") => Self::Required,
            _ => Self::Off,
        }
    }
}

/// Where anchors and lists come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Files {
    /// PEM, any number of certificates each.
    pub(crate) anchors: Vec<PathBuf>,
    /// PEM or DER.
    pub(crate) lists: Vec<PathBuf>,
}

/// What such files held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Content {
    anchors: Vec<(PathBuf, Vec<u8>)>,
    lists: Vec<(PathBuf, Vec<u8>)>,
}

/// Why anchors or lists cannot be used. For the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrustError(pub(crate) String);

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TrustError {}

impl Files {
    /// Reads them all.
    ///
    /// # Errors
    /// [`TrustError`] with the file.
    pub(crate) fn read(&self) -> Result<Content, TrustError> {
        let one = |path: &PathBuf| -> Result<_, TrustError> { Ok((path.clone(), bytes(path)?)) };
        let all = |paths: &[PathBuf]| paths.iter().map(one).collect::<Result<Vec<_>, _>>();
        Ok(Content { anchors: all(&self.anchors)?, lists: all(&self.lists)? })
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, TrustError> {
    let failed = |why: std::io::Error| TrustError(format!("{}: {why}", path.display()));
    let found = std::fs::metadata(path).map_err(failed)?;
    if found.len() > crate::limits::TRUST_FILE_BYTES_MAX {
        let most = crate::limits::TRUST_FILE_BYTES_MAX >> 20;
        return Err(TrustError(format!("{}: longer than {most} MiB", path.display())));
    }
    std::fs::read(path).map_err(failed)
}

/// A revocation list, as far as it is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct List {
    /// Its file.
    pub(crate) path: PathBuf,
    /// Who made it, as the certificate names itself.
    issuer: Vec<u8>,
    /// The same for people.
    pub(crate) issuer_text: String,
    /// When it was made, in seconds since the epoch.
    pub(crate) made_s: i64,
    /// Until when it counts; `None` when it does not say, and then it counts for nothing.
    pub(crate) until_s: Option<i64>,
    /// Certificates on it.
    pub(crate) revoked: usize,
}

/// An anchor, as far as it is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// Its file.
    pub(crate) path: PathBuf,
    name: Vec<u8>,
    /// Its subject, for people.
    pub(crate) subject: String,
    /// When it ends, in seconds since the epoch.
    pub(crate) ends_s: i64,
}

/// Anchors and lists as they are at a moment.
pub(crate) struct Trust {
    /// Rises with each change.
    generation: u64,
    /// When the files were read.
    read_s: i64,
    /// `None` without anchors: then no chain is believed.
    webpki: Option<Arc<dyn ClientCertVerifier>>,
    subjects: Arc<[DistinguishedName]>,
    /// The anchors.
    pub(crate) anchors: Vec<Anchor>,
    /// The lists.
    pub(crate) lists: Vec<List>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({} anchors, {} lists)", self.anchors.len(), self.lists.len())
    }
}

impl Trust {
    /// Reads what the files held. An anchor that has ended vouches for nobody.
    ///
    /// # Errors
    /// [`TrustError`] with the file that cannot be used.
    pub(crate) fn of(content: &Content, now_s: i64) -> Result<Self, TrustError> {
        let (mut roots, mut anchors) = (RootCertStore::empty(), Vec::new());
        for (path, pem) in &content.anchors {
            let at = |why: &dyn fmt::Display| TrustError(format!("{}: {why}", path.display()));
            let before = anchors.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|_| at(&"a certificate in it is no PEM"))?;
                let (_, parsed) = X509Certificate::from_der(&certificate).map_err(|_| at(&"no X.509 certificate"))?;
                anchors.push(Anchor {
                    path: path.clone(),
                    name: parsed.subject().as_raw().to_owned(),
                    subject: parsed.subject().to_string(),
                    ends_s: parsed.validity().not_after.timestamp(),
                });
                let ended = parsed.validity().not_after.timestamp() <= now_s;
                let mut scratch = RootCertStore::empty();
                let into = if ended { &mut scratch } else { &mut roots };
                into.add(certificate.clone()).map_err(|why| at(&format_args!("no trust anchor: {why}")))?;
            }
            if anchors.len() == before {
                return Err(at(&"holds no PEM certificate"));
            }
        }
        let (mut raw, mut lists) = (Vec::new(), Vec::new());
        for (path, bytes) in &content.lists {
            let at = |why: &dyn fmt::Display| TrustError(format!("{}: {why}", path.display()));
            for list in lists_in(bytes).ok_or_else(|| at(&"holds no revocation list, PEM or DER"))? {
                lists.push(described(path, &list).ok_or_else(|| at(&"no X.509 revocation list"))?);
                raw.push(list);
            }
        }
        let subjects = roots.subjects().into();
        let webpki = if roots.is_empty() {
            None
        } else {
            let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), super::provider())
                .with_crls(raw)
                .enforce_revocation_expiration();
            Some(builder.build().map_err(|why| TrustError(format!("the revocation lists cannot be used: {why}")))?)
        };
        Ok(Self { generation: 0, read_s: now_s, webpki, subjects, anchors, lists })
    }

    /// When the first of the lists ends to count.
    pub(crate) fn lists_end_s(&self) -> Option<i64> {
        self.lists.iter().map(|list| list.until_s.unwrap_or(0)).min()
    }

    /// Whether an anchor has ended since the files were read.
    pub(crate) fn is_outdated(&self, now_s: i64) -> bool {
        self.anchors.iter().any(|anchor| anchor.ends_s > self.read_s && anchor.ends_s <= now_s)
    }

    /// A list of an issuer that is older than the one that is held of it: a way to take a revocation back.
    fn older_than(&self, held: &Self) -> Option<&List> {
        let newest = |lists: &[List]| {
            let mut newest: HashMap<Vec<u8>, i64> = HashMap::new();
            for list in lists {
                let at = newest.entry(list.issuer.clone()).or_insert(i64::MIN);
                *at = list.made_s.max(*at);
            }
            newest
        };
        let (new, old) = (newest(&self.lists), newest(&held.lists));
        self.lists
            .iter()
            .find(|list| old.get(&list.issuer).zip(new.get(&list.issuer)).is_some_and(|(held, found)| found < held))
    }
}

fn lists_in(bytes: &[u8]) -> Option<Vec<CertificateRevocationListDer<'static>>> {
    // A SEQUENCE: DER.
    if bytes.first() == Some(&0x30) {
        return Some(vec![CertificateRevocationListDer::from(bytes.to_owned())]);
    }
    let all: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(bytes).collect();
    all.ok().filter(|all| !all.is_empty())
}

fn described(path: &Path, der: &[u8]) -> Option<List> {
    let (_, parsed) = CertificateRevocationList::from_der(der).ok()?;
    Some(List {
        path: path.to_owned(),
        issuer: parsed.issuer().as_raw().to_owned(),
        issuer_text: parsed.issuer().to_string(),
        made_s: parsed.last_update().timestamp(),
        until_s: parsed.next_update().map(|until| until.timestamp()),
        revoked: parsed.iter_revoked_certificates().count(),
    })
}

/// What a certificate counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its chain ends in an anchor, all of it in its time and none of it revoked, and it was made for clients.
    Anchored,
    /// It names itself as its issuer: nobody vouches for it, but a client may have registered this very certificate.
    SelfSigned,
}

/// Why a certificate counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// There is none, and one is required.
    None,
    /// It cannot be read.
    Malformed,
    /// It, or one of its chain, has ended.
    Expired,
    /// It, or one of its chain, has not begun.
    NotYet,
    /// It, or one of its chain, is on its issuer's list.
    Revoked,
    /// No anchor vouches for it.
    Unknown,
    /// It was not made for clients.
    Purpose,
    /// There is no current list of an issuer in its chain.
    NoList,
    /// Its issuer may not make certificates for such names.
    Names,
    /// Anything else: a signature that is wrong, a key too short.
    Other,
}

impl Unfit {
    /// As one word, for metrics, log lines and the audit record.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::None => "certificate-missing",
            Self::Malformed => "certificate-malformed",
            Self::Expired => "certificate-expired",
            Self::NotYet => "certificate-not-yet-valid",
            Self::Revoked => "certificate-revoked",
            Self::Unknown => "certificate-unknown-issuer",
            Self::Purpose => "certificate-purpose",
            Self::NoList => "certificate-status-unknown",
            Self::Names => "certificate-names",
            Self::Other => "certificate-unfit",
        }
    }

    /// Of what rustls says.
    pub(crate) fn of(error: &Error) -> Self {
        use CertificateError as C;
        match error {
            Error::NoCertificatesPresented => Self::None,
            Error::InvalidCertRevocationList(_) => Self::NoList,
            Error::InvalidCertificate(why) => match why {
                C::BadEncoding => Self::Malformed,
                C::Expired | C::ExpiredContext { .. } => Self::Expired,
                C::NotValidYet | C::NotValidYetContext { .. } => Self::NotYet,
                C::Revoked => Self::Revoked,
                C::UnknownIssuer => Self::Unknown,
                C::InvalidPurpose | C::InvalidPurposeContext { .. } => Self::Purpose,
                C::UnknownRevocationStatus | C::ExpiredRevocationList | C::ExpiredRevocationListContext { .. } => {
                    Self::NoList
                }
                C::Other(why) if why.to_string().contains("NameConstraint") => Self::Names,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }

    fn error(self) -> Error {
        Error::InvalidCertificate(match self {
            Self::None => return Error::NoCertificatesPresented,
            Self::Malformed => CertificateError::BadEncoding,
            Self::Expired => CertificateError::Expired,
            Self::NotYet => CertificateError::NotValidYet,
            Self::Purpose => CertificateError::InvalidPurpose,
            _ => CertificateError::UnknownIssuer,
        })
    }
}

/// An examination: what a certificate counts for, and until when that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Examined {
    /// What it counts for.
    pub(crate) standing: Standing,
    generation: u64,
    from_s: i64,
    until_s: i64,
}

/// Anchors and lists, exchanged while the server runs.
#[derive(Debug)]
pub(crate) struct ClientTrust {
    current: ArcSwap<Trust>,
}

impl ClientTrust {
    /// Begins with these.
    pub(crate) fn new(trust: Trust) -> Self {
        Self { current: ArcSwap::from_pointee(trust) }
    }

    /// What counts now.
    pub(crate) fn current(&self) -> Arc<Trust> {
        self.current.load_full()
    }

    /// Puts others in their place: from the next request and handshake on.
    ///
    /// # Errors
    /// When they hold a list that is older than the one that is held of the same issuer.
    pub(crate) fn replace(&self, mut trust: Trust) -> Result<(), TrustError> {
        let held = self.current.load();
        if let Some(list) = trust.older_than(&held) {
            let path = list.path.display();
            return Err(TrustError(format!("{path}: older than the revocation list that is in use")));
        }
        trust.generation = held.generation + 1;
        self.current.store(Arc::new(trust));
        Ok(())
    }

    /// Which state of anchors and lists this is; it rises with each change.
    pub(crate) fn generation(&self) -> u64 {
        self.current.load().generation
    }

    /// Whether an examination still tells the truth.
    pub(crate) fn still(&self, examined: &Examined, now_s: i64) -> bool {
        examined.generation == self.current.load().generation && (examined.from_s..examined.until_s).contains(&now_s)
    }

    /// Examines a chain, the peer's own certificate first. That the peer holds its key is for the handshake to show.
    ///
    /// # Errors
    /// [`Unfit`], and what rustls tells the peer.
    pub(crate) fn examine(&self, chain: &[CertificateDer<'_>], now_s: i64) -> Result<Examined, (Unfit, Error)> {
        let refused = |why: Unfit| (why, why.error());
        let trust = self.current.load();
        let (own, others) = chain.split_first().ok_or_else(|| refused(Unfit::None))?;
        let parsed = X509Certificate::from_der(own).map_err(|_| refused(Unfit::Malformed))?.1;
        let purposes = parsed.extended_key_usage().map_err(|_| refused(Unfit::Malformed))?;
        let for_clients = purposes.map(|purposes| purposes.value.client_auth);
        let standing = match trust.chained(own, others, now_s) {
            // webpki takes a certificate that says nothing of its purpose: here it must say that it is for clients.
            Ok(()) if for_clients != Some(true) => return Err(refused(Unfit::Purpose)),
            Ok(()) => Standing::Anchored,
            Err(why) if parsed.issuer().as_raw() != parsed.subject().as_raw() => return Err((Unfit::of(&why), why)),
            Err(_) if parsed.validity().not_after.timestamp() <= now_s => return Err(refused(Unfit::Expired)),
            Err(_) if parsed.validity().not_before.timestamp() > now_s => return Err(refused(Unfit::NotYet)),
            Err(_) if for_clients == Some(false) => return Err(refused(Unfit::Purpose)),
            Err(_) => Standing::SelfSigned,
        };
        let until_s = match standing {
            Standing::Anchored => trust.known_until_s(chain),
            Standing::SelfSigned => parsed.validity().not_after.timestamp(),
        };
        Ok(Examined { standing, generation: trust.generation, from_s: now_s, until_s })
    }
}

impl Trust {
    fn chained(&self, own: &CertificateDer<'_>, others: &[CertificateDer<'_>], now_s: i64) -> Result<(), Error> {
        let webpki = self.webpki.as_ref().ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let now = std::time::Duration::from_secs(u64::try_from(now_s).unwrap_or_default());
        webpki.verify_client_cert(own, others, UnixTime::since_unix_epoch(now)).map(drop)
    }

    /// Until when time alone cannot change what was found: the first end of a certificate or a list.
    fn known_until_s(&self, chain: &[CertificateDer<'_>]) -> i64 {
        let ends = chain.iter().filter_map(|der| super::certificate::ends_at_s(der));
        ends.chain(self.lists_end_s()).min().unwrap_or_default()
    }

    /// Anchors without a list, where there are lists at all: whom they vouch for is refused.
    pub(crate) fn without_list(&self) -> impl Iterator<Item = &Anchor> {
        let listed = |anchor: &&Anchor| self.lists.iter().any(|list| list.issuer == anchor.name);
        self.anchors.iter().filter(move |anchor| !self.lists.is_empty() && !listed(anchor))
    }
}

#[cfg(test)]
mod tests;
