//! Changes to a JSON document that leave it JSON: what a reader of JSON hands on to those behind it.

use crate::choices::Choices;
use fhir::json::{Edits, Kind, Tree, Value};

/// Changes of one document at most.
const CHANGES_MAX: usize = 6;

/// Values that stand where others are expected.
const VALUES: [&str; 24] = [
    "null",
    "true",
    "\"true\"",
    "0",
    "-1.50e3",
    "\"\"",
    "\" \"",
    "\"a\"",
    "\"1970-02-30\"",
    "\"2024-01-31T23:59:60+14:00\"",
    "\"http://loinc.org\"",
    "\"http://hl7.org/fhir/StructureDefinition/data-absent-reason\"",
    "\"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race\"",
    "\"final\"",
    "\"Patient/1\"",
    "\"#a\"",
    "\"urn:uuid:0c3b5d5a-6c0a-4a57-8f6c-2a1d7e7b9f10\"",
    "{}",
    "[]",
    "[null]",
    "[{}]",
    "{\"id\":\"a\"}",
    "{\"extension\":[{\"url\":\"http://e\",\"valueCode\":\"a\"}]}",
    "{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"8716-3\"}],\"text\":\"a\"}",
];

/// Members that are put where none was.
const MEMBERS: [&str; 18] = [
    "id",
    "_id",
    "extension",
    "modifierExtension",
    "url",
    "value",
    "valueString",
    "valueReference",
    "_value",
    "code",
    "coding",
    "system",
    "reference",
    "contained",
    "meta",
    "text",
    "item",
    "resourceType",
];

/// The document with some changes.
pub(crate) fn mutated(tree: &Tree, choices: &mut Choices<'_>) -> Vec<u8> {
    let mut values = Vec::new();
    collect(tree.root(), &mut values);
    let mut edits = Edits::new();
    for _ in 0..1 + choices.below(CHANGES_MAX) {
        let at = usize::from(choices.byte()) << 8 | usize::from(choices.byte());
        let value = values[at % values.len()];
        let span = value.span();
        match choices.below(5) {
            0 => edits.replace(span, choices.one(&VALUES).as_bytes()),
            1 => {
                let text = choices.text().replace(['"', '\\'], "").replace(char::is_control, "");
                edits.replace(span, format!("\"{text}\""));
            }
            // The value of another place.
            2 => {
                let other = usize::from(choices.byte()) << 8 | usize::from(choices.byte());
                edits.replace(span, values[other % values.len()].raw().as_bytes());
            }
            // An item twice.
            3 if value.name().is_empty() && at > 0 => {
                edits.replace(span.start..span.start, format!("{},", value.raw()));
            }
            _ if value.kind() == Kind::Object && value.members().next().is_some() => {
                let member = format!("\"{}\":{},", choices.one(&MEMBERS), choices.one(&VALUES));
                edits.replace(span.start + 1..span.start + 1, member);
            }
            _ => edits.replace(span, "null"),
        }
    }
    edits.apply(tree.bytes())
}

fn collect<'t>(value: Value<'t>, into: &mut Vec<Value<'t>>) {
    into.push(value);
    value.members().for_each(|inner| collect(inner, into));
    value.items().for_each(|inner| collect(inner, into));
}
