//! Order of results: sort keys as bytes, so that a page's cursor can hold one and compare it.
//!
//! Ascending uses a resource's smallest value, descending its largest; a resource without a value
//! comes last either way. Text sorts folded, tokens by code, references by target id or URL, quantities in canonical units when they have them. Text beyond
//! [`limits::SORT_TEXT_BYTES_MAX`] bytes does not count; ties are the store's (row order).
//! SPEC: R4 search.html#sort.

use crate::{
    exact,
    index_value::ValueRef,
    limits,
    matcher::Subject,
    query::{Direction, SortKey},
};

const PRESENT: u8 = 1;
const ABSENT: u8 = 2;

/// The subject's place by these keys: compare bytewise, smaller first. Places by the same keys are
/// prefix-free, so a tie-breaker may follow.
#[must_use]
pub fn sort_key(subject: Subject<'_>, keys: &[SortKey]) -> Vec<u8> {
    let mut place = Vec::new();
    for key in keys {
        match key {
            SortKey::Id(direction) => {
                let mut id = Vec::new();
                append_text(&mut id, subject.id.as_str());
                append(&mut place, *direction, Some(id));
            }
            SortKey::LastUpdated(direction) => {
                let mut time = Vec::new();
                append_millis(&mut time, subject.last_updated.unix_millis());
                append(&mut place, *direction, Some(time));
            }
            SortKey::Parameter(parameter, direction) => {
                let mut best: Option<Vec<u8>> = None;
                subject.values.any(*parameter, &mut |value| {
                    let key = key_bytes(value, *direction);
                    let better = best.as_ref().is_none_or(|best| match direction {
                        Direction::Ascending => key < *best,
                        Direction::Descending => key > *best,
                    });
                    if better {
                        best = Some(key);
                    }
                    false
                });
                append(&mut place, *direction, best);
            }
        }
    }
    place
}

/// One value as bytes in ascending order. A period sorts by its start when ascending and by its
/// end when descending.
#[must_use]
pub fn key_bytes(value: ValueRef<'_>, direction: Direction) -> Vec<u8> {
    let mut out = Vec::new();
    match value {
        ValueRef::Token { code, text, .. } => {
            append_text(&mut out, if code.is_empty() { text.unwrap_or_default() } else { code });
        }
        ValueRef::String { folded, .. } => append_text(&mut out, folded),
        ValueRef::Reference { target, url, identifier } => {
            let text = target.map(|(_, id)| id).or(url).or(identifier.map(|(_, value)| value));
            append_text(&mut out, text.unwrap_or_default());
        }
        ValueRef::Date { low, high } => {
            append_millis(&mut out, if direction == Direction::Ascending { low } else { high });
        }
        ValueRef::Number(decimal) => exact::append_key(&mut out, decimal),
        ValueRef::Quantity { value, canonical, .. } => {
            append_text(&mut out, canonical.map_or("", |(_, unit)| unit));
            exact::append_key(&mut out, canonical.map_or(value, |(value, _)| value));
        }
        ValueRef::Uri(uri) => append_text(&mut out, uri),
        ValueRef::Composite(_) => {}
    }
    out
}

fn append(place: &mut Vec<u8>, direction: Direction, key: Option<Vec<u8>>) {
    match (key, direction) {
        (None, _) => place.push(ABSENT),
        (Some(key), Direction::Ascending) => {
            place.push(PRESENT);
            place.extend(key);
        }
        (Some(key), Direction::Descending) => {
            place.push(PRESENT);
            place.extend(key.into_iter().map(|byte| !byte));
        }
    }
}

fn append_text(out: &mut Vec<u8>, text: &str) {
    out.extend(text.bytes().take(limits::SORT_TEXT_BYTES_MAX).map(|byte| byte.max(1)));
    out.push(0);
}

fn append_millis(out: &mut Vec<u8>, millis: i64) {
    out.extend_from_slice(&(millis.cast_unsigned() ^ (1 << 63)).to_be_bytes());
}

#[cfg(test)]
mod tests;
