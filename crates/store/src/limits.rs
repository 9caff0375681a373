//! Stated limits of the store: constants, each with its unit and reason (row F58).

/// Bytes of engine blocks kept in memory. With the memtables below it keeps an idle server under
/// 48 MB; the operating system's page cache holds the rest.
pub const BLOCK_CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes of current versions kept in memory, packed: 40,000 to 100,000 resources of 1.5 KB.
pub const VERSIONS_BYTES: usize = 30 * 1024 * 1024;

/// Bytes of one stored version that is kept so: a larger one would drive hundreds out.
pub const VERSION_KEPT_BYTES_MAX: usize = 32 * 1024;

/// Bytes of places kept in memory, about 150 each.
pub const PLACES_BYTES: usize = 13 * 1024 * 1024;

/// Bytes of folders kept in memory, packed versions included: 25 to 60 KB for 100 resources.
pub const FOLDERS_BYTES: usize = 40 * 1024 * 1024;

/// Bytes of what consents say that is kept in memory: some 4 KB for a patient with one, 150 for one with none.
pub const SAID_BYTES: usize = if cfg!(test) { 256 * 1024 } else { 8 * 1024 * 1024 };

/// Bytes of rules that follow from what consents say, kept in memory: some 2 KB each.
pub const RULES_BYTES: usize = if cfg!(test) { 256 * 1024 } else { 4 * 1024 * 1024 };

/// Bytes of what grants mean of single versions, kept in memory: some 250 for a version and a grant.
pub const VERDICTS_BYTES: usize = if cfg!(test) { 64 * 1024 } else { 3 * 1024 * 1024 };

/// Rules of one view that are looked through before they are put in a table.
pub const RULES_FEW: usize = if cfg!(test) { 2 } else { 8 };

/// Grants whose part of a folder is kept with it: an eighth of a byte for each resource, and some 150 bytes.
pub const FOLDER_GRANTS_MAX: usize = if cfg!(test) { 2 } else { 8 };

/// Patients whose rules such a part may rest on.
pub const FOLDER_GRANT_PATIENTS_MAX: usize = 4;

/// Resources of one type in one patient's compartment that are kept as a folder; larger ones are
/// searched over the indices. At most 65,535, for a resource's number in it has two bytes.
pub const FOLDER_ROWS_MAX: usize = if cfg!(test) { 12 } else { 2_048 };

/// Changes that a folder in memory is told of before somebody reads it; with more it goes.
pub const FOLDER_CHANGES_MAX: usize = if cfg!(test) { 5 } else { 64 };

/// Folders of which is known that they were asked for, 8 bytes each.
pub const ASKED_ONCE: usize = 16 * 1024;

/// Questions after which a folder is made that was made before and did not stay, at most 255.
pub const ASKED_MAX: u64 = 64;

/// Types that can have a dictionary: by their number in this store.
pub const DICTIONARIES: usize = 512;

/// Versions of a type that its dictionary is made from.
pub const DICTIONARY_SAMPLES: usize = if cfg!(test) { 4 } else { 64 };

/// Bytes of a dictionary's values, and of its JSON: each packing goes through them once.
pub const DICTIONARY_BYTES_MAX: usize = 8 * 1024;

/// Bytes that all keyspaces together gather in memory before the largest of them is written out, as the engine
/// counts them (a key counts 64 bytes more than it has). With the caches this keeps a busy server under 96 MB.
/// Tests write little and want to see it written out.
pub const MEMTABLES_BYTES: u64 = if cfg!(test) { 256 * 1024 } else { 20 * 1024 * 1024 };

/// Time between two looks at the sizes of all memtables: what is written meanwhile is a small part of
/// [`MEMTABLES_BYTES`].
pub const MEMTABLES_LOOK: std::time::Duration =
    if cfg!(test) { std::time::Duration::ZERO } else { std::time::Duration::from_millis(2) };

/// Bytes in no table yet from which on the writer is held back for the engine after each group of commits: twice
/// the budget, so that it never happens while the engine keeps up.
pub const UNWRITTEN_BYTES_WAIT: u64 = 2 * MEMTABLES_BYTES;

/// Bytes above that for each microsecond of waiting: 1 ms for a MiB. With many clients in a group that slows them
/// to what the engine can take, and no single one waits long.
pub const UNWRITTEN_BYTES_PER_US: u64 = 1024;

/// The longest of these waits: well below the 250 ms that no commit should be held up.
pub const PRESSURE_WAIT_MAX: std::time::Duration = std::time::Duration::from_millis(100);

