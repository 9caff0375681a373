//! What the engine and the audit log hold at one moment, as bytes, and an engine made of them: the
//! files' side of [`crate::backup`].

use super::{Batch, Engine, Fault, View, audit_files::AuditFiles, files, journal};
use crate::OpenError;
use fjall::Readable;
use std::{
    cell::RefCell,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// Bytes of pairs, or of a file, that are handed on at once.
const PART_BYTES: usize = 1024 * 1024;

/// Mode of files that hold health data: their owner's alone.
const OWNER_ONLY: u32 = 0o600;

/// One moment.
pub(crate) struct Moment {
    view: View,
    /// Files of the audit log, and how many bytes of each.
    audit: Vec<(PathBuf, u64)>,
}

fn fault(error: io::Error) -> Fault {
    Fault(error.to_string())
}

impl Moment {
    /// Now. Called where no commit is under way. `audit`: files that only grow, with their lengths,
    /// read before those of the segments.
    pub(crate) fn now(engine: &Engine, files: &AuditFiles, mut audit: Vec<(PathBuf, u64)>) -> io::Result<Self> {
        let view = engine.view();
        audit.extend(files.extent()?);
        Ok(Self { view, audit })
    }

    /// Hands on the pairs of all keyspaces, in parts with their counts.
    pub(crate) fn pairs<E: From<Fault>>(
        &self,
        mut each: impl FnMut(&str, Vec<u8>, u64) -> Result<(), E>,
    ) -> Result<(), E> {
        let database = &self.view.engine.database;
        for name in database.list_keyspace_names() {
            let space = database.keyspace(&name, Default::default).map_err(Fault::from)?;
            let (mut part, mut count) = (Vec::with_capacity(PART_BYTES), 0);
            for pair in self.view.snapshot.iter(&space) {
                let (key, value) = pair.into_inner().map_err(Fault::from)?;
                put(&mut part, &key);
                put(&mut part, &value);
                part.extend_from_slice(&key);
                part.extend_from_slice(&value);
                count += 1;
                if part.len() >= PART_BYTES {
                    each(&name, std::mem::take(&mut part), std::mem::take(&mut count))?;
                }
            }
            each(&name, part, count)?;
        }
        Ok(())
    }

    /// Hands on the files of the audit log, in parts.
    pub(crate) fn audit<E: From<Fault>>(&self, mut each: impl FnMut(&str, Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        for (path, bytes) in &self.audit {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let mut left = File::open(path).map_err(fault)?.take(*bytes);
            loop {
                let mut part = Vec::new();
                let read = left.by_ref().take(PART_BYTES as u64).read_to_end(&mut part).map_err(fault)?;
                if read == 0 {
                    break;
                }
                each(name, part)?;
            }
        }
        Ok(())
    }
}

fn put(part: &mut Vec<u8>, bytes: &[u8]) {
    part.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
}

/// The next pair, and what follows it.
fn next(pairs: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (key, rest) = pairs.split_first_chunk::<4>()?;
    let (value, rest) = rest.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_at_checked(u32::from_be_bytes(*key) as usize)?;
    let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*value) as usize)?;
    Some((key, value, rest))
}

/// How many pairs there are; `None` when they are malformed.
pub(crate) fn count(mut pairs: &[u8]) -> Option<u64> {
    let mut count = 0;
    while !pairs.is_empty() {
        (_, _, pairs) = next(pairs)?;
        count += 1;
    }
    Some(count)
}

/// A directory that a backup is written out to.
pub(crate) struct Restoring {
    directory: PathBuf,
    engine: Engine,
    /// The file of the audit log that is being written.
    audit: RefCell<Option<(String, File)>>,
}

impl Restoring {
    /// Begins; `None` when the directory holds something.
    pub(crate) fn begin(directory: &Path) -> Result<Option<Self>, Fault> {
        fs::create_dir_all(directory).map_err(fault)?;
        if fs::read_dir(directory).map_err(fault)?.next().is_some() {
            return Ok(None);
        }
        fs::create_dir(directory.join("audit")).map_err(fault)?;
        let engine = Engine::open(directory).map_err(|error: OpenError| Fault(error.to_string()))?;
        Ok(Some(Self { directory: directory.to_owned(), engine, audit: RefCell::new(None) }))
    }

    /// The next pairs of a keyspace.
    pub(crate) fn pairs(&self, space: &str, mut pairs: &[u8]) -> Result<(), Fault> {
        let malformed = || Fault("malformed pairs".into());
        let keyspace = match space.strip_prefix("table.") {
            Some(table) => self.engine.table(table)?.0,
            None => {
                let known = super::SPACES.iter().find(|(_, name, _)| *name == space);
                let (known, ..) = known.ok_or_else(|| Fault("a keyspace that this program does not know".into()))?;
                self.engine.space(*known)?.clone()
            }
        };
        let mut batch: Batch<'_> = self.engine.batch();
        while !pairs.is_empty() {
            let (key, value, rest) = next(pairs).ok_or_else(malformed)?;
            // WHY: the numbers of batches are the new engine's own.
            if !(space == "meta" && key == journal::BATCH) {
                batch.batch.insert(&keyspace, key, value);
            }
            pairs = rest;
        }
        batch.commit()?;
        self.engine.keep_up()
    }

    /// The next bytes of a file of the audit log.
    pub(crate) fn audit(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
        if name.is_empty() || name.starts_with('.') || !name.bytes().all(fits) {
            return Err(Fault("a file name that this program does not write".into()));
        }
        let mut open = self.audit.borrow_mut();
        let mut file = match open.take() {
            Some((of, file)) if of == name => file,
            before => {
                if let Some((_, before)) = before {
                    before.sync_all().map_err(fault)?;
                }
                let mut options = OpenOptions::new();
                options.append(true).create(true);
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, OWNER_ONLY);
                options.open(self.directory.join("audit").join(name)).map_err(fault)?
            }
        };
        file.write_all(bytes).map_err(fault)?;
        *open = Some((name.to_owned(), file));
        Ok(())
    }

    /// Everything has come.
    pub(crate) fn end(self) -> Result<(), Fault> {
        if let Some((_, last)) = self.audit.into_inner() {
            last.sync_all().map_err(fault)?;
        }
        File::open(self.directory.join("audit")).and_then(|names| names.sync_all()).map_err(fault)?;
        files::sync_names(&self.directory).map_err(fault)
    }
}
