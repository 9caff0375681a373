//! How value sets are composed: filters, imports, excludes, versions, marks, circles.

use crate::world::{FOOD, SETS, terminology};
use terminology::{Coding, ExpandOptions, Membership, Terminology, Unknown};

const CODES: [&str; 7] = ["food", "fruit", "apple", "banana", "vegetable", "tomato", "bear"];

fn holds<'a>(terminology: &'a Terminology, set: &'a str, code: &str) -> Membership<'a> {
    terminology.validate_code(set, Coding::of(FOOD, code))
}

/// The codes that are in, and that expansion says the same.
fn members(terminology: &Terminology, set: &str) -> Vec<&'static str> {
    let set = format!("{SETS}{set}");
    let held: Vec<&str> = CODES.into_iter().filter(|code| holds(terminology, &set, code) == Membership::In).collect();
    let handle = terminology.value_set(&set, "").expect("there");
    if let Ok(expansion) = terminology.expand(&handle, ExpandOptions::default()) {
        let mut expanded: Vec<&str> = expansion.contains.iter().map(|one| one.code).collect();
        expanded.retain(|code| CODES.contains(code));
        expanded.sort_unstable();
        let mut sorted = held.clone();
        sorted.sort_unstable();
        assert_eq!(expanded, sorted, "{set}");
    }
    held
}

#[test]
fn filters() {
    let it = terminology();
    assert_eq!(members(&it, "is-a"), ["fruit", "apple", "banana", "tomato"]);
    assert_eq!(members(&it, "descendent-of"), ["apple", "banana", "tomato"]);
    assert_eq!(members(&it, "is-not-a"), ["food", "vegetable", "bear"]);
    assert_eq!(members(&it, "generalizes"), ["food", "fruit", "vegetable", "tomato"]);
    assert_eq!(members(&it, "equals"), ["apple", "tomato"]);
    assert_eq!(members(&it, "in"), ["apple", "banana"]);
    assert_eq!(members(&it, "not-in"), ["food", "fruit", "vegetable", "bear"]);
    assert_eq!(members(&it, "exists"), ["apple", "banana", "tomato"]);
    assert_eq!(members(&it, "exists-not"), ["food", "fruit", "vegetable", "bear"]);
    assert_eq!(members(&it, "regex"), ["banana", "bear"]);
    assert_eq!(members(&it, "regex-half"), Vec::<&str>::new(), "the whole text must match");
    assert_eq!(members(&it, "regex-colour"), ["apple", "banana"]);
    assert_eq!(members(&it, "parent"), ["fruit", "vegetable", "bear"]);
    assert_eq!(members(&it, "selectable"), ["fruit", "apple", "banana", "vegetable", "tomato", "bear"]);
}

#[test]
fn what_a_filter_cannot_say_is_unknown() {
    let it = terminology();
    for set in ["unknown-property", "unknown-operator", "huge-regex", "open-regex"] {
        let set = format!("{SETS}{set}");
        assert!(matches!(holds(&it, &set, "apple"), Membership::Unknown(Unknown::Filter(_))), "{set}");
        assert_eq!(it.validate_code(&set, Coding::of("http://example.org/other", "apple")), Membership::NotIn);
        let handle = it.value_set(&set, "").expect("there");
        assert!(it.expand(&handle, ExpandOptions::default()).is_err(), "{set}");
    }
}

#[test]
fn imports_meet_within_an_include_and_join_over_includes() {
    let it = terminology();
    assert_eq!(members(&it, "both"), ["apple", "tomato"]);
    assert_eq!(members(&it, "renamed"), ["apple", "tomato"]);
    assert_eq!(members(&it, "either"), ["fruit", "apple", "banana", "tomato", "bear"]);
    assert_eq!(members(&it, "without"), ["food", "vegetable", "bear"]);
    assert_eq!(members(&it, "active"), ["food", "fruit", "apple", "banana", "vegetable", "tomato"]);
    let all = "http://example.org/ValueSet/all-food";
    assert_eq!(holds(&it, all, "apple"), Membership::In, "CodeSystem.valueSet");
    assert_eq!(holds(&it, all, "stone"), Membership::NotIn);
}

#[test]
fn a_list_may_name_codes_that_the_system_lacks() {
    let it = terminology();
    let set = format!("{SETS}shown");
    assert_eq!(holds(&it, &set, "durian"), Membership::In);
    let handle = it.value_set(&set, "").expect("there");
    let expansion = it.expand(&handle, ExpandOptions::default()).expect("enumerable");
    let shown: Vec<_> = expansion.contains.iter().map(|one| (one.code, one.display)).collect();
    assert_eq!(shown, [("apple", "An apple a day"), ("durian", "Durian")]);
}

