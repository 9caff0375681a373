//! Quantity values: Quantity and its specializations, Money, both ends of a Range.
//! Left out: SampledData, Ratio. SPEC: R4 search.html#quantity.

use super::{number::decimal, text_of};
use crate::{index_value::IndexValue, ucum};
use fhir::element::Element;
use fhirpath::Item;

/// System of `Money.currency`. SPEC: R4 datatypes.html#Money.
const CURRENCY_SYSTEM: &str = "urn:iso:std:iso:4217";

pub(super) fn values(item: &Item<'_>, emit: &mut dyn FnMut(IndexValue)) {
    let Some(element) = item.element() else { return };
    match element.definition.name {
        "Range" => {
            for end in ["low", "high"] {
                element.child(end).iter().for_each(|one| quantity(one, emit));
            }
        }
        "Money" => {
            if let Some(value) = element.child("value").as_ref().and_then(decimal) {
                let code = text_of(&element, "currency");
                let system = code.is_some().then(|| CURRENCY_SYSTEM.to_owned());
                emit(IndexValue::Quantity { value, system, code, unit: None, canonical: None });
            }
        }
        _ => quantity(&element, emit),
    }
}

fn quantity(element: &Element<'_>, emit: &mut dyn FnMut(IndexValue)) {
    let Some(value) = element.child("value").as_ref().and_then(decimal) else { return };
    let (system, code) = (text_of(element, "system"), text_of(element, "code"));
    let is_ucum = system.as_deref() == Some(ucum::SYSTEM);
    let canonical = code.as_deref().filter(|_| is_ucum).and_then(|code| ucum::canonical(value, code));
    emit(IndexValue::Quantity { value, system, code, unit: text_of(element, "unit"), canonical });
}
