//! TLS of the server: versions, suites, certificates and their reload. SPEC: rows A1, A2, A5.
//!
//! rustls with aws-lc-rs speaks TLS 1.2 and 1.3 only, with ECDHE and AEAD suites only, without
//! compression or renegotiation; there is no setting that widens this. RSA keys below 2,048 bits
//! and curves other than P-256, P-384, P-521 and Ed25519 are refused when the key is read.
//! Left out for now: client certificates (rows A6 to A11), several certificates by SNI, OCSP stapling.

pub(crate) mod certificate;
pub(crate) mod local_ca;
pub(crate) mod private_file;
pub(crate) mod trust;
pub(crate) mod watch;

use certificate::Certificate;
use rustls::{ServerConfig, crypto::CryptoProvider};
use std::sync::Arc;

/// The cryptography of every TLS connection of this program.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// What a server needs to accept TLS with this certificate, which may be swapped while it runs.
///
/// # Errors
/// When the provider does not know the versions, which cannot happen with aws-lc-rs.
pub(crate) fn server_config(certificate: Arc<Certificate>) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Early data can be replayed by anyone on the path, and a FHIR create must not be.
    config.max_early_data_size = 0;
    Ok(config)
}
