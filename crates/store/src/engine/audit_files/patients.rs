//! Which blocks of a segment of the audit log are about a patient, so that nobody has to read the whole log for one
//! person (rows F21, F22).
//!
//! A block is [`limits::AUDIT_OFFSET_EVERY`] records. Of a sealed segment the list stands in a file beside it,
//! `NNNNNNNN.patients`, made when it is first asked for and bound to the segment by its last hash; of the segment that
//! is written it is kept in memory and brought up to date when it is asked for. Both follow from the log alone: a file
//! that is missing or is not what it was is made anew. Numbers are big-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `HRPATNT1` |
//! | 32 | hash of the segment's last record |
//! | 32 | SHA-256 of the pairs |
//! | each 12 | first 8 bytes of SHA-256 of the patient's id, number of the block; sorted |
//!
//! Two ids with the same eight bytes share their blocks: who searches tests each event.

use super::{AuditFiles, Fault, Sealed};
use crate::{engine::files, limits};
use audit::{
    Entry,
    frame::{FrameError, Hash, Record, Segment},
};
use aws_lc_rs::digest::{SHA256, digest};
use fhir::LogicalId;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

const MAGIC: &[u8; 8] = b"HRPATNT1";
const HEAD_BYTES: usize = 8 + 32 + 32;
const PAIR_BYTES: usize = 12;

/// A patient as the lists know them.
pub(crate) type Key = [u8; 8];

/// The key of a patient's id.
pub(crate) fn key(id: &str) -> Key {
    let mut key = [0; 8];
    key.iter_mut().zip(digest(&SHA256, id.as_bytes()).as_ref()).for_each(|(to, from)| *to = *from);
    key
}

/// Every patient whom an event names, as `AuditEvent?patient=` finds them.
pub(crate) fn named(entry: &Entry) -> impl Iterator<Item = &str> {
    let touched = entry.touched.iter().filter(|one| one.resource_type.name() == "Patient").map(|one| one.id.as_str());
    let itself = entry.person.as_ref().and_then(|person| person.fhir_user.as_deref()?.strip_prefix("Patient/"));
    entry.patients.iter().map(LogicalId::as_str).chain(touched).chain(itself)
}

/// Patients with the blocks that name them, each block once, in order.
#[derive(Debug, Default)]
pub(super) struct Blocks(BTreeMap<Key, Vec<u32>>);

impl Blocks {
    fn add(&mut self, first: u64, record: &Record) -> Result<(), Fault> {
        let entry = Entry::decode(&record.entry)
            .map_err(|_| Fault(format!("audit log: record {} is no entry of a known version", record.sequence)))?;
        let block = u32::try_from((record.sequence - first) / limits::AUDIT_OFFSET_EVERY).unwrap_or(u32::MAX);
        for id in named(&entry) {
            let blocks = self.0.entry(key(id)).or_default();
            if blocks.last() != Some(&block) {
                blocks.push(block);
            }
        }
        Ok(())
    }

    fn pairs(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (key, blocks) in &self.0 {
            for block in blocks {
                out.extend_from_slice(key);
                out.extend_from_slice(&block.to_be_bytes());
            }
        }
        out
    }

