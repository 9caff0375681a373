//! The certificate that the peer of a connection proved to hold. SPEC: RFC 8705; rows A7 to A11.
//!
//! The listener (or a trusted proxy's header, read by it) puts a [`Presented`] into the extensions of a request; nothing
//! that a request says of itself can. What it counts for is decided here: who the client is, what a token is bound to.

mod facts;

use crate::{event::Event, outcome::Refusal, random, service::Service};
use audit::{Receipt, entry::Action, log};
use aws_lc_rs::digest;
use oauth::certificate::CertificateFacts;
use std::{net::IpAddr, sync::Arc};

/// A certificate whose private key the peer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// DER, the peer's own first, then what it sent of its chain. Not empty.
    pub chain: Arc<[Vec<u8>]>,
    /// SHA-256 of the first one's DER (`x5t#S256`).
    pub thumbprint: [u8; 32],
    /// Whether the chain ends in one of the configured anchors, is in its time, made for clients and not revoked. A
    /// self-signed certificate is not; it counts only for a client that registered it.
    pub is_trusted: bool,
}

impl Presented {
    /// From the chain, the peer's own certificate first; `None` when it is empty.
    #[must_use]
    pub fn new(chain: Vec<Vec<u8>>, is_trusted: bool) -> Option<Self> {
        let thumbprint = thumbprint(chain.first()?);
        Some(Self { chain: chain.into(), thumbprint, is_trusted })
    }

    /// What the certificate says of its holder; `None` when it cannot be read whole, and then it names nobody. Worth
    /// nothing unless [`Presented::is_trusted`].
    #[must_use]
    pub fn facts(&self) -> Option<CertificateFacts> {
        facts::of(self.chain.first()?)
    }
}

impl Service {
    /// Records that a request was refused because its certificate counts for nothing. Whose it is is not told: nobody
    /// vouches for it. `reason` is one word.
    ///
    /// # Errors
    /// When the audit log does not take it; then the request must get no other answer than 503 (row F25).
    pub fn certificate_refused(
        &self,
        address: IpAddr,
        thumbprint: Option<&[u8; 32]>,
        reason: &'static str,
    ) -> Result<Receipt, log::Unavailable> {
        let inner = &self.inner;
        let mut event = Event::new("certificate-refused", Action::Execute);
        event.reason = Some(reason.into());
        if let Some(thumbprint) = thumbprint {
            event.detail("thumbprint", &random::hex(thumbprint));
        }
        let request_id: Arc<str> = random::name().unwrap_or_default().into();
        inner.recorder.record(&event.entry(Some(Refusal::Client), inner.now(), Some(address), request_id))
    }
}

/// SHA-256 of a certificate's DER: `x5t#S256`.
pub(crate) fn thumbprint(der: &[u8]) -> [u8; 32] {
    let mut thumbprint = [0; 32];
    thumbprint.copy_from_slice(digest::digest(&digest::SHA256, der).as_ref());
    thumbprint
}
