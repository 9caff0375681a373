//! The log out of this server: finished segments in a directory of write-once files, and the end of segments that were
//! kept for long enough. SPEC: rows F23, F26.
//!
//! The directory has, each file read-only and on stable storage before it has its name:
//!
//! | file | what |
//! |---|---|
//! | `NNNNNNNN.log` | a finished segment, as it is here |
//! | `checkpoints.NNNNNNNN` | all checkpoints that speak of records up to the end of that segment |
//! | `keys.NNNNNNNN.pem` | every public key that ever signed |
//!
//! So nothing there is ever written twice, and `handrail audit verify` takes the directory as it takes a log: of
//! checkpoints and keys it reads those with the highest number. Left out: pushing the files elsewhere; whatever copies
//! or locks files does that.

use super::{AuditFiles, CHECKPOINTS, CUT, KEYS, Sealed, patients, segment_paths};
use crate::engine::files;
use audit::{
    Entry,
    checkpoint::{CHECKPOINT_BYTES, Checkpoint, PublicKey},
    frame::{HEADER_BYTES, Hash, Segment},
};
use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The newest of numbered files: `checkpoints.00000003`.
fn newest(directory: &Path, start: &str, end: &str) -> io::Result<Option<PathBuf>> {
    let mut found = None;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
        let number = number.filter(|number| number.len() == 8).and_then(|number| number.parse::<u32>().ok());
        if let Some(number) = number {
            found = found.max(Some((number, path)));
        }
    }
    Ok(found.map(|(_, path)| path))
}

/// The checkpoints of an exported log.
pub(super) fn checkpoints(directory: &Path) -> io::Result<Vec<u8>> {
    newest(directory, "checkpoints.", "")?.map_or_else(|| Ok(Vec::new()), fs::read)
}

/// The keys of an exported log.
pub(super) fn keys(directory: &Path) -> io::Result<Vec<PublicKey>> {
    let text = newest(directory, "keys.", ".pem")?.map_or_else(|| Ok(String::new()), fs::read_to_string)?;
    Ok(PublicKey::from_pem(&text))
}

/// What says that the log begins later than with record 1, when something does.
pub(crate) fn cut(directory: &Path) -> io::Result<Option<Checkpoint>> {
    match fs::read(directory.join(CUT)) {
        Ok(bytes) => Ok(Checkpoint::decode(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The segment that has this record, or would have it.
pub(crate) fn segment_of(directory: &Path, sequence: u64) -> io::Result<Option<PathBuf>> {
    let mut found = None;
    for (_, path) in segment_paths(directory)? {
        let mut header = [0; HEADER_BYTES];
        File::open(&path)?.read_exact(&mut header)?;
        match Segment::open(&header[..]) {
            Ok(segment) if segment.first_sequence() > sequence => break,
            _ => found = Some(path),
        }
    }
    Ok(found)
}

/// The first segment whose header does not go on from what stands before it, or that its first record contradicts.
pub(crate) fn unfollowing(directory: &Path) -> io::Result<Option<PathBuf>> {
    let mut expected: Option<(u64, Hash)> = None;
    for (_, path) in segment_paths(directory)? {
        let Ok(mut segment) = Segment::open(BufReader::new(File::open(&path)?)) else { return Ok(Some(path)) };
        let mut at = (segment.first_sequence(), *segment.before());
        if expected.is_some_and(|expected| expected != at) {
            return Ok(Some(path));
        }
        while let Ok(Some(record)) = segment.next_record() {
            if record.sequence != at.0 || !record.follows(&at.1) {
                return Ok(Some(path));
            }
            at = (record.sequence.saturating_add(1), record.hash);
        }
        expected = Some(at);
    }
    Ok(None)
}

/// Writes a file once: read-only, whole and on stable storage before it has its name.
fn write_once(path: &Path, content: &mut dyn Read) -> io::Result<()> {
    let begun = path.with_extension("begun");
    match fs::remove_file(&begun) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = files::private(&begun)?;
    io::copy(content, &mut file)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o444))?;
    file.sync_all()?;
    drop(file);
    fs::rename(&begun, path)?;
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

/// Length and last hash of a segment.
fn mark(path: &Path) -> io::Result<(u64, Hash)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::End(-32))?;
    let mut hash = [0; 32];
    file.read_exact(&mut hash)?;
    Ok((length, hash))
}

/// Whether this segment stands there as it is here.
fn is_there(segment: &Path, directory: &Path) -> io::Result<bool> {
    let there = segment.file_name().map(|name| directory.join(name)).unwrap_or_default();
    match mark(&there) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        there_is if there_is.as_ref().ok() == Some(&mark(segment)?) => Ok(true),
        Ok(_) => Err(io::Error::other(format!("{} is another log\'s", there.display()))),
        Err(error) => Err(error),
    }
}

impl AuditFiles {
    fn sealed_now(&self) -> (PathBuf, Vec<Arc<Sealed>>) {
        let files = self.files();
        (files.directory.clone(), files.sealed.clone())
    }

