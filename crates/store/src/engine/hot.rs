//! What is read again and again, kept in memory: places, current versions ([`super::packed`]) and
//! folders ([`crate::folder`]).
//!
//! A read by id and the test of a candidate each cost one look-up of the engine, some 2 µs with its
//! levels, filters and blocks. Here it is one hash and one lock.
//!
//! Every view sees its own moment, so an entry must prove that it is of that moment. Batches are
//! numbered. Before a batch becomes visible, it writes its number into the slot of each key that it
//! changes; after that its number is published. A view remembers the number that was published just
//! before it was taken. INVARIANT: an entry is given to a view only when the number in its key's
//! slot is not above the view's own number, nor above that of the view that read the entry. Then no
//! batch has changed the key since either view's moment, so both see the same value. Folders are told
//! which rows changed, and are brought up to date: [`super::folders`].

use crate::{limits, stats::ShelfStats};
use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
    mem::size_of,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Keys that share a slot only cost each other a look-up of the engine. Half a megabyte.
const SLOTS: usize = 64 * 1024;

/// What kind of thing a hash stands for, so that equal bytes of two kinds do not share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Type and id → place.
    Place,
    /// Type and row → current version.
    Version,
    /// Patient and type → folder.
    Folder,
}

/// A hasher for what is a hash already, keyed by a secret of this process.
#[derive(Default)]
struct Already(u64);

impl Hasher for Already {
    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Debug)]
struct Entry<K, V> {
    key: K,
    value: V,
    /// Number of the view that read it.
    read_at: u64,
    bytes: usize,
}

type Table<K, V> = HashMap<u64, Entry<K, V>, BuildHasherDefault<Already>>;

/// Two generations: what is asked for again is carried over to the young one; when both are too
/// much, what is left in the old one goes. What fits as a whole stays as a whole.
#[derive(Debug)]
struct Shard<K, V> {
    young: Table<K, V>,
    old: Table<K, V>,
    young_bytes: usize,
    old_bytes: usize,
    asked: u64,
    found: u64,
}

impl<K, V> Shard<K, V> {
    fn insert(&mut self, hash: u64, entry: Entry<K, V>, bytes_max: usize) {
        self.take_old(hash);
        self.young_bytes += entry.bytes;
        if let Some(replaced) = self.young.insert(hash, entry) {
            self.young_bytes -= replaced.bytes;
        }
        if self.young_bytes + self.old_bytes > bytes_max {
            // Cleared, it would keep the table itself.
            self.old = Table::default();
        }
        if self.old.is_empty() {
            self.old_bytes = 0;
            if self.young_bytes > bytes_max / 2 {
                self.old = std::mem::take(&mut self.young);
                self.old_bytes = std::mem::take(&mut self.young_bytes);
            }
        }
    }

    fn entry(&mut self, hash: u64) -> Option<&mut Entry<K, V>> {
        match self.young.get_mut(&hash) {
            Some(entry) => Some(entry),
            None => self.old.get_mut(&hash),
        }
    }

    fn take_young(&mut self, hash: u64) {
        if let Some(entry) = self.young.remove(&hash) {
            self.young_bytes -= entry.bytes;
        }
    }

    fn take_old(&mut self, hash: u64) -> Option<Entry<K, V>> {
        let entry = self.old.remove(&hash)?;
        self.old_bytes -= entry.bytes;
        Some(entry)
    }
}

/// The entries of one kind.
#[derive(Debug)]
pub(crate) struct Shelf<K, V> {
    shards: Vec<Mutex<Shard<K, V>>>,
    bytes_max: usize,
}

impl<K: PartialEq, V: Clone> Shelf<K, V> {
    /// An empty shelf for this many bytes, in so many parts: each has a lock and a table of its own, and lets go of
    /// half of what it has at a time.
    pub(crate) fn new(bytes_max: usize, shards: usize) -> Self {
        let shard = || Shard {
            young: Table::default(),
            old: Table::default(),
            young_bytes: 0,
            old_bytes: 0,
            asked: 0,
            found: 0,
        };
        Self { shards: (0..shards).map(|_| Mutex::new(shard())).collect(), bytes_max }
    }

