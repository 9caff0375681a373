//! Filters of a value set's include over the concepts of a code system. SPEC: R4 valueset-filter-operator.html.
//!
//! Properties are those of the system, and `concept`, `code`, `display`, `parent`, `child`, `ancestor`,
//! `inactive`, `notSelectable` (`abstract`) by what the hierarchy and the marks say. A property that the
//! system does not have here cannot be checked: it may exist in the full system.

use crate::{code_system::CodeSystem, limits, ranges::Ranges};
use regex::{Regex, RegexBuilder};

/// What the filter says of the concepts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Filtered {
    /// These pass.
    These(Ranges),
    /// It cannot be evaluated here.
    Unknown,
}

/// A regular expression that must match a whole text, in linear time; `None` when it is too large or none.
pub(crate) fn whole_regex(pattern: &str) -> Option<Regex> {
    if pattern.len() > limits::REGEX_BYTES_MAX {
        return None;
    }
    let whole = format!("^(?:{pattern})$");
    RegexBuilder::new(&whole)
        .size_limit(limits::REGEX_COMPILED_BYTES_MAX)
        .dfa_size_limit(limits::REGEX_COMPILED_BYTES_MAX)
        .nest_limit(64)
        .build()
        .ok()
}

/// Concepts that pass a filter.
pub(crate) fn filtered(system: &CodeSystem, property: &str, operator: &str, value: &str) -> Filtered {
    let found = match operator {
        "is-a" => below(system, value),
        "descendent-of" | "descendant-of" => without_top(system, value, below(system, value)),
        "is-not-a" => below(system, value).map(|below| system.all().minus(&below)),
        "generalizes" => system.find(value).map(|top| system.at_or_above(top)).or_else(|| nothing(system)),
        "child-of" => equal(system, "parent", value),
        "=" => equal(system, property, value),
        "in" => among(system, property, value),
        "not-in" => among(system, property, value).map(|found| system.all().minus(&found)),
        "exists" => exists(system, property, value),
        "regex" => matching(system, property, value),
        _ => None,
    };
    // SPEC: R4 valueset-filter-operator.html: the hierarchical ones are about the concept itself.
    let hierarchical = matches!(operator, "is-a" | "descendent-of" | "descendant-of" | "is-not-a" | "generalizes");
    if hierarchical && !is_concept(property) && !matches!(property, "parent" | "ancestor" | "hierarchy") {
        return Filtered::Unknown;
    }
    found.map_or(Filtered::Unknown, Filtered::These)
}

fn is_concept(property: &str) -> bool {
    matches!(property, "concept" | "code")
}

/// A top that the system does not have has nothing below it, when the system is here as a whole.
fn nothing(system: &CodeSystem) -> Option<Ranges> {
    (system.about().completeness == crate::Completeness::Complete).then(Ranges::none)
}

fn below(system: &CodeSystem, top: &str) -> Option<Ranges> {
    system.find(top).map(|top| system.at_or_below(top)).or_else(|| nothing(system))
}

fn without_top(system: &CodeSystem, top: &str, below: Option<Ranges>) -> Option<Ranges> {
    below.map(|below| below.minus(&Ranges::of_positions(system.find(top))))
}

fn mark(marked: &Ranges, system: &CodeSystem, value: &str) -> Option<Ranges> {
    match value {
        "true" => Some(marked.clone()),
        "false" => Some(system.all().minus(marked)),
        _ => None,
    }
}

fn equal(system: &CodeSystem, property: &str, value: &str) -> Option<Ranges> {
    let of = |concepts: Option<&[u32]>| concepts.map(|all| Ranges::of_positions(all.iter().copied()));
    let found = system.find(value);
    // What the system states under this name goes before what the name means elsewhere.
    if let Some(own) = system.property(property) {
        let same = |have: &str| {
            have == value || (own.kind == "Coding" && have.rsplit_once('|').is_some_and(|(_, code)| code == value))
        };
        let stated = system.with_value(own, same);
        if !matches!(property, "parent" | "child" | "inactive" | "notSelectable" | "abstract") {
            return Some(stated);
        }
    }
    match property {
        "concept" | "code" => Some(Ranges::of_positions(found)),
        "display" => Some(Ranges::of_positions((0..system.len()).filter(|concept| system.display(*concept) == value))),
        "parent" => of(found.map(|top| system.children(top))).or_else(|| nothing(system)),
        "child" => of(found.map(|top| system.parents(top))).or_else(|| nothing(system)),
        "ancestor" => without_top(system, value, below(system, value)),
        "inactive" => mark(&system.inactive, system, value),
        "notSelectable" | "abstract" => mark(&system.not_selectable, system, value),
        _ => None,
    }
}

fn among(system: &CodeSystem, property: &str, values: &str) -> Option<Ranges> {
    // Values are codes: they hold no commas. Many of them are put together once.
    let mut ranges = Vec::new();
    for value in values.split(',').map(str::trim).filter(|value| !value.is_empty()) {
        ranges.extend_from_slice(equal(system, property, value)?.ranges());
        if ranges.len() > limits::COMPILED_MAX {
            return None;
        }
    }
    Some(Ranges::of(ranges))
}

fn exists(system: &CodeSystem, property: &str, value: &str) -> Option<Ranges> {
    let having = match property {
        "concept" | "code" => system.all(),
        "display" => Ranges::of_positions((0..system.len()).filter(|concept| !system.display(*concept).is_empty())),
        "parent" | "ancestor" => {
            Ranges::of_positions((0..system.len()).filter(|concept| !system.parents(*concept).is_empty()))
        }
        "child" => Ranges::of_positions((0..system.len()).filter(|concept| !system.children(*concept).is_empty())),
        _ => system.with_value(system.property(property)?, |_| true),
    };
    mark(&having, system, value)
}

fn matching(system: &CodeSystem, property: &str, pattern: &str) -> Option<Ranges> {
    let regex = whole_regex(pattern)?;
    let all = 0..system.len();
    Some(match property {
        "concept" | "code" => Ranges::of_positions(all.filter(|concept| regex.is_match(system.code(*concept)))),
        "display" => Ranges::of_positions(all.filter(|concept| regex.is_match(system.display(*concept)))),
        "parent" => Ranges::of_positions(
            all.filter(|concept| system.parents(*concept).iter().any(|one| regex.is_match(system.code(*one)))),
        ),
        _ => system.with_value(system.property(property)?, |value| regex.is_match(value)),
    })
}
