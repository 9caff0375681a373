//! What an ElementDefinition says that a validator needs, from JSON, from the tables and into them.
//!
//! SPEC: R4 elementdefinition.html. Left out: texts, mappings, examples, conditions, default values,
//! minimum value sets, what the type `xhtml` and the primitives say of themselves.

use crate::{
    fault::FaultKind,
    limits::{CONSTRAINTS_MAX, DISCRIMINATORS_MAX, TYPES_MAX},
    table::{Constraints, one_line},
    value::{is_true, items, text, texts},
};
use fhir::{
    json::{Value, Writer},
    schema::{self, BindingStrength, ProfileElement, Schema, TypeReference},
};
use std::collections::BTreeMap;

/// Base of the URLs of R4's own types.
const TYPES: &str = "http://hl7.org/fhir/StructureDefinition/";

/// Extension of a binding: the value set that codes may never leave.
const MAX_VALUE_SET: &str = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet";

/// Types whose values a binding can speak of.
const CODED: [&str; 6] = ["code", "Coding", "CodeableConcept", "Quantity", "string", "uri"];

/// Facts of one element. `None` in a differential: what the base says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Facts {
    pub(crate) min: Option<u32>,
    /// `u32::MAX` for `*`.
    pub(crate) max: Option<u32>,
    /// Empty in a differential: what the base says.
    pub(crate) types: Vec<Type>,
    pub(crate) is_modifier: Option<bool>,
    pub(crate) is_summary: Option<bool>,
    pub(crate) must_support: Option<bool>,
    pub(crate) binding: Option<Binding>,
    /// By key; without those that stand on the type.
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) slicing: Option<Slicing>,
    /// Fixed and pattern values and bounds: JSON by name.
    pub(crate) values: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Type {
    pub(crate) code: String,
    pub(crate) profiles: Vec<String>,
    pub(crate) targets: Vec<String>,
    pub(crate) aggregation: Vec<String>,
    pub(crate) versioning: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    /// `None` in a differential: that of the base.
    pub(crate) strength: Option<BindingStrength>,
    /// Empty in a differential: that of the base.
    pub(crate) value_set: String,
    pub(crate) max_value_set: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Constraint {
    pub(crate) key: String,
    pub(crate) is_error: bool,
    pub(crate) expression: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Slicing {
    pub(crate) discriminators: Vec<(String, String)>,
    pub(crate) rules: String,
    pub(crate) is_ordered: bool,
}

impl Slicing {
    /// How extensions are always told apart: no fact.
    pub(crate) fn of_extensions() -> Self {
        let discriminators = vec![("value".to_owned(), "url".to_owned())];
        Self { discriminators, rules: "open".to_owned(), is_ordered: false }
    }

    /// How the types of a choice are told apart.
    pub(crate) fn of_types() -> Self {
        let discriminators = vec![("type".to_owned(), "$this".to_owned())];
        Self { discriminators, rules: "open".to_owned(), is_ordered: false }
    }
}

impl Facts {
    /// Facts of the root of a type.
    pub(crate) fn root() -> Self {
        Self { min: Some(0), max: Some(u32::MAX), ..Self::default() }
    }

    /// What an ElementDefinition states.
    pub(crate) fn of_json(element: Value<'_>, schema: &Schema) -> Result<Self, FaultKind> {
        let is_root = !text(element, "path").contains('.');
        let types = match element.get("contentReference").and_then(Value::as_str) {
            Some(reference) => {
                let path = reference.split_once('#').map_or("", |(_, path)| path);
                vec![Type { code: cell(path, "a content reference")?, ..Type::default() }]
            }
            None if is_root => Vec::new(),
            None => {
                let types = items(element, "type").take(TYPES_MAX + 1).map(|one| read_type(one, schema));
                types.collect::<Result<_, _>>()?
            }
        };
        if types.len() > TYPES_MAX {
            return Err(FaultKind::Limit("types"));
        }
        let flag = |name: &str| element.get(name).and_then(Value::as_bool);
        Ok(Self {
            min: element.get("min").map(|min| number(min.raw(), "min")).transpose()?,
            max: element.get("max").and_then(Value::as_str).map(|max| read_max(&max)).transpose()?,
            types,
            is_modifier: flag("isModifier"),
            is_summary: flag("isSummary"),
            must_support: flag("mustSupport"),
            binding: read_binding(element)?,
            constraints: read_constraints(element)?,
            slicing: element.get("slicing").map(read_slicing).transpose()?,
            values: read_values(element),
        })
    }

    /// What a line of the tables says.
    pub(crate) fn of_profile(element: &ProfileElement) -> Self {
        let owned = |list: &[&'static str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let types = element.types.iter().map(|one| Type {
            code: one.code.to_owned(),
            profiles: owned(&one.profiles),
            targets: owned(&one.targets),
            aggregation: owned(&one.aggregation),
            versioning: one.versioning.to_owned(),
        });
        let discriminators = element.discriminators.iter();
        Self {
            min: element.min,
            max: element.max,
            types: types.collect(),
            is_modifier: Some(element.is_modifier),
            is_summary: Some(element.is_summary),
            must_support: Some(element.must_support),
            binding: element.binding.as_ref().map(of_binding),
            constraints: element.constraints.iter().map(of_constraint).collect(),
            slicing: element.slicing_rules.map(|rules| Slicing {
                discriminators: discriminators.map(|(kind, path)| ((*kind).to_owned(), (*path).to_owned())).collect(),
                rules: rules.to_owned(),
                is_ordered: element.slicing_ordered,
            }),
            values: values_of_cell(element.values),
        }
    }

    /// What R4 itself says of an element.
    pub(crate) fn of_type(element: &schema::ElementDefinition) -> Self {
        Self {
            min: Some(element.min),
            max: Some(element.max.unwrap_or(u32::MAX)),
            types: element.types.iter().map(of_type_reference).collect(),
            is_modifier: Some(element.is_modifier),
            is_summary: Some(element.is_summary),
            must_support: Some(false),
            binding: element.binding.as_ref().map(of_binding),
            constraints: element.constraints.iter().map(of_constraint).collect(),
            slicing: None,
            values: BTreeMap::new(),
        }
    }

    /// Takes over what another description of the same element says besides: both hold.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.min = self.min.max(other.min);
        self.max = self.max.min(other.max);
        for (have, other) in [
            (&mut self.is_modifier, other.is_modifier),
            (&mut self.is_summary, other.is_summary),
            (&mut self.must_support, other.must_support),
        ] {
            *have = Some(*have == Some(true) || other == Some(true));
        }
        if self.binding.is_none() {
            self.binding.clone_from(&other.binding);
        }
        let fresh = other.constraints.iter().filter(|one| self.constraints.iter().all(|have| have.key != one.key));
        let fresh: Vec<Constraint> = fresh.cloned().collect();
        self.constraints.extend(fresh);
        for (name, json) in &other.values {
            self.values.entry(name.clone()).or_insert_with(|| json.clone());
        }
    }

    /// Takes away what stands on the types of the element, and says of a backbone which.
    pub(crate) fn settle(&mut self, schema: &Schema, of_type: Option<&Self>) {
        for one in &mut self.types {
            if matches!(one.code.as_str(), "BackboneElement" | "Element")
                && let Some(own) = of_type.and_then(|facts| facts.types.first()).filter(|own| own.code.contains('.'))
            {
                one.code.clone_from(&own.code);
            }
            // R4 writes the ids of resources as strings; the schema knows better.
            if one.code == "string"
                && of_type.is_some_and(|facts| facts.types.len() == 1 && facts.types.iter().any(|own| own.code == "id"))
            {
                "id".clone_into(&mut one.code);
            }
        }
        // SPEC: R4 elementdefinition.html, eld-11: only what is coded has a binding.
        let is_coded = |one: &Type| CODED.contains(&one.code.as_str());
        if !self.types.is_empty() && !self.types.iter().any(is_coded) {
            self.binding = None;
        }
        let types = self.types.iter().filter_map(|one| schema.type_named(&one.code));
        let inherited: Vec<&str> = types.flat_map(|one| &one.constraints).map(|one| one.key).collect();
        self.constraints.retain(|one| one.key != "ele-1" && !inherited.contains(&one.key.as_str()));
    }

    /// The cells of a line: min, max, types, flags, binding, invariants, slicing, values.
    pub(crate) fn cells(&self, constraints: &mut Constraints) -> [String; 8] {
        let ids = self.constraints.iter().map(|one| constraints.id(&one.key, one.is_error, &one.expression));
        let flags = [(self.is_modifier, "m"), (self.is_summary, "s"), (self.must_support, "M")];
        [
            self.min.map(|min| min.to_string()).unwrap_or_default(),
            self.max.map(max_text).unwrap_or_default(),
            self.types.iter().map(type_cell).collect::<Vec<_>>().join(" "),
            flags.iter().filter(|(is_set, _)| *is_set == Some(true)).map(|(_, flag)| *flag).collect(),
            self.binding.as_ref().map(binding_cell).unwrap_or_default(),
            ids.collect::<Vec<_>>().join(" "),
            self.slicing.as_ref().map(slicing_cell).unwrap_or_default(),
            self.values_cell(),
        ]
    }

    fn values_cell(&self) -> String {
        if self.values.is_empty() {
            return String::new();
        }
        let mut w = Writer::new();
        w.object(|w| {
            for (name, json) in &self.values {
                w.key(name);
                w.raw(json.as_bytes());
            }
        });
        String::from_utf8_lossy(&w.into_bytes()).into_owned()
    }
}

