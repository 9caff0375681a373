//! The FHIR service: what the parts are, and how a request enters.

use crate::{
    aside::{Aside, Lend},
    capability,
    checks::Checks,
    council::Council,
    failure::Failure,
    grants::{Given, GrantCache},
    interaction::Acquaintances,
    outcome, pipeline,
    shadow::Shadows,
    signature::{NoTrust, Trust},
    wire::{self, Accepted, BodyEnd, Request, Response},
};
use audit::{Audited, disclosure::Rule, report::StaffNames};
use bytes::Bytes;
use fhir::{
    Instant, LogicalId,
    schema::{Definitions, Schema},
};
use http_body::Body;
use oauth::{Caller, bearer::LiveTokens, caller::CallerKind};
use policy::{Denied, Interaction, Permit};
use search::{ParameterId, Registry};
use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};
use store::{Snapshot, Store};

/// Waits until a moment.
pub type RestUntil = dyn Fn(std::time::Instant) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// What the service is made of. Clock and ids come from outside, so that tests can seed them.
pub struct Parts {
    /// The store, with its audit log.
    pub store: Arc<Store>,
    /// The tables of R4 and the guides.
    pub schema: &'static Schema,
    /// What resources are checked against.
    pub checks: Checks,
    /// The live access tokens.
    pub tokens: Arc<dyn LiveTokens + Send + Sync>,
    /// Our FHIR base URL (`https://host:port/fhir`), from configuration, never from Host (row A24).
    pub base_url: String,
    /// URL of the authorization server's endpoints (`https://host:port/oauth`), for `/metadata`.
    pub oauth_url: String,
    /// Now.
    pub clock: Arc<dyn Fn() -> Instant + Send + Sync>,
    /// A new logical id that no resource has, and that nothing can be told from. Requests get their
    /// ids from it too.
    pub new_id: Arc<dyn Fn() -> LogicalId + Send + Sync>,
    /// Waits until this moment: an answer that could tell of hidden rows leaves then.
    pub rest_until: Arc<RestUntil>,
    /// Lends a thread for the validation of a large body, so that others are served meanwhile.
    pub lend: Arc<Lend>,
    /// Version of this program, for `/metadata`.
    pub software: &'static str,
}

/// What the report of who saw a record says, and what counts as a disclosure.
#[derive(Clone)]
pub struct Accounting {
    /// Whether the names of staff are told.
    pub staff: StaffNames,
    /// What counts as a disclosure.
    pub disclosures: Rule,
    /// The name of a client by its id.
    #[expect(clippy::type_complexity, reason = "a question with its answer, said once")]
    pub client_name: Arc<dyn Fn(&str) -> Option<String> + Send + Sync>,
}

impl Default for Accounting {
    fn default() -> Self {
        Self { staff: StaffNames::default(), disclosures: Rule::default(), client_name: Arc::new(|_| None) }
    }
}

/// A capability statement, and what it follows from.
struct Capabilities {
    registry: Arc<Registry>,
    indexed: Vec<ParameterId>,
    definitions: &'static Definitions,
    bytes: Bytes,
}

/// The FHIR REST service. Answers every request below its base URL.
pub struct Service {
    pub(crate) parts: Parts,
    /// Path of the base URL: `/fhir`.
    pub(crate) base_path: String,
    capabilities: Mutex<Option<Capabilities>>,
    definitions: RwLock<&'static Definitions>,
    accounting: RwLock<Arc<Accounting>>,
    pub(crate) grants: GrantCache,
    pub(crate) aside: Aside,
    trust: OnceLock<Arc<dyn Trust>>,
    records_provenance: AtomicBool,
    acquaintances: OnceLock<Arc<dyn Acquaintances>>,
    council: OnceLock<Arc<dyn Council>>,
    pub(crate) shadows: Shadows,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Service({})", self.parts.base_url)
    }
}

impl Service {
    /// Makes the service.
    #[must_use]
    pub fn new(mut parts: Parts) -> Self {
        parts.base_url.truncate(parts.base_url.trim_end_matches('/').len());
        let after_host = parts.base_url.split_once("://").map_or(parts.base_url.as_str(), |(_, rest)| rest);
        let base_path = after_host.find('/').and_then(|at| after_host.get(at..)).unwrap_or_default().to_owned();
        let definitions = RwLock::new(Definitions::builtin());
        let aside = Aside::new(Arc::clone(&parts.lend));
        let service = Self {
            parts,
            base_path,
            capabilities: Mutex::default(),
            definitions,
            accounting: RwLock::default(),
            grants: GrantCache::default(),
            aside,
            trust: OnceLock::new(),
            records_provenance: AtomicBool::new(false),
            acquaintances: OnceLock::new(),
            council: OnceLock::new(),
            shadows: Shadows::default(),
        };
        let _ = service.capabilities();
        service
    }

    /// Answers a request. The record of it stands in the audit log when this returns.
    pub async fn answer<B: Body<Data = Bytes, Error: Into<BodyEnd>>>(
        &self,
        peer: Accepted,
        request: http::Request<B>,
    ) -> Audited<Response> {
        pipeline::answer(self, peer, None, request).await
    }