    /// Begins a new segment, so that what was recorded up to now can leave. Nothing when there is nothing.
    pub(crate) fn seal(&self) -> io::Result<()> {
        let mut files = self.files();
        if files.active.broken || files.active.last < files.active.first {
            return Ok(());
        }
        Self::rotate(&mut files)
    }

    /// When the first record of the segment that is written was recorded, in milliseconds; `None`: it has none.
    pub(crate) fn began_ms(&self) -> Option<i64> {
        let first = self.files().active.first;
        let record = self.record(first).ok().flatten()?;
        Entry::decode(&record.entry).ok().map(|entry| entry.recorded.unix_millis())
    }

    /// Copies what is finished and not there yet; the last record that is there now.
    pub(crate) fn export(&self, to: &Path) -> io::Result<u64> {
        let (directory, sealed) = self.sealed_now();
        fs::create_dir_all(to)?;
        let mut reached = 0;
        let mut number = None;
        for segment in &sealed {
            let Some(name) = segment.path.file_name() else { continue };
            if !is_there(&segment.path, to)? {
                write_once(&to.join(name), &mut File::open(&segment.path)?)?;
            }
            reached = segment.last;
            number = segment.path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
        }
        let Some(number) = number else { return Ok(reached) };
        let bytes = match fs::read(directory.join(CHECKPOINTS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            bytes => bytes?,
        };
        let speaks = |chunk: &&[u8]| Checkpoint::decode(chunk).is_some_and(|one| one.sequence <= reached);
        let bytes: Vec<u8> = bytes.chunks_exact(CHECKPOINT_BYTES).take_while(speaks).flatten().copied().collect();
        let keys = match fs::read(directory.join(KEYS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            keys => keys?,
        };
        for (name, content) in [(format!("checkpoints.{number}"), bytes), (format!("keys.{number}.pem"), keys)] {
            let path = to.join(name);
            if !path.exists() {
                write_once(&path, &mut content.as_slice())?;
            }
        }
        Ok(reached)
    }

    /// The oldest finished segment when all of it was recorded before this moment and, where the log is exported, stands
    /// there: its last record and the hash of that.
    pub(crate) fn due(&self, before_ms: i64, exported: Option<&Path>) -> io::Result<Option<(u64, Hash)>> {
        let (_, sealed) = self.sealed_now();
        let Some(oldest) = sealed.first() else { return Ok(None) };
        let record = self.record(oldest.last).map_err(|fault| io::Error::other(fault.0))?;
        let Some(record) = record else { return Ok(None) };
        let entry = Entry::decode(&record.entry).map_err(io::Error::other)?;
        if entry.recorded.unix_millis() >= before_ms {
            return Ok(None);
        }
        if let Some(exported) = exported
            && !is_there(&oldest.path, exported)?
        {
            return Ok(None);
        }
        Ok(Some((record.sequence, record.hash)))
    }

    /// Gives up the segment that [`AuditFiles::due`] named, once the signed cut says so on stable storage.
    pub(crate) fn give_up(&self, cut: &Checkpoint) -> io::Result<()> {
        let (directory, sealed) = self.sealed_now();
        let Some(oldest) = sealed.first().filter(|oldest| oldest.last == cut.sequence) else {
            return Err(io::Error::other("the cut is not of the oldest segment"));
        };
        let begun = directory.join("cut-begun");
        let mut file = files::private(&begun)?;
        file.write_all(&cut.encode())?;
        file.sync_all()?;
        fs::rename(&begun, directory.join(CUT))?;
        File::open(&directory)?.sync_all()?;
        // From here on the log begins later; a crash now leaves a segment that the next start removes.
        self.files().sealed.retain(|segment| segment.last != cut.sequence);
        remove(&oldest.path)?;
        File::open(&directory)?.sync_all()
    }
}

/// Removes a segment; first its list of patients, which nobody would find without it.
fn remove(segment: &Path) -> io::Result<()> {
    match fs::remove_file(patients::path_of(segment)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::remove_file(segment)
}

/// Removes segments that a cut had given up when the server stopped.
pub(super) fn finish(directory: &Path) -> io::Result<()> {
    let Some(cut) = cut(directory)?.filter(|cut| super::keys(directory).is_ok_and(|keys| cut.is_cut_signed_by(&keys)))
    else {
        return Ok(());
    };
    let paths = segment_paths(directory)?;
    let firsts = paths.iter().map(|(_, path)| {
        let mut header = [0; HEADER_BYTES];
        File::open(path)?.read_exact(&mut header)?;
        Ok(Segment::open(&header[..]).map(|segment| segment.first_sequence()).unwrap_or(0))
    });
    let firsts: Vec<u64> = firsts.collect::<io::Result<_>>().unwrap_or_default();
    for ((_, path), next) in paths.iter().zip(firsts.iter().skip(1)) {
        if *next <= cut.sequence + 1 && *next > 0 {
            tracing::info!("audit log: a segment that was given up is removed: {}", path.display());
            remove(path)?;
        }
    }
    Ok(())
}
