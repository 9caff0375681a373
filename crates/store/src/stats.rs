//! What an operator wants to know of a running store, as numbers. What becomes of them is the binary's.
//!
//! Counters are relaxed atomics: a few nanoseconds where they are counted, no order between them.

use crate::{Store, limits};
use std::{
    sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Counts of values by size, with fixed bounds.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One for each bound (value at most that), and one for the rest.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What a [`Histogram`] holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Upper bounds, ascending.
    pub bounds: &'static [u64],
    /// Values at most their bound and above the one before; the last stands for those above all bounds.
    pub counts: Vec<u64>,
    /// Sum of all values.
    pub sum: u64,
}

impl Histogram {
    /// With these upper bounds, ascending.
    #[must_use]
    pub fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    /// Counts a value.
    pub fn record(&self, value: u64) {
        let at = self.bounds.iter().position(|bound| value <= *bound).unwrap_or(self.bounds.len());
        if let Some(count) = self.counts.get(at) {
            count.fetch_add(1, Relaxed);
        }
        self.sum.fetch_add(value, Relaxed);
    }

    /// Counts a duration, in microseconds.
    pub fn record_time(&self, took: Duration) {
        self.record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// What was counted so far.
    #[must_use]
    pub fn read(&self) -> Distribution {
        let counts = self.counts.iter().map(|count| count.load(Relaxed)).collect();
        Distribution { bounds: self.bounds, counts, sum: self.sum.load(Relaxed) }
    }
}

/// Bounds for durations from a fast disk's sync to a stalled one's, in microseconds.
pub const TIME_BOUNDS_US: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    10_000_000,
];

const GROUP_BOUNDS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256];

/// What the writer and the thread that syncs the log count.
#[derive(Debug)]
pub(crate) struct Meter {
    queued: AtomicI64,
    refused: AtomicU64,
    transactions: AtomicU64,
    failed: AtomicU64,
    table_changes: AtomicU64,
    groups: Histogram,
    commits: Histogram,
    audit_synced: AtomicU64,
    stalls: AtomicU64,
    stalled_us: AtomicU64,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self {
            queued: AtomicI64::new(0),
            refused: AtomicU64::new(0),
            transactions: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            table_changes: AtomicU64::new(0),
            groups: Histogram::new(GROUP_BOUNDS),
            commits: Histogram::new(TIME_BOUNDS_US),
            audit_synced: AtomicU64::new(0),
            stalls: AtomicU64::new(0),
            stalled_us: AtomicU64::new(0),
        }
    }

    /// A job stands in the writer's queue.
    pub(crate) fn queued(&self) {
        self.queued.fetch_add(1, Relaxed);
    }

    /// The writer took it.
    pub(crate) fn taken(&self) {
        self.queued.fetch_sub(1, Relaxed);
    }

    /// The queue had no room.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// A group was written, durable when `worked`, in this time.
    pub(crate) fn written(&self, transactions: usize, table_changes: usize, took: Duration, worked: bool) {
        self.commits.record_time(took);
        self.groups.record((transactions + table_changes) as u64);
        if worked {
            self.transactions.fetch_add(transactions as u64, Relaxed);
            self.table_changes.fetch_add(table_changes as u64, Relaxed);
        } else {
            self.failed.fetch_add(1, Relaxed);
        }
    }

    /// The writer waited this long for the engine to keep up.
    pub(crate) fn kept_up(&self, took: Duration) {
        if took >= limits::STALL {
            self.stalls.fetch_add(1, Relaxed);
            self.stalled_us.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
        }
    }

    /// The log is on stable storage up to here.
    pub(crate) fn audit_synced(&self, sequence: u64) {
        self.audit_synced.fetch_max(sequence, Relaxed);
    }
}

