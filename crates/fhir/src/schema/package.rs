//! The packages that the tables are drawn from: `manifest.tsv`.

use super::table;
use std::sync::LazyLock;

/// A FHIR package whose facts this server knows.
#[derive(Debug, Clone, Copy)]
pub struct Package {
    /// `hl7.fhir.us.core`.
    pub name: &'static str,
    /// `6.1.0`.
    pub version: &'static str,
    /// SHA-256 of the archive that the tables were drawn from, hexadecimal.
    pub sha256: &'static str,
}

/// The packages in the order of precedence: R4 core first.
#[must_use]
pub fn packages() -> &'static [Package] {
    static PACKAGES: LazyLock<Vec<Package>> = LazyLock::new(|| {
        table::lines(include_str!("../../definitions/manifest.tsv"))
            .map(|mut row| Package { name: row.cell(), version: row.cell(), sha256: row.cell() })
            .collect()
    });
    &PACKAGES
}
