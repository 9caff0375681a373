//! Unpacking a `.tgz` that may be hostile: nothing is written anywhere, and all is bounded.
//!
//! The archive is read as a stream. Names that leave their folder, links, devices, too many or too
//! large entries, and archives that unpack to far more than they are, are refused by name.
//! SPEC: POSIX ustar and pax; GNU long names. Left out: sparse files.

use crate::limits::{
    ARCHIVE_BYTES_MAX, ENTRIES_MAX, ENTRY_BYTES_MAX, NAME_BYTES_MAX, NAME_DEPTH_MAX, RATIO_FREE_BYTES, RATIO_MAX,
    UNPACKED_BYTES_MAX,
};
use flate2::read::GzDecoder;
use std::{
    cell::Cell,
    fmt,
    io::{self, Read},
    rc::Rc,
};

/// Why an archive is refused.
#[derive(Debug)]
#[expect(missing_docs, reason = "the texts of Display say it")]
pub enum ArchiveError {
    Unreadable(io::Error),
    Packed,
    Unpacked,
    Ratio { name: String },
    Entries,
    Entry { name: String },
    Name { name: String, why: &'static str },
    Kind { name: String },
    Twice { name: String },
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(e) => write!(f, "not a readable .tgz: {e}"),
            Self::Packed => write!(f, "larger than {ARCHIVE_BYTES_MAX} bytes"),
            Self::Unpacked => write!(f, "unpacks to more than {UNPACKED_BYTES_MAX} bytes"),
            Self::Ratio { name } => {
                write!(f, "unpacks to more than {RATIO_MAX} times its size (after {name:?}): a bomb")
            }
            Self::Entries => write!(f, "more than {ENTRIES_MAX} entries"),
            Self::Entry { name } => write!(f, "{name:?} is larger than {ENTRY_BYTES_MAX} bytes"),
            Self::Name { name, why } => write!(f, "the entry {name:?} {why}"),
            Self::Kind { name } => write!(f, "{name:?} is neither a file nor a folder (a link or a device)"),
            Self::Twice { name } => write!(f, "{name:?} stands twice"),
        }
    }
}

impl std::error::Error for ArchiveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable(e) => Some(e),
            _ => None,
        }
    }
}

/// Reads a `.tgz` and hands each file to `take`, as its name and a reader of its bytes, which are
/// fewer than [`ENTRY_BYTES_MAX`]. What `take` leaves unread is skipped.
///
/// # Errors
/// See [`ArchiveError`]; an error of `take` as it is.
pub fn unpack<E: From<ArchiveError>>(
    packed: impl Read,
    mut take: impl FnMut(&str, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let meter = Rc::new(Meter::default());
    let packed = Metered { inner: packed, count: CountOf::Packed, meter: Rc::clone(&meter) };
    let unpacked = Metered { inner: GzDecoder::new(packed), count: CountOf::Unpacked, meter: Rc::clone(&meter) };
    let mut archive = tar::Archive::new(unpacked);
    let mut long_name: Option<String> = None;
    let mut last = String::new();
    let refused = |e: io::Error, last: &str| E::from(meter.refused(e, last));
    // Raw: the names that precede an entry are read here, under their own limit.
    let entries = archive.entries().map_err(|e| refused(e, &last))?.raw(true);
    for (number, entry) in entries.enumerate() {
        let mut entry = entry.map_err(|e| refused(e, &last))?;
        if number >= ENTRIES_MAX {
            return Err(ArchiveError::Entries.into());
        }
        let kind = entry.header().entry_type();
        let own = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
            let bytes = bounded(&mut entry, NAME_BYTES_MAX * 8).map_err(|e| refused(e, &own))?;
            let bytes = bytes.ok_or_else(|| name_error(&own, "has a name or attributes too long"))?;
            let found = if kind.is_gnu_longname() { gnu_name(&bytes) } else { pax_name(&bytes) };
            long_name = found.or(long_name);
            continue;
        }
        if kind.is_pax_global_extensions() {
            continue;
        }
        let name = long_name.take().unwrap_or(own);
        check_name(&name)?;
        if kind.is_dir() {
            continue;
        }
        if !kind.is_file() {
            return Err(ArchiveError::Kind { name }.into());
        }
        if entry.size() > ENTRY_BYTES_MAX {
            return Err(ArchiveError::Entry { name }.into());
        }
        last.clone_from(&name);
        take(&name, &mut entry).map_err(|e| match meter.fault.get() {
            Some(_) => refused(io::Error::other("a limit is reached"), &last),
            None => e,
        })?;
    }
    Ok(())
}