/// Numbers of one moment; those that count began at zero when the store was opened.
#[derive(Debug, Clone)]
pub struct Stats {
    /// Whether the writer takes changes.
    pub writer_runs: bool,
    /// Whether the audit log takes records.
    pub log_is_usable: bool,
    /// Jobs that wait for the writer.
    pub queue_jobs: u64,
    /// How many may.
    pub queue_jobs_max: u64,
    /// Bytes of them.
    pub queue_bytes: u64,
    /// How many may.
    pub queue_bytes_max: u64,
    /// Jobs refused because the queue was full.
    pub queue_refused: u64,
    /// Transactions made durable.
    pub transactions: u64,
    /// Changes of tables (clients, tokens, keys) made durable.
    pub table_changes: u64,
    /// Groups that the engine failed to write.
    pub groups_failed: u64,
    /// Jobs of a group.
    pub group_jobs: Distribution,
    /// Microseconds that a group took to reach stable storage; stalls come on top.
    pub group_commit_us: Distribution,
    /// Costly searches that run.
    pub heavy_searches: u64,
    /// How many may at once.
    pub heavy_searches_max: u64,
    /// How often the writer was held back for the engine to keep up.
    pub stalls: u64,
    /// How long, together.
    pub stalled: Duration,
    /// Last audit record.
    pub audit_last: u64,
    /// Last audit record known to be on stable storage.
    pub audit_synced: u64,
    /// The added search parameters, and how far each is indexed.
    pub parameters: Vec<crate::ParameterStatus>,
    /// The engine's own.
    pub engine: EngineStats,
}

/// Numbers of the engine.
#[derive(Debug, Clone)]
pub struct EngineStats {
    /// Bytes of its files, journals included.
    pub disk_bytes: u64,
    /// Bytes of its journals.
    pub journal_bytes: u64,
    /// Number of journals; one is being written.
    pub journals: u64,
    /// Bytes of memtables.
    pub memtable_bytes: u64,
    /// Memtables that wait to be written.
    pub flushes_waiting: u64,
    /// Compactions at work.
    pub compactions_active: u64,
    /// Compactions done.
    pub compactions: u64,
    /// Time they took.
    pub compaction_time: Duration,
    /// Bytes in the block cache.
    pub cache_bytes: u64,
    /// How many may be.
    pub cache_bytes_max: u64,
    /// Bytes of changes in no table yet; writes are held back when they are many.
    pub unwritten_bytes: u64,
    /// What is kept in memory because it is read again.
    pub shelves: Vec<ShelfStats>,
    /// Keyspace by keyspace.
    pub keyspaces: Vec<KeyspaceStats>,
}

/// Numbers of what is kept in memory of one kind.
#[derive(Debug, Clone)]
pub struct ShelfStats {
    /// Its name.
    pub name: &'static str,
    /// Bytes held, about.
    pub bytes: u64,
    /// How many may be.
    pub bytes_max: u64,
    /// How often something was looked for.
    pub asked: u64,
    /// How often it was there.
    pub found: u64,
}

/// Numbers of a keyspace.
#[derive(Debug, Clone)]
pub struct KeyspaceStats {
    /// Its name.
    pub name: &'static str,
    /// Bytes of its tables.
    pub disk_bytes: u64,
    /// Tables.
    pub tables: u64,
    /// Tables of the level that writes wait for when it is full.
    pub l0_tables: u64,
}

impl Store {
    /// Numbers of this moment. Asks the engine's counters and the sizes of its journals; no data is read.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let meter = &*self.meter;
        let last = self.log().last().0;
        Stats {
            writer_runs: self.queue.is_running(),
            log_is_usable: self.log().is_usable(),
            queue_jobs: u64::try_from(meter.queued.load(Relaxed)).unwrap_or(0),
            queue_jobs_max: limits::QUEUE_TRANSACTIONS_MAX as u64,
            queue_bytes: self.queue.bytes() as u64,
            queue_bytes_max: limits::QUEUE_BYTES_MAX as u64,
            queue_refused: meter.refused.load(Relaxed),
            transactions: meter.transactions.load(Relaxed),
            table_changes: meter.table_changes.load(Relaxed),
            groups_failed: meter.failed.load(Relaxed),
            group_jobs: meter.groups.read(),
            group_commit_us: meter.commits.read(),
            heavy_searches: self.heavy_searches() as u64,
            heavy_searches_max: limits::HEAVY_SEARCHES_MAX as u64,
            stalls: meter.stalls.load(Relaxed),
            stalled: Duration::from_micros(meter.stalled_us.load(Relaxed)),
            audit_last: last,
            audit_synced: meter.audit_synced.load(Relaxed).min(last),
            parameters: self.parameters(),
            engine: self.engine_stats(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_at_the_first_bound_that_holds_it() {
        let histogram = Histogram::new(&[10, 20]);
        [0, 10, 11, 20, 21, 500].into_iter().for_each(|value| histogram.record(value));
        let read = histogram.read();
        assert_eq!((read.counts, read.sum), (vec![2, 2, 2], 562));
    }
}
