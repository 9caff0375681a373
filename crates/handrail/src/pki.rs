//! A private certification authority in a folder, for those who have none. SPEC: RFC 5280; row A6.
//!
//! | file | what |
//! |---|---|
//! | `ca.pem` | the authority's certificate: what servers and clients are told to trust |
//! | `ca.key` | its key, 0600: it never leaves this folder |
//! | `crl.pem` | the revocation list |
//! | `register.json` | every certificate that was made, and which are revoked |
//! | `NAME.pem`, `NAME.key` | a certificate with its chain, and its key, 0600 |
//!
//! A certificate stands in the register before its file is there: what is not registered could not be revoked. Keys are
//! ECDSA, P-256 unless P-384 is asked for. Left out: intermediate authorities, OCSP, distribution points.

use crate::tls::private_file;
use fhir::Instant;
use oauth::certificate::RegisteredSubject;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertificateSigningRequestParams,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, RevocationReason, RevokedCertParams, SanType, SerialNumber,
    SignatureAlgorithm,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    fs::{self, File},
    io,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

const DAY_S: i64 = 86_400;

/// Seconds that a certificate begins before it is made: for a machine whose clock is behind.
const EARLY_S: i64 = 300;

/// These seconds since the epoch as rcgen wants them; the type has no name here.
macro_rules! moment {
    ($seconds:expr) => {
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from($seconds).unwrap_or_default())
    };
}

/// Why the authority did not do it. For the person at the keyboard.
#[derive(Debug)]
pub(crate) enum PkiError {
    /// A file.
    File(PathBuf, io::Error),
    /// The folder holds an authority already.
    Exists(PathBuf),
    /// The folder holds none.
    Missing(PathBuf),
    /// Another command is at work in the folder.
    Busy(PathBuf),
    /// The register is not what this program wrote.
    Register(PathBuf),
    /// What was asked for cannot be.
    Asked(String),
    /// A certificate or key.
    Certificate(rcgen::Error),
}

impl fmt::Display for PkiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, why) => write!(f, "{}: {why}", path.display()),
            Self::Exists(folder) => write!(f, "{}: there is a certification authority already", folder.display()),
            Self::Missing(folder) => write!(f, "{}: there is no certification authority", folder.display()),
            Self::Busy(folder) => write!(f, "{}: another command is at work here", folder.display()),
            Self::Register(path) => write!(f, "{}: not a register of handrail", path.display()),
            Self::Asked(why) => f.write_str(why),
            Self::Certificate(why) => write!(f, "the certificate cannot be made: {why}"),
        }
    }
}

impl std::error::Error for PkiError {}

impl From<rcgen::Error> for PkiError {
    fn from(why: rcgen::Error) -> Self {
        Self::Certificate(why)
    }
}

/// The curve of a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
}

impl Curve {
    fn algorithm(self) -> &'static SignatureAlgorithm {
        match self {
            Self::P256 => &PKCS_ECDSA_P256_SHA256,
            Self::P384 => &PKCS_ECDSA_P384_SHA384,
        }
    }
}

/// Whom a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Use {
    /// A client of this or another server.
    Client,
    /// A server.
    Server,
}

/// Why a certificate is revoked. SPEC: RFC 5280 section 5.3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reason {
    /// No reason is told.
    Unspecified,
    /// Someone else may have the key.
    KeyCompromise,
    /// There is a newer one.
    Superseded,
    /// Its holder is no more.
    Cessation,
    /// Its holder may no longer.
    PrivilegeWithdrawn,
}

impl Reason {
    fn code(self) -> RevocationReason {
        match self {
            Self::Unspecified => RevocationReason::Unspecified,
            Self::KeyCompromise => RevocationReason::KeyCompromise,
            Self::Superseded => RevocationReason::Superseded,
            Self::Cessation => RevocationReason::CessationOfOperation,
            Self::PrivilegeWithdrawn => RevocationReason::PrivilegeWithdrawn,
        }
    }
}

/// A certificate of the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issued {
    /// Serial number, hexadecimal.
    pub(crate) serial: String,
    /// Name of its files.
    pub(crate) name: String,
    /// Whom it is for.
    pub(crate) kind: Use,
    /// When it was made, in seconds since the epoch.
    pub(crate) made_s: i64,
    /// When it ends.
    pub(crate) ends_s: i64,
    /// When and why it was revoked.
    pub(crate) revoked: Option<(i64, Reason)>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Register {
    /// Format of this file.
    format: u8,
    /// Days that a revocation list counts.
    list_days: u32,
    /// Number of the last one.
    list_number: u64,
    issued: Vec<Issued>,
}

