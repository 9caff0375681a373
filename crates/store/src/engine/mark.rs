//! The mark: two slots in `DIR/mark` that say how far commits and audit log had come.
//!
//! The engine cuts a torn end off its journal and cannot know whether whole commits went with it.
//! The mark is written after each group of commits and synced within a second, so a store that comes
//! back shorter than its mark is refused. It says at least what was, never more.
//!
//! A slot is 64 bytes: `commit(8) chain(32) audit sequence(8) batch(8)`, first 8 bytes of their SHA-256.
//! Slots take turns, so a torn write leaves the other one whole.

use super::record::{GENESIS, Hash};
use aws_lc_rs::digest::{SHA256, digest};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::Arc,
};

const SLOT_BYTES: usize = 64;

/// What a slot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Last commit; 0 for none.
    pub(crate) commit: u64,
    /// The chain's hash there.
    pub(crate) chain: Hash,
    /// Last audit record that was on stable storage.
    pub(crate) audit: u64,
    /// Number of the engine's last batch: tables change without a commit.
    pub(crate) batch: u64,
}

impl Mark {
    /// A new store's.
    pub(crate) const NONE: Self = Self { commit: 0, chain: GENESIS, audit: 0, batch: 0 };

    fn encode(&self) -> Vec<u8> {
        let (commit, audit, batch) = (self.commit.to_be_bytes(), self.audit.to_be_bytes(), self.batch.to_be_bytes());
        let mut out = [&commit[..], &self.chain, &audit, &batch].concat();
        let check = digest(&SHA256, &out);
        out.extend_from_slice(check.as_ref().get(..8).unwrap_or_default());
        out
    }

    fn decode(slot: &[u8]) -> Option<Self> {
        let (body, check) = slot.split_at_checked(56)?;
        if digest(&SHA256, body).as_ref().get(..8) != Some(check) {
            return None;
        }
        let (commit, rest) = body.split_first_chunk::<8>()?;
        let (chain, rest) = rest.split_first_chunk::<32>()?;
        let (audit, batch) = rest.split_first_chunk::<8>()?;
        let number = |bytes: &[u8; 8]| u64::from_be_bytes(*bytes);
        Some(Self { commit: number(commit), chain: *chain, audit: number(audit), batch: number(batch.first_chunk()?) })
    }
}

/// The open file.
#[derive(Debug)]
pub(crate) struct MarkFile {
    file: Arc<File>,
    odd: bool,
    current: Mark,
}

impl MarkFile {
    /// Opens or makes the file and reads the later of its slots.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        (&file).read_to_end(&mut bytes)?;
        let slots: Vec<_> = bytes.chunks(SLOT_BYTES).map(Mark::decode).collect();
        let (first, second) = (slots.first().copied().flatten(), slots.get(1).copied().flatten());
        let later = |mark: &Option<Mark>| mark.map(|mark| (mark.batch, mark.commit, mark.audit));
        let odd = later(&first) < later(&second);
        let current = if odd { second } else { first }.unwrap_or(Mark::NONE);
        Ok(Self { file: Arc::new(file), odd, current })
    }

    pub(crate) fn current(&self) -> Mark {
        self.current
    }

    /// Writes the other slot. It reaches stable storage with the next sync.
    pub(crate) fn write(&mut self, mark: Mark) -> io::Result<()> {
        self.odd = !self.odd;
        (&*self.file).seek(SeekFrom::Start(if self.odd { SLOT_BYTES as u64 } else { 0 }))?;
        (&*self.file).write_all(&mark.encode())?;
        self.current = mark;
        Ok(())
    }

    /// The file, to be synced without keeping the writer from the mark meanwhile.
    pub(crate) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }
}

/// What the file at `path` says: how many slots were written and do not verify, and the later of
/// those that do. Changes nothing.
pub(crate) fn read(path: &Path) -> io::Result<(usize, Option<Mark>)> {
    let bytes = std::fs::read(path)?;
    let written = bytes.chunks(SLOT_BYTES).filter(|slot| slot.iter().any(|byte| *byte != 0));
    let slots: Vec<_> = written.map(Mark::decode).collect();
    let bad = slots.iter().filter(|slot| slot.is_none()).count();
    Ok((bad, slots.into_iter().flatten().max_by_key(|mark| (mark.batch, mark.commit, mark.audit))))
}
