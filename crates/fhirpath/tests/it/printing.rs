//! What is printed reads as the same expression.

use super::{PATIENT, tree};
use fhir::element::Element;
use fhir::schema::r4;
use fhirpath::{Context, EvaluateError, Expression, evaluate};
use proptest::prelude::*;

/// The same again, after one round; and it finds the same.
fn round(text: &str) {
    let first = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let printed = first.normalized();
    let second = Expression::parse(&printed).unwrap_or_else(|error| panic!("{text}: {printed}: {error}"));
    assert_eq!(second.normalized(), printed, "{text}");
    let patient = tree(PATIENT);
    let root = Element::resource(&patient, r4()).expect("resource");
    let now = Some(fhir::Instant::from_unix_millis(1_763_200_000_000));
    let context = Context { steps_max: 5_000, now, ..Context::default() };
    let (one, other) = (evaluate(&first, root, &context), evaluate(&second, root, &context));
    match (one, other) {
        // A spelling may take a step more or less.
        (Err(EvaluateError::TooCostly), _) | (_, Err(EvaluateError::TooCostly)) => {}
        (one, other) => assert_eq!(format!("{one:?}"), format!("{other:?}"), "{text}: {printed}"),
    }
}

#[test]
fn spellings() {
    for (text, wanted) in [
        ("name . given // all", "name.given"),
        ("(a)", "a"),
        ("((1 + 2) * 3)", "(1 + 2) * 3"),
        ("1 + (2 * 3)", "1 + 2 * 3"),
        ("1 - (2 - 3)", "1 - (2 - 3)"),
        ("(1 - 2) - 3", "1 - 2 - 3"),
        ("(deceased as boolean).not()", "deceased.as(boolean).not()"),
        ("a is FHIR.`Patient`", "a.is(FHIR.Patient)"),
        ("(1 | 2).count()", "(1 | 2).count()"),
        ("(1 | 2) | 3", "(1 | 2) | 3"),
        ("-(1).abs()", "-1.abs()"),
        ("(-1).abs()", "(-1).abs()"),
        ("where(use = 'it\\'s').`a b`", "where(use = 'it\\'s').`a b`"),
        ("$this.Patient", "$this.Patient"),
        ("`contains`.`true`", "`contains`.`true`"),
        ("%`vs-a` & %ext-b & %ucum & %`x y`", "%`vs-a` & %`ext-b` & %ucum & %`x y`"),
        ("@2015T", "@2015T"),
        ("@2015-02-04T14:34:28.1Z", "@2015-02-04T14:34:28.100Z"),
        ("4 days + 1 'mg'", "4 day + 1 'mg'"),
        ("0.00000000000000000000000000000000000000000001", "0.00000000000000000000000000000000000000000001"),
        ("where(resolve() is Patient)", "where(resolve().is(Patient))"),
        ("a implies b implies c", "a implies b implies c"),
        ("a[1 + 1]", "a[1 + 1]"),
    ] {
        assert_eq!(Expression::parse(text).expect(text).normalized(), wanted);
        round(text);
    }
}

#[test]
fn all_expressions_of_the_tables() {
    let schema = r4();
    let of_types = schema.types.iter().flat_map(|one| one.constraints.iter().map(|constraint| constraint.expression));
    let of_elements = schema.types.iter().flat_map(|one| &one.elements).flat_map(|element| &element.constraints);
    let parameters = schema.search_parameters.iter().map(|parameter| parameter.expression);
    let all = of_types.chain(of_elements.map(|constraint| constraint.expression)).chain(parameters);
    let all: std::collections::BTreeSet<&str> = all.filter(|text| !text.is_empty()).collect();
    assert!(all.len() > 1000);
    for text in all {
        let printed = Expression::parse(text).expect(text).normalized();
        let again = Expression::parse(&printed).unwrap_or_else(|error| panic!("{text}: {printed}: {error}"));
        assert_eq!(again.normalized(), printed, "{text}");
    }
}

/// Expressions by the grammar.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(
        &[
            "name",
            "given",
            "Patient",
            "active",
            "birthDate",
            "$this",
            "$index",
            "%resource",
            "%context",
            "{}",
            "1",
            "0",
            "2.50",
            "'a'",
            "'it\\'s\\\\n'",
            "true",
            "@2020-01",
            "@2020-01-01T10:00Z",
            "@T10",
            "4 days",
            "1 'mg'",
            "`use`",
            "extension",
            "value",
            "gender",
            "telecom.rank",
            "%ucum",
            "deceased",
        ][..],
    )
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        let operators = prop::sample::select(
            &[
                "and", "or", "xor", "implies", "=", "!=", "~", "!~", "<", "<=", ">", ">=", "in", "contains", "+", "-",
                "*", "/", "div", "mod", "&", "|",
            ][..],
        );
        let calls = prop::sample::select(
            &[
                "where",
                "select",
                "exists",
                "all",
                "repeat",
                "iif",
                "combine",
                "union",
                "skip",
                "take",
                "startsWith",
                "matches",
                "trace",
                "aggregate",
                "intersect",
                "log",
                "sort",
            ][..],
        );
        let plain = prop::sample::select(
            &[
                "count()",
                "first()",
                "not()",
                "empty()",
                "toString()",
                "type()",
                "children()",
                "is(string)",
                "as(boolean)",
                "ofType(FHIR.Quantity)",
                "resolve()",
                "name",
                "given",
                "lowBoundary()",
                "elementDefinition()",
                "distinct()",
            ][..],
        );
        prop_oneof![
            (two.clone(), operators).prop_map(|((left, right), operator)| format!("{left} {operator} {right}")),
            (two.clone(), calls).prop_map(|((base, argument), call)| match call {
                "iif" => format!("({base}).iif({argument}, 1)"),
                call => format!("({base}).{call}({argument})"),
            }),
            (inner.clone(), plain).prop_map(|(base, call)| format!("({base}).{call}")),
            two.prop_map(|(base, index)| format!("({base})[{index}]")),
            inner.clone().prop_map(|inner| format!("-({inner})")),
            inner.clone().prop_map(|inner| format!("({inner}) is Patient")),
            inner.prop_map(|inner| format!("({inner})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn printing_is_the_inverse_of_parsing(text in expression()) {
        round(&text);
    }

    #[test]
    fn texts_in_quotes_keep_each_character(text in "[ -~\\n\\t\\r\\u{c}é🔥]{0,20}") {
        let literal = format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
        let expression = Expression::parse(&literal).expect("a literal");
        let again = Expression::parse(&expression.normalized()).expect("printed");
        let patient = tree(PATIENT);
        let root = Element::resource(&patient, r4()).expect("resource");
        let context = Context::default();
        let items = evaluate(&again, root, &context).expect("a literal");
        prop_assert_eq!(items[0].as_str().expect("a text").into_owned(), text);
    }
}