    fn of(&self, keys: &[Key]) -> Vec<u32> {
        let mut all: Vec<u32> = keys.iter().filter_map(|key| self.0.get(key)).flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// The list of the segment that is written.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// First sequence of the segment that it is of.
    first: u64,
    /// Sequence up to which it is made.
    upto: u64,
    blocks: Blocks,
}

/// The list of a sealed segment.
#[derive(Debug)]
pub(super) enum Listed {
    /// On disk, whole: its path and pairs.
    File(PathBuf, usize),
    /// It could not be written: the disk is full, or only to be read.
    Memory(Blocks),
}

fn fault(error: &io::Error) -> Fault {
    Fault(format!("audit log: {error}"))
}

/// The file of a segment's list.
pub(super) fn path_of(segment: &Path) -> PathBuf {
    segment.with_extension("patients")
}

impl Listed {
    /// Of a sealed segment: as it stands on disk, or made anew.
    pub(super) fn of(sealed: &Sealed) -> Result<Self, Fault> {
        let path = path_of(&sealed.path);
        let (blocks, last) = match last_hash(&sealed.path).and_then(|last| Ok((Self::stored(&path, &last)?, last))) {
            Ok((Some(listed), _)) => return Ok(listed),
            Ok((None, last)) => (read(sealed)?, last),
            Err(error) => return Err(fault(&error)),
        };
        let pairs = blocks.pairs();
        let whole = [&MAGIC[..], &last, digest(&SHA256, &pairs).as_ref(), &pairs].concat();
        let begun = path.with_extension("patients-begun");
        let written = files::private(&begun).and_then(|mut file| {
            file.write_all(&whole)?;
            drop(file);
            fs::rename(&begun, &path)
        });
        match written {
            Ok(()) => Ok(Self::File(path, pairs.len() / PAIR_BYTES)),
            Err(error) => {
                tracing::warn!(%error, "the list of a segment's patients is kept in memory: {}", path.display());
                Ok(Self::Memory(blocks))
            }
        }
    }

    fn stored(path: &Path, last: &Hash) -> io::Result<Option<Self>> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes?,
        };
        let Some((head, pairs)) = bytes.split_first_chunk::<HEAD_BYTES>() else { return Ok(None) };
        let is_whole = pairs.len().is_multiple_of(PAIR_BYTES)
            && *head == *[&MAGIC[..], last, digest(&SHA256, pairs).as_ref()].concat();
        Ok(is_whole.then(|| Self::File(path.to_owned(), pairs.len() / PAIR_BYTES)))
    }

    /// The blocks that name one of these patients, in order.
    pub(super) fn blocks(&self, keys: &[Key]) -> Result<Vec<u32>, Fault> {
        let (path, count) = match self {
            Self::Memory(blocks) => return Ok(blocks.of(keys)),
            Self::File(path, count) => (path, *count),
        };
        let found = || -> io::Result<Vec<u32>> {
            let mut file = File::open(path)?;
            let mut found = Vec::new();
            for key in keys {
                let mut at = first_at(&mut file, count, key)?;
                file.seek(SeekFrom::Start((HEAD_BYTES + at * PAIR_BYTES) as u64))?;
                let mut pairs = BufReader::with_capacity(64 * PAIR_BYTES, &file);
                while at < count {
                    let mut pair = [0; PAIR_BYTES];
                    pairs.read_exact(&mut pair)?;
                    let Some((own, block)) = split(&pair).filter(|(own, _)| own == key) else { break };
                    debug_assert_eq!(own, *key);
                    found.push(block);
                    at += 1;
                }
            }
            found.sort_unstable();
            found.dedup();
            Ok(found)
        };
        found().map_err(|error| fault(&error))
    }
}

fn split(pair: &[u8; PAIR_BYTES]) -> Option<(Key, u32)> {
    let (key, block) = pair.split_first_chunk::<8>()?;
    Some((*key, u32::from_be_bytes(*block.first_chunk::<4>()?)))
}

/// Number of the first pair that is not before this key.
fn first_at(file: &mut File, count: usize, key: &Key) -> io::Result<usize> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        let mut own = [0; 8];
        file.seek(SeekFrom::Start((HEAD_BYTES + middle * PAIR_BYTES) as u64))?;
        file.read_exact(&mut own)?;
        if own < *key { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}

/// The hash of the last record: the last bytes of a segment.
fn last_hash(segment: &Path) -> io::Result<Hash> {
    let mut file = File::open(segment)?;
    file.seek(SeekFrom::End(-32))?;
    let mut hash = [0; 32];
    file.read_exact(&mut hash)?;
    Ok(hash)
}

