//! The frame around a table of the engine and around its list of tables, as sfa 1 writes it: sections, then a table of
//! contents, then a trailer.
//!
//! | bytes | what |
//! |---|---|
//! | … | sections |
//! | 4, 4 | `TOC!`; number of entries (little-endian) |
//! | 8, 8, 2, … | position, length, length of the name, name: each entry |
//! | 4, 1, 1 | `SFA!`; 1; 0 |
//! | 16, 8, 8 | XXH3-128 of the table of contents; its position; its length |
//!
//! WHY: the engine makes room for as many entries as the file says before it compares the checksum. One bit in that
//! number asks for gigabytes, and a process without memory ends without a word (found by `xtask crash --flips`).

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};
use xxhash_rust::xxh3::xxh3_128;

const TRAILER_BYTES: u64 = 38;
/// Bytes of a table of contents: some ten sections of a few letters. More is none of the engine's.
const CONTENTS_BYTES_MAX: u64 = 64 * 1024;

/// What is wrong with the frame of a file; `None` when nothing is.
pub(super) fn fault(path: &Path) -> io::Result<Option<&'static str>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let Some(start) = length.checked_sub(TRAILER_BYTES) else { return Ok(Some("it is too short")) };
    file.seek(SeekFrom::Start(start))?;
    let magic: [u8; 6] = bytes(&mut file)?;
    let sum = u128::from_le_bytes(bytes(&mut file)?);
    let (position, size) = (u64::from_le_bytes(bytes(&mut file)?), u64::from_le_bytes(bytes(&mut file)?));
    if magic != *b"SFA!\x01\x00" || position.checked_add(size) != Some(start) || size > CONTENTS_BYTES_MAX {
        return Ok(Some("its end is not what the engine writes there"));
    }
    file.seek(SeekFrom::Start(position))?;
    let mut contents = Vec::new();
    file.take(size).read_to_end(&mut contents)?;
    let agrees = contents.starts_with(b"TOC!") && xxh3_128(&contents) == sum;
    Ok((!agrees).then_some("its table of contents does not agree with its checksum"))
}

/// Numbers and checksums of the tables that a keyspace's list names; `None` when there is no list.
pub(crate) fn listed(space: &Path) -> io::Result<Option<Vec<(u64, u128)>>> {
    let current = match std::fs::read(space.join(super::files::CURRENT)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let Some(version) = current.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes)) else { return Ok(None) };
    let path = space.join(format!("v{version}"));
    if !path.exists() {
        return Ok(None);
    }
    let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    if let Some(fault) = fault(&path)? {
        return Err(damaged(fault));
    }
    let archive = sfa::Reader::new(&path).map_err(|_| damaged("it is damaged"))?;
    let section = archive.toc().section(b"tables").ok_or_else(|| damaged("it names no tables"))?;
    let mut section = section.buf_reader(&path)?;
    let mut tables = Vec::new();
    let [levels] = bytes(&mut section)?;
    for _ in 0..levels {
        let [runs] = bytes(&mut section)?;
        for _ in 0..runs {
            for _ in 0..u32::from_le_bytes(bytes(&mut section)?) {
                let table = u64::from_le_bytes(bytes(&mut section)?);
                let [_kind] = bytes(&mut section)?;
                let sum = u128::from_le_bytes(bytes(&mut section)?);
                let _sequence: [u8; 8] = bytes(&mut section)?;
                tables.push((table, sum));
            }
        }
    }
    Ok(Some(tables))
}

fn bytes<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
