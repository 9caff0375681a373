//! The same quantity in two units has one canonical form.

use super::{canonical, factor};
use fhir::primitive::decimal::Decimal;
use proptest::prelude::*;

fn same(a: (i128, i32, &str), b: (i128, i32, &str)) {
    let of = |(mantissa, exponent, unit): (i128, i32, &str)| canonical(Decimal { mantissa, exponent }, unit);
    assert!(of(a).is_some(), "{a:?} converts");
    assert_eq!(of(a), of(b), "{a:?} equals {b:?}");
}

#[test]
fn units_of_clinical_practice_convert_exactly() {
    same((5, 0, "mg"), (5, -3, "g"));
    same((1, 0, "[lb_av]"), (45_359_237, -8, "kg"));
    same((70, 0, "[in_i]"), (1778, -1, "cm"));
    same((1, 0, "[in_i]"), (254, -2, "cm"));
    same((1, 0, "mL"), (1, 0, "cm3"));
    same((100, 0, "mg/dL"), (1, 0, "g/L"));
    same((1, 0, "mmol/L"), (1, 0, "umol/mL"));
    same((60, 0, "/min"), (1, 0, "/s"));
    same((72, 0, "{beats}/min"), (72, 0, "/min"));
    same((1, 0, "/h"), (24, 0, "/d"));
    same((1, 0, "mL/min"), (60, 0, "mL/h"));
    same((7, 0, "d"), (1, 0, "wk"));
    same((12, 0, "mo"), (1, 0, "a"));
    same((50, 0, "%"), (5, -1, "1"));
    same((120, 0, "mm[Hg]"), (1_599_864, -5, "kPa"));
    same((4, 0, "10*3/uL"), (4, 0, "10*9/L"));
    same((22, 0, "kg/m2"), (22, -1, "g/cm2"));
    same((3, 0, "{score}"), (3, 0, "1"));
    same((1, 0, "k[IU]/L"), (1, 0, "[IU]/mL"));
}

#[test]
fn what_cannot_convert_exactly_does_not() {
    for unit in ["Cel", "[degF]", "[pH]", "dB", "", "(g)", "mg/", "foo", "kg/[lb_av]", "[in_i", "mkg", "g99"] {
        assert!(factor(unit).is_none(), "{unit} must compare literally");
    }
}

#[test]
fn amounts_and_equivalents_stay_apart() {
    assert_ne!(factor("mmol/L").map(|(_, unit)| unit), factor("meq/L").map(|(_, unit)| unit));
}

proptest! {
    #[test]
    fn never_panics(unit in "[a-zA-Z0-9*^./\\[\\]{}()+-]{0,12}|\\PC{0,8}") {
        let _ = factor(&unit);
    }
}
