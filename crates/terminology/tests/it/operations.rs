//! The operations: look-up, validation, subsumption, expansion, translation, and their JSON.

use crate::world::{FOOD, SETS, terminology};
use fhir::json::{Tree, Writer};
use terminology::{
    Beside, CodeOptions, CodeSystem, Coding, DisplayCheck, ExpandOptions, GivenMap, OperationError, Subsumption,
    Terminology, TranslateOptions,
};

fn json(write: impl FnOnce(&mut Writer)) -> String {
    let mut w = Writer::new();
    write(&mut w);
    let bytes = w.into_bytes();
    Tree::parse(bytes.clone()).expect("JSON");
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn lookup_tells_what_a_code_means() {
    let it = terminology();
    let lookup = it.lookup(Coding::of(FOOD, "tomato"), &[], "").expect("there");
    assert_eq!((lookup.code(), lookup.display()), ("tomato", "Tomato"));
    let parents: Vec<_> =
        lookup.properties().into_iter().filter(|one| one.code == "parent").map(|one| one.value.to_owned()).collect();
    assert_eq!(parents, ["fruit", "vegetable"]);
    let apple = it.lookup(Coding::of(FOOD, "apple"), &["weight", "designation"], "de").expect("there");
    assert_eq!(
        json(|w| apple.write(w)),
        r#"{"resourceType":"Parameters","parameter":[{"name":"name","valueString":"Food"},{"name":"version","valueString":"2.0"},{"name":"display","valueString":"Apfel"},{"name":"designation","part":[{"name":"language","valueCode":"de"},{"name":"use","valueCoding":{"code":"display"}},{"name":"value","valueString":"Apfel"}]},{"name":"property","part":[{"name":"code","valueCode":"weight"},{"name":"value","valueInteger":150}]}]}"#
    );
    let banana = it.lookup(Coding::of(FOOD, "banana"), &[], "fr").expect("there");
    assert_eq!(banana.display(), "Banane", "from a supplement");
    assert!(matches!(it.lookup(Coding::of(FOOD, "stone"), &[], ""), Err(OperationError::NoSuchCode(_))));
    assert!(matches!(it.lookup(Coding::of("http://snomed.info/sct", "1"), &[], ""), Err(OperationError::NotFound(_))));
    let part = "http://example.org/CodeSystem/some";
    assert!(matches!(it.lookup(Coding::of(part, "x"), &[], ""), Err(OperationError::Unknown(_))));
    let version = Coding { version: Some("9"), ..Coding::of(FOOD, "apple") };
    assert!(matches!(it.lookup(version, &[], ""), Err(OperationError::NotFound(_))));
}

#[test]
fn subsumes_tells_how_two_codes_relate() {
    let it = terminology();
    let relate = |one: &str, other: &str| it.subsumes(Coding::of(FOOD, one), Coding::of(FOOD, other));
    assert_eq!(relate("food", "apple"), Ok(Subsumption::Subsumes));
    assert_eq!(relate("tomato", "fruit"), Ok(Subsumption::SubsumedBy));
    assert_eq!(relate("tomato", "tomato"), Ok(Subsumption::Equivalent));
    assert_eq!(relate("apple", "vegetable"), Ok(Subsumption::NotSubsumed));
    assert!(matches!(relate("apple", "stone"), Err(OperationError::NoSuchCode(_))));
    let other = it.subsumes(Coding::of(FOOD, "apple"), Coding::of("http://example.org/x", "apple"));
    assert!(matches!(other, Err(OperationError::Invalid(_))));
    assert_eq!(
        json(|w| Subsumption::SubsumedBy.write(w)),
        r#"{"resourceType":"Parameters","parameter":[{"name":"outcome","valueCode":"subsumed-by"}]}"#
    );
}

#[test]
fn displays_are_compared_whatever_their_case_and_language() {
    let it = terminology();
    let check =
        |code: &str, display: &str| it.check_display(Coding { display: Some(display), ..Coding::of(FOOD, code) });
    for good in ["Apple", "apple", " APPLE  ", "Apfel"] {
        assert_eq!(check("apple", good), DisplayCheck::Right, "{good}");
    }
    assert_eq!(check("banana", "Banana,   Yellow"), DisplayCheck::Right);
    assert_eq!(check("apple", "Pear"), DisplayCheck::Wrong("Apple".to_owned()));
    assert_eq!(check("stone", "Stone"), DisplayCheck::Unknown);
    let elsewhere = Coding { display: Some("x"), ..Coding::of("http://snomed.info/sct", "1") };
    assert_eq!(it.check_display(elsewhere), DisplayCheck::Unknown);
}

fn in_set(it: &Terminology, set: &str, codings: &[Coding<'_>], options: CodeOptions<'_>) -> (Option<bool>, String) {
    let handle = it.value_set(&format!("{SETS}{set}"), "").expect("there");
    let answer = it.validate_in_set(&handle, codings, options);
    (answer.result, answer.message)
}

#[test]
fn validate_code_in_value_sets() {
    let it = terminology();
    let plain = CodeOptions::default();
    assert_eq!(in_set(&it, "is-a", &[Coding::of(FOOD, "apple")], plain), (Some(true), String::new()));
    assert_eq!(in_set(&it, "is-a", &[Coding::code("apple")], plain), (Some(true), String::new()), "system inferred");
    let (result, message) = in_set(&it, "is-a", &[Coding::of(FOOD, "bear")], plain);
    assert_eq!(result, Some(false));
    assert_eq!(message, "http://example.org/CodeSystem/food#bear is not in http://example.org/ValueSet/is-a");
    let concept = [Coding::of("http://example.org/x", "1"), Coding::of(FOOD, "apple")];
    assert_eq!(in_set(&it, "is-a", &concept, plain).0, Some(true), "one coding of several is enough");
    assert_eq!(in_set(&it, "is-a", &[], plain).0, Some(false));
    // Displays.
    let called = |display| [Coding { display: Some(display), ..Coding::of(FOOD, "apple") }];
    assert_eq!(in_set(&it, "is-a", &called("apfel"), plain).0, Some(true));
    assert_eq!(in_set(&it, "is-a", &called("Pear"), plain).0, Some(false));
    assert_eq!(in_set(&it, "shown", &called("an apple a day"), plain).0, Some(true), "the value set's own");
    // Abstract and retired.
    let food = [Coding::of(FOOD, "food")];
    assert_eq!(in_set(&it, "all", &food, plain).0, Some(false));
    assert_eq!(in_set(&it, "all", &food, CodeOptions { allow_abstract: true, ..plain }).0, Some(true));
    let bear = [Coding::of(FOOD, "bear")];
    assert_eq!(in_set(&it, "all", &bear, plain), (Some(true), "\"bear\" is retired".to_owned()));
    assert_eq!(in_set(&it, "all", &bear, CodeOptions { active_only: true, ..plain }).0, Some(false));
    // Unknown is no result, and cannot be written as one.
    let handle = it.value_set(&format!("{SETS}no-import"), "").expect("there");
    let answer = it.validate_in_set(&handle, &[Coding::of(FOOD, "banana")], plain);
    assert_eq!(answer.result, None);
    assert!(answer.write(&mut Writer::new()).is_err());
    let old = [Coding { version: Some("2.0"), ..Coding::of(FOOD, "apple") }];
    assert_eq!(in_set(&it, "old", &old, plain).0, Some(false), "the value set asks for another version");
}

#[test]
fn validate_code_in_systems() {
    let it = terminology();
    let result = |system: &str, code: &str| {
        it.validate_in_system(Coding::of(system, code), CodeOptions::default()).expect("a system").result
    };
    assert_eq!(result(FOOD, "apple"), Some(true));
    assert_eq!(result(FOOD, "stone"), Some(false));
    assert_eq!(result("http://example.org/CodeSystem/some", "x"), None);
    assert_eq!(result("http://snomed.info/sct", "1"), None);
    assert_eq!(result("urn:ietf:bcp:47", "en-US"), Some(true));
    assert_eq!(result("urn:ietf:bcp:13", "nonsense"), Some(false));
    assert_eq!(result("http://hl7.org/fhir/sid/icf", "d450"), None);
    assert_eq!(result("http://hl7.org/fhir/sid/icf", "mental"), Some(false));
    let answer = it.validate_in_system(Coding::of(FOOD, "apple"), CodeOptions::default()).expect("a system");
    assert_eq!(
        json(|w| answer.write(w).expect("a result")),
        r#"{"resourceType":"Parameters","parameter":[{"name":"result","valueBoolean":true},{"name":"display","valueString":"Apple"},{"name":"code","valueCode":"apple"},{"name":"system","valueUri":"http://example.org/CodeSystem/food"},{"name":"version","valueString":"2.0"}]}"#
    );
}

fn expanded(it: &Terminology, options: ExpandOptions<'_>) -> (usize, Vec<String>) {
    let handle = it.value_set(&format!("{SETS}all"), "").expect("there");
    let expansion = it.expand(&handle, options).expect("enumerable");
    (expansion.total, expansion.contains.iter().map(|one| one.code.to_owned()).collect())
}

#[test]
fn expand_pages_and_filters() {
    let it = terminology();
    let plain = ExpandOptions::default();
    // Below fruit: tomato as well, by its second parent; where it stands is the order of one of them.
    let (total, codes) = expanded(&it, plain);
    assert_eq!((total, codes.len()), (7, 7));
    assert_eq!(codes.first().map(String::as_str), Some("food"));
    let (total, page) = expanded(&it, ExpandOptions { offset: 2, count: Some(3), ..plain });
    assert_eq!((total, page.as_slice()), (7, &codes[2..5]));
    assert_eq!(expanded(&it, ExpandOptions { offset: 9, count: Some(3), ..plain }), (7, vec![]));
    assert_eq!(expanded(&it, ExpandOptions { count: Some(0), ..plain }), (7, vec![]));
    assert_eq!(expanded(&it, ExpandOptions { active_only: true, ..plain }).0, 6);
    let found = |filter| expanded(&it, ExpandOptions { filter, ..plain }).1;
    assert_eq!(found("ban"), ["banana"]);
    assert_eq!(found("YELLOW ban"), ["banana"]);
    assert_eq!(found("anana"), Vec::<String>::new(), "words are matched from their start");
    assert_eq!(found("obst"), ["fruit"], "by another name");
    assert_eq!(found("be"), ["bear"]);
    assert_eq!(expanded(&it, ExpandOptions { filter: "a", offset: 1, count: Some(1), ..plain }).0, 2);
}

/// Parts that name a system with a version and without were told one after the other, and a code of both twice
/// (found by the target `value_set`).
#[test]
fn a_code_of_two_versions_of_a_system_is_told_once() {
    let it = terminology();
    let set = Tree::parse(
        format!(
            r#"{{"resourceType":"ValueSet","status":"draft","compose":{{"include":[
                {{"system":"{FOOD}","concept":[{{"code":"apple"}},{{"code":"kiwi"}}]}},
                {{"system":"{FOOD}","version":"1.0","concept":[{{"code":"apple"}},{{"code":"banana"}},{{"code":"kiwi"}}]}}
            ]}}}}"#
        )
        .into_bytes(),
    )
    .unwrap();
    let set = it.value_set_in(set.root()).unwrap();
    for active_only in [false, true] {
        let whole = it.expand(&set, ExpandOptions { active_only, ..ExpandOptions::default() }).unwrap();
        let codes: Vec<&str> = whole.contains.iter().map(|one| one.code).collect();
        assert_eq!(codes, ["apple", "kiwi", "banana"], "kiwi is of no version that is here");
        assert_eq!(whole.total, 3);
    }
    let page = it.expand(&set, ExpandOptions { offset: 1, count: Some(2), ..ExpandOptions::default() }).unwrap();
    assert_eq!(page.contains.iter().map(|one| one.code).collect::<Vec<_>>(), ["kiwi", "banana"]);
    let words = it.expand(&set, ExpandOptions { filter: "app", ..ExpandOptions::default() }).unwrap();
    assert_eq!((words.total, words.contains.len()), (1, 1));
}

