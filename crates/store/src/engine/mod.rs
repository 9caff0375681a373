//! Engine files: the only module that knows fjall and the file system.
//!
//! - [`Engine`]: the keyspaces, opened with our settings; [`View`]: one moment of them; [`Batch`]:
//!   changes that happen together.
//! - [`key`], [`record`]: keys and values byte by byte, as `docs/store.md` writes them down.
//! - [`files`], [`journal`]: the engine's own files, held against themselves before it opens them.
//! - [`hot`], [`folders`], [`packed`], [`memory`]: what is read again and again, kept in memory.
//! - [`memtables`]: what is not in tables yet, when it is written out, when the writer waits for it.
//! - [`dump`]: all of it at one moment, for backups.
//! - [`audit_files`]: segments of the audit log; [`mark`]: the two slots that tell a lost tail.
//!
//! Everything above sees bytes and [`Fault`]s, not fjall's types.

pub(crate) mod archive;
pub(crate) mod audit_files;
pub(crate) mod dump;
pub(crate) mod files;
pub(crate) mod folders;
mod hot;
mod journal;
pub(crate) mod key;
pub(crate) mod mark;
pub(crate) mod memory;
pub(crate) mod memtables;
pub(crate) mod packed;
pub(crate) mod record;

use crate::{
    OpenError,
    folder::Folder,
    limits,
    stats::{EngineStats, KeyspaceStats},
};
use fjall::{
    Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable,
    compaction::Leveled,
    config::{BlockSizePolicy, CompressionPolicy, FilterPolicy},
};
use folders::Shelved;
use hot::Kind;
use key::{Row, TypeNumber};
use memory::Memory;
pub(crate) use memory::Said;
use packed::Packed;
use record::Place;
use std::{
    fmt,
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// The engine failed. The text is for the log.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<fjall::Error> for Fault {
    fn from(error: fjall::Error) -> Self {
        Self(format!("engine: {error}"))
    }
}

/// The keyspaces of the store. Those of [`crate::tables::Table`] come beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Space {
    /// Format, numbering of types, fingerprint, secret.
    Meta,
    /// Type and logical id → row, version, deleted.
    Id,
    /// Type and row → the current version.
    Current,
    /// Type, row and version↓ → versions that are current no more.
    History,
    /// Type, parameter, value, row.
    Index,
    /// Patient, type, parameter, value, row.
    Compartment,
    /// Type, time, row.
    LastUpdated,
    /// Commit number → what it did and its place in the chain.
    Commit,
    /// Type → live resources.
    Counter,
    /// Audit entries of commits that may not be in the log yet.
    Outbox,
}

/// How a keyspace is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Little in it.
    Small,
    /// Keys are looked up, and may not be there.
    Lookup,
    /// Keys are looked up that are there: the lowest level needs no filter.
    Present,
    /// Ranges are read, keys never looked up: a filter would be memory for nothing.
    Ranges,
}

pub(crate) const SPACES: [(Space, &str, Use); 10] = [
    (Space::Meta, "meta", Use::Small),
    (Space::Id, "id", Use::Lookup),
    (Space::Current, "current", Use::Present),
    (Space::History, "history", Use::Lookup),
    (Space::Index, "index", Use::Ranges),
    (Space::Compartment, "compartment", Use::Ranges),
    (Space::LastUpdated, "last_updated", Use::Ranges),
    (Space::Commit, "commit", Use::Small),
    (Space::Counter, "counter", Use::Small),
    (Space::Outbox, "outbox", Use::Small),
];

