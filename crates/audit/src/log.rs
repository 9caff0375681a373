//! The log: one order for all events, each chained to the one before. Makes receipts.
//!
//! INVARIANT: a [`Receipt`] exists only when the entry's bytes were handed to the appender without error.
//! INVARIANT: after one failed append or sync no receipt is made again by this log (fail closed, row F25):
//! a half written record may stand at the end, and only opening the log anew can judge it.
//!
//! Left out: files (the store's), the background thread that calls [`Log::sync`] every 50 ms (the store's).

use crate::{
    checkpoint::{Checkpoint, Signer},
    entry::{Encoded, Entry},
    frame::{GENESIS, Hash, put_record},
    limits::CHECKPOINT_ENTRIES,
};
use fhir::{Instant, LogicalId, VersionId};
use std::{
    fmt, io,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
};

#[cfg(test)]
pub(crate) mod tests;

/// Where the log's bytes go. The store implements it on its own files.
pub trait Appender: Send + Sync {
    /// Appends one framed record, or several in one piece; they are in the file (not yet on stable
    /// storage) when this returns. Never called by two threads at once.
    ///
    /// # Errors
    /// Whatever the file system says.
    fn append(&self, record: &[u8]) -> io::Result<()>;
    /// Waits until everything appended is on stable storage.
    ///
    /// # Errors
    /// Whatever the file system says.
    fn sync(&self) -> io::Result<()>;
}

/// Proof that an entry stands in the log.
#[derive(Debug)]
pub struct Receipt {
    sequence: u64,
}

impl Receipt {
    /// The entry's place in the log, from 1.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }
}

/// The log cannot take entries: nothing may be answered (row F25).
#[derive(Debug)]
pub struct Unavailable(pub io::Error);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the audit log cannot be written")
    }
}

impl std::error::Error for Unavailable {}

/// When a record counts as recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When it is in the file; stable storage follows with the next [`Log::sync`].
    Appended,
    /// When it is on stable storage (`audit.durability = "strict"`).
    Strict,
}

struct State {
    sequence: u64,
    hash: Hash,
    recorded: Instant,
    buffer: Vec<u8>,
}

struct Checkpoints {
    signer: Signer,
    sink: Box<dyn Appender>,
    last: u64,
}

/// Orders, chains and appends.
pub struct Log {
    appender: Box<dyn Appender>,
    durability: Durability,
    state: Mutex<State>,
    /// Sequence up to which records are on stable storage. Locked while a sync runs, so that those
    /// who wait share the next one.
    synced: Mutex<u64>,
    checkpoints: Mutex<Option<Checkpoints>>,
    failed: AtomicBool,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

impl Log {
    /// A log that goes on after the record `last` (sequence and hash), or begins.
    #[must_use]
    pub fn open(appender: Box<dyn Appender>, last: Option<(u64, Hash)>, durability: Durability) -> Self {
        let (sequence, hash) = last.unwrap_or((0, GENESIS));
        let state = State { sequence, hash, recorded: Instant::from_unix_millis(0), buffer: Vec::new() };
        Self {
            appender,
            durability,
            state: Mutex::new(state),
            synced: Mutex::new(sequence),
            checkpoints: Mutex::new(None),
            failed: AtomicBool::new(false),
        }
    }

    /// From now on checkpoints are signed and appended to `sink`, each with a sync of its own.
    /// `last` is the last checkpoint that stands there.
    ///
    /// # Errors
    /// [`Unavailable`] when the log is shorter than its last checkpoint: entries were cut off.
    pub fn sign_checkpoints(
        &self,
        signer: Signer,
        sink: Box<dyn Appender>,
        last: Option<&Checkpoint>,
    ) -> Result<(), Unavailable> {
        let last = last.map_or(0, |checkpoint| checkpoint.sequence);
        if last > self.last().0 {
            self.failed.store(true, Ordering::Release);
            return Err(Unavailable(io::Error::other(format!("the audit log ends before its checkpoint {last}"))));
        }
        *self.lock(&self.checkpoints)? = Some(Checkpoints { signer, sink, last });
        Ok(())
    }

    /// Whether it takes entries: no append or sync has failed.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        !self.failed.load(Ordering::Acquire)
    }

    /// Sequence and hash of the last record; 0 and zeros when there is none.
    #[must_use]
    pub fn last(&self) -> (u64, Hash) {
        let state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (state.sequence, state.hash)
    }