#[test]
fn case_versions_and_fragments() {
    let it = terminology();
    let units = format!("{SETS}units");
    let system = "http://example.org/CodeSystem/units";
    for code in ["KG", "kg", "pOUND"] {
        assert_eq!(it.validate_code(&units, Coding::of(system, code)), Membership::In, "{code}");
    }
    assert_eq!(it.validate_code(&units, Coding::of(system, "g")), Membership::NotIn);
    let some = format!("{SETS}some");
    let system = "http://example.org/CodeSystem/some";
    assert_eq!(it.validate_code(&some, Coding::of(system, "known")), Membership::In);
    assert_eq!(it.validate_code(&some, Coding::of(system, "else")), Membership::Unknown(Unknown::Part(system)));
    // Version 1.0 is asked for, 2.0 is here: what it has may have been in 1.0 too.
    let old = format!("{SETS}old");
    assert_eq!(holds(&it, &old, "apple"), Membership::In);
    assert!(matches!(holds(&it, &old, "stone"), Membership::Unknown(Unknown::Version(_))));
    // A coding of another version may name what this version lacks.
    let coding = Coding { version: Some("3.0"), ..Coding::of(FOOD, "kiwi") };
    let all = format!("{SETS}all");
    assert!(matches!(it.validate_code(&all, coding), Membership::Unknown(Unknown::Version(_))));
    assert_eq!(it.validate_code(&all, Coding { version: Some("2.0"), ..coding }), Membership::NotIn);
    assert!(it.value_set(&format!("{SETS}all|1"), "").is_some());
    assert!(it.value_set(&format!("{SETS}all|2"), "").is_none());
}

#[test]
fn circles_and_missing_imports_make_unsure_not_wrong() {
    for first in ["circle-a", "circle-b"] {
        let it = terminology();
        // Whoever asks first: the answers are the same.
        let _ = holds(&it, &format!("{SETS}{first}"), "apple");
        let (a, b) = (format!("{SETS}circle-a"), format!("{SETS}circle-b"));
        assert_eq!(holds(&it, &a, "apple"), Membership::In);
        assert!(matches!(holds(&it, &a, "banana"), Membership::Unknown(Unknown::Circular(_))));
        assert_eq!(holds(&it, &b, "banana"), Membership::In);
        assert!(matches!(holds(&it, &b, "apple"), Membership::Unknown(Unknown::Circular(_))));
    }
    let it = terminology();
    let no = format!("{SETS}no-import");
    assert_eq!(holds(&it, &no, "apple"), Membership::In);
    assert!(matches!(holds(&it, &no, "banana"), Membership::Unknown(Unknown::ValueSet(_))));
    let meets = format!("{SETS}meets-nowhere");
    assert!(matches!(holds(&it, &meets, "apple"), Membership::Unknown(Unknown::ValueSet(_))));
    assert_eq!(holds(&it, &meets, "stone"), Membership::NotIn, "it must be of the system besides");
    let without = format!("{SETS}without-nowhere");
    assert!(matches!(holds(&it, &without, "apple"), Membership::Unknown(_)));
    assert_eq!(holds(&it, &without, "stone"), Membership::NotIn);
    let empty = format!("{SETS}empty");
    assert!(matches!(holds(&it, &empty, "apple"), Membership::Unknown(Unknown::ValueSet(_))));
}

#[test]
fn a_supplied_expansion_stands_in_for_what_cannot_be_evaluated() {
    let it = terminology();
    let set = format!("{SETS}expanded");
    let holds = |code: &str| it.validate_code(&set, Coding::of("http://snomed.info/sct", code));
    assert_eq!((holds("1000001"), holds("1000003")), (Membership::In, Membership::NotIn));
    let handle = it.value_set(&set, "").expect("there");
    assert_eq!(it.expand(&handle, ExpandOptions::default()).expect("as supplied").total, 2);
    // In a request too; but not a page of one, and not beside a composition that can be evaluated.
    let given = |expansion: &str, system: &str| {
        let text = format!(
            r#"{{"resourceType":"ValueSet","compose":{{"include":[{{"system":"{system}"}}]}},"expansion":{{{expansion}"contains":[{{"system":"{system}","code":"apple"}}]}}}}"#
        );
        let set =
            it.value_set_in(fhir::json::Tree::parse(text.into_bytes()).expect("JSON").root()).expect("a value set");
        matches!(it.holds(&set, Coding::of(system, "bear")), Membership::NotIn)
    };
    assert!(given("", "http://example.org/not-loaded") && given(r#""total":1,"#, "http://example.org/not-loaded"));
    assert!(
        !given(r#""total":2,"#, "http://example.org/not-loaded")
            && !given(r#""offset":0,"#, "http://example.org/not-loaded")
    );
    assert!(!given("", FOOD));
}
