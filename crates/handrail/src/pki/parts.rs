//! What authorities are made of: a folder that is held, names, numbers, times.

use super::{PkiError, Reason};
use crate::tls::private_file;
use fhir::Instant;
use oauth::certificate::RegisteredSubject;
use rcgen::{
    Certificate, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType, Issuer, KeyPair,
    SanType,
};
use std::{
    fs::{self, File},
    net::IpAddr,
    path::{Path, PathBuf},
};

pub(super) const DAY_S: i64 = 86_400;

/// Seconds that a certificate begins before it is made: for a machine whose clock is behind.
const EARLY_S: i64 = 300;

/// Reads a file of text.
pub(super) fn text(path: PathBuf) -> Result<String, PkiError> {
    fs::read_to_string(&path).map_err(|why| PkiError::File(path, why))
}

/// Where a certificate of this name and its key are to be.
pub(super) fn places(folder: &Path, name: &str, renew: bool) -> Result<(PathBuf, PathBuf), PkiError> {
    let name = file_name(name)?;
    let (path, key_path) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    if !renew && (path.exists() || key_path.exists()) {
        return Err(PkiError::Asked(format!(
            "{}: there is one of this name; choose another, or give --renew to replace its files",
            path.display()
        )));
    }
    Ok((path, key_path))
}

/// Certifies the key of a request (PEM), or one that is made.
pub(super) fn certified(
    params: &CertificateParams,
    request: Option<&str>,
    make: impl FnOnce() -> Result<KeyPair, PkiError>,
    issuer: &Issuer<'_, KeyPair>,
) -> Result<(Certificate, Option<KeyPair>), PkiError> {
    match request {
        // Of a request its key alone counts: that its sender holds it was verified when it was read.
        Some(pem) => {
            let request = CertificateSigningRequestParams::from_pem(pem)
                .map_err(|why| PkiError::Asked(format!("the request cannot be used: {why}")))?;
            Ok((params.signed_by(&request.public_key, issuer)?, None))
        }
        None => {
            let key = make()?;
            Ok((params.signed_by(&key, issuer)?, Some(key)))
        }
    }
}

/// Writes a key that its owner alone reads.
pub(super) fn put_key(path: &Path, key: &KeyPair) -> Result<(), PkiError> {
    private_file::write(path, key.serialize_pem().as_bytes()).map_err(|why| PkiError::File(path.to_owned(), why))
}

/// Writes what everybody may read.
pub(super) fn put(path: &Path, bytes: &[u8]) -> Result<(), PkiError> {
    private_file::write_public(path, bytes).map_err(|why| PkiError::File(path.to_owned(), why))
}

/// A certificate of a register, as far as it can be revoked.
pub(super) struct Row<'a> {
    pub(super) serial: &'a str,
    pub(super) name: &'a str,
    pub(super) ends_s: i64,
    pub(super) revoked: &'a mut Option<(i64, Reason)>,
}

/// Revokes all of a name that count, or the one of a serial number. How many.
pub(super) fn revoke<'a>(
    rows: impl Iterator<Item = Row<'a>>,
    which: &str,
    reason: Reason,
    now_s: i64,
) -> Result<usize, PkiError> {
    let serial = which.replace(':', "").to_ascii_lowercase();
    let mut revoked = 0;
    for row in rows {
        if (row.name == which || row.serial == serial) && row.revoked.is_none() && row.ends_s > now_s {
            *row.revoked = Some((now_s, reason));
            revoked += 1;
        }
    }
    if revoked == 0 {
        let why = format!("{which}: no certificate of this name or serial number counts; 'list' shows them all");
        return Err(PkiError::Asked(why));
    }
    Ok(revoked)
}

/// One command at a time works in a folder.
pub(super) fn hold(folder: &Path) -> Result<File, PkiError> {
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
pub(super) fn serial() -> Result<[u8; 16], PkiError> {
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

pub(super) fn valid(params: &mut CertificateParams, now: Instant, ends_s: i64) {
    (params.not_before, params.not_after) = (moment!(now.unix_seconds() - EARLY_S), moment!(ends_s));
}

pub(super) fn distinguished(common_name: &str, organization: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    if let Some(organization) = organization {
        name.push(DnType::OrganizationName, organization);
    }
    name.push(DnType::CommonName, common_name);
    name
}

/// SPEC: RFC 5280 appendix A.1: 64 characters are what such a name may have.
pub(super) fn checked<'a>(what: &str, name: &'a str) -> Result<&'a str, PkiError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
        return Err(PkiError::Asked(format!("{what} must have 1 to 64 characters")));
    }
    Ok(name)
}

fn file_name(name: &str) -> Result<&str, PkiError> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let taken = ["ca", "crl", "register", "root", "ocsp"].contains(&name);
    if name.is_empty() || name.len() > 100 || name.starts_with('.') || taken || !name.bytes().all(fits) {
        return Err(PkiError::Asked(format!(
            "{name}: the name becomes that of files: letters, digits, - _ and . alone, and not ca, root, ocsp, crl or register"
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

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    (0..hex.len()).step_by(2).map(pair).collect()
}
