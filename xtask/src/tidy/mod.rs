//! `cargo xtask tidy`: habits of the tree that the compiler does not hold. Runs as a test too.
//!
//! Crate edges against the table in `ARCHITECTURE.md` ([`edges`]); the head, the length and the
//! calls of every Rust file ([`source`]); manifests ([`manifest`]); the tests that `docs/threats.md` ([`threats`]) and
//! `docs/conformance.md` ([`rows`]) name. Each fault names its replacement. Left out: what rustfmt, clippy and rustc say already.

mod edges;
mod manifest;
mod rows;
mod source;
mod threats;

#[cfg(test)]
mod tests;

use std::{fs, path::Path};

/// Checks the whole tree.
///
/// # Errors
/// The number of faults, after each was printed; or a file that cannot be read.
pub(crate) fn run() -> Result<(), String> {
    let faults = faults(&crate::repository())?;
    for fault in &faults {
        eprintln!("{fault}");
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("{} faults", faults.len())) }
}

/// All faults of the tree below `top`, each as `file: what: what instead`.
///
/// # Errors
/// A file or folder that cannot be read.
pub(crate) fn faults(top: &Path) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    for folder in ["crates", "xtask"] {
        collect(top, folder, &mut files)?;
    }
    // A workspace of its own, for orientation alone: no rule of the product's is for it.
    files.retain(|path| !path.starts_with("xtask/peers/"));
    files.sort();
    let architecture = read(top, "ARCHITECTURE.md")?;
    let long_files = read(top, "xtask/tidy-long-files.txt")?;
    let workspace = read(top, "Cargo.toml")?;

    let mut faults = manifest::workspace_faults(&workspace);
    let mut manifests = Vec::new();
    let mut sources = Vec::new();
    for path in &files {
        if path.ends_with("/Cargo.toml") {
            manifests.push((path.clone(), read(top, path)?));
        } else if path.ends_with(".rs") {
            let text = read(top, path)?;
            faults.extend(source::faults(path, &text));
            sources.push((path.clone(), text));
        }
    }
    for (path, text) in &manifests {
        faults.extend(manifest::crate_faults(path, text));
    }
    faults.extend(edges::faults(&architecture, &manifests));
    let lengths: Vec<(String, usize)> =
        sources.iter().map(|(path, text)| (path.clone(), text.lines().count())).collect();
    faults.extend(source::length_faults(&lengths, &long_files));
    faults.extend(threats::faults(&read(top, "docs/threats.md")?, &sources));
    faults.extend(rows::faults(&read(top, "docs/conformance.md")?, &sources));
    Ok(faults)
}

fn read(top: &Path, path: &str) -> Result<String, String> {
    fs::read_to_string(top.join(path)).map_err(|e| format!("{path}: {e}"))
}

/// Paths of all files below a folder, relative to the top, with `/` between their parts.
fn collect(top: &Path, folder: &str, files: &mut Vec<String>) -> Result<(), String> {
    for entry in fs::read_dir(top.join(folder)).map_err(|e| format!("{folder}: {e}"))? {
        let entry = entry.map_err(|e| format!("{folder}: {e}"))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{folder}/{name}");
        let kind = entry.file_type().map_err(|e| format!("{path}: {e}"))?;
        if kind.is_dir() && name != "target" && !name.starts_with('.') {
            collect(top, &path, files)?;
        } else if kind.is_file() {
            files.push(path);
        }
    }
    Ok(())
}