fn settings(usage: Use) -> KeyspaceCreateOptions {
    let options = KeyspaceCreateOptions::default()
        // The store seals memtables itself: see `memtables`.
        .max_memtable_size(u64::MAX)
        .compaction_strategy(Arc::new(
            Leveled::default()
                .with_table_target_size(limits::TABLE_BYTES)
                .with_l0_threshold(limits::NEWEST_TABLES_MERGED),
        ))
        .data_block_compression_policy(CompressionPolicy::all(fjall::CompressionType::Lz4))
        .data_block_size_policy(BlockSizePolicy::all(8 * 1024));
    match usage {
        Use::Small | Use::Lookup => options,
        Use::Present => options.expect_point_read_hits(true),
        Use::Ranges => options.filter_policy(FilterPolicy::disabled()),
    }
}

/// The open engine.
#[derive(Clone)]
pub(crate) struct Engine {
    database: Database,
    spaces: Arc<[Keyspace]>,
    memory: Arc<Memory>,
    /// Our number of the last batch.
    batches: Arc<AtomicU64>,
    /// Keyspaces of tables, beside `spaces`.
    tables: Arc<Mutex<Vec<Keyspace>>>,
    /// Keyspaces that a filled journal waits for.
    filled: Arc<Mutex<memtables::Filled>>,
    directory: Arc<Path>,
    /// Held as long as anybody reads.
    _lock: Arc<std::fs::File>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine")
    }
}

fn failed(error: std::io::Error) -> OpenError {
    OpenError::Engine(error.to_string())
}

impl Engine {
    /// Opens or makes the engine's files of the data directory, after a look at what stands there:
    /// what is damaged is refused and left as it is. An unfinished batch at the end is cut off the
    /// journal and kept in [`files::CUT`] until [`Engine::verified`].
    pub(crate) fn open(data: &Path) -> Result<Self, OpenError> {
        let directory = data.join("engine");
        std::fs::create_dir_all(&directory).map_err(failed)?;
        // WHY: the engine has a lock too, but takes it later than this reads and mends its files.
        let lock = files::lock(data)?;
        let look = files::look(&directory).map_err(failed)?;
        if let Some(damage) = look.damage.into_iter().next() {
            return Err(OpenError::Damaged(damage.file, damage.what));
        }
        if look.unmade {
            tracing::warn!("the engine's files were begun and never finished; they are made anew");
            files::remove_unmade(&directory).map_err(failed)?;
        }
        if let Some((journal, good)) = look.unfinished {
            tracing::warn!(at = good, "engine: an unfinished batch at the end of the journal is cut off");
            files::cut(&journal, good, &data.join(files::CUT)).map_err(failed)?;
        }
        // WHY: the engine panics at some damage. That must be an answer, too.
        let opened = catch_unwind(AssertUnwindSafe(|| Self::opened(&directory, lock)));
        let engine = opened.unwrap_or_else(|_| Err(OpenError::Engine("the engine gave up on its files".into())))?;
        if let Some(last) = look.last_batch
            && engine.last_batch() != last
        {
            let what = format!("the journals end with batch {last}, and the tables do not have it");
            return Err(OpenError::Damaged("engine".into(), what));
        }
        Ok(engine)
    }

    /// Says that nothing acknowledged was in what was cut off.
    pub(crate) fn verified(data: &Path) -> Result<(), OpenError> {
        files::forget_cut(data).and_then(|()| files::sync_names(data)).map_err(failed)
    }

