//! Code systems and value sets: `code-systems.tsv`, `value-sets.tsv`.
//!
//! All of the guides, and of R4 core those that a binding of the tables names, with all that they
//! include. Compositions stay as they are; `fhir::schema` says which can be enumerated.
//! SPEC: R4 valueset.html, codesystem.html. Left out: designations, properties, expansions.

use super::{
    package::{Package, is_true, items, text, texts},
    table::Table,
};
use fhir::json::Value;
use std::collections::{BTreeMap, BTreeSet};

type Key = (String, usize);

/// The two tables: code systems, value sets.
pub(crate) fn tables(packages: &[Package], bound: &BTreeSet<String>) -> Result<(String, String), String> {
    let value_sets = index(packages, "ValueSet");
    let code_systems = index(packages, "CodeSystem");
    let mut wanted_sets: BTreeSet<Key> = value_sets.keys().filter(|(_, rank)| *rank > 0).cloned().collect();
    let mut wanted_systems: BTreeSet<Key> = code_systems.keys().filter(|(_, rank)| *rank > 0).cloned().collect();
    wanted_sets.extend(bound.iter().flat_map(|canonical| all_of(&value_sets, canonical)));

    let mut open: Vec<Key> = wanted_sets.iter().cloned().collect();
    while let Some(key) = open.pop() {
        let Some(compose) = value_sets.get(&key).and_then(|set| set.get("compose")) else { continue };
        for part in items(compose, "include").chain(items(compose, "exclude")) {
            wanted_systems.extend(all_of(&code_systems, &text(part, "system")));
            for import in texts(part, "valueSet") {
                let fresh = all_of(&value_sets, &import).into_iter().filter(|key| wanted_sets.insert(key.clone()));
                open.extend(fresh.collect::<Vec<_>>());
            }
        }
    }
    Ok((system_table(packages, &code_systems, &wanted_systems), set_table(packages, &value_sets, &wanted_sets)))
}

/// Resources of one type by URL and position of their package.
fn index<'a>(packages: &'a [Package], kind: &str) -> BTreeMap<Key, Value<'a>> {
    let all = packages.iter().enumerate().flat_map(|(rank, package)| {
        package.resources(kind).into_iter().map(move |resource| ((text(resource, "url"), rank), resource))
    });
    all.collect()
}

fn all_of(index: &BTreeMap<Key, Value<'_>>, canonical: &str) -> Vec<Key> {
    let url = canonical.split('|').next().unwrap_or(canonical);
    index.keys().filter(|(of, _)| of == url).cloned().collect()
}

fn system_table(packages: &[Package], index: &BTreeMap<Key, Value<'_>>, wanted: &BTreeSet<Key>) -> String {
    let mut table = Table::default();
    for (key, system) in index.iter().filter(|(key, _)| wanted.contains(key)) {
        let package = packages.get(key.1).map(Package::id).unwrap_or_default();
        let insensitive = system.get("caseSensitive").and_then(Value::as_bool) == Some(false);
        table.row(&[
            "S",
            &key.0,
            &text(*system, "version"),
            &package,
            &text(*system, "content"),
            if insensitive { "insensitive" } else { "" },
            &text(*system, "name"),
            &text(*system, "hierarchyMeaning"),
            &text(*system, "valueSet"),
            &text(*system, "supplements"),
        ]);
        for property in items(*system, "property") {
            table.row(&["Y", &text(property, "code"), &text(property, "type"), &text(property, "uri")]);
        }
        write_concepts(&mut table, *system, "");
    }
    table.into_text()
}

fn write_concepts(table: &mut Table, holder: Value<'_>, parent: &str) {
    for concept in items(holder, "concept") {
        let code = text(concept, "code");
        table.row(&["C", &code, &text(concept, "display"), parent]);
        for property in items(concept, "property") {
            table.row(&["Q", &text(property, "code"), &property_value(property)]);
        }
        write_designations(table, concept);
        write_concepts(table, concept, &code);
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

fn set_table(packages: &[Package], index: &BTreeMap<Key, Value<'_>>, wanted: &BTreeSet<Key>) -> String {
    let mut table = Table::default();
    for (key, set) in index.iter().filter(|(key, _)| wanted.contains(key)) {
        let package = packages.get(key.1).map(Package::id).unwrap_or_default();
        let immutable = if is_true(*set, "immutable") { "immutable" } else { "" };
        let inactive = set.get("compose").and_then(|compose| compose.get("inactive")).map_or("", Value::raw);
        table.row(&["V", &key.0, &text(*set, "version"), &package, immutable, &text(*set, "name"), inactive]);
        let Some(compose) = set.get("compose") else { continue };
        for (letter, name) in [("I", "include"), ("X", "exclude")] {
            for part in items(compose, name) {
                table.row(&[letter, &text(part, "system"), &text(part, "version")]);
                for concept in items(part, "concept") {
                    table.row(&["C", &text(concept, "code"), &text(concept, "display")]);
                    write_designations(&mut table, concept);
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
    table.into_text()
}
