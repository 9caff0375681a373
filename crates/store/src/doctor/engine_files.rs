//! Tables of the engine against the checksum of the whole file that its list of tables keeps: every
//! bit of them, where the engine itself verifies a block only when it reads it.

use super::Findings;
use crate::engine::archive;
use std::{
    fs::{self, File},
    io::{self, Read},
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
        let listed = match archive::listed(&space.path()) {
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
