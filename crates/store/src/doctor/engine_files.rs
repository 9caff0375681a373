//! Tables of the engine against the checksum of the whole file that its list of tables keeps: every
//! bit of them, where the engine itself verifies a block only when it reads it.

use super::Findings;
use std::{
    fs::{self, File},
    io::{self, BufRead, Read},
    path::Path,
};
use xxhash_rust::xxh3::Xxh3;

/// Holds each table against its checksum; gives how many there are.
pub(super) fn tables(engine: &Path, findings: &mut Findings) -> u64 {
    let mut count = 0;
    let spaces = match fs::read_dir(engine.join("keyspaces")) {
        Ok(spaces) => spaces,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return 0,
        Err(error) => {
            findings.damage("keyspaces", "engine/keyspaces", error.to_string());
            return 0;
        }
    };
    for space in spaces.flatten() {
        let id = space.file_name().to_string_lossy().into_owned();
        let place = format!("engine/keyspaces/{id}");
        let listed = match listed(&space.path()) {
            Ok(Some(listed)) => listed,
            // `files::look` says what is wrong with a keyspace that has no list.
            Ok(None) => continue,
            Err(error) => {
                findings.damage("list of tables", place, format!("its list of tables cannot be read: {error}"));
                continue;
            }
        };
        for (table, sum) in listed {
            count += 1;
            let place = format!("{place}/tables/{table}");
            match checksum(&space.path().join("tables").join(table.to_string())) {
                Ok(found) if found == sum => {}
                Ok(_) => findings.damage("table", place, "it does not agree with its checksum"),
                Err(error) => findings.damage("table", place, format!("it cannot be read: {error}")),
            }
        }
    }
    count
}

/// Numbers and checksums of the tables of a keyspace; `None` when there is no list.
fn listed(space: &Path) -> io::Result<Option<Vec<(u64, u128)>>> {
    let current = match fs::read(space.join("current")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let Some(version) = current.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes)) else { return Ok(None) };
    let path = space.join(format!("v{version}"));
    if !path.exists() {
        return Ok(None);
    }
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "it is damaged");
    let archive = sfa::Reader::new(&path).map_err(|_| damaged())?;
    let mut section = archive.toc().section(b"tables").ok_or_else(damaged)?.buf_reader(&path)?;
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

fn bytes<const N: usize>(section: &mut impl BufRead) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    section.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn checksum(path: &Path) -> io::Result<u128> {
    let mut file = File::open(path)?;
    let mut hash = Xxh3::new();
    let mut chunk = vec![0; 256 * 1024];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hash.digest128()),
            count => hash.update(chunk.get(..count).unwrap_or_default()),
        }
    }
}