pub(crate) fn max_text(max: u32) -> String {
    if max == u32::MAX { "*".to_owned() } else { max.to_string() }
}

/// A text that stands in a cell as an item of a list.
fn cell(text: &str, what: &'static str) -> Result<String, FaultKind> {
    if text.is_empty() || text.contains([' ', ',', ';', '\t', '\n', '\r', '<', '>']) {
        return Err(FaultKind::Invalid { what, value: text.to_owned() });
    }
    Ok(text.to_owned())
}

fn number(text: &str, what: &'static str) -> Result<u32, FaultKind> {
    text.parse().map_err(|_| FaultKind::Invalid { what, value: text.to_owned() })
}

fn read_max(text: &str) -> Result<u32, FaultKind> {
    if text == "*" { Ok(u32::MAX) } else { number(text, "max") }
}

fn read_type(one: Value<'_>, schema: &Schema) -> Result<Type, FaultKind> {
    let code = text(one, "code");
    let code = match code.strip_prefix("http://hl7.org/fhirpath/System.") {
        None => code.strip_prefix(TYPES).map(ToOwned::to_owned).unwrap_or(code),
        Some(system) => items(one, "extension")
            .find(|e| text(*e, "url").ends_with("/structuredefinition-fhir-type"))
            .map_or_else(|| system.to_ascii_lowercase(), |e| text(e, "valueUrl")),
    };
    let code = cell(&code, "a type")?;
    if schema.type_named(&code).is_none() {
        return Err(FaultKind::UnknownType(code));
    }
    let canonicals = |name: &str| -> Result<Vec<String>, FaultKind> {
        let names = texts(one, name);
        if names.len() > TYPES_MAX {
            return Err(FaultKind::Limit("canonicals of a type"));
        }
        let names = names.into_iter().map(|url| cell(&short(&url, schema), "a canonical"));
        Ok(names.collect::<Result<Vec<_>, _>>()?.into_iter().filter(|name| name != "Resource").collect())
    };
    let (profiles, targets) = (canonicals("profile")?, canonicals("targetProfile")?);
    let aggregation =
        texts(one, "aggregation").iter().map(|code| cell(code, "an aggregation")).collect::<Result<_, _>>()?;
    Ok(Type { code, profiles, targets, aggregation, versioning: versioning(one)? })
}

