//! Reading ZIP archives: the list of their files, and each file as a stream. Nothing is written anywhere.
//!
//! SPEC: PKWARE APPNOTE 6.3 (central directory, ZIP64, stored and deflated files). Left out: encryption, other
//! methods, archives in several parts. Sizes are what the archive says; the reader of a file is cut there.

use flate2::read::DeflateDecoder;
use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

/// Files of one archive. A SNOMED CT release has some hundred.
const FILES_MAX: u64 = 100_000;

/// Bytes of the list of files.
const LIST_BYTES_MAX: u64 = 64 << 20;

/// A file of an archive.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its path within the archive; never used as a path outside.
    pub(crate) name: String,
    /// Its bytes, unpacked.
    pub(crate) bytes: u64,
    packed: u64,
    method: u16,
    head: u64,
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not a ZIP archive that can be read: {what}"))
}

/// Little-endian numbers of a record.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn number(&self, at: usize, bytes: usize) -> io::Result<u64> {
        let part = self.0.get(at..at + bytes).ok_or_else(|| bad("a record is cut off"))?;
        Ok(part.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

fn read_at(file: &mut File, at: u64, len: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(len).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == len { Ok(bytes) } else { Err(bad("it is cut off")) }
}

/// The files of an archive, folders left out.
///
/// # Errors
/// Those of the file system; `InvalidData` for what is no archive.
pub(crate) fn entries(path: &Path) -> io::Result<Vec<Entry>> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    // The end of the list is within the last 64 KiB: a comment may follow it.
    let tail_len = len.min(22 + 0xFFFF + 20);
    let tail = read_at(&mut file, len - tail_len, tail_len)?;
    let at = tail.windows(4).rposition(|four| four == b"PK\x05\x06").ok_or_else(|| bad("it has no list of files"))?;
    let end = Fields(tail.get(at..).unwrap_or_default());
    let (mut count, mut list_len, mut list_at) = (end.number(10, 2)?, end.number(12, 4)?, end.number(16, 4)?);
    let locator =
        at.checked_sub(20).and_then(|from| tail.get(from..at)).filter(|bytes| bytes.starts_with(b"PK\x06\x07"));
    if let Some(locator) = locator {
        let wide = read_at(&mut file, Fields(locator).number(8, 8)?, 56)?;
        if !wide.starts_with(b"PK\x06\x06") {
            return Err(bad("its list of files is not where it says"));
        }
        let wide = Fields(&wide);
        (count, list_len, list_at) = (wide.number(32, 8)?, wide.number(40, 8)?, wide.number(48, 8)?);
    }
    if count > FILES_MAX || list_len > LIST_BYTES_MAX {
        return Err(bad("it has too many files"));
    }
    let list = read_at(&mut file, list_at, list_len)?;
    let mut rest = list.as_slice();
    let mut entries = Vec::new();
    for _ in 0..count {
        let (entry, used) = entry(rest)?;
        rest = rest.get(used..).unwrap_or_default();
        if !entry.name.ends_with('/') {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// An entry of the list, and its length there.
fn entry(bytes: &[u8]) -> io::Result<(Entry, usize)> {
    if !bytes.starts_with(b"PK\x01\x02") {
        return Err(bad("its list of files is damaged"));
    }
    let fields = Fields(bytes);
    let length = |at: usize| fields.number(at, 2).map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    let (name_len, extra_len, comment_len) = (length(28)?, length(30)?, length(32)?);
    let name = bytes.get(46..46 + name_len).ok_or_else(|| bad("a name is cut off"))?;
    if fields.number(8, 2)? & 1 != 0 {
        return Err(bad("it is encrypted"));
    }
    let mut entry = Entry {
        name: String::from_utf8_lossy(name).into_owned(),
        bytes: fields.number(24, 4)?,
        packed: fields.number(20, 4)?,
        method: u16::try_from(fields.number(10, 2)?).unwrap_or(u16::MAX),
        head: fields.number(42, 4)?,
    };
    let mut extra = bytes.get(46 + name_len..46 + name_len + extra_len).ok_or_else(|| bad("a record is cut off"))?;
    while extra.len() >= 4 {
        let head = Fields(extra);
        let (kind, len) = (head.number(0, 2)?, usize::try_from(head.number(2, 2)?).unwrap_or(usize::MAX));
        let body = extra.get(4..4 + len).ok_or_else(|| bad("a record is cut off"))?;
        if kind == 1 {
            // ZIP64: of the numbers that did not fit, in this order.
            let mut at = 0;
            for number in [&mut entry.bytes, &mut entry.packed, &mut entry.head] {
                if *number == u64::from(u32::MAX) {
                    *number = Fields(body).number(at, 8)?;
                    at += 8;
                }
            }
        }
        extra = extra.get(4 + len..).unwrap_or_default();
    }
    Ok((entry, 46 + name_len + extra_len + comment_len))
}

/// A file of an archive as a stream.
///
/// # Errors
/// Those of the file system; `InvalidData` for a method other than stored and deflated.
pub(crate) fn open(path: &Path, entry: &Entry) -> io::Result<Box<dyn Read + Send>> {
    let mut file = File::open(path)?;
    let head = read_at(&mut file, entry.head, 30)?;
    if !head.starts_with(b"PK\x03\x04") {
        return Err(bad("a file is not where its list says"));
    }
    let fields = Fields(&head);
    let start = entry.head + 30 + fields.number(26, 2)? + fields.number(28, 2)?;
    file.seek(SeekFrom::Start(start))?;
    let packed = BufReader::with_capacity(1 << 16, file.take(entry.packed));
    match entry.method {
        0 => Ok(Box::new(packed.take(entry.bytes))),
        8 => Ok(Box::new(DeflateDecoder::new(packed).take(entry.bytes))),
        _ => Err(bad("a file is packed by a method other than deflate")),
    }
}

#[cfg(test)]
mod tests;
