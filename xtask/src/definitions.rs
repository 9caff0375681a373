//! `cargo xtask definitions DIR [--check]`: FHIR packages in, tables of facts out.
//!
//! The tables and their format are described in `crates/fhir/definitions/README.md`; the code that
//! makes them is the crate `definitions`, as the product has it. The output depends on nothing but the
//! packages, so that `--check` can compare bytes.

use aws_lc_rs::digest;
use definitions::{Constraints, Fault, Package, base, compartment, compile_with, search};
use fhir::schema::{Definitions, Schema};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// The packages that the tables are drawn from, in the order of precedence: later ones know better.
const PACKAGES: [&str; 5] = [
    "hl7.fhir.r4.core#4.0.1",
    "hl7.fhir.us.core#3.1.1",
    "hl7.fhir.us.core#6.1.0",
    "hl7.fhir.us.pacio-pfe#2.0.0",
    "hl7.fhir.us.pacio-rt#1.0.0",
];

/// Definitions of these packages that no table has, and why.
const REFUSED: [(&str, &str); 6] = [
    ("CodeSystem/v2-2.1-0006", NO_URL),
    ("CodeSystem/v2-2.3.1-0360", NO_URL),
    ("CodeSystem/v2-2.4-0006", NO_URL),
    ("CodeSystem/v2-2.4-0391", NO_URL),
    ("CodeSystem/v2-2.6-0391", NO_URL),
    ("CodeSystem/v2-2.7-0360", NO_URL),
];

/// Tables of HL7 v2 as one version of it had them.
const NO_URL: &str = "R4 core gives it no url, so nothing can name it";

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
    let packages = read_packages(directory)?;
    let (core, guides) = packages.split_first().ok_or("no package")?;
    let mut constraints = Constraints::default();
    let (types, schema) = base_of(core, &mut constraints)?;

    let mut tables = BTreeMap::new();
    tables.insert("types.tsv".to_owned(), types);
    tables.insert("search-parameters.tsv".to_owned(), search::table(core, guides)?);
    tables.insert("patient-compartment.tsv".to_owned(), compartment::table(core)?);
    let mut known = Definitions::empty();
    let mut faults = Vec::new();
    for package in &packages {
        let compiled = compile_with(package, &schema, &known, &mut constraints);
        faults.extend(compiled.faults);
        let made = compiled.tables;
        for (name, text) in [
            ("manifest.tsv", &made.manifest),
            ("code-systems.tsv", &made.code_systems),
            ("value-sets.tsv", &made.value_sets),
            ("concept-maps.tsv", &made.concept_maps),
        ] {
            tables.entry(name.to_owned()).or_default().push_str(text);
        }
        tables.insert(format!("profiles-{}.tsv", package.short_name()), made.profiles.clone());
        if package.id() != core.id() {
            tables.insert(format!("capability-{}.tsv", package.short_name()), made.capability.clone());
        }
        known = known.with(vec![made]);
    }
    tables.insert("constraints.tsv".to_owned(), constraints.table());
    check_faults(&faults)?;
    Ok(tables)
}

/// The packages, read from a folder.
///
/// # Errors
/// One that is missing, unreadable or another.
pub(crate) fn read_packages(directory: &Path) -> Result<Vec<Package>, String> {
    let packages = PACKAGES.iter().map(|id| {
        let path = directory.join(format!("{}.tgz", id.replace('#', "-")));
        let packed = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut package = Package::read(packed.as_slice()).map_err(|e| format!("{}: {e}", path.display()))?;
        package.sha256 =
            digest::digest(&digest::SHA256, &packed).as_ref().iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
        if package.id() == *id { Ok(package) } else { Err(format!("{} holds {}", path.display(), package.id())) }
    });
    packages.collect()
}

/// The table of types, and the schema that it is.
///
/// # Errors
/// What the table cannot express.
pub(crate) fn base_of(core: &Package, constraints: &mut Constraints) -> Result<(String, Schema), String> {
    let types = base::Base::read(core, constraints)?.table()?;
    let schema = Schema::of_tables(types.clone(), constraints.table());
    Ok((types, schema))
}

/// Every fault is listed, and every listed fault is there.
fn check_faults(faults: &[Fault]) -> Result<(), String> {
    let is_listed = |fault: &&Fault| REFUSED.iter().any(|(definition, _)| fault.definition == *definition);
    let fresh: Vec<String> = faults.iter().filter(|one| !is_listed(one)).map(ToString::to_string).collect();
    if !fresh.is_empty() {
        return Err(format!("{} definitions cannot be used:\n  {}", fresh.len(), fresh.join("\n  ")));
    }
    match REFUSED.iter().find(|(listed, _)| !faults.iter().any(|fault| fault.definition == *listed)) {
        Some((listed, _)) => Err(format!("{listed} is listed as refused, and is not")),
        None => Ok(()),
    }
}

/// Reading packages for checks.
pub(crate) mod package {
    use ::definitions::package::PackageError;
    use std::{collections::BTreeMap, fs, path::Path};

    /// The examples of a package, as (file name, bytes), in the order of their names.
    ///
    /// # Errors
    /// A package that is missing or unreadable.
    pub(crate) fn examples(path: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
        ::definitions::package::examples(open(path)?).map_err(|e| unreadable(path, &e))
    }

    /// Shows each JSON file of a package, with its path below `package/`, one after another: all of R4
    /// core at once takes more memory than a small machine likes to give.
    ///
    /// # Errors
    /// A package that is missing or unreadable.
    pub(crate) fn each_file(path: &Path, visit: impl FnMut(&str, Vec<u8>)) -> Result<(), String> {
        ::definitions::package::each_file(open(path)?, visit).map_err(|e| unreadable(path, &e))
    }

    fn open(path: &Path) -> Result<fs::File, String> {
        fs::File::open(path).map_err(|e| format!("{}: {e}", path.display()))
    }

    fn unreadable(path: &Path, error: &PackageError) -> String {
        format!("{}: {error}", path.display())
    }
}
