//! Metrics for Prometheus: what is counted here, and what is asked of others when a page is made.
//!
//! - [`catalogue`]: every metric, with its meaning. [`page`]: the text format.
//! - [`process`]: from the operating system. [`listener`]: where the page is read.
//!
//! Counting costs some nanoseconds a request: relaxed atomics in fixed places, no look-up by text.

pub(crate) mod catalogue;
pub(crate) mod listener;
mod page;
mod process;

use crate::{
    answered::{Facts, INTERACTIONS},
    clock, control,
    glasses::Waiting,
    household::Keeper,
    log,
};
use catalogue as c;
use page::Page;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use store::{
    Indexed,
    stats::{Histogram, TIME_BOUNDS_US},
};

/// Statuses are 100 to 599.
const STATUSES: usize = 500;

/// Requests of one interaction.
struct Requests {
    by_status: Box<[AtomicU64]>,
    took: Histogram,
}

/// What is counted, by word. Words are constants of this program.
#[derive(Default)]
struct Words(Mutex<BTreeMap<&'static str, u64>>);

impl Words {
    fn count(&self, word: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(word).or_default() += 1;
    }

    fn show(&self, page: &mut Page, family: &'static c::Family) {
        for (word, count) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            page.labelled(family, &[word], count);
        }
    }
}

/// What this process counts.
pub(crate) struct Metrics {
    started_s: i64,
    requests: Vec<Requests>,
    types: Vec<AtomicU64>,
    response_bytes: AtomicU64,
    in_flight: AtomicI64,
    refusals: Words,
    tokens_issued: AtomicU64,
    tokens_refused: Words,
    unusual: Words,
    exported: AtomicU64,
    sent: AtomicU64,
    /// Connections of clients.
    pub(crate) connections: Connections,
    /// The server's certificates.
    pub(crate) certificates: Mutex<Vec<Arc<CertificateState>>>,
    /// Anchors and revocation lists of clients.
    pub(crate) client_trust: ClientTrustState,
    checkpoint: Mutex<Option<(u64, i64)>>,
}

/// Connections and their handshakes.
#[derive(Default)]
pub(crate) struct Connections {
    open: AtomicI64,
    accepted: AtomicU64,
    refused: Words,
    handshakes: Words,
    handshakes_failed: Words,
    body_bytes: AtomicUsize,
    sending_bytes: AtomicUsize,
}

impl Connections {
    /// One was accepted.
    pub(crate) fn accepted(&self) -> Running<'_> {
        self.accepted.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
        Running(&self.open)
    }

    /// One was closed at once, or could not be accepted.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.refused.count(reason);
    }

    /// This many bytes of request bodies, and of large answers that wait to be taken, are in memory.
    pub(crate) fn holds(&self, body_bytes: usize, sending_bytes: usize) {
        self.body_bytes.store(body_bytes, Relaxed);
        self.sending_bytes.store(sending_bytes, Relaxed);
    }

    /// A handshake was done.
    pub(crate) fn shook_hands(&self, http_2: bool) {
        self.handshakes.count(if http_2 { "h2" } else { "http/1.1" });
    }

    /// A handshake failed.
    pub(crate) fn handshake_failed(&self, kind: &'static str) {
        self.handshakes_failed.count(kind);
    }
}

/// What is known of the certificate.
#[derive(Default)]
pub(crate) struct CertificateState {
    /// When it ends, in seconds since the epoch; 0 when unknown.
    pub(crate) ends_s: AtomicI64,
    /// Whether the files hold one that cannot be used.
    pub(crate) stale: AtomicBool,
    taken: AtomicU64,
    refused: AtomicU64,
}

impl CertificateState {
    /// Changed files were read: taken or not.
    pub(crate) fn reloaded(&self, taken: bool) {
        (if taken { &self.taken } else { &self.refused }).fetch_add(1, Relaxed);
        self.stale.store(!taken, Relaxed);
    }