    fn opened(directory: &Path, lock: std::fs::File) -> Result<Self, OpenError> {
        let failed = |error: fjall::Error| match error {
            fjall::Error::Locked => OpenError::Locked,
            other => OpenError::Engine(other.to_string()),
        };
        let database = Database::builder(directory)
            .cache_size(limits::BLOCK_CACHE_BYTES)
            .max_journaling_size(limits::JOURNAL_BYTES_MAX)
            .worker_threads(limits::ENGINE_THREADS)
            .manual_journal_persist(true)
            .open()
            .map_err(failed)?;
        let missing = SPACES.iter().map(|(_, name, _)| *name).find(|name| !database.keyspace_exists(name));
        let spaces: Arc<[Keyspace]> = SPACES
            .iter()
            .map(|(_, name, usage)| {
                let is_new = !database.keyspace_exists(name);
                let space = database.keyspace(name, || settings(*usage)).map_err(failed)?;
                if is_new {
                    // WHY: the engine syncs each keyspace's own directory, but not the one that lists them.
                    files::sync_keyspaces(directory).map_err(self::failed)?;
                }
                Ok(space)
            })
            .collect::<Result<_, OpenError>>()?;
        let engine = Self {
            database,
            spaces,
            memory: Arc::new(Memory::new()),
            batches: Arc::default(),
            tables: Arc::default(),
            filled: Arc::default(),
            directory: directory.into(),
            _lock: Arc::new(lock),
        };
        let last = engine.view().value(Space::Meta, journal::BATCH)?;
        let last = last.and_then(|last| last.first_chunk::<8>().map(|last| u64::from_be_bytes(*last)));
        if let (Some(missing), Some(_)) = (missing, last) {
            // All are made before the first batch is written.
            return Err(OpenError::Damaged(format!("engine/{missing}"), "the keyspace is missing".into()));
        }
        engine.batches.store(last.unwrap_or(0), Ordering::Release);
        Ok(engine)
    }

    /// Our number of the last batch.
    pub(crate) fn last_batch(&self) -> u64 {
        self.batches.load(Ordering::Acquire)
    }

    /// Whether the engine takes batches; it takes none after a failed write, also of its own threads.
    pub(crate) fn is_usable(&self) -> bool {
        self.database.persist(PersistMode::Buffer).is_ok()
    }

    /// Numbers of this moment.
    pub(crate) fn stats(&self) -> EngineStats {
        let database = &self.database;
        let keyspaces = SPACES.iter().zip(self.spaces.iter()).map(|((_, name, _), space)| KeyspaceStats {
            name,
            disk_bytes: space.disk_space(),
            tables: space.table_count() as u64,
            l0_tables: space.l0_table_count() as u64,
        });
        EngineStats {
            disk_bytes: database.disk_space().unwrap_or(0),
            journal_bytes: database.journal_disk_space().unwrap_or(0),
            journals: database.journal_count() as u64,
            memtable_bytes: database.write_buffer_size(),
            flushes_waiting: database.outstanding_flushes() as u64,
            compactions_active: database.active_compactions() as u64,
            compactions: database.compactions_completed() as u64,
            compaction_time: database.time_compacting(),
            cache_bytes: database.cache_size(),
            cache_bytes_max: database.cache_capacity(),
            unwritten_bytes: self.unwritten_bytes(),
            shelves: self.memory.stats(),
            keyspaces: keyspaces.collect(),
        }
    }

    fn space(&self, space: Space) -> Result<&Keyspace, Fault> {
        // INVARIANT: SPACES is in the order of the enum; a test holds it.
        self.spaces.get(space as usize).ok_or_else(|| Fault("no such keyspace".into()))
    }

    /// About how many keys a keyspace has.
    pub(crate) fn about(&self, space: Space) -> u64 {
        self.space(space).map_or(0, |space| space.approximate_len() as u64)
    }

    /// One moment of all keyspaces.
    pub(crate) fn view(&self) -> View {
        // The number first: the view may be newer than it says, never older.
        let moment = self.memory.hot.moment();
        View { engine: self.clone(), moment, snapshot: self.database.snapshot() }
    }

