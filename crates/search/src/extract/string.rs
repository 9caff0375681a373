//! String values: each part of a name or address is a value of its own, and the whole is one too, so
//! that both `Chalmers` and `Peter Chalmers` are found. SPEC: R4 search.html#string.

use super::text_of;
use crate::{fold::fold, index_value::IndexValue};
use fhir::element::Element;
use fhirpath::Item;

pub(super) fn values(item: &Item<'_>, emit: &mut dyn FnMut(IndexValue)) {
    let Some(element) = item.element() else {
        if let Some(text) = item.to_text() {
            string(text.into_owned(), emit);
        }
        return;
    };
    match element.definition.name {
        "HumanName" => {
            parts(&element, &["family", "given", "prefix", "suffix", "text"], emit);
            whole(&element, &["given", "family"], emit);
        }
        "Address" => {
            parts(&element, &["line", "city", "district", "state", "postalCode", "country", "text"], emit);
            whole(&element, &["line", "city", "state", "postalCode", "country"], emit);
        }
        "CodeableConcept" => {
            parts(&element, &["text"], emit);
            element.children("coding", |coding| parts(&coding, &["display"], emit));
        }
        "Coding" => parts(&element, &["display"], emit),
        "ContactPoint" | "Identifier" => parts(&element, &["value"], emit),
        "Annotation" => parts(&element, &["text"], emit),
        _ => {
            if let Some(text) = element.text() {
                string(text.into_owned(), emit);
            }
        }
    }
}

fn parts(element: &Element<'_>, names: &[&str], emit: &mut dyn FnMut(IndexValue)) {
    for name in names {
        element.children(name, |part| {
            if let Some(text) = part.text() {
                string(text.into_owned(), emit);
            }
        });
    }
}

/// The parts joined by blanks, when there are at least two and no text says it better.
fn whole(element: &Element<'_>, names: &[&str], emit: &mut dyn FnMut(IndexValue)) {
    if text_of(element, "text").is_some() {
        return;
    }
    let mut all = Vec::new();
    for name in names {
        element.children(name, |part| all.extend(part.text().map(|text| text.into_owned())));
    }
    if all.len() > 1 {
        string(all.join(" "), emit);
    }
}

fn string(original: String, emit: &mut dyn FnMut(IndexValue)) {
    let folded = fold(&original);
    if !folded.is_empty() {
        emit(IndexValue::String { folded, original });
    }
}