    /// How often they were taken and refused.
    pub(crate) fn reloads(&self) -> (u64, u64) {
        (self.taken.load(Relaxed), self.refused.load(Relaxed))
    }
}

/// What is known of anchors and revocation lists.
#[derive(Default)]
pub(crate) struct ClientTrustState {
    /// When the first list ends, in seconds since the epoch; 0 without lists.
    pub(crate) lists_end_s: AtomicI64,
    /// Whether the files hold what cannot be used.
    pub(crate) stale: AtomicBool,
    taken: AtomicU64,
    refused: AtomicU64,
}

impl ClientTrustState {
    /// Changed files were read: taken or not.
    pub(crate) fn reloaded(&self, taken: bool) {
        (if taken { &self.taken } else { &self.refused }).fetch_add(1, Relaxed);
        self.stale.store(!taken, Relaxed);
    }
}

/// Something that is open or worked on, until this is dropped.
pub(crate) struct Running<'a>(&'a AtomicI64);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// What the page asks of others.
pub(crate) struct Sources {
    /// What is counted here.
    pub(crate) metrics: Arc<Metrics>,
    /// The store.
    pub(crate) store: Arc<store::Store>,
    /// The authorization server.
    pub(crate) authserver: Arc<authserver::Service>,
    /// The facility's rules.
    pub(crate) household: Arc<Keeper>,
    /// Whether requests are taken.
    pub(crate) ready: Box<dyn Fn() -> bool + Send + Sync>,
    /// The data directory.
    pub(crate) directory: PathBuf,
    /// `limits.connections`.
    pub(crate) connections_max: usize,
    /// `limits.requests_in_flight`.
    pub(crate) requests_in_flight_max: usize,
}

impl Metrics {
    /// Nothing is counted yet.
    pub(crate) fn new() -> Self {
        let counters = |count: usize| (0..count).map(|_| AtomicU64::new(0));
        let requests = |_| Requests { by_status: counters(STATUSES).collect(), took: Histogram::new(TIME_BOUNDS_US) };
        Self {
            started_s: clock::now().unix_seconds(),
            requests: INTERACTIONS.iter().map(requests).collect(),
            types: counters(fhir::ResourceType::all().count()).collect(),
            response_bytes: AtomicU64::new(0),
            in_flight: AtomicI64::new(0),
            refusals: Words::default(),
            tokens_issued: AtomicU64::new(0),
            tokens_refused: Words::default(),
            unusual: Words::default(),
            exported: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            connections: Connections::default(),
            certificates: Mutex::default(),
            client_trust: ClientTrustState::default(),
            checkpoint: Mutex::new(None),
        }
    }

    /// What is known of one more certificate.
    pub(crate) fn certificate(&self) -> Arc<CertificateState> {
        let state = Arc::<CertificateState>::default();
        self.certificates.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&state));
        state
    }

    /// A request begins.
    pub(crate) fn begin(&self) -> Running<'_> {
        self.in_flight.fetch_add(1, Relaxed);
        Running(&self.in_flight)
    }

    /// A request was answered.
    pub(crate) fn answered(&self, facts: &Facts, status: u16, took: Duration, bytes: u64) {
        let at = INTERACTIONS.iter().position(|name| *name == facts.interaction);
        let at = at.unwrap_or(INTERACTIONS.len().saturating_sub(1));
        if let Some(requests) = self.requests.get(at) {
            if let Some(count) = requests.by_status.get(usize::from(status).saturating_sub(100)) {
                count.fetch_add(1, Relaxed);
            }
            requests.took.record_time(took);
        }
        if let Some(count) = facts.resource_type.and_then(|name| self.types.get(name.index())) {
            count.fetch_add(1, Relaxed);
        }
        self.response_bytes.fetch_add(bytes, Relaxed);
        match (facts.interaction, facts.refused) {
            ("token", None) => {
                self.tokens_issued.fetch_add(1, Relaxed);
            }
            ("token", Some(reason)) => self.tokens_refused.count(reason),
            (_, Some(reason)) => self.refusals.count(reason),
            _ => {}
        }
    }

    /// So many accesses were unusual by this rule.
    pub(crate) fn unusual(&self, rule: &'static str, count: u64) {
        (0..count).for_each(|_| self.unusual.count(rule));
    }

    /// The audit log stands elsewhere up to this record.
    pub(crate) fn exported(&self, sequence: u64) {
        self.exported.store(sequence, Relaxed);
    }

    /// The repository was sent the audit log up to this record.
    pub(crate) fn sent(&self, sequence: u64) {
        self.sent.store(sequence, Relaxed);
    }

    /// The audit log was signed up to this record.
    pub(crate) fn signed(&self, sequence: u64, at_s: i64) {
        *self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner) = Some((sequence, at_s));
    }
}

