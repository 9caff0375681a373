//! From differential to snapshot.
//!
//! The tree of the base is taken, each element of the differential is found or made in it, and what it
//! says is merged: never loosened. What is written out are the elements that say something that the
//! type does not, and all slices.
//! SPEC: R4 profiling.html, elementdefinition.html#interpretation.

use crate::{
    element::{Binding, Facts, Slicing, Type, max_text},
    fault::FaultKind,
    limits::ELEMENTS_MAX,
    tree::{Budget, Found, Mentioned, NoProfiles, Node, Step, Way, is_primitive, steps},
    value::{items, text},
};
use fhir::{
    json::Value,
    schema::{BindingStrength, Schema},
};
use std::collections::BTreeMap;

/// One line of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) facts: Facts,
}

/// A fault and the id of the element that has it.
pub(crate) type Faulty = (String, FaultKind);

/// The elements of a `snapshot` or `differential`, by id.
pub(crate) fn read(holder: Value<'_>, schema: &Schema) -> Result<Vec<Line>, Faulty> {
    let mut ids = Ids::default();
    let mut lines = Vec::new();
    for element in items(holder, "element") {
        if lines.len() >= ELEMENTS_MAX {
            return Err((String::new(), FaultKind::Limit("elements")));
        }
        let id = ids.of(element);
        let facts = Facts::of_json(element, schema).map_err(|kind| (id.clone(), kind))?;
        lines.push(Line { id, facts });
    }
    Ok(lines)
}

/// The tree that lines of a snapshot describe, upon the type.
pub(crate) fn tree_of(
    type_name: &str,
    lines: impl IntoIterator<Item = Line>,
    schema: &Schema,
    budget: &mut Budget,
) -> Result<Node, Faulty> {
    let unknown = || (String::new(), FaultKind::UnknownType(type_name.to_owned()));
    let of = schema.type_named(type_name).ok_or_else(unknown)?;
    let mut root = Node::of_type(of);
    let way = &mut Way { schema, profiles: &NoProfiles, budget, mentioned: None };
    for line in lines {
        let at = |kind| (line.id.clone(), kind);
        let steps = steps(&line.id, type_name).map_err(at)?;
        if is_value_of_primitive(&mut root, &steps, way) {
            continue;
        }
        let (node, _) = root.locate(None, &steps, way).map_err(at)?;
        let mut facts = line.facts.clone();
        facts.settle(schema, node.of_type.as_ref());
        facts.binding = facts.binding.filter(|binding| !binding.value_set.is_empty());
        facts.is_modifier.get_or_insert(false);
        facts.is_summary.get_or_insert(false);
        facts.must_support.get_or_insert(false);
        if steps.is_empty() {
            facts.types.clear();
            let own: Vec<&str> = of.constraints.iter().map(|one| one.key).collect();
            facts.constraints.retain(|one| !own.contains(&one.key.as_str()));
        }
        node.facts = facts;
    }
    Ok(root)
}

/// Merges a differential into the tree of its base. What it would loosen stays as it is and becomes a
/// fault.
pub(crate) fn merge(
    root: &mut Node,
    differential: Vec<Line>,
    way: &mut Way<'_>,
    faults: &mut Vec<Faulty>,
) -> Result<(), Faulty> {
    let type_name = root.name.clone();
    let mentioned = mentioned(&differential);
    let way =
        &mut Way { schema: way.schema, profiles: way.profiles, budget: &mut *way.budget, mentioned: Some(&mentioned) };
    let mut base = root.copy(way.budget).map_err(|kind| (String::new(), kind))?;
    for line in differential {
        let id = line.id;
        let steps = steps(&id, &type_name).map_err(|kind| (id.clone(), kind))?;
        if is_value_of_primitive(root, &steps, way) {
            continue;
        }
        let located = root.locate(Some(&mut base), &steps, way);
        let (node, found) = located.map_err(|kind| (id.clone(), kind))?;
        let is_fresh = matches!(found, Found::Made);
        let merged = merge_element(node, line.facts, is_fresh, way.schema, &mut |kind| faults.push((id.clone(), kind)));
        merged.map_err(|kind| (id.clone(), kind))?;
        if steps.is_empty() {
            let of = way.schema.type_named(&type_name);
            let own: Vec<&str> = of.into_iter().flat_map(|of| &of.constraints).map(|one| one.key).collect();
            node.facts.constraints.retain(|one| !own.contains(&one.key.as_str()));
        }
    }
    Ok(())
}

