//! R4's own examples of each comparison.

use super::{date, passes};
use crate::{
    IndexValue, Test, exact,
    predicate::{DateTest, NumberTest, Prefix, QuantityTest, ReferenceTest, StringMatch, TokenTest, UriMatch},
};
use fhir::{
    LogicalId, ResourceType,
    primitive::{date_time::DateTime, decimal::Decimal},
};

fn asked(prefix: Prefix, text: &str) -> DateTest {
    let span = DateTime::parse(text).unwrap();
    DateTest { prefix, low: span.low, high: span.high }
}

fn on(prefix: Prefix, search: &str, value: &str) -> bool {
    let span = DateTime::parse(value).unwrap();
    date(asked(prefix, search), span.low, span.high)
}

fn during(prefix: Prefix, search: &str, start: &str, end: &str) -> bool {
    let low = if start.is_empty() { i64::MIN } else { DateTime::parse(start).unwrap().low };
    let high = if end.is_empty() { i64::MAX } else { DateTime::parse(end).unwrap().high };
    date(asked(prefix, search), low, high)
}

/// SPEC: R4 search.html#date, the table of examples.
#[test]
fn dates_of_the_r4_table() {
    assert!(on(Prefix::Eq, "2013-01-14", "2013-01-14T00:00:00Z"));
    assert!(on(Prefix::Eq, "2013-01-14", "2013-01-14T10:00:00Z"));
    assert!(!on(Prefix::Eq, "2013-01-14", "2013-01-15T00:00:00Z"));
    assert!(on(Prefix::Ne, "2013-01-14", "2013-01-15T00:00:00Z"));
    assert!(!on(Prefix::Ne, "2013-01-14", "2013-01-14T10:00:00Z"));
    assert!(on(Prefix::Lt, "2013-01-14T10:00:00Z", "2013-01-14"), "the day holds time before 10:00");
    assert!(on(Prefix::Gt, "2013-01-14T10:00:00Z", "2013-01-14"), "and after");
    assert!(on(Prefix::Ge, "2013-03-14", "2013-03-14T10:00:00Z"));
    assert!(during(Prefix::Ge, "2013-03-14", "2013-03-21", ""));
    assert!(during(Prefix::Le, "2013-03-14", "", "2013-03-10"));
    assert!(during(Prefix::Le, "2013-03-14", "2013-03-13", ""));
    assert!(on(Prefix::Sa, "2013-03-14", "2013-03-15T00:00:00Z"));
    assert!(during(Prefix::Sa, "2013-03-14", "2013-03-21", ""));
    assert!(!during(Prefix::Sa, "2013-03-14", "2013-03-10", ""));
    assert!(!during(Prefix::Sa, "2013-03-14", "2013-03-14", ""));
    assert!(on(Prefix::Eb, "2013-03-14", "2013-03-13T23:59:59Z"));
    assert!(during(Prefix::Eb, "2013-03-14", "", "2013-03-10"));
    assert!(!during(Prefix::Eb, "2013-03-14", "2013-03-10", ""));
    assert!(during(Prefix::Ap, "2013-03-14", "2013-03-10", ""));
}

/// A partial date in the resource is a span: a search is `eq` only when it holds all of it.
/// A timepoint that begins on the day of `le`, or ends on the day of `ge`, is on or before, on or after it.
#[test]
fn a_period_that_touches_the_asked_day_is_found() {
    assert!(during(Prefix::Le, "2021-04-07", "2021-04-07", "2021-06-05"));
    assert!(!during(Prefix::Lt, "2021-04-07", "2021-04-07", "2021-06-05"));
    assert!(during(Prefix::Ge, "2021-06-05", "2021-04-07", "2021-06-05"));
    assert!(!during(Prefix::Gt, "2021-06-05", "2021-04-07", "2021-06-05"));
    assert!(!during(Prefix::Le, "2021-04-06", "2021-04-07", "2021-06-05"));
    assert!(!during(Prefix::Ge, "2021-06-06", "2021-04-07", "2021-06-05"));
}

#[test]
fn a_resource_less_precise_than_the_search_is_not_equal() {
    assert!(on(Prefix::Eq, "2013", "2013-03"));
    assert!(!on(Prefix::Eq, "2013-03", "2013"));
    assert!(on(Prefix::Ne, "2013-03", "2013"));
    assert!(on(Prefix::Ap, "2013-03", "2013"));
}

/// G2 row 12: what the clock says elsewhere is the same instant.
#[test]
fn offsets_compare_as_instants() {
    assert!(on(Prefix::Eq, "2013-01-14T10:00:00+02:00", "2013-01-14T08:00:00Z"));
    assert!(on(Prefix::Lt, "2013-01-14T00:00:00Z", "2013-01-14T00:30:00+01:00"));
}

