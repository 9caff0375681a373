//! Concept maps, parsed at first use. SPEC: R4 conceptmap.html. Left out: products.

use super::table::{self, Lines, Shared};

/// A concept map of a package.
#[derive(Debug)]
pub struct ConceptMap {
    /// Canonical URL.
    pub url: &'static str,
    /// Its version; empty when it has none.
    pub version: &'static str,
    /// Package it comes from.
    pub package: &'static str,
    /// Canonical of the value set that it maps from; empty when unsaid.
    pub source: &'static str,
    /// Canonical of the value set that it maps to; empty when unsaid.
    pub target: &'static str,
    /// Computable name.
    pub name: &'static str,
    /// The groups. Parsed at first use.
    pub groups: Lines<ConceptMapGroup<'static>>,
}

/// Codes of one system to codes of another.
#[derive(Debug)]
pub struct ConceptMapGroup<'a> {
    /// Canonical of the system that it maps from.
    pub source: &'a str,
    /// Version of that system; empty when unsaid.
    pub source_version: &'a str,
    /// Canonical of the system that it maps to.
    pub target: &'a str,
    /// Version of that system; empty when unsaid.
    pub target_version: &'a str,
    /// What becomes of a code that is not listed: `provided`, `fixed`, `other-map`; empty: no match.
    pub unmapped: &'a str,
    /// The code of `fixed`, the canonical of `other-map`.
    pub unmapped_to: &'a str,
    /// Display of the code of `fixed`; empty when none.
    pub unmapped_display: &'a str,
    /// The mappings, those of one code together.
    pub mappings: Vec<Mapping<'a>>,
}

/// One code to one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping<'a> {
    /// The code that is mapped.
    pub from: &'a str,
    /// The code that it is mapped to; empty when there is none (`unmatched`).
    pub to: &'a str,
    /// Display of that code; empty when none is given.
    pub display: &'a str,
    /// Code of ConceptMapEquivalence.
    pub equivalence: &'static str,
    /// It holds only under conditions (`dependsOn`), which are not here.
    pub is_conditional: bool,
}

/// The concept maps of a table, their heads only.
pub(super) fn read(text: &'static str, shared: Shared) -> Vec<ConceptMap> {
    let maps = table::blocks(text, 'M').map(|(mut row, body)| ConceptMap {
        url: row.cell(),
        version: row.cell(),
        package: row.cell(),
        source: row.cell(),
        target: row.cell(),
        name: row.cell(),
        groups: Lines::new(body, shared, read_groups),
    });
    maps.collect()
}

fn read_groups(text: &'static str, _: Shared) -> Vec<ConceptMapGroup<'static>> {
    let groups = table::blocks(text, 'G').map(|(mut row, body)| ConceptMapGroup {
        source: row.cell(),
        source_version: row.cell(),
        target: row.cell(),
        target_version: row.cell(),
        unmapped: row.cell(),
        unmapped_to: row.cell(),
        unmapped_display: row.cell(),
        mappings: read_mappings(body),
    });
    groups.collect()
}

fn read_mappings(text: &'static str) -> Vec<Mapping<'static>> {
    let rows = table::lines(text).filter_map(|mut row| (row.cell() == "T").then_some(row));
    rows.map(|mut row| Mapping {
        from: row.cell(),
        to: row.cell(),
        equivalence: row.cell(),
        display: row.cell(),
        is_conditional: row.cell() == "conditional",
    })
    .collect()
}
