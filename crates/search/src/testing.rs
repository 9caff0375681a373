//! Random index values and tests for properties: from small alphabets, so that they meet.

use crate::{
    IndexValue, IndexValues, ParameterId, Test, exact,
    fold::fold,
    predicate::{DateTest, NumberTest, Prefix, QuantityTest, ReferenceTest, StringMatch, TokenTest, UriMatch},
    ucum,
};
use fhir::{LogicalId, ResourceType, primitive::decimal::Decimal};
use proptest::prelude::*;

fn text() -> BoxedStrategy<String> {
    prop_oneof!["[aAb]{1,3}",
        "a\u{0}?b?", "[aä'\u{0}\u{1} ]{1,4}", "a{60,70}b{0,2}", Just("é".repeat(40)), "\\PC{1,5}",].boxed()
}

fn system() -> BoxedStrategy<String> {
    prop_oneof![Just("http://a".to_owned()), Just("http://b".to_owned()), Just(String::new())].boxed()
}

fn uri() -> BoxedStrategy<String> {
    prop_oneof!["http://a(/b){0,3}/?c?(\\|1)?", "urn:a:[bc]", "(/a){30,70}", "\\PC{1,5}"].boxed()
}

pub(crate) fn id() -> BoxedStrategy<LogicalId> {
    prop_oneof!["[ab.-]{1,2}", "a{62,64}"].prop_map(|text| LogicalId::parse(&text).unwrap()).boxed()
}

pub(crate) fn kind() -> BoxedStrategy<ResourceType> {
    prop_oneof![Just("Patient"), Just("Encounter"), Just("Observation")]
        .prop_map(|name| ResourceType::parse(name).unwrap())
        .boxed()
}

pub(crate) fn decimal() -> BoxedStrategy<Decimal> {
    prop_oneof![
        4 => (-3i128..3, -1i32..1),
        2 => (-30i128..30, -2i32..2),
        1 => (any::<i64>().prop_map(i128::from), -40i32..40),
        1 => (any::<i128>(), -1000i32..1000),
    ]
    .prop_map(|(mantissa, exponent)| Decimal { mantissa, exponent })
    .boxed()
}

const HOUR: i64 = 3_600_000;

fn span() -> BoxedStrategy<(i64, i64)> {
    let length = prop_oneof![Just(1), Just(HOUR), Just(24 * HOUR), Just(25 * HOUR), Just(800 * HOUR)];
    let usual = (-50i64..50, length).prop_map(|(at, length)| (at * HOUR, at * HOUR + length));
    prop_oneof![
        6 => usual,
        1 => (-50i64..50).prop_map(|at| (i64::MIN, at * HOUR)),
        1 => (-50i64..50).prop_map(|at| (at * HOUR, i64::MAX)),
        1 => Just((i64::MIN, i64::MAX)),
    ]
    .boxed()
}

fn unit() -> BoxedStrategy<String> {
    prop_oneof![Just("mg"), Just("g"), Just("Cel"), Just("/min"), Just("/h")].prop_map(str::to_owned).boxed()
}

fn ucum_or_other() -> BoxedStrategy<String> {
    prop_oneof![3 => Just(ucum::SYSTEM.to_owned()), 1 => Just("http://a".to_owned())].boxed()
}

fn maybe(text: impl Strategy<Value = String>) -> impl Strategy<Value = Option<String>> {
    proptest::option::of(text)
}

fn token_value() -> BoxedStrategy<IndexValue> {
    let code = prop_oneof![4 => text().boxed(), 1 => Just(String::new()).boxed()];
    (maybe(system()), code, maybe(text()))
        .prop_map(|(system, code, text)| IndexValue::Token { system, code, text })
        .boxed()
}

fn string_value() -> BoxedStrategy<IndexValue> {
    text().prop_map(|original| IndexValue::String { folded: fold(&original), original }).boxed()
}

fn reference_value() -> BoxedStrategy<IndexValue> {
    let target = proptest::option::of((kind(), id()));
    (target, maybe(uri()), (maybe(system()), text()), any::<bool>())
        .prop_map(|(target, url, identifier, has)| {
            let has = has || (target.is_none() && url.is_none());
            IndexValue::Reference { target, url, identifier: has.then_some(identifier) }
        })
        .boxed()
}

fn date_value() -> BoxedStrategy<IndexValue> {
    span().prop_map(|(low, high)| IndexValue::Date { low, high }).boxed()
}

fn number_value() -> BoxedStrategy<IndexValue> {
    decimal().prop_map(IndexValue::Number).boxed()
}

fn quantity_value() -> BoxedStrategy<IndexValue> {
    (decimal(), maybe(ucum_or_other()), maybe(unit()), maybe(unit()))
        .prop_map(|(value, system, code, unit)| {
            let is_ucum = system.as_deref() == Some(ucum::SYSTEM);
            let canonical = code.as_deref().filter(|_| is_ucum).and_then(|code| ucum::canonical(value, code));
            IndexValue::Quantity { value, system, code, unit, canonical }
        })
        .boxed()
}

fn uri_value() -> BoxedStrategy<IndexValue> {
    uri().prop_map(IndexValue::Uri).boxed()
}

fn simple_value() -> BoxedStrategy<IndexValue> {
    prop_oneof![
        token_value(),
        string_value(),
        reference_value(),
        date_value(),
        number_value(),
        quantity_value(),
        uri_value()
    ]
    .boxed()
}

