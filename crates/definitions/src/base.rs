//! Types and elements of R4 core: `types.tsv`.
//!
//! SPEC: R4 structuredefinition.html, elementdefinition.html. Left out: mappings, examples. Profiles
//! are read elsewhere, upon the schema that this table becomes.

use crate::{
    mend,
    package::Package,
    table::{Constraints, Table},
    value::{is_true, items, last_segment, text, texts},
};
use fhir::json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Facts of one element, each as the cell that states it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Facts {
    min: String,
    max: String,
    types: String,
    flags: String,
    binding: String,
    constraints: String,
}

impl Facts {
    fn cells(&self) -> [&str; 6] {
        [&self.min, &self.max, &self.types, &self.flags, &self.binding, &self.constraints]
    }
}

#[derive(Debug, Default)]
struct Type {
    kind: &'static str,
    base: String,
    is_abstract: bool,
    constraints: String,
    elements: Vec<(String, Facts)>,
}

/// All types of R4 core.
#[derive(Debug)]
pub struct Base {
    types: BTreeMap<String, Type>,
    /// Keys of the invariants that stand on the types themselves, by type name.
    root_keys: BTreeMap<String, BTreeSet<String>>,
}

impl Base {
    /// Reads the types of R4 core.
    ///
    /// # Errors
    /// What the table cannot express, by element.
    pub fn read(core: &Package, constraints: &mut Constraints) -> Result<Self, String> {
        let definitions: Vec<_> = core
            .resources("StructureDefinition")
            .into_iter()
            .filter(|d| text(*d, "derivation") != "constraint" && text(*d, "kind") != "logical")
            .filter(|d| text(*d, "fhirVersion") == core.version)
            .collect();
        let root_keys = definitions.iter().map(|d| (text(*d, "type"), root_keys(*d))).collect();
        let mut base = Self { types: BTreeMap::new(), root_keys };
        for definition in definitions {
            base.read_type(definition, constraints)?;
        }
        mend::evidence_variable(&mut |path, row| base.put(path, row));
        for (name, one) in &base.types {
            for (path, facts) in &one.elements {
                for code in facts.types.split(' ').map(|t| t.split(['<', '>']).next().unwrap_or(t)) {
                    if !base.types.contains_key(code) {
                        return Err(format!("{name}: {path} has the unknown type {code:?}"));
                    }
                }
            }
        }
        Ok(base)
    }

    fn read_type(&mut self, definition: Value<'_>, constraints: &mut Constraints) -> Result<(), String> {
        let name = text(definition, "type");
        let kind = match text(definition, "kind").as_str() {
            "resource" => "resource",
            "complex-type" => "complex",
            "primitive-type" => "primitive",
            other => return Err(format!("{name}: unknown kind {other:?}")),
        };
        let snapshot = definition.get("snapshot").ok_or_else(|| format!("{name} has no snapshot"))?;
        let elements: Vec<_> = items(snapshot, "element").collect();
        let paths: BTreeSet<String> = elements.iter().map(|e| text(*e, "path")).collect();
        let parents: BTreeSet<&str> = paths.iter().filter_map(|p| Some(p.rsplit_once('.')?.0)).collect();
        let differential = definition.get("differential").ok_or_else(|| format!("{name} has no differential"))?;
        let own: BTreeMap<String, Value<'_>> =
            items(differential, "element").map(|element| (text(element, "path"), element)).collect();
        let mut later = BTreeSet::new();
        for element in &elements {
            let path = text(*element, "path");
            let of_differential = own.get(&path);
            // WHY: the package at hand has elements of later drafts in its snapshots; its differentials
            // are those of R4.
            let is_own = element.get("base").is_some_and(|base| text(base, "path") == path);
            let is_later = (is_own && of_differential.is_none() && !mend::is_mended(&name)) || mend::is_later(&path);
            if is_later || path.rsplit_once('.').is_some_and(|(parent, _)| later.contains(parent)) {
                later.insert(path);
                continue;
            }
            let Some((parent, own)) = path.rsplit_once('.') else {
                let base = last_segment(&text(definition, "baseDefinition")).to_owned();
                let constraints = constraint_ids(*element, constraints, &BTreeSet::new());
                let is_abstract = is_true(definition, "abstract");
                self.types.insert(path, Type { kind, base, is_abstract, constraints, elements: Vec::new() });
                continue;
            };
            // WHY: a primitive's `value` is the primitive itself; as an element it would never end.
            if kind == "primitive" && own == "value" {
                continue;
            }
            let mut facts = self.facts(*element, constraints);
            if let Some(stated) = of_differential.filter(|_| is_own && !mend::is_mended(&name)) {
                if stated.get("type").is_some() {
                    facts.types = self.facts(*stated, constraints).types;
                }
                // A required binding of R4 names a version; one that does not is of later.
                if facts.binding.starts_with("required ") && !facts.binding.contains('|') {
                    facts.binding = binding_cell(*stated);
                }
            }
            if parents.contains(path.as_str()) {
                let base = facts.types.clone();
                let constraints = "ele-1".to_owned();
                let backbone = Type { kind: "backbone", base, is_abstract: false, constraints, elements: Vec::new() };
                self.types.insert(path.clone(), backbone);
                facts.types.clone_from(&path);
            }
            if kind == "resource" && own == "id" && parent == name {
                "id".clone_into(&mut facts.types);
            }
            let holder = self.types.get_mut(parent).ok_or_else(|| format!("{path} stands before its parent"))?;
            holder.elements.push((path, facts));
        }
        Ok(())
    }