    /// A batch to fill and commit.
    pub(crate) fn batch(&self) -> Batch<'_> {
        // Data and what is needed to read it back, the file's length too; not its times.
        let batch = self.database.batch().durability(Some(PersistMode::SyncData));
        Batch { engine: self, batch, changed: Vec::new(), stale: Vec::new(), touched: Vec::new(), fault: None }
    }

    /// All tables that there are.
    pub(crate) fn tables(&self) -> Result<Vec<TableSpace>, Fault> {
        let names = self.database.list_keyspace_names();
        let of_tables = names.iter().filter_map(|name| name.strip_prefix("table."));
        of_tables.map(|name| self.table(name)).collect()
    }

    /// The table of this name.
    pub(crate) fn table(&self, name: &str) -> Result<TableSpace, Fault> {
        let fits = |b: u8| b.is_ascii_lowercase() || b == b'_' || b == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
            return Err(Fault("a table's name is 1 to 64 of a-z, - and _".into()));
        }
        let name = format!("table.{name}");
        let is_new = !self.database.keyspace_exists(&name);
        let space = self.database.keyspace(&name, || settings(Use::Small))?;
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if !tables.contains(&space) {
            tables.push(space.clone());
        }
        drop(tables);
        if is_new {
            files::sync_keyspaces(&self.directory).map_err(|error| Fault(error.to_string()))?;
        }
        Ok(TableSpace(space))
    }
}

/// The keyspace of a [`crate::tables::Table`].
#[derive(Clone)]
pub(crate) struct TableSpace(Keyspace);

impl TableSpace {
    pub(crate) fn value(&self, key: &[u8]) -> Result<Option<Value>, Fault> {
        Ok(self.0.get(key)?.map(Value))
    }

    pub(crate) fn all(&self) -> Result<Vec<crate::tables::Pair>, Fault> {
        self.0.iter().map(|pair| Ok(pair.into_inner().map(|(key, value)| (key.to_vec(), value.to_vec()))?)).collect()
    }

    pub(crate) fn name(&self) -> &str {
        self.0.name()
    }
}

/// A stored value: bytes that the engine shares.
#[derive(Debug, Clone)]
pub(crate) struct Value(fjall::Slice);

impl Value {
    /// A copy of these bytes; up to 20 of them take no memory of their own.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(fjall::Slice::new(bytes))
    }

    /// No bytes.
    pub(crate) fn empty() -> Self {
        Self(fjall::Slice::empty())
    }
}

impl std::ops::Deref for Value {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// One moment of the engine: reads are consistent over all keyspaces.
#[derive(Clone)]
pub(crate) struct View {
    engine: Engine,
    /// For [`hot::Hot`].
    moment: u64,
    snapshot: fjall::Snapshot,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("View")
    }
}

impl View {
    /// The value of a key.
    pub(crate) fn value(&self, space: Space, key: &[u8]) -> Result<Option<Value>, Fault> {
        Ok(self.snapshot.get(self.engine.space(space)?, key)?.map(Value))
    }

    /// Where the newest version of a resource is.
    pub(crate) fn place(&self, kind: TypeNumber, id: &str) -> Result<Option<Place>, Fault> {
        let Memory { hot, places, .. } = &*self.engine.memory;
        let key = key::id(kind, id);
        let hash = hot.hash(Kind::Place, &key);
        if let Some(place) = places.value(hot, hash, key.as_slice(), self.moment) {
            return Ok(Some(place));
        }
        let Some(value) = self.value(Space::Id, &key)? else { return Ok(None) };
        let place = Place::decode(&value)?;
        let bytes = key.len();
        places.keep(hash, key.into(), place, bytes, self.moment);
        Ok(Some(place))
    }

    /// The current version of a row: as it is kept in memory, or else as it is stored, with what
    /// [`View::keep_version`] needs to keep it.
    pub(crate) fn version(&self, kind: TypeNumber, row: Row) -> Result<Option<Current>, Fault> {
        let Memory { hot, versions, .. } = &*self.engine.memory;
        let key = key::current(kind, row);
        let hash = hot.hash(Kind::Version, &key);
        if let Some(packed) = versions.value(hot, hash, &key, self.moment) {
            return Ok(Some(Current::Kept(packed)));
        }
        Ok(self.value(Space::Current, &key)?.map(|value| Current::Read(value, Unkept { hash, key })))
    }

