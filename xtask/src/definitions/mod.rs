//! `cargo xtask definitions DIR [--check]`: FHIR packages in, tables of facts out.
//!
//! The tables and their format are described in `crates/fhir/definitions/README.md`. Facts only:
//! no definition, comment, requirement or narrative is copied. The output depends on nothing but
//! the packages, so that `--check` can compare bytes.

mod base;
mod capability;
mod compartment;
mod concept_map;
mod mend;
pub(crate) mod package;
mod profile;
mod search;
mod table;
mod terminology;

use package::Package;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use table::{Constraints, Table};

/// The packages that the tables are drawn from, in the order of precedence: later ones know better.
const PACKAGES: [&str; 5] = [
    "hl7.fhir.r4.core#4.0.1",
    "hl7.fhir.us.core#3.1.1",
    "hl7.fhir.us.core#6.1.0",
    "hl7.fhir.us.pacio-pfe#2.0.0",
    "hl7.fhir.us.pacio-rt#1.0.0",
];

/// Writes the tables, or compares them with what is committed.
///
/// # Errors
/// A package that is missing or unreadable; with `check`, the first table that differs.
pub(crate) fn run(directory: &Path, check: bool) -> Result<(), String> {
    let folder = folder();
    let tables = generate(directory)?;
    if check {
        return compare(&tables, &folder);
    }
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for name in committed(&folder)? {
        if !tables.contains_key(&name) {
            let path = folder.join(&name);
            fs::remove_file(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    for (name, text) in &tables {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        eprintln!("{:>9} bytes  {name}", text.len());
    }
    Ok(())
}

/// Where the tables are committed.
pub(crate) fn folder() -> PathBuf {
    crate::repository().join("crates/fhir/definitions")
}

/// Compares the tables that the packages give with those committed.
///
/// # Errors
/// As [`run`] with `check`.
pub(crate) fn compare(tables: &BTreeMap<String, String>, folder: &Path) -> Result<(), String> {
    for (name, text) in tables {
        let path = folder.join(name);
        let have = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        if have != *text {
            let line = have.lines().zip(text.lines()).take_while(|(a, b)| a == b).count() + 1;
            return Err(format!("{name} is stale from line {line} on: run `cargo xtask definitions DIR`"));
        }
    }
    match committed(folder)?.into_iter().find(|name| !tables.contains_key(name)) {
        Some(name) => Err(format!("{name} is committed but no package gives it")),
        None => Ok(()),
    }
}

fn committed(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter(|name| name.ends_with(".tsv")).collect())
}

/// All tables by file name.
///
/// # Errors
/// A package that is missing, unreadable or holds what the tables cannot express.
pub(crate) fn generate(directory: &Path) -> Result<BTreeMap<String, String>, String> {
    let packages = package::read_all(directory, &PACKAGES)?;
    let (core, guides) = packages.split_first().ok_or("no package")?;
    let mut constraints = Constraints::default();
    let base = base::Base::read(core, &mut constraints)?;

    let mut tables = BTreeMap::new();
    tables.insert("manifest.tsv".to_owned(), manifest(&packages));
    tables.insert("types.tsv".to_owned(), base.table()?);
    tables.insert("search-parameters.tsv".to_owned(), search::table(core, guides)?);
    tables.insert("patient-compartment.tsv".to_owned(), compartment::table(core)?);
    let mut bound = base.required_value_sets();
    for guide in guides {
        let profiles = profile::read(guide, &base, &mut constraints)?;
        bound.extend(profiles.value_sets);
        tables.insert(format!("profiles-{}.tsv", guide.short_name()), profiles.table);
        tables.insert(format!("capability-{}.tsv", guide.short_name()), capability::table(guide)?);
    }
    let (code_systems, value_sets) = terminology::tables(&packages, &bound)?;
    tables.insert("code-systems.tsv".to_owned(), code_systems);
    tables.insert("value-sets.tsv".to_owned(), value_sets);
    tables.insert("concept-maps.tsv".to_owned(), concept_map::table(&packages));
    tables.insert("constraints.tsv".to_owned(), constraints.table()?);
    Ok(tables)
}

fn manifest(packages: &[Package]) -> String {
    let mut table = Table::default();
    for package in packages {
        table.row(&[&package.id(), &package.sha256, &package.dependencies.join(",")]);
    }
    table.into_text()
}
