//! Profiles of a guide: `profiles-GUIDE.tsv`. SPEC: R4 profiling.html, elementdefinition.html.
//!
//! Only elements that say something that the base type does not; slices always. A definition without
//! snapshot (RT) is written as its differential, marked so.

use super::{
    base::Base,
    package::{Package, is_true, items, text, texts},
    table::{Constraints, Table, one_line},
};
use fhir::json::{Value, Writer};
use std::collections::BTreeSet;

/// The profiles of one guide.
pub(crate) struct Profiles {
    /// The table.
    pub(crate) table: String,
    /// Value sets of the bindings that bind: required, extensible, preferred.
    pub(crate) value_sets: BTreeSet<String>,
}

/// Reads the profiles and extensions of a guide. The table: `P url version package type base form abstract`,
/// then `E id min max types flags binding constraints slicing values`.
pub(crate) fn read(guide: &Package, base: &Base, constraints: &mut Constraints) -> Result<Profiles, String> {
    let mut table = Table::default();
    let mut value_sets = BTreeSet::new();
    for definition in guide.resources("StructureDefinition") {
        let url = text(definition, "url");
        let (form, elements) = match (definition.get("snapshot"), definition.get("differential")) {
            (Some(snapshot), _) => ("snapshot", snapshot),
            (None, Some(differential)) => ("differential", differential),
            (None, None) => return Err(format!("{url} has neither snapshot nor differential")),
        };
        let version = match text(definition, "version") {
            version if version.is_empty() => guide.version.clone(),
            version => version,
        };
        table.row(&[
            "P",
            &url,
            &version,
            &guide.id(),
            &text(definition, "type"),
            &text(definition, "baseDefinition"),
            form,
            if is_true(definition, "abstract") { "abstract" } else { "" },
        ]);
        for context in items(definition, "context") {
            table.row(&["X", &text(context, "type"), &text(context, "expression")]);
        }
        for invariant in texts(definition, "contextInvariant") {
            table.row(&["Y", &invariant]);
        }
        for element in items(elements, "element") {
            let (id, path) = (text(element, "id"), text(element, "path"));
            let facts = base.facts(element, constraints);
            if let Some((strength, value_set)) = facts.binding.split_once(' ')
                && strength != "example"
            {
                value_sets.insert(value_set.to_owned());
            }
            let (slicing, values) = (slicing(element), values(element));
            let is_slice = element.get("sliceName").is_some();
            let same = base.element_at(&path).is_some_and(|of_base| *of_base == facts);
            let is_root = !path.contains('.');
            if form == "snapshot" && same && !is_slice && !is_root && slicing.is_empty() && values.is_empty() {
                continue;
            }
            let [min, max, types, flags, binding, constraints] = facts.cells();
            let id = if id.is_empty() { &path } else { &id };
            table.row(&["E", id, min, max, types, flags, binding, constraints, &slicing, &values]);
        }
    }
    Ok(Profiles { table: table.into_text(), value_sets })
}

/// `pattern:$this,value:code;open;ordered`.
fn slicing(element: Value<'_>) -> String {
    let Some(slicing) = element.get("slicing") else { return String::new() };
    let discriminators = items(slicing, "discriminator").map(|d| format!("{}:{}", text(d, "type"), text(d, "path")));
    let ordered = if is_true(slicing, "ordered") { ";ordered" } else { "" };
    format!("{};{}{ordered}", discriminators.collect::<Vec<_>>().join(","), text(slicing, "rules"))
}

/// Fixed and pattern values and bounds, as one JSON object.
fn values(element: Value<'_>) -> String {
    let wanted = |name: &str| {
        ["fixed", "pattern", "minValue", "maxValue", "maxLength"].iter().any(|start| name.starts_with(start))
    };
    let mut w = Writer::new();
    w.object(|w| {
        for member in element.members().filter(|member| wanted(member.name())) {
            w.key(member.name());
            w.value(member);
        }
    });
    let json = one_line(&String::from_utf8_lossy(&w.into_bytes()));
    if json == "{}" { String::new() } else { json }
}
