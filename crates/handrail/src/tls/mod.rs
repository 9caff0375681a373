//! TLS of the server: versions, suites, certificates and their reload. SPEC: rows A1, A2, A5, A6.
//!
//! rustls with aws-lc-rs speaks TLS 1.2 and 1.3 only, with ECDHE and AEAD suites only, without
//! compression or renegotiation; there is no setting that widens this. RSA keys below 2,048 bits
//! and curves other than P-256, P-384, P-521 and Ed25519 are refused when the key is read, and when a
//! client signs with one. Certificates of clients: [`client`].

pub(crate) mod certificate;
pub(crate) mod client;
pub(crate) mod local_ca;
pub(crate) mod private_file;
pub(crate) mod staple;
pub(crate) mod trust;
pub(crate) mod watch;

use arc_swap::ArcSwap;
use certificate::Certificates;
use client::{ClientTrust, Mode, verifier::Verifier};
use rustls::{ServerConfig, crypto::CryptoProvider};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// The cryptography of every TLS connection of this program.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// What one place to listen shakes hands with.
pub(crate) struct Handshakes {
    mode: Mode,
    hints: bool,
    certificate: Arc<Certificates>,
    trust: Arc<ClientTrust>,
    config: ArcSwap<ServerConfig>,
}

impl Handshakes {
    /// `hints`: whether clients are told which anchors count ([`Verifier::new`]).
    ///
    /// # Errors
    /// When the provider does not know the versions, which cannot happen with aws-lc-rs.
    pub(crate) fn new(
        certificate: Arc<Certificates>,
        mode: Mode,
        trust: Arc<ClientTrust>,
        hints: bool,
    ) -> Result<Self, rustls::Error> {
        let config = ArcSwap::from_pointee(server_config(&certificate, mode, &trust, hints)?);
        Ok(Self { mode, hints, certificate, trust, config })
    }

    /// For the next connection.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.load_full())
    }

    /// Names the anchors of now, and forgets the sessions that could be resumed.
    pub(crate) fn renew(&self) {
        match server_config(&self.certificate, self.mode, &self.trust, self.hints) {
            Ok(config) => self.config.store(Arc::new(config)),
            Err(why) => tracing::error!(%why, "TLS could not be set up anew; what was set up stays"),
        }
    }
}

fn server_config(
    certificate: &Arc<Certificates>,
    mode: Mode,
    trust: &Arc<ClientTrust>,
    hints: bool,
) -> Result<ServerConfig, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
    let builder = match mode {
        Mode::Off => builder.with_no_client_auth(),
        _ => builder.with_client_cert_verifier(Arc::new(Verifier::new(mode, Arc::clone(trust), hints))),
    };
    let mut config = builder.with_cert_resolver(Arc::clone(certificate) as _);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Of what both speak, our first: a client cannot choose a weaker one.
    config.ignore_client_order = true;
    // Early data can be replayed by anyone on the path, and a FHIR create must not be.
    config.max_early_data_size = 0;
    Ok(config)
}