    /// What it holds, and how often it had what it was asked for.
    pub(crate) fn stats(&self, name: &'static str) -> ShelfStats {
        let mut stats = ShelfStats { name, bytes: 0, bytes_max: self.bytes_max as u64, asked: 0, found: 0 };
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            stats.bytes += (shard.young_bytes + shard.old_bytes) as u64;
            stats.asked += shard.asked;
            stats.found += shard.found;
        }
        stats
    }

    fn shard_bytes(&self) -> usize {
        self.bytes_max / self.shards.len().max(1)
    }

    fn shard(&self, hash: u64) -> Option<&Mutex<Shard<K, V>>> {
        usize::try_from(hash >> 48).ok().and_then(|hash| self.shards.get(hash % self.shards.len().max(1)))
    }

    /// The value, when it is known to be what the view of this moment sees.
    pub(crate) fn value<Q>(&self, hot: &Hot, hash: u64, key: &Q, moment: u64) -> Option<V>
    where
        K: Borrow<Q>,
        Q: PartialEq + ?Sized,
    {
        self.look(hash, key, |value, read_at| {
            let changed = hot.slot(hash)?.load(Ordering::Acquire);
            (changed <= moment && changed <= read_at).then(|| value.clone())
        })
    }

    /// What `look` makes of the value and of the number of the view that read it. What it makes
    /// something of was asked for, and stays longer.
    pub(crate) fn look<Q, T>(&self, hash: u64, key: &Q, look: impl FnOnce(&V, u64) -> Option<T>) -> Option<T>
    where
        K: Borrow<Q>,
        Q: PartialEq + ?Sized,
    {
        let mut shard = self.shard(hash)?.lock().unwrap_or_else(PoisonError::into_inner);
        shard.asked += 1;
        let young = shard.young.get(&hash);
        let in_old = young.is_none();
        let entry = young.or_else(|| shard.old.get(&hash))?;
        if entry.key.borrow() != key {
            return None;
        }
        let made = look(&entry.value, entry.read_at)?;
        shard.found += 1;
        if in_old && let Some(entry) = shard.take_old(hash) {
            shard.insert(hash, entry, self.shard_bytes());
        }
        Some(made)
    }

    /// Keeps what the view of this moment has read. `bytes`: what key and value hold on the heap.
    pub(crate) fn keep(&self, hash: u64, key: K, value: V, bytes: usize, moment: u64) {
        self.keep_when(hash, key, bytes, moment, |_| Some(value));
    }

    /// Keeps what `when` gives for the value that stands there under this hash, if any, and the
    /// number of the view that read it. Nothing happens to the entry meanwhile.
    pub(super) fn keep_when(
        &self,
        hash: u64,
        key: K,
        bytes: usize,
        moment: u64,
        when: impl FnOnce(Option<(&mut V, u64)>) -> Option<V>,
    ) {
        let Some(shard) = self.shard(hash) else { return };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let there = shard.entry(hash).filter(|entry| entry.key == key);
        let Some(value) = when(there.map(|entry| (&mut entry.value, entry.read_at))) else { return };
        // Tables are half full on average, and each allocation has a head.
        let bytes = bytes + 32 + 3 * size_of::<Entry<K, V>>() / 2;
        shard.insert(hash, Entry { key, value, read_at: moment, bytes }, self.shard_bytes());
    }

    /// Lets go of what is under this hash: no view that is taken from now on sees it, and what is deleted would
    /// only go when the shelf is full.
    pub(super) fn forget(&self, hash: u64) {
        let Some(shard) = self.shard(hash) else { return };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.take_old(hash);
        shard.take_young(hash);
    }

    /// Changes the value under this hash, if there is one; when `change` says no, it goes.
    pub(super) fn change(&self, hash: u64, change: impl FnOnce(&mut V) -> bool) {
        let Some(shard) = self.shard(hash) else { return };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.entry(hash).is_some_and(|entry| !change(&mut entry.value)) {
            shard.take_old(hash);
            shard.take_young(hash);
        }
    }
}

/// The numbers that say of which moment entries are.
#[derive(Debug)]
pub(crate) struct Hot {
    hasher: RandomState,
    changed: Vec<AtomicU64>,
    published: AtomicU64,
    /// Folders that were asked for: [`Hot::is_worth_making`].
    asked: Vec<AtomicU64>,
}

impl Hot {
    pub(crate) fn new() -> Self {
        let zeros = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self {
            hasher: RandomState::new(),
            changed: zeros(SLOTS),
            published: AtomicU64::new(0),
            asked: zeros(limits::ASKED_ONCE),
        }
    }

    pub(crate) fn hash(&self, kind: Kind, key: &[u8]) -> u64 {
        self.hasher.hash_one((kind, key))
    }

    /// Of something that is told apart by a number, too.
    pub(crate) fn hash_with(&self, number: usize, key: &[u8]) -> u64 {
        self.hasher.hash_one((number, key))
    }

    pub(super) fn slot(&self, hash: u64) -> Option<&AtomicU64> {
        usize::try_from(hash).ok().and_then(|hash| self.changed.get(hash % SLOTS))
    }

    /// The number for a view that is about to be taken.
    pub(crate) fn moment(&self) -> u64 {
        self.published.load(Ordering::Acquire)
    }

    /// Says that a batch is about to change these keys. Batches come one after the other.
    pub(crate) fn begin(&self, hashes: &[u64]) -> u64 {
        let number = self.published.load(Ordering::Acquire) + 1;
        for slot in hashes.iter().filter_map(|hash| self.slot(*hash)) {
            slot.store(number, Ordering::Release);
        }
        number
    }

    /// Says that the batch is visible.
    pub(crate) fn publish(&self, number: u64) {
        self.published.store(number, Ordering::Release);
    }

    /// Whether what costs much to make is to be made at this question: at the second one the first
    /// time, and after each making at twice as many. What does not stay in memory must not be made
    /// over and over.
    pub(crate) fn is_worth_making(&self, hash: u64) -> bool {
        // Most of the hash, how often it was asked for since it was made, and how often it was made.
        const COUNTS: u64 = 0xffff;
        let place = usize::try_from(hash).ok().and_then(|at| self.asked.get(at % limits::ASKED_ONCE));
        place.is_some_and(|place| {
            let before = place.load(Ordering::Relaxed);
            let is_known = before & !COUNTS == hash & !COUNTS;
            let (asked, made) = if is_known { ((before >> 8 & 0xff) + 1, before & 0xff) } else { (1, 0) };
            let is_enough = asked >= limits::ASKED_MAX.min(2 << made);
            let (asked, made) = if is_enough { (0, (made + 1).min(16)) } else { (asked, made) };
            place.store(hash & !COUNTS | asked << 8 | made, Ordering::Relaxed);
            is_enough
        })
    }
}

#[cfg(test)]
mod tests;
