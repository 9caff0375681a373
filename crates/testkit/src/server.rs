//! The FHIR service in process, over a store in a directory that vanishes.

use crate::{Clock, Request, Tokens};
use fhir::LogicalId;
use rest::{Parts, Service};
use search::Registry;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
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
    runtime: tokio::runtime::Runtime,
    // Dropped last: the store is closed by then.
    directory: TempDir,
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

    fn over(open: impl FnOnce(&Path, Arc<Registry>, Options) -> Result<Store, OpenError>, waits: bool) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let registry = Arc::clone(search::registry::registry());
        let options = Options { base_url: Self::BASE_URL.to_owned(), strict_audit: false };
        let store = Arc::new(open(directory.path(), Arc::clone(&registry), options).expect("a store"));
        let clock = Clock::default();
        let tokens = Tokens::new(clock.clone());
        let next = AtomicU64::new(1);
        let shown = clock.clone();
        let holds = Arc::new(AtomicU64::new(0));
        let held = Arc::clone(&holds);
        let steps = waits.then(|| rest::Steps::start().expect("a thread"));
        let service = Service::new(Parts {
            store: Arc::clone(&store),
            schema: fhir::schema::r4(),
            registry,
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
            software: "0.0.0-test",
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { service: Arc::new(service), store, clock, tokens, holds, runtime, directory }
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

    /// Where the store is.
    #[must_use]
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
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

    /// Runs a future on the server's own runtime.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}
