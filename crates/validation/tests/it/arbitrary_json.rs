//! No JSON makes validation panic, and what is valid is valid again (row F56).

use super::{OBSERVATION, tree};
use crate::made::{Made, url};
use fhir::json::Tree;
use proptest::prelude::*;
use std::sync::LazyLock;
use validation::{Options, Validator};

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
    "category",
    "value",
    "fullUrl",
    "request",
    "method",
    "item",
    "linkId",
    "answer",
    "answerOption",
    "enableWhen",
    "question",
    "operator",
    "questionnaire",
    "modifierExtension",
    "hasMember",
    "display",
    "profile",
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
    "document",
    "survey",
    "http://terminology.hl7.org/CodeSystem/observation-category",
    "http://hl7.org/fhir/StructureDefinition/event-location",
    "http://example.org/StructureDefinition/whole",
    "http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-collection",
    "boolean",
    "exists",
    "Questionnaire",
    "urn:uuid:6e1b1c0e-7c0a-4d6c-8a59-3d6a2f0f8d11",
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

/// Profiles of every kind, some of which lead back to themselves.
static PROFILES: LazyLock<Validator<'static>> = LazyLock::new(|| {
    let whole = url("whole");
    Made::default()
        .invariant("c-1", "error", "hasMember.resolve().all(conformsTo('http://example.org/StructureDefinition/o'))")
        .invariant("c-2", "error", "descendants().where($this is Reference).all(reference.exists())")
        .profile("whole", "Extension")
        .context("element", "Observation")
        .context("fhirpath", "Observation.component")
        .element("Extension.extension", &[("slicing", "value:url;closed")])
        .element("Extension.extension:whole", &[("max", "1"), ("types", &format!("Extension<{whole}"))])
        .element("Extension.extension:size.url", &[("values", r#"{"fixedUri":"a"}"#)])
        .profile("o", "Observation")
        .element("Observation", &[("invariants", "c-1 c-2")])
        .element(
            "Observation.hasMember",
            &[("types", &format!("Reference>{}", url("o"))), ("slicing", "profile:resolve();openAtEnd;ordered")],
        )
        .element("Observation.hasMember:o", &[("min", "1"), ("types", &format!("Reference>{}", url("o")))])
        .element("Observation.category", &[("slicing", "pattern:$this,exists:text;closed;ordered")])
        .element(
            "Observation.category:a",
            &[
                ("min", "1"),
                ("max", "2"),
                ("values", r#"{"patternCodeableConcept":{"coding":[{"code":"a"}]}}"#),
                ("slicing", "value:coding.code;open"),
            ],
        )
        .element(
            "Observation.category:a/b",
            &[("min", "1"), ("binding", "required http://hl7.org/fhir/ValueSet/observation-status")],
        )
        .element("Observation.component", &[("slicing", "value:value.ofType(Quantity).value,type:value;open")])
        .element("Observation.component:q", &[("max", "1")])
        .element(
            "Observation.component:q.value[x]",
            &[("min", "1"), ("types", &format!("Quantity<{},{}", url("q"), url("r")))],
        )
        .element("Observation.extension", &[("slicing", "value:url;open")])
        .element("Observation.extension:whole", &[("min", "1"), ("types", &format!("Extension<{whole}"))])
        .profile("q", "Quantity")
        .element("Quantity", &[("types", &format!("Quantity<{}", url("r")))])
        .element("Quantity.value", &[("values", r#"{"minValueDecimal":1,"maxValueDecimal":2.5}"#)])
        .profile("r", "Quantity")
        .element("Quantity.unit", &[("values", r#"{"maxLength":1,"fixedString":"x"}"#)])
        .validator()
});

fn run(text: String) {
    if let Ok(tree) = Tree::parse(text.clone()) {
        let o = url("o");
        let profiles = [&*o, "http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-observation-single"];
        let options = Options { profiles: &profiles, ..Options::default() };
        let held = PROFILES.validate_with(tree.clone(), None, &options).is_ok();
        // What meets more meets base R4.
        assert!(!held || PROFILES.validate(tree.clone(), None).is_ok(), "{text}");
        let _ = PROFILES.validate_with(tree, None, &Options::default());
    }
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
    fn any_json(text in json(), kind in prop::sample::select(&["Observation", "Patient", "Bundle", "Questionnaire", "QuestionnaireResponse"][..])) {
        run(text.clone());
        run(format!("{{\"resourceType\": \"{kind}\", \"x\": {text}}}"));
        let kind_then = format!("{{\"resourceType\": \"{kind}\", ");
        run(text.replacen('{', &kind_then, 1));
        run(format!("{{\"resourceType\": \"Bundle\", \"type\": \"collection\", \"entry\": [{{\"resource\": {}}}]}}", text.replacen('{', &kind_then, 1)));
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
