//! The packages that the tables are drawn from: `manifest.tsv`.

use super::{Definitions, table};

/// A FHIR package whose facts this server knows.
#[derive(Debug, Clone, Copy)]
pub struct Package {
    /// `hl7.fhir.us.core`.
    pub name: &'static str,
    /// `6.1.0`.
    pub version: &'static str,
    /// `hl7.fhir.us.core#6.1.0`.
    pub id: &'static str,
    /// SHA-256 of the archive that the tables were drawn from, hexadecimal; empty for a definition
    /// that came alone.
    pub sha256: &'static str,
    /// Ids of the packages that it depends on, between commas.
    dependencies: &'static str,
}

impl Package {
    /// Ids of the packages that it depends on (`hl7.fhir.us.core#6.1.0`), as its `package.json` says.
    pub fn dependencies(&self) -> impl Iterator<Item = &'static str> + use<> {
        table::list(self.dependencies, ',').into_iter()
    }
}

/// The compiled-in packages in the order of precedence: R4 core first.
#[must_use]
pub fn packages() -> &'static [Package] {
    Definitions::builtin().packages()
}

/// Lines of id, SHA-256, dependencies.
pub(super) fn read(text: &'static str) -> Vec<Package> {
    let rows = table::lines(text).map(|mut row| {
        let id = row.cell();
        let (name, version) = id.split_once('#').unwrap_or((id, ""));
        Package { name, version, id, sha256: row.cell(), dependencies: row.cell() }
    });
    rows.collect()
}
