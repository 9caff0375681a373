//! The client's certificate in the handshake. SPEC: RFC 8446 section 4.4.2.4; RFC 8705 section 2; row A6.
//!
//! That the peer holds the key is always verified; what the certificate counts for is [`ClientTrust`]'s to say.

use super::{ClientTrust, Mode, Standing, Unfit};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use std::sync::Arc;

/// The verifier of one place to listen.
#[derive(Debug)]
pub(crate) struct Verifier {
    mode: Mode,
    trust: Arc<ClientTrust>,
    hints: Arc<[DistinguishedName]>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// `hints`: whether to name the anchors in the handshake. A client that is told chooses by it, and a browser with
    /// no certificate of theirs asks its person nothing; one that has a self-signed certificate may not offer it then.
    pub(crate) fn new(mode: Mode, trust: Arc<ClientTrust>, hints: bool) -> Self {
        let hints = if hints { Arc::clone(&trust.current().subjects) } else { Arc::default() };
        let algorithms = crate::tls::provider().signature_verification_algorithms;
        Self { mode, trust, hints, algorithms }
    }
}

impl ClientCertVerifier for Verifier {
    fn offer_client_auth(&self) -> bool {
        self.mode != Mode::Off
    }

    fn client_auth_mandatory(&self) -> bool {
        self.mode == Mode::Required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).cloned().collect();
        let now_s = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        match self.trust.examine(&chain, now_s) {
            Ok(examined) if examined.standing == Standing::Anchored || self.mode == Mode::Optional => {
                Ok(ClientCertVerified::assertion())
            }
            Ok(_) => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
            Err((Unfit::None, _)) => Err(Error::NoCertificatesPresented),
            Err((_, error)) => Err(error),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
