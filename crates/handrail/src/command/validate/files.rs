//! The files that arguments mean, and their bytes.

use super::is_stdin;
use crate::fault::Fault;
use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Folders within folders; deeper is a loop or a mistake.
const DEPTH_MAX: usize = 64;

/// The files named, and `*.json` and `*.xml` of the folders named, in the order of their names.
///
/// # Errors
/// Something named that is not there; a folder without such files.
pub(super) fn below(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Fault> {
    let mut files = Vec::new();
    for path in paths {
        if is_stdin(path) || !path.is_dir() {
            // A file that is not there is told when it is read.
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        walk(path, 0, &mut files).map_err(|why| Fault::at(path.display(), why))?;
        if files.len() == before {
            return Err(Fault::at(path.display(), "there is no .json or .xml file in it"));
        }
    }
    Ok(files)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let is_wanted =
            path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json") || end.eq_ignore_ascii_case("xml"));
        if kind.is_dir() && depth < DEPTH_MAX {
            walk(&path, depth + 1, files)?;
        } else if is_wanted && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// The bytes of a file, or of standard input. One over the reader's limit is cut there, and refused by it.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(fhir::limits::BODY_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    if is_stdin(path) {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
