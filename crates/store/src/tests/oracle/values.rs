//! Random index values, as extraction could give them.
//!
//! Alphabets are small, so that values and tests meet; some texts are longer than a key keeps of
//! them. Two laws of extraction hold, since plans rely on them: `patient` is what `subject` has of
//! patients, and a quantity has a canonical form when its unit is one that we convert.

use super::dice::Dice;
use crate::tests::world::{id, kind};
use fhir::{LogicalId, primitive::decimal::Decimal};
use search::{IndexValue, IndexValues, ParameterId, ParameterKind, fold::fold, ucum};

/// Types of the random stores.
pub(super) const KINDS: [&str; 4] = ["Patient", "Observation", "Encounter", "RiskAssessment"];

/// Parameters of each type that are used: all kinds that there are.
pub(super) fn parameters(of: &str) -> &'static [&'static str] {
    match of {
        "Patient" => &["family", "gender", "birthdate", "general-practitioner", "_profile", "identifier"],
        "Observation" => &[
            "code",
            "status",
            "date",
            "subject",
            "patient",
            "encounter",
            "value-quantity",
            "performer",
            "_profile",
            "code-value-quantity",
            "code-value-date",
        ],
        "Encounter" => &["class", "date", "subject", "patient", "part-of", "identifier", "length"],
        _ => &["probability", "date", "subject", "patient", "encounter", "condition"],
    }
}

/// References over which joins and includes go.
pub(super) const REFERENCES: [(&str, &str); 10] = [
    ("Observation", "subject"),
    ("Observation", "patient"),
    ("Observation", "encounter"),
    ("Observation", "performer"),
    ("Encounter", "part-of"),
    ("Encounter", "patient"),
    ("Patient", "general-practitioner"),
    ("RiskAssessment", "subject"),
    ("RiskAssessment", "encounter"),
    ("RiskAssessment", "condition"),
];

pub(super) fn parameter(of: &str, code: &str) -> ParameterId {
    search::registry().parameter(kind(of), code).unwrap_or_else(|| panic!("{of}.{code}")).id
}

pub(super) fn kind_of(parameter: ParameterId) -> ParameterKind {
    search::registry().by_id(parameter).unwrap().kind
}

pub(super) fn any_id(dice: &mut Dice) -> LogicalId {
    // A few are named more often, so that compartments and lists grow.
    let below = if dice.percent(40) { 3 } else { 16 };
    id(&format!("r{}", dice.below(below)))
}

/// A whole number, half a number, or one with a digit more.
pub(super) fn decimal(dice: &mut Dice) -> Decimal {
    match dice.below(3) {
        0 => Decimal { mantissa: dice.between(-30, 30).into(), exponent: -1 },
        1 => Decimal { mantissa: dice.between(-3, 4).into(), exponent: 1 },
        _ => Decimal { mantissa: dice.between(-3, 4).into(), exponent: 0 },
    }
}

/// `[low, high)`: moments, days, months; open at either end.
pub(super) fn span(dice: &mut Dice) -> (i64, i64) {
    const DAY: i64 = 86_400_000;
    let low = dice.between(0, 6) * DAY;
    let length = dice.pick(&[1, 1000, DAY, DAY + 1, 31 * DAY]);
    match dice.below(10) {
        0 => (low, i64::MAX),
        1 => (i64::MIN, low),
        _ => (low, low + length),
    }
}

pub(super) fn system(dice: &mut Dice) -> String {
    dice.pick(&["s", "t", ""]).to_owned()
}

pub(super) fn code(dice: &mut Dice) -> String {
    if dice.percent(3) { "c".repeat(60 + dice.below(8)) } else { dice.pick(&["a", "b", "c", "A"]).to_owned() }
}

pub(super) fn text(dice: &mut Dice) -> String {
    match dice.below(20) {
        0 => "é".repeat(31 + dice.below(3)),
        1 => "a\u{0}b".into(),
        _ => dice.pick(&["anna", "annabel", "Bea", "b", "Ännä"]).to_owned(),
    }
}

pub(super) fn uri(dice: &mut Dice) -> String {
    if dice.percent(3) {
        return "/a".repeat(30 + dice.below(40));
    }
    dice.pick(&["http://a/b", "http://a/b/c", "http://a/bc", "http://d", "http://a", "http://d|1"]).to_owned()
}

pub(super) fn unit(dice: &mut Dice) -> String {
    dice.pick(&["mg", "g", "kg", "furlong"]).to_owned()
}

pub(super) fn unit_system(dice: &mut Dice) -> Option<String> {
    match dice.below(4) {
        0 => None,
        1 => Some("s".into()),
        _ => Some(ucum::SYSTEM.into()),
    }
}

/// A value of this parameter.
pub(super) fn value(dice: &mut Dice, parameter: ParameterId) -> IndexValue {
    match kind_of(parameter) {
        ParameterKind::Token => {
            let system = dice.percent(70).then(|| system(dice));
            let code = if dice.percent(15) { String::new() } else { code(dice) };
            IndexValue::Token { system, code, text: dice.percent(50).then(|| text(dice)) }
        }
        ParameterKind::String => {
            let original = text(dice);
            IndexValue::String { folded: fold(&original), original }
        }
        ParameterKind::Date => {
            let (low, high) = span(dice);
            IndexValue::Date { low, high }
        }
        ParameterKind::Number => IndexValue::Number(decimal(dice)),
        ParameterKind::Reference => {
            let target = dice.percent(80).then(|| (kind(dice.pick(&KINDS)), any_id(dice)));
            let url = (target.is_none() && dice.percent(60)).then(|| uri(dice));
            let named = (target.is_none() && url.is_none()) || dice.percent(10);
            let identifier = named.then(|| (dice.percent(60).then(|| system(dice)), code(dice)));
            IndexValue::Reference { target, url, identifier }
        }
        ParameterKind::Quantity => {
            let (value, system) = (decimal(dice), unit_system(dice));
            let code = dice.percent(90).then(|| unit(dice));
            let is_ucum = system.as_deref() == Some(ucum::SYSTEM);
            let canonical = code.as_deref().filter(|_| is_ucum).and_then(|code| ucum::canonical(value, code));
            IndexValue::Quantity { value, system, code, unit: dice.percent(30).then(|| unit(dice)), canonical }
        }
        ParameterKind::Uri => IndexValue::Uri(uri(dice)),
        ParameterKind::Composite => {
            let components = search::registry().by_id(parameter).unwrap().components.iter();
            let components: Vec<_> = components.map(|(component, _)| *component).collect();
            let values = |component: &ParameterId| dice.list(1, 3, |dice| value(dice, *component));
            IndexValue::Composite(components.iter().map(values).collect())
        }
        ParameterKind::Special => panic!("no values of special parameters are indexed"),
    }
}

/// All values of a resource of this type.
pub(super) fn values(dice: &mut Dice, of: &str) -> IndexValues {
    let mut values = Vec::new();
    for code in parameters(of) {
        let parameter = parameter(of, code);
        if *code == "patient" {
            let is_patient = |value: &&(ParameterId, IndexValue)| {
                let own = value.0 == super::values::parameter(of, "subject");
                own && matches!(&value.1, IndexValue::Reference { target: Some((target, _)), .. } if *target == kind("Patient"))
            };
            let patients: Vec<_> =
                values.iter().filter(is_patient).map(|(_, value)| (parameter, value.clone())).collect();
            values.extend(patients);
        } else {
            values.extend(dice.list(0, 3, |dice| (parameter, value(dice, parameter))));
        }
    }
    values.sort_by_key(|(parameter, _)| *parameter);
    IndexValues(values)
}
