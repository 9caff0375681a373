//! The server's certificates: read from PEM, checked, chosen by name, swapped while the server runs. SPEC: row A5.

use arc_swap::ArcSwap;
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{fmt, sync::Arc};
use x509_parser::extensions::GeneralName;

/// Why a certificate and key cannot be used.
#[derive(Debug)]
pub(crate) enum CertificateError {
    /// The chain is not PEM with at least one certificate.
    Chain,
    /// The key is not PEM with one private key.
    Key,
    /// The key is too short, of an unknown kind, or does not belong to the certificate.
    Unusable(rustls::Error),
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain => f.write_str("the certificate file holds no PEM certificate (server certificate first)"),
            Self::Key => f.write_str("the key file holds no PEM private key (PKCS #8, SEC 1 or PKCS #1)"),
            Self::Unusable(why) => {
                write!(f, "certificate and key cannot be used (RSA from 2048 bits, or P-256, P-384, P-521): {why}")
            }
        }
    }
}

impl std::error::Error for CertificateError {}

/// A certificate that handshakes are answered with.
pub(crate) struct Certificate {
    current: ArcSwap<Served>,
}

/// What is served at a moment.
struct Served {
    key: Arc<CertifiedKey>,
    /// DNS names of the certificate.
    names: Vec<String>,
}

/// What names a certificate to its authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Serial number: content of its INTEGER.
    pub(crate) serial: Vec<u8>,
    /// Name of its issuer, DER.
    pub(crate) issuer: Vec<u8>,
}

/// All certificates of the server, the first for who names none of them. SPEC: RFC 6066 section 3.
#[derive(Debug)]
pub(crate) struct Certificates(Vec<Arc<Certificate>>);

impl Certificates {
    /// These, the first one for who names none.
    pub(crate) fn new(certificates: Vec<Arc<Certificate>>) -> Self {
        Self(certificates)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello
            .server_name()
            .and_then(|host| self.0.iter().find(|one| one.current.load().names.iter().any(|name| covers(name, host))));
        named.or(self.0.first()).map(|one| Arc::clone(&one.current.load().key))
    }
}

/// Whether a name of a certificate is for this host. SPEC: RFC 9525 section 6.3: a star is one whole label.
pub(crate) fn covers(name: &str, host: &str) -> bool {
    match (name.strip_prefix("*."), host.split_once('.')) {
        (Some(domain), Some((_, rest))) => domain.eq_ignore_ascii_case(rest),
        _ => name.eq_ignore_ascii_case(host),
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate(…)")
    }
}

impl Certificate {
    /// Reads a chain (server certificate first) and its key, both PEM.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub(crate) fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        Ok(Self { current: ArcSwap::from_pointee(served(chain, key)?) })
    }

    /// Puts another certificate in its place: handshakes from now on see it.
    ///
    /// # Errors
    /// [`CertificateError`]; the old one stays.
    pub(crate) fn replace(&self, chain: &[u8], key: &[u8]) -> Result<(), CertificateError> {
        self.current.store(Arc::new(served(chain, key)?));
        Ok(())
    }

    /// Shows this OCSP response (DER) with handshakes from now on, or none.
    pub(crate) fn staple(&self, response: Option<Vec<u8>>) {
        self.current.rcu(|current| {
            let key = CertifiedKey { ocsp: response.clone(), ..(*current.key).clone() };
            Served { key: Arc::new(key), names: current.names.clone() }
        });
    }

    /// The OCSP response that is shown.
    pub(crate) fn stapled(&self) -> Option<Vec<u8>> {
        self.current.load().key.ocsp.clone()
    }

    /// What names the server certificate to its authority.
    pub(crate) fn leaf(&self) -> Option<Leaf> {
        let current = self.current.load();
        let (_, parsed) = x509_parser::parse_x509_certificate(current.key.cert.first()?).ok()?;
        Some(Leaf { serial: parsed.raw_serial().to_vec(), issuer: parsed.issuer().as_raw().to_vec() })
    }

    /// When the server certificate ends, in seconds since the epoch.
    pub(crate) fn ends_at_s(&self) -> Option<i64> {
        self.validity_s().map(|(_, ends_s)| ends_s)
    }

    /// When it begins and ends to be valid, in seconds since the epoch.
    pub(crate) fn validity_s(&self) -> Option<(i64, i64)> {
        let current = self.current.load();
        let (_, parsed) = x509_parser::parse_x509_certificate(current.key.cert.first()?).ok()?;
        Some((parsed.validity().not_before.timestamp(), parsed.validity().not_after.timestamp()))
    }
}

fn served(chain: &[u8], key: &[u8]) -> Result<Served, CertificateError> {
    let key = certified_key(chain, key)?;
    let names = key.cert.first().and_then(|der| dns_names(der)).unwrap_or_default();
    Ok(Served { key: Arc::new(key), names })
}

fn dns_names(der: &[u8]) -> Option<Vec<String>> {
    let (_, parsed) = x509_parser::parse_x509_certificate(der).ok()?;
    let names = parsed.subject_alternative_name().ok()??;
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    };
    Some(names.value.general_names.iter().filter_map(name).collect())
}

fn certified_key(chain: &[u8], key: &[u8]) -> Result<CertifiedKey, CertificateError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
        .map(|found| found.map(CertificateDer::into_owned))
        .collect::<Result<_, _>>()
        .map_err(|_| CertificateError::Chain)?;
    if chain.is_empty() {
        return Err(CertificateError::Chain);
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::Key)?;
    let key = super::provider().key_provider.load_private_key(key).map_err(CertificateError::Unusable)?;
    let certified = CertifiedKey::new(chain, key);
    certified.keys_match().map_err(CertificateError::Unusable)?;
    Ok(certified)
}

/// End of a certificate's validity in seconds since the epoch; `None` when it is no X.509.
pub(crate) fn ends_at_s(der: &[u8]) -> Option<i64> {
    let (_, parsed) = x509_parser::parse_x509_certificate(der).ok()?;
    Some(parsed.validity().not_after.timestamp())
}

#[cfg(test)]
mod tests;
