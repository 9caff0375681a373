//! No text makes the parser or the evaluator panic or hang (row F57).

use super::{PATIENT, tree};
use fhir::element::Element;
use fhirpath::{Context, Expression, check, evaluate};
use proptest::prelude::*;

const WORDS: &[&str] = &[
    "name",
    "given",
    "Patient",
    ".",
    ".",
    ".",
    "(",
    ")",
    "[",
    "]",
    "{}",
    "'a'",
    "'(.*)+'",
    "1",
    "2.5",
    "4 days",
    "1 'mg'",
    "@2020-01-01",
    "@T10:30",
    "$this",
    "$total",
    "%resource",
    "and",
    "or",
    "is",
    "as",
    "=",
    "~",
    "<",
    "+",
    "-",
    "*",
    "/",
    "|",
    "&",
    "in",
    "where(",
    "select(",
    "exists(",
    "repeat(",
    "children()",
    "descendants()",
    "first()",
    "replace('', 'aa')",
    "matches('a|b')",
    "toQuantity()",
    "sort()",
    "iif(",
    ",",
    "ofType(",
    "Quantity",
    "resolve()",
    "lowBoundary()",
    "not()",
    "split('')",
    "power(99)",
    "round(30)",
    "birthDate",
    "extension.value",
];

fn run(text: &str) {
    if let Ok(expression) = Expression::parse(text) {
        let tree = tree(PATIENT);
        let root = Element::resource(&tree, fhir::schema::r4()).expect("resource");
        let context = Context { steps_max: 20_000, ..Context::default() };
        let _ = evaluate(&expression, root, &context);
        let _ = check(&expression, root.schema, root.definition, None);
        let printed = expression.normalized();
        match Expression::parse(&printed) {
            Ok(again) => assert_eq!(again.normalized(), printed, "{text}"),
            Err(error) => assert!(error.message.contains("deep"), "{text}: {printed}: {error}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_characters(text in "\\PC{0,60}") {
        run(&text);
    }

    #[test]
    fn any_words(words in prop::collection::vec(prop::sample::select(WORDS), 0..14)) {
        run(&words.join(" "));
        run(&words.concat());
    }

    #[test]
    fn calls_that_mostly_parse(steps in prop::collection::vec(prop::sample::select(&[
        "name", "given", "where(use = 'usual')", "first()", "descendants()", "children()", "select($this)", "count()",
        "toString()", "length()", "repeat($this & 'a')", "toChars()", "distinct()", "lowBoundary()", "extension", "value",
        "as(Quantity)", "sort()", "power(2)", "abs()", "exp()", "substring(1)", "matches('a')", "type()", "resolve()",
    ][..]), 1..8)) {
        run(&steps.join("."));
    }
}
