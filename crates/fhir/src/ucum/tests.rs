//! Units of UCUM. Rows F57, F58: no code and no file takes much time or room.

use super::*;
use proptest::prelude::*;

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).expect(text)
}

fn converted(value: &str, from: &str, to: &str) -> Option<String> {
    let number = Units::builtin().convert(decimal(value), from, to)?;
    number.to_decimal().map(|(decimal, is_exact)| format!("{decimal}{}", if is_exact { "" } else { " or so" }))
}

#[test]
fn every_row_of_the_table_resolves() {
    let units = Units::builtin();
    assert!(units.len() > 240, "{} units", units.len());
    assert!(!units.is_complete());
    for base in BASE_UNITS {
        let unit = units.parse(base).expect(base);
        assert_eq!(unit.dimension().to_string(), base);
        assert_eq!(unit.factor(), Some(Number::ONE));
    }
}

#[test]
fn units_of_clinical_data_are_read() {
    for code in [
        "mg",
        "mg/dL",
        "mmol/L",
        "10*3/uL",
        "10*9/L",
        "10*-3",
        "/min",
        "{beats}/min",
        "{score}",
        "1",
        "%",
        "mm[Hg]",
        "cm[H2O]",
        "kg/m2",
        "mL/min/{1.73_m2}",
        "ug/kg/h",
        "[lb_av]",
        "[in_i]",
        "Cel",
        "[degF]",
        "[pH]",
        "dB",
        "[iU]/L",
        "m[iU]/mL",
        "k[IU]/L",
        "meq/L",
        "mosm/kg",
        "U/L",
        "ng/mL{FEU}",
        "g/(24.h)",
        "mg/(kg.d)",
        "{#}/[HPF]",
        "[drp]",
        "deg",
        "a",
        "mo",
        "wk",
        "10.uN.s/(cm5.m2)",
        "dyn.s/cm5",
        "1{tablet}",
        "L/min",
        "kcal_th/d",
        "m/s2",
        "[MET].min",
        "KiBy",
        "%{vol}",
        "[arb'U]/mL",
        "(mg/dL){creat}",
        "ug{FEU}/mL",
        "[p'diop]",
        "mm[Hg].min/L",
        "10*6.[CFU]/L",
    ] {
        assert_eq!(Units::builtin().is_valid(code), Some(true), "{code}: {:?}", Units::builtin().parse(code).err());
    }
}

#[test]
fn what_is_no_unit_says_where() {
    use UnitError::{NoPrefix, NotRatio, Syntax, TooDeep, TooLarge, TooLong, Unknown};
    let deep = format!("{}m{}", "(".repeat(20), ")".repeat(20));
    let long = "m.".repeat(200);
    for (code, wanted) in [
        ("", Syntax(0)),
        ("m//s", Syntax(2)),
        ("m.", Syntax(2)),
        ("(m", Syntax(2)),
        ("m)", Syntax(1)),
        ("mg/dL ", Syntax(5)),
        ("mg / dL", Syntax(2)),
        ("{open", Syntax(0)),
        ("{a b}", Syntax(2)),
        ("{é}", Syntax(1)),
        ("[lb_av", Syntax(0)),
        ("m-", Syntax(0)),
        ("m^2", Unknown(0)),
        ("2m", Unknown(0)),
        ("0", Syntax(0)),
        ("µg", Syntax(0)),
        ("mg/nosuch", Unknown(3)),
        ("kmin", NoPrefix(0)),
        ("m[lb_av]", NoPrefix(0)),
        ("Cel/min", NotRatio(4)),
        ("/Cel", NotRatio(1)),
        ("Cel2", NotRatio(0)),
        ("Cel.[degF]", NotRatio(4)),
        ("m100", TooLarge),
        ("m99.m99", TooLarge),
        (&deep, TooDeep),
        (&long, TooLong),
    ] {
        let found = Units::builtin().parse(code);
        // A product of a ratio and a special unit is named at either of them.
        match (found, wanted) {
            (Err(NotRatio(_)), NotRatio(_)) => {}
            (found, wanted) => assert_eq!(found.err(), Some(wanted), "{code}"),
        }
    }
    assert_eq!(Units::builtin().is_valid("[didot]"), None, "a unit of the official file that is not here");
    assert_eq!(Units::builtin().is_valid("mg//dL"), Some(false));
}

