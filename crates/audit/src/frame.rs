//! The log as bytes: segments of framed records, each chained to the one before.
//!
//! A segment is a header and then records; numbers are big-endian. Segments follow one another in
//! the order of their first sequence; the chain runs on from each to the next.
//!
//! | header | what |
//! |---|---|
//! | 8 | `HRAUDIT1` |
//! | 8 | sequence of the first record |
//! | 32 | hash of the record before it; zeros before record 1 |
//!
//! | record | what |
//! |---|---|
//! | 4 | length of the entry, at most [`ENTRY_BYTES_MAX`] |
//! | 8 | sequence, from 1, without gaps |
//! | length | the entry ([`crate::entry`]) |
//! | 32 | SHA-256(hash before ‖ sequence ‖ entry) |
//!
//! The header lets a segment be read (and its torn end be found) without the ones before it, and
//! lets old segments move to an archive (row F26). SPEC: row F23.

use crate::limits::ENTRY_BYTES_MAX;
use aws_lc_rs::digest::{Context, SHA256};
use std::io::{self, Read};

/// A SHA-256 hash of the chain.
pub type Hash = [u8; 32];

/// The hash before record 1.
pub const GENESIS: Hash = [0; 32];

/// Bytes of a segment's header.
pub const HEADER_BYTES: usize = 48;

/// Bytes of a record beside its entry.
pub const RECORD_BYTES: usize = 4 + 8 + 32;

const MAGIC: &[u8; 8] = b"HRAUDIT1";

/// The header of a segment whose first record has this sequence and follows this hash.
#[must_use]
pub fn header(first_sequence: u64, before: &Hash) -> [u8; HEADER_BYTES] {
    let mut out = [0; HEADER_BYTES];
    let parts = [&MAGIC[..], &first_sequence.to_be_bytes(), before].concat();
    out.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    out
}

/// The hash of a record.
#[must_use]
pub fn chain(before: &Hash, sequence: u64, entry: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(before);
    context.update(&sequence.to_be_bytes());
    context.update(entry);
    let mut hash = GENESIS;
    hash.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    hash
}

/// Appends a record and gives its hash.
pub(crate) fn put_record(out: &mut Vec<u8>, before: &Hash, sequence: u64, entry: &[u8]) -> Hash {
    let hash = chain(before, sequence, entry);
    // INVARIANT: an encoded entry is shorter than ENTRY_BYTES_MAX, which fits.
    out.extend_from_slice(&u32::try_from(entry.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(entry);
    out.extend_from_slice(&hash);
    hash
}

/// A record as it stands in a segment. Its hash was not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its sequence.
    pub sequence: u64,
    /// The entry's bytes.
    pub entry: Vec<u8>,
    /// Its hash as written.
    pub hash: Hash,
}

impl Record {
    /// Whether the written hash follows from the hash before.
    #[must_use]
    pub fn follows(&self, before: &Hash) -> bool {
        chain(before, self.sequence, &self.entry) == self.hash
    }
}

/// Why a segment cannot be read on.
#[derive(Debug)]
pub enum FrameError {
    /// The reader failed.
    Io(io::Error),
    /// The bytes end within the header or a record: a crash while it was appended, or a cut. Here
    /// is what stands of a record; nothing for a header.
    Torn(Vec<u8>),
    /// Not a header, or a length over the limit.
    Malformed,
}

/// Reads the records of one segment, in order.
#[derive(Debug)]
pub struct Segment<R> {
    reader: R,
    first_sequence: u64,
    before: Hash,
    good_bytes: u64,
}

impl<R: Read> Segment<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn open(mut reader: R) -> Result<Self, FrameError> {
        let mut header = [0; HEADER_BYTES];
        if fill(&mut reader, &mut header)? != HEADER_BYTES {
            return Err(FrameError::Torn(Vec::new()));
        }
        let mut parts = crate::bytes::Reader(&header);
        let (Some(magic), Some(first), Some(before)) = (parts.array::<8>(), parts.array::<8>(), parts.array::<32>())
        else {
            return Err(FrameError::Malformed);
        };
        if &magic != MAGIC {
            return Err(FrameError::Malformed);
        }
        let first_sequence = u64::from_be_bytes(first);
        Ok(Self { reader, first_sequence, before, good_bytes: HEADER_BYTES as u64 })
    }

    /// Sequence of the first record, as the header says.
    #[must_use]
    pub fn first_sequence(&self) -> u64 {
        self.first_sequence
    }

    /// Hash before the first record, as the header says.
    #[must_use]
    pub fn before(&self) -> &Hash {
        &self.before
    }

    /// Bytes from the start of the segment to the end of the last whole record read: what to keep
    /// of a torn segment.
    #[must_use]
    pub fn good_bytes(&self) -> u64 {
        self.good_bytes
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn next_record(&mut self) -> Result<Option<Record>, FrameError> {
        let mut start = [0; 12];
        match fill(&mut self.reader, &mut start)? {
            0 => return Ok(None),
            12 => {}
            count => return Err(FrameError::Torn(start.get(..count).unwrap_or_default().to_vec())),
        }
        let [a, b, c, d, sequence @ ..] = start;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > ENTRY_BYTES_MAX {
            return Err(FrameError::Malformed);
        }
        let mut entry = vec![0; length];
        let mut hash = GENESIS;
        let entry_read = fill(&mut self.reader, &mut entry)?;
        let hash_read = fill(&mut self.reader, &mut hash)?;
        if entry_read != length || hash_read != hash.len() {
            entry.truncate(entry_read);
            return Err(FrameError::Torn([&start[..], &entry, hash.get(..hash_read).unwrap_or_default()].concat()));
        }
        self.good_bytes += (RECORD_BYTES + length) as u64;
        Ok(Some(Record { sequence: u64::from_be_bytes(sequence), entry, hash }))
    }
}

/// Whether the rest that stands of a torn record hides a whole one: its length was altered, it was
/// not torn by a crash. Tries every shorter length against the chain.
pub(crate) fn hides_a_record(torn: &[u8], before: &Hash) -> bool {
    let Some((start, rest)) = torn.split_first_chunk::<12>() else { return false };
    let [_, _, _, _, sequence @ ..] = start;
    let mut context = Context::new(&SHA256);
    context.update(before);
    context.update(sequence);
    for (at, hash) in rest.windows(32).enumerate() {
        if context.clone().finish().as_ref() == hash {
            return true;
        }
        context.update(rest.get(at..=at).unwrap_or_default());
    }
    false
}

/// Reads until `buffer` is full or the reader ends; gives the number of bytes read.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, FrameError> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FrameError::Io(error)),
        }
    }
    Ok(done)
}
