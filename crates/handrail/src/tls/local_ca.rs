//! A certification authority of one data directory, for trying out: `DIR/tls/ca.pem` and a leaf.
//!
//! The leaf names localhost, 127.0.0.1, ::1 and the host that the server listens on. It is made anew
//! when it lacks a name, when a third of its life is left, or when the CA changed.
//! Left out: revocation, and any use beyond one machine. Real servers bring their own certificate.

use super::{certificate, private_file};
use fhir::Instant;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{
    fmt, fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

const DAY_S: i64 = 86_400;

/// Life of the CA: longer than any trial.
const CA_LIFE_DAYS: i64 = 3650;

/// Life of the leaf: what browsers accept, and short enough that renewal is exercised.
const LEAF_LIFE_DAYS: i64 = 90;

/// Days left at which the leaf is renewed.
const RENEW_DAYS: i64 = 30;

/// Why the local CA could not be made or read.
#[derive(Debug)]
pub(crate) enum LocalCaError {
    /// A file.
    File(PathBuf, io::Error),
    /// A certificate or key.
    Certificate(rcgen::Error),
}

impl fmt::Display for LocalCaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, why) => write!(f, "{}: {why}", path.display()),
            Self::Certificate(why) => write!(f, "the local CA cannot make a certificate: {why}"),
        }
    }
}

impl std::error::Error for LocalCaError {}

impl From<rcgen::Error> for LocalCaError {
    fn from(why: rcgen::Error) -> Self {
        Self::Certificate(why)
    }
}

/// A leaf with its key, both PEM. The key has no `Debug`.
pub(crate) struct Leaf {
    /// Leaf and CA.
    pub(crate) chain: String,
    /// PKCS #8.
    pub(crate) key: String,
}

/// Where the CA's own certificate lies: what clients are told to trust.
pub(crate) fn ca_path(directory: &Path) -> PathBuf {
    directory.join("tls").join("ca.pem")
}

/// Reads CA and leaf of this data directory, and makes what is missing, stale or ending.
///
/// # Errors
/// [`LocalCaError`].
pub(crate) fn leaf(directory: &Path, listen_host: &str, now: Instant) -> Result<Leaf, LocalCaError> {
    let folder = directory.join("tls");
    private_file::make_directory(&folder).map_err(|why| LocalCaError::File(folder.clone(), why))?;
    let names = names(listen_host);
    let (ca_pem, issuer) = authority(&folder, now)?;
    let (chain_path, key_path) = (folder.join("server.pem"), folder.join("server.key"));
    if let (Some(chain), Some(key)) = (text(&chain_path)?, text(&key_path)?)
        && still_good(&chain, &ca_pem, &names, now)
        && KeyPair::from_pem(&key).is_ok()
    {
        return Ok(Leaf { chain, key });
    }
    let made = make_leaf(&issuer, &ca_pem, &names, now)?;
    write(&key_path, &made.key)?;
    private_file::write_public(&chain_path, made.chain.as_bytes())
        .map_err(|why| LocalCaError::File(chain_path, why))?;
    Ok(made)
}

fn authority(folder: &Path, now: Instant) -> Result<(String, Issuer<'static, KeyPair>), LocalCaError> {
    let (pem_path, key_path) = (folder.join("ca.pem"), folder.join("ca.key"));
    if let (Some(pem), Some(key)) = (text(&pem_path)?, text(&key_path)?) {
        let ends = CertificateDer::from_pem_slice(pem.as_bytes()).ok().and_then(|der| certificate::ends_at_s(&der));
        if ends.is_some_and(|at| at > now.unix_seconds() + LEAF_LIFE_DAYS * DAY_S) {
            let issuer = Issuer::from_ca_cert_pem(&pem, KeyPair::from_pem(&key)?)?;
            return Ok((pem, issuer));
        }
    }
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = name(&format!("handrail local CA {}", now.unix_seconds()));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    validity(&mut params, now, CA_LIFE_DAYS);
    let pem = params.self_signed(&key)?.pem();
    write(&key_path, &key.serialize_pem())?;
    private_file::write_public(&pem_path, pem.as_bytes()).map_err(|why| LocalCaError::File(pem_path, why))?;
    Ok((pem, Issuer::new(params, key)))
}

fn make_leaf(
    issuer: &Issuer<'static, KeyPair>,
    ca_pem: &str,
    names: &[String],
    now: Instant,
) -> Result<Leaf, LocalCaError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = name("handrail");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    validity(&mut params, now, LEAF_LIFE_DAYS);
    let chain = format!("{}{ca_pem}", params.signed_by(&key, issuer)?.pem());
    Ok(Leaf { chain, key: key.serialize_pem() })
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

fn validity(params: &mut CertificateParams, now: Instant, days: i64) {
    // An hour back, for a client whose clock is behind.
    let at = |seconds: i64| {
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
    };
    params.not_before = at(now.unix_seconds() - 3600);
    params.not_after = at(now.unix_seconds() + days * DAY_S);
}

/// The leaf's names: always the loopback ones, and the host when it is one that a client can name.
fn names(listen_host: &str) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let unspecified = listen_host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified());
    if !unspecified && !names.iter().any(|name| name == listen_host) {
        names.push(listen_host.to_owned());
    }
    names
}

fn still_good(chain: &str, ca_pem: &str, names: &[String], now: Instant) -> bool {
    let Ok(wanted) = CertificateParams::new(names) else { return false };
    let Ok(der) = CertificateDer::from_pem_slice(chain.as_bytes()) else { return false };
    let Ok((_, leaf)) = x509_parser::parse_x509_certificate(&der) else { return false };
    let lasts = leaf.validity().not_after.timestamp() > now.unix_seconds() + RENEW_DAYS * DAY_S;
    let started = leaf.validity().not_before.timestamp() <= now.unix_seconds();
    let alternative = leaf.subject_alternative_name().ok().flatten();
    let present: Vec<_> = alternative.iter().flat_map(|names| &names.value.general_names).collect();
    let named = wanted.subject_alt_names.iter().all(|name| present.iter().any(|other| same_name(name, other)));
    lasts && started && named && chain.ends_with(ca_pem)
}

fn same_name(wanted: &SanType, present: &x509_parser::extensions::GeneralName<'_>) -> bool {
    use x509_parser::extensions::GeneralName;
    match (wanted, present) {
        (SanType::DnsName(name), GeneralName::DNSName(other)) => name.as_str() == *other,
        (SanType::IpAddress(IpAddr::V4(address)), GeneralName::IPAddress(bytes)) => address.octets() == **bytes,
        (SanType::IpAddress(IpAddr::V6(address)), GeneralName::IPAddress(bytes)) => address.octets() == **bytes,
        _ => false,
    }
}

fn text(path: &Path) -> Result<Option<String>, LocalCaError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(LocalCaError::File(path.to_owned(), why)),
    }
}

fn write(path: &Path, secret: &str) -> Result<(), LocalCaError> {
    private_file::write(path, secret.as_bytes()).map_err(|why| LocalCaError::File(path.to_owned(), why))
}

#[cfg(test)]
mod tests;