/// A certificate that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Name of its files.
    pub(crate) name: String,
    /// Common name.
    pub(crate) common_name: String,
    /// Organization.
    pub(crate) organization: Option<String>,
    /// Alternative names.
    pub(crate) names: Vec<SanType>,
    /// Whom it is for.
    pub(crate) kind: Use,
    /// Days that it counts.
    pub(crate) days: u32,
    /// The curve of its key.
    pub(crate) curve: Curve,
    /// A request in PEM whose key is to be certified; then no key is made.
    pub(crate) request: Option<String>,
    /// Whether the files of that name may be replaced.
    pub(crate) renew: bool,
}

/// A certificate that was made.
#[derive(Debug)]
pub(crate) struct Made {
    /// The chain, its own first.
    pub(crate) certificate: PathBuf,
    /// Its key, when it was made here.
    pub(crate) key: Option<PathBuf>,
    /// Its DER.
    pub(crate) der: Vec<u8>,
    /// As registered.
    pub(crate) issued: Issued,
}

/// An authority whose folder is held.
pub(crate) struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    ca_pem: String,
    ends_s: i64,
    register: Register,
    _held: File,
}

impl Authority {
    /// Makes one in a folder that has none.
    ///
    /// # Errors
    /// [`PkiError`].
    pub(crate) fn init(
        folder: &Path,
        name: &str,
        (days, list_days): (u32, u32),
        curve: Curve,
        now: Instant,
    ) -> Result<Self, PkiError> {
        private_file::make_directory(folder).map_err(|why| PkiError::File(folder.to_owned(), why))?;
        let held = hold(folder)?;
        let (pem_path, key_path) = (folder.join("ca.pem"), folder.join("ca.key"));
        if pem_path.exists() || key_path.exists() {
            return Err(PkiError::Exists(folder.to_owned()));
        }
        let key = KeyPair::generate_for(curve.algorithm())?;
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished(checked("the name of the authority", name)?, None);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.serial_number = Some(SerialNumber::from_slice(&serial()?));
        let ends_s = now.unix_seconds() + i64::from(days) * DAY_S;
        valid(&mut params, now, ends_s);
        let ca_pem = params.self_signed(&key)?.pem();
        private_file::write(&key_path, key.serialize_pem().as_bytes()).map_err(|why| PkiError::File(key_path, why))?;
        let register = Register { format: 1, list_days, list_number: 0, issued: Vec::new() };
        let issuer = Issuer::new(params, key);
        let pem = ca_pem.clone();
        let mut authority = Self { folder: folder.to_owned(), issuer, ca_pem, ends_s, register, _held: held };
        authority.keep()?;
        authority.write_list(now)?;
        private_file::write_public(&pem_path, pem.as_bytes()).map_err(|why| PkiError::File(pem_path, why))?;
        Ok(authority)
    }

    /// Opens the one in this folder.
    ///
    /// # Errors
    /// [`PkiError`].
    pub(crate) fn open(folder: &Path) -> Result<Self, PkiError> {
        let pem_path = folder.join("ca.pem");
        if !pem_path.exists() {
            return Err(PkiError::Missing(folder.to_owned()));
        }
        let held = hold(folder)?;
        let text = |path: &Path| fs::read_to_string(path).map_err(|why| PkiError::File(path.to_owned(), why));
        let ca_pem = text(&pem_path)?;
        let key = KeyPair::from_pem(&text(&folder.join("ca.key"))?)?;
        let path = folder.join("register.json");
        let register: Register = serde_json::from_str(&text(&path)?).map_err(|_| PkiError::Register(path.clone()))?;
        if register.format != 1 {
            return Err(PkiError::Register(path));
        }
        let ends_s = CertificateDer::from_pem_slice(ca_pem.as_bytes())
            .ok()
            .and_then(|der| crate::tls::certificate::ends_at_s(&der))
            .ok_or_else(|| PkiError::File(pem_path, io::ErrorKind::InvalidData.into()))?;
        let issuer = Issuer::from_ca_cert_pem(&ca_pem, key)?;
        Ok(Self { folder: folder.to_owned(), issuer, ca_pem, ends_s, register, _held: held })
    }

    /// Every certificate, oldest first.
    pub(crate) fn issued(&self) -> &[Issued] {
        &self.register.issued
    }

