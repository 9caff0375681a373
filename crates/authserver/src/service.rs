//! The door of the authorization server: routes, limits, and the record of each answer. SPEC: rows A24, B46, F16, F66.
//!
//! [`ROUTES`] is the whole table; a test walks it. What stands behind a route is in [`crate::endpoint`].

use crate::{
    client::{Client, ClientError, Enforceable, NewClient, registry::Registry},
    egress::Fetch,
    endpoint::{self, Outcome, Posted},
    event::Event,
    jwks_source::JwksSources,
    keys::{Decoys, KeysError, ServerKeys},
    limits,
    live_tokens::LiveTokenTable,
    outcome::{self, Refusal},
    random,
    rate::{Buckets, address_key},
    tables::Tables,
    used_assertions::UsedAssertions,
};
use audit::{Audited, Entry, Receipt, entry::Action, log};
use bytes::Bytes;
use fhir::Instant;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use oauth::{bearer::LiveTokens, caller::Grant, discovery::Endpoints, form::Form};
use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
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
    /// registered or granted (row B4). `policy::enforceable` with the server's registry.
    pub enforceable: Arc<Enforceable>,
}

/// Why the service does not start; an operator can act on it.
#[derive(Debug)]
pub enum StartError {
    /// The base URL is not `https://…/fhir`.
    BaseUrl,
    /// A table cannot be read, or holds what this program did not write.
    Tables(String),
    /// No key could be made.
    Keys,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BaseUrl => f.write_str("the base URL must be https://HOST[:PORT]/fhir"),
            Self::Tables(why) => write!(f, "the authorization server's tables cannot be read: {why}"),
            Self::Keys => f.write_str("no signing key could be made"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<KeysError> for StartError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Making => Self::Keys,
            KeysError::Table(why) => Self::Tables(why.0),
        }
    }
}

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `endpoint/token.rs`.
    Token,
    /// `endpoint/introspect.rs`.
    Introspect,
    /// `endpoint/revoke.rs`.
    Revoke,
    /// `endpoint/jwks.rs`.
    Jwks,
    /// `endpoint/discovery.rs`.
    AuthorizationServer,
    /// `endpoint/discovery.rs`.
    SmartConfiguration,
}

/// A path with its methods.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The whole path.
    pub path: &'static str,
    /// The value of `Allow`.
    pub allow: &'static str,
    /// What answers.
    pub endpoint: Endpoint,
}

const FORM: &str = "POST";
const DOCUMENT: &str = "GET, HEAD";

/// Every route. Those with `POST` take a form and authenticate; the others are public documents.
pub const ROUTES: [Route; 6] = [
    Route { path: "/oauth/token", allow: FORM, endpoint: Endpoint::Token },
    Route { path: "/oauth/introspect", allow: FORM, endpoint: Endpoint::Introspect },
    Route { path: "/oauth/revoke", allow: FORM, endpoint: Endpoint::Revoke },
    Route { path: "/oauth/jwks", allow: DOCUMENT, endpoint: Endpoint::Jwks },
    Route { path: "/.well-known/oauth-authorization-server", allow: DOCUMENT, endpoint: Endpoint::AuthorizationServer },
    Route { path: "/fhir/.well-known/smart-configuration", allow: DOCUMENT, endpoint: Endpoint::SmartConfiguration },
];

/// Where entries go: the store's log.
pub(crate) trait Recorder: Send + Sync {
    fn record(&self, entry: &Entry) -> Result<Receipt, log::Unavailable>;
}

impl Recorder for Store {
    fn record(&self, entry: &Entry) -> Result<Receipt, log::Unavailable> {
        self.log().record(entry)
    }
}

/// What the endpoints share.
pub(crate) struct Inner {
    pub(crate) endpoints: Endpoints,
    pub(crate) scopes_supported: Vec<String>,
    pub(crate) enforceable: Arc<Enforceable>,
    pub(crate) clients: Registry,
    pub(crate) sources: JwksSources,
    pub(crate) tokens: LiveTokenTable,
    pub(crate) assertions: UsedAssertions,
    pub(crate) keys: ServerKeys,
    pub(crate) decoys: Decoys,
    pub(crate) client_rate: Buckets<Arc<str>>,
    address_rate: Buckets<u128>,
    recorder: Arc<dyn Recorder>,
    clock: Arc<dyn Fn() -> Instant + Send + Sync>,
    swept_s: AtomicI64,
}

