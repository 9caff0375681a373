//! Value sets that no definition states because their URL says what they hold.
//!
//! SPEC: R4 snomedct.html#implicit (`?fhir_vs`, `?fhir_vs=isa/…`), loinc.html#implicit (`/vs`, `/vs/LL…`,
//! `/vs/LP…`), ucum.html (`/vs`), codesystem.html (`CodeSystem.valueSet`). Left out, refused by name:
//! expression constraints and reference sets of SNOMED CT.

use crate::{
    Coding, Completeness, Terminology,
    code_system::CodeSystem,
    content::{Codes, Content, Why},
    grammar::Rest,
    ranges::Ranges,
    truth::Truth,
};
use std::sync::Arc;

const SNOMED: &str = "http://snomed.info/sct";
const LOINC: &str = "http://loinc.org";

/// The content of an implicit value set; `None` when the canonical is none.
pub(crate) fn content(terminology: &Terminology, canonical: &str) -> Option<Content> {
    let (url, version) = canonical.split_once('|').unwrap_or((canonical, ""));
    if let Some(rest) = url.strip_prefix(SNOMED)
        && let Some((edition, what)) = rest.split_once("?fhir_vs")
    {
        let version = if edition.is_empty() { version } else { url.get(..SNOMED.len() + edition.len())? };
        return snomed(terminology, version, what);
    }
    if let Some(what) = url.strip_prefix(LOINC).and_then(|rest| rest.strip_prefix("/vs")) {
        return loinc(terminology, version, what);
    }
    if let Some(system) = terminology.system_of_value_set(url) {
        return Some(whole(terminology, system, version));
    }
    let system = url.strip_suffix("?fhir_vs").or_else(|| url.strip_suffix("/vs"))?;
    let known = terminology.system(system, "", "").is_some() || terminology.grammar(system).is_some();
    known.then(|| whole(terminology, system, version))
}

/// Whether `?fhir_vs=isa/…` of a loaded SNOMED CT holds one of its codes: told from the hierarchy, without the
/// content of the value set. `None`: another value set, or something that [`content`] has to tell.
pub(crate) fn is_a(terminology: &Terminology, canonical: &str, coding: Coding<'_>) -> Option<bool> {
    let (edition, top) = canonical.strip_prefix(SNOMED)?.split_once("?fhir_vs=isa/")?;
    if coding.system.is_some_and(|system| system != SNOMED) || top.contains('|') {
        return None;
    }
    let version = if edition.is_empty() { "" } else { canonical.get(..SNOMED.len() + edition.len())? };
    let (system, _) = terminology.system(SNOMED, version, "").filter(|(_, is_version)| *is_version)?;
    Some(system.is_a(system.find(coding.code)?, system.find(top)?))
}

/// All codes of a system.
fn whole(terminology: &Terminology, url: &str, version: &str) -> Content {
    let Some((system, true)) = terminology.system(url, version, "") else {
        let mut content = Terminology::unknown_system(url);
        if let (Some(grammar), Some(codes)) = (terminology.grammar(url), content.parts.first_mut()) {
            codes.rest = Rest::Rule(grammar);
        }
        return content;
    };
    let all = system.all();
    let is_part = system.about().completeness == Completeness::Part;
    let mut codes = some(system, all);
    if is_part {
        codes.rest = terminology.grammar(url).map_or(Rest::Fixed(Truth::Unsure), Rest::Rule);
        codes.why = Some(Why::Part(url.into()));
    }
    Content::of(codes)
}

fn some(system: Arc<CodeSystem>, yes: Ranges) -> Codes {
    let mut codes = Codes::none(&system.about().url.clone(), "", Some(system));
    codes.yes = yes;
    codes
}

fn unsupported(url: &str, what: &str) -> Content {
    let mut content = Terminology::unknown_system(url);
    content.parts.iter_mut().for_each(|codes| codes.why = Some(Why::Unsupported(what.into())));
    content
}

fn snomed(terminology: &Terminology, version: &str, what: &str) -> Option<Content> {
    let what = what.strip_prefix('=').unwrap_or(what);
    if what.is_empty() {
        return Some(whole(terminology, SNOMED, version));
    }
    if what.starts_with("ecl/") {
        return Some(unsupported(SNOMED, "expression constraints of SNOMED CT (fhir_vs=ecl)"));
    }
    if what == "refset" || what.starts_with("refset/") {
        return Some(unsupported(SNOMED, "reference sets of SNOMED CT (fhir_vs=refset)"));
    }
    let top = what.strip_prefix("isa/")?;
    let Some((system, true)) = terminology.system(SNOMED, version, "") else {
        return Some(Terminology::unknown_system(SNOMED));
    };
    match system.find(top) {
        Some(top) => {
            let below = system.at_or_below(top);
            Some(Content::of(some(system, below)))
        }
        None if system.about().completeness == Completeness::Complete => None,
        None => Some(Terminology::unknown_system(SNOMED)),
    }
}

fn loinc(terminology: &Terminology, version: &str, what: &str) -> Option<Content> {
    let what = match what.strip_prefix('/') {
        Some(what) => what,
        None if what.is_empty() => return Some(whole(terminology, LOINC, version)),
        None => return None,
    };
    let unknown = || Some(Terminology::unknown_system(LOINC));
    let Some((system, true)) = terminology.system(LOINC, version, "") else { return unknown() };
    if what.starts_with("LL") {
        // A list that is not here may be in a fuller load of LOINC: its members cannot be checked.
        let Some(lists) = system.property("LIST") else { return unknown() };
        let members = system.with_value(lists, |list| list == what);
        if members.is_empty() {
            return unknown();
        }
        return Some(Content::of(some(system, members)));
    }
    let Some(top) = system.find(what) else { return unknown() };
    let below = system.at_or_below(top);
    Some(Content::of(some(system, below)))
}