pub(crate) fn value() -> BoxedStrategy<IndexValue> {
    let component = || proptest::collection::vec(simple_value(), 1..3);
    prop_oneof![
        7 => simple_value(),
        1 => proptest::collection::vec(component(), 2..3).prop_map(IndexValue::Composite),
    ]
    .boxed()
}

pub(crate) fn values() -> BoxedStrategy<IndexValues> {
    proptest::collection::vec((0u16..4, value()), 0..8)
        .prop_map(|mut list| {
            list.sort_by_key(|(parameter, _)| *parameter);
            IndexValues(list.into_iter().map(|(parameter, value)| (ParameterId(parameter), value)).collect())
        })
        .boxed()
}

fn prefix() -> BoxedStrategy<Prefix> {
    proptest::sample::select(vec![
        Prefix::Eq,
        Prefix::Ne,
        Prefix::Gt,
        Prefix::Lt,
        Prefix::Ge,
        Prefix::Le,
        Prefix::Sa,
        Prefix::Eb,
        Prefix::Ap,
    ])
    .boxed()
}

pub(crate) fn date_test() -> BoxedStrategy<DateTest> {
    (prefix(), span()).prop_map(|(prefix, (low, high))| DateTest { prefix, low, high }).boxed()
}

fn number_test() -> BoxedStrategy<NumberTest> {
    (prefix(), decimal())
        .prop_filter_map("fits", |(prefix, value)| {
            let (low, high) = if prefix == Prefix::Ap {
                exact::approximate_interval(value)?
            } else {
                exact::precision_interval(value)?
            };
            Some(NumberTest { prefix, value, low, high })
        })
        .boxed()
}

fn token_test() -> BoxedStrategy<TokenTest> {
    prop_oneof![
        text().prop_map(TokenTest::Code),
        (system(), text()).prop_map(|(system, code)| TokenTest::SystemCode(system, code)),
        text().prop_map(TokenTest::NoSystem),
        system().prop_map(TokenTest::System),
        text().prop_map(|text| TokenTest::Text(fold(&text))),
    ]
    .boxed()
}

fn string_test() -> BoxedStrategy<Test> {
    (0..3, text())
        .prop_map(|(kind, text)| match kind {
            0 => Test::String(StringMatch::StartsWith, fold(&text)),
            1 => Test::String(StringMatch::Exact, text),
            _ => Test::String(StringMatch::Contains, fold(&text)),
        })
        .boxed()
}

fn reference_test() -> BoxedStrategy<Test> {
    prop_oneof![
        (kind(), id()).prop_map(|(kind, id)| ReferenceTest::Target(kind, id)),
        id().prop_map(ReferenceTest::AnyType),
        uri().prop_map(ReferenceTest::Url),
        token_test().prop_map(ReferenceTest::Identifier),
        Just(ReferenceTest::Elsewhere),
    ]
    .prop_map(Test::Reference)
    .boxed()
}

fn quantity_test() -> BoxedStrategy<Test> {
    (number_test(), maybe(ucum_or_other()), maybe(unit()))
        .prop_map(|(number, system, code)| {
            let is_ucum = system.as_deref() == Some(ucum::SYSTEM);
            let canonical = code.as_deref().filter(|_| is_ucum).and_then(|code| {
                let (factor, unit) = ucum::factor(code)?;
                let times = |value| exact::product(value, factor);
                let (value, low, high) = (times(number.value)?, times(number.low)?, times(number.high)?);
                Some((NumberTest { prefix: number.prefix, value, low, high }, unit))
            });
            Test::Quantity(Box::new(QuantityTest { number, system, code, canonical }))
        })
        .boxed()
}

fn uri_test() -> BoxedStrategy<Test> {
    let kind = proptest::sample::select(vec![UriMatch::Exact, UriMatch::Above, UriMatch::Below]);
    (kind, uri()).prop_map(|(kind, uri)| Test::Uri(kind, uri)).boxed()
}

fn simple_test() -> BoxedStrategy<Test> {
    prop_oneof![
        token_test().prop_map(Test::Token),
        string_test(),
        reference_test(),
        date_test().prop_map(Test::Date),
        number_test().prop_map(Test::Number),
        quantity_test(),
        uri_test()
    ]
    .boxed()
}

/// Values of parameter 1, all strings.
pub(crate) fn one_kind() -> BoxedStrategy<IndexValues> {
    let one = string_value().prop_map(|value| (ParameterId(1), value));
    proptest::collection::vec(one, 0..3).prop_map(IndexValues).boxed()
}

/// A test of any kind.
pub(crate) fn test() -> BoxedStrategy<Test> {
    prop_oneof![
        7 => simple_test(),
        1 => proptest::collection::vec(simple_test(), 2..3).prop_map(Test::Composite),
    ]
    .boxed()
}

/// A value and a test of its kind, so that half of the work is not wasted on strangers.
pub(crate) fn value_and_test() -> BoxedStrategy<(IndexValue, Test)> {
    let composite = ((token_value(), quantity_value()), (token_test().prop_map(Test::Token), quantity_test()))
        .prop_map(|((first, second), (one, two))| {
            (IndexValue::Composite(vec![vec![first], vec![second]]), Test::Composite(vec![one, two]))
        });
    prop_oneof![
        (token_value(), token_test().prop_map(Test::Token)),
        (string_value(), string_test()),
        (reference_value(), reference_test()),
        (date_value(), date_test().prop_map(Test::Date)),
        (number_value(), number_test().prop_map(Test::Number)),
        (quantity_value(), quantity_test()),
        (uri_value(), uri_test()),
        composite,
    ]
    .boxed()
}