/// Time from which waiting for the engine counts as a stall, for an operator's numbers.
pub const STALL: std::time::Duration = std::time::Duration::from_millis(1);

/// Bytes in no table yet at which nothing more is taken. The engine has stood still for seconds then.
pub const UNWRITTEN_BYTES_MAX: u64 = 160 * 1024 * 1024;

/// Bytes left in memory that are not worth a table of their own when the writer rests.
pub const IDLE_UNWRITTEN_BYTES: u64 = 256 * 1024;

/// Tables of a keyspace's newest level beyond which none is added before they were merged. The engine halts
/// writers at 30.
pub const NEWEST_TABLES_MAX: usize = 20;

/// Tables of the newest level that are merged into the next: the more at once, the less often what they overlap is
/// written again; but a search looks into each of them.
pub const NEWEST_TABLES_MERGED: u8 = 6;

/// Bytes of a table. Levels are made of them (six in the first, sixty in the second), and a merge rewrites what
/// overlaps: with the engine's own 64 MiB, all of a keyspace up to 256 MiB whenever four memtables are full.
pub const TABLE_BYTES: u64 = 8 * 1024 * 1024;

/// Bytes of journal files before the engine writes memtables out to be rid of them. The engine
/// takes no less than 64 MiB.
pub const JOURNAL_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Threads of the engine that write out and merge. With two, one of them spins while the other merges.
pub const ENGINE_THREADS: usize = 1;

/// How long a store that is closed may write out what is in memory. After that the next start replays it.
pub const SETTLE_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(10);

/// Transactions that may wait for the writer; the next one is refused as unavailable.
pub const QUEUE_TRANSACTIONS_MAX: usize = 4096;

/// Removals from a table that are queued at once: they share a sync, and leave room in the queue for others.
pub const TABLE_REMOVALS_AT_ONCE: usize = 64;

/// Bytes of resources that may wait for the writer: two of the largest transactions and change.
pub const QUEUE_BYTES_MAX: usize = 96 * 1024 * 1024;

/// Transactions that share one sync at most: bounds the time the first of them waits.
pub const GROUP_TRANSACTIONS_MAX: usize = 256;

/// Bytes of resources (each counted twice) after which a group takes no more transactions: a group is some 50 ms of
/// the writer's time at most, unless one transaction alone is more.
pub const GROUP_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Changes of the engine from which on those of one group are brought into the order of their keys: fewer are
/// inserted as quickly as they are sorted.
pub const OPS_SORTED: usize = if cfg!(test) { 8 } else { 64 };

/// Milliseconds within which a recorded read is on stable storage (invariant 6); half of 50, so
/// that the sync itself has time.
pub const AUDIT_SYNC_MS: u64 = 25;

/// Bytes of one segment of the audit log. The last one is read whole at open.
pub const AUDIT_SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

/// Records between two known offsets of a segment: reading one record passes over this many at most.
pub const AUDIT_OFFSET_EVERY: u64 = 128;

/// Audit records that one search of AuditEvent tests: each is rendered and indexed, some 50 µs.
pub const AUDIT_SEARCH_RECORDS_MAX: usize = 100_000;

/// Commits at the end of the chain whose versions are read back and digested at open, newest first. Older ones
/// are checked for number, chain and counts alone.
pub const VERIFY_TAIL_COMMITS: u64 = 256;

/// Versions that are read back for that at most, beyond those of the last commit: 10 µs each.
pub const VERIFY_TAIL_VERSIONS: usize = 2_000;

/// Records at the end of the audit log whose resources are looked up at open: a version that the log
/// speaks of and the engine does not have was lost. 5 µs each.
pub const VERIFY_TAIL_RECORDS: usize = 512;

/// How long the mark may wait for stable storage while there is work. It only finds what a disk lost
/// after it had said that it was stable, so it need not cost more than this.
pub const MARK_SYNC: std::time::Duration = std::time::Duration::from_secs(1);