    /// Answers a request of the operator of this machine, who holds the data directory itself
    /// (`handrail load --data`). A caller of another kind needs a token.
    pub async fn answer_operator<B: Body<Data = Bytes, Error: Into<BodyEnd>>>(
        &self,
        peer: Accepted,
        caller: Caller,
        request: http::Request<B>,
    ) -> Audited<Response> {
        let caller = (caller.kind() == CallerKind::Operator).then_some(caller);
        pipeline::answer(self, peer, caller, request).await
    }

    /// Answers a request of a person at a page of this server itself, in their name and by an app's road: decided,
    /// checked, committed and recorded like any other. A caller of another kind needs a token.
    pub async fn answer_page<B: Body<Data = Bytes, Error: Into<BodyEnd>>>(
        &self,
        peer: Accepted,
        caller: Caller,
        request: http::Request<B>,
    ) -> Audited<Response> {
        let caller = caller.is_at_page().then_some(caller);
        pipeline::answer(self, peer, caller, request).await
    }

    /// The refusal of a request for load, before anything of it is looked at (row F66): 429 with
    /// `Retry-After`.
    #[must_use]
    pub fn throttled() -> Audited<Response> {
        Audited::public(wire::refuse(&outcome::map(Failure::Throttled), None, false))
    }

    /// From now on reports and disclosures follow these.
    pub fn set_accounting(&self, accounting: Accounting) {
        *self.accounting.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(accounting);
    }

    pub(crate) fn accounting(&self) -> Arc<Accounting> {
        Arc::clone(&self.accounting.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on the capability statement lists the profiles of these definitions.
    pub fn set_definitions(&self, definitions: &'static Definitions) {
        *self.definitions.write().unwrap_or_else(PoisonError::into_inner) = definitions;
    }

    /// From now on signatures are believed of these. What was said first counts; without it nobody is believed.
    pub fn believe(&self, trust: Arc<dyn Trust>) {
        let _ = self.trust.set(trust);
    }

    /// Whether the server makes a Provenance of each write from now on (row F28).
    pub fn record_provenance(&self, records: bool) {
        self.records_provenance.store(records, Ordering::Relaxed);
    }

    pub(crate) fn records_provenance(&self) -> bool {
        self.records_provenance.load(Ordering::Relaxed)
    }

    /// From now on decisions are explained of these by name. What was said first counts; without it nobody has a name.
    pub fn meet(&self, acquaintances: Arc<dyn Acquaintances>) {
        let _ = self.acquaintances.set(acquaintances);
    }

    pub(crate) fn acquaintances(&self) -> Option<&dyn Acquaintances> {
        self.acquaintances.get().map(|known| &**known)
    }

    /// From now on these keep the facility's rules. What was said first counts; without it they are the operator's alone.
    pub fn seat(&self, council: Arc<dyn Council>) {
        let _ = self.council.set(council);
    }

    pub(crate) fn council(&self) -> Option<Arc<dyn Council>> {
        self.council.get().cloned()
    }

    /// Whom signatures are believed of.
    pub(crate) fn trust(&self) -> &dyn Trust {
        self.trust.get().map_or(&NoTrust, |trust| &**trust)
    }

    /// The capability statement. Written when what it follows from has changed: search parameters,
    /// those of them that are indexed, profiles.
    pub(crate) fn capabilities(&self) -> Bytes {
        let registry = self.registry();
        let indexed = registry.added().iter().map(|one| one.id).filter(|id| self.parts.store.is_indexed(*id)).collect();
        let definitions = *self.definitions.read().unwrap_or_else(PoisonError::into_inner);
        let mut kept = self.capabilities.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |kept: &&Capabilities| {
            Arc::ptr_eq(&kept.registry, &registry)
                && kept.indexed == indexed
                && std::ptr::eq(kept.definitions, definitions)
        };
        if let Some(kept) = kept.as_ref().filter(is_same) {
            return kept.bytes.clone();
        }
        let bytes = Bytes::from(capability::statement(&self.parts, &registry, definitions));
        *kept = Some(Capabilities { registry, indexed, definitions, bytes: bytes.clone() });
        bytes
    }

    /// The search parameters of this moment.
    pub(crate) fn registry(&self) -> Arc<Registry> {
        self.parts.store.registry()
    }

    pub(crate) fn now(&self) -> Instant {
        (self.parts.clock)()
    }

    /// Asks `policy` whether this caller may do this now.
    pub(crate) fn decide(&self, caller: &Caller, interaction: &Interaction) -> Result<Permit, Denied> {
        let given = Given { registry: self.registry(), house: self.parts.store.house() };
        self.grants.decide(caller, &given, interaction)
    }

    /// What is there now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.parts.store.snapshot(self.now())
    }

    pub(crate) fn new_id(&self) -> LogicalId {
        (self.parts.new_id)()
    }

    /// Our own FHIR base, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.parts.base_url
    }

    /// The client's request id, or a new one: a number that counts would tell what others ask.
    pub(crate) fn request_id(&self, head: &Request) -> Arc<str> {
        head.request_id().map_or_else(|| self.new_id().as_str().into(), Into::into)
    }
}
