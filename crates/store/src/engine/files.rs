//! The engine's files, held against themselves before the engine opens them: what the engine does
//! not check, or answers by deleting. `docs/store.md`, "What is checked at start".
//!
//! The engine deletes a keyspace that lacks its `current` file, and does not compare the list of
//! tables with the checksum that it wrote beside it. Here both are refused, and a table whose frame
//! is damaged (`super::archive`). Left out: the contents of tables; each block has a checksum that
//! the engine verifies whenever it reads the block.

use super::{
    archive,
    journal::{self, Reached, Tail},
};
use crate::OpenError;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use xxhash_rust::xxh3::xxh3_128;

/// File of the data directory with what was cut off a journal at the last start, until the store has
/// verified that nothing acknowledged was in it.
pub(crate) const CUT: &str = "cut.jnl";

const LOCK: &str = "lock";
/// A process that is just ending is waited for.
const LOCK_TRIES: u32 = 4;
const LOCK_PAUSE: Duration = Duration::from_millis(100);
const KEYSPACES: &str = "keyspaces";
pub(super) const CURRENT: &str = "current";
const VERSION: &str = "version";
/// What is in that file: the engine's form 3.
const MARKER: &[u8] = b"FJL\x03";

/// A file of the engine that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Below the data directory.
    pub(crate) file: String,
    pub(crate) what: String,
}

/// What a look at the files found.
#[derive(Debug, Default)]
pub(crate) struct Look {
    pub(crate) damage: Vec<Damage>,
    /// The engine was never finished making its first files: nothing was ever stored.
    pub(crate) unmade: bool,
    /// The journal that ends in an unfinished batch, and how many bytes of it are whole.
    pub(crate) unfinished: Option<(PathBuf, u64)>,
    /// Our number of the last batch in the journals.
    pub(crate) last_batch: Option<u64>,
    /// Batches in the journals.
    pub(crate) batches: u64,
}

fn name(path: &Path) -> String {
    let parts: Vec<_> = path.components().rev().take(5).map(|part| part.as_os_str().to_string_lossy()).collect();
    let from = parts.iter().position(|part| part == "engine").unwrap_or(parts.len().saturating_sub(1));
    parts.iter().take(from + 1).rev().map(AsRef::as_ref).collect::<Vec<_>>().join("/")
}

/// Takes the data directory for this process, until the file is dropped.
pub(crate) fn lock(data: &Path) -> Result<File, OpenError> {
    let fault = |error: io::Error| OpenError::Engine(error.to_string());
    let file = OpenOptions::new().read(true).append(true).create(true).open(data.join(LOCK)).map_err(fault)?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(fs::TryLockError::Error(error)) => return Err(fault(error)),
        }
    }
    Err(OpenError::Locked)
}

/// Has the names below the data directory, and its own name, on stable storage.
pub(crate) fn sync_names(data: &Path) -> io::Result<()> {
    File::open(data)?.sync_all()?;
    match data.canonicalize()?.parent() {
        // A parent that we may not read was not made by us.
        Some(parent) => File::open(parent).map_or(Ok(()), |parent| parent.sync_all()),
        None => Ok(()),
    }
}

/// Has the names of the keyspaces on stable storage.
pub(crate) fn sync_keyspaces(directory: &Path) -> io::Result<()> {
    File::open(directory.join(KEYSPACES))?.sync_all()
}

