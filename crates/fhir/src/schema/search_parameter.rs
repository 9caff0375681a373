//! Search parameters. SPEC: R4 searchparameter.html.

use super::table;

/// A search parameter as its package declares it, faults of the guides mended (see `definitions/README.md`).
#[derive(Debug)]
pub struct SearchParameterDefinition {
    /// Canonical URL.
    pub url: &'static str,
    /// Name in the query string.
    pub code: &'static str,
    /// Resource types it searches; `Resource` and `DomainResource` stand for all.
    pub base: Vec<&'static str>,
    /// `token`, `reference`, … `special`.
    pub kind: &'static str,
    /// FHIRPath; empty for `_text`, `_content` and `_query`.
    pub expression: &'static str,
    /// Resource types a reference may point at; empty: any.
    pub target: Vec<&'static str>,
    /// For composites: definition URL and expression of each component.
    pub components: Vec<(&'static str, &'static str)>,
    /// Package it comes from: `hl7.fhir.r4.core#4.0.1`.
    pub package: &'static str,
    /// Canonical URLs of parameters with the same types and code that this one stands for as well
    /// (a guide repeats R4's, or replaces it).
    pub also: Vec<&'static str>,
}

/// Reads `search-parameters.tsv`.
pub(super) fn read(text: &'static str) -> Vec<SearchParameterDefinition> {
    let mut list: Vec<SearchParameterDefinition> = Vec::with_capacity(1400);
    for mut row in table::lines(text) {
        match (row.cell(), list.last_mut()) {
            ("K", Some(last)) => last.components.push((row.cell(), row.cell())),
            ("A", Some(last)) => last.also.push(row.cell()),
            _ => list.push(SearchParameterDefinition {
                url: row.cell(),
                code: row.cell(),
                base: row.list(','),
                kind: row.cell(),
                package: row.cell(),
                target: row.list(','),
                expression: row.cell(),
                components: Vec::new(),
                also: Vec::new(),
            }),
        }
    }
    list
}
