//! Values read again and again, kept in memory as the engine gave them: places and current versions.
//!
//! A read by id and the test of a candidate each cost one look-up of the engine, some 2 µs with its
//! levels, filters and blocks. Here it is one hash and one lock.
//!
//! Every view sees its own moment, so an entry must prove that it is of that moment. Batches are
//! numbered. Before a batch becomes visible, it writes its number into the slot of each key that it
//! changes; after that its number is published. A view remembers the number that was published just
//! before it was taken. INVARIANT: an entry is given to a view only when the number in its key's
//! slot is not above the view's own number, nor above that of the view that read the entry. Then no
//! batch has changed the key since either view's moment, so both see the same value.

use super::{Space, Value};
use crate::limits;
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

const SHARDS: usize = 16;
/// Keys that share a slot only cost each other a look-up of the engine.
const SLOTS: usize = 8192;
/// What an entry takes besides its bytes, about.
const ENTRY_BYTES: usize = 160;

#[derive(Debug)]
struct Entry {
    space: Space,
    key: Box<[u8]>,
    value: Value,
    /// Number of the view that read it.
    read_at: u64,
}

impl Entry {
    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.key.len() + self.value.len()
    }
}

/// Two generations: what is asked for again is carried over, the rest goes when the young one is full.
#[derive(Debug, Default)]
struct Shard {
    young: HashMap<u64, Entry>,
    old: HashMap<u64, Entry>,
    young_bytes: usize,
}

impl Shard {
    fn insert(&mut self, hash: u64, entry: Entry) {
        self.young_bytes += entry.bytes();
        if let Some(replaced) = self.young.insert(hash, entry) {
            self.young_bytes -= replaced.bytes();
        }
        if self.young_bytes > limits::HOT_BYTES / SHARDS / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
    }
}

/// The values in memory, and the numbers that say of which moment they are.
#[derive(Debug)]
pub(crate) struct Hot {
    hasher: RandomState,
    shards: Vec<Mutex<Shard>>,
    changed: Vec<AtomicU64>,
    published: AtomicU64,
}

impl Hot {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            changed: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            published: AtomicU64::new(0),
        }
    }

    /// Whether values of this space are kept.
    pub(crate) fn keeps(space: Space) -> bool {
        matches!(space, Space::Id | Space::Current)
    }

    pub(crate) fn hash(&self, space: Space, key: &[u8]) -> u64 {
        self.hasher.hash_one((space as u8, key))
    }

    fn slot(&self, hash: u64) -> Option<&AtomicU64> {
        usize::try_from(hash).ok().and_then(|hash| self.changed.get(hash % SLOTS))
    }

    fn shard(&self, hash: u64) -> Option<&Mutex<Shard>> {
        usize::try_from(hash >> 48).ok().and_then(|hash| self.shards.get(hash % SHARDS))
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

    /// The value, when it is known to be what the view of this moment sees.
    pub(crate) fn value(&self, hash: u64, space: Space, key: &[u8], moment: u64) -> Option<Value> {
        let mut shard = self.shard(hash)?.lock().unwrap_or_else(PoisonError::into_inner);
        let in_old = !shard.young.contains_key(&hash);
        let entry = if in_old { shard.old.get(&hash) } else { shard.young.get(&hash) }?;
        if entry.space != space || *entry.key != *key {
            return None;
        }
        let changed = self.slot(hash)?.load(Ordering::Acquire);
        if changed > moment || changed > entry.read_at {
            return None;
        }
        let value = entry.value.clone();
        if in_old && let Some(entry) = shard.old.remove(&hash) {
            shard.insert(hash, entry);
        }
        Some(value)
    }

    /// Keeps what the view of this moment has read.
    pub(crate) fn keep(&self, hash: u64, space: Space, key: &[u8], value: &Value, moment: u64) {
        if value.len() > limits::HOT_VALUE_BYTES_MAX {
            return;
        }
        let Some(shard) = self.shard(hash) else { return };
        // A copy: the engine's own slice may hold a whole block in memory.
        let entry = Entry { space, key: key.into(), value: Value::copy(value), read_at: moment };
        shard.lock().unwrap_or_else(PoisonError::into_inner).insert(hash, entry);
    }
}

#[cfg(test)]
mod tests;
