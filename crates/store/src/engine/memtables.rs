//! What the engine holds in memory before it is in tables: when it is written out, and when the
//! writer has to wait for that. `docs/adr/0011`.
//!
//! Left to itself the engine seals a keyspace's memtable at a size of its own, and sleeps 100 ms at a time in
//! the committing thread once four of one keyspace wait to be written. So the store decides, after
//! each commit, on the one thread that writes: when all memtables together are over their budget, the
//! largest is sealed, unless one of that keyspace waits already or its newest level is crowded. The
//! engine's own thresholds are then never met. What grows instead is memory, which a commit is held
//! back for, by a little each, and refused for in the end.

use super::{Engine, Fault};
use crate::limits;
use fjall::{AbstractTree, Keyspace};
use std::{
    fs, io,
    path::Path,
    sync::PoisonError,
    time::{Duration, Instant},
};

/// Journals at the last look, and the keyspaces that a filled one still waits for.
pub(crate) struct Filled {
    journals: usize,
    keyspaces: Vec<Keyspace>,
    /// When the sizes of all memtables were looked at.
    looked: Option<Instant>,
}

impl Default for Filled {
    fn default() -> Self {
        // The one that is written to.
        Self { journals: 1, keyspaces: Vec::new(), looked: None }
    }
}

impl Engine {
    /// Bytes that are in no table yet, as the engine counts them.
    pub(crate) fn unwritten_bytes(&self) -> u64 {
        self.database.write_buffer_size()
    }

    /// Whether so much waits to be written out that nothing more should be taken.
    pub(crate) fn is_overwhelmed(&self) -> bool {
        self.unwritten_bytes() > limits::UNWRITTEN_BYTES_MAX
    }

    /// Lets the engine keep up with what was written: for whoever commits, after each commit.
    pub(crate) fn keep_up(&self) -> Result<(), Fault> {
        self.relieve()?;
        let wait = wait_for(self.unwritten_bytes());
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        Ok(())
    }

    /// Lets the largest memtable be written out when all together are over their budget, and each one
    /// once when a journal was filled: it goes when every keyspace has written out what is in it.
    fn relieve(&self) -> Result<(), Fault> {
        let journals = self.database.journal_count();
        let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        if journals > filled.journals {
            filled.keyspaces = self.every_keyspace()?;
        }
        filled.journals = journals;
        let mut later = Vec::new();
        for space in std::mem::take(&mut filled.keyspaces) {
            if !may_seal(&space) {
                later.push(space);
            } else if !space.tree.active_memtable().is_empty() {
                space.rotate_memtable()?;
            }
        }
        filled.keyspaces = later;

        // What waits to be written counts too, so this is never less than all that could be sealed. Asking each of some
        // thirty keyspaces takes longer than a small commit.
        let now = Instant::now();
        if self.unwritten_bytes() <= limits::MEMTABLES_BYTES
            || filled.looked.is_some_and(|looked| now < looked + limits::MEMTABLES_LOOK)
        {
            return Ok(());
        }
        filled.looked = Some(now);
        drop(filled);
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let mut active = 0;
        let mut largest: Option<(u64, &Keyspace)> = None;
        for space in self.spaces.iter().chain(tables.iter()) {
            let bytes = space.tree.active_memtable().size();
            active += bytes;
            if largest.is_none_or(|(most, _)| most < bytes) && may_seal(space) {
                largest = Some((bytes, space));
            }
        }
        if active > limits::MEMTABLES_BYTES
            && let Some((_, space)) = largest
        {
            space.rotate_memtable()?;
        }
        Ok(())
    }

    /// Begins to write out every memtable above so many bytes, in the background.
    pub(crate) fn write_out(&self, above: u64) -> Result<(), Fault> {
        for space in self.every_keyspace()? {
            if space.tree.active_memtable().size() > above && may_seal(&space) {
                space.rotate_memtable()?;
            }
        }
        Ok(())
    }

    fn every_keyspace(&self) -> Result<Vec<Keyspace>, Fault> {
        let names = self.database.list_keyspace_names();
        names.iter().map(|name| Ok(self.database.keyspace(name, Default::default)?)).collect()
    }

    /// Writes everything out and empties the journal, so that the next start has nothing to replay.
    /// Gives up when that takes too long, or the engine has failed: then the journal stays, and the next
    /// start replays it. Nothing may be written after it.
    pub(crate) fn settle(&self) -> Result<bool, Fault> {
        let until = Instant::now() + limits::SETTLE_TIME_MAX;
        loop {
            let keyspaces = self.every_keyspace()?;
            let waiting =
                |space: &Keyspace| space.sealed_memtable_count() > 0 || !space.tree.active_memtable().is_empty();
            if !keyspaces.iter().any(waiting) && self.database.journal_count() == 1 {
                break;
            }
            if Instant::now() > until || !self.is_usable() {
                return Ok(false);
            }
            self.write_out(0)?;
            std::thread::sleep(Duration::from_millis(1));
        }
        empty_journal(&self.directory).map_err(|error| Fault(format!("engine journal: {error}")))?;
        Ok(true)
    }
}

/// How long whoever commits is held back when so much is in no table yet.
fn wait_for(unwritten: u64) -> Duration {
    let over = unwritten.saturating_sub(limits::UNWRITTEN_BYTES_WAIT);
    Duration::from_micros(over / limits::UNWRITTEN_BYTES_PER_US).min(limits::PRESSURE_WAIT_MAX)
}

/// Whether a memtable more may wait to be written, and a table more stand in the newest level.
fn may_seal(space: &Keyspace) -> bool {
    space.sealed_memtable_count() == 0 && space.tree.l0_run_count() < limits::NEWEST_TABLES_MAX
}

/// Empties the engine's only journal. Its handle appends nothing any more.
fn empty_journal(directory: &Path) -> io::Result<()> {
    let is_journal = |path: &Path| path.extension().is_some_and(|extension| extension == "jnl");
    let mut journals = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if is_journal(&path) {
            journals.push(path);
        }
    }
    // More than one: a file that the engine has not removed yet. It knows what it is for.
    let [journal] = journals.as_slice() else { return Ok(()) };
    // WHY: the engine does not sync the names of the journals that it removes. One that came back after
    // a power cut would stand before an empty one, as if batches had been lost between them.
    fs::File::open(directory)?.sync_all()?;
    let file = fs::OpenOptions::new().write(true).open(journal)?;
    file.set_len(0)?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