#[test]
fn values_convert_exactly_where_they_can() {
    for (value, from, to, wanted) in [
        ("1", "kg", "g", Some("1000")),
        ("185", "[lb_av]", "kg", Some("83.91458845")),
        ("6", "[ft_i]", "cm", Some("182.88")),
        ("1", "[foz_us]", "mL", Some("29.5735295625")),
        ("37", "Cel", "K", Some("310.15")),
        ("37.0", "Cel", "[degF]", Some("98.6")),
        ("98.6", "[degF]", "Cel", Some("37")),
        ("-40", "[degF]", "Cel", Some("-40")),
        ("1", "mCel", "K", Some("273.151")),
        ("120", "mm[Hg]", "kPa", Some("15.99864")),
        ("7.4", "[pH]", "nmol/L", Some("39.8107170553497 or so")),
        ("30", "dB", "1", Some("1000.00000000000 or so")),
        ("180", "deg", "rad", Some("3.14159265358979323846264338327950288")),
        ("1", "1", "[iU]", None),
        ("1", "[iU]/mL", "[IU]/L", Some("1000")),
        ("1", "wk", "d", Some("7")),
        ("1", "a", "mo", Some("12")),
        ("60", "/min", "Hz", Some("1")),
        ("1", "/h", "/s", Some("0.000277777777777777778 or so")),
        ("1", "U/L", "nkat/L", Some("16.6666666666666667 or so")),
        ("1", "mg", "mL", None),
        ("1", "10*3/uL", "10*9/L", Some("1")),
        ("100", "%", "1", Some("1")),
        ("2", "(mg/kg)/d", "mg/(kg.d)", Some("2")),
        ("1", "nosuch", "nosuch", Some("1")),
        ("1", "KiBy", "bit", Some("8192")),
    ] {
        assert_eq!(converted(value, from, to).as_deref(), wanted, "{value} {from} in {to}");
    }
}

#[test]
fn equal_quantities_have_one_canonical_form() {
    let canonical = |value: &str, code: &str| {
        let found = Units::builtin().canonical(decimal(value), code).expect(code);
        format!("{} {}", found.value.to_decimal().expect("in range").0, found.unit)
    };
    assert_eq!(canonical("5", "mg"), "0.005 g");
    assert_eq!(canonical("0.005", "g"), "0.005 g");
    assert_eq!(canonical("1", "N"), "1000 m.s-2.g");
    assert_eq!(canonical("120", "mm[Hg]"), canonical("15998.64", "Pa"));
    assert_eq!(canonical("2", "k[IU]/L"), "2000000 m-3.[iU]");
    assert_eq!(canonical("5", "%"), "0.05 1");
    assert_eq!(canonical("98.6", "[degF]"), canonical("37", "Cel"));
}

#[test]
fn comparison_knows_what_cannot_be_compared() {
    let compare = |left: (&str, &str), right: (&str, &str)| {
        Units::builtin().compare((decimal(left.0), left.1), (decimal(right.0), right.1))
    };
    assert_eq!(compare(("1", "kg"), ("1000", "g")), Some(Ordering::Equal));
    assert_eq!(compare(("1", "/h"), ("0.0002777", "/s")), Some(Ordering::Greater));
    assert_eq!(compare(("3600", "/h"), ("1", "/s")), Some(Ordering::Equal));
    assert_eq!(compare(("1", "kg"), ("1", "m")), None);
    assert_eq!(compare(("1", "kg"), ("1", "nosuch")), None);
    assert_eq!(Units::builtin().are_comparable("cm", "[in_i]"), Some(true));
    assert_eq!(Units::builtin().are_comparable("cm", "s"), Some(false));
    assert_eq!(Units::builtin().are_comparable("cm", "[s]"), None);
}

/// In the shape of the official file, with units of our own.
const ESSENCE: &str = r#"<?xml version="1.0" encoding="ascii"?>
<!-- a comment with a <unit Code="no"> in it -->
<root xmlns="http://unitsofmeasure.org/ucum-essence" version="2.2">
   <prefix Code="k" CODE="K"><name>kilo</name><value value="1e3">1000</value></prefix>
   <base-unit Code="m" CODE="M" dim="L"><name>meter</name></base-unit>
   <base-unit Code="s" CODE="S" dim="T"/><base-unit Code="g" CODE="G" dim="M"/><base-unit Code="rad" dim="A"/>
   <base-unit Code="K" CODE="K" dim="C"/><base-unit Code="C" dim="Q"/><base-unit Code="cd" dim="F"/>
   <unit Code="[cubit]" CODE="[CUBIT]" isMetric="no" class="old"><name>cubit</name><value Unit="[span]" UNIT="[SPAN]" value="2">2</value></unit>
   <unit Code="[span]" isMetric="no"><value Unit="m" value="2286e-4">0.2286</value></unit>
   <unit Code="[rare'U]" isMetric="yes" isArbitrary="yes"><value Unit="1" value="1">1</value></unit>
   <unit Code="Cel" isMetric="yes" isSpecial="yes"><value Unit="cel(1 K)" UNIT="CEL(1 K)"><function name="Cel" value="1" Unit="K"/></value></unit>
</root>"#;

#[test]
fn the_official_format_is_read_and_then_an_unknown_unit_is_wrong() {
    let units = Units::with_essence(ESSENCE.as_bytes()).expect("reads");
    assert!(units.is_complete());
    assert_eq!(units.is_valid("k[rare'U]/m"), Some(true));
    assert_eq!(units.is_valid("[lb_av]"), Some(false));
    let length = units.convert(decimal("1000"), "[cubit]", "km").and_then(Number::to_decimal);
    assert_eq!(length.map(|(value, _)| value.to_string()).as_deref(), Some("0.4572"));
    assert_eq!(units.parse("[rare'U]").expect("known").dimension().to_string(), "[rare'U]");
    assert_eq!(units.parse("Cel").expect("known").factor(), None);
}

