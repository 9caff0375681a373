//! The engine's journals, read before the engine opens them.
//!
//! The engine replays its journals at open. What it cannot read it cuts off, with every batch after
//! it, or it refuses with a word that tells an operator nothing; numbers in the head of a batch have
//! no checksum at all. So this file reads the journals first, in the form that fjall 3.1 writes:
//!
//! | bytes | what |
//! |---|---|
//! | 1, 4, 8 | 1; number of items; the engine's sequence number (little-endian) |
//! | 1, 1, 1, 8, 2, 4, 4 | 2; kind; compression; keyspace; lengths of key, value, value as written |
//! | … | key, value: each item |
//! | 1, 8, 4 | 3; XXH3 of all items; `FJL` 3 |
//!
//! Every batch of ours holds the key [`BATCH`] with a number that runs on by one, so that a batch
//! that is missing in the middle is noticed too. One batch at the very end may be unfinished: it was
//! never acknowledged, for each is on stable storage before the next is written.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read},
    path::Path,
};
use xxhash_rust::xxh3::Xxh3;

/// Key in `meta`, part of every batch: `number(8)`, from 1 without gaps.
pub(crate) const BATCH: &[u8] = b"batch";

const START_BYTES: usize = 13;
const ITEM_BYTES: usize = 21;
const END_BYTES: usize = 13;
const TRAILER: &[u8] = b"FJL\x03";
/// Bytes read at once.
const CHUNK: usize = 1024 * 1024;
static ZEROS: [u8; CHUNK] = [0; CHUNK];

/// One whole batch.
#[derive(Debug)]
struct Batch {
    bytes: usize,
    /// The engine's sequence number.
    sequence: u64,
    /// Our number.
    number: Option<u64>,
    /// Keyspaces that it writes to.
    keyspaces: BTreeSet<u64>,
}

/// How a journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// After its last batch nothing was written.
    Clean,
    /// After this many bytes stands something that is no whole batch, and no whole batch follows.
    Unfinished(u64),
    /// At this byte stands something that is no whole batch, but others follow or it cannot be what
    /// was written there.
    Damaged(u64, &'static str),
}

/// What is in a journal.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) batches: u64,
    pub(crate) tail: Tail,
}

/// What the journals read so far end with.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    sequence: Option<u64>,
    /// Our number of the last batch.
    pub(crate) number: Option<u64>,
    /// Keyspaces that batches write to.
    pub(crate) keyspaces: BTreeSet<u64>,
}

/// The bytes of a file up to where only zeros follow (a journal is made 64 MiB long).
fn written(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let (mut bytes, mut zeros) = (Vec::new(), 0);
    let mut chunk = vec![0; CHUNK];
    loop {
        let mut filled = 0;
        while let Some(rest) = chunk.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read(rest)? {
                0 => break,
                count => filled += count,
            }
        }
        let read = chunk.get(..filled).unwrap_or_default();
        if read.is_empty() {
            return Ok(bytes);
        }
        if Some(read) == ZEROS.get(..filled) {
            zeros += filled;
        } else {
            bytes.resize(bytes.len() + std::mem::take(&mut zeros), 0);
            bytes.extend_from_slice(read);
        }
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(CHUNK).all(|chunk| Some(chunk) == ZEROS.get(..chunk.len()))
}

fn number<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (number, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*number)
}

/// The whole batch that these bytes begin with. What one says before its checksum was compared counts for nothing: a
/// torn write leaves any bytes at all.
fn batch(bytes: &[u8]) -> Option<Batch> {
    let mut rest = bytes;
    if number::<1>(&mut rest)? != [1] {
        return None;
    }
    let items = u32::from_le_bytes(number(&mut rest)?);
    let sequence = u64::from_le_bytes(number(&mut rest)?);
    let mut hash = Xxh3::new();
    let mut of_ours = None;
    let mut keyspaces = BTreeSet::new();
    for _ in 0..items {
        let item = rest;
        let [tag, kind, compression] = number::<3>(&mut rest)?;
        if tag != 2 || kind > 2 || compression > 1 {
            return None;
        }
        keyspaces.insert(u64::from_le_bytes(number(&mut rest)?));
        let key = usize::from(u16::from_le_bytes(number(&mut rest)?));
        let _length: [u8; 4] = number(&mut rest)?;
        let value = u32::from_le_bytes(number(&mut rest)?) as usize;
        let (key, after) = rest.split_at_checked(key)?;
        let (value, after) = after.split_at_checked(value)?;
        if key == BATCH {
            of_ours = value.first_chunk::<8>().filter(|_| value.len() == 8).map(|bytes| u64::from_be_bytes(*bytes));
        }
        hash.update(item.get(..ITEM_BYTES + key.len() + value.len())?);
        rest = after;
    }
    let end = number::<END_BYTES>(&mut rest)?;
    let mut end = &end[..];
    let tag = number::<1>(&mut end)?;
    let sum = u64::from_le_bytes(number(&mut end)?);
    let whole = tag == [3] && end == TRAILER && sum == hash.digest();
    whole.then_some(Batch { bytes: bytes.len() - rest.len(), sequence, number: of_ours, keyspaces })
}

/// Whether a whole batch of ours begins anywhere in these bytes.
fn holds_a_batch(bytes: &[u8]) -> bool {
    // The head of a batch, and the item that follows at once.
    let begins = |at: &usize| bytes.get(*at) == Some(&1) && bytes.get(at + START_BYTES) == Some(&2);
    let mut starts = (0..bytes.len()).filter(begins);
    starts.any(|at| batch(bytes.get(at..).unwrap_or_default()).is_some_and(|batch| batch.number.is_some()))
}

/// Reads a journal that goes on where `reached` says, and moves that on.
pub(crate) fn read(path: &Path, reached: &mut Reached) -> io::Result<Journal> {
    let bytes = written(path)?;
    let mut journal = Journal { batches: 0, tail: Tail::Clean };
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.first().is_none_or(|first| *first == 0) && is_zero(rest) {
            return Ok(journal);
        }
        let place = at as u64;
        let Some(next) = batch(rest) else {
            let later = holds_a_batch(rest.get(1..).unwrap_or_default());
            journal.tail = match later {
                true => Tail::Damaged(place, "a batch cannot be read, and whole ones follow it"),
                false => Tail::Unfinished(place),
            };
            return Ok(journal);
        };
        let Some(number) = next.number else {
            journal.tail = Tail::Damaged(place, "a batch bears no number: another program wrote it");
            return Ok(journal);
        };
        if reached.number.is_some_and(|before| number != before.wrapping_add(1)) {
            journal.tail = Tail::Damaged(place, "a batch is missing before this one");
            return Ok(journal);
        }
        // The engine gives some numbers to its own changes, never many.
        let follows = |before: u64| next.sequence > before && next.sequence - before < 1 << 32;
        if reached.sequence.is_some_and(|before| !follows(before)) || next.sequence >> 48 != 0 {
            journal.tail = Tail::Damaged(place, "the engine's number of a batch does not follow the one before");
            return Ok(journal);
        }
        (reached.sequence, reached.number) = (Some(next.sequence), Some(number));
        reached.keyspaces.extend(next.keyspaces);
        journal.batches += 1;
        at += next.bytes;
    }
}

#[cfg(test)]
mod tests;
