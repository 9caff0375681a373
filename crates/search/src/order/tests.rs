//! Orders as a reader of a list expects them.

use super::sort_key;
use crate::{
    IndexValue, IndexValues, ParameterId,
    fold::fold,
    matcher::Subject,
    query::{Direction, SortKey},
    testing,
};
use fhir::{Instant, LogicalId, ResourceType, primitive::decimal::Decimal};
use proptest::prelude::*;

fn place(id: &str, at: i64, values: &IndexValues, keys: &[SortKey]) -> Vec<u8> {
    let id = LogicalId::parse(id).unwrap();
    let resource_type = ResourceType::parse("Patient").unwrap();
    sort_key(Subject { resource_type, id: &id, last_updated: Instant::from_unix_millis(at), values }, keys)
}

fn named(names: &[&str]) -> IndexValues {
    let value = |name: &&str| IndexValue::String { folded: fold(name), original: (*name).to_owned() };
    IndexValues(names.iter().map(|name| (ParameterId(1), value(name))).collect())
}

fn order(list: &[(&'static str, IndexValues)], keys: &[SortKey]) -> Vec<&'static str> {
    let mut places: Vec<_> = list.iter().map(|(id, values)| (place(id, 0, values, keys), *id)).collect();
    places.sort();
    places.into_iter().map(|(_, id)| id).collect()
}

#[test]
fn smallest_when_ascending_largest_when_descending_absent_last() {
    let list = [
        ("none", named(&[])),
        ("m", named(&["Müller"])),
        ("az", named(&["Zacharias", "Adam"])),
        ("b", named(&["bert"])),
    ];
    let by = |direction| [SortKey::Parameter(ParameterId(1), direction)];
    assert_eq!(order(&list, &by(Direction::Ascending)), ["az", "b", "m", "none"]);
    assert_eq!(order(&list, &by(Direction::Descending)), ["az", "m", "b", "none"]);
}

#[test]
fn later_keys_break_ties() {
    let keys = [SortKey::Parameter(ParameterId(1), Direction::Ascending), SortKey::Id(Direction::Descending)];
    let list = [("a", named(&["Smith"])), ("b", named(&["SMITH"])), ("c", named(&["Jones"]))];
    assert_eq!(order(&list, &keys), ["c", "b", "a"]);
}

#[test]
fn times_and_numbers_sort_by_value() {
    let keys = [SortKey::LastUpdated(Direction::Descending)];
    assert!(place("a", 10, &named(&[]), &keys) < place("a", -10, &named(&[]), &keys));
    let number =
        |mantissa, exponent| IndexValues(vec![(ParameterId(1), IndexValue::Number(Decimal { mantissa, exponent }))]);
    let keys = [SortKey::Parameter(ParameterId(1), Direction::Ascending)];
    assert!(place("a", 0, &number(-5, 0), &keys) < place("a", 0, &number(9, 0), &keys));
    assert!(place("a", 0, &number(9, 0), &keys) < place("a", 0, &number(10, 0), &keys));
}

proptest! {
    #[test]
    fn no_place_begins_another(a in testing::one_kind(), b in testing::one_kind(), descending in any::<bool>()) {
        let direction = if descending { Direction::Descending } else { Direction::Ascending };
        let keys = [SortKey::Parameter(ParameterId(1), direction)];
        let (a, b) = (place("a", 0, &a, &keys), place("a", 0, &b, &keys));
        prop_assert!(a == b || !(a.starts_with(&b) || b.starts_with(&a)));
    }
}
