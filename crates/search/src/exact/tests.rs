//! Precision as R4's own table reads it; order of the byte form.

use super::{append_key, approximate_interval, precision_interval, product};
use fhir::primitive::decimal::Decimal;
use proptest::prelude::*;
use std::cmp::Ordering;

fn d(mantissa: i128, exponent: i32) -> Decimal {
    Decimal { mantissa, exponent }
}

fn key(decimal: Decimal) -> Vec<u8> {
    let mut out = Vec::new();
    append_key(&mut out, decimal);
    out
}

fn same(a: Decimal, b: Decimal) -> bool {
    a.compare(&b) == Ordering::Equal
}

#[test]
fn precision_reads_as_r4_search_number() {
    let (low, high) = precision_interval(d(100, 0)).unwrap();
    assert!(same(low, d(995, -1)) && same(high, d(1005, -1)), "100 is [99.5, 100.5)");
    let (low, high) = precision_interval(d(10000, -2)).unwrap();
    assert!(same(low, d(99995, -3)) && same(high, d(100_005, -3)), "100.00 is [99.995, 100.005)");
    let (low, high) = precision_interval(d(1, 2)).unwrap();
    assert!(same(low, d(95, 0)) && same(high, d(105, 0)), "1e2 is [95, 105)");
}

#[test]
fn approximate_is_a_tenth_and_never_empty() {
    let (low, high) = approximate_interval(d(100, 0)).unwrap();
    assert!(same(low, d(90, 0)) && same(high, d(110, 0)));
    let (low, high) = approximate_interval(d(0, 0)).unwrap();
    assert_eq!(low.compare(&high), Ordering::Less);
}

#[test]
fn what_does_not_fit_has_no_result() {
    assert!(product(d(i128::MAX, 0), d(7, 0)).is_none());
    assert!(precision_interval(d(i128::MAX, 0)).is_none());
    assert!(precision_interval(d(1, i32::MIN)).is_none());
}

fn decimals() -> impl Strategy<Value = Decimal> {
    let small = (-2000i128..2000, -4i32..4);
    let large = (any::<i64>(), -150i32..150).prop_map(|(m, e)| (i128::from(m), e));
    prop_oneof![small, large].prop_map(|(m, e)| d(m, e))
}

proptest! {
    #[test]
    fn key_order_is_numeric_order(a in decimals(), b in decimals()) {
        prop_assert_eq!(key(a).cmp(&key(b)), a.compare(&b));
        prop_assert!(a.compare(&b) == Ordering::Equal || !key(a).starts_with(&key(b)));
    }

    #[test]
    fn trailing_zeros_do_not_matter(m in any::<i32>(), e in -50i32..50) {
        prop_assert_eq!(key(d(i128::from(m), e)), key(d(i128::from(m) * 1000, e - 3)));
    }
}

/// Row F58: exponents of any size cost no time and break no order.
#[test]
fn extreme_exponents() {
    let all =
        [d(-1, i32::MAX), d(-1, 0), d(-1, i32::MIN), d(0, i32::MAX), d(1, i32::MIN), d(1, 0), d(i128::MAX, i32::MAX)];
    for pair in all.windows(2) {
        assert_eq!(pair[0].compare(&pair[1]), Ordering::Less, "{pair:?}");
        assert!(key(pair[0]) < key(pair[1]), "{pair:?}");
    }
}
