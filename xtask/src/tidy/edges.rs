//! Crate edges: what a crate's manifest depends on, against the table in `ARCHITECTURE.md`.
//!
//! The table is the one whose head has the columns `crate` and `may know`. Development
//! dependencies are free: tests may know more than the code.

use super::manifest;
use std::collections::{BTreeMap, BTreeSet};

/// Edges that the table does not list, crates without a row, rows without a crate.
pub(super) fn faults(architecture: &str, manifests: &[(String, String)]) -> Vec<String> {
    let Some(allowed) = table(architecture) else {
        return vec!["ARCHITECTURE.md: no table with the columns `crate` and `may know`".to_owned()];
    };
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, text) in manifests {
        let name = crate_name(path);
        seen.insert(name);
        let Some(known) = allowed.get(name) else {
            faults.push(format!("{path}: the crate `{name}` has no row in ARCHITECTURE.md: say there why it is one"));
            continue;
        };
        for dependency in manifest::dependencies(text) {
            if allowed.contains_key(dependency.as_str()) && !known.contains(dependency.as_str()) {
                faults.push(format!(
                    "{path}: `{name}` may not know `{dependency}`: move the code down, or the row in ARCHITECTURE.md"
                ));
            }
        }
    }
    for name in allowed.keys().filter(|name| !seen.contains(*name)) {
        faults.push(format!("ARCHITECTURE.md: the row of `{name}` has no crate"));
    }
    faults
}

fn crate_name(manifest: &str) -> &str {
    let folder = manifest.strip_suffix("/Cargo.toml").unwrap_or(manifest);
    folder.rsplit('/').next().unwrap_or(folder)
}

/// Crate name to the crates that it may know.
fn table(architecture: &str) -> Option<BTreeMap<&str, BTreeSet<&str>>> {
    let mut lines = architecture.lines().map(cells);
    let (crate_at, know_at) = lines.find_map(|head| {
        let at = |name: &str| head.iter().position(|cell| *cell == name);
        Some((at("crate")?, at("may know")?))
    })?;
    let rows = lines.take_while(|cells| cells.len() > 1).filter(|cells| !cells.iter().all(|cell| is_rule(cell)));
    let rows = rows.filter_map(|cells| {
        let name = cells.get(crate_at)?.trim_matches('`');
        let known = cells.get(know_at)?.split(',').map(str::trim).filter(|known| *known != "nothing");
        Some((name, known.collect()))
    });
    Some(rows.collect())
}

fn cells(line: &str) -> Vec<&str> {
    let Some(inner) = line.trim().strip_prefix('|') else { return Vec::new() };
    inner.strip_suffix('|').unwrap_or(inner).split('|').map(str::trim).collect()
}

fn is_rule(cell: &str) -> bool {
    !cell.is_empty() && cell.chars().all(|mark| matches!(mark, '-' | ':'))
}
