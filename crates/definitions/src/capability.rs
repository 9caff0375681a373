//! What a guide's CapabilityStatement asks of a server: `capability-GUIDE.tsv`.
//!
//! SPEC: R4 capabilitystatement.html, extension capabilitystatement-expectation and
//! capabilitystatement-search-parameter-combination. Left out: messaging, documents, client statements.

use crate::{
    mend,
    package::Package,
    table::Table,
    value::{items, last_segment, text, texts},
};
use fhir::json::Value;
use std::collections::BTreeMap;

const EXPECTATION: &str = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation";
const COMBINATION: &str = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-search-parameter-combination";

/// The table, a line for each expectation; see the README for its letters.
pub(crate) fn table(guide: &Package) -> String {
    let mut table = Table::default();
    for statement in guide.resources("CapabilityStatement") {
        for rest in items(statement, "rest").filter(|rest| text(*rest, "mode") == "server") {
            table.row(&["C", &text(statement, "url"), &guide.version]);
            for interaction in items(rest, "interaction") {
                table.row(&["W", &text(interaction, "code"), &expectation(interaction)]);
            }
            let mut resources: Vec<_> = items(rest, "resource").collect();
            resources.sort_by_key(|r| text(*r, "type"));
            for resource in resources {
                write_resource(&mut table, resource);
            }
        }
    }
    table.into_text()
}

fn write_resource(table: &mut Table, resource: Value<'_>) {
    let kind = text(resource, "type");
    table.row(&["R", &kind, &expectation(resource)]);
    for (profile, expected) in with_expectations(resource, "supportedProfile") {
        table.row(&["P", &profile, &expected]);
    }
    for interaction in items(resource, "interaction") {
        table.row(&["I", &text(interaction, "code"), &expectation(interaction)]);
    }
    for (letter, name) in [("N", "searchInclude"), ("V", "searchRevInclude")] {
        for (value, expected) in with_expectations(resource, name) {
            table.row(&[letter, &value.replacen('.', ":", 1), &expected]);
        }
    }
    let mut parameters: BTreeMap<String, (String, String, String)> = BTreeMap::new();
    for parameter in items(resource, "searchParam") {
        let (definition, written) = (text(parameter, "definition"), text(parameter, "name"));
        let name = mend::capability_name(&kind, &written);
        let fresh = (text(parameter, "type"), expectation(parameter), definition);
        // WHY: PFE names some parameters twice, under two spellings; the stronger word counts.
        let stronger = parameters.get(&name).is_none_or(|(_, have, _)| strength(&fresh.1) > strength(have));
        if stronger {
            parameters.insert(name, fresh);
        }
    }
    for (name, (search_type, expected, definition)) in &parameters {
        table.row(&["S", name, search_type, expected, definition]);
    }
    for combination in items(resource, "extension").filter(|e| text(*e, "url") == COMBINATION) {
        let required = items(combination, "extension").filter(|e| text(*e, "url") == "required");
        let codes: Vec<_> = required.map(|e| mend::capability_name(&kind, &text(e, "valueString"))).collect();
        table.row(&["X", &codes.join(" "), &expectation(combination)]);
    }
    for operation in items(resource, "operation") {
        let name = text(operation, "name");
        let name = if name.is_empty() { last_segment(&text(operation, "definition")).to_owned() } else { name };
        table.row(&["O", &name, &expectation(operation), &text(operation, "definition")]);
    }
}

fn strength(expectation: &str) -> usize {
    ["MAY", "SHOULD", "SHALL"].iter().position(|word| *word == expectation).map_or(0, |at| at + 1)
}

fn expectation(value: Value<'_>) -> String {
    items(value, "extension").find(|e| text(*e, "url") == EXPECTATION).map(|e| text(e, "valueCode")).unwrap_or_default()
}

/// The items of an array of primitives, each with its expectation: that stands in the `_` companion.
fn with_expectations(value: Value<'_>, name: &str) -> Vec<(String, String)> {
    let mut companions = items(value, &format!("_{name}"));
    let expected = || companions.next().map(expectation).unwrap_or_default();
    let values = texts(value, name).into_iter();
    values.zip(std::iter::repeat_with(expected)).collect()
}
