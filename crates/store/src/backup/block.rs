//! The bytes of a backup: `HRBACKUP`, then blocks, each `kind(1) length(4) body hash(32)`, numbers big-endian.
//!
//! The hash is SHA-256 over the hash before, kind, length and body, so that blocks cannot be altered,
//! left out or moved unnoticed; the last block tells how many there were. Pairs are compressed (LZ4
//! with their length in front).

use aws_lc_rs::digest::{Context, SHA256};
use std::{
    fmt,
    io::{self, Read, Write},
};

const MAGIC: &[u8; 8] = b"HRBACKUP";

/// Bytes of a body at most: one resource of the largest size and its key, and some more.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

const HEAD: u8 = 1;
const PAIRS: u8 = 2;
const AUDIT: u8 = 3;
const OTHER: u8 = 4;
const END: u8 = 255;

/// What a block says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// The first.
    Head {
        /// [`super::FORMAT`].
        format: u32,
        /// When the backup was taken, in milliseconds of Unix time.
        taken_ms: i64,
    },
    /// Pairs of a keyspace: `key length(4) value length(4) key value`, one after the other.
    Pairs {
        /// Its name.
        space: String,
        /// The pairs.
        pairs: Vec<u8>,
    },
    /// The next bytes of a file of the audit log.
    Audit {
        /// Its name.
        name: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Another file, whole.
    Other {
        /// Its path below the data directory.
        name: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// Why blocks cannot be read.
#[derive(Debug)]
pub enum BlockError {
    /// The stream failed.
    Io(io::Error),
    /// It does not begin as a backup does.
    NoBackup,
    /// It ends before its end, after this many blocks.
    Short(u64),
    /// This block is not what was written.
    Damaged(u64),
}

impl fmt::Display for BlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(why) => write!(f, "{why}"),
            Self::NoBackup => f.write_str("this is no backup of handrail"),
            Self::Short(after) => write!(f, "the backup breaks off after block {after}; it was never finished, or cut"),
            Self::Damaged(block) => write!(f, "block {block} of the backup is not what was written; use another copy"),
        }
    }
}

impl From<io::Error> for BlockError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Writes blocks.
pub(crate) struct Writer<'a> {
    to: &'a mut dyn Write,
    hash: [u8; 32],
    count: u64,
}

fn chained(before: &[u8; 32], kind: u8, body: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(before);
    context.update(&[kind]);
    context.update(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    context.update(body);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// A name of at most 65,535 bytes, and what follows it.
fn named(name: &str, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(name.len()).unwrap_or(0);
    [&length.to_be_bytes()[..], name.as_bytes().get(..usize::from(length)).unwrap_or_default(), rest].concat()
}

fn unnamed(body: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = body.split_first_chunk::<2>()?;
    let (name, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((String::from_utf8(name.to_vec()).ok()?, rest))
}

impl<'a> Writer<'a> {
    pub(crate) fn begin(to: &'a mut dyn Write) -> io::Result<Self> {
        to.write_all(MAGIC)?;
        Ok(Self { to, hash: [0; 32], count: 0 })
    }

    fn put(&mut self, kind: u8, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.hash = chained(&self.hash, kind, body);
        self.to.write_all(&[kind])?;
        self.to.write_all(&length.to_be_bytes())?;
        self.to.write_all(body)?;
        self.to.write_all(&self.hash)?;
        self.count += 1;
        Ok(())
    }

    pub(crate) fn write(&mut self, block: &Block) -> io::Result<()> {
        match block {
            Block::Head { format, taken_ms } => {
                self.put(HEAD, &[&format.to_be_bytes()[..], &taken_ms.to_be_bytes()].concat())
            }
            Block::Pairs { space, pairs } => self.put(PAIRS, &named(space, &lz4_flex::compress_prepend_size(pairs))),
            Block::Audit { name, bytes } => self.put(AUDIT, &named(name, bytes)),
            Block::Other { name, bytes } => self.put(OTHER, &named(name, bytes)),
        }
    }

    pub(crate) fn end(mut self) -> io::Result<()> {
        let count = self.count;
        self.put(END, &count.to_be_bytes())?;
        self.to.flush()
    }
}

/// Reads blocks.
pub(crate) struct Blocks<'a> {
    from: &'a mut dyn Read,
    hash: [u8; 32],
    count: u64,
}

impl<'a> Blocks<'a> {
    pub(crate) fn begin(from: &'a mut dyn Read) -> Result<Self, BlockError> {
        let mut magic = [0; 8];
        match from.read_exact(&mut magic) {
            Ok(()) if magic == *MAGIC => Ok(Self { from, hash: [0; 32], count: 0 }),
            Ok(()) => Err(BlockError::NoBackup),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(BlockError::NoBackup),
            Err(error) => Err(error.into()),
        }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BlockError> {
        self.from.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => BlockError::Short(self.count),
            _ => error.into(),
        })
    }

    /// The next block; `None` after the last.
    pub(crate) fn next_block(&mut self) -> Result<Option<Block>, BlockError> {
        let damaged = BlockError::Damaged(self.count + 1);
        let (mut kind, mut length, mut hash) = ([0; 1], [0; 4], [0; 32]);
        self.fill(&mut kind)?;
        self.fill(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if length > BODY_BYTES_MAX {
            return Err(damaged);
        }
        let mut body = vec![0; length];
        self.fill(&mut body)?;
        self.fill(&mut hash)?;
        let [kind] = kind;
        self.hash = chained(&self.hash, kind, &body);
        if hash != self.hash {
            return Err(damaged);
        }
        if kind == END {
            let counted = body.first_chunk::<8>().map(|count| u64::from_be_bytes(*count));
            let mut more = [0];
            let ended = self.from.read(&mut more)? == 0;
            return if counted == Some(self.count) && ended { Ok(None) } else { Err(damaged) };
        }
        self.count += 1;
        decoded(kind, &body).ok_or(damaged).map(Some)
    }
}

fn decoded(kind: u8, body: &[u8]) -> Option<Block> {
    if kind == HEAD {
        let (format, rest) = body.split_first_chunk::<4>()?;
        let taken_ms = i64::from_be_bytes(*rest.first_chunk::<8>()?);
        return Some(Block::Head { format: u32::from_be_bytes(*format), taken_ms });
    }
    let (name, rest) = unnamed(body)?;
    match kind {
        PAIRS => {
            let claimed = u32::from_le_bytes(*rest.first_chunk::<4>()?) as usize;
            let pairs = (claimed <= BODY_BYTES_MAX).then(|| lz4_flex::decompress_size_prepended(rest).ok())??;
            Some(Block::Pairs { space: name, pairs })
        }
        AUDIT => Some(Block::Audit { name, bytes: rest.to_vec() }),
        OTHER => Some(Block::Other { name, bytes: rest.to_vec() }),
        _ => None,
    }
}
