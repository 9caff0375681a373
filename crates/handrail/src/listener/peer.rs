//! Who is at the other end of a connection: an address, and perhaps a certificate. SPEC: rows A6, A9, A11.
//!
//! The certificate of the handshake, or of the header of a trusted proxy, is examined again with each request unless
//! nothing can have changed ([`ClientTrust::still`]). Nobody else can say by a header what certificate they have: such
//! headers are thrown away before anything reads them.

use crate::{
    clock,
    forwarded::{Forwarded, Proxies},
    limits,
    tls::client::{ClientTrust, Examined, Mode, Standing, Unfit},
};
use authserver::client_certificate::Presented;
use http::HeaderMap;
use rustls::pki_types::CertificateDer;
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// What all connections of a place to listen have in common.
pub(crate) struct WayIn {
    /// Whether a certificate is asked for.
    pub(crate) mode: Mode,
    /// What it is examined by.
    pub(crate) trust: Arc<ClientTrust>,
    /// Who may hand on another's.
    pub(crate) proxies: Option<Arc<Proxies>>,
}

/// One connection's other end.
pub(crate) struct Peer {
    /// Where it is.
    pub(crate) address: SocketAddr,
    way_in: Arc<WayIn>,
    own: Option<Presented>,
    /// Examinations by thumbprint: one, or those of a proxy's clients.
    examined: Mutex<HashMap<[u8; 32], Known>>,
}

/// What an examination came to.
#[derive(Debug, Clone, Copy)]
enum Known {
    Fit(Examined),
    /// With the state of trust, and the second, that it was found in: hashing a long list again for each request would be
    /// work that whoever is refused could ask for.
    Unfit(Unfit, u64, i64),
}

/// Why a request is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotLet {
    /// Its certificate counts for nothing, or is missing.
    Unfit(Unfit, Option<[u8; 32]>),
    /// A trusted proxy sent a header that cannot be read, or several.
    Header,
}

impl Peer {
    /// `chain`: what the handshake verified that the peer holds; empty for none.
    pub(crate) fn new(address: SocketAddr, way_in: Arc<WayIn>, chain: Option<&[CertificateDer<'static>]>) -> Self {
        let chain = chain.unwrap_or_default().iter().map(|der| der.to_vec()).collect();
        Self { address, way_in, own: Presented::new(chain, false), examined: Mutex::default() }
    }

    /// The certificate that this request counts with. Takes the headers away that could name one.
    ///
    /// # Errors
    /// [`NotLet`].
    pub(crate) fn presented(&self, headers: &mut HeaderMap) -> Result<Option<Presented>, NotLet> {
        let forwarded = Forwarded::take(headers, self.way_in.proxies.as_deref(), self.address.ip());
        let presented = match forwarded {
            Forwarded::Malformed => return Err(NotLet::Header),
            // The proxy's own certificate is the proxy's, not its client's.
            Forwarded::ByProxy(chain) => chain.and_then(|chain| Presented::new(chain, false)),
            Forwarded::Direct => self.own.clone(),
        };
        let Some(mut presented) = presented else {
            return match self.way_in.mode {
                Mode::Required => Err(NotLet::Unfit(Unfit::None, None)),
                Mode::Off | Mode::Optional => Ok(None),
            };
        };
        let thumbprint = presented.thumbprint;
        let standing = self.standing(&presented).map_err(|why| NotLet::Unfit(why, Some(thumbprint)))?;
        presented.is_trusted = standing == Standing::Anchored;
        if self.way_in.mode == Mode::Required && !presented.is_trusted {
            return Err(NotLet::Unfit(Unfit::Unknown, Some(thumbprint)));
        }
        Ok(Some(presented))
    }

    fn standing(&self, presented: &Presented) -> Result<Standing, Unfit> {
        let (trust, now_s) = (&self.way_in.trust, clock::now().unix_seconds());
        let mut known = self.examined.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = trust.generation();
        match known.get(&presented.thumbprint) {
            Some(Known::Fit(examined)) if trust.still(examined, now_s) => return Ok(examined.standing),
            Some(Known::Unfit(why, then, at_s)) if (*then, *at_s) == (generation, now_s) => return Err(*why),
            _ => {}
        }
        if known.len() >= limits::EXAMINED_MAX {
            known.clear();
        }
        let chain: Vec<_> = presented.chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let examined = match trust.examine(&chain, now_s) {
            Ok(examined) => examined,
            Err((why, _)) => {
                known.insert(presented.thumbprint, Known::Unfit(why, generation, now_s));
                return Err(why);
            }
        };
        known.insert(presented.thumbprint, Known::Fit(examined));
        Ok(examined.standing)
    }
}
