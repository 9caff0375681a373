//! Verification: reads the whole log with its checkpoints and names the first place where it is not
//! what was recorded.
//!
//! What it finds: an entry altered, removed, inserted, swapped; a rewritten chain (against the next
//! checkpoint); a cut at the end (against the last checkpoint); a checkpoint that no key signed.
//! What it cannot find: a cut of entries younger than the last checkpoint, and anything by one who
//! holds the private key. SPEC: row F23.

use crate::{
    checkpoint::{CHECKPOINT_BYTES, Checkpoint, PublicKey},
    entry::Entry,
    frame::{FrameError, GENESIS, Hash, Segment, hides_a_record},
};
use fhir::Instant;
use std::{fmt, io::Read};

#[cfg(test)]
mod tests;

/// A log that is what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// First sequence present: 1, or later when older segments were archived.
    pub first: u64,
    /// Last sequence; 0 when there is none.
    pub last: u64,
    /// Checkpoints that hold.
    pub checkpoints: u64,
    /// Sequence and time of the last checkpoint.
    pub last_checkpoint: Option<(u64, Instant)>,
    /// The log ends in an unfinished record: a crash, or a server that is writing just now.
    pub torn_end: bool,
}

impl Report {
    /// Entries that no checkpoint covers yet.
    #[must_use]
    pub fn uncovered(&self) -> u64 {
        self.last.saturating_sub(self.last_checkpoint.map_or(self.first.saturating_sub(1), |(sequence, _)| sequence))
    }
}

/// The first place where a log is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The sequence expected there.
    pub sequence: u64,
    /// What is wrong.
    pub what: What,
}

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The entry or its hash was altered, or the record before it was and had its own hash made anew.
    Altered,
    /// Another sequence stands here: entries were removed, inserted or moved.
    Sequence(u64),
    /// The bytes are no record, or end within one that others follow.
    Unreadable,
    /// The hashes agree, but the entry is none of a known version.
    Entry,
    /// A segment's header does not continue the segment before.
    Segment,
    /// A signed checkpoint names another hash: the chain was made anew after this sequence.
    Rewritten {
        /// Last sequence that a checkpoint still vouches for; 0 for none.
        after: u64,
    },
    /// The log ends before this entry, but a signed checkpoint names a later one, or this one.
    Truncated {
        /// Sequence that the checkpoint names.
        checkpoint: u64,
    },
    /// The checkpoint for this sequence is signed by none of the keys, or is no checkpoint.
    Checkpoint,
    /// The log begins here, and nobody who holds the key says that what was before it was given up.
    Beginning,
    /// The file could not be read; the text is the system's.
    Io(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.sequence;
        match &self.what {
            What::Altered => {
                write!(f, "entry {at} was altered: its hash does not follow from entry {}", at.saturating_sub(1))
            }
            What::Sequence(found) => {
                write!(f, "entry {at} is missing: entry {found} stands in its place (removed or moved)")
            }
            What::Unreadable => write!(f, "entry {at} cannot be read: its record is damaged"),
            What::Entry => write!(f, "entry {at} is not an entry of a known version"),
            What::Segment => write!(f, "the segment that begins with entry {at} does not follow the one before"),
            What::Rewritten { after } => {
                write!(
                    f,
                    "entries between {after} and {at} were rewritten: the signed checkpoint {at} has another hash"
                )
            }
            What::Truncated { checkpoint } => {
                write!(
                    f,
                    "the log was cut: it ends before entry {at}, but a signed checkpoint names entry {checkpoint}"
                )
            }
            What::Checkpoint => write!(f, "the checkpoint for entry {at} has no valid signature"),
            What::Beginning => {
                write!(
                    f,
                    "the log begins with entry {at}, and no signed cut says that those before it were kept long enough"
                )
            }
            What::Io(why) => write!(f, "entry {at} cannot be read: {why}"),
        }
    }
}

impl std::error::Error for Broken {}

/// Reads segments in order and the checkpoint file's bytes; `keys` are all keys that ever signed.
///
/// # Errors
/// [`Broken`]: the first place that is not what was recorded.
pub fn verify<R: Read>(
    segments: impl IntoIterator<Item = R>,
    checkpoints: &[u8],
    keys: &[PublicKey],
) -> Result<Report, Broken> {
    walk(segments, checkpoints, keys, |_, _| true)
}

/// As [`verify`]; a log that does not begin with record 1 has to begin behind a signed cut (row F26).
///
/// # Errors
/// [`Broken`].
pub fn verify_with_cut<R: Read>(
    segments: impl IntoIterator<Item = R>,
    checkpoints: &[u8],
    keys: &[PublicKey],
    cut: Option<&Checkpoint>,
) -> Result<Report, Broken> {
    let vouches = |first: u64, before: &Hash| {
        cut.is_some_and(|cut| cut.sequence + 1 == first && cut.hash == *before && cut.is_cut_signed_by(keys))
    };
    walk(segments, checkpoints, keys, vouches)
}