#[test]
fn expansions_as_json() {
    let it = terminology();
    let handle = it.value_set(&format!("{SETS}descendent-of"), "").expect("there");
    let options =
        ExpandOptions { filter: "app", count: Some(5), include_designations: true, ..ExpandOptions::default() };
    let expansion = it.expand(&handle, options).expect("enumerable");
    assert_eq!(
        json(|w| expansion.write(w, "urn:uuid:1", "2026-01-01T00:00:00Z")),
        r#"{"resourceType":"ValueSet","url":"http://example.org/ValueSet/descendent-of","version":"1","name":"descendent-of","status":"active","expansion":{"identifier":"urn:uuid:1","timestamp":"2026-01-01T00:00:00Z","total":1,"offset":0,"parameter":[{"name":"filter","valueString":"app"},{"name":"count","valueInteger":5},{"name":"includeDesignations","valueBoolean":true},{"name":"version","valueUri":"http://example.org/CodeSystem/food|2.0"}],"contains":[{"system":"http://example.org/CodeSystem/food","code":"apple","display":"Apple","designation":[{"language":"de","use":{"code":"display"},"value":"Apfel"}]}]}}"#
    );
}

#[test]
fn a_value_set_of_a_request_is_a_value_set() {
    let it = terminology();
    let given = |text: &str| {
        let tree = Tree::parse(text.as_bytes().to_vec()).expect("JSON");
        it.value_set_in(tree.root())
    };
    let set = given(
        r#"{"resourceType":"ValueSet","url":"http://example.org/mine","compose":{"include":[{"system":"http://example.org/CodeSystem/food","filter":[{"property":"concept","op":"is-a","value":"fruit"}],"valueSet":["http://example.org/ValueSet/equals"]},{"system":"http://loinc.org","concept":[{"code":"1-8","display":"One"}]}],"exclude":[{"system":"http://example.org/CodeSystem/food","concept":[{"code":"tomato"}]}]}}"#,
    )
    .expect("a value set");
    let expansion = it.expand(&set, ExpandOptions::default()).expect("enumerable");
    let codes: Vec<_> = expansion.contains.iter().map(|one| one.code).collect();
    assert_eq!(codes, ["apple", "1-8"]);
    assert_eq!(expansion.about.0, "http://example.org/mine");
    let set = given(r#"{"resourceType":"ValueSet","expansion":{"contains":[{"abstract":true,"display":"all","contains":[{"system":"http://x.org","code":"a"}]},{"system":"http://x.org","code":"b"}]}}"#).expect("a value set");
    assert_eq!(it.expand(&set, ExpandOptions::default()).expect("enumerable").total, 2);
    assert!(matches!(given(r#"{"resourceType":"Patient"}"#), Err(OperationError::Invalid(_))));
}

#[test]
fn what_cannot_be_listed_is_refused() {
    let it = terminology();
    for set in ["http://hl7.org/fhir/ValueSet/mimetypes", "http://hl7.org/fhir/us/pacio-pfe/ValueSet/pfe-category-vs"] {
        let handle = it.value_set(set, "").expect("there");
        assert!(matches!(it.expand(&handle, ExpandOptions::default()), Err(OperationError::Unknown(_))), "{set}");
    }
    let handle = it.value_set(&format!("{SETS}all"), "").expect("there");
    let many = ExpandOptions { count: Some(1_000_000), ..ExpandOptions::default() };
    assert!(matches!(it.expand(&handle, many), Err(OperationError::TooCostly(_))));
}

#[test]
fn translate_goes_both_ways() {
    let it = terminology();
    let map = "http://example.org/ConceptMap/a";
    let options = TranslateOptions { map, ..TranslateOptions::default() };
    let all = |code: &str, system: &str, options| -> Vec<(String, &'static str)> {
        let found = it.translate(Coding::of(system, code), options, Beside::NONE).expect("a map");
        found.matches.into_iter().map(|one| (one.code, one.equivalence)).collect()
    };
    assert_eq!(all("apple", FOOD, options), [("KG".to_owned(), "wider"), ("Pound".to_owned(), "equivalent")]);
    assert_eq!(all("tomato", FOOD, options), [], "a mapping with conditions is none");
    let units = "http://example.org/CodeSystem/units";
    assert_eq!(all("KG", units, TranslateOptions { reverse: true, ..options }), [("apple".to_owned(), "narrower")]);
    let unmatched = it.translate(Coding::of(FOOD, "banana"), options, Beside::NONE).expect("a map");
    assert!(!unmatched.result() && unmatched.matches.len() == 1);
    let by = |map| TranslateOptions { map, ..TranslateOptions::default() };
    assert_eq!(all("bear", FOOD, by("http://example.org/ConceptMap/b")), [("other".to_owned(), "inexact")]);
    assert_eq!(all("bear", FOOD, by("http://example.org/ConceptMap/c")), [("bear".to_owned(), "equal")]);
    assert_eq!(all("bear", FOOD, by("http://example.org/ConceptMap/d")), [], "a map that asks itself");
    let sets = TranslateOptions { source: "http://example.org/ValueSet/all", target_system: units, ..by("") };
    assert_eq!(all("apple", FOOD, sets).len(), 2);
    assert!(matches!(
        it.translate(Coding::of("http://x.org", "1"), by(""), Beside::NONE),
        Err(OperationError::NotFound(_))
    ));
    assert!(matches!(
        it.translate(Coding::of(FOOD, "1"), by("http://x.org/none"), Beside::NONE),
        Err(OperationError::NotFound(_))
    ));
    let pound = it
        .translate(Coding::of(FOOD, "apple"), TranslateOptions { target_system: units, ..options }, Beside::NONE)
        .expect("a map");
    let text = json(|w| pound.write(w));
    assert!(text.contains(r#"{"name":"concept","valueCoding":{"system":"http://example.org/CodeSystem/units","code":"Pound","display":"A pound"}}"#), "{text}");
}

/// A map of `from` to `target`, which leads on to another map for what it does not list.
fn given(url: &str, from: &str, code: &str, next: &str) -> GivenMap {
    let text = format!(
        r#"{{"resourceType":"ConceptMap","url":"{url}","group":[{{"source":"{FOOD}","target":"http://x.org",
            "element":[{{"code":"{from}","target":[{{"code":"{code}","equivalence":"wider"}}]}}],
            "unmapped":{{"mode":"other-map","url":"{next}"}}}}]}}"#
    );
    GivenMap::of_resource(Tree::parse(text.into_bytes()).expect("JSON").root()).expect("a map")
}

#[test]
fn maps_beside_those_that_are_loaded() {
    let it = terminology();
    let first = given("http://x.org/1", "leek", "l", "http://x.org/2");
    let codes = |found: terminology::Translation| -> Vec<(String, String)> {
        found.matches.into_iter().map(|one| (one.code, one.map)).collect()
    };
    let pair = |code: &str, map: &str| (code.to_owned(), map.to_owned());
    let named = |canonical: &str| match canonical {
        "http://x.org/1" => Some(given("http://x.org/1", "leek", "l", "http://x.org/2")),
        "http://x.org/2" => Some(given("http://x.org/2", "kale", "k", "http://x.org/1")),
        _ => None,
    };
    let options = TranslateOptions { target_system: "http://x.org", ..TranslateOptions::default() };
    let beside = Beside { fitting: std::slice::from_ref(&first), named: &named };
    let translated = |code: &str, options, beside| it.translate(Coding::of(FOOD, code), options, beside);
    assert_eq!(codes(translated("leek", options, beside).expect("a map")), [pair("l", "http://x.org/1")]);
    assert_eq!(codes(translated("kale", options, beside).expect("a map")), [pair("k", "http://x.org/2")]);
    assert_eq!(codes(translated("sage", options, beside).expect("a map")), [], "two maps that ask each other");
    assert!(matches!(translated("leek", options, Beside::NONE), Err(OperationError::NotFound(_))));
    let by_name = TranslateOptions { map: "http://x.org/2", ..options };
    assert_eq!(codes(translated("leek", by_name, beside).expect("a map")), [pair("l", "http://x.org/1")]);
    let one = it.translate_by(&first, Coding::of(FOOD, "leek"), options, Beside::NONE).expect("a system");
    assert_eq!(codes(one), [pair("l", "http://x.org/1")]);
    // Each leads on to another: it ends.
    let count = std::cell::Cell::new(0);
    let endless = |_: &str| {
        count.set(count.get() + 1);
        let n = count.get();
        Some(given(&format!("http://x.org/{n}"), "a", "b", &format!("http://x.org/{}", n + 1)))
    };
    let endless = Beside { fitting: &[], named: &endless };
    let by_name = TranslateOptions { map: "http://x.org/0", ..options };
    assert!(matches!(translated("leek", by_name, endless), Err(OperationError::TooCostly(_))));
    assert!(count.get() < 32);
}

/// A given system goes before a loaded one of its URL; the others stay.
#[test]
fn systems_beside_those_that_are_loaded() {
    let it = terminology();
    let text =
        format!(r#"{{"resourceType":"CodeSystem","url":"{FOOD}","content":"complete","concept":[{{"code":"leek"}}]}}"#);
    let system = CodeSystem::of_resource(Tree::parse(text.into_bytes()).expect("JSON").root()).expect("a system");
    let beside = it.beside(vec![std::sync::Arc::new(system)]);
    assert!(beside.lookup(Coding::of(FOOD, "leek"), &[], "").is_ok());
    assert!(beside.lookup(Coding::of(FOOD, "tomato"), &[], "").is_err());
    assert!(it.lookup(Coding::of(FOOD, "tomato"), &[], "").is_ok());
}

#[test]
fn loinc_codes_have_pfe_domains() {
    let it = Terminology::builtin();
    assert_eq!(it.pfe_domains("52731-7"), ["b1"]);
    assert_eq!(it.pfe_domains("10158-4"), ["d4", "d5"]);
    assert_eq!(it.pfe_domains("3137-7"), ["s"]);
    assert_eq!(it.pfe_domains("94879-4"), ["e1"]);
    assert_eq!(it.pfe_domains("0-0"), Vec::<&str>::new());
    let options = TranslateOptions { target_system: "http://hl7.org/fhir/sid/icf", ..TranslateOptions::default() };
    let found = it.translate(Coding::of("http://loinc.org", "10158-4"), options, Beside::NONE).expect("a map");
    let codes: Vec<_> = found.matches.iter().map(|one| (one.code.as_str(), one.equivalence)).collect();
    assert_eq!(codes, [("d4", "wider"), ("d5", "wider")]);
}
