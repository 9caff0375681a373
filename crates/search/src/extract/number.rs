//! Number values. Both ends of a Range are values. SPEC: R4 search.html#number.

use crate::index_value::IndexValue;
use fhir::{element::Element, primitive::decimal::Decimal};
use fhirpath::Item;

pub(super) fn values(item: &Item<'_>, emit: &mut dyn FnMut(IndexValue)) {
    match item.element() {
        Some(element) if element.definition.name == "Range" => {
            for end in ["low", "high"] {
                let value = element.child(end).and_then(|quantity| quantity.child("value"));
                value.as_ref().and_then(decimal).into_iter().for_each(|value| emit(IndexValue::Number(value)));
            }
        }
        Some(element) => {
            let value = if element.is_primitive() { Some(element) } else { element.child("value") };
            value.as_ref().and_then(decimal).into_iter().for_each(|value| emit(IndexValue::Number(value)));
        }
        None => item.as_decimal().into_iter().for_each(|value| emit(IndexValue::Number(value))),
    }
}

pub(super) fn decimal(element: &Element<'_>) -> Option<Decimal> {
    Decimal::parse(element.value?.number_text()?)
}