fn d(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

fn number_test(prefix: Prefix, text: &str) -> NumberTest {
    let value = d(text);
    let interval = if prefix == Prefix::Ap { exact::approximate_interval } else { exact::precision_interval };
    let (low, high) = interval(value).unwrap();
    NumberTest { prefix, value, low, high }
}

fn number(prefix: Prefix, search: &str, value: &str) -> bool {
    passes(&Test::Number(number_test(prefix, search)), IndexValue::Number(d(value)).borrow())
}

/// SPEC: R4 search.html#number, the table of examples.
#[test]
fn numbers_of_the_r4_table() {
    assert!(number(Prefix::Eq, "100", "99.5") && number(Prefix::Eq, "100", "100.4999"));
    assert!(!number(Prefix::Eq, "100", "100.5") && !number(Prefix::Eq, "100", "99.49"));
    assert!(number(Prefix::Eq, "100.00", "100.004") && !number(Prefix::Eq, "100.00", "100.005"));
    assert!(number(Prefix::Eq, "1e2", "95") && !number(Prefix::Eq, "1e2", "105"));
    assert!(number(Prefix::Lt, "100", "99.99") && !number(Prefix::Lt, "100", "100"));
    assert!(number(Prefix::Le, "100", "100.0") && !number(Prefix::Le, "100", "100.01"));
    assert!(number(Prefix::Gt, "100", "100.01") && !number(Prefix::Gt, "100", "100"));
    assert!(number(Prefix::Ge, "100", "100") && !number(Prefix::Ge, "100", "99.99"));
    assert!(number(Prefix::Ne, "100", "100.5") && !number(Prefix::Ne, "100", "100.1"));
    assert!(number(Prefix::Ap, "100", "91") && !number(Prefix::Ap, "100", "89"));
}

fn quantity_value(value: &str, system: Option<&str>, code: Option<&str>, unit: Option<&str>) -> IndexValue {
    let value = d(value);
    let canonical = code.filter(|_| system == Some(crate::ucum::SYSTEM)).and_then(|c| crate::ucum::canonical(value, c));
    let own = |text: Option<&str>| text.map(str::to_owned);
    IndexValue::Quantity { value, system: own(system), code: own(code), unit: own(unit), canonical }
}

fn quantity_test(prefix: Prefix, value: &str, system: Option<&str>, code: Option<&str>) -> Test {
    let number = number_test(prefix, value);
    let canonical = code.filter(|_| system == Some(crate::ucum::SYSTEM)).and_then(|code| {
        let (factor, unit) = crate::ucum::factor(code)?;
        let times = |value| exact::product(value, factor).unwrap();
        let (value, low, high) = (times(number.value), times(number.low), times(number.high));
        Some((NumberTest { prefix, value, low, high }, unit))
    });
    let own = |text: Option<&str>| text.map(str::to_owned);
    Test::Quantity(Box::new(QuantityTest { number, system: own(system), code: own(code), canonical }))
}

/// SPEC: R4 search.html#quantity.
#[test]
fn quantities_meet_across_units() {
    let ucum = Some(crate::ucum::SYSTEM);
    let in_grams = quantity_value("0.0054", ucum, Some("g"), Some("grams"));
    assert!(passes(&quantity_test(Prefix::Eq, "5.4", ucum, Some("mg")), in_grams.borrow()));
    assert!(!passes(&quantity_test(Prefix::Eq, "5.4", ucum, Some("g")), in_grams.borrow()));
    assert!(passes(&quantity_test(Prefix::Gt, "5", ucum, Some("mg")), in_grams.borrow()));
    assert!(passes(&quantity_test(Prefix::Eq, "0.0054", None, None), in_grams.borrow()), "without a unit: any");
    assert!(passes(&quantity_test(Prefix::Eq, "0.0054", None, Some("grams")), in_grams.borrow()), "unit text");
    assert!(!passes(&quantity_test(Prefix::Eq, "0.0054", None, Some("mg")), in_grams.borrow()));
}

#[test]
fn units_we_do_not_convert_compare_literally() {
    let ucum = Some(crate::ucum::SYSTEM);
    let warm = quantity_value("37.0", ucum, Some("Cel"), None);
    assert!(passes(&quantity_test(Prefix::Eq, "37.0", ucum, Some("Cel")), warm.borrow()));
    assert!(!passes(&quantity_test(Prefix::Gt, "36", ucum, Some("[degF]")), warm.borrow()));
}

fn token(system: Option<&str>, code: &str, text: Option<&str>) -> IndexValue {
    let own = |text: Option<&str>| text.map(str::to_owned);
    IndexValue::Token { system: own(system), code: code.to_owned(), text: own(text) }
}

/// SPEC: R4 search.html#token.
#[test]
fn tokens() {
    let value = token(Some("http://acme"), "2345", Some("Blood Pressure"));
    let bare = token(None, "2345", None);
    let passes = |test: TokenTest, value: &IndexValue| passes(&Test::Token(test), value.borrow());
    assert!(passes(TokenTest::Code("2345".into()), &value) && passes(TokenTest::Code("2345".into()), &bare));
    assert!(passes(TokenTest::SystemCode("http://acme".into(), "2345".into()), &value));
    assert!(!passes(TokenTest::SystemCode("http://acme".into(), "2345".into()), &bare));
    assert!(passes(TokenTest::NoSystem("2345".into()), &bare) && !passes(TokenTest::NoSystem("2345".into()), &value));
    assert!(passes(TokenTest::System("http://acme".into()), &value));
    assert!(passes(TokenTest::Text("blood p".into()), &value) && !passes(TokenTest::Text("press".into()), &value));
    assert!(!passes(TokenTest::Code("ABC".into()), &token(None, "abc", None)), "case matters");
    assert!(!passes(TokenTest::Code(String::new()), &token(None, "", Some("only text"))));
}

/// SPEC: R4 search.html#string, #uri.
#[test]
fn strings_and_uris() {
    let eve = |text: &str| IndexValue::String { folded: crate::fold::fold(text), original: text.to_owned() };
    let is = |kind, text: &str, value: &str| passes(&Test::String(kind, text.to_owned()), eve(value).borrow());
    assert!(is(StringMatch::StartsWith, "eve", "Evelyn") && !is(StringMatch::StartsWith, "eve", "Severine"));
    assert!(is(StringMatch::Contains, "eve", "Severine"));
    assert!(is(StringMatch::Exact, "Eve", "Eve") && !is(StringMatch::Exact, "Eve", "EVE"));

    let uri = |kind, text: &str, value: &str| {
        passes(&Test::Uri(kind, text.to_owned()), IndexValue::Uri(value.to_owned()).borrow())
    };
    assert!(uri(UriMatch::Below, "http://acme.org/fhir/", "http://acme.org/fhir/ValueSet/1"));
    assert!(uri(UriMatch::Below, "http://acme.org/fhir", "http://acme.org/fhir"));
    assert!(!uri(UriMatch::Below, "http://acme.org/fhir", "http://acme.org/fhirx"));
    assert!(uri(UriMatch::Above, "http://acme.org/fhir/ValueSet/1", "http://acme.org/fhir"));
    assert!(!uri(UriMatch::Exact, "http://acme.org/fhir", "http://acme.org/fhir/"));
}

#[test]
fn references() {
    let patient = ResourceType::parse("Patient").unwrap();
    let group = ResourceType::parse("Group").unwrap();
    let id = LogicalId::parse("23").unwrap();
    let to = |target, url: Option<&str>| IndexValue::Reference {
        target,
        url: url.map(str::to_owned),
        identifier: Some((Some("http://acme".into()), "77".into())),
    };
    let is = |test: ReferenceTest, value: &IndexValue| passes(&Test::Reference(test), value.borrow());
    let local = to(Some((patient, id.clone())), None);
    assert!(is(ReferenceTest::Target(patient, id.clone()), &local));
    assert!(!is(ReferenceTest::Target(group, id.clone()), &local));
    assert!(is(ReferenceTest::AnyType(id), &local));
    assert!(is(ReferenceTest::Identifier(TokenTest::SystemCode("http://acme".into(), "77".into())), &local));
    let canonical = to(None, Some("http://acme/q|1.2"));
    assert!(is(ReferenceTest::Url("http://acme/q".into()), &canonical), "any version");
    assert!(is(ReferenceTest::Url("http://acme/q|1.2".into()), &canonical));
    assert!(!is(ReferenceTest::Url("http://acme/q|1.3".into()), &canonical));
}

/// Both components have to hold in one group. SPEC: R4 search.html#composite.
#[test]
fn composites_hold_in_one_group() {
    let group = |code: &str, value: &str| {
        IndexValue::Composite(vec![vec![token(None, code, None)], vec![IndexValue::Number(d(value))]])
    };
    let test = Test::Composite(vec![
        Test::Token(TokenTest::Code("systolic".into())),
        Test::Number(number_test(Prefix::Gt, "140")),
    ]);
    assert!(passes(&test, group("systolic", "150").borrow()));
    assert!(!passes(&test, group("systolic", "120").borrow()));
    assert!(!passes(&test, group("diastolic", "150").borrow()));
}
