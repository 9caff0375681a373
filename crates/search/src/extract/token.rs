//! Token values. SPEC: R4 search.html#token (its table of data types).
//!
//! A `code` with a required binding has the system of its value set, when the set knows exactly one
//! for the code ("implicit" in R4's table). A `ContactPoint` is its value, without a system.

use super::text_of;
use crate::index_value::IndexValue;
use fhir::{element::Element, schema::BindingStrength};
use fhirpath::Item;

pub(super) fn values(item: &Item<'_>, emit: &mut dyn FnMut(IndexValue)) {
    let Some(element) = item.element() else {
        if let Some(code) = item.to_text() {
            emit(token(None, Some(code.into_owned()), None));
        }
        return;
    };
    match element.definition.name {
        "Coding" => coding(&element, emit),
        "CodeableConcept" => {
            element.children("coding", |one| coding(&one, emit));
            if let Some(text) = text_of(&element, "text") {
                emit(token(None, None, Some(text)));
            }
        }
        "Identifier" => {
            let (system, value) = (text_of(&element, "system"), text_of(&element, "value"));
            let text = element.child("type").and_then(|of| text_of(&of, "text"));
            if system.is_some() || value.is_some() {
                emit(token(system, value, text));
            }
        }
        "ContactPoint" => {
            if let Some(value) = text_of(&element, "value") {
                emit(token(None, Some(value), None));
            }
        }
        _ => {
            if let Some(code) = element.text().filter(|code| !code.is_empty()) {
                emit(token(implicit_system(&element, &code), Some(code.into_owned()), None));
            }
        }
    }
}

fn coding(element: &Element<'_>, emit: &mut dyn FnMut(IndexValue)) {
    let system = text_of(element, "system");
    let code = text_of(element, "code");
    let display = text_of(element, "display");
    if system.is_some() || code.is_some() || display.is_some() {
        emit(token(system, code, display));
    }
}

fn token(system: Option<String>, code: Option<String>, text: Option<String>) -> IndexValue {
    IndexValue::Token { system, code: code.unwrap_or_default(), text }
}

fn implicit_system(element: &Element<'_>, code: &str) -> Option<String> {
    if element.definition.name != "code" {
        return None;
    }
    let binding = element.reached_by?.binding.as_ref()?;
    if binding.strength != BindingStrength::Required {
        return None;
    }
    let codes = element.schema.value_set_codes(binding.value_set)?;
    let start = codes.partition_point(|(_, own)| *own < code);
    let mut systems = codes.get(start..)?.iter().take_while(|(_, own)| *own == code).map(|(system, _)| *system);
    let first = systems.next()?;
    systems.all(|other| other == first).then(|| first.to_owned())
}
