//! Segments of the audit log: `DIR/audit/NNNNNNNN.log`, append-only, in the form of [`audit::frame`].
//!
//! The log orders and chains; this file keeps bytes: it appends, begins a new segment when the last
//! one is full, finds the torn end after a crash, and reads records back by sequence. Offsets of
//! every [`limits::AUDIT_OFFSET_EVERY`]th record are kept in memory; those of older segments are
//! found when first asked for. Which blocks are about a patient: [`patients`].

use super::Fault;
use crate::{OpenError, limits};
use audit::{
    checkpoint::PublicKey,
    frame::{self, FrameError, GENESIS, HEADER_BYTES, Hash, Record, Segment},
    log::Appender,
};
use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

mod export;
pub(crate) mod patients;

pub(crate) use export::{cut, segment_of, unfollowing};

const CHECKPOINTS: &str = "checkpoints";
const KEYS: &str = "keys.pem";
const CUT: &str = "cut";

/// Where a record begins, and the hash of the one before it, from which it follows.
#[derive(Debug, Clone, Copy)]
struct Known {
    offset: u64,
    before: Hash,
}

/// A segment that takes no more records.
#[derive(Debug)]
struct Sealed {
    path: PathBuf,
    first: u64,
    /// Sequence of its last record.
    last: u64,
    offsets: OnceLock<Vec<Known>>,
    /// Locked while it is made, so that it is made once.
    patients: Mutex<Option<Arc<patients::Listed>>>,
}

/// The segment that is written.
#[derive(Debug)]
struct Active {
    path: PathBuf,
    file: Arc<File>,
    number: u32,
    first: u64,
    /// Sequence of the last record in the files.
    last: u64,
    hash: Hash,
    bytes: u64,
    offsets: Vec<Known>,
    /// A write failed half way and could not be undone.
    broken: bool,
}

#[derive(Debug)]
struct Files {
    directory: PathBuf,
    sealed: Vec<Arc<Sealed>>,
    active: Active,
}

/// The segments of one log. Shared by the log (as its appender), readers and the thread that syncs.
#[derive(Debug, Clone)]
pub(crate) struct AuditFiles(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    files: Mutex<Files>,
    /// Locked before `files`, never after.
    recent: Mutex<patients::Recent>,
    dirty: Mutex<Dirty>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Dirty {
    dirty: bool,
    stop: bool,
}

fn engine(error: io::Error) -> OpenError {
    OpenError::Engine(format!("audit log: {error}"))
}

/// Paths of the segments of a log, in order.
fn segment_paths(directory: &Path) -> io::Result<Vec<(u32, PathBuf)>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".log"));
        if let Some(number) = number.filter(|name| name.len() == 8).and_then(|name| name.parse().ok()) {
            paths.push((number, path));
        }
    }
    paths.sort();
    Ok(paths)
}

/// The segments of a log, in order, to be read from their beginnings.
pub(crate) fn segments(directory: &Path) -> io::Result<Vec<BufReader<File>>> {
    segment_paths(directory)?.iter().map(|(_, path)| File::open(path).map(BufReader::new)).collect()
}

