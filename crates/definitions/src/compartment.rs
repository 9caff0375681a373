//! The patient compartment: `patient-compartment.tsv`. SPEC: R4 compartmentdefinition-patient.html.

use crate::{
    package::Package,
    table::Table,
    value::{items, text, texts},
};
use std::collections::BTreeMap;

/// The table: resource type, codes of the search parameters that put it into the compartment.
///
/// # Errors
/// A package without the patient compartment.
pub fn table(core: &Package) -> Result<String, String> {
    let definitions = core.resources("CompartmentDefinition");
    let patient = definitions.into_iter().find(|d| text(*d, "code") == "Patient").ok_or("no patient compartment")?;
    let rows: BTreeMap<String, Vec<String>> =
        items(patient, "resource").map(|r| (text(r, "code"), texts(r, "param"))).collect();
    let mut table = Table::default();
    for (kind, parameters) in rows.iter().filter(|(_, parameters)| !parameters.is_empty()) {
        table.row(&[kind, &parameters.join(" ")]);
    }
    Ok(table.into_text())
}