/// Removes what [`cut`] kept.
pub(crate) fn forget_cut(data: &Path) -> io::Result<()> {
    match fs::remove_file(data.join(CUT)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Entries of a directory; none when it is not there.
fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let read = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut paths = read.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn stem_number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_suffix(".jnl")?.parse().ok()
}

/// Looks at the engine's files below `directory`; changes nothing.
pub(crate) fn look(directory: &Path) -> io::Result<Look> {
    let mut look = Look::default();
    let top = entries(directory)?;
    let spaces = entries(&directory.join(KEYSPACES))?;
    let marker = match fs::read(directory.join(VERSION)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        other => other?,
    };
    let mut journals: Vec<_> = top.iter().filter_map(|path| Some((stem_number(path)?, path))).collect();
    journals.sort();
    let mut reached = Reached::default();
    let last = journals.len().saturating_sub(1);
    for (at, (_, path)) in journals.iter().enumerate() {
        let read = journal::read(path, &mut reached)?;
        look.batches += read.batches;
        let mut damaged = |what: String| look.damage.push(Damage { file: name(path), what });
        match read.tail {
            Tail::Clean => {}
            Tail::Unfinished(good) if at == last => look.unfinished = Some(((*path).clone(), good)),
            Tail::Unfinished(at) => damaged(format!("at byte {at} a batch cannot be read, and other journals follow")),
            Tail::Damaged(at, what) => damaged(format!("at byte {at} {what}")),
        }
    }
    look.last_batch = reached.number;
    let made = spaces.iter().any(|space| space.join(CURRENT).exists());
    if marker != MARKER {
        if !made && look.batches == 0 && look.damage.is_empty() {
            look.unmade = !top.is_empty();
        } else {
            let what = "it is not what the engine writes there, and there is data beside it".to_owned();
            look.damage.push(Damage { file: "engine/version".into(), what });
        }
        return Ok(look);
    }
    // WHY: the engine gives a keyspace whose directory was lost, and its name not, the name of another.
    // Every keyspace is made before the first batch, so without one there is nothing to lose.
    let mut tables = spaces.iter().filter(|space| space.file_name().is_some_and(|name| name != "0"));
    if look.batches == 0
        && look.damage.is_empty()
        && tables.try_fold(true, |empty, space| io::Result::Ok(empty && entries(&space.join("tables"))?.is_empty()))?
    {
        look.unmade = true;
        look.unfinished = None;
        return Ok(look);
    }
    for space in &spaces {
        keyspace(space, &reached, &mut look)?;
    }
    for id in &reached.keyspaces {
        if !spaces.iter().any(|space| space.file_name().and_then(|name| name.to_str()) == Some(id.to_string().as_str()))
        {
            let what = "it is missing, and the journal writes to it".to_owned();
            look.damage.push(Damage { file: format!("engine/{KEYSPACES}/{id}"), what });
        }
    }
    Ok(look)
}

/// Holds the list of tables of a keyspace against its checksum.
fn keyspace(directory: &Path, reached: &Reached, look: &mut Look) -> io::Result<()> {
    let mut damaged = |path: &Path, what: &str| look.damage.push(Damage { file: name(path), what: what.into() });
    let Some(id) = directory.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<u64>().ok())
    else {
        damaged(directory, "this is no directory of the engine");
        return Ok(());
    };
    let current = directory.join(CURRENT);
    let bytes = match fs::read(&current) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A crash while the keyspace was made leaves this, and nothing in it.
            if reached.keyspaces.contains(&id) || !entries(&directory.join("tables"))?.is_empty() {
                damaged(&current, "it is missing, and the keyspace has data");
            }
            return Ok(());
        }
        other => other?,
    };
    let parse = || {
        let (version, rest) = bytes.split_first_chunk::<8>()?;
        let (sum, rest) = rest.split_first_chunk::<16>()?;
        (rest == [0]).then_some((u64::from_le_bytes(*version), u128::from_le_bytes(*sum)))
    };
    let Some((version, sum)) = parse() else {
        damaged(&current, "it is damaged");
        return Ok(());
    };
    let list = directory.join(format!("v{version}"));
    match fs::read(&list) {
        Ok(bytes) if xxh3_128(&bytes) == sum => frames(directory, look)?,
        Ok(_) => damaged(&list, "the list of tables does not agree with its checksum"),
        // WHY: the engine takes away a keyspace that a crash left without a name, file by file, and may be cut short
        // in that. One that has a name is refused by the engine itself, for want of its list.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if reached.keyspaces.contains(&id) || !entries(&directory.join("tables"))?.is_empty() {
                damaged(&current, "it names a list of tables that is not there");
            }
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Holds the frame of each table that the list names against its checksum.
fn frames(directory: &Path, look: &mut Look) -> io::Result<()> {
    for (table, _) in archive::listed(directory)?.unwrap_or_default() {
        let path = directory.join("tables").join(table.to_string());
        let what = match archive::fault(&path) {
            Ok(None) => continue,
            Ok(Some(what)) => what,
            Err(error) if error.kind() == io::ErrorKind::NotFound => "it is missing, and the list of tables names it",
            Err(error) => return Err(error),
        };
        look.damage.push(Damage { file: name(&path), what: what.into() });
    }
    Ok(())
}

/// Removes what an interrupted first start left: an engine without data that would refuse to be made.
pub(crate) fn remove_unmade(directory: &Path) -> io::Result<()> {
    for path in entries(directory)? {
        if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
    }
    File::open(directory)?.sync_all()
}

/// Cuts the unfinished batch off a journal; what is cut is kept in `aside` until the store has
/// verified that nothing acknowledged was in it.
pub(crate) fn cut(journal: &Path, good: u64, aside: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(journal)?;
    file.seek(SeekFrom::Start(good))?;
    let mut tail = Vec::new();
    // A batch is no longer than that; zeros to the end of the journal are not worth keeping.
    (&mut file).take(64 * 1024 * 1024).read_to_end(&mut tail)?;
    let used = tail.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let mut kept = private(aside)?;
    kept.write_all(tail.get(..used).unwrap_or_default())?;
    kept.sync_all()?;
    file.set_len(good)?;
    file.sync_all()
}

/// A new file for its owner alone.
pub(super) fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
