//! The certificate that the peer of a connection proved to hold. SPEC: RFC 8705; rows A7 to A11.
//!
//! The listener (or a trusted proxy's header, read by it) puts a [`Presented`] into the extensions of a request; nothing
//! that a request says of itself can. What it counts for is decided here: who the client is, what a token is bound to.

mod facts;

use crate::{
    client::{Certificate, Kind},
    event::Event,
    outcome::Refusal,
    random,
    service::Service,
};
use audit::{Receipt, entry::Action, log};
use aws_lc_rs::digest;
use oauth::{
    caller::{Confirmation, Grant},
    certificate::CertificateFacts,
    client_authentication::Method,
    discovery::{Feature, MtlsHost},
};
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

    /// Whether it is the one that a client is known by (row A7): of a trusted authority with the registered name, or the
    /// very certificate that was registered.
    pub(crate) fn is(&self, known: &Certificate) -> bool {
        match known {
            Certificate::Subject(subject) => {
                self.is_trusted && self.facts().is_some_and(|facts| subject.matches(&facts))
            }
            Certificate::SelfSigned(known) => known.contains(&self.thumbprint),
        }
    }
}

/// How this server asks its clients for certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Whether there are anchors, so that a certificate can be known by a name.
    pub has_anchors: bool,
    /// Whether a self-signed one is let through anywhere.
    pub takes_self_signed: bool,
    /// What stands in place of the issuer in the URLs of the host that asks, when it is another one than the usual.
    pub host: Option<String>,
}

/// Seconds that a certificate's own right to call is lent for: a request. The next one asks again.
const LENT_S: i64 = 60;

impl Service {
    /// Says in the discovery documents that clients are asked for certificates (row A8). To be called before the service
    /// is shared; later it does nothing.
    pub fn asks_for_certificates(&mut self, asked: Asked) {
        let Some(inner) = Arc::get_mut(&mut self.inner) else { return };
        let offer = &mut inner.offer;
        if asked.takes_self_signed {
            offer.methods.push(Method::SelfSignedTlsClientAuth);
        }
        if asked.has_anchors {
            offer.methods.push(Method::TlsClientAuth);
        }
        offer.features.push(Feature::CertificateBoundTokens);
        offer.mtls = asked.host.map(|base| MtlsHost { base });
    }

    /// What a system may do that calls without a token, by its certificate alone (row A10): its registered scopes. `None`
    /// for any other certificate, and for one that two systems are known by. Asked again with each request, so that a
    /// client that is disabled or removed is gone with the next.
    #[must_use]
    pub fn certificate_principal(&self, presented: &Presented) -> Option<Arc<Grant>> {
        let inner = &self.inner;
        let callers = inner.clients.callers_without_token();
        let mut known = callers.iter().filter(|client| match &client.kind {
            Kind::MutualTls(certificate) => presented.is(certificate),
            _ => false,
        });
        let (client, None) = (known.next()?, known.next()) else {
            tracing::warn!("a certificate stands for several clients, so it stands for none");
            return None;
        };
        let now_s = inner.now().unix_seconds();
        Some(Arc::new(Grant {
            client_id: Arc::clone(&client.id),
            client_name: Arc::clone(&client.name),
            scopes: Arc::clone(&client.scopes),
            scope_text: Arc::clone(&client.scope_text),
            issued_at_s: now_s,
            expires_at_s: now_s + LENT_S,
            token_name: format!("x5t-{}", random::hex(presented.thumbprint.first_chunk::<8>().unwrap_or(&[0; 8])))
                .into(),
            user: None,
            launch: Arc::default(),
            confirmation: Some(Confirmation::Certificate(presented.thumbprint)),
            family: None,
            acting: None,
            standing: client.standing,
            purposes: Arc::clone(&client.purposes_of_use),
        }))
    }

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

#[cfg(test)]
mod tests;