#[test]
fn files_that_are_none_are_refused() {
    let wrong = |text: &str| Units::with_essence(text.as_bytes()).expect_err(text);
    assert_eq!(wrong(""), EssenceError::NoUnits);
    assert_eq!(wrong("<root><!DOCTYPE x></root>"), EssenceError::Format(6));
    assert_eq!(wrong("<root"), EssenceError::Format(0));
    assert_eq!(wrong(&ESSENCE.replace("[span]\" UNIT", "[cubit]\" UNIT")), EssenceError::Definition("[cubit]".into()));
    let endless = ESSENCE.replace("Unit=\"m\" value=\"2286e-4\"", "Unit=\"[cubit]\" value=\"1\"");
    assert!(matches!(wrong(&endless), EssenceError::Definition(_)));
    assert!(matches!(wrong(&ESSENCE.replace("2286e-4", "many")), EssenceError::Definition(_)));
    assert!(matches!(wrong(&ESSENCE.replace("name=\"Cel\"", "name=\"nosuch\"")), EssenceError::Definition(_)));
    let many: String =
        (0..20_000).map(|at| format!("<unit Code=\"u{at}\"><value Unit=\"1\" value=\"1\"/></unit>")).collect();
    assert_eq!(wrong(&many), EssenceError::TooMany);
}

const ATOMS: &[&str] = &["m", "kg", "s", "[lb_av]", "mol", "10*3", "[iU]", "{x}", "mm[Hg]", "7", "deg", "L", "d", "%"];

/// A unit without special scales, built by the grammar.
fn unit() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(ATOMS).prop_map(str::to_owned);
    atom.prop_recursive(3, 12, 4, |inner| {
        let operators = prop::collection::vec(prop::sample::select(&[".", "/"][..]), 3);
        (prop::collection::vec(inner, 1..4), operators).prop_map(|(parts, operators)| {
            let mut text = String::new();
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    text.push_str(operators[at - 1]);
                }
                text.push_str(&if part.contains(['.', '/']) { format!("({part})") } else { part.clone() });
            }
            text
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_panics(text in "\\PC{0,40}", codes in "[\\[\\]{}()./'*^%0-9a-zA-Z_+-]{0,40}") {
        for text in [text, codes] {
            if let Ok(unit) = Units::builtin().parse(&text) {
                let _ = unit.to_base(Number::integer(3)).and_then(|value| unit.from_base(value));
                let _ = unit.dimension().to_string();
            }
            let _ = Units::with_essence(text.as_bytes());
        }
    }

    #[test]
    fn a_value_returns_from_base_units(code in unit(), mantissa in -100_000i128..100_000) {
        let unit = Units::builtin().parse(&code).expect("built by the grammar");
        let value = Number::decimal(Decimal { mantissa, exponent: -2 });
        if let Some(base) = unit.to_base(value) {
            prop_assert_eq!(unit.from_base(base).map(|back| back.compare(value)), Some(Ordering::Equal), "{}", code);
        }
        // The canonical form is a unit itself, and the same.
        let canonical = Units::builtin().parse(&unit.dimension().to_string()).expect("base units");
        prop_assert!(canonical.is_comparable(&unit));
        prop_assert_eq!(canonical.factor(), Some(Number::ONE));
    }

    #[test]
    fn products_commute_and_quotients_undo(left in unit(), right in unit()) {
        let units = Units::builtin();
        let (one, other) = (units.parse(&format!("({left}).({right})")), units.parse(&format!("({right}).({left})")));
        if let (Ok(one), Ok(other)) = (one, other) {
            prop_assert!(one.is_comparable(&other));
            let same = one.factor().zip(other.factor()).map(|(one, other)| one.compare(other));
            prop_assert_eq!(same, Some(Ordering::Equal));
        }
        if let Ok(undone) = units.parse(&format!("({left}).({right})/({right})")) {
            let plain = units.parse(&left).expect("built by the grammar");
            prop_assert!(undone.is_comparable(&plain));
            prop_assert_eq!(undone.factor().zip(plain.factor()).map(|(one, other)| one.compare(other)), Some(Ordering::Equal));
        }
    }

    #[test]
    fn order_is_total_and_antisymmetric(a in any::<i64>(), b in 1i64..1_000_000, c in any::<i64>(), d in 1i64..1_000_000) {
        let ratio = |above: i64, below: i64| {
            Number::integer(i128::from(above)).over(Number::integer(i128::from(below))).expect("no zero")
        };
        let (left, right) = (ratio(a, b), ratio(c, d));
        prop_assert_eq!(left.compare(right), right.compare(left).reverse());
        let wanted = (i128::from(a) * i128::from(d)).cmp(&(i128::from(c) * i128::from(b)));
        prop_assert_eq!(left.compare(right), wanted);
    }
}