/// What an operator may know of an answered request, for log lines and metrics: an extension of every
/// response to a form. No token, no assertion, nothing that the request brought.
#[derive(Debug, Clone)]
pub struct Answered {
    /// As in `X-Request-Id` and in the audit entry; empty when there is no entry.
    pub request_id: Arc<str>,
    /// The client, when it proved who it is.
    pub client_id: Option<Arc<str>>,
    /// Why it was refused, as one word.
    pub refused: Option<&'static str>,
}

/// The authorization server.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

impl Service {
    /// Reads the tables; makes the signing keys at first start. Blocks on the disk.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn new(parts: Parts) -> Result<Self, StartError> {
        let tables = Tables::of_store(&parts.store).map_err(|why| StartError::Tables(why.to_string()))?;
        Self::of(tables, parts.store, &parts.base_url, parts.clock, parts.egress, parts.enforceable)
    }

    pub(crate) fn of(
        tables: Tables,
        recorder: Arc<dyn Recorder>,
        base_url: &str,
        clock: Arc<dyn Fn() -> Instant + Send + Sync>,
        egress: Arc<dyn Fetch>,
        enforceable: Arc<Enforceable>,
    ) -> Result<Self, StartError> {
        let endpoints = Endpoints::of_fhir_base(base_url).ok_or(StartError::BaseUrl)?;
        let broken = |why: crate::tables::Unavailable| StartError::Tables(why.0);
        let now = clock();
        let clients = Registry::open(tables.clients).map_err(broken)?;
        let tokens = LiveTokenTable::open(tables.tokens, now.unix_seconds(), |id| clients.works(id)).map_err(broken)?;
        let keys = ServerKeys::open(tables.keys, now)?;
        Ok(Self {
            inner: Arc::new(Inner {
                scopes_supported: endpoint::discovery::scopes_supported(&*enforceable),
                endpoints,
                enforceable,
                clients,
                sources: JwksSources::new(egress, Arc::clone(&clock)),
                tokens,
                assertions: UsedAssertions::open(tables.assertions).map_err(broken)?,
                decoys: Decoys::new(&keys)?,
                keys,
                client_rate: Buckets::new(limits::CLIENT_RATE),
                address_rate: Buckets::new(limits::ADDRESS_RATE),
                recorder,
                clock,
                swept_s: AtomicI64::new(now.unix_seconds()),
            }),
        })
    }

    #[cfg(test)]
    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    /// Whether this path is the authorization server's.
    #[must_use]
    pub fn owns(path: &str) -> bool {
        path.starts_with("/oauth/") || ROUTES.iter().any(|route| route.path == path)
    }

    /// Answers a request of a path that it owns; must be called within a tokio runtime. `address` is the peer's. The
    /// body is whole; reading no more of it than [`limits::BODY_BYTES_MAX`] and one byte is the caller's part.
    pub async fn answer(&self, address: IpAddr, request: Request<Bytes>) -> Audited<Response<Bytes>> {
        let Some(route) = ROUTES.iter().find(|route| route.path == request.uri().path()) else {
            return Audited::public(outcome::refused(Refusal::NotFound));
        };
        let is_head = request.method() == Method::HEAD;
        let document = match (route.endpoint, request.method()) {
            (Endpoint::Token | Endpoint::Introspect | Endpoint::Revoke, &Method::POST) => {
                return self.posted(route.endpoint, address, request).await;
            }
            (Endpoint::Jwks, &Method::GET | &Method::HEAD) => endpoint::jwks::answer(&self.inner),
            (Endpoint::AuthorizationServer, &Method::GET | &Method::HEAD) => {
                endpoint::discovery::authorization_server(&self.inner)
            }
            (Endpoint::SmartConfiguration, &Method::GET | &Method::HEAD) => {
                endpoint::discovery::smart_configuration(&self.inner)
            }
            _ => outcome::refused(Refusal::Method(route.allow)),
        };
        Audited::public(if is_head { document.map(|_| Bytes::new()) } else { document })
    }

    /// A request with a form: limits first, then the endpoint, then the record.
    async fn posted(&self, endpoint: Endpoint, address: IpAddr, request: Request<Bytes>) -> Audited<Response<Bytes>> {
        let inner = &self.inner;
        let subtype = match endpoint {
            Endpoint::Introspect => "token-introspected",
            Endpoint::Revoke => "token-revoked",
            _ => "token-refused",
        };
        let begun = || Event::new(subtype, Action::Execute);
        if let Err(limited) = inner.address_rate.take(address_key(address), inner.now().unix_millis()) {
            let refusal = Refusal::TooMany(limited.retry_after_s);
            // A flood is recorded once, not request by request.
            if !limited.first {
                let mut response = outcome::refused(refusal);
                let refused = Some(outcome::word(refusal));
                response.extensions_mut().insert(Answered { request_id: "".into(), client_id: None, refused });
                return Audited::public(response);
            }
            let mut event = begun();
            event.reason = Some("too many requests from this address".into());
            return inner.recorded(Outcome::refused(refusal, event), address);
        }
        let outcome = match read(&request) {
            Err(refusal) => Outcome::refused(refusal, begun()),
            Ok(posted) => match endpoint {
                Endpoint::Introspect => endpoint::introspect::answer(inner, posted).await,
                Endpoint::Revoke => endpoint::revoke::answer(inner, posted).await,
                _ => endpoint::token::answer(inner, posted).await,
            },
        };
        inner.recorded(outcome, address)
    }

    /// Registers a client; recorded in the audit log. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn add_client(&self, new: &NewClient) -> Result<Arc<Client>, ClientError> {
        let inner = &self.inner;
        let id = random::name().map_err(|_| ClientError::Unavailable("no randomness".into()))?;
        let client = Client::register(new, id, inner.now(), &*inner.enforceable)?;
        let mut event = Event::new("client-added", Action::Create);
        inner.clients.add(client, |client| {
            event.detail("client_id", &client.id);
            event.detail("name", &client.name);
            event.detail("scope", &client.scope_text);
            inner.operator_did(event)
        })
    }

    /// Removes a client; its tokens stop working with the next request. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`]. When the record fails, the client is removed all the same.
    pub fn remove_client(&self, id: &str) -> Result<(), ClientError> {
        let inner = &self.inner;
        let client = inner.clients.remove(id)?;
        let revoked = inner.tokens.revoke_all(id);
        if let crate::client::Keys::Url(url) = &client.keys {
            inner.sources.forget(url);
        }
        let mut event = Event::new("client-removed", Action::Delete);
        event.detail("client_id", id);
        event.detail("name", &client.name);
        event.detail("tokens_revoked", &revoked.as_ref().map_or(0, |count| *count).to_string());
        inner.operator_did(event)?;
        revoked?;
        Ok(())
    }

    /// Disables a client and revokes its tokens, or lets it work again. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn set_client_disabled(&self, id: &str, disabled: bool) -> Result<(), ClientError> {
        let inner = &self.inner;
        let mut event = Event::new(if disabled { "client-disabled" } else { "client-enabled" }, Action::Update);
        event.detail("client_id", id);
        inner.clients.set_disabled(id, disabled, |client| {
            event.detail("name", &client.name);
            inner.operator_did(event)
        })?;
        if disabled {
            inner.tokens.revoke_all(id)?;
        }
        Ok(())
    }

    /// All clients, oldest first.
    #[must_use]
    pub fn clients(&self) -> Vec<Arc<Client>> {
        self.inner.clients.all()
    }

    /// The client of this id.
    #[must_use]
    pub fn client(&self, id: &str) -> Option<Arc<Client>> {
        self.inner.clients.client(id)
    }

    /// Whether a registered client names this browser origin (row A13). Exact comparison.
    #[must_use]
    pub fn knows_origin(&self, origin: &str) -> bool {
        self.inner.clients.knows_origin(origin)
    }

    /// Makes new signing keys; the old ones stay published for the overlap. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError::Unavailable`].
    pub fn rotate_keys(&self) -> Result<(), ClientError> {
        let inner = &self.inner;
        let names = inner.keys.rotate(inner.now()).map_err(|why| ClientError::Unavailable(format!("{why:?}")))?;
        let mut event = Event::new("keys-rotated", Action::Update);
        names.iter().for_each(|name| event.detail("kid", name));
        inner.operator_did(event)
    }

    /// Forgets what has expired. Requests do it now and then; a timer may do it too. Blocks on the disk.
    pub fn sweep(&self) {
        self.inner.sweep();
    }
}