    fn put(&mut self, path: &str, row: mend::Row) {
        match row {
            mend::Row::Clear => {
                self.types.retain(|name, _| !name.starts_with(&format!("{path}.")));
                if let Some(one) = self.types.get_mut(path) {
                    one.elements.retain(|(own, _)| {
                        [".id", ".extension", ".modifierExtension"].iter().any(|kept| own == &format!("{path}{kept}"))
                    });
                }
            }
            mend::Row::Element(min, max, types, binding) => {
                let facts = Facts {
                    min: min.to_owned(),
                    max: max.to_owned(),
                    types: types.to_owned(),
                    binding: binding.to_owned(),
                    ..Facts::default()
                };
                let parent = path.rsplit_once('.').map_or(path, |(parent, _)| parent);
                if let Some(one) = self.types.get_mut(parent) {
                    match one.elements.iter_mut().find(|(own, _)| own == path) {
                        Some((_, have)) => {
                            let (flags, constraints) = (have.flags.clone(), have.constraints.clone());
                            *have = Facts { flags, constraints, ..facts };
                        }
                        None => one.elements.push((path.to_owned(), facts)),
                    }
                }
            }
        }
    }

    /// The facts that an ElementDefinition states, profiled types included.
    fn facts(&self, element: Value<'_>, constraints: &mut Constraints) -> Facts {
        let types = match element.get("contentReference").and_then(Value::as_str) {
            Some(reference) => reference.split_once('#').map_or_else(String::new, |(_, path)| path.to_owned()),
            None => items(element, "type").map(|one| self.type_cell(one)).collect::<Vec<_>>().join(" "),
        };
        let mut inherited: BTreeSet<String> = ["ele-1".to_owned()].into();
        for code in types.split(' ').map(|t| t.split(['<', '>']).next().unwrap_or(t)) {
            inherited.extend(self.root_keys.get(code).into_iter().flatten().cloned());
        }
        let mut flags = String::new();
        for (name, flag) in [("isModifier", 'm'), ("isSummary", 's'), ("mustSupport", 'M')] {
            if is_true(element, name) {
                flags.push(flag);
            }
        }
        let min = element.get("min").map_or("", Value::raw).to_owned();
        let max = text(element, "max");
        let constraints = constraint_ids(element, constraints, &inherited);
        Facts { min, max, types, flags, binding: binding_cell(element), constraints }
    }

    /// The table: `T name kind base abstract constraints`, then `E path min max types flags binding constraints`.
    ///
    /// # Errors
    /// An element without type.
    pub fn table(&self) -> Result<String, String> {
        let mut table = Table::default();
        for (name, one) in &self.types {
            table.row(&[
                "T",
                name,
                one.kind,
                &one.base,
                if one.is_abstract { "abstract" } else { "" },
                &one.constraints,
            ]);
            for (path, facts) in &one.elements {
                let [min, max, types, flags, binding, constraints] = facts.cells();
                if types.is_empty() {
                    return Err(format!("{path} has no type"));
                }
                table.row(&["E", path, min, max, types, flags, binding, constraints]);
            }
        }
        Ok(table.into_text())
    }
}

fn root_keys(definition: Value<'_>) -> BTreeSet<String> {
    let root = definition.get("snapshot").and_then(|s| items(s, "element").next());
    root.into_iter().flat_map(|root| items(root, "constraint")).map(|c| text(c, "key")).collect()
}

fn constraint_ids(element: Value<'_>, constraints: &mut Constraints, inherited: &BTreeSet<String>) -> String {
    let mut ids = Vec::new();
    for constraint in items(element, "constraint") {
        let (key, expression) = (text(constraint, "key"), text(constraint, "expression"));
        if !expression.is_empty() && !inherited.contains(&key) {
            ids.push(constraints.id(&key, text(constraint, "severity") == "error", &expression));
        }
    }
    ids.join(" ")
}

fn binding_cell(element: Value<'_>) -> String {
    let Some(binding) = element.get("binding") else { return String::new() };
    let value_set = text(binding, "valueSet");
    if value_set.is_empty() {
        return String::new();
    }
    let max = items(binding, "extension").find(|one| text(*one, "url").ends_with("/elementdefinition-maxValueSet"));
    let max = max.map(|one| text(one, "valueCanonical")).unwrap_or_default();
    format!("{} {value_set} {max}", text(binding, "strength")).trim_end().to_owned()
}

impl Base {
    /// `Reference>Patient,Group`, `Quantity<URL`, `Quantity`.
    fn type_cell(&self, one: Value<'_>) -> String {
        let code = text(one, "code");
        let mut cell = match code.strip_prefix("http://hl7.org/fhirpath/System.") {
            None => code,
            Some(system) => items(one, "extension")
                .find(|e| text(*e, "url").ends_with("/structuredefinition-fhir-type"))
                .map_or_else(|| system.to_ascii_lowercase(), |e| text(e, "valueUrl")),
        };
        for (mark, name) in [('<', "profile"), ('>', "targetProfile")] {
            let names: Vec<String> =
                texts(one, name).iter().map(|url| self.short(url)).filter(|n| n != "Resource").collect();
            if !names.is_empty() {
                cell.push(mark);
                cell.push_str(&names.join(","));
            }
        }
        cell
    }

    /// The name of a type of R4 core; any other canonical whole.
    fn short(&self, url: &str) -> String {
        match url.strip_prefix("http://hl7.org/fhir/StructureDefinition/") {
            Some(name) if self.root_keys.contains_key(name) => name.to_owned(),
            _ => url.to_owned(),
        }
    }
}
