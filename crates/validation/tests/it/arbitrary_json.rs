//! No JSON makes validation panic, and what is valid is valid again (row F56).

use super::{OBSERVATION, tree};
use fhir::json::Tree;
use proptest::prelude::*;

const NAMES: &[&str] = &[
    "resourceType",
    "id",
    "meta",
    "text",
    "div",
    "status",
    "contained",
    "extension",
    "url",
    "valueString",
    "_valueString",
    "valueQuantity",
    "value",
    "code",
    "coding",
    "system",
    "subject",
    "reference",
    "component",
    "name",
    "given",
    "_given",
    "entry",
    "resource",
    "type",
    "effectivePeriod",
    "start",
    "end",
];

const TEXTS: &[&str] = &[
    "Observation",
    "Patient",
    "Bundle",
    "final",
    "#",
    "#a",
    "a",
    "",
    "2024-01-01",
    "Patient/1",
    "http://loinc.org",
    "<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">x</div>",
    "collection",
];

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("12.50".to_owned()),
        prop::sample::select(TEXTS).prop_map(|text| format!("\"{text}\"")),
    ];
    leaf.prop_recursive(5, 60, 5, |inner| {
        let object = prop::collection::btree_map(prop::sample::select(NAMES), inner.clone(), 0..6).prop_map(|members| {
            let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
            format!("{{{}}}", members.join(", "))
        });
        prop_oneof![2 => object, 1 => prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(",")))]
    })
}

fn run(text: String) {
    if let Ok(tree) = Tree::parse(text)
        && let Ok((validated, _)) = validation::r4().validate(tree, None)
    {
        let again = validation::r4().validate(validated.into_tree(), None);
        assert!(again.is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_json(text in json(), kind in prop::sample::select(&["Observation", "Patient", "Bundle"][..])) {
        run(text.clone());
        run(format!("{{\"resourceType\": \"{kind}\", \"x\": {text}}}"));
        run(OBSERVATION.replace("{\"text\": \"first\"}", &text));
        run(OBSERVATION.replace("\"Walk 10 feet\"", &text));
        run(OBSERVATION.replace("{\"reference\": \"#walker\"}", &text));
    }

    #[test]
    fn any_narrative(text in "(<|</|>|div|b|script|a href=|\"|'|&|;|#x41|--|!|\\?| |xmlns|=|x){0,30}") {
        let _ = validation::narrative::check(&text);
        let _ = validation::narrative::check(&format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{text}</div>"));
    }
}

#[test]
fn every_cut_of_a_right_resource_is_refused_or_right() {
    // One member or item left away at a time, anywhere.
    let tree = tree(OBSERVATION);
    let mut cuts = 0;
    let mut stack = vec![tree.root()];
    while let Some(value) = stack.pop() {
        for inner in value
            .members()
            .chain(std::iter::empty())
            .chain(value.items_or_self().filter(|one| one.index() != value.index()))
        {
            let mut text = OBSERVATION.to_owned();
            text.replace_range(inner.span(), "null");
            run(text);
            cuts += 1;
            stack.push(inner);
        }
    }
    assert!(cuts > 60, "{cuts}");
}
