//! Engine files: the only module that knows fjall and the file system.
//!
//! - [`Engine`]: the keyspaces, opened with our settings; [`View`]: one moment of them; [`Batch`]:
//!   changes that happen together.
//! - [`key`], [`record`]: keys and values byte by byte, as `docs/store.md` writes them down.
//! - [`hot`]: places and current versions that are read again and again.
//! - [`audit_files`]: segments of the audit log; [`mark`]: the two slots that tell a lost tail.
//!
//! Everything above sees bytes and [`Fault`]s, not fjall's types.

pub(crate) mod audit_files;
mod hot;
pub(crate) mod key;
pub(crate) mod mark;
pub(crate) mod record;

use crate::{OpenError, limits};
use fjall::{
    Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable,
    config::{BlockSizePolicy, CompressionPolicy, FilterPolicy},
};
use hot::Hot;
use std::{fmt, ops::Bound, path::Path, sync::Arc};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
enum Use {
    /// Little in it.
    Small,
    /// Keys are looked up, and may not be there.
    Lookup,
    /// Keys are looked up that are there: the lowest level needs no filter.
    Present,
    /// Ranges are read, keys never looked up: a filter would be memory for nothing.
    Ranges,
}

const SPACES: [(Space, &str, Use); 10] = [
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
    let bytes = if usage == Use::Small { limits::SMALL_MEMTABLE_BYTES } else { limits::MEMTABLE_BYTES };
    let options = KeyspaceCreateOptions::default()
        .max_memtable_size(bytes)
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
    hot: Arc<Hot>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine")
    }
}

impl Engine {
    /// Opens or makes the engine's files below `directory`.
    pub(crate) fn open(directory: &Path) -> Result<Self, OpenError> {
        std::fs::create_dir_all(directory).map_err(|error| OpenError::Engine(error.to_string()))?;
        let database = Database::builder(directory)
            .cache_size(limits::BLOCK_CACHE_BYTES)
            .max_journaling_size(limits::JOURNAL_BYTES_MAX)
            .worker_threads(limits::ENGINE_THREADS)
            .manual_journal_persist(true)
            .open()
            .map_err(|error| match error {
                fjall::Error::Locked => OpenError::Locked,
                other => OpenError::Engine(other.to_string()),
            })?;
        let spaces = SPACES
            .iter()
            .map(|(_, name, usage)| database.keyspace(name, || settings(*usage)))
            .collect::<Result<_, _>>()
            .map_err(|error| OpenError::Engine(error.to_string()))?;
        Ok(Self { database, spaces, hot: Arc::new(Hot::new()) })
    }

    fn space(&self, space: Space) -> Result<&Keyspace, Fault> {
        // INVARIANT: SPACES is in the order of the enum; a test holds it.
        self.spaces.get(space as usize).ok_or_else(|| Fault("no such keyspace".into()))
    }

    /// One moment of all keyspaces.
    pub(crate) fn view(&self) -> View {
        // The number first: the view may be newer than it says, never older.
        let moment = self.hot.moment();
        View { engine: self.clone(), moment, snapshot: self.database.snapshot() }
    }

    /// A batch to fill and commit.
    pub(crate) fn batch(&self) -> Batch<'_> {
        let batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        Batch { engine: self, batch, changed: Vec::new(), fault: None }
    }

    /// The table of this name.
    pub(crate) fn table(&self, name: &str) -> Result<TableSpace, Fault> {
        let fits = |b: u8| b.is_ascii_lowercase() || b == b'_' || b == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
            return Err(Fault("a table's name is 1 to 64 of a-z, - and _".into()));
        }
        Ok(TableSpace(self.database.keyspace(&format!("table.{name}"), || settings(Use::Small))?))
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
    /// Bytes of its own, apart from the engine's blocks.
    fn copy(&self) -> Self {
        Self(fjall::Slice::new(&self.0))
    }

    #[cfg(test)]
    fn from_bytes(bytes: &[u8]) -> Self {
        Self(fjall::Slice::new(bytes))
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
    /// For [`Hot`].
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
        let keyspace = self.engine.space(space)?;
        if !Hot::keeps(space) {
            return Ok(self.snapshot.get(keyspace, key)?.map(Value));
        }
        let hot = &self.engine.hot;
        let hash = hot.hash(space, key);
        if let Some(value) = hot.value(hash, space, key, self.moment) {
            return Ok(Some(value));
        }
        let value = self.snapshot.get(keyspace, key)?.map(Value);
        if let Some(value) = &value {
            hot.keep(hash, space, key, value, self.moment);
        }
        Ok(value)
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
    fault: Option<Fault>,
}

impl Batch<'_> {
    fn changes(&mut self, space: Space, key: &[u8]) {
        if Hot::keeps(space) {
            self.changed.push(self.engine.hot.hash(space, key));
        }
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

    pub(crate) fn put_in(&mut self, table: &TableSpace, key: &[u8], value: &[u8]) {
        self.batch.insert(&table.0, key, value);
    }

    pub(crate) fn remove_from(&mut self, table: &TableSpace, key: &[u8]) {
        self.batch.remove(&table.0, key);
    }

    /// Makes everything of it durable and visible at once.
    pub(crate) fn commit(self) -> Result<(), Fault> {
        match self.fault {
            Some(fault) => Err(fault),
            None => {
                let number = self.engine.hot.begin(&self.changed);
                self.batch.commit()?;
                self.engine.hot.publish(number);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
