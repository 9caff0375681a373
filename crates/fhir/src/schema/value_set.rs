//! Value sets as they are composed, parsed at first use. SPEC: R4 valueset.html#compositions.
//!
//! A value set that a package gives as an expansion alone is written as listed codes.

use super::{
    code_system::{Designation, designations},
    table::{self, Lines, Shared},
};
use std::sync::OnceLock;

/// A value set of a package.
#[derive(Debug)]
pub struct ValueSet {
    /// Canonical URL.
    pub url: &'static str,
    /// Its version; empty when it has none.
    pub version: &'static str,
    /// Package it comes from: `hl7.fhir.r4.core#4.0.1`.
    pub package: &'static str,
    /// Later versions may not change its meaning.
    pub is_immutable: bool,
    /// Computable name.
    pub name: &'static str,
    /// `compose.inactive`: whether inactive codes belong; `None` when unsaid.
    pub inactive: Option<bool>,
    /// What it includes and excludes. Parsed at first use.
    pub parts: Lines<ValueSetPart>,
    /// The whole expansion that it gives beside a composition of more than lists; else empty. Parsed at first use.
    pub expansion: Lines<ExpandedCode>,
    /// Its codes as (system, code), once they were asked for, by [`super::Schema::value_set_codes`].
    pub(super) codes: OnceLock<Option<Vec<(&'static str, &'static str)>>>,
}

/// One include or exclude: what system and imports have in common.
#[derive(Debug)]
pub struct ValueSetPart {
    /// Codes of it are taken away.
    pub is_exclude: bool,
    /// Canonical of the code system; empty when only value sets are named.
    pub system: &'static str,
    /// Version of the code system; empty: any.
    pub system_version: &'static str,
    /// Listed codes. With none and no filter: all of the system.
    pub codes: Vec<ListedCode>,
    /// Filters, all of which a code must meet.
    pub filters: Vec<ValueSetFilter>,
    /// Canonicals of value sets, each of which must hold the code.
    pub value_sets: Vec<&'static str>,
}

/// A code that a value set lists.
#[derive(Debug, Clone, Copy)]
pub struct ListedCode {
    /// The code.
    pub code: &'static str,
    /// The display that the value set gives it; empty when none.
    pub display: &'static str,
    about: &'static str,
}

impl ListedCode {
    /// Its other names, as the value set gives them.
    pub fn designations(&self) -> impl Iterator<Item = Designation> + use<> {
        designations(self.about)
    }
}

/// A code of an expansion that a value set gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpandedCode {
    /// Canonical of the code system.
    pub system: &'static str,
    /// Version of the code system; empty when unsaid.
    pub system_version: &'static str,
    /// The code.
    pub code: &'static str,
    /// Its display; empty when none.
    pub display: &'static str,
}

/// A filter on the concepts of a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueSetFilter {
    /// A property, or `concept`.
    pub property: &'static str,
    /// `is-a`, `descendent-of`, `=`, `in`, `exists`, `regex`, …
    pub operator: &'static str,
    /// The value.
    pub value: &'static str,
}

impl ValueSet {
    /// What it includes.
    pub fn includes(&self) -> impl Iterator<Item = &ValueSetPart> {
        self.parts.iter().filter(|part| !part.is_exclude)
    }

    /// What it takes away.
    pub fn excludes(&self) -> impl Iterator<Item = &ValueSetPart> {
        self.parts.iter().filter(|part| part.is_exclude)
    }
}

/// The value sets of a table, their heads only.
pub(super) fn read(text: &'static str, shared: Shared) -> Vec<ValueSet> {
    let sets = table::blocks(text, 'V').map(|(mut row, body)| ValueSet {
        url: row.cell(),
        version: row.cell(),
        package: row.cell(),
        is_immutable: row.cell() == "immutable",
        name: row.cell(),
        inactive: row.cell().parse().ok(),
        parts: Lines::new(body, shared, read_parts),
        expansion: Lines::new(body, shared, read_expansion),
        codes: OnceLock::new(),
    });
    sets.collect()
}

fn read_expansion(text: &'static str, _: Shared) -> Vec<ExpandedCode> {
    let rows = table::lines(text).filter_map(|mut row| (row.cell() == "N").then_some(row));
    rows.map(|mut row| ExpandedCode {
        system: row.cell(),
        system_version: row.cell(),
        code: row.cell(),
        display: row.cell(),
    })
    .collect()
}

fn read_parts(text: &'static str, _: Shared) -> Vec<ValueSetPart> {
    let mut parts: Vec<ValueSetPart> = Vec::new();
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\n') {
        let mut row = table::Row::new(line);
        match (row.cell(), parts.last_mut()) {
            (letter @ ("I" | "X"), _) => parts.push(ValueSetPart {
                is_exclude: letter == "X",
                system: row.cell(),
                system_version: row.cell(),
                codes: Vec::new(),
                filters: Vec::new(),
                value_sets: Vec::new(),
            }),
            ("C", Some(part)) => {
                let names = after.split_inclusive('\n').take_while(|line| line.starts_with("D\t"));
                let about = after.split_at_checked(names.map(str::len).sum()).map_or("", |(about, _)| about);
                part.codes.push(ListedCode { code: row.cell(), display: row.cell(), about });
            }
            ("F", Some(part)) => {
                let (property, operator, value) = (row.cell(), row.cell(), row.cell());
                part.filters.push(ValueSetFilter { property, operator, value });
            }
            ("U", Some(part)) => part.value_sets.push(row.cell()),
            _ => {}
        }
        rest = after;
    }
    parts
}
