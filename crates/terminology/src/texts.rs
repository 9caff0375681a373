//! Many texts in one piece of memory, and finding one of them by its text.

use crate::limits;
use std::hash::{BuildHasher, Hasher, RandomState};

/// Texts by position, in one allocation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) bytes: String,
    /// Where each ends; it starts where the one before ends.
    pub(crate) ends: Vec<u32>,
}

impl Texts {
    /// Adds a text; `None` when there is no room for it.
    pub(crate) fn push(&mut self, text: &str) -> Option<u32> {
        let at = u32::try_from(self.ends.len()).ok()?;
        if self.bytes.len() + text.len() > limits::TEXT_BYTES_MAX {
            return None;
        }
        self.bytes.push_str(text);
        self.ends.push(u32::try_from(self.bytes.len()).ok()?);
        Some(at)
    }

    pub(crate) fn get(&self, at: u32) -> &str {
        let at = at as usize;
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(at).copied().unwrap_or(start);
        self.bytes.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

/// Positions of [`Texts`] by their text. Its hashes are seeded by chance: no file can be written so that all
/// of its codes meet in one place.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    /// Part of the hash, and position plus one; zero is free. A power of two, at most two thirds full. The part
    /// of the hash spares looking at other texts.
    slots: Vec<(u32, u32)>,
    held: usize,
    seed: RandomState,
    fold: bool,
}

impl Index {
    /// Empty; with `fold`, texts that differ only in the case of ASCII letters are the same.
    pub(crate) fn new(fold: bool) -> Self {
        Self { slots: Vec::new(), held: 0, seed: RandomState::new(), fold }
    }

    /// Of all of these; of equal texts the first is found.
    pub(crate) fn of(texts: &Texts, fold: bool) -> Self {
        let mut index = Self::new(fold);
        index.grow((texts.len() * 3 / 2 + 1).next_power_of_two().max(8), texts);
        for at in 0..u32::try_from(texts.len()).unwrap_or(u32::MAX) {
            index.insert(texts, at);
        }
        index
    }

    /// Where to begin, and the part that is kept.
    fn hash(&self, text: &str) -> (usize, u32) {
        let mut hasher = self.seed.build_hasher();
        if self.fold {
            let mut folded = [0u8; 32];
            for part in text.as_bytes().chunks(folded.len()) {
                for (to, from) in folded.iter_mut().zip(part) {
                    *to = from.to_ascii_lowercase();
                }
                hasher.write(folded.get(..part.len()).unwrap_or_default());
            }
        } else {
            hasher.write(text.as_bytes());
        }
        let hash = hasher.finish();
        let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(0);
        (half(hash) as usize, half(hash >> 32))
    }

    fn same(&self, one: &str, other: &str) -> bool {
        if self.fold { one.eq_ignore_ascii_case(other) } else { one == other }
    }

    /// The position of this text.
    pub(crate) fn find(&self, texts: &Texts, text: &str) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let (start, tag) = self.hash(text);
        let mut slot = start & mask;
        loop {
            let (have, place) = *self.slots.get(slot)?;
            let at = place.checked_sub(1)?;
            if have == tag && self.same(texts.get(at), text) {
                return Some(at);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Makes `at` found by its text, unless an equal text is found already.
    pub(crate) fn insert(&mut self, texts: &Texts, at: u32) {
        if (self.held + 1) * 3 > self.slots.len() * 2 {
            self.grow((self.slots.len() * 2).max(8), texts);
        }
        if self.find(texts, texts.get(at)).is_none() {
            self.put(texts, at);
            self.held += 1;
        }
    }

    fn put(&mut self, texts: &Texts, at: u32) {
        let mask = self.slots.len().saturating_sub(1);
        let (start, tag) = self.hash(texts.get(at));
        let mut slot = start & mask;
        while let Some(place) = self.slots.get_mut(slot) {
            if place.1 == 0 {
                *place = (tag, at + 1);
                return;
            }
            slot = (slot + 1) & mask;
        }
    }

    fn grow(&mut self, slots: usize, texts: &Texts) {
        let before = std::mem::replace(&mut self.slots, vec![(0, 0); slots]);
        for at in before.into_iter().filter_map(|place| place.1.checked_sub(1)) {
            self.put(texts, at);
        }
    }
}

#[cfg(test)]
mod tests;
