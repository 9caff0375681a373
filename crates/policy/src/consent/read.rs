//! Elements of a Consent's JSON: what is there, and whether it can be understood.

use super::{algebra::Criterion, limits};
use fhir::{
    LogicalId, ResourceType,
    json::{Kind, Value},
    primitive::date_time::DateTime,
    reference::Reference,
};
use search::matcher::Related;
use std::sync::Arc;

/// A code with its system.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Coded {
    pub(crate) system: Arc<str>,
    pub(crate) code: Arc<str>,
}

impl Coded {
    pub(crate) fn is(&self, system: &str, code: &str) -> bool {
        &*self.system == system && &*self.code == code
    }
}

/// A Coding with system and code; without one of them nobody can say what it means.
pub(crate) fn coding(value: Value<'_>) -> Option<Coded> {
    let text = |name| value.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    Some(Coded { system: text("system")?.as_ref().into(), code: text("code")?.as_ref().into() })
}

/// The Codings of a CodeableConcept that can be read: they all mean the same, so one suffices.
pub(crate) fn concept(value: Value<'_>) -> Vec<Coded> {
    value.get("coding").map(|codings| codings.items_or_self().filter_map(coding).collect()).unwrap_or_default()
}

/// A reference to a resource here; `None` for everything else: other servers, contained ones, texts, identifiers.
pub(crate) fn reference(value: Value<'_>) -> Option<(ResourceType, LogicalId)> {
    match Reference::parse(&value.get("reference").and_then(Value::as_str)?, None)? {
        Reference::Relative(kind, id, _) => Some((kind, id)),
        Reference::Contained(_) | Reference::Urn(_) | Reference::Absolute(_) | Reference::Conditional(..) => None,
    }
}

/// A Period as `[low, high)` in milliseconds since the epoch; what is open is MIN or MAX. Its last day belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) low: i64,
    pub(crate) high: i64,
}

impl Span {
    /// Whether the moment of the question lies in it.
    pub(crate) fn holds(self, related: &dyn Related) -> bool {
        related.holds(self.low, self.high)
    }
}

/// A Period element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Period {
    /// There is none.
    #[default]
    None,
    /// This one.
    Span(Span),
    /// There is one, and it cannot be read: a date that is none, an end before the start, neither start nor end.
    Unreadable,
}

pub(crate) fn period(value: Option<Value<'_>>) -> Period {
    let Some(value) = value else { return Period::None };
    // `_start` without `start`: a date that somebody left out for a reason.
    let bound = |name: &str, ghost: &str| match (value.get(name), value.get(ghost)) {
        (Some(text), _) => Some(text.as_str().and_then(|text| DateTime::parse(&text))),
        (None, Some(_)) => Some(None),
        (None, None) => None,
    };
    match (bound("start", "_start"), bound("end", "_end")) {
        (None, None) | (Some(None), _) | (_, Some(None)) => Period::Unreadable,
        (start, end) => {
            let low = start.flatten().map_or(i64::MIN, |date| date.low);
            let high = end.flatten().map_or(i64::MAX, |date| date.high);
            if low < high { Period::Span(Span { low, high }) } else { Period::Unreadable }
        }
    }
}

/// The repeats of a member, each read by `one`.
pub(crate) fn criterion<T>(parent: Value<'_>, name: &str, mut one: impl FnMut(Value<'_>) -> Option<T>) -> Criterion<T> {
    let mut criterion = Criterion::default();
    let Some(list) = parent.get(name) else { return criterion };
    for value in list.items_or_self() {
        if criterion.repeats.len() >= limits::REPEATS_MAX {
            criterion.doubtful = true;
            break;
        }
        match one(value) {
            Some(read) => criterion.repeats.push(read),
            None => criterion.doubtful = true,
        }
    }
    // An empty array is no valid R4; whoever wrote it meant to say something.
    criterion.doubtful |= criterion.repeats.is_empty();
    criterion
}

/// Whether it says that it must be understood in a way that nobody here knows.
pub(crate) fn is_modified(value: Value<'_>) -> bool {
    value.get("modifierExtension").is_some_and(|list| list.kind() != Kind::Array || list.items().next().is_some())
}
