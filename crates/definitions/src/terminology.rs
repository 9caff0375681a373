//! Code systems and value sets: `code-systems.tsv`, `value-sets.tsv`.
//!
//! Compositions stay as they are. A value set that has an expansion alone is written as listed codes.
//! SPEC: R4 codesystem.html, valueset.html. Left out: texts, contacts, expansions beside a composition.

use crate::{
    fault::{Fault, FaultKind},
    limits::CONCEPT_DEPTH_MAX,
    package::Package,
    table::Table,
    value::{is_true, items, text, texts},
};
use fhir::json::Value;
use std::collections::BTreeMap;

/// Whether a definition has a URL that it can be found by.
pub(crate) fn has_url(definition: Value<'_>, faults: &mut Vec<Fault>) -> bool {
    let url = text(definition, "url");
    let is_one = !url.is_empty() && !url.contains(['|', ' ', '\t', '\n', '\r']);
    if !is_one {
        let definition = format!("{}/{}", text(definition, "resourceType"), text(definition, "id"));
        faults.push(Fault { definition, element: String::new(), kind: FaultKind::NoUrl });
    }
    is_one
}

/// The table of code systems: `S`, `Y`, `C`, `Q`, `D`.
pub(crate) fn code_systems(package: &Package, faults: &mut Vec<Fault>) -> String {
    let mut table = Table::default();
    for system in package.resources("CodeSystem").into_iter().filter(|one| has_url(*one, faults)) {
        let insensitive = system.get("caseSensitive").and_then(Value::as_bool) == Some(false);
        table.row(&[
            "S",
            &text(system, "url"),
            &text(system, "version"),
            &package.id(),
            &text(system, "content"),
            if insensitive { "insensitive" } else { "" },
            &text(system, "name"),
            &text(system, "hierarchyMeaning"),
            &text(system, "valueSet"),
            &text(system, "supplements"),
        ]);
        for property in items(system, "property") {
            table.row(&["Y", &text(property, "code"), &text(property, "type"), &text(property, "uri")]);
        }
        write_concepts(&mut table, system, "", 0);
    }
    table.into_text()
}

fn write_concepts(table: &mut Table, holder: Value<'_>, parent: &str, depth: usize) {
    // The JSON reader's limit holds already; this one is for whoever changes that.
    if depth > CONCEPT_DEPTH_MAX {
        return;
    }
    for concept in items(holder, "concept") {
        let code = text(concept, "code");
        table.row(&["C", &code, &text(concept, "display"), parent]);
        for property in items(concept, "property") {
            table.row(&["Q", &text(property, "code"), &property_value(property)]);
        }
        write_designations(table, concept);
        write_concepts(table, concept, &code, depth + 1);
    }
}

/// The value of a property: a Coding as `system|code`.
fn property_value(property: Value<'_>) -> String {
    let Some(value) = property.members().find(|member| member.name().starts_with("value")) else {
        return String::new();
    };
    if value.name() == "valueCoding" {
        return format!("{}|{}", text(value, "system"), text(value, "code"));
    }
    value.as_str().map_or_else(|| value.raw().to_owned(), std::borrow::Cow::into_owned)
}

fn write_designations(table: &mut Table, concept: Value<'_>) {
    for one in items(concept, "designation") {
        let use_code = one.get("use").map(|coding| text(coding, "code")).unwrap_or_default();
        table.row(&["D", &text(one, "language"), &use_code, &text(one, "value")]);
    }
}

/// The table of value sets: `V`, `I`, `X`, `C`, `D`, `F`, `U`.
pub(crate) fn value_sets(package: &Package, faults: &mut Vec<Fault>) -> String {
    let mut table = Table::default();
    for set in package.resources("ValueSet").into_iter().filter(|one| has_url(*one, faults)) {
        let immutable = if is_true(set, "immutable") { "immutable" } else { "" };
        let inactive = set.get("compose").and_then(|compose| compose.get("inactive")).map_or("", Value::raw);
        let (url, version, name) = (text(set, "url"), text(set, "version"), text(set, "name"));
        table.row(&["V", &url, &version, &package.id(), immutable, &name, inactive]);
        match (set.get("compose"), set.get("expansion")) {
            (Some(compose), _) => write_composition(&mut table, compose),
            (None, Some(expansion)) => write_expansion(&mut table, expansion),
            (None, None) => {}
        }
    }
    table.into_text()
}

fn write_composition(table: &mut Table, compose: Value<'_>) {
    for (letter, name) in [("I", "include"), ("X", "exclude")] {
        for part in items(compose, name) {
            table.row(&[letter, &text(part, "system"), &text(part, "version")]);
            for concept in items(part, "concept") {
                table.row(&["C", &text(concept, "code"), &text(concept, "display")]);
                write_designations(table, concept);
            }
            for filter in items(part, "filter") {
                table.row(&["F", &text(filter, "property"), &text(filter, "op"), &text(filter, "value")]);
            }
            for import in texts(part, "valueSet") {
                table.row(&["U", &import]);
            }
        }
    }
}

/// An expansion as includes of listed codes, a system each.
fn write_expansion(table: &mut Table, expansion: Value<'_>) {
    let mut systems: BTreeMap<(String, String), Vec<Value<'_>>> = BTreeMap::new();
    collect(expansion, &mut systems, 0);
    for ((system, version), concepts) in systems {
        table.row(&["I", &system, &version]);
        for concept in concepts {
            table.row(&["C", &text(concept, "code"), &text(concept, "display")]);
            write_designations(table, concept);
        }
    }
}

fn collect<'a>(holder: Value<'a>, systems: &mut BTreeMap<(String, String), Vec<Value<'a>>>, depth: usize) {
    if depth > CONCEPT_DEPTH_MAX {
        return;
    }
    for one in items(holder, "contains") {
        if !is_true(one, "abstract") && one.get("code").is_some() {
            systems.entry((text(one, "system"), text(one, "version"))).or_default().push(one);
        }
        collect(one, systems, depth + 1);
    }
}