    /// Keeps a version that [`View::version`] has read.
    pub(crate) fn keep_version(&self, unkept: &Unkept, packed: Packed) {
        let bytes = packed.bytes();
        self.engine.memory.versions.keep(unkept.hash, unkept.key, packed, bytes, self.moment);
    }

    /// What is kept in memory.
    pub(crate) fn memory(&self) -> &Arc<Memory> {
        &self.engine.memory
    }

    /// The folder of this prefix of compartment keys, when it is kept, or whether it should be made.
    pub(crate) fn folder(&self, prefix: &[u8]) -> Shelved {
        let Memory { hot, folders, .. } = &*self.engine.memory;
        folders.of(hot, hot.hash(Kind::Folder, prefix), prefix, self.moment)
    }

    /// Keeps a folder that was made from this view.
    pub(crate) fn keep_folder(&self, place: folders::Place, folder: Arc<Folder>) {
        let Memory { hot, folders, .. } = &*self.engine.memory;
        folders.keep(hot, place, folder, self.moment);
    }

    /// What is kept of what the consents below this prefix say, when it is of this view's moment.
    pub(crate) fn said(&self, prefix: &[u8]) -> Option<Said> {
        let Memory { hot, said, .. } = &*self.engine.memory;
        said.value(hot, hot.hash(Kind::Folder, prefix), prefix, self.moment)
    }

    /// Keeps what this view has read of them. `bytes`: about what it takes.
    pub(crate) fn keep_said(&self, prefix: &[u8], what: Said, bytes: usize) {
        let Memory { hot, said, .. } = &*self.engine.memory;
        said.keep(hot.hash(Kind::Folder, prefix), prefix.into(), what, prefix.len() + bytes, self.moment);
    }

    /// Pairs with `from <= key < to`, in order of keys, from either end.
    pub(crate) fn range(&self, space: Space, from: &[u8], to: &[u8]) -> Result<Pairs, Fault> {
        if from >= to {
            return Ok(Pairs(None));
        }
        let range: (Bound<&[u8]>, Bound<&[u8]>) = (Bound::Included(from), Bound::Excluded(to));
        Ok(Pairs(Some(self.snapshot.range::<&[u8], _>(self.engine.space(space)?, range))))
    }

    /// Pairs whose key begins so.
    pub(crate) fn prefix(&self, space: Space, prefix: &[u8]) -> Result<Pairs, Fault> {
        match key::after_prefix(prefix) {
            Some(end) => self.range(space, prefix, &end),
            None => Ok(Pairs(Some(self.snapshot.range::<&[u8], _>(self.engine.space(space)?, prefix..)))),
        }
    }

    /// Pairs from this key on.
    pub(crate) fn from(&self, space: Space, from: &[u8]) -> Result<Pairs, Fault> {
        Ok(Pairs(Some(self.snapshot.range::<&[u8], _>(self.engine.space(space)?, from..))))
    }
}

/// A current version.
pub(crate) enum Current {
    Kept(Packed),
    Read(Value, Unkept),
}

/// Where a version that was read would be kept.
pub(crate) struct Unkept {
    hash: u64,
    key: [u8; 10],
}

/// Pairs of a range.
pub(crate) struct Pairs(Option<fjall::Iter>);

impl fmt::Debug for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pairs")
    }
}

impl Pairs {
    /// The next key, its value left alone.
    pub(crate) fn next_key(&mut self) -> Result<Option<Value>, Fault> {
        let Some(guard) = self.0.as_mut().and_then(Iterator::next) else { return Ok(None) };
        Ok(Some(Value(guard.key()?)))
    }

    /// The next key from the end.
    pub(crate) fn next_key_back(&mut self) -> Result<Option<Value>, Fault> {
        let Some(guard) = self.0.as_mut().and_then(DoubleEndedIterator::next_back) else { return Ok(None) };
        Ok(Some(Value(guard.key()?)))
    }