impl LiveTokens for Service {
    fn grant(&self, token: &str) -> Option<Arc<Grant>> {
        self.inner.grant(token)
    }
}

impl LiveTokens for Inner {
    fn grant(&self, token: &str) -> Option<Arc<Grant>> {
        self.tokens.grant(token)
    }
}

impl Inner {
    pub(crate) fn now(&self) -> Instant {
        (self.clock)()
    }

    /// The answer of an outcome, once its entry stands. Without the record there is no answer but 503 (row F25); a
    /// token that was issued for it is known to nobody and ends by itself.
    fn recorded(&self, outcome: Outcome, address: IpAddr) -> Audited<Response<Bytes>> {
        let request_id: Arc<str> = random::name().unwrap_or_default().into();
        let refusal = outcome.answer.as_ref().err().copied();
        let mut answered = Answered {
            request_id: Arc::clone(&request_id),
            client_id: outcome.event.client_id.clone(),
            refused: refusal.map(|refusal| outcome.event.word.unwrap_or_else(|| outcome::word(refusal))),
        };
        let entry = outcome.event.entry(refusal, self.now(), Some(address), Arc::clone(&request_id));
        let mut response = outcome.answer.unwrap_or_else(outcome::refused);
        match self.recorder.record(&entry) {
            Ok(receipt) => {
                if let Ok(value) = HeaderValue::from_str(&request_id) {
                    response.headers_mut().insert("x-request-id", value);
                }
                response.extensions_mut().insert(answered);
                Audited::new(response, receipt)
            }
            Err(why) => {
                tracing::error!(%why, "an answer of the authorization server was held back");
                let mut response = outcome::refused(Refusal::Unavailable);
                answered.refused = Some("audit-unavailable");
                response.extensions_mut().insert(answered);
                Audited::public(response)
            }
        }
    }

