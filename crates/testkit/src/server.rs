//! The FHIR service in process, over a store in a directory that vanishes.

use crate::{Clock, Reply, Request, Tokens};
use fhir::LogicalId;
use rest::{Parts, Service};
use search::Registry;
use std::{
    future::poll_fn,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
};
use store::{Given, OpenError, Options, Store};
use tempfile::TempDir;

/// A service with its store.
pub struct Server {
    service: Arc<Service>,
    store: Arc<Store>,
    clock: Clock,
    tokens: Tokens,
    holds: Arc<AtomicU64>,
    lent: Arc<AtomicU64>,
    runtime: tokio::runtime::Runtime,
    path: PathBuf,
    // Dropped last: the store is closed by then.
    _directory: Option<TempDir>,
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// The FHIR base of every test server.
    pub const BASE_URL: &'static str = "https://handrail.test/fhir";

    /// A new server, empty.
    ///
    /// # Panics
    /// When the store cannot be made.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Store::open, false)
    }

    /// A new server, empty, whose store has this secret and these limits: two of them name things
    /// alike.
    ///
    /// # Panics
    /// When the store cannot be made.
    #[must_use]
    pub fn given(given: Given) -> Self {
        Self::over(|directory, registry, options| Store::open_given(directory, registry, options, given), false)
    }

    /// A new server, empty, that holds answers back for as long as the real one does; the others
    /// only count when they would.
    ///
    /// # Panics
    /// When the store cannot be made.
    #[must_use]
    pub fn holding() -> Self {
        Self::over(Store::open, true)
    }

    /// A new server, empty, that checks what is written against this.
    ///
    /// # Panics
    /// When the store cannot be made.
    #[must_use]
    pub fn checking(checks: rest::Checks) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut server =
            Self::with(directory.path(), Self::BASE_URL, false, Store::open, false, checks).expect("a store");
        server._directory = Some(directory);
        server
    }

    fn over(open: impl FnOnce(&Path, Arc<Registry>, Options) -> Result<Store, OpenError>, waits: bool) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut server = Self::on(directory.path(), Self::BASE_URL, false, open, waits).expect("a store");
        server._directory = Some(directory);
        server
    }

    /// A server on a directory that stays, with this base URL for references.
    ///
    /// # Errors
    /// When the store does not open.
    pub fn open(directory: &Path, base_url: &str, strict_audit: bool) -> Result<Self, OpenError> {
        Self::on(directory, base_url, strict_audit, Store::open, false)
    }

    fn on(
        directory: &Path,
        base_url: &str,
        strict_audit: bool,
        open: impl FnOnce(&Path, Arc<Registry>, Options) -> Result<Store, OpenError>,
        waits: bool,
    ) -> Result<Self, OpenError> {
        Self::with(directory, base_url, strict_audit, open, waits, rest::Checks::default())
    }

    fn with(
        directory: &Path,
        base_url: &str,
        strict_audit: bool,
        open: impl FnOnce(&Path, Arc<Registry>, Options) -> Result<Store, OpenError>,
        waits: bool,
        checks: rest::Checks,
    ) -> Result<Self, OpenError> {
        let registry = Arc::clone(search::registry::registry());
        let options = Options { base_url: base_url.to_owned(), strict_audit };
        let store = Arc::new(open(directory, registry, options)?);
        // As in every server.
        let mut house = policy::House::clone(&store.house());
        house.consents = Some(policy::consent::Settings::default());
        store.set_house(house);
        let clock = Clock::default();
        let tokens = Tokens::new(clock.clone());
        let next = AtomicU64::new(1);
        let shown = clock.clone();
        let holds = Arc::new(AtomicU64::new(0));
        let held = Arc::clone(&holds);
        let lent = Arc::new(AtomicU64::new(0));
        let lending = Arc::clone(&lent);
        let steps = waits.then(|| rest::Steps::start().expect("a thread"));
        let service = Service::new(Parts {
            store: Arc::clone(&store),
            schema: fhir::schema::r4(),
            checks,
            tokens: Arc::new(tokens.clone()),
            base_url: Self::BASE_URL.to_owned(),
            oauth_url: "https://handrail.test/oauth".to_owned(),
            clock: Arc::new(move || shown.now()),
            new_id: Arc::new(move || {
                let id = format!("id-{:06}", next.fetch_add(1, Ordering::SeqCst));
                LogicalId::parse(&id).expect("an id")
            }),
            rest_until: Arc::new(move |moment| {
                held.fetch_add(1, Ordering::SeqCst);
                match &steps {
                    Some(steps) => Box::pin(steps.until(moment)),
                    None => Box::pin(std::future::ready(())),
                }
            }),
            lend: Arc::new(move |work| {
                lending.fetch_add(1, Ordering::SeqCst);
                work();
            }),
            software: "0.0.0-test",
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let path = directory.to_owned();
        Ok(Self { service: Arc::new(service), store, clock, tokens, holds, lent, runtime, path, _directory: None })
    }

    /// The service itself.
    #[must_use]
    pub fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// The store below it.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The clock it goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Its live tokens.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// How many answers were held back so far.
    #[must_use]
    pub fn holds(&self) -> u64 {
        self.holds.load(Ordering::SeqCst)
    }

    /// How often a thread was lent for a large body.
    #[must_use]
    pub fn lent(&self) -> u64 {
        self.lent.load(Ordering::SeqCst)
    }

    /// Where the store is.
    #[must_use]
    pub fn directory(&self) -> &std::path::Path {
        &self.path
    }

    /// A token with these scopes.
    #[must_use]
    pub fn token_for(&self, scope: &str) -> String {
        self.tokens.token_for(scope)
    }

    /// A request in the making: method, and path below the base or a whole URL.
    pub fn request(&self, method: &str, path: &str) -> Request<'_> {
        Request::new(self, method, path)
    }

    /// Sends requests at the same time; each answer is handed on when it is there, with the number of
    /// its request.
    pub fn send_together(&self, requests: Vec<Request<'_>>, mut each: impl FnMut(usize, Reply)) {
        let mut waiting: Vec<_> =
            requests.into_iter().enumerate().map(|(at, request)| (at, Box::pin(request.answer()))).collect();
        self.block_on(poll_fn(|context| {
            waiting.retain_mut(|(at, answer)| match answer.as_mut().poll(context) {
                Poll::Ready(reply) => {
                    each(*at, reply);
                    false
                }
                Poll::Pending => true,
            });
            if waiting.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        }));
    }

    /// Runs a future on the server's own runtime.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}
