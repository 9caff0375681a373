//! Whom this program trusts when it is the TLS client: the machine's anchors, or one CA file.

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{fmt, path::Path, sync::Arc};

/// Why there is no trust to build on.
#[derive(Debug)]
pub(crate) enum TrustError {
    /// The CA file cannot be read or holds no certificate.
    File(String),
    /// The machine has no trust anchors.
    None,
    /// Our own certificate or key cannot be used.
    Own(String),
    /// rustls refused the set-up.
    Tls(rustls::Error),
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(why) => write!(f, "the CA file cannot be used: {why}"),
            Self::None => f.write_str("this machine has no trust anchors; name a CA file with --ca"),
            Self::Own(why) => write!(f, "the client certificate cannot be used: {why}"),
            Self::Tls(why) => write!(f, "TLS cannot be set up: {why}"),
        }
    }
}

impl std::error::Error for TrustError {}

/// A client configuration that trusts the CA file and nothing else, or the machine's anchors.
///
/// # Errors
/// [`TrustError`].
pub(crate) fn client_config(ca: Option<&Path>) -> Result<Arc<ClientConfig>, TrustError> {
    client_config_as(ca, None)
}

/// The same, showing a certificate to whoever asks: PEM files of the chain, our own first, and of its key.
///
/// # Errors
/// [`TrustError`].
pub(crate) fn client_config_as(
    ca: Option<&Path>,
    own: Option<(&Path, &Path)>,
) -> Result<Arc<ClientConfig>, TrustError> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            let pem = std::fs::read(path).map_err(|why| TrustError::File(format!("{}: {why}", path.display())))?;
            for certificate in CertificateDer::pem_slice_iter(&pem).flatten() {
                roots.add(certificate).map_err(|why| TrustError::File(format!("{}: {why}", path.display())))?;
            }
            if roots.is_empty() {
                return Err(TrustError::File(format!("{} holds no PEM certificate", path.display())));
            }
        }
        None => {
            let (_added, _refused) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(TrustError::None);
            }
        }
    }
    let builder = ClientConfig::builder_with_provider(super::provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(TrustError::Tls)?
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let failed = |path: &Path, why: &dyn fmt::Display| TrustError::Own(format!("{}: {why}", path.display()));
            let certificates = CertificateDer::pem_file_iter(chain).map_err(|why| failed(chain, &why))?;
            let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(|why| failed(chain, &why))?;
            if certificates.is_empty() {
                return Err(failed(chain, &"no PEM certificate in it"));
            }
            let private = PrivateKeyDer::from_pem_file(key).map_err(|why| failed(key, &why))?;
            builder.with_client_auth_cert(certificates, private).map_err(|why| failed(key, &why))?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
