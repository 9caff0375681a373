//! The store: opens, gives snapshots, takes transactions.
//!
//! Below its directory: `engine/` (the engine's files), `audit/` (the log's segments and
//! checkpoints), `mark` (how far both had come). `docs/store.md` says what is in them.

use crate::{
    CommitError, Committed, OpenError, Snapshot, Transaction,
    audit_event::Events,
    audit_event::names::EventNames,
    backup::{self, BackupError},
    cursor::{Secret, derive},
    engine::{
        Engine,
        audit_files::{self, AuditFiles},
        dump::Moment,
        mark::{Mark, MarkFile},
    },
    indexer::{Bell, Indexer},
    limits, open,
    parameters::{ParameterStatus, Parameters},
    plan::Heavy,
    pseudonym::Pseudonyms,
    reader::Reader,
    rebuild,
    stats::{EngineStats, Meter},
    tables::Table,
    types::Types,
    writer::{Parts, Queue, prepare::Preparer},
};
use arc_swap::ArcSwap;
use audit::{
    Log,
    balp::Server,
    checkpoint::{Checkpoint, Signer},
    log::Durability,
};
use fhir::Instant;
use policy::House;
use search::{Registry, added::Definition};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

/// How to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// Our own FHIR base URL: references below it are local.
    pub base_url: String,
    /// Wait for stable storage of read audit entries too (`audit.durability = "strict"`).
    pub strict_audit: bool,
}

/// What a store otherwise makes or has for itself. Tests give it, so that two stores answer with
/// the same bytes and small ones go every way that large ones do. No setting reaches this.
#[derive(Debug, Clone, Copy)]
pub struct Given {
    /// The secret of page cursors and of the names of audit events, for a new store.
    pub secret: [u8; 32],
    /// The limits of a search.
    pub search: limits::Search,
}

/// An open store. One per data directory and process. Dropping it waits for what is queued.
#[derive(Debug)]
pub struct Store {
    engine: Engine,
    types: Arc<Types>,
    parameters: Arc<ArcSwap<Parameters>>,
    bell: Arc<Bell>,
    indexing: Mutex<Option<JoinHandle<()>>>,
    search: limits::Search,
    heavy: Arc<Heavy>,
    base_url: String,
    pub(crate) queue: Arc<Queue>,
    log: Arc<Log>,
    files: AuditFiles,
    secret: Arc<Secret>,
    pub(crate) names: Arc<EventNames>,
    /// Key of all pseudonyms.
    pseudonyms: [u8; 32],
    server: Arc<Server>,
    audit_directory: PathBuf,
    pub(crate) meter: Arc<Meter>,
    syncing: Mutex<Option<JoinHandle<()>>>,
    /// What the facility decided, for all who compile grants; it is not kept on disk here.
    house: ArcSwap<House>,
}

fn fault(error: std::io::Error) -> OpenError {
    OpenError::Engine(error.to_string())
}

impl Store {
    /// Opens or makes the store in this directory and verifies the chain of commits.
    ///
    /// # Errors
    /// [`OpenError`], which an operator can act on.
    pub fn open(directory: &Path, registry: Arc<Registry>, options: Options) -> Result<Self, OpenError> {
        Self::opened(directory, registry, options, false, None)
    }

