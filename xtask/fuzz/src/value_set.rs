//! Value sets of requests (rows F58, F67): any composition is compiled or refused, within its limits; what
//! is expanded is in the set, no code twice; pages together are the whole.

use crate::choices::Choices;
use fhir::json::{Tree, Writer};
use std::sync::LazyLock;
use terminology::{Coding, ExpandOptions, Membership, Terminology};

/// Code systems: here as a whole, in part, by a rule, not at all.
const SYSTEMS: [&str; 10] = [
    "http://hl7.org/fhir/observation-status",
    "http://terminology.hl7.org/CodeSystem/observation-category",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "http://hl7.org/fhir/us/pacio-pfe/CodeSystem/pfe-category-cs",
    "http://terminology.hl7.org/CodeSystem/data-absent-reason",
    "http://unitsofmeasure.org",
    "http://hl7.org/fhir/sid/icf",
    "http://loinc.org",
    "http://snomed.info/sct",
    "http://t/unknown",
];

const CODES: [&str; 12] =
    ["final", "d4", "d450", "survey", "unknown", "mg", "AMB", "_ActEncounterCode", "89571-4", "", "a b", "FINAL"];

const IMPORTS: [&str; 8] = [
    "http://hl7.org/fhir/ValueSet/observation-status",
    "http://hl7.org/fhir/ValueSet/observation-category",
    "http://hl7.org/fhir/us/core/ValueSet/us-core-smoking-status-observation-codes",
    "http://snomed.info/sct?fhir_vs=isa/404684003",
    "http://snomed.info/sct?fhir_vs=ecl/%3C404684003",
    "http://loinc.org/vs/LL1-1",
    "http://unitsofmeasure.org/vs",
    "http://t/unknown|1",
];

const PROPERTIES: [&str; 8] = ["concept", "parent", "child", "code", "display", "inactive", "COMPONENT", "canonical"];

const OPERATORS: [&str; 10] =
    ["=", "is-a", "descendent-of", "is-not-a", "regex", "in", "not-in", "generalizes", "exists", "other"];

const VALUES: [&str; 12] = [
    "final",
    "_ActEncounterCode",
    "d4",
    "true",
    "false",
    "a|b,c",
    "final,amended",
    "[a-z]+",
    "(a*)*b",
    "(",
    ".{0,9999}",
    "",
];

static TERMINOLOGY: LazyLock<Terminology> = LazyLock::new(Terminology::builtin);

/// A ValueSet as it stands; or, from another first byte, one by choice.
pub fn value_set(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let body = if bytes.first() == Some(&b'{') { bytes.to_vec() } else { composed(&mut choices) };
    let Ok(tree) = Tree::parse(body) else { return };
    let Ok(set) = TERMINOLOGY.value_set_in(tree.root()) else { return };
    let filter = if choices.once_in(3) { choices.text() } else { String::new() };
    let options = ExpandOptions {
        filter: &filter,
        active_only: choices.once_in(2),
        include_designations: choices.once_in(2),
        language: choices.one(&["", "en", "de"]),
        ..ExpandOptions::default()
    };
    for (system, code) in [(choices.one(&SYSTEMS), choices.one(&CODES)), (choices.one(&SYSTEMS), choices.one(&CODES))] {
        let coding = Coding { version: Some("1"), display: Some("a"), ..Coding::of(system, code) };
        let _ = (TERMINOLOGY.holds(&set, coding), TERMINOLOGY.holds(&set, Coding::code(code)));
    }
    let Ok(whole) = TERMINOLOGY.expand(&set, options) else { return };
    assert_eq!(whole.total, whole.contains.len(), "all of them");
    let mut codes: Vec<(&str, &str)> = whole.contains.iter().map(|one| (one.system, one.code)).collect();
    for (system, code) in &codes {
        let held = TERMINOLOGY.holds(&set, Coding::of(system, code));
        assert_eq!(held, Membership::In, "{system}|{code} is expanded");
    }
    let size = 1 + choices.below(9);
    for offset in (0..whole.total).step_by(size).take(4) {
        let page = TERMINOLOGY.expand(&set, ExpandOptions { offset, count: Some(size), ..options }).expect("a page");
        let of_page: Vec<(&str, &str)> = page.contains.iter().map(|one| (one.system, one.code)).collect();
        assert_eq!(of_page, codes[offset..codes.len().min(offset + size)], "the page at {offset}");
        assert_eq!(page.total, whole.total);
    }
    codes.sort_unstable();
    assert!(codes.windows(2).all(|two| two[0] != two[1]), "a code twice");
}

fn composed(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut w = Writer::new();
    w.object(|w| {
        w.member("resourceType", "ValueSet");
        w.member("url", "http://t/v");
        w.member("status", "draft");
        w.key("compose");
        w.object(|w| {
            if choices.once_in(4) {
                w.key("inactive");
                w.boolean(choices.once_in(2));
            }
            for name in ["include", "exclude"] {
                w.key(name);
                w.array(|w| {
                    for _ in 0..choices.below(4) {
                        w.object(|w| part(w, choices));
                    }
                });
            }
        });
    });
    w.into_bytes()
}

fn part(w: &mut Writer, choices: &mut Choices<'_>) {
    if !choices.once_in(5) {
        w.member("system", choices.one(&SYSTEMS));
    }
    if choices.once_in(6) {
        w.member("version", choices.one(&["4.0.1", "1", "2018-08-12", ""]));
    }
    if choices.once_in(3) {
        w.key("concept");
        w.array(|w| {
            for _ in 0..choices.below(4) {
                w.object(|w| w.member("code", choices.one(&CODES)));
            }
        });
    }
    if choices.once_in(3) {
        w.key("filter");
        w.array(|w| {
            for _ in 0..choices.below(3) {
                w.object(|w| {
                    w.member("property", choices.one(&PROPERTIES));
                    w.member("op", choices.one(&OPERATORS));
                    let value = if choices.once_in(5) { choices.text() } else { choices.one(&VALUES).to_owned() };
                    w.member("value", &value);
                });
            }
        });
    }
    if choices.once_in(4) {
        w.key("valueSet");
        w.array(|w| (0..choices.below(3)).for_each(|_| w.string(choices.one(&IMPORTS))));
    }
}
