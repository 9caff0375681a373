//! The door of the authorization server: routes, limits, and the record of each answer.

use crate::{
    client::{Client, ClientError, NewClient},
    egress::Fetch,
};
use audit::Audited;
use bytes::Bytes;
use fhir::Instant;
use http::{Request, Response};
use oauth::{bearer::LiveTokens, caller::Grant, scope::Scope};
use std::{fmt, net::IpAddr, sync::Arc};
use store::Store;

/// What the service is made of.
pub struct Parts {
    /// The open store: tables and audit log.
    pub store: Arc<Store>,
    /// Our own FHIR base URL, `https://HOST:PORT/fhir`, from configuration (row A24). The issuer is what stands
    /// before `/fhir`.
    pub base_url: String,
    /// The clock.
    pub clock: Arc<dyn Fn() -> Instant + Send + Sync>,
    /// The guarded outbound client ([`crate::egress::NoFetch`] for none).
    pub egress: Arc<dyn Fetch>,
    /// Whether the server can enforce a scope (its query compiles); the text says why not. Nothing else is
    /// registered or granted (row B4).
    pub enforceable: Arc<dyn Fn(&Scope) -> Result<(), String> + Send + Sync>,
}

/// Why the service does not start; an operator can act on it.
#[derive(Debug)]
pub enum StartError {
    /// The base URL is not `https://…/fhir`.
    BaseUrl(String),
    /// A table cannot be read, or holds what this program did not write.
    Tables(String),
    /// No key could be made.
    Keys,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BaseUrl(why) => write!(f, "the base URL {why}"),
            Self::Tables(why) => write!(f, "the authorization server's tables cannot be read: {why}"),
            Self::Keys => f.write_str("no signing key could be made"),
        }
    }
}

impl std::error::Error for StartError {}

/// The authorization server.
pub struct Service {
    parts: Parts,
}

impl Service {
    /// Reads the tables; makes the signing keys at first start.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn new(parts: Parts) -> Result<Self, StartError> {
        Ok(Self { parts })
    }

    /// Whether this path is the authorization server's.
    #[must_use]
    pub fn owns(path: &str) -> bool {
        path.starts_with("/oauth/")
            || path == "/.well-known/oauth-authorization-server"
            || path == "/fhir/.well-known/smart-configuration"
    }

    /// Answers a request of a path that it owns. `address` is the peer's.
    pub async fn answer(&self, address: IpAddr, request: Request<Bytes>) -> Audited<Response<Bytes>> {
        let _ = (address, request, &self.parts);
        Audited::public(Response::new(Bytes::new()))
    }

    /// Registers a client; recorded in the audit log.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn add_client(&self, new: &NewClient) -> Result<Arc<Client>, ClientError> {
        let _ = new;
        Err(ClientError::NotFound)
    }

    /// Removes a client; its tokens stop working with the next request.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn remove_client(&self, id: &str) -> Result<(), ClientError> {
        let _ = id;
        Err(ClientError::NotFound)
    }

    /// All clients, oldest first.
    #[must_use]
    pub fn clients(&self) -> Vec<Arc<Client>> {
        Vec::new()
    }

    /// The client of this id.
    #[must_use]
    pub fn client(&self, id: &str) -> Option<Arc<Client>> {
        let _ = id;
        None
    }

    /// Whether a registered client names this browser origin (row A13). Exact comparison.
    #[must_use]
    pub fn knows_origin(&self, origin: &str) -> bool {
        let _ = origin;
        false
    }

    /// Makes new signing keys; the old ones stay published for the overlap. Recorded.
    ///
    /// # Errors
    /// [`ClientError::Unavailable`].
    pub fn rotate_keys(&self) -> Result<(), ClientError> {
        Ok(())
    }

    /// Forgets what has expired. Call it about every half minute; it is also done now and then by requests.
    pub fn sweep(&self) {}
}

impl LiveTokens for Service {
    fn grant(&self, token: &str) -> Option<Arc<Grant>> {
        let _ = token;
        None
    }
}