    /// As [`Store::open`], with what a store else makes for itself: for tests.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_given(
        directory: &Path,
        registry: Arc<Registry>,
        options: Options,
        given: Given,
    ) -> Result<Self, OpenError> {
        Self::opened(directory, registry, options, false, Some(given))
    }

    /// As [`Store::open`], with the base URL that the indices were made for; the one of the options
    /// only counts for a new store. For commands on a directory at rest: they do not know the URL that
    /// the next server will have, and another one has all indices made anew.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_as_it_was(directory: &Path, registry: Arc<Registry>, options: Options) -> Result<Self, OpenError> {
        Self::opened(directory, registry, options, true, None)
    }

    fn opened(
        directory: &Path,
        registry: Arc<Registry>,
        mut options: Options,
        as_it_was: bool,
        given: Option<Given>,
    ) -> Result<Self, OpenError> {
        let engine = Engine::open(directory)?;
        if as_it_was && let Some(base_url) = open::base_url(&engine)? {
            options.base_url = base_url;
        }
        let mark = MarkFile::open(&directory.join("mark")).map_err(fault)?;
        open::batches(&engine, mark.current())?;
        let (types, secret) = open::meta(&engine, given.map(|given| given.secret))?;
        let chain = open::chain(&engine, &types, mark.current())?;

        let audit_directory = directory.join("audit");
        let files = AuditFiles::open(&audit_directory, mark.current().audit)?;
        let durability = if options.strict_audit { Durability::Strict } else { Durability::Appended };
        let log = Arc::new(Log::open(Box::new(files.clone()), files.last(), durability));
        open::outbox(&engine, &files, &log)?;
        open::recorded(&engine, &types, &files, log.last().0)?;
        // Nothing acknowledged was in what was cut off, and every name is there for good.
        Engine::verified(directory)?;

        let mut parameters = Parameters::load(&engine.view(), &registry)?;
        let (current, fingerprint) = open::fingerprint(&engine, &registry, &options.base_url)?;
        if !current {
            if chain.head.commit > 0 {
                tracing::info!("search parameters or base URL changed: all resources are indexed anew");
                let count = rebuild::all(&engine, &types, &parameters.registry, &options.base_url)?;
                tracing::info!(resources = count, "indexed anew");
            }
            parameters = open::note_fingerprint(&engine, &fingerprint, &parameters)?;
        }
        let parameters = Arc::new(parameters);

        let search = given.map_or_else(limits::Search::default, |given| given.search);
        let heavy = Arc::<Heavy>::default();
        let (types, mark) = (Arc::new(types), Arc::new(Mutex::new(mark)));
        let meter = Arc::new(Meter::new());
        meter.audit_synced(log.last().0);
        let queue = Queue::start(Parts {
            engine: engine.clone(),
            types: Arc::clone(&types),
            parameters: Arc::clone(&parameters),
            base_url: options.base_url.clone(),
            search,
            heavy: Arc::clone(&heavy),
            log: Arc::clone(&log),
            mark: Arc::clone(&mark),
            chain,
            meter: Arc::clone(&meter),
        });
        let queue = Arc::new(queue.map_err(fault)?);
        let syncing = sync_thread(files.clone(), Arc::clone(&log), mark, Arc::clone(&meter)).map_err(fault)?;
        let (shared, bell) = (Arc::new(ArcSwap::new(Arc::clone(&parameters))), Arc::<Bell>::default());
        let indexer = Indexer {
            engine: engine.clone(),
            types: Arc::clone(&types),
            base_url: options.base_url.clone(),
            queue: Arc::clone(&queue),
            parameters: Arc::clone(&shared),
            bell: Arc::clone(&bell),
        };
        let indexing = indexer.start().map_err(fault)?;
        if parameters.is_busy() {
            bell.ring();
        }
        Ok(Self {
            engine,
            types,
            parameters: shared,
            bell,
            indexing: Mutex::new(Some(indexing)),
            search,
            heavy,
            queue,
            log,
            files,
            secret: Arc::new(Secret::new(&secret)),
            names: Arc::new(EventNames::new(&secret)),
            pseudonyms: derive(&secret, "pseudonyms"),
            server: Arc::new(Server { base_url: options.base_url.clone(), name: "handrail".into() }),
            base_url: options.base_url,
            audit_directory,
            house: ArcSwap::default(),
            meter,
            syncing: Mutex::new(Some(syncing)),
        })
    }

    pub(crate) fn heavy_searches(&self) -> usize {
        self.heavy.running()
    }

    pub(crate) fn engine_stats(&self) -> EngineStats {
        self.engine.stats()
    }

    /// Whether the engine takes batches: it takes none after a failed write, also of its own threads.
    pub(crate) fn engine_is_usable(&self) -> bool {
        self.engine.is_usable()
    }

    pub(crate) fn reader(&self, at: Instant) -> Reader {
        // A parameter is ready after its last key is there, and not ready before its first goes: what
        // is the same before and after the view was taken is true of the view.
        let mut parameters = self.parameters.load_full();
        let view = loop {
            let view = self.engine.view();
            let now = self.parameters.load();
            if Arc::ptr_eq(&now, &parameters) {
                break view;
            }
            parameters = Arc::clone(&now);
        };
        Reader {
            view,
            types: Arc::clone(&self.types),
            registry: Arc::clone(&parameters.registry),
            parameters,
            search: self.search,
            heavy: Arc::clone(&self.heavy),
            followed: Arc::default(),
            at,
        }
    }

    /// The names that this recipient knows resources by, which say nothing of which they are.
    #[must_use]
    pub fn pseudonyms(&self, recipient: &str) -> Pseudonyms {
        Pseudonyms::new(&self.pseudonyms, recipient)
    }

    /// What the facility decided on who may see what.
    #[must_use]
    pub fn house(&self) -> Arc<House> {
        self.house.load_full()
    }

    /// The facility decided anew: it counts from the next request on.
    pub fn set_house(&self, house: House) {
        self.house.store(Arc::new(house));
    }

    /// A consistent view of what is there; periods in it hold or do not hold at `now`.
    #[must_use]
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        let events = Events {
            files: self.files.clone(),
            last: self.log.last().0,
            server: Arc::clone(&self.server),
            names: Arc::clone(&self.names),
            records_max: self.search.audit_records_max,
        };
        Snapshot { reader: self.reader(now), secret: Arc::clone(&self.secret), events }
    }

    pub(crate) fn preparer(&self) -> Preparer {
        Preparer { types: Arc::clone(&self.types), registry: self.registry(), base_url: self.base_url.clone() }
    }

    /// Commits what is prepared already, under permits that tests make up.
    #[cfg(test)]
    pub(crate) async fn commit_work(&self, work: crate::writer::prepare::Work) -> Result<Committed, CommitError> {
        self.queue.commit(work).await
    }

    /// Commits all changes or none; when it returns, they are on stable storage.
    ///
    /// Index values are drawn out on the calling task; the rest happens on the store's writer.
    ///
    /// # Errors
    /// [`CommitError`] with the place of the change that stopped it.
    pub async fn commit(&self, transaction: Transaction) -> Result<Committed, CommitError> {
        if self.engine.is_overwhelmed() {
            return Err(CommitError::Unavailable("the engine does not keep up with what is written".into()));
        }
        let work = self.preparer().transaction(transaction);
        self.queue.commit(work).await
    }

    /// From now on appends to the log fail, as on a full disk.
    #[cfg(test)]
    pub(crate) fn break_log(&self) {
        self.files.break_off();
    }

    /// The search parameters: those compiled in, and those added. Take it anew for each request.
    #[must_use]
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.parameters.load().registry)
    }

    /// Whether searches by this parameter are answered.
    #[must_use]
    pub fn is_indexed(&self, parameter: search::ParameterId) -> bool {
        self.parameters.load().is_ready(parameter)
    }

    /// The added search parameters, and how far each is indexed.
    #[must_use]
    pub fn parameters(&self) -> Vec<ParameterStatus> {
        let parameters = self.parameters.load_full();
        if parameters.known.is_empty() {
            return Vec::new();
        }
        let all = [crate::engine::Space::Current, crate::engine::Space::History];
        let all = all.into_iter().map(|space| self.engine.about(space)).sum();
        parameters.known.iter().map(|one| one.status(all)).collect()
    }

    /// From now on these are the added search parameters. What is written from here on is indexed by
    /// them at once, what was there before in the background; keys of those that are not wanted any
    /// more go in the background too. Waits until that is on stable storage; true when it changes
    /// something.
    ///
    /// # Errors
    /// [`CommitError::Busy`], [`CommitError::Unavailable`].
    pub fn set_parameters(&self, wanted: Vec<Definition>) -> Result<bool, CommitError> {
        let shared = Arc::clone(&self.parameters);
        let changed = self.queue.with(move |parts, chain| {
            if let Some(why) = &chain.failed {
                return Err(why.clone());
            }
            let before = Arc::clone(&parts.parameters);
            let Some(after) = before.wanting(&wanted).map_err(|fault| fault.0)? else { return Ok(false) };
            let mut batch = parts.engine.batch();
            after.write(&before, &mut batch);
            batch.commit().map_err(|fault| {
                chain.failed = Some(fault.0.clone());
                fault.0
            })?;
            let after = Arc::new(after);
            parts.parameters = Arc::clone(&after);
            shared.store(after);
            Ok(true)
        });
        let changed = changed?.map_err(CommitError::Unavailable)?;
        if changed {
            self.bell.ring();
        }
        Ok(changed)
    }

    /// Lets the indexer do so many batches, or as many as there are, and waits until they are done.
    #[cfg(test)]
    pub(crate) fn index(&self, steps: Option<u32>) {
        self.bell.allow(steps);
        self.bell.rested();
    }

    /// Our own FHIR base URL.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn audit_server(&self) -> &Server {
        &self.server
    }

    pub(crate) fn audit_files(&self) -> &AuditFiles {
        &self.files
    }

    /// The audit log.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// From now on checkpoints of the audit log are signed into `audit/checkpoints`; the public key is
    /// kept beside them, in `audit/keys.pem`, with those of earlier signers.
    ///
    /// # Errors
    /// [`OpenError::AuditLog`] when the log is shorter than its last checkpoint.
    pub fn sign_checkpoints(&self, signer: Signer) -> Result<(), OpenError> {
        audit_files::keep_key(&self.audit_directory, &signer.public_key()).map_err(fault)?;
        let bytes = audit_files::checkpoint_bytes(&self.audit_directory).map_err(fault)?;
        let sink = audit_files::checkpoint_sink(&self.audit_directory).map_err(fault)?;
        let last = Checkpoint::last(&bytes);
        self.log
            .sign_checkpoints(signer, sink, last.as_ref())
            .map_err(|error| OpenError::AuditLog(self.log.last().0 + 1, error.0.to_string()))
    }

    /// The table of this name; made when it does not exist. Names: `a-z`, `-`, `_`.
    ///
    /// # Errors
    /// [`OpenError::Engine`].
    pub fn table(&self, name: &'static str) -> Result<Table, OpenError> {
        Ok(Table::new(self.engine.table(name)?, Arc::clone(&self.queue)))
    }

    /// Live resources of a type; for the operator and for tests of size, not for callers.
    ///
    /// # Errors
    /// [`OpenError::Engine`].
    pub fn live_resources(&self, resource_type: fhir::ResourceType) -> Result<u64, OpenError> {
        // How many there are does not depend on the moment.
        Ok(self.reader(Instant::from_unix_millis(0)).live(resource_type)?)
    }

    /// Writes a backup of this moment, with other files that belong to it. Requests go on meanwhile.
    ///
    /// # Errors
    /// [`BackupError`]; what was written by then is no backup.
    pub fn backup(
        &self,
        others: &[backup::Other],
        taken: fhir::Instant,
        to: &mut dyn std::io::Write,
    ) -> Result<backup::Contents, BackupError> {
        // WHY: before the segments, so that they have every record that a checkpoint speaks of.
        let beside = audit_files::beside(&self.audit_directory)?;
        let (engine, files) = (self.engine.clone(), self.files.clone());
        let moment = self.queue.between(move || Moment::now(&engine, &files, beside));
        let moment = moment.map_err(|error| BackupError::Store(error.to_string()))??;
        backup::write(&moment, others, taken, to)
    }

    /// Finishes what is queued, syncs, and takes nothing more. Reads still work.
    pub fn close(&self) {
        self.bell.stop();
        let indexing = self.indexing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(indexing) = indexing
            && indexing.join().is_err()
        {
            tracing::error!("the thread that indexes added search parameters ended in a panic");
        }
        self.queue.stop();
        self.files.stop();
        let syncing = self.syncing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(syncing) = syncing
            && syncing.join().is_err()
        {
            tracing::error!("the thread that syncs the audit log ended in a panic");
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

/// Brings the log to stable storage soon after each append, and notes how far it came.
fn sync_thread(
    files: AuditFiles,
    log: Arc<Log>,
    mark: Arc<Mutex<MarkFile>>,
    meter: Arc<Meter>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("audit-sync".into()).spawn(move || {
        let mut more = true;
        let mut mark_synced = std::time::Instant::now();
        while more {
            more = files.wait_dirty();
            let reached = log.last().0;
            if let Err(error) = log.sync() {
                tracing::error!(error = %error.0, "audit log: sync failed; nothing more is answered");
                return;
            }
            meter.audit_synced(reached);
            let (noted, file) = {
                let mut mark = mark.lock().unwrap_or_else(PoisonError::into_inner);
                let now = Mark { audit: reached, ..mark.current() };
                (if now == mark.current() { Ok(()) } else { mark.write(now) }, mark.file())
            };
            let due = !more || mark_synced.elapsed() >= limits::MARK_SYNC;
            let noted = if due { noted.and_then(|()| file.sync_data()) } else { noted };
            if due {
                mark_synced = std::time::Instant::now();
            }
            if let Err(error) = noted {
                tracing::warn!(%error, "the mark could not be written");
            }
        }
    })
}