fn versioning(one: Value<'_>) -> Result<String, FaultKind> {
    match text(one, "versioning") {
        none if none.is_empty() => Ok(none),
        code => cell(&code, "a versioning"),
    }
}

/// The name of a type of R4; any other canonical whole.
fn short(url: &str, schema: &Schema) -> String {
    let bare = url.strip_suffix("|4.0.1").unwrap_or(url);
    match bare.strip_prefix(TYPES) {
        Some(name) if schema.type_named(name).is_some() => name.to_owned(),
        _ => url.to_owned(),
    }
}

fn read_binding(element: Value<'_>) -> Result<Option<Binding>, FaultKind> {
    let Some(binding) = element.get("binding") else { return Ok(None) };
    let canonical = |url: String| if url.is_empty() { Ok(url) } else { cell(&url, "a value set") };
    let value_set = canonical(text(binding, "valueSet"))?;
    let max = items(binding, "extension").find(|one| text(*one, "url") == MAX_VALUE_SET);
    let max = max.map(|one| [text(one, "valueCanonical"), text(one, "valueUri"), text(one, "valueReference")].concat());
    let strength = match text(binding, "strength").as_str() {
        "required" => Some(BindingStrength::Required),
        "extensible" => Some(BindingStrength::Extensible),
        "preferred" => Some(BindingStrength::Preferred),
        "example" => Some(BindingStrength::Example),
        "" => None,
        other => return Err(FaultKind::Invalid { what: "a binding's strength", value: other.to_owned() }),
    };
    Ok(Some(Binding { strength, value_set, max_value_set: canonical(max.unwrap_or_default())? }))
}

