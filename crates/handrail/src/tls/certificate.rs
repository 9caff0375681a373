//! The server's certificate: read from PEM, checked, swapped while the server runs. SPEC: row A5.

use arc_swap::ArcSwap;
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{fmt, sync::Arc};

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

/// The certificate that handshakes are answered with.
pub(crate) struct Certificate {
    current: ArcSwap<CertifiedKey>,
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
        Ok(Self { current: ArcSwap::from_pointee(certified_key(chain, key)?) })
    }

    /// Puts another certificate in its place: handshakes from now on see it.
    ///
    /// # Errors
    /// [`CertificateError`]; the old one stays.
    pub(crate) fn replace(&self, chain: &[u8], key: &[u8]) -> Result<(), CertificateError> {
        self.current.store(Arc::new(certified_key(chain, key)?));
        Ok(())
    }

    /// When the server certificate ends, in seconds since the epoch.
    pub(crate) fn ends_at_s(&self) -> Option<i64> {
        self.validity_s().map(|(_, ends_s)| ends_s)
    }

    /// When it begins and ends to be valid, in seconds since the epoch.
    pub(crate) fn validity_s(&self) -> Option<(i64, i64)> {
        let current = self.current.load();
        let (_, parsed) = x509_parser::parse_x509_certificate(current.cert.first()?).ok()?;
        Some((parsed.validity().not_before.timestamp(), parsed.validity().not_after.timestamp()))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
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
