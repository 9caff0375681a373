//! The smallest value of a type that base R4 takes.

use super::node::{Node, object, text};
use fhir::schema::{self, ElementDefinition, TypeDefinition, TypeKind};

/// How deep required elements are followed.
const DEPTH_MAX: usize = 4;

/// A value of a type; `None` where that is not simple.
pub(super) fn of_type(name: &str) -> Option<Node> {
    of_type_within(name, 0)
}

fn of_type_within(name: &str, depth: usize) -> Option<Node> {
    let number = |text: &str| Some(Node::Number(text.to_owned()));
    match name {
        "boolean" => Some(Node::Bool(true)),
        "integer" | "positiveInt" | "unsignedInt" => number("1"),
        "decimal" => number("1.5"),
        "string" | "markdown" | "code" | "id" => Some(text("x")),
        "uri" | "url" | "canonical" => Some(text("http://example.org/x")),
        "oid" => Some(text("urn:oid:1.2.3")),
        "uuid" => Some(text("urn:uuid:c757873d-ec9a-4326-a141-556f43239520")),
        "base64Binary" => Some(text("AAAA")),
        "date" => Some(text("2024-05-01")),
        "dateTime" => Some(text("2024-05-01")),
        "instant" => Some(text("2024-05-01T10:00:00Z")),
        "time" => Some(text("10:00:00")),
        "CodeableConcept" => Some(object([("text", text("x"))])),
        "Coding" => Some(object([("system", text("http://example.org/x")), ("code", text("x"))])),
        "Quantity" | "Age" | "Duration" | "Count" | "Distance" | "Money" => {
            Some(object([("value", Node::Number("1".to_owned()))]))
        }
        "Range" => Some(object([("low", object([("value", Node::Number("1".to_owned()))]))])),
        "Ratio" => {
            let one = object([("value", Node::Number("1".to_owned()))]);
            Some(object([("numerator", one.clone()), ("denominator", one)]))
        }
        "Period" => Some(object([("start", text("2024-05-01"))])),
        "Reference" => Some(object([("display", text("x"))])),
        "HumanName" | "Address" => Some(object([("text", text("x"))])),
        "Identifier" => Some(object([("system", text("http://example.org/x")), ("value", text("x"))])),
        "Annotation" => Some(object([("text", text("x"))])),
        "Attachment" => Some(object([("url", text("http://example.org/x"))])),
        "Timing" => Some(object([("event", Node::Array(vec![text("2024-05-01")]))])),
        "SampledData" | "Signature" | "Resource" | "Extension" | "Element" => None,
        _ => backbone(schema::r4().type_named(name)?, depth),
    }
}

fn backbone(definition: &TypeDefinition, depth: usize) -> Option<Node> {
    if depth > DEPTH_MAX || definition.kind != TypeKind::Backbone {
        return None;
    }
    let mut members = Vec::new();
    for element in definition.elements.iter().filter(|one| one.min > 0) {
        let (name, value) = of_element_within(element, depth + 1)?;
        members.push((name, value));
    }
    if members.is_empty() {
        let first =
            definition.elements.iter().filter(|one| !matches!(one.name, "id" | "extension" | "modifierExtension"));
        members.push(first.filter_map(|one| of_element_within(one, depth + 1)).next()?);
    }
    Some(Node::Object(members))
}

/// A member for an element: its name in JSON and its value, an array where it repeats.
pub(super) fn of_element(element: &ElementDefinition) -> Option<(String, Node)> {
    of_element_within(element, 0)
}

fn of_element_within(element: &ElementDefinition, depth: usize) -> Option<(String, Node)> {
    let (code, value) = element.types.iter().find_map(|one| Some((one.code, of_type_within(one.code, depth)?)))?;
    let value = if element.max == Some(1) { value } else { Node::Array(vec![value]) };
    Some((json_name(element, code), value))
}

/// The JSON name of an element when it has this type.
pub(super) fn json_name(element: &ElementDefinition, code: &str) -> String {
    if !element.is_choice {
        return element.name.to_owned();
    }
    let mut letters = code.chars();
    let first = letters.next().map(|one| one.to_ascii_uppercase());
    element.name.chars().chain(first).chain(letters).collect()
}