fn walk<R: Read>(
    segments: impl IntoIterator<Item = R>,
    checkpoints: &[u8],
    keys: &[PublicKey],
    may_begin: impl Fn(u64, &Hash) -> bool,
) -> Result<Report, Broken> {
    let mut pending = read_checkpoints(checkpoints, keys)?.into_iter().peekable();
    let mut report = Report { first: 1, last: 0, checkpoints: 0, last_checkpoint: None, torn_end: false };
    let mut hash = GENESIS;
    let mut started = false;
    let mut segments = segments.into_iter().peekable();
    while let Some(reader) = segments.next() {
        let is_last = segments.peek().is_none();
        let next = report.last + 1;
        let broken = |sequence: u64, what: What| Broken { sequence, what };
        let mut segment = match Segment::open(reader) {
            Ok(segment) => segment,
            Err(FrameError::Torn(_)) if is_last => {
                report.torn_end = true;
                break;
            }
            Err(FrameError::Io(error)) => return Err(broken(next, What::Io(error.to_string()))),
            Err(_) => return Err(broken(next, What::Segment)),
        };
        if !started {
            started = true;
            let first = segment.first_sequence();
            if first == 0 || (first == 1 && *segment.before() != GENESIS) {
                return Err(broken(next, What::Segment));
            }
            if first > 1 && !may_begin(first, segment.before()) {
                // A header that its own first record contradicts was altered; nothing before it is missing by that.
                let is_own = matches!(segment.next_record(), Ok(Some(record)) if record.sequence == first);
                return Err(if is_own { broken(first, What::Beginning) } else { broken(next, What::Segment) });
            }
            report.first = first;
            report.last = first - 1;
            hash = *segment.before();
            check_start(&mut pending, &mut report, &hash)?;
        } else if segment.first_sequence() != next || *segment.before() != hash {
            return Err(broken(next, What::Segment));
        }
        loop {
            let expected = report.last + 1;
            let record = match segment.next_record() {
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(FrameError::Torn(rest)) if is_last => {
                    if hides_a_record(&rest, &hash) {
                        return Err(broken(expected, What::Altered));
                    }
                    report.torn_end = true;
                    break;
                }
                Err(FrameError::Io(error)) => return Err(broken(expected, What::Io(error.to_string()))),
                Err(_) => return Err(broken(expected, What::Unreadable)),
            };
            if record.sequence != expected {
                return Err(broken(expected, What::Sequence(record.sequence)));
            }
            if !record.follows(&hash) {
                return Err(broken(expected, What::Altered));
            }
            if Entry::decode(&record.entry).is_err() {
                return Err(broken(expected, What::Entry));
            }
            hash = record.hash;
            report.last = expected;
            while let Some(checkpoint) = pending.next_if(|checkpoint| checkpoint.sequence == expected) {
                vouch(&mut report, &checkpoint, &hash)?;
            }
        }
    }
    match pending.next() {
        Some(checkpoint) => {
            Err(Broken { sequence: report.last + 1, what: What::Truncated { checkpoint: checkpoint.sequence } })
        }
        None => Ok(report),
    }
}

/// Checkpoints before the first segment speak of archived entries; the one right before it must
/// name the hash that the header continues.
fn check_start(
    pending: &mut std::iter::Peekable<std::vec::IntoIter<Checkpoint>>,
    report: &mut Report,
    before: &Hash,
) -> Result<(), Broken> {
    while let Some(checkpoint) = pending.next_if(|checkpoint| checkpoint.sequence < report.first) {
        if checkpoint.sequence + 1 == report.first {
            vouch(report, &checkpoint, before)?;
        }
    }
    Ok(())
}

fn vouch(report: &mut Report, checkpoint: &Checkpoint, hash: &Hash) -> Result<(), Broken> {
    if checkpoint.hash != *hash {
        let after = report.last_checkpoint.map_or(report.first - 1, |(sequence, _)| sequence);
        return Err(Broken { sequence: checkpoint.sequence, what: What::Rewritten { after } });
    }
    report.checkpoints += 1;
    report.last_checkpoint = Some((checkpoint.sequence, checkpoint.time));
    Ok(())
}

/// A torn last checkpoint (a crash while it was appended) is passed over; its entries are then
/// covered by the next one.
fn read_checkpoints(bytes: &[u8], keys: &[PublicKey]) -> Result<Vec<Checkpoint>, Broken> {
    let mut list: Vec<Checkpoint> = Vec::with_capacity(bytes.len() / CHECKPOINT_BYTES);
    for chunk in bytes.chunks_exact(CHECKPOINT_BYTES) {
        let before = list.last().map_or(0, |checkpoint| checkpoint.sequence);
        match Checkpoint::decode(chunk) {
            Some(checkpoint) if checkpoint.sequence >= before && checkpoint.is_signed_by(keys) => list.push(checkpoint),
            Some(checkpoint) => return Err(Broken { sequence: checkpoint.sequence, what: What::Checkpoint }),
            None => return Err(Broken { sequence: before + 1, what: What::Checkpoint }),
        }
    }
    Ok(list)
}