    /// Records what the operator of this machine did.
    fn operator_did(&self, mut event: Event) -> Result<(), ClientError> {
        event.client_id = Some("operator".into());
        let request_id: Arc<str> = random::name().unwrap_or_default().into();
        let entry = event.entry(None, self.now(), None, request_id);
        self.recorder.record(&entry).map(drop).map_err(|why| ClientError::Unavailable(why.to_string()))
    }

    /// Sweeps beside the request when the last time is long enough ago.
    pub(crate) fn sweep_when_due(self: &Arc<Self>) -> Option<tokio::task::JoinHandle<()>> {
        let now_s = self.now().unix_seconds();
        let last_s = self.swept_s.load(Ordering::Relaxed);
        let due = now_s - last_s >= limits::SWEEP_S;
        if !due || self.swept_s.compare_exchange(last_s, now_s, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return None;
        }
        let inner = Arc::clone(self);
        Some(tokio::task::spawn_blocking(move || inner.sweep()))
    }

    fn sweep(&self) {
        let now_s = self.now().unix_seconds();
        if let Err(why) = self.tokens.sweep(now_s).and_then(|()| self.assertions.sweep(now_s)) {
            tracing::warn!(%why, "what has expired could not be removed from the tables");
        }
    }
}

/// What HTTP asks of a form request: size, type, one `Authorization` field at most.
fn read(request: &Request<Bytes>) -> Result<Posted, Refusal> {
    if request.body().len() > limits::BODY_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    if !is_form(request.headers()) {
        return Err(Refusal::MediaType);
    }
    let mut fields = request.headers().get_all(header::AUTHORIZATION).iter();
    let authorization = match (fields.next(), fields.next()) {
        (None, _) => None,
        (Some(field), None) => Some(field.to_str().map_err(|_| Refusal::SeveralCredentials)?.to_owned()),
        (Some(_), Some(_)) => return Err(Refusal::SeveralCredentials),
    };
    let form = Form::parse(request.body()).map_err(|_| Refusal::Form)?;
    Ok(Posted { form, authorization })
}

/// Exactly one `Content-Type`, which is a form's; a charset may stand behind it, as browsers write it.
fn is_form(headers: &HeaderMap) -> bool {
    let mut fields = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return false;
    };
    let essence = field.to_str().ok().and_then(|text| text.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests;
