//! The promise of index keys: no value that passes a test is outside the test's ranges.

use super::{Ranges, any, keys, ranges};
use crate::{
    IndexValue, Test, compare,
    predicate::{DateTest, Prefix, StringMatch, TokenTest, UriMatch},
    testing,
};
use proptest::prelude::*;

fn keys_of(value: &IndexValue) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    keys(value.borrow(), &mut |key| all.push(key.to_vec()));
    all
}

/// Whether the row of a value is found, with row numbers of all shapes behind the key.
fn finds(found: &Ranges, value: &IndexValue) -> bool {
    let rows: [[u8; 8]; 3] = [[0; 8], [0xff; 8], [1, 0, 2, 0xff, 0, 7, 0, 1]];
    let all = keys_of(value);
    let hits = rows.map(|row| {
        all.iter().any(|key| {
            let key = [key.as_slice(), &row].concat();
            found.ranges.iter().any(|range| range.start <= key && key < range.end)
        })
    });
    assert!(hits[0] == hits[1] && hits[1] == hits[2], "the row number must not matter");
    hits[0]
}

fn token(system: Option<&str>, code: &str) -> IndexValue {
    IndexValue::Token { system: system.map(str::to_owned), code: code.to_owned(), text: None }
}

fn string(text: &str) -> IndexValue {
    IndexValue::String { folded: crate::fold::fold(text), original: text.to_owned() }
}

#[test]
fn a_code_is_found_alone_and_with_its_system() {
    let value = token(Some("http://loinc.org"), "8480-6");
    assert!(finds(&ranges(&Test::Token(TokenTest::Code("8480-6".into()))), &value));
    assert!(finds(&ranges(&Test::Token(TokenTest::SystemCode("http://loinc.org".into(), "8480-6".into()))), &value));
    assert!(!finds(&ranges(&Test::Token(TokenTest::SystemCode("http://other".into(), "8480-6".into()))), &value));
    assert!(!finds(&ranges(&Test::Token(TokenTest::Code("8480".into()))), &value), "a code is not a prefix");
}

#[test]
fn names_are_found_by_their_beginning_only() {
    let test = |text: &str| ranges(&Test::String(StringMatch::StartsWith, text.to_owned()));
    assert!(test("chal").exact);
    assert!(finds(&test("chal"), &string("Chalmers")));
    assert!(!finds(&test("halm"), &string("Chalmers")));
    let long = "x".repeat(100);
    assert!(!test(&long).exact, "keys are cut, so the store must re-test");
    assert!(finds(&test(&long), &string(&long)));
}

#[test]
fn a_long_stay_is_found_by_a_late_date() {
    let day = 86_400_000;
    let stay = IndexValue::Date { low: 0, high: 400 * day };
    let after = ranges(&Test::Date(DateTest { prefix: Prefix::Gt, low: 300 * day, high: 301 * day }));
    assert!(finds(&after, &stay));
    assert!(!finds(&after, &IndexValue::Date { low: 0, high: day }), "and short ones of long ago are not scanned");
}

#[test]
fn ancestors_of_a_uri_are_looked_up_not_scanned() {
    let above = ranges(&Test::Uri(UriMatch::Above, "http://a/b/c".into()));
    assert!(finds(&above, &IndexValue::Uri("http://a/b".into())));
    assert!(!finds(&above, &IndexValue::Uri("http://a/x".into())));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn ranges_hold_whatever_passes((value, test) in testing::value_and_test()) {
        let found = ranges(&test);
        let is_found = finds(&found, &value);
        let passes = compare::passes(&test, value.borrow());
        prop_assert!(!passes || is_found, "{value:?} passes {test:?} and is not found");
        prop_assert!(!found.exact || passes == is_found, "{test:?} says exact, but {value:?}");
    }

    #[test]
    fn every_value_has_a_key(value in testing::value()) {
        prop_assert!(!keys_of(&value).is_empty());
        prop_assert!(finds(&any(), &value));
    }

    #[test]
    fn tests_of_other_kinds_find_nothing_exactly((value, test) in (testing::value(), testing::test())) {
        prop_assert!(!compare::passes(&test, value.borrow()) || finds(&ranges(&test), &value));
    }
}
