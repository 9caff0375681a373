//! Code systems, their concepts parsed at first use. SPEC: R4 codesystem.html.

use super::table::{self, Lines, Row, Shared};
use std::collections::BTreeSet;

/// A code system of a package.
#[derive(Debug)]
pub struct CodeSystem {
    /// Canonical URL.
    pub url: &'static str,
    /// Its version; empty when it has none.
    pub version: &'static str,
    /// Package it comes from: `hl7.fhir.r4.core#4.0.1`.
    pub package: &'static str,
    /// `complete`, `fragment`, `example`, `not-present`, `supplement`.
    pub content: &'static str,
    /// All codes are here.
    pub is_complete: bool,
    /// Codes differ by case.
    pub is_case_sensitive: bool,
    /// Computable name.
    pub name: &'static str,
    /// `is-a`, `grouped-by`, `part-of`, `classified-with`; empty when unsaid.
    pub hierarchy_meaning: &'static str,
    /// Canonical of the value set of all its codes; empty when none is named.
    pub value_set: &'static str,
    /// Canonical of the system that it supplements; empty for others.
    pub supplements: &'static str,
    /// Its properties, as declared: code, type (`code`, `Coding`, `string`, …), URI.
    pub properties: Vec<(&'static str, &'static str, &'static str)>,
    /// The codes, parents before their children. Parsed at first use.
    pub concepts: Lines<Concept>,
}

/// A code of a code system.
#[derive(Debug, Clone, Copy)]
pub struct Concept {
    /// The code.
    pub code: &'static str,
    /// Its display; empty when it has none.
    pub display: &'static str,
    /// The code above it; empty at the top. More parents may stand in its properties.
    pub parent: &'static str,
    /// Lines of properties and designations.
    about: &'static str,
}

/// Another name of a concept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Designation {
    /// Language (BCP 47); empty when unsaid.
    pub language: &'static str,
    /// Code of its use; empty when unsaid.
    pub use_code: &'static str,
    /// The name.
    pub value: &'static str,
}

impl Concept {
    /// Its properties, as (code, value). A Coding is `system|code`.
    pub fn properties(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        of_letter(self.about, "Q").map(|mut row| (row.cell(), row.cell()))
    }

    /// Its other names.
    pub fn designations(&self) -> impl Iterator<Item = Designation> + use<> {
        designations(self.about)
    }
}

pub(super) fn designations(about: &'static str) -> impl Iterator<Item = Designation> + use<> {
    let rows = of_letter(about, "D");
    rows.map(|mut row| Designation { language: row.cell(), use_code: row.cell(), value: row.cell() })
}

fn of_letter(text: &'static str, letter: &'static str) -> impl Iterator<Item = Row> + use<> {
    table::lines(text).filter_map(move |mut row| (row.cell() == letter).then_some(row))
}

impl CodeSystem {
    /// The concept of this code.
    #[must_use]
    pub fn concept(&self, code: &str) -> Option<&Concept> {
        self.concepts.iter().find(|concept| concept.code == code)
    }

    /// A code and all below it.
    #[must_use]
    pub fn tree(&self, top: &str) -> BTreeSet<&'static str> {
        let mut held: BTreeSet<&'static str> = BTreeSet::new();
        for concept in &self.concepts {
            if concept.code == top || held.contains(concept.parent) {
                held.insert(concept.code);
            }
        }
        held
    }
}

/// The code systems of a table, their heads only.
pub(super) fn read(text: &'static str, shared: Shared) -> Vec<CodeSystem> {
    let systems = table::blocks(text, 'S').map(|(mut row, body)| {
        let (url, version, package) = (row.cell(), row.cell(), row.cell());
        let content = row.cell();
        let is_case_sensitive = row.cell() != "insensitive";
        let (name, hierarchy_meaning, value_set, supplements) = (row.cell(), row.cell(), row.cell(), row.cell());
        // The lines of properties stand before those of concepts.
        let declared = table::lines(body).map_while(|mut row| (row.cell() == "Y").then_some(row));
        CodeSystem {
            url,
            version,
            package,
            content,
            is_complete: content == "complete",
            is_case_sensitive,
            name,
            hierarchy_meaning,
            value_set,
            supplements,
            properties: declared.map(|mut row| (row.cell(), row.cell(), row.cell())).collect(),
            concepts: Lines::new(body, shared, read_concepts),
        }
    });
    systems.collect()
}

fn read_concepts(text: &'static str, _: Shared) -> Vec<Concept> {
    let blocks = table::blocks(text, 'C');
    blocks
        .map(|(mut row, about)| Concept { code: row.cell(), display: row.cell(), parent: row.cell(), about })
        .collect()
}