/// Reads a whole sealed segment; each record has to follow from the one before.
fn read(sealed: &Sealed) -> Result<Blocks, Fault> {
    let damaged = |error: FrameError| Fault(format!("audit log: {error:?}"));
    let file = File::open(&sealed.path).map_err(|error| fault(&error))?;
    let mut segment = Segment::open(BufReader::with_capacity(256 * 1024, file)).map_err(damaged)?;
    let (mut blocks, mut hash, mut next) = (Blocks::default(), *segment.before(), sealed.first);
    while let Some(record) = segment.next_record().map_err(damaged)? {
        if record.sequence != next || !record.follows(&hash) {
            return Err(Fault(format!("audit log: record {next} does not follow from the one before")));
        }
        blocks.add(sealed.first, &record)?;
        (hash, next) = (record.hash, next + 1);
    }
    if next != sealed.last + 1 {
        return Err(Fault("audit log: a segment is shorter than it was".into()));
    }
    Ok(blocks)
}

/// The records between two sequences in one segment that may be about somebody.
#[derive(Debug, Clone)]
pub(crate) struct Narrowed {
    first: u64,
    last: u64,
    blocks: Vec<u32>,
}

impl Narrowed {
    /// Whether it speaks of this record.
    pub(super) fn has(&self, sequence: u64) -> bool {
        (self.first..=self.last).contains(&sequence)
    }

    fn start(&self, block: u32) -> u64 {
        self.first + u64::from(block) * limits::AUDIT_OFFSET_EVERY
    }

    /// The newest record at or before this one that lies in a block of the list; else the record before the segment.
    pub(super) fn back(&self, sequence: u64) -> Result<u64, u64> {
        let at = self.blocks.partition_point(|block| self.start(*block) <= sequence);
        match at.checked_sub(1).and_then(|at| self.blocks.get(at)) {
            Some(block) => Ok(sequence.min(self.start(*block) + limits::AUDIT_OFFSET_EVERY - 1)),
            None => Err(self.first - 1),
        }
    }

    /// The oldest record at or after this one that lies in a block of the list; else the record behind the segment.
    pub(super) fn on(&self, sequence: u64) -> Result<u64, u64> {
        let ends_before = |block: &u32| self.start(*block) + limits::AUDIT_OFFSET_EVERY <= sequence;
        let at = self.blocks.partition_point(ends_before);
        match self.blocks.get(at) {
            Some(block) => Ok(sequence.max(self.start(*block))),
            None => Err(self.last + 1),
        }
    }
}

impl AuditFiles {
    /// Where the segment of this record speaks of these patients; `None` when there is no such record.
    pub(super) fn narrowed(&self, sequence: u64, keys: &[Key]) -> Result<Option<Narrowed>, Fault> {
        let sealed = {
            let files = self.files();
            if sequence == 0 || sequence > files.active.last {
                return Ok(None);
            }
            if sequence >= files.active.first {
                None
            } else {
                let at = files.sealed.partition_point(|segment| segment.last < sequence);
                let Some(segment) = files.sealed.get(at).filter(|segment| segment.first <= sequence) else {
                    return Ok(None);
                };
                Some(std::sync::Arc::clone(segment))
            }
        };
        if let Some(sealed) = sealed {
            let blocks = sealed.patients()?.blocks(keys)?;
            return Ok(Some(Narrowed { first: sealed.first, last: sealed.last, blocks }));
        }
        self.recent(sequence, keys)
    }

    /// Of the segment that is written. A list that is behind is brought up to date first.
    fn recent(&self, sequence: u64, keys: &[Key]) -> Result<Option<Narrowed>, Fault> {
        let mut recent = self.0.recent.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (first, last) = {
            let files = self.files();
            (files.active.first, files.active.last)
        };
        if sequence < first {
            // Sealed meanwhile.
            drop(recent);
            return self.narrowed(sequence, keys);
        }
        if recent.first != first {
            *recent = Recent { first, upto: first - 1, blocks: Blocks::default() };
        }
        let mut records = self.forwards(recent.upto + 1, last);
        while let Some(record) = records.next_record()? {
            recent.blocks.add(first, &record)?;
            recent.upto = record.sequence;
        }
        Ok(Some(Narrowed { first, last, blocks: recent.blocks.of(keys) }))
    }

    /// Brings the list of the segment that is written up to date, so that the next search has little to read.
    pub(crate) fn keep_up(&self) -> Result<(), Fault> {
        let last = self.files().active.last;
        if last > 0 { self.narrowed(last, &[]).map(|_| ()) } else { Ok(()) }
    }
}
