//! Reading, order, spans, arithmetic; laws.

use super::*;
use proptest::prelude::*;

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn digits_are_kept_as_written() {
    for (text, mantissa, exponent) in [
        ("0", 0, 0),
        ("1.50", 150, -2),
        ("-0.001", -1, -3),
        ("100", 100, 0),
        ("1e2", 1, 2),
        ("1.5E-3", 15, -4),
        ("0.0", 0, -1),
        ("1.0e+2", 10, 1),
    ] {
        assert_eq!(decimal(text), Decimal { mantissa, exponent }, "{text}");
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "",
        "-",
        "+1",
        ".5",
        "5.",
        "01",
        "-01",
        "1e",
        "1e+",
        "1e1.5",
        "1 ",
        " 1",
        "1,5",
        "0x1",
        "NaN",
        "Infinity",
        "--1",
        "1.2.3",
        "1e99999",
        "1e+-5",
        "١",
        "1234567890123456789012345678901234567",
    ] {
        assert_eq!(Decimal::parse(text), None, "{text}");
    }
}

#[test]
fn a_search_means_half_a_unit_to_each_side() {
    for (text, low, high) in [
        ("100", "99.5", "100.5"),
        ("100.00", "99.995", "100.005"),
        ("1e2", "95", "105"),
        ("0", "-0.5", "0.5"),
        ("-5.4", "-5.45", "-5.35"),
    ] {
        let (from, to) = decimal(text).precision_span().unwrap();
        assert_eq!(from.compare(&decimal(low)), Ordering::Equal, "{text}: {from}");
        assert_eq!(to.compare(&decimal(high)), Ordering::Equal, "{text}: {to}");
    }
}

#[test]
fn order_is_that_of_numbers() {
    for (less, more) in [
        ("-1", "0"),
        ("0.1", "1e-0"),
        ("9.99", "1e1"),
        ("-1e300", "1e-300"),
        ("1e-300", "1e300"),
        ("-2", "-1.99"),
        ("123456789012345678901234567890123455", "123456789012345678901234567890123456"),
        ("0", "1e-6000"),
    ] {
        assert_eq!(decimal(less).compare(&decimal(more)), Ordering::Less, "{less} {more}");
        assert_eq!(decimal(more).compare(&decimal(less)), Ordering::Greater, "{less} {more}");
    }
    assert_eq!(decimal("1.0").compare(&decimal("1.00")), Ordering::Equal);
    assert_eq!(decimal("-0").compare(&decimal("0.00")), Ordering::Equal);
    assert_eq!(decimal("1e5").compare(&decimal("100000.0")), Ordering::Equal);
}

#[test]
fn arithmetic_is_exact() {
    let show = |one: Option<Decimal>| one.map(|one| one.to_string());
    assert_eq!(show(decimal("0.1").checked_add(&decimal("0.2"))), Some("0.3".to_owned()));
    assert_eq!(show(decimal("1.50").checked_sub(&decimal("1"))), Some("0.50".to_owned()));
    assert_eq!(show(decimal("1.5").checked_mul(&decimal("-0.2"))), Some("-0.30".to_owned()));
    assert_eq!(show(decimal("1").checked_div(&decimal("4"))), Some("0.25".to_owned()));
    assert_eq!(show(decimal("2").checked_div(&decimal("3"))), Some("0.6666666666666666666666666667".to_owned()));
    assert_eq!(show(decimal("-10").checked_div(&decimal("0.5"))), Some("-20".to_owned()));
    assert_eq!(show(decimal("7").checked_div(&decimal("700"))), Some("0.01".to_owned()));
    assert_eq!(decimal("1").checked_div(&decimal("0.0")), None);
    assert_eq!(show(decimal("1e300").checked_add(&decimal("1"))), None);
    assert_eq!(decimal("2.5").rounded(0).to_string(), "3");
    assert_eq!(decimal("-2.45").rounded(1).to_string(), "-2.5");
    assert_eq!(decimal("-2.9").truncated().to_string(), "-2");
    assert_eq!(decimal("12.00").to_i64(), Some(12));
    assert_eq!(decimal("12e2").to_i64(), Some(1200));
    assert_eq!(decimal("12.5").to_i64(), None);
    assert_eq!(decimal("1e30").to_i64(), None);
    assert_eq!(decimal("1.500").normalized(), decimal("1.5"));
}

#[test]
fn it_is_written_plainly() {
    for (text, shown) in [
        ("1e3", "1000"),
        ("-1.50", "-1.50"),
        ("5e-3", "0.005"),
        ("0e5", "0"),
        ("1e50", "1e50"),
        ("1e-50", "1e-50"),
        ("-0", "0"),
    ] {
        assert_eq!(decimal(text).to_string(), shown, "{text}");
    }
}

fn any_decimal() -> impl Strategy<Value = Decimal> {
    (-1_000_000_000_000i128..1_000_000_000_000, -12i32..6)
        .prop_map(|(mantissa, exponent)| Decimal { mantissa, exponent })
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "[-+0-9.eE]{0,45}") {
        if let Some(one) = Decimal::parse(&text) {
            prop_assert!(is_decimal(&text));
            prop_assert_eq!(decimal(&one.to_string()).compare(&one), Ordering::Equal);
            let _ = (one.precision_span(), one.normalized(), one.truncated(), one.to_i64(), one.rounded(8));
        }
    }

    #[test]
    fn any_two_compare_both_ways(a in "-?[1-9][0-9]{0,35}(e-?[0-9]{1,3})?", b in "-?0\\.[0-9]{1,35}(e[0-9]{1,2})?") {
        let (a, b) = (decimal(&a), decimal(&b));
        prop_assert_eq!(a.compare(&b), b.compare(&a).reverse());
        let _ = (a.checked_add(&b), a.checked_mul(&b), a.checked_div(&b), b.checked_div(&a));
    }

    #[test]
    fn printing_and_reading_is_identity(one in any_decimal()) {
        let back = decimal(&one.to_string());
        prop_assert_eq!(back.compare(&one), Ordering::Equal);
        if one.exponent <= 0 {
            prop_assert_eq!(back, one);
        }
    }

    #[test]
    fn addition_undoes_subtraction_and_agrees_with_order(a in any_decimal(), b in any_decimal()) {
        let difference = a.checked_sub(&b).unwrap();
        prop_assert_eq!(difference.checked_add(&b).unwrap().compare(&a), Ordering::Equal);
        prop_assert_eq!(difference.mantissa.signum(), a.compare(&b) as i128);
    }

    #[test]
    fn multiplication_undoes_division_nearly(a in any_decimal(), b in any_decimal()) {
        prop_assume!(!b.is_zero());
        let back = a.checked_div(&b).unwrap().checked_mul(&b.normalized());
        if let Some(error) = back.and_then(|back| back.checked_sub(&a)) {
            let bound = Decimal { mantissa: a.mantissa.abs(), exponent: a.exponent - 20 };
            let size = Decimal { mantissa: error.mantissa.abs(), ..error };
            prop_assert_ne!(size.compare(&bound), Ordering::Greater);
        }
    }

    #[test]
    fn a_number_lies_in_its_own_span(one in any_decimal()) {
        let (low, high) = one.precision_span().unwrap();
        prop_assert_eq!(low.compare(&one), Ordering::Less);
        prop_assert_eq!(one.compare(&high), Ordering::Less);
    }
}