    /// The next pair.
    pub(crate) fn next_pair(&mut self) -> Result<Option<(Value, Value)>, Fault> {
        let Some(guard) = self.0.as_mut().and_then(Iterator::next) else { return Ok(None) };
        let (key, value) = guard.into_inner()?;
        Ok(Some((Value(key), Value(value))))
    }
}

/// Changes that happen together or not at all, and are on stable storage when [`Batch::commit`] returns.
pub(crate) struct Batch<'a> {
    engine: &'a Engine,
    batch: fjall::OwnedWriteBatch,
    /// Keys of what is kept in memory.
    changed: Vec<u64>,
    /// Those of them that are places or versions.
    stale: Vec<(Kind, u64)>,
    /// Folders, and the rows in them.
    touched: Vec<(u64, Row)>,
    fault: Option<Fault>,
}

impl Batch<'_> {
    fn changes(&mut self, space: Space, key: &[u8]) {
        let kind = match space {
            Space::Id => Kind::Place,
            Space::Current => Kind::Version,
            _ => return,
        };
        let hash = self.engine.memory.hot.hash(kind, key);
        self.changed.push(hash);
        self.stale.push((kind, hash));
    }

    /// Says that the resource of a row changes, which lies in the folder of this prefix, or will.
    pub(crate) fn touch(&mut self, prefix: &[u8], row: Row) {
        let hash = self.engine.memory.hot.hash(Kind::Folder, prefix);
        self.changed.push(hash);
        self.touched.push((hash, row));
    }

    pub(crate) fn put(&mut self, space: Space, key: &[u8], value: &[u8]) {
        self.changes(space, key);
        match self.engine.space(space) {
            Ok(space) => self.batch.insert(space, key, value),
            Err(fault) => self.fault = Some(fault),
        }
    }

    pub(crate) fn remove(&mut self, space: Space, key: &[u8]) {
        self.changes(space, key);
        match self.engine.space(space) {
            Ok(space) => self.batch.remove(space, key),
            Err(fault) => self.fault = Some(fault),
        }
    }

    /// As [`Batch::put`], without copying.
    pub(crate) fn put_value(&mut self, space: Space, key: Value, value: Value) {
        self.changes(space, &key);
        match self.engine.space(space) {
            Ok(space) => self.batch.insert(space, key.0, value.0),
            Err(fault) => self.fault = Some(fault),
        }
    }

    /// As [`Batch::remove`], without copying.
    pub(crate) fn remove_value(&mut self, space: Space, key: Value) {
        self.changes(space, &key);
        match self.engine.space(space) {
            Ok(space) => self.batch.remove(space, key.0),
            Err(fault) => self.fault = Some(fault),
        }
    }

    pub(crate) fn put_in(&mut self, table: &TableSpace, key: &[u8], value: &[u8]) {
        self.batch.insert(&table.0, key, value);
    }

    pub(crate) fn remove_from(&mut self, table: &TableSpace, key: &[u8]) {
        self.batch.remove(&table.0, key);
    }

    /// Makes everything of it durable and visible at once.
    pub(crate) fn commit(mut self) -> Result<(), Fault> {
        match self.fault {
            Some(fault) => Err(fault),
            None if self.batch.is_empty() => Ok(()),
            None => {
                // Batches come one after the other, so the numbers run on in the order of the journal.
                let batch = self.engine.batches.fetch_add(1, Ordering::AcqRel) + 1;
                self.batch.insert(self.engine.space(Space::Meta)?, journal::BATCH, batch.to_be_bytes());
                let Memory { hot, places, versions, folders, .. } = &*self.engine.memory;
                let number = hot.begin(&self.changed);
                folders.note(number, &self.touched);
                self.batch.commit()?;
                hot.publish(number);
                for (kind, hash) in self.stale {
                    match kind {
                        Kind::Place => places.forget(hash),
                        Kind::Version => versions.forget(hash),
                        Kind::Folder => {}
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