    /// The authority's own certificate.
    pub(crate) fn certificate_path(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The revocation list.
    pub(crate) fn list_path(&self) -> PathBuf {
        self.folder.join("crl.pem")
    }

    /// Makes a certificate, and its key unless a request brings one.
    ///
    /// # Errors
    /// [`PkiError`].
    pub(crate) fn issue(&mut self, wanted: &Wanted, now: Instant) -> Result<Made, PkiError> {
        let name = file_name(&wanted.name)?;
        let (path, key_path) = (self.folder.join(format!("{name}.pem")), self.folder.join(format!("{name}.key")));
        if !wanted.renew && (path.exists() || key_path.exists()) {
            return Err(PkiError::Asked(format!(
                "{}: there is one of this name; choose another, or give --renew to replace its files",
                path.display()
            )));
        }
        let ends_s = (now.unix_seconds() + i64::from(wanted.days) * DAY_S).min(self.ends_s);
        if ends_s <= now.unix_seconds() {
            return Err(PkiError::Asked(
                "the authority's own certificate has ended; make a new one in another folder".into(),
            ));
        }
        let serial = serial()?;
        let mut params = CertificateParams::default();
        let organization = wanted.organization.as_deref().map(|name| checked("the organization", name)).transpose()?;
        params.distinguished_name = distinguished(checked("the common name", &wanted.common_name)?, organization);
        params.subject_alt_names.clone_from(&wanted.names);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match wanted.kind {
            Use::Client => ExtendedKeyUsagePurpose::ClientAuth,
            Use::Server => ExtendedKeyUsagePurpose::ServerAuth,
        }];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        valid(&mut params, now, ends_s);
        let (certificate, key) = match &wanted.request {
            // Of a request its key alone counts: that its sender holds it was verified when it was read.
            Some(pem) => {
                let request = CertificateSigningRequestParams::from_pem(pem)
                    .map_err(|why| PkiError::Asked(format!("the request cannot be used: {why}")))?;
                (params.signed_by(&request.public_key, &self.issuer)?, None)
            }
            None => {
                let key = KeyPair::generate_for(wanted.curve.algorithm())?;
                (params.signed_by(&key, &self.issuer)?, Some(key))
            }
        };
        let issued = Issued {
            serial: hex(&serial),
            name: name.to_owned(),
            kind: wanted.kind,
            made_s: now.unix_seconds(),
            ends_s,
            revoked: None,
        };
        self.register.issued.push(issued.clone());
        self.keep()?;
        if let Some(key) = &key {
            let pem = key.serialize_pem();
            private_file::write(&key_path, pem.as_bytes()).map_err(|why| PkiError::File(key_path.clone(), why))?;
        }
        let chain = format!("{}{}", certificate.pem(), self.ca_pem);
        private_file::write_public(&path, chain.as_bytes()).map_err(|why| PkiError::File(path.clone(), why))?;
        let der = certificate.der().to_vec();
        Ok(Made { certificate: path, key: key.map(|_| key_path), der, issued })
    }

    /// Revokes all certificates of a name, or the one of a serial number, and writes the list. How many were revoked.
    ///
    /// # Errors
    /// [`PkiError`], when there is none that counts.
    pub(crate) fn revoke(&mut self, which: &str, reason: Reason, now: Instant) -> Result<usize, PkiError> {
        let now_s = now.unix_seconds();
        let serial = which.replace(':', "").to_ascii_lowercase();
        let mut revoked = 0;
        for issued in &mut self.register.issued {
            if (issued.name == which || issued.serial == serial) && issued.revoked.is_none() && issued.ends_s > now_s {
                issued.revoked = Some((now_s, reason));
                revoked += 1;
            }
        }
        if revoked == 0 {
            return Err(PkiError::Asked(format!(
                "{which}: no certificate of this name or serial number counts; 'handrail pki list' shows them"
            )));
        }
        self.keep()?;
        self.write_list(now)?;
        Ok(revoked)
    }

    /// Changes how many days a list counts.
    pub(crate) fn set_list_days(&mut self, days: u32) {
        self.register.list_days = days;
    }