/// What a differential speaks of: by the id of an element, the names of its children as they are
/// written; a choice itself only when it is sliced by name.
fn mentioned(differential: &[Line]) -> Mentioned {
    let mut mentioned = Mentioned::new();
    for line in differential {
        let mut holder = String::new();
        for step in line.id.split('.') {
            let is_last = line.id.len() == holder.len() + step.len() + usize::from(!holder.is_empty());
            let is_plain_choice = step.ends_with("[x]") && !(is_last && line.facts.slicing.is_some());
            if !holder.is_empty() && !is_plain_choice {
                let min = if is_last { line.facts.min.unwrap_or(0) } else { 0 };
                let known = mentioned.entry(holder.clone()).or_default().entry(step.to_owned()).or_default();
                *known = min.max(*known);
            }
            if !holder.is_empty() {
                holder.push('.');
            }
            holder.push_str(step);
        }
    }
    mentioned
}

/// `birthDate.value`: the value of a primitive is the primitive itself.
fn is_value_of_primitive(root: &mut Node, steps: &[Step], way: &mut Way<'_>) -> bool {
    let is_value = |last: &Step| last.name == "value" && last.slice.is_none();
    let Some((_, parent)) = steps.split_last().filter(|(last, _)| is_value(last)) else { return false };
    let is_unknown = matches!(root.locate(None, steps, way), Err(FaultKind::UnknownElement));
    let schema = way.schema;
    is_unknown
        && root
            .locate(None, parent, way)
            .is_ok_and(|(node, _)| node.facts.types.iter().all(|one| is_primitive(schema, &one.code)))
}

fn merge_element(
    node: &mut Node,
    mut own: Facts,
    is_fresh: bool,
    schema: &Schema,
    fault: &mut dyn FnMut(FaultKind),
) -> Result<(), FaultKind> {
    own.settle(schema, node.of_type.as_ref());
    let base = &mut node.facts;
    if let Some(min) = own.min {
        let before = base.min.unwrap_or(0);
        if min < before && !is_fresh {
            fault(loosened("min", before.to_string(), min.to_string()));
        } else {
            base.min = Some(min);
        }
    }
    if let Some(max) = own.max {
        let before = base.max.unwrap_or(u32::MAX);
        if max > before {
            fault(loosened("max", max_text(before), max_text(max)));
        } else {
            base.max = Some(max);
        }
    }
    if base.min > base.max {
        let value = format!("{} above {}", base.min.unwrap_or(0), max_text(base.max.unwrap_or(0)));
        return Err(FaultKind::Invalid { what: "min", value });
    }
    merge_types(base, own.types, schema)?;
    // A fact that holds once holds below; whether it is part of a summary may change.
    for (have, own) in [(&mut base.is_modifier, own.is_modifier), (&mut base.must_support, own.must_support)] {
        *have = Some(have.unwrap_or(false) || own.unwrap_or(false));
    }
    base.is_summary = own.is_summary.or(base.is_summary);
    if let Some(binding) = own.binding {
        merge_binding(&mut base.binding, binding, fault);
    }
    for one in own.constraints {
        if base.constraints.iter().all(|have| have.key != one.key) {
            base.constraints.push(one);
        }
    }
    if let Some(slicing) = own.slicing {
        base.slicing = Some(merge_slicing(base.slicing.take(), slicing)?);
    }
    merge_values(&mut base.values, own.values)
}

fn loosened(what: &'static str, base: String, own: String) -> FaultKind {
    FaultKind::Loosened { what, base, own }
}

fn merge_binding(base: &mut Option<Binding>, mut own: Binding, fault: &mut dyn FnMut(FaultKind)) {
    if let Some(before) = base {
        own.strength = own.strength.or(before.strength);
        if own.value_set.is_empty() {
            own.value_set.clone_from(&before.value_set);
        }
        if own.max_value_set.is_empty() {
            own.max_value_set.clone_from(&before.max_value_set);
        }
        if rank(own.strength) < rank(before.strength) {
            fault(loosened("the binding", word(before.strength), word(own.strength)));
            return;
        }
    }
    if !own.value_set.is_empty() {
        *base = Some(own);
    }
}

/// The types named take the place of those of the base, which must allow them.
fn merge_types(base: &mut Facts, own: Vec<Type>, schema: &Schema) -> Result<(), FaultKind> {
    if own.is_empty() {
        return Ok(());
    }
    for one in &own {
        let allows = |have: &Type| have.code == one.code || derives(&one.code, &have.code, schema);
        if !base.types.is_empty() && !base.types.iter().any(allows) {
            let before: Vec<&str> = base.types.iter().map(|one| one.code.as_str()).collect();
            return Err(loosened("the type", before.join(", "), one.code.clone()));
        }
    }
    base.types = own;
    Ok(())
}

