//! Reference values: the literal target (local, or a foreign URL), the identifier, or both. References
//! to contained resources and conditional references are skipped. A canonical is its URL.
//! SPEC: R4 search.html#reference, references.html.

use super::text_of;
use crate::index_value::IndexValue;
use fhir::{LogicalId, ResourceType, reference::Reference};
use fhirpath::Item;

pub(super) fn values(item: &Item<'_>, base_url: &str, emit: &mut dyn FnMut(IndexValue)) {
    let element = item.element();
    let Some(element) = element.filter(|element| element.definition.name == "Reference") else {
        if let Some((target, url)) = item.to_text().and_then(|text| literal(&text, base_url)) {
            emit(IndexValue::Reference { target, url, identifier: None });
        }
        return;
    };
    let (target, url) =
        element.child("reference").and_then(|text| literal(&text.text()?, base_url)).unwrap_or((None, None));
    let identifier = element.child("identifier");
    let identifier = identifier.and_then(|of| Some((text_of(&of, "system"), text_of(&of, "value")?)));
    if target.is_some() || url.is_some() || identifier.is_some() {
        emit(IndexValue::Reference { target, url, identifier });
    }
}

type Literal = (Option<(ResourceType, LogicalId)>, Option<String>);

fn literal(text: &str, base_url: &str) -> Option<Literal> {
    match Reference::parse(text, Some(base_url))? {
        Reference::Relative(kind, id, _) => Some((Some((kind, id)), None)),
        Reference::Urn(url) | Reference::Absolute(url) => Some((None, Some(url))),
        Reference::Contained(_) | Reference::Conditional(..) => None,
    }
}