impl Sources {
    /// The page as of now. Asks the file system, so it may wait for a disk.
    pub(crate) fn page(&self) -> String {
        let mut page = Page::default();
        page.labelled(&c::BUILD_INFO, &[env!("CARGO_PKG_VERSION")], 1);
        page.value(&c::READY, u8::from((self.ready)()));
        self.requests(&mut page);
        self.connections(&mut page);
        let stats = self.store.stats();
        store(&mut page, &stats);
        engine(&mut page, &stats.engine);
        self.audit(&mut page, &stats);
        if let Ok(disk) = rustix::fs::statvfs(&self.directory) {
            page.value(&c::DISK_FREE, disk.f_bavail.saturating_mul(disk.f_frsize));
            page.value(&c::DISK_SIZE, disk.f_blocks.saturating_mul(disk.f_frsize));
        }
        page.value(&c::LOG_LOST, log::lost());
        process::collect(&mut page, self.metrics.started_s);
        page.into_text()
    }

    fn requests(&self, page: &mut Page) {
        let metrics = &self.metrics;
        let all = || INTERACTIONS.iter().zip(&metrics.requests);
        for (name, requests) in all() {
            for (count, status) in requests.by_status.iter().zip(100..) {
                let count = count.load(Relaxed);
                if count > 0 {
                    page.labelled(&c::REQUESTS, &[name, &i32::to_string(&status)], count);
                }
            }
        }
        for (name, requests) in all() {
            let took = requests.took.read();
            if took.counts.iter().any(|count| *count > 0) {
                page.histogram(&c::DURATION, &[name], &took, 1e6);
            }
        }
        page.value(&c::IN_FLIGHT, metrics.in_flight.load(Relaxed).max(0));
        page.value(&c::IN_FLIGHT_LIMIT, self.requests_in_flight_max);
        for (name, count) in fhir::ResourceType::all().zip(&metrics.types) {
            let count = count.load(Relaxed);
            if count > 0 {
                page.labelled(&c::BY_TYPE, &[name.name()], count);
            }
        }
        page.value(&c::RESPONSE_BYTES, metrics.response_bytes.load(Relaxed));
        metrics.refusals.show(page, &c::REFUSALS);
        page.value(&c::TOKENS_ISSUED, metrics.tokens_issued.load(Relaxed));
        metrics.tokens_refused.show(page, &c::TOKENS_REFUSED);
        metrics.unusual.show(page, &c::UNUSUAL);
        page.value(&c::UNUSUAL_OPEN, self.authserver.unusual_open());
        page.value(&c::AUDIT_EXPORTED, metrics.exported.load(Relaxed));
        page.value(&c::AUDIT_SENT, metrics.sent.load(Relaxed));
        page.value(&c::CLIENTS, self.authserver.clients().len());
        self.communities(page);
        self.shadow(page);
        let waiting = Waiting::of(&self.authserver, clock::now());
        page.value(&c::GLASS_BROKEN, self.authserver.glasses_broken());
        page.value(&c::GLASS_WAITING, waiting.cases);
        page.value(&c::GLASS_LATE, waiting.late);
        page.value(&c::GLASS_OLDEST, waiting.oldest_s);
    }