/// The limits of one search, which decide the way it goes and when it is refused. A store has those
/// below; tests of small stores open them with smaller ones ([`crate::Store::open_given`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Search {
    /// [`PROBE_ROWS`].
    pub probe_rows: usize,
    /// [`GATHER_KEYS`].
    pub gather_keys: usize,
    /// [`SMALL_JOIN_ROWS`].
    pub small_join_rows: usize,
    /// [`JOIN_ROWS_MAX`].
    pub join_rows_max: usize,
    /// [`CASUAL_KEYS`].
    pub casual_keys: usize,
    /// [`SEARCH_KEYS_MAX`].
    pub keys_max: usize,
    /// [`SEARCH_LOADS_MAX`].
    pub loads_max: usize,
    /// [`INCLUDED_MAX`].
    pub included_max: usize,
    /// [`AUDIT_SEARCH_RECORDS_MAX`].
    pub audit_records_max: usize,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            probe_rows: PROBE_ROWS,
            gather_keys: GATHER_KEYS,
            small_join_rows: SMALL_JOIN_ROWS,
            join_rows_max: JOIN_ROWS_MAX,
            casual_keys: CASUAL_KEYS,
            keys_max: SEARCH_KEYS_MAX,
            loads_max: SEARCH_LOADS_MAX,
            included_max: INCLUDED_MAX,
            audit_records_max: AUDIT_SEARCH_RECORDS_MAX,
        }
    }
}

/// Rows that a plan looks at first in each posting to find the most selective one. Tests have few
/// rows and want every kind of plan.
pub const PROBE_ROWS: usize = if cfg!(test) { 3 } else { 64 };

/// Keys of a range that a plan gathers whatever the size of the type; beyond a quarter of the type
/// a scan of the type is cheaper.
pub const GATHER_KEYS: usize = if cfg!(test) { 2 } else { 1024 };

/// Resources that a join may reach when another path could drive the plan as well.
pub const SMALL_JOIN_ROWS: usize = if cfg!(test) { 2 } else { 2_000 };

/// Index keys that one search may read.
pub const SEARCH_KEYS_MAX: usize = 4_000_000;

/// Stored versions that one search may load to test what no index answers.
pub const SEARCH_LOADS_MAX: usize = 250_000;

/// Index keys that a light search may read: some 5 ms.
pub const LIGHT_KEYS: usize = 20_000;

/// Stored versions that a light search may test: some 20 ms.
pub const LIGHT_LOADS: usize = 2_000;

/// Audit records that a light search may test: some 25 ms.
pub const LIGHT_AUDIT_RECORDS: usize = 500;

/// Searches that may cost more than that at once. The server has more threads than this.
pub const HEAVY_SEARCHES_MAX: usize = 2;

/// Index keys that a search reads for a total that nobody asked for: some 50 µs.
pub const CASUAL_KEYS: usize = 256;

/// Rows that one search holds in memory (a range out of order, a join): 8 bytes each.
pub const SEARCH_ROWS_MAX: usize = 1_000_000;

/// Resources that a chain or `_has` may join over.
pub const JOIN_ROWS_MAX: usize = 50_000;

/// Predicates on targets of references whose answers one request keeps: a grant has a few, a search some more.
pub const FOLLOWED_PREDICATES_MAX: usize = 64;

/// Patients of a relation that one request lists: beyond, each that is met is asked by itself. Whoever has to do with
/// more has to do with most of those whom a search meets, and that is quickly found out.
pub const MEMBERS_MAX: usize = if cfg!(test) { 3 } else { 2_000 };

/// Targets that are asked one by one about a relation before its patients are listed.
pub const MEMBERS_ASKED_MAX: usize = if cfg!(test) { 1 } else { 8 };

/// Targets whose answers one request keeps: some 100 bytes each.
pub const FOLLOWED_TARGETS_MAX: usize = 50_000;

/// Included resources of one page. A page of 1,000 with one target each, and some more.
pub const INCLUDED_MAX: usize = 2_000;

/// Bytes of a page cursor: a sort position of five keys and the rest.
pub const CURSOR_BYTES_MAX: usize = 4 * 1024;

/// Versions on a page of a history at most.
pub const HISTORY_COUNT_MAX: usize = 1000;

/// Versions of one batch of the indexer: some milliseconds of the writer, so that no commit waits long.
pub const INDEX_BATCH_VERSIONS: usize = if cfg!(test) { 4 } else { 128 };

/// Bytes of versions of one batch of the indexer: large resources make small batches.
pub const INDEX_BATCH_BYTES: usize = 1024 * 1024;

/// How long the indexer looks for work before it notes how far it came.
pub const INDEX_PART: std::time::Duration = std::time::Duration::from_secs(1);

/// How long the indexer rests between two batches: about half of the machine is left to others.
pub const INDEX_PAUSE: std::time::Duration = std::time::Duration::from_millis(2);

/// How often the indexer tells in the log how far it is.
pub const INDEX_TOLD: std::time::Duration = std::time::Duration::from_secs(10);

/// How long the writer rests before it removes from the outbox what the log has for good, when no
/// other batch takes that along.
pub const OUTBOX_IDLE: std::time::Duration = std::time::Duration::from_secs(2);