/// Whether a type specializes another. SPEC: R4 types are at most five deep.
fn derives(code: &str, of: &str, schema: &Schema) -> bool {
    let mut at = code;
    for _ in 0..8 {
        let Some(found) = schema.type_named(at).filter(|found| !found.base.is_empty()) else { return false };
        at = found.base;
        if at == of {
            return true;
        }
    }
    false
}

fn rank(strength: Option<BindingStrength>) -> u8 {
    match strength {
        Some(BindingStrength::Example) | None => 0,
        Some(BindingStrength::Preferred) => 1,
        Some(BindingStrength::Extensible) => 2,
        Some(BindingStrength::Required) => 3,
    }
}

fn word(strength: Option<BindingStrength>) -> String {
    strength.map_or_else(|| "example".to_owned(), |strength| format!("{strength:?}").to_lowercase())
}

fn merge_slicing(base: Option<Slicing>, own: Slicing) -> Result<Slicing, FaultKind> {
    let Some(mut merged) = base else { return Ok(own) };
    for discriminator in own.discriminators {
        if !merged.discriminators.contains(&discriminator) {
            merged.discriminators.push(discriminator);
        }
    }
    if merged.rules != own.rules {
        if merged.rules == "closed" {
            return Err(loosened("the slicing", merged.rules, own.rules));
        }
        merged.rules = own.rules;
    }
    merged.is_ordered |= own.is_ordered;
    Ok(merged)
}

fn merge_values(base: &mut BTreeMap<String, String>, own: BTreeMap<String, String>) -> Result<(), FaultKind> {
    for (name, json) in own {
        if let Some(before) = base.get(&name).filter(|before| **before != json) {
            let is_looser = match (before.parse::<u64>(), json.parse::<u64>()) {
                (Ok(before), Ok(own)) if name == "maxLength" => own > before,
                _ => name.starts_with("fixed"),
            };
            if is_looser {
                return Err(loosened("the value", before.clone(), json));
            }
        }
        base.insert(name, json);
    }
    Ok(())
}

/// The lines of a tree: what says something that the type does not, and all slices.
pub(crate) fn lines(mut root: Node) -> Vec<Line> {
    root.collapse();
    let mut lines = vec![Line { id: root.name.clone(), facts: root.facts.clone() }];
    write(&root, &root.name, &mut lines);
    lines
}

fn write(node: &Node, id: &str, lines: &mut Vec<Line>) {
    let children = node.children.as_deref().unwrap_or_default();
    for child in children {
        let id = match &child.slice {
            Some(slice) => format!("{id}.{}:{slice}", child.name),
            None => format!("{id}.{}", child.name),
        };
        let has_slices = children.iter().any(|one| one.name == child.name && one.slice.is_some());
        let mut facts = child.facts.clone();
        if !has_slices && facts.slicing.as_ref() == Some(&Slicing::of_extensions()) {
            facts.slicing = None;
        }
        if child.slice.is_some() || child.of_type.as_ref() != Some(&facts) {
            lines.push(Line { id: id.clone(), facts });
        }
        write(child, &id, lines);
    }
}

/// The ids of elements in their order: as written, or made of path and slice.
#[derive(Debug, Default)]
struct Ids {
    by_path: BTreeMap<String, String>,
    /// Ids of slices with a dot in their name, and how the dot is written.
    escaped: Vec<(String, String)>,
}

impl Ids {
    fn of(&mut self, element: Value<'_>) -> String {
        let (id, path, slice) = (text(element, "id"), text(element, "path"), text(element, "sliceName"));
        if id.is_empty() {
            return self.made(path, &slice);
        }
        let mut id = id;
        for (raw, written) in &self.escaped {
            if let Some(rest) = id.strip_prefix(raw.as_str()).filter(|rest| rest.starts_with(['.', '/'])) {
                id = format!("{written}{rest}");
            }
        }
        if slice.contains('.')
            && let Some(before) = id.strip_suffix(slice.as_str())
        {
            let written = format!("{before}{}", slice.replace('.', "%2E"));
            self.escaped.push((id, written.clone()));
            return written;
        }
        id
    }

    fn made(&mut self, path: String, slice: &str) -> String {
        let mut id = match path.rsplit_once('.') {
            Some((parent, name)) => {
                let parent = self.by_path.get(parent).map_or(parent, String::as_str);
                format!("{parent}.{name}")
            }
            None => path.clone(),
        };
        if !slice.is_empty() {
            id = format!("{id}:{}", slice.replace('.', "%2E"));
        }
        let below = format!("{path}.");
        self.by_path.retain(|known, _| !known.starts_with(&below));
        self.by_path.insert(path, id.clone());
        id
    }
}