fn read_constraints(element: Value<'_>) -> Result<Vec<Constraint>, FaultKind> {
    let mut list: Vec<Constraint> = Vec::new();
    for one in items(element, "constraint") {
        let (key, expression) = (text(one, "key"), one_line(&text(one, "expression")));
        if expression.is_empty() {
            continue;
        }
        if key.is_empty() || key.contains([' ', '~', '\t', '\n', '\r']) || key.starts_with('=') {
            return Err(FaultKind::Invalid { what: "the key of an invariant", value: key });
        }
        if list.len() >= CONSTRAINTS_MAX {
            return Err(FaultKind::Limit("invariants"));
        }
        if list.iter().all(|have| have.key != key) {
            list.push(Constraint { key, is_error: text(one, "severity") == "error", expression });
        }
    }
    Ok(list)
}

fn read_slicing(slicing: Value<'_>) -> Result<Slicing, FaultKind> {
    let discriminators = items(slicing, "discriminator").take(DISCRIMINATORS_MAX).map(|one| {
        let kind = cell(&text(one, "type"), "a discriminator's type")?;
        let path = text(one, "path");
        if path.is_empty() || path.contains([',', ';', '\t', '\n', '\r']) {
            return Err(FaultKind::Invalid { what: "a discriminator's path", value: path });
        }
        Ok((kind, path))
    });
    let rules = match text(slicing, "rules") {
        none if none.is_empty() => "open".to_owned(),
        rules if ["open", "closed", "openAtEnd"].contains(&rules.as_str()) => rules,
        value => return Err(FaultKind::Invalid { what: "a slicing's rules", value }),
    };
    Ok(Slicing {
        discriminators: discriminators.collect::<Result<_, _>>()?,
        rules,
        is_ordered: is_true(slicing, "ordered"),
    })
}

/// Fixed and pattern values and bounds, each as JSON on one line.
fn read_values(element: Value<'_>) -> BTreeMap<String, String> {
    let wanted = |name: &str| {
        ["fixed", "pattern", "minValue", "maxValue", "maxLength"].iter().any(|start| name.starts_with(start))
    };
    let members = element.members().filter(|member| wanted(member.name()));
    members.map(|member| (member.name().to_owned(), json(member))).collect()
}

fn json(value: Value<'_>) -> String {
    let mut w = Writer::new();
    w.value(value);
    one_line(&String::from_utf8_lossy(&w.into_bytes()))
}

fn values_of_cell(cell: &str) -> BTreeMap<String, String> {
    let Ok(tree) = fhir::json::Tree::parse(cell.as_bytes().to_vec()) else { return BTreeMap::new() };
    tree.root().members().map(|member| (member.name().to_owned(), json(member))).collect()
}

fn of_binding(binding: &schema::Binding) -> Binding {
    Binding {
        strength: Some(binding.strength),
        value_set: binding.value_set.to_owned(),
        max_value_set: binding.max_value_set.to_owned(),
    }
}

fn of_constraint(one: &schema::Constraint) -> Constraint {
    Constraint { key: one.key.to_owned(), is_error: one.is_error, expression: one.expression.to_owned() }
}

fn of_type_reference(one: &TypeReference) -> Type {
    Type {
        code: one.code.to_owned(),
        profiles: if one.profile.is_empty() { Vec::new() } else { vec![one.profile.to_owned()] },
        targets: one.targets.iter().map(|name| (*name).to_owned()).collect(),
        ..Type::default()
    }
}

fn binding_cell(binding: &Binding) -> String {
    let strength = match binding.strength {
        Some(BindingStrength::Required) => "required",
        Some(BindingStrength::Extensible) => "extensible",
        Some(BindingStrength::Preferred) => "preferred",
        Some(BindingStrength::Example) | None => "example",
    };
    format!("{strength} {} {}", binding.value_set, binding.max_value_set).trim_end().to_owned()
}

/// `Reference(bundled;specific)<PROFILE>Patient,Group`.
fn type_cell(one: &Type) -> String {
    let mut cell = one.code.clone();
    if !one.aggregation.is_empty() || !one.versioning.is_empty() {
        cell.push_str(&format!("({};{})", one.aggregation.join(","), one.versioning));
    }
    for (mark, names) in [('<', &one.profiles), ('>', &one.targets)] {
        if !names.is_empty() {
            cell.push(mark);
            cell.push_str(&names.join(","));
        }
    }
    cell
}

/// `pattern:$this,value:code;open;ordered`.
fn slicing_cell(slicing: &Slicing) -> String {
    let discriminators = slicing.discriminators.iter().map(|(kind, path)| format!("{kind}:{path}"));
    let ordered = if slicing.is_ordered { ";ordered" } else { "" };
    format!("{};{}{ordered}", discriminators.collect::<Vec<_>>().join(","), slicing.rules)
}