/// Every public key that ever signed checkpoints of this log.
pub(crate) fn keys(directory: &Path) -> io::Result<Vec<PublicKey>> {
    match fs::read_to_string(directory.join(KEYS)) {
        Ok(text) => Ok(PublicKey::from_pem(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => export::keys(directory),
        Err(error) => Err(error),
    }
}

/// Adds a public key when it is not among them.
pub(crate) fn keep_key(directory: &Path, key: &PublicKey) -> io::Result<()> {
    if keys(directory)?.contains(key) {
        return Ok(());
    }
    let mut file = OpenOptions::new().append(true).create(true).open(directory.join(KEYS))?;
    file.write_all(key.to_pem().as_bytes())?;
    file.sync_all()?;
    File::open(directory)?.sync_all()
}

/// Bytes of the file of checkpoints; empty when there is none.
pub(crate) fn checkpoint_bytes(directory: &Path) -> io::Result<Vec<u8>> {
    match fs::read(directory.join(CHECKPOINTS)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => export::checkpoints(directory),
        other => other,
    }
}

/// The files beside the segments, with their lengths.
pub(crate) fn beside(directory: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    for name in [CHECKPOINTS, KEYS, CUT] {
        let path = directory.join(name);
        match fs::metadata(&path) {
            Ok(metadata) => found.push((path, metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// The file of checkpoints, to append to.
pub(crate) fn checkpoint_sink(directory: &Path) -> io::Result<Box<dyn Appender>> {
    let file = OpenOptions::new().append(true).create(true).open(directory.join(CHECKPOINTS))?;
    File::open(directory)?.sync_all()?;
    Ok(Box::new(Plain(file)))
}

struct Plain(File);

impl Appender for Plain {
    fn append(&self, record: &[u8]) -> io::Result<()> {
        (&self.0).write_all(record)
    }
    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

/// What a walk over a segment found.
struct Walked {
    first: u64,
    last: u64,
    hash: Hash,
    good_bytes: u64,
    offsets: Vec<Known>,
    /// What follows the last good record, when that is not the end.
    torn: Option<Torn>,
}

/// Why the bytes after the last good record are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Torn {
    /// They end within a record.
    Short,
    /// They are as long as one, and not what follows.
    Other(&'static str),
}

/// Reads a whole segment; each hash must follow from the one before.
fn walk(file: &File) -> Result<Option<Walked>, OpenError> {
    let mut segment = match Segment::open(BufReader::with_capacity(256 * 1024, file)) {
        Ok(segment) => segment,
        Err(FrameError::Torn(_) | FrameError::Malformed) => return Ok(None),
        Err(FrameError::Io(error)) => return Err(engine(error)),
    };
    let first = segment.first_sequence();
    let mut walked = Walked {
        first,
        last: first.saturating_sub(1),
        hash: *segment.before(),
        good_bytes: HEADER_BYTES as u64,
        offsets: Vec::new(),
        torn: None,
    };
    loop {
        let next = walked.last.saturating_add(1);
        match segment.next_record() {
            Ok(None) => return Ok(Some(walked)),
            Ok(Some(record)) => {
                if record.sequence != next || !record.follows(&walked.hash) {
                    walked.torn = Some(Torn::Other("it does not follow from the one before"));
                    return Ok(Some(walked));
                }
                if (next - first).is_multiple_of(limits::AUDIT_OFFSET_EVERY) {
                    walked.offsets.push(Known { offset: walked.good_bytes, before: walked.hash });
                }
                (walked.last, walked.hash) = (next, record.hash);
                walked.good_bytes = segment.good_bytes();
            }
            Err(FrameError::Torn(_)) => {
                walked.torn = Some(Torn::Short);
                return Ok(Some(walked));
            }
            Err(FrameError::Malformed) => {
                walked.torn = Some(Torn::Other("it is damaged"));
                return Ok(Some(walked));
            }
            Err(FrameError::Io(error)) => return Err(engine(error)),
        }
    }
}

/// Removes a segment without a record, or renames it when it holds more than a header.
fn set_aside(segment: &Path) -> io::Result<()> {
    if fs::metadata(segment)?.len() <= HEADER_BYTES as u64 {
        return fs::remove_file(segment);
    }
    fs::rename(segment, segment.with_extension("cut"))
}

/// Keeps the bytes of a segment from an offset on in a file of their own.
fn keep_end(segment: &Path, from: u64, kept: &Path) -> io::Result<()> {
    let mut file = File::open(segment)?;
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    let mut kept = super::files::private(kept)?;
    kept.write_all(&end)?;
    kept.sync_all()
}

fn segment_path(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("{number:08}.log"))
}

/// Makes a segment that begins after this record. It is on stable storage when this returns.
fn begin(directory: &Path, number: u32, last: u64, hash: Hash) -> io::Result<Active> {
    let path = segment_path(directory, number);
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
    file.set_len(0)?;
    file.write_all(&frame::header(last + 1, &hash))?;
    file.sync_all()?;
    File::open(directory)?.sync_all()?;
    let bytes = HEADER_BYTES as u64;
    let first = last + 1;
    Ok(Active { path, file: Arc::new(file), number, first, last, hash, bytes, offsets: Vec::new(), broken: false })
}

impl AuditFiles {
    /// Opens or makes the log's directory. A torn end is cut off when nothing of it had reached
    /// stable storage as far as known: `synced` is the last sequence that certainly had.
    pub(crate) fn open(directory: &Path, synced: u64) -> Result<Self, OpenError> {
        fs::create_dir_all(directory).map_err(engine)?;
        export::finish(directory).map_err(engine)?;
        let mut paths = segment_paths(directory).map_err(engine)?;
        let (mut active, mut unbegun) = (None, Vec::new());
        while active.is_none() {
            let Some((number, path)) = paths.pop() else { break };
            let file = OpenOptions::new().read(true).append(true).open(&path).map_err(engine)?;
            // A header that no record follows is as good as none: its number may be wrong.
            let whole = |walked: &Walked| walked.last >= walked.first || walked.torn.is_none();
            let first_of_all = |walked: &Walked| number != 1 || walked.first == 1;
            let Some(walked) = walk(&file)?.filter(|walked| whole(walked) && first_of_all(walked)) else {
                // A crash while the segment was begun: nothing was ever in it. Or its header was altered:
                // then the segment before ends too early.
                unbegun.push(path);
                continue;
            };
            if let Some(torn) = walked.torn {
                let next = walked.last + 1;
                if walked.last < synced {
                    // The damage stays as it is found: it is evidence.
                    let why = match torn {
                        Torn::Short => "it is not whole",
                        Torn::Other(why) => why,
                    };
                    let what = format!("{why}, and record {synced} was on stable storage");
                    return Err(OpenError::AuditLog(next, what));
                }
                if let Torn::Other(why) = torn {
                    // A power cut can leave that of records that were not synced. It is kept all the same.
                    let kept = directory.join(format!("cut-{next}"));
                    tracing::warn!(record = next, why, "audit log: the end is cut off and kept: {}", kept.display());
                    keep_end(&path, walked.good_bytes, &kept).map_err(engine)?;
                } else {
                    tracing::warn!(record = next, "audit log: an unfinished record at the end is cut off");
                }
                file.set_len(walked.good_bytes).map_err(engine)?;
                file.sync_all().map_err(engine)?;
            }
            active = Some(Active {
                path,
                file: Arc::new(file),
                number,
                first: walked.first,
                last: walked.last,
                hash: walked.hash,
                bytes: walked.good_bytes,
                offsets: walked.offsets,
                broken: false,
            });
        }
        let last = active.as_ref().map_or(0, |active| active.last);
        if last < synced {
            return Err(OpenError::AuditLog(
                last + 1,
                format!("the log ends there, and record {synced} was on stable storage"),
            ));
        }
        for path in unbegun {
            tracing::warn!("audit log: a segment that was begun and never finished is set aside: {}", path.display());
            set_aside(&path).map_err(engine)?;
        }
        let active = match active {
            Some(active) => active,
            None => begin(directory, 1, 0, GENESIS).map_err(engine)?,
        };
        let sealed = Self::sealed(&paths, active.first)?;
        let files = Files { directory: directory.to_owned(), sealed, active };
        let inner =
            Inner { files: Mutex::new(files), recent: Mutex::default(), dirty: Mutex::default(), wake: Condvar::new() };
        Ok(Self(Arc::new(inner)))
    }

    /// The segments before the last: their headers must follow one another; whether their records
    /// do is `handrail audit verify`'s to find.
    fn sealed(paths: &[(u32, PathBuf)], mut next_first: u64) -> Result<Vec<Arc<Sealed>>, OpenError> {
        let mut sealed = Vec::with_capacity(paths.len());
        for (_, path) in paths.iter().rev() {
            let mut header = [0; HEADER_BYTES];
            let mut file = File::open(path).map_err(engine)?;
            file.read_exact(&mut header).map_err(engine)?;
            let first = Segment::open(&header[..]).map(|segment| segment.first_sequence());
            let first =
                first.map_err(|_| OpenError::AuditLog(next_first, "the segment before has no header".into()))?;
            if first >= next_first {
                return Err(OpenError::AuditLog(first, "segments overlap".into()));
            }
            let last = next_first - 1;
            sealed.push(Arc::new(Sealed::new(path.clone(), first, last, OnceLock::new())));
            next_first = first;
        }
        sealed.reverse();
        Ok(sealed)
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sequence and hash of the last record; `None` for an empty log.
    pub(crate) fn last(&self) -> Option<(u64, Hash)> {
        let files = self.files();
        (files.active.last > 0).then_some((files.active.last, files.active.hash))
    }

    /// Sequence of the first record that is there, or will be.
    pub(crate) fn first(&self) -> u64 {
        let files = self.files();
        files.sealed.first().map_or(files.active.first, |segment| segment.first)
    }

    /// The segments, with how many bytes of each hold whole records.
    pub(crate) fn extent(&self) -> io::Result<Vec<(PathBuf, u64)>> {
        let files = self.files();
        let mut extent = Vec::with_capacity(files.sealed.len() + 1);
        for segment in &files.sealed {
            extent.push((segment.path.clone(), fs::metadata(&segment.path)?.len()));
        }
        extent.push((files.active.path.clone(), files.active.bytes));
        Ok(extent)
    }

    /// Waits until something was appended, and then a moment for more; `false` when it is time to stop.
    pub(crate) fn wait_dirty(&self) -> bool {
        let mut dirty = self.0.dirty.lock().unwrap_or_else(PoisonError::into_inner);
        while !dirty.dirty && !dirty.stop {
            dirty = self.0.wake.wait(dirty).unwrap_or_else(PoisonError::into_inner);
        }
        if !dirty.stop {
            let moment = Duration::from_millis(limits::AUDIT_SYNC_MS);
            dirty = self
                .0
                .wake
                .wait_timeout_while(dirty, moment, |dirty| !dirty.stop)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        dirty.dirty = false;
        !dirty.stop
    }

    /// Ends [`AuditFiles::wait_dirty`].
    pub(crate) fn stop(&self) {
        self.0.dirty.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        self.0.wake.notify_all();
    }

    /// The record with this sequence.
    pub(crate) fn record(&self, sequence: u64) -> Result<Option<Record>, Fault> {
        let Some((block, _)) = self.block(sequence, sequence)? else { return Ok(None) };
        Ok(block.into_iter().find(|record| record.sequence == sequence))
    }

    /// Records from `first` on to `last`, a block at a time.
    pub(crate) fn forwards(&self, first: u64, last: u64) -> Forwards {
        Forwards { files: self.clone(), next: first, last, block: VecDeque::new(), about: About::default() }
    }

    /// Records from `last` backwards to 1, a block at a time.
    pub(crate) fn backwards(&self, last: u64) -> Backwards {
        Backwards { files: self.clone(), next: last, block: Vec::new(), about: About::default() }
    }

    /// The records from the known offset at or before `sequence` up to `to` or the next known offset,
    /// whichever comes first, and the first one's sequence.
    fn block(&self, sequence: u64, to: u64) -> Result<Option<(Vec<Record>, u64)>, Fault> {
        let fault = |error: io::Error| Fault(format!("audit log: {error}"));
        let (path, first, offsets) = {
            let files = self.files();
            if sequence == 0 || sequence > files.active.last {
                return Ok(None);
            }
            if sequence >= files.active.first {
                (files.active.path.clone(), files.active.first, files.active.offsets.clone())
            } else {
                let at = files.sealed.partition_point(|segment| segment.last < sequence);
                let Some(segment) = files.sealed.get(at).filter(|s| s.first <= sequence).map(Arc::clone) else {
                    return Ok(None);
                };
                drop(files);
                (segment.path.clone(), segment.first, segment.offsets()?.clone())
            }
        };
        let place = (sequence - first) / limits::AUDIT_OFFSET_EVERY;
        let start = first + place * limits::AUDIT_OFFSET_EVERY;
        let known = usize::try_from(place).ok().and_then(|place| offsets.get(place).copied());
        let Some(Known { offset, before: mut hash }) = known else {
            return Err(Fault("audit log: no offset for a record".into()));
        };
        let mut file = File::open(path).map_err(fault)?;
        file.seek(SeekFrom::Start(offset)).map_err(fault)?;
        // A header of our own lets the reader of whole segments begin in the middle of one.
        let header = frame::header(start, &hash);
        let reader = header.as_slice().chain(BufReader::with_capacity(64 * 1024, file));
        let damaged = |error: FrameError| Fault(format!("audit log: {error:?}"));
        let mut segment = Segment::open(reader).map_err(damaged)?;
        let mut records = Vec::new();
        let end = start.saturating_add(limits::AUDIT_OFFSET_EVERY - 1).min(to);
        for sequence in start..=end {
            let Some(record) = segment.next_record().map_err(damaged)? else { break };
            // Nothing that was altered since is given out.
            if record.sequence != sequence || !record.follows(&hash) {
                return Err(Fault(format!("audit log: record {sequence} does not follow from the one before")));
            }
            hash = record.hash;
            records.push(record);
        }
        Ok(Some((records, start)))
    }

    #[cfg(test)]
    pub(crate) fn break_off(&self) {
        self.files().active.broken = true;
    }

    fn rotate(files: &mut Files) -> io::Result<()> {
        files.active.file.sync_all()?;
        let old = &files.active;
        let next = begin(&files.directory, old.number + 1, old.last, old.hash)?;
        let old = std::mem::replace(&mut files.active, next);
        let sealed = Sealed::new(old.path, old.first, old.last, OnceLock::from(old.offsets));
        files.sealed.push(Arc::new(sealed));
        Ok(())
    }
}

impl Sealed {
    fn new(path: PathBuf, first: u64, last: u64, offsets: OnceLock<Vec<Known>>) -> Self {
        Self { path, first, last, offsets, patients: Mutex::default() }
    }

    fn patients(&self) -> Result<Arc<patients::Listed>, Fault> {
        let mut known = self.patients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listed) = known.as_ref() {
            return Ok(Arc::clone(listed));
        }
        let listed = Arc::new(patients::Listed::of(self)?);
        *known = Some(Arc::clone(&listed));
        Ok(listed)
    }

    fn offsets(&self) -> Result<&Vec<Known>, Fault> {
        if let Some(offsets) = self.offsets.get() {
            return Ok(offsets);
        }
        let file = File::open(&self.path).map_err(|error| Fault(format!("audit log: {error}")))?;
        let walked = walk(&file).map_err(|error| Fault(error.to_string()))?;
        let walked = walked.filter(|walked| walked.last == self.last && walked.torn.is_none());
        let walked = walked.ok_or_else(|| Fault("audit log: a segment is shorter than it was".into()))?;
        Ok(self.offsets.get_or_init(|| walked.offsets))
    }
}

impl Appender for AuditFiles {
    fn append(&self, records: &[u8]) -> io::Result<()> {
        let mut guard = self.files();
        let files = &mut *guard;
        if files.active.broken {
            return Err(io::Error::other("an earlier append failed half way"));
        }
        if files.active.bytes >= limits::AUDIT_SEGMENT_BYTES {
            Self::rotate(files)?;
        }
        let active = &mut files.active;
        if let Err(error) = (&*active.file).write_all(records) {
            active.broken = active.file.set_len(active.bytes).is_err();
            return Err(error);
        }
        let mut rest = records;
        while let Some((length, _)) = rest.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize + frame::RECORD_BYTES;
            let Some((record, after)) = rest.split_at_checked(length) else { break };
            active.last += 1;
            if (active.last - active.first).is_multiple_of(limits::AUDIT_OFFSET_EVERY) {
                active.offsets.push(Known { offset: active.bytes, before: active.hash });
            }
            active.bytes += length as u64;
            if let Some(hash) = record.last_chunk::<32>() {
                active.hash = *hash;
            }
            rest = after;
        }
        drop(guard);
        let mut dirty = self.0.dirty.lock().unwrap_or_else(PoisonError::into_inner);
        if !dirty.dirty {
            dirty.dirty = true;
            self.0.wake.notify_all();
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        // WHY: the file is synced outside the lock, so that appends go on meanwhile.
        let file = Arc::clone(&self.files().active.file);
        file.sync_data()
    }
}

/// Whom a walk is about: it passes over blocks that name nobody of them.
#[derive(Debug, Default)]
struct About {
    /// `None`: everybody.
    keys: Option<Arc<[patients::Key]>>,
    here: Option<patients::Narrowed>,
}

impl About {
    /// The next record to read from `next` on, in this direction; `None` at the end.
    fn place(
        &mut self,
        files: &AuditFiles,
        mut next: u64,
        step: impl Fn(&patients::Narrowed, u64) -> Result<u64, u64>,
    ) -> Result<Option<u64>, Fault> {
        let Some(keys) = &self.keys else { return Ok(Some(next)) };
        loop {
            let here = match self.here.take().filter(|here| here.has(next)) {
                Some(here) => here,
                None => match files.narrowed(next, keys)? {
                    Some(here) => here,
                    None => return Ok(None),
                },
            };
            let found = step(&here, next);
            self.here = Some(here);
            match found {
                Ok(place) => return Ok(Some(place)),
                Err(beyond) => next = beyond,
            }
        }
    }
}

/// Records from the newest to the oldest.
#[derive(Debug)]
pub(crate) struct Backwards {
    files: AuditFiles,
    next: u64,
    block: Vec<Record>,
    about: About,
}

impl Backwards {
    /// Those in blocks that name one of these patients, and few others.
    pub(crate) fn about(mut self, keys: Arc<[patients::Key]>) -> Self {
        self.about.keys = Some(keys);
        self
    }

    /// The next older record.
    pub(crate) fn next_record(&mut self) -> Result<Option<Record>, Fault> {
        if self.block.is_empty() {
            let Some(next) = self.about.place(&self.files, self.next, patients::Narrowed::back)? else {
                return Ok(None);
            };
            let Some((block, start)) = self.files.block(next, next)? else { return Ok(None) };
            self.block = block;
            self.next = start - 1;
        }
        Ok(self.block.pop())
    }
}

/// Records from the oldest to the newest.
#[derive(Debug)]
pub(crate) struct Forwards {
    files: AuditFiles,
    next: u64,
    last: u64,
    block: VecDeque<Record>,
    about: About,
}

impl Forwards {
    /// Those in blocks that name one of these patients, and few others.
    pub(crate) fn about(mut self, keys: Arc<[patients::Key]>) -> Self {
        self.about.keys = Some(keys);
        self
    }

    /// The next newer record.
    pub(crate) fn next_record(&mut self) -> Result<Option<Record>, Fault> {
        if self.block.is_empty() {
            if self.next > self.last {
                return Ok(None);
            }
            let Some(next) = self.about.place(&self.files, self.next, patients::Narrowed::on)? else {
                return Ok(None);
            };
            if next > self.last {
                return Ok(None);
            }
            let Some((block, _)) = self.files.block(next, self.last)? else { return Ok(None) };
            self.block = block.into_iter().filter(|record| record.sequence >= next).collect();
        }
        let record = self.block.pop_front();
        self.next = record.as_ref().map_or(u64::MAX, |record| record.sequence.saturating_add(1));
        Ok(record)
    }
}
