//! Date values: every date is a span `[low, high)`. A Period without an end (or start) is open there;
//! of a Timing only the outer limits count. SPEC: R4 search.html#date.

use crate::index_value::IndexValue;
use fhir::{element::Element, primitive::date_time::DateTime};
use fhirpath::Item;

pub(super) fn values(item: &Item<'_>, emit: &mut dyn FnMut(IndexValue)) {
    let span = match item.element() {
        Some(element) => span_of(&element),
        None => item.to_text().and_then(|text| span_of_text(&text)),
    };
    if let Some((low, high)) = span {
        // A period that ends before it starts still has to be found by its start.
        emit(IndexValue::Date { low, high: high.max(low.saturating_add(1)) });
    }
}

fn span_of(element: &Element<'_>) -> Option<(i64, i64)> {
    match element.definition.name {
        "date" | "dateTime" | "instant" => span_of_text(&element.text()?),
        "Period" => {
            let start = element.child("start").as_ref().and_then(span_of);
            let end = element.child("end").as_ref().and_then(span_of);
            if start.is_none() && end.is_none() {
                return None;
            }
            Some((start.map_or(i64::MIN, |(low, _)| low), end.map_or(i64::MAX, |(_, high)| high)))
        }
        "Timing" => {
            let mut outer: Option<(i64, i64)> = None;
            let mut widen = |(low, high): (i64, i64)| {
                outer = Some(outer.map_or((low, high), |(first, last)| (first.min(low), last.max(high))));
            };
            element.children("event", |event| {
                if let Some(span) = span_of(&event) {
                    widen(span);
                }
            });
            let bounds = element.child("repeat").and_then(|repeat| repeat.child("bounds"));
            if let Some(span) = bounds.filter(|one| one.definition.name == "Period").as_ref().and_then(span_of) {
                widen(span);
            }
            outer
        }
        _ => None,
    }
}

fn span_of_text(text: &str) -> Option<(i64, i64)> {
    DateTime::parse(text).map(|date| (date.low, date.high))
}