    /// Writes the revocation list anew; until when it counts, in seconds since the epoch.
    ///
    /// # Errors
    /// [`PkiError`].
    pub(crate) fn write_list(&mut self, now: Instant) -> Result<i64, PkiError> {
        self.register.list_number += 1;
        // The number first: two lists of one number must never be seen.
        self.keep()?;
        let until_s = now.unix_seconds() + i64::from(self.register.list_days) * DAY_S;
        let revoked = self.register.issued.iter().filter_map(|issued| {
            let (at_s, reason) = issued.revoked?;
            Some(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&bytes(&issued.serial)?),
                revocation_time: moment!(at_s),
                reason_code: (reason != Reason::Unspecified).then(|| reason.code()),
                invalidity_date: None,
            })
        });
        let list = CertificateRevocationListParams {
            this_update: moment!(now.unix_seconds()),
            next_update: moment!(until_s),
            crl_number: SerialNumber::from(self.register.list_number),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let pem = list.signed_by(&self.issuer)?.pem()?;
        let path = self.list_path();
        private_file::write_public(&path, pem.as_bytes()).map_err(|why| PkiError::File(path, why))?;
        Ok(until_s)
    }

    fn keep(&self) -> Result<(), PkiError> {
        let path = self.folder.join("register.json");
        let text = serde_json::to_vec_pretty(&self.register).map_err(|_| PkiError::Register(path.clone()))?;
        private_file::write(&path, &text).map_err(|why| PkiError::File(path, why))
    }
}

/// One command at a time works in a folder.
fn hold(folder: &Path) -> Result<File, PkiError> {
    use rustix::fs::{FlockOperation, flock};
    let path = folder.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|why| PkiError::File(path, why))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(_) => Err(PkiError::Busy(folder.to_owned())),
    }
}

/// 127 random bits, the first of them set so that the number has always the same length.
fn serial() -> Result<[u8; 16], PkiError> {
    let mut serial = [0; 16];
    crate::tls::provider()
        .secure_random
        .fill(&mut serial)
        .map_err(|_| PkiError::Asked("the system gives no randomness".into()))?;
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    Ok(serial)
}

fn valid(params: &mut CertificateParams, now: Instant, ends_s: i64) {
    (params.not_before, params.not_after) = (moment!(now.unix_seconds() - EARLY_S), moment!(ends_s));
}

fn distinguished(common_name: &str, organization: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    if let Some(organization) = organization {
        name.push(DnType::OrganizationName, organization);
    }
    name.push(DnType::CommonName, common_name);
    name
}

/// SPEC: RFC 5280 appendix A.1: 64 characters are what such a name may have.
fn checked<'a>(what: &str, name: &'a str) -> Result<&'a str, PkiError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
        return Err(PkiError::Asked(format!("{what} must have 1 to 64 characters")));
    }
    Ok(name)
}

fn file_name(name: &str) -> Result<&str, PkiError> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let taken = ["ca", "crl", "register"].contains(&name);
    if name.is_empty() || name.len() > 100 || name.starts_with('.') || taken || !name.bytes().all(fits) {
        return Err(PkiError::Asked(format!(
            "{name}: the name becomes that of files: letters, digits, - _ and . alone, and not ca or crl"
        )));
    }
    Ok(name)
}

/// Alternative names of these kinds.
///
/// # Errors
/// The first that cannot be one.
pub(crate) fn alternative_names(
    hosts: &[String],
    uris: &[String],
    addresses: &[IpAddr],
    emails: &[String],
) -> Result<Vec<SanType>, PkiError> {
    let unfit = |text: &String| PkiError::Asked(format!("{text}: not a name that a certificate can have"));
    let fits = |member: &str, text: &str| RegisteredSubject::from_member(member, text).is_ok();
    let mut names = Vec::new();
    for host in hosts {
        let whole = host.strip_prefix("*.").unwrap_or(host);
        names.push(match host.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) if !fits("tls_client_auth_san_dns", whole) => return Err(unfit(host)),
            Err(_) => SanType::DnsName(host.as_str().try_into().map_err(|_| unfit(host))?),
        });
    }
    for uri in uris {
        if !fits("tls_client_auth_san_uri", uri) {
            return Err(unfit(uri));
        }
        names.push(SanType::URI(uri.as_str().try_into().map_err(|_| unfit(uri))?));
    }
    names.extend(addresses.iter().map(|address| SanType::IpAddress(*address)));
    for email in emails {
        if !fits("tls_client_auth_san_email", email) {
            return Err(unfit(email));
        }
        names.push(SanType::Rfc822Name(email.as_str().try_into().map_err(|_| unfit(email))?));
    }
    Ok(names)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    (0..hex.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests;
