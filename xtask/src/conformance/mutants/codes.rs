//! Value sets, as far as the packages at hand tell them: a plain reading of their parts, none of the
//! terminology that is under test.

use super::node::Node;
use super::rules::Told;
use fhir::schema::{Definitions, ValueSetPart};

/// A code that no code system has.
pub(super) const NO_CODE: &str = "no-such-code-9z";

/// A system that no value set names.
pub(super) const NO_SYSTEM: &str = "http://example.org/no-such-system";

/// How far imports are followed.
const DEPTH_MAX: usize = 6;

/// Whether a concept, a Coding or a code is of a value set.
pub(super) fn holds(value_set: &str, package: &str, value: &Node) -> Told {
    let codings: Vec<&Node> = match value {
        Node::Text(_) => vec![value],
        Node::Object(_) => match value.get("coding") {
            Some(list) => list.items().iter().collect(),
            None => vec![value],
        },
        _ => return Told::Unknown,
    };
    let mut all = Told::No;
    for coding in codings {
        let (system, code) = match coding {
            Node::Text(code) => (None, code.as_str()),
            _ => match coding.text_of("code") {
                Some(code) => (Some(coding.text_of("system").unwrap_or_default()), code),
                None => continue,
            },
        };
        match of_set(value_set, package, system, code, 0) {
            Told::Yes => return Told::Yes,
            Told::Unknown => all = Told::Unknown,
            Told::No => {}
        }
    }
    all
}

fn of_set(canonical: &str, package: &str, system: Option<&str>, code: &str, depth: usize) -> Told {
    let Some(set) = Definitions::builtin().value_set_for(canonical, package).filter(|_| depth < DEPTH_MAX) else {
        return Told::Unknown;
    };
    let ask = |parts: &mut dyn Iterator<Item = &'static ValueSetPart>| {
        let told = parts.map(|part| of_part(part, set.package, system, code, depth));
        told.fold(Told::No, |sum, one| match (sum, one) {
            (Told::Yes, _) | (_, Told::Yes) => Told::Yes,
            (Told::Unknown, _) | (_, Told::Unknown) => Told::Unknown,
            _ => Told::No,
        })
    };
    match (ask(&mut set.includes()), ask(&mut set.excludes())) {
        (Told::Yes, Told::No) => Told::Yes,
        (Told::No, _) | (_, Told::Yes) => Told::No,
        _ => Told::Unknown,
    }
}

fn of_part(part: &'static ValueSetPart, package: &str, system: Option<&str>, code: &str, depth: usize) -> Told {
    if !part.system.is_empty() && system.is_some_and(|system| system != part.system) {
        return Told::No;
    }
    let mut all = Told::Yes;
    for imported in &part.value_sets {
        match of_set(imported, package, system, code, depth + 1) {
            Told::No => return Told::No,
            Told::Unknown => all = Told::Unknown,
            Told::Yes => {}
        }
    }
    if part.system.is_empty() {
        return all;
    }
    if !part.codes.is_empty() {
        return if part.codes.iter().any(|one| one.code == code) { all } else { Told::No };
    }
    let known = Definitions::builtin().code_system_for(part.system, package).filter(|one| one.content == "complete");
    match known {
        Some(known) if !known.concepts.iter().any(|one| one.code == code) => Told::No,
        Some(_) if part.filters.is_empty() => all,
        _ => Told::Unknown,
    }
}
