//! Backups: one moment of a store that runs, as a stream of bytes; and a new directory made of it.
//!
//! A backup is what the engine holds, key by key, with the audit log up to the same moment and what
//! the caller adds (keys, certificates). The writer takes the moment between two groups of commits, so
//! no write is half in it, and the log has the entry of each write that is. Requests go on meanwhile.
//!
//! Every [`block`] is chained to the one before, and the last one counts them: a backup that was cut
//! or altered on its way is refused before anything is opened. Who can write the file can make
//! another one, though: keep backups where only operators may write. They hold everything in clear.
//!
//! Left out: increments, and reading a backup of an older format.

pub mod block;

use crate::{
    OpenError,
    engine::dump::{self, Moment},
};
use block::{Block, BlockError, Blocks, Writer};
use fhir::Instant;
use std::{
    fmt,
    io::{self, Read, Write},
    path::Path,
};

/// Written into every backup; another number is refused.
pub const FORMAT: u32 = 1;

/// What a backup holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Contents {
    /// Keys of the engine.
    pub pairs: u64,
    /// Bytes of the audit log.
    pub audit_bytes: u64,
    /// Other files.
    pub files: u64,
    /// When it was taken.
    pub taken: Option<Instant>,
}

/// Why a backup cannot be made, read or restored.
#[derive(Debug)]
pub enum BackupError {
    /// The store cannot be read.
    Store(String),
    /// The stream failed.
    Io(io::Error),
    /// It is no backup, is damaged, or breaks off.
    Block(BlockError),
    /// It was made by another version of this program.
    Format(u32),
    /// The directory is there already and not empty.
    Exists,
    /// A block says what no block of ours says.
    Content(&'static str),
    /// The restored store does not open.
    Open(OpenError),
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(why) => write!(f, "the store cannot be read: {why}"),
            Self::Io(why) => write!(f, "{why}"),
            Self::Block(why) => write!(f, "{why}"),
            Self::Format(found) => {
                write!(
                    f,
                    "the backup has format {found}, and this program reads {FORMAT}; use the program that made it"
                )
            }
            Self::Exists => f.write_str("the directory is not empty; a backup is restored into a new one"),
            Self::Content(what) => write!(f, "the backup holds what this program never writes: {what}"),
            Self::Open(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for BackupError {}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<BlockError> for BackupError {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::Io(error) => Self::Io(error),
            other => Self::Block(other),
        }
    }
}

impl From<crate::engine::Fault> for BackupError {
    fn from(fault: crate::engine::Fault) -> Self {
        Self::Store(fault.0)
    }
}

/// A file beside the store that goes along: its name, relative, and its bytes.
pub type Other = (String, Vec<u8>);

/// Writes the backup of a moment.
pub(crate) fn write(
    moment: &Moment,
    others: &[Other],
    taken: Instant,
    to: &mut dyn Write,
) -> Result<Contents, BackupError> {
    let mut contents = Contents { files: others.len() as u64, taken: Some(taken), ..Contents::default() };
    let mut blocks = Writer::begin(to)?;
    blocks.write(&Block::Head { format: FORMAT, taken_ms: taken.unix_millis() })?;
    for (name, bytes) in others {
        blocks.write(&Block::Other { name: name.clone(), bytes: bytes.clone() })?;
    }
    moment.pairs(|space, pairs, count| {
        contents.pairs += count;
        Ok::<_, BackupError>(blocks.write(&Block::Pairs { space: space.to_owned(), pairs })?)
    })?;
    moment.audit(|name, bytes| {
        contents.audit_bytes += bytes.len() as u64;
        Ok::<_, BackupError>(blocks.write(&Block::Audit { name: name.to_owned(), bytes })?)
    })?;
    blocks.end()?;
    Ok(contents)
}

/// Reads a whole backup and keeps nothing of it.
///
/// # Errors
/// [`BackupError`] when it is not whole.
pub fn check(from: &mut dyn Read) -> Result<Contents, BackupError> {
    let mut contents = Contents::default();
    read(from, &mut contents, &mut |_| Ok(()))?;
    Ok(contents)
}

/// Hands on every block after the head, and returns when the last has come.
fn read(
    from: &mut dyn Read,
    contents: &mut Contents,
    each: &mut dyn FnMut(Block) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let mut blocks = Blocks::begin(from)?;
    match blocks.next_block()? {
        Some(Block::Head { format: FORMAT, taken_ms }) => contents.taken = Some(Instant::from_unix_millis(taken_ms)),
        Some(Block::Head { format, .. }) => return Err(BackupError::Format(format)),
        _ => return Err(BackupError::Content("a beginning without a head")),
    }
    while let Some(block) = blocks.next_block()? {
        match &block {
            Block::Head { .. } => return Err(BackupError::Content("a second head")),
            Block::Pairs { pairs, .. } => contents.pairs += dump::count(pairs).ok_or(MALFORMED)?,
            Block::Audit { bytes, .. } => contents.audit_bytes += bytes.len() as u64,
            Block::Other { .. } => contents.files += 1,
        }
        each(block)?;
    }
    Ok(())
}

const MALFORMED: BackupError = BackupError::Content("malformed pairs");

/// Makes a data directory of a backup: first the stream is written out, then the store is opened once,
/// so that its chain of commits is verified. Tables named in `without` stay empty. The other files are
/// returned for the caller to put in place.
///
/// # Errors
/// [`BackupError`]. What was written then is no store yet and should be removed.
pub fn restore(
    from: &mut dyn Read,
    directory: &Path,
    without: &[&str],
    registry: &std::sync::Arc<search::Registry>,
) -> Result<(Contents, Vec<Other>), BackupError> {
    let mut contents = Contents::default();
    let mut others = Vec::new();
    let restoring = dump::Restoring::begin(directory)?.ok_or(BackupError::Exists)?;
    read(from, &mut contents, &mut |block| match block {
        Block::Head { .. } => Ok(()),
        Block::Other { name, bytes } => {
            others.push((name, bytes));
            Ok(())
        }
        Block::Audit { name, bytes } => Ok(restoring.audit(&name, &bytes)?),
        Block::Pairs { space, .. } if without.iter().any(|table| space == format!("table.{table}")) => Ok(()),
        Block::Pairs { space, pairs } => Ok(restoring.pairs(&space, &pairs)?),
    })?;
    restoring.end()?;
    let options = crate::Options { base_url: String::new(), strict_audit: false };
    let store = crate::Store::open_as_it_was(directory, std::sync::Arc::clone(registry), options);
    store.map_err(BackupError::Open)?.close();
    Ok((contents, others))
}

#[cfg(test)]
mod tests;
