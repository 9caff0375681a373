//! The codes of value sets, as far as the compiled-in packages can enumerate them.
//!
//! A value set is enumerable when all that it includes and excludes is: listed codes, whole code
//! systems of complete content, `is-a` and `descendent-of` within such, other enumerable value sets.
//! SPEC: R4 valueset.html#compositions. Left out: other filters, expansion parameters (see the crate
//! `terminology`).

use super::{Definitions, ValueSet, ValueSetPart};
use std::collections::BTreeSet;

type Code = (&'static str, &'static str);

/// Nesting of value sets that import value sets; the deepest of the packages is 3.
const IMPORT_DEPTH_MAX: usize = 8;

/// See [`super::Schema::value_set_codes`].
pub(super) fn value_set_codes(canonical: &str) -> Option<&'static [Code]> {
    value_set(Definitions::builtin(), canonical, "", 0)
}

fn value_set(all: &'static Definitions, canonical: &str, package: &str, depth: usize) -> Option<&'static [Code]> {
    if depth > IMPORT_DEPTH_MAX {
        return None;
    }
    let set = all.value_set_for(canonical, package)?;
    // INVARIANT: no value set of the packages imports itself (a test enumerates them all), so
    // the cell is never entered twice by one thread.
    set.codes.get_or_init(|| enumerate(all, set, depth)).as_deref()
}

/// All codes of a set, sorted by code, then system.
fn enumerate(all: &'static Definitions, set: &ValueSet, depth: usize) -> Option<Vec<Code>> {
    let mut held = BTreeSet::new();
    for one in set.includes() {
        held.extend(part(all, one, set.package, depth)?);
    }
    for one in set.excludes() {
        for code in part(all, one, set.package, depth)? {
            held.remove(&code);
        }
    }
    set.includes().next()?;
    Some(held.into_iter().map(|(code, system)| (system, code)).collect())
}

/// Codes of one include or exclude as (code, system): what system and imports have in common.
fn part(all: &'static Definitions, part: &ValueSetPart, package: &str, depth: usize) -> Option<BTreeSet<Code>> {
    let mut held: Option<BTreeSet<Code>> = None;
    if !part.system.is_empty() {
        held = Some(of_system(all, part, package)?.into_iter().map(|code| (code, part.system)).collect());
    }
    for import in &part.value_sets {
        let imported = value_set(all, import, package, depth + 1)?;
        let imported: BTreeSet<Code> = imported.iter().map(|(system, code)| (*code, *system)).collect();
        held = Some(match held {
            Some(held) => held.intersection(&imported).copied().collect(),
            None => imported,
        });
    }
    held
}

fn of_system(all: &'static Definitions, part: &ValueSetPart, package: &str) -> Option<Vec<&'static str>> {
    if !part.codes.is_empty() {
        return Some(part.codes.iter().map(|one| one.code).collect());
    }
    let system = all.code_system_for(part.system, package).filter(|system| system.is_complete)?;
    let mut codes: Vec<&'static str> = system.concepts.iter().map(|concept| concept.code).collect();
    for filter in &part.filters {
        let (below, itself) = match (filter.property, filter.operator) {
            ("concept", "is-a") => (true, true),
            ("concept", "descendent-of") => (true, false),
            ("concept", "is-not-a") => (false, false),
            _ => return None,
        };
        let tree = system.tree(filter.value);
        codes.retain(|code| if *code == filter.value { itself } else { tree.contains(code) == below });
    }
    Some(codes)
}
