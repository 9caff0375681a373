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
        "1e-2147483648",
        "1e2147483648",
        "1.5e-2147483647",
        "1e400000000",
        "١",
        "1234567890123456789012345678901234567",
    ] {
        assert_eq!(Decimal::parse(text), None, "{text}");
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
        }
    }

    #[test]
    fn any_two_compare_both_ways(a in "-?[1-9][0-9]{0,35}(e-?[0-9]{1,3})?", b in "-?0\\.[0-9]{1,35}(e[0-9]{1,2})?") {
        let (a, b) = (decimal(&a), decimal(&b));
        prop_assert_eq!(a.compare(&b), b.compare(&a).reverse());
    }

    #[test]
    fn printing_and_reading_is_identity(one in any_decimal()) {
        let back = decimal(&one.to_string());
        prop_assert_eq!(back.compare(&one), Ordering::Equal);
        if one.exponent <= 0 {
            prop_assert_eq!(back, one);
        }
    }
}
