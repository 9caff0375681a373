//! Resources with every element filled, made from the tables: something for each expression to find.

use fhir::json::Writer;
use fhir::schema::{ElementDefinition, Schema, TypeDefinition, TypeKind, TypeReference};

/// Levels below the resource that are filled.
const DEPTH: usize = 5;

/// A resource of this type whose choices have their `variant`-th type, and whose references their
/// `variant`-th target.
pub(crate) fn filled(schema: &Schema, name: &str, variant: usize) -> Vec<u8> {
    let definition = schema.type_named(name).expect("type");
    let mut w = Writer::new();
    w.object(|w| {
        w.member("resourceType", name);
        members(schema, definition, variant, DEPTH, None, w);
    });
    w.into_bytes()
}

fn members(
    schema: &Schema,
    definition: &TypeDefinition,
    variant: usize,
    depth: usize,
    targets: Option<&TypeReference>,
    w: &mut Writer,
) {
    for element in &definition.elements {
        let count = element.types.len();
        if count == 0 || depth == 0 {
            continue;
        }
        let mut of = &element.types[variant % count];
        if element.path == "Extension.value[x]" {
            let wanted = ["Coding", "CodeableConcept", "dateTime", "Reference"][variant % 4];
            of = element.types.iter().find(|of| of.code == wanted).expect("extension type");
        }
        let Some(kind) = schema.type_named(of.code) else { continue };
        if kind.is_abstract || kind.kind == TypeKind::Resource || (of.code == "Extension" && depth < DEPTH - 1) {
            continue;
        }
        let name = if element.is_choice {
            format!("{}{}", element.name, capitalized(of.code))
        } else {
            element.name.to_owned()
        };
        if depth == 1 && kind.kind != TypeKind::Primitive {
            continue;
        }
        w.key(&name);
        if element.max == Some(1) {
            value(schema, element, of, kind, variant, depth, targets, w);
        } else {
            w.array(|w| value(schema, element, of, kind, variant, depth, targets, w));
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "one element's parts")]
fn value(
    schema: &Schema,
    element: &ElementDefinition,
    of: &TypeReference,
    kind: &TypeDefinition,
    variant: usize,
    depth: usize,
    targets: Option<&TypeReference>,
    w: &mut Writer,
) {
    if kind.kind != TypeKind::Primitive {
        w.object(|w| members(schema, kind, variant, depth - 1, Some(of), w));
        return;
    }
    match kind.name {
        "boolean" => w.raw(b"true"),
        "integer" | "positiveInt" | "unsignedInt" => w.raw(b"1"),
        "decimal" => w.raw(b"1.50"),
        "date" => w.string("2024-05-01"),
        "dateTime" | "instant" => w.string("2024-05-01T10:00:00Z"),
        "time" => w.string("10:00:00"),
        "uri" if element.path == "Extension.url" => {
            let urls = [
                "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race",
                "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity",
                "http://hl7.org/fhir/us/core/StructureDefinition/us-core-genderIdentity",
                "http://hl7.org/fhir/StructureDefinition/condition-assertedDate",
                "http://hl7.org/fhir/us/pacio-rt/StructureDefinition/clinicalImpression",
            ];
            w.string(urls[variant % urls.len()]);
        }
        "string" if element.path == "Reference.reference" => {
            let names = targets.map_or(&[][..], |of| &of.targets[..]);
            let target = if names.is_empty() { "Patient" } else { names[variant % names.len()] };
            w.string(&format!("{target}/1"));
        }
        "code" => w.string(
            ["phone", "email", "composed-of", "depends-on", "derived-from", "predecessor", "successor"][variant % 7],
        ),
        _ => w.string("text"),
    }
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
