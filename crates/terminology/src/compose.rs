//! How a value set is composed, apart from where it is written: facts of a package or a resource in a
//! request. SPEC: R4 valueset.html#compositions.

use crate::OperationError;
use fhir::{json::Value, schema};
use std::{borrow::Cow, collections::HashMap};

/// Text of a definition: compiled in, or of a request.
pub(crate) type Text = Cow<'static, str>;

/// What a value set includes and excludes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compose {
    /// Canonical of the value set; empty when it has none.
    pub(crate) url: Text,
    /// Package of the definition (`name#version`); empty for others.
    pub(crate) package: &'static str,
    /// Whether retired codes belong; `None` when unsaid.
    pub(crate) inactive: Option<bool>,
    pub(crate) parts: Vec<Part>,
    /// Its whole expansion as lists, for when the composition cannot be evaluated; empty: none is given.
    pub(crate) expansion: Vec<Part>,
}

/// One include or exclude.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    pub(crate) is_exclude: bool,
    pub(crate) system: Text,
    pub(crate) version: Text,
    /// Code and display.
    pub(crate) codes: Vec<(Text, Text)>,
    /// Property, operator, value.
    pub(crate) filters: Vec<[Text; 3]>,
    pub(crate) value_sets: Vec<Text>,
}

/// The composition of a package's value set.
pub(crate) fn of_facts(set: &schema::ValueSet) -> Compose {
    let part = |part: &schema::ValueSetPart| Part {
        is_exclude: part.is_exclude,
        system: part.system.into(),
        version: part.system_version.into(),
        codes: part.codes.iter().map(|one| (one.code.into(), one.display.into())).collect(),
        filters: part.filters.iter().map(|one| [one.property.into(), one.operator.into(), one.value.into()]).collect(),
        value_sets: part.value_sets.iter().map(|one| (*one).into()).collect(),
    };
    Compose {
        url: set.url.into(),
        package: set.package,
        inactive: set.inactive,
        parts: set.parts.iter().map(part).collect(),
        expansion: set.expansion.chunk_by(|one, next| one.system == next.system).map(by_system).collect(),
    }
}

/// Neighbouring codes of an expansion, of one system.
fn by_system(codes: &[schema::ExpandedCode]) -> Part {
    Part {
        system: codes.first().map_or("", |one| one.system).into(),
        codes: codes.iter().map(|one| (one.code.into(), one.display.into())).collect(),
        ..Part::default()
    }
}

/// A composition that stands in a resource, with what else the resource says of itself.
pub(crate) struct Inline {
    pub(crate) compose: Compose,
    pub(crate) version: String,
    pub(crate) name: String,
}

/// The composition of a ValueSet resource; of one without, its expansion.
pub(crate) fn of_resource(resource: Value<'_>) -> Result<Inline, OperationError> {
    if text(resource, "resourceType") != "ValueSet" {
        return Err(OperationError::Invalid("a ValueSet is needed".to_owned()));
    }
    let mut compose = Compose { url: text(resource, "url"), ..Compose::default() };
    if let Some(composed) = resource.get("compose") {
        compose.inactive = composed.get("inactive").and_then(Value::as_bool);
        for (name, is_exclude) in [("include", false), ("exclude", true)] {
            let parts = composed.get(name).into_iter().flat_map(Value::items);
            compose.parts.extend(parts.map(|one| part(one, is_exclude)));
        }
        if let Some(expansion) = resource.get("expansion").filter(|one| one.get("offset").is_none()) {
            let count = expanded(expansion, &mut compose.expansion);
            let total = expansion.get("total").and_then(Value::number_text);
            if total.is_some_and(|total| total != count.to_string()) {
                compose.expansion.clear();
            }
        }
    } else if let Some(expansion) = resource.get("expansion") {
        expanded(expansion, &mut compose.parts);
    }
    let (version, name) = (text(resource, "version").into_owned(), text(resource, "name").into_owned());
    Ok(Inline { compose, version, name })
}

fn text(of: Value<'_>, name: &str) -> Text {
    of.get(name).and_then(Value::as_str).map_or(Cow::Borrowed(""), |text| Cow::Owned(text.into_owned()))
}

fn all<'a>(of: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> {
    of.get(name).into_iter().flat_map(Value::items)
}

fn part(of: Value<'_>, is_exclude: bool) -> Part {
    Part {
        is_exclude,
        system: text(of, "system"),
        version: text(of, "version"),
        codes: all(of, "concept").map(|one| (text(one, "code"), text(one, "display"))).collect(),
        filters: all(of, "filter").map(|one| [text(one, "property"), text(one, "op"), text(one, "value")]).collect(),
        value_sets: all(of, "valueSet").filter_map(|one| Some(Cow::Owned(one.as_str()?.into_owned()))).collect(),
    }
}

/// Listed codes of an expansion, by system; how many. Abstract entries only group others.
fn expanded(expansion: Value<'_>, parts: &mut Vec<Part>) -> usize {
    let mut count = 0;
    let mut waiting: Vec<Value<'_>> = all(expansion, "contains").collect();
    let mut by_system: HashMap<Text, usize> = HashMap::new();
    while let Some(one) = waiting.pop() {
        waiting.extend(all(one, "contains"));
        let (system, code) = (text(one, "system"), text(one, "code"));
        if code.is_empty() || one.get("abstract").and_then(Value::as_bool) == Some(true) {
            continue;
        }
        let listed = (code, text(one, "display"));
        count += 1;
        let at = *by_system.entry(system.clone()).or_insert(parts.len());
        match parts.get_mut(at) {
            Some(part) => part.codes.push(listed),
            None => parts.push(Part { system, codes: vec![listed], ..Part::default() }),
        }
    }
    count
}
