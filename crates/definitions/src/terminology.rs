//! Code systems and value sets: `code-systems.tsv`, `value-sets.tsv`.
//!
//! Compositions stay as they are. A value set that has an expansion alone is written as listed codes.
//! SPEC: R4 codesystem.html, valueset.html. Left out: texts, contacts, expansions of a part.

use crate::{
    concept_map,
    fault::{Fault, FaultKind},
    limits::CONCEPT_DEPTH_MAX,
    table::Table,
    value::{is_true, items, text, texts},
};
use fhir::json::Value;
use std::collections::BTreeMap;

/// Lines of one code system, value set or concept map. They are written when the definition is read, so
/// that a package of them is never in memory as it is: only what the tables keep of it.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) url: String,
    pub(crate) version: String,
    letter: &'static str,
    /// Cells behind the package's.
    head: Vec<String>,
    body: String,
}

impl Block {
    /// The lines of a definition; `None` when it is of another type.
    pub(crate) fn of(definition: Value<'_>) -> Option<Self> {
        let (letter, head, body) = match text(definition, "resourceType").as_str() {
            "CodeSystem" => code_system(definition),
            "ValueSet" => value_set(definition),
            "ConceptMap" => concept_map::lines(definition),
            _ => return None,
        };
        Some(Self { url: text(definition, "url"), version: text(definition, "version"), letter, head, body })
    }

    /// Bytes that it takes.
    pub(crate) fn len(&self) -> usize {
        self.body.len() + self.head.iter().map(String::len).sum::<usize>() + self.url.len() + self.version.len()
    }

    fn write(&self, table: &mut Table, package: &str) {
        let mut row = vec![self.letter, &self.url, &self.version, package];
        row.extend(self.head.iter().map(String::as_str));
        table.row(&row);
        table.append(&self.body);
    }
}

/// The table of the blocks of one letter, in the order of their URLs.
pub(crate) fn table(blocks: &[Block], letter: &str, package: &str) -> String {
    let mut own: Vec<&Block> = blocks.iter().filter(|block| block.letter == letter).collect();
    own.sort_by_key(|block| (&block.url, &block.version));
    let mut table = Table::default();
    own.into_iter().for_each(|block| block.write(&mut table, package));
    table.into_text()
}

/// Letter, cells and lines of a definition.
pub(crate) type Lines = (&'static str, Vec<String>, String);

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

/// A code system: `S`, `Y`, `C`, `Q`, `D`.
fn code_system(system: Value<'_>) -> Lines {
    let mut table = Table::default();
    for property in items(system, "property") {
        table.row(&["Y", &text(property, "code"), &text(property, "type"), &text(property, "uri")]);
    }
    write_concepts(&mut table, system, "", 0);
    let insensitive = system.get("caseSensitive").and_then(Value::as_bool) == Some(false);
    let mut head = vec![text(system, "content"), if insensitive { "insensitive" } else { "" }.to_owned()];
    head.extend(["name", "hierarchyMeaning", "valueSet", "supplements"].map(|name| text(system, name)));
    ("S", head, table.into_text())
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

/// A value set: `V`, `I`, `X`, `C`, `D`, `F`, `U`, `N`.
fn value_set(set: Value<'_>) -> Lines {
    let mut table = Table::default();
    match (set.get("compose"), set.get("expansion")) {
        (Some(compose), expansion) => {
            write_composition(&mut table, compose);
            if let Some(expansion) = expansion.filter(|_| !is_of_lists(compose)) {
                write_whole_expansion(&mut table, expansion);
            }
        }
        (None, Some(expansion)) => write_expansion(&mut table, expansion),
        (None, None) => {}
    }
    let immutable = if is_true(set, "immutable") { "immutable" } else { "" };
    let inactive = set.get("compose").and_then(|compose| compose.get("inactive")).map_or("", Value::raw);
    ("V", vec![immutable.to_owned(), text(set, "name"), inactive.to_owned()], table.into_text())
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

/// Whether a composition lists all its codes, so that no expansion is needed to know them.
fn is_of_lists(compose: Value<'_>) -> bool {
    items(compose, "include").all(|part| part.get("concept").is_some() && part.get("valueSet").is_none())
}

/// The codes of an expansion that is whole: no page of one, and as many codes as it says.
fn write_whole_expansion(table: &mut Table, expansion: Value<'_>) {
    let mut systems: BTreeMap<(String, String), Vec<Value<'_>>> = BTreeMap::new();
    collect(expansion, &mut systems, 0);
    let count: usize = systems.values().map(Vec::len).sum();
    let total = expansion.get("total").and_then(Value::number_text);
    if expansion.get("offset").is_some() || total.is_some_and(|total| total != count.to_string()) {
        return;
    }
    for ((system, version), codes) in systems {
        for one in codes {
            table.row(&["N", &system, &version, &text(one, "code"), &text(one, "display")]);
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