/// Reads an entry whole; `None` when it is longer than `most`.
fn bounded(entry: &mut impl Read, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let most_and_one = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    entry.take(most_and_one).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then_some(bytes))
}

fn gnu_name(bytes: &[u8]) -> Option<String> {
    let name = bytes.split(|byte| *byte == 0).next()?;
    Some(String::from_utf8_lossy(name).into_owned())
}

/// The `path` of pax attributes: records of `LENGTH KEY=VALUE\n`.
fn pax_name(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let records = text.lines().filter_map(|line| line.split_once(' '));
    records.filter_map(|(_, record)| record.strip_prefix("path=")).next_back().map(ToOwned::to_owned)
}

/// A name that stays in its folder, on any system.
fn check_name(name: &str) -> Result<(), ArchiveError> {
    if name.len() > NAME_BYTES_MAX {
        return Err(name_error(name, "has a name too long"));
    }
    // A colon in second place is a drive.
    if name.is_empty() || name.contains('\\') || name.get(1..2) == Some(":") || name.chars().any(char::is_control) {
        return Err(name_error(name, "has a name that is none"));
    }
    if name.starts_with('/') || name.split('/').any(|step| step == "..") {
        return Err(name_error(name, "leaves its folder"));
    }
    if name.split('/').count() > NAME_DEPTH_MAX {
        return Err(name_error(name, "lies too deep"));
    }
    Ok(())
}

fn name_error(name: &str, why: &'static str) -> ArchiveError {
    ArchiveError::Name { name: name.chars().take(NAME_BYTES_MAX / 4).collect(), why }
}

/// How much was read, on both sides of the decoder.
#[derive(Debug, Default)]
struct Meter {
    packed: Cell<u64>,
    unpacked: Cell<u64>,
    fault: Cell<Option<Fault>>,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    Packed,
    Unpacked,
    Ratio,
}

impl Meter {
    fn refused(&self, e: io::Error, last: &str) -> ArchiveError {
        match self.fault.get() {
            Some(Fault::Packed) => ArchiveError::Packed,
            Some(Fault::Unpacked) => ArchiveError::Unpacked,
            Some(Fault::Ratio) => ArchiveError::Ratio { name: last.to_owned() },
            None => ArchiveError::Unreadable(e),
        }
    }

    fn check(&self) -> Result<(), Fault> {
        if self.packed.get() > ARCHIVE_BYTES_MAX {
            return Err(Fault::Packed);
        }
        let unpacked = self.unpacked.get();
        if unpacked > UNPACKED_BYTES_MAX {
            return Err(Fault::Unpacked);
        }
        if unpacked > RATIO_FREE_BYTES && unpacked / RATIO_MAX > self.packed.get() {
            return Err(Fault::Ratio);
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
enum CountOf {
    Packed,
    Unpacked,
}

/// A reader that stops when the meter says so.
struct Metered<R> {
    inner: R,
    count: CountOf,
    meter: Rc<Meter>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        let count = match self.count {
            CountOf::Packed => &self.meter.packed,
            CountOf::Unpacked => &self.meter.unpacked,
        };
        count.set(count.get().saturating_add(u64::try_from(read).unwrap_or(u64::MAX)));
        self.meter.check().map_err(|fault| {
            self.meter.fault.set(Some(fault));
            io::Error::other("a limit is reached")
        })?;
        Ok(read)
    }
}

/// Reads what `take` of [`unpack`] was given, whole.
///
/// # Errors
/// An entry that cannot be read.
pub fn read_entry(name: &str, entry: &mut dyn Read) -> Result<Vec<u8>, ArchiveError> {
    let most = usize::try_from(ENTRY_BYTES_MAX).unwrap_or(usize::MAX);
    let mut entry = entry;
    let bytes = bounded(&mut entry, most).map_err(ArchiveError::Unreadable)?;
    bytes.ok_or_else(|| ArchiveError::Entry { name: name.to_owned() })
}