    /// Sequence up to which records are certainly on stable storage.
    #[must_use]
    pub fn synced(&self) -> u64 {
        *self.synced.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Records an entry.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub fn record(&self, entry: &Entry) -> Result<Receipt, Unavailable> {
        self.append(std::iter::once(entry.encode()), entry.recorded, self.durability)
    }

    /// Records entries one after the other with no other in between; the receipt is the last one's.
    ///
    /// # Errors
    /// [`Unavailable`]; also when there is no entry, for then there is nothing to prove.
    pub fn record_all(&self, entries: &[Entry]) -> Result<Receipt, Unavailable> {
        let recorded = entries.last().map_or(Instant::from_unix_millis(0), |entry| entry.recorded);
        self.append(entries.iter().map(Entry::encode), recorded, self.durability)
    }

    /// As [`Log::record_all`], for entries whose bytes stand in the engine's batch already: they are on
    /// stable storage, so this waits for no sync, whatever the durability.
    ///
    /// # Errors
    /// As [`Log::record_all`].
    pub fn record_encoded(&self, entries: &[Encoded], recorded: Instant) -> Result<Receipt, Unavailable> {
        self.append(entries.iter(), recorded, Durability::Appended)
    }

    fn append<E: std::borrow::Borrow<Encoded>>(
        &self,
        entries: impl Iterator<Item = E>,
        recorded: Instant,
        durability: Durability,
    ) -> Result<Receipt, Unavailable> {
        let mut guard = self.lock(&self.state)?;
        let state = &mut *guard;
        let (mut sequence, mut hash) = (state.sequence, state.hash);
        state.buffer.clear();
        for entry in entries {
            sequence += 1;
            hash = put_record(&mut state.buffer, &hash, sequence, entry.borrow().as_bytes());
        }
        if sequence == state.sequence {
            return Err(Unavailable(io::Error::new(io::ErrorKind::InvalidInput, "no entry to record")));
        }
        self.appender.append(&state.buffer).map_err(|error| self.fail(error))?;
        (state.sequence, state.hash, state.recorded) = (sequence, hash, recorded);
        // A rare long record should not keep its memory for ever.
        state.buffer.shrink_to(64 * 1024);
        drop(guard);
        if durability == Durability::Strict {
            self.sync_to(sequence)?;
        }
        Ok(Receipt { sequence })
    }

    /// Brings everything recorded so far to stable storage, and signs a checkpoint when
    /// [`CHECKPOINT_ENTRIES`] entries stand since the last one.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub fn sync(&self) -> Result<(), Unavailable> {
        self.sync_to(self.last().0)?;
        self.checkpoint_after(CHECKPOINT_ENTRIES, None).map(|_| ())
    }

    /// Signs a checkpoint when any entry stands since the last one: on a timer and at the end.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub fn checkpoint(&self, now: Instant) -> Result<Option<Checkpoint>, Unavailable> {
        self.checkpoint_after(1, Some(now))
    }

    /// A signed statement that the log begins after this record from now on; `None` when nothing is signed here.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub fn cut(&self, sequence: u64, hash: Hash, now: Instant) -> Result<Option<Checkpoint>, Unavailable> {
        let guard = self.lock(&self.checkpoints)?;
        Ok(guard.as_ref().map(|checkpoints| checkpoints.signer.sign_cut(sequence, hash, now)))
    }

    fn sync_to(&self, sequence: u64) -> Result<(), Unavailable> {
        let mut synced = self.lock(&self.synced)?;
        if *synced >= sequence {
            return Ok(());
        }
        let reached = self.last().0;
        self.appender.sync().map_err(|error| self.fail(error))?;
        *synced = reached;
        Ok(())
    }

    fn checkpoint_after(&self, entries: u64, now: Option<Instant>) -> Result<Option<Checkpoint>, Unavailable> {
        let mut guard = self.lock(&self.checkpoints)?;
        let Some(checkpoints) = guard.as_mut() else { return Ok(None) };
        let (sequence, hash, recorded) = {
            let state = self.lock(&self.state)?;
            (state.sequence, state.hash, state.recorded)
        };
        if sequence < checkpoints.last.saturating_add(entries) {
            return Ok(None);
        }
        // WHY: a checkpoint must not name a record that a power cut can still take back.
        self.sync_to(sequence)?;
        let checkpoint = checkpoints.signer.sign(sequence, hash, now.unwrap_or(recorded));
        checkpoints.sink.append(&checkpoint.encode()).map_err(|error| self.fail(error))?;
        checkpoints.sink.sync().map_err(|error| self.fail(error))?;
        checkpoints.last = sequence;
        Ok(Some(checkpoint))
    }

    fn lock<'a, T>(&self, mutex: &'a Mutex<T>) -> Result<MutexGuard<'a, T>, Unavailable> {
        if self.failed.load(Ordering::Acquire) {
            return Err(Unavailable(io::Error::other("an earlier write to the audit log failed")));
        }
        mutex.lock().map_err(|_| self.fail(io::Error::other("a thread stopped while it wrote to the audit log")))
    }

    fn fail(&self, error: io::Error) -> Unavailable {
        self.failed.store(true, Ordering::Release);
        Unavailable(error)
    }
}

/// A write's result that completes its entry: id and version of each resource touched.
pub type Written = (fhir::ResourceType, LogicalId, VersionId);