    /// Rules are not named: a name is the facility's own words, and may be somebody's.
    fn shadow(&self, page: &mut Page) {
        let Some(tally) = self.household.shadow_tally() else { return };
        page.value(&c::SHADOW_REQUESTS, tally.requests);
        page.value(&c::SHADOW_LEFT_OUT, tally.left_out);
        for ((interaction, outcome), count) in &tally.differences {
            page.labelled(&c::SHADOW_DIFFERENCES, &[interaction, outcome], count);
        }
    }

    fn communities(&self, page: &mut Page) {
        let communities = self.authserver.communities();
        for community in &communities {
            page.labelled(&c::COMMUNITY_ENDS, &[&community.uri], community.ends_s());
        }
        if communities.is_empty() {
            return;
        }
        let mut states = [("works", 0u64), ("waits", 0), ("suspended", 0), ("stopped", 0)];
        for client in self.authserver.udap_registrations() {
            let standing = control::standing(&client);
            states.iter_mut().filter(|(state, _)| *state == standing).for_each(|(_, count)| *count += 1);
        }
        states.iter().for_each(|(state, count)| page.labelled(&c::PARTNERS, &[state], count));
        page.value(&c::UNANSWERED, self.authserver.udap_unanswered().len());
    }

    fn connections(&self, page: &mut Page) {
        let connections = &self.metrics.connections;
        page.value(&c::CONNECTIONS_OPEN, connections.open.load(Relaxed).max(0));
        page.value(&c::CONNECTIONS_LIMIT, self.connections_max);
        page.value(&c::CONNECTIONS_ACCEPTED, connections.accepted.load(Relaxed));
        connections.refused.show(page, &c::CONNECTIONS_REFUSED);
        connections.handshakes.show(page, &c::HANDSHAKES);
        connections.handshakes_failed.show(page, &c::HANDSHAKES_FAILED);
        page.value(&c::BODY_BYTES, connections.body_bytes.load(Relaxed));
        page.value(&c::SENDING_BYTES, connections.sending_bytes.load(Relaxed));
        let certificates = self.metrics.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = certificates.iter().map(|certificate| certificate.ends_s.load(Relaxed));
        if let Some(ends_s) = ends.filter(|ends_s| *ends_s != 0).min() {
            page.value(&c::CERTIFICATE_ENDS, ends_s);
        }
        let reloads = certificates.iter().map(|certificate| certificate.reloads());
        let (taken, refused) = reloads.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        page.labelled(&c::CERTIFICATE_RELOADS, &["taken"], taken);
        page.labelled(&c::CERTIFICATE_RELOADS, &["refused"], refused);
        let is_stale = certificates.iter().any(|certificate| certificate.stale.load(Relaxed));
        page.value(&c::CERTIFICATE_STALE, u8::from(is_stale));
        let trust = &self.metrics.client_trust;
        let ends_s = trust.lists_end_s.load(Relaxed);
        if ends_s != 0 {
            page.value(&c::CLIENT_CRL_ENDS, ends_s);
        }
        page.labelled(&c::CLIENT_TRUST_RELOADS, &["taken"], trust.taken.load(Relaxed));
        page.labelled(&c::CLIENT_TRUST_RELOADS, &["refused"], trust.refused.load(Relaxed));
        page.value(&c::CLIENT_TRUST_STALE, u8::from(trust.stale.load(Relaxed)));
    }

    fn audit(&self, page: &mut Page, stats: &store::stats::Stats) {
        page.value(&c::AUDIT_UP, u8::from(stats.log_is_usable));
        page.value(&c::AUDIT_ENTRIES, stats.audit_last);
        page.value(&c::AUDIT_UNSYNCED, stats.audit_last.saturating_sub(stats.audit_synced));
        let checkpoint = *self.metrics.checkpoint.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((sequence, at_s)) = checkpoint {
            page.value(&c::AUDIT_CHECKPOINT, at_s);
            page.value(&c::AUDIT_UNCOVERED, stats.audit_last.saturating_sub(sequence));
        }
    }
}

