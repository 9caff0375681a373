//! The value of an operation, as the element that it becomes.

use super::{
    Reason, Wrong,
    operation::name_of,
    slots::{Slot, Slots},
};
use crate::item::Primitive;
use fhir::{
    element::Element,
    json::Owned,
    schema::{ElementDefinition, Schema, TypeKind},
};

/// An element to be put somewhere.
pub(super) struct Made {
    /// Name of its member: `valueQuantity`.
    pub(super) member: String,
    pub(super) slot: Slot,
}

/// What a part says as an element of this definition: `value[x]`, `resource`, or further parts.
pub(super) fn of(part: Element<'_>, element: &ElementDefinition, schema: &Schema) -> Result<Made, Wrong> {
    let wrong = |reason| ("value", reason);
    let mut parts = Vec::new();
    part.children("part", |one| parts.push(one));
    let (value, resource) = (part.child("value"), part.child("resource"));
    match (value, resource, parts.is_empty()) {
        (Some(value), None, true) => typed(value, element, schema).map_err(wrong),
        (None, Some(resource), true) => {
            let is_resource = type_of(element, schema).is_some_and(|of| of.kind == TypeKind::Resource);
            let value = resource.value.filter(|_| is_resource).ok_or(wrong(Reason::NotOfThisType))?;
            Ok(made(element.name, Some(Owned::from(value)), None))
        }
        (None, None, false) => anonymous(&parts, element, schema),
        _ => Err(wrong(Reason::ValueAndParts)),
    }
}

fn made(member: &str, value: Option<Owned>, companion: Option<Owned>) -> Made {
    Made { member: member.to_owned(), slot: Slot { value, companion } }
}

/// The one type of an element that is no choice.
fn type_of<'s>(element: &ElementDefinition, schema: &'s Schema) -> Option<&'s fhir::schema::TypeDefinition> {
    let only = element.types.first().filter(|_| !element.is_choice)?;
    schema.type_of(only)
}

fn typed(value: Element<'_>, element: &ElementDefinition, schema: &Schema) -> Result<Made, Reason> {
    let own = value.definition;
    let json = |json: Option<fhir::json::Value<'_>>| json.map(Owned::from);
    let (plain, companion) = (json(value.value), json(value.companion));
    if element.is_choice {
        let is_one = element.types.iter().any(|one| one.code == own.name);
        let mut letters = own.name.chars();
        let first = letters.next().filter(|_| is_one).ok_or(Reason::NotOfThisType)?;
        let member = [element.name, first.to_ascii_uppercase().to_string().as_str(), letters.as_str()].concat();
        return Ok(made(&member, plain, companion));
    }
    let of = type_of(element, schema).ok_or(Reason::NotOfThisType)?;
    let fits = match (of.kind, own.kind) {
        // A code may come as a string: what it says is checked with the resource.
        (TypeKind::Primitive, TypeKind::Primitive) => json_kind(of) == json_kind(own),
        _ => of.name == own.name,
    };
    if fits { Ok(made(element.name, plain, companion)) } else { Err(Reason::NotOfThisType) }
}

/// What JSON writes the values of a primitive as.
fn json_kind(of: &fhir::schema::TypeDefinition) -> &'static str {
    match Primitive::of(of) {
        Primitive::Boolean => "boolean",
        Primitive::Integer | Primitive::Decimal => "number",
        _ => "string",
    }
}

/// An element without a type of its own, each part one of its children.
fn anonymous(parts: &[Element<'_>], element: &ElementDefinition, schema: &Schema) -> Result<Made, Wrong> {
    let wrong = |reason| ("value", reason);
    let of = type_of(element, schema).filter(|of| matches!(of.kind, TypeKind::Backbone | TypeKind::Complex));
    let of = of.ok_or(wrong(Reason::NotOfThisType))?;
    let mut object = Owned::Object(Vec::new());
    for part in parts {
        let name = name_of(part);
        let child = of.element(name.trim_end_matches("[x]"));
        let child = child.ok_or_else(|| wrong(Reason::UnknownElement(name.into_owned())))?;
        let value = self::of(*part, child, schema)?;
        let mut slots = Slots::take(&mut object, child, of);
        if child.max == Some(1) && !slots.items.is_empty() {
            return Err(wrong(Reason::Twice));
        }
        slots.items.push(value.slot);
        slots.put(&mut object, child, &value.member);
    }
    Ok(made(element.name, Some(object), None))
}