fn store(page: &mut Page, stats: &store::stats::Stats) {
    page.value(&c::WRITER_UP, u8::from(stats.writer_runs));
    page.value(&c::TRANSACTIONS, stats.transactions);
    page.value(&c::TABLE_CHANGES, stats.table_changes);
    page.histogram(&c::GROUP_JOBS, &[], &stats.group_jobs, 1.0);
    page.histogram(&c::GROUP_COMMIT, &[], &stats.group_commit_us, 1e6);
    page.value(&c::GROUPS_FAILED, stats.groups_failed);
    page.value(&c::STALLS, stats.stalls);
    page.value(&c::STALLED, stats.stalled.as_secs_f64());
    page.value(&c::HEAVY, stats.heavy_searches);
    page.value(&c::HEAVY_LIMIT, stats.heavy_searches_max);
    let mut states = [("indexing", 0u64), ("ready", 0), ("removing", 0)];
    let mut least = 100;
    for one in &stats.parameters {
        let (at, percent) = match one.indexed {
            Indexed::Building { percent, .. } => (0, percent),
            Indexed::Ready => (1, 100),
            Indexed::Removing { percent, .. } => (2, percent),
        };
        least = least.min(percent);
        if let Some((_, count)) = states.get_mut(at) {
            *count += 1;
        }
    }
    states.iter().for_each(|(state, count)| page.labelled(&c::ADDED_PARAMETERS, &[state], count));
    page.value(&c::INDEXED, f64::from(least) / 100.0);
    page.value(&c::QUEUE, stats.queue_jobs);
    page.value(&c::QUEUE_LIMIT, stats.queue_jobs_max);
    page.value(&c::QUEUE_BYTES, stats.queue_bytes);
    page.value(&c::QUEUE_BYTES_LIMIT, stats.queue_bytes_max);
    page.value(&c::QUEUE_REFUSED, stats.queue_refused);
}

fn engine(page: &mut Page, engine: &store::stats::EngineStats) {
    page.value(&c::ENGINE_DISK, engine.disk_bytes);
    page.value(&c::ENGINE_JOURNAL, engine.journal_bytes);
    page.value(&c::ENGINE_JOURNALS, engine.journals);
    page.value(&c::ENGINE_MEMTABLE, engine.memtable_bytes);
    page.value(&c::ENGINE_FLUSHES, engine.flushes_waiting);
    page.value(&c::ENGINE_COMPACTIONS_ACTIVE, engine.compactions_active);
    page.value(&c::ENGINE_COMPACTIONS, engine.compactions);
    page.value(&c::ENGINE_COMPACTION_TIME, engine.compaction_time.as_secs_f64());
    page.value(&c::ENGINE_CACHE, engine.cache_bytes);
    page.value(&c::ENGINE_CACHE_LIMIT, engine.cache_bytes_max);
    page.value(&c::ENGINE_UNWRITTEN, engine.unwritten_bytes);
    let shelves = &engine.shelves;
    shelves.iter().for_each(|shelf| page.labelled(&c::MEMORY, &[shelf.name], shelf.bytes));
    shelves.iter().for_each(|shelf| page.labelled(&c::MEMORY_LIMIT, &[shelf.name], shelf.bytes_max));
    shelves.iter().for_each(|shelf| page.labelled(&c::MEMORY_ASKED, &[shelf.name], shelf.asked));
    shelves.iter().for_each(|shelf| page.labelled(&c::MEMORY_FOUND, &[shelf.name], shelf.found));
    let spaces = &engine.keyspaces;
    spaces.iter().for_each(|space| page.labelled(&c::ENGINE_KEYSPACE, &[space.name], space.disk_bytes));
    spaces.iter().for_each(|space| page.labelled(&c::ENGINE_TABLES, &[space.name], space.tables));
    spaces.iter().for_each(|space| page.labelled(&c::ENGINE_L0, &[space.name], space.l0_tables));
}

#[cfg(test)]
mod tests;
