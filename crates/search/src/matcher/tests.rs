//! Predicates on one resource and on a small world.

use super::{Alone, Related, Subject, matches, patients_of};
use crate::{
    IndexValue, IndexValues, ParameterId, Predicate, Test, Values,
    predicate::{DateTest, Prefix, ReferenceTest, Ruled, Ruling, TokenSet, TokenTest},
    registry::registry,
    testing,
};
use fhir::{Instant, LogicalId, ResourceType};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

fn kind(name: &str) -> ResourceType {
    ResourceType::parse(name).unwrap()
}

fn id(text: &str) -> LogicalId {
    LogicalId::parse(text).unwrap()
}

fn parameter(of: &str, code: &str) -> ParameterId {
    registry().parameter(kind(of), code).unwrap().id
}

fn refers(parameter: ParameterId, target: &str, to: &str) -> (ParameterId, IndexValue) {
    (parameter, IndexValue::Reference { target: Some((kind(target), id(to))), url: None, identifier: None })
}

fn sorted(mut list: Vec<(ParameterId, IndexValue)>) -> IndexValues {
    list.sort_by_key(|(parameter, _)| *parameter);
    IndexValues(list)
}

fn coded(parameter: ParameterId, code: &str) -> (ParameterId, IndexValue) {
    (parameter, IndexValue::Token { system: None, code: code.to_owned(), text: None })
}

/// A few resources that are matched against each other.
#[derive(Debug)]
struct World(Vec<(ResourceType, LogicalId, IndexValues)>);

impl World {
    fn find(&self, of: &str, predicate: &Predicate) -> Vec<&str> {
        let of = kind(of);
        let all = self.0.iter().filter(|(own, ..)| *own == of);
        all.filter(|one| self.means(one, predicate)).map(|(_, id, _)| id.as_str()).collect()
    }

    fn means(&self, (kind, id, values): &(ResourceType, LogicalId, IndexValues), predicate: &Predicate) -> bool {
        let subject = Subject { resource_type: *kind, id, last_updated: Instant::from_unix_millis(0), values };
        matches(registry(), predicate, subject, self)
    }
}

impl Related for World {
    fn target_matches(&self, target: ResourceType, id: &LogicalId, predicate: &Arc<Predicate>) -> bool {
        self.0.iter().any(|one| one.0 == target && one.1 == *id && self.means(one, predicate))
    }

    fn referred_to(&self, to: (ResourceType, &LogicalId), by: (ResourceType, ParameterId), these: &Predicate) -> bool {
        let test = Test::Reference(ReferenceTest::Target(to.0, to.1.clone()));
        self.0
            .iter()
            .filter(|one| one.0 == by.0 && self.means(one, these))
            .any(|(_, _, values)| values.any(by.1, &mut |value| crate::compare::passes(&test, value)))
    }

    fn now(&self) -> Instant {
        NOW
    }

    fn rule(&self, ruling: &Arc<dyn Ruling>, patient: &LogicalId) -> Arc<Predicate> {
        ruling.rule(patient, None, self)
    }
}

fn world() -> World {
    let (name, subject, patient) =
        (parameter("Patient", "name"), parameter("Observation", "subject"), parameter("Observation", "patient"));
    let code = parameter("Observation", "code");
    let named = |text: &str| {
        let text = text.to_owned();
        sorted(vec![(name, IndexValue::String { folded: text.clone(), original: text })])
    };
    let observed = |of: &str, what: &str| {
        sorted(vec![refers(subject, "Patient", of), refers(patient, "Patient", of), coded(code, what)])
    };
    World(vec![
        (kind("Patient"), id("anna"), named("anna")),
        (kind("Patient"), id("bert"), named("bert")),
        (kind("Observation"), id("o1"), observed("anna", "8480-6")),
        (kind("Observation"), id("o2"), observed("bert", "8462-4")),
        (kind("Observation"), id("o3"), sorted(vec![coded(code, "8480-6")])),
    ])
}

fn with_code(code: &str) -> Predicate {
    let test = Test::Token(TokenTest::Code(code.to_owned()));
    Predicate::Value { parameter: parameter("Observation", "code"), test }
}

#[test]
fn chains_and_reverse_chains_follow_references() {
    let anna = Test::String(crate::predicate::StringMatch::StartsWith, "ann".into());
    let anna = Predicate::Value { parameter: parameter("Patient", "name"), test: anna };
    let subject = parameter("Observation", "subject");
    let chain = Predicate::Chain { parameter: subject, target: kind("Patient"), predicate: Arc::new(anna) };
    assert_eq!(world().find("Observation", &chain), ["o1"]);
    let has =
        Predicate::Has { source: kind("Observation"), parameter: subject, predicate: Arc::new(with_code("8480-6")) };
    assert_eq!(world().find("Patient", &has), ["anna"]);
    assert_eq!(world().find("Patient", &Predicate::Not(Arc::new(has))), ["bert"]);
}

/// B42, G1: the border of a patient's data is R4's compartment definition.
#[test]
fn a_compartment_is_the_patient_and_what_refers_to_it() {
    let of_anna = Predicate::PatientCompartment(id("anna"));
    assert_eq!(world().find("Observation", &of_anna), ["o1"]);
    assert_eq!(world().find("Patient", &of_anna), ["anna"]);
    for (kind, id, values) in &world().0 {
        let patients = patients_of(values, registry(), *kind, id);
        let subject = Subject { resource_type: *kind, id, last_updated: Instant::from_unix_millis(0), values };
        for patient in [self::id("anna"), self::id("bert")] {
            let is_in = matches(registry(), &Predicate::PatientCompartment(patient.clone()), subject, &Alone);
            assert_eq!(patients.contains(&patient), is_in);
        }
    }
}

#[test]
fn not_and_missing_include_resources_without_a_value() {
    let subject = parameter("Observation", "subject");
    let missing = |missing| Predicate::Missing { parameter: subject, missing };
    assert_eq!(world().find("Observation", &missing(true)), ["o3"]);
    assert_eq!(world().find("Observation", &missing(false)), ["o1", "o2"]);
    let not = Predicate::Not(Arc::new(with_code("8480-6")));
    assert_eq!(world().find("Observation", &not), ["o2"]);
    let other = Test::Reference(ReferenceTest::AnyType(id("anna")));
    let not = Predicate::Not(Arc::new(Predicate::Value { parameter: subject, test: other }));
    assert_eq!(world().find("Observation", &not), ["o2", "o3"], "o3 has no subject at all");
}

#[test]
fn ids_and_times_come_from_the_row() {
    let ids = Predicate::Id(vec![id("o1"), id("nobody")]);
    assert_eq!(world().find("Observation", &ids), ["o1"]);
    let at = |prefix| Predicate::LastUpdated(DateTest { prefix, low: 0, high: 1000 });
    assert_eq!(world().find("Observation", &at(Prefix::Eq)).len(), 3);
    assert_eq!(world().find("Observation", &at(Prefix::Gt)).len(), 0);
}

#[test]
fn empty_conjunctions_mean_all_and_empty_disjunctions_none() {
    assert_eq!(world().find("Patient", &Predicate::And(Vec::new())).len(), 2);
    assert_eq!(world().find("Patient", &Predicate::Or(Vec::new())).len(), 0);
    assert_eq!(world().find("Patient", &Predicate::Nothing).len(), 0);
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let leaf = prop_oneof![
        Just(Predicate::All),
        Just(Predicate::Nothing),
        (0u16..4, testing::test()).prop_map(|(at, test)| Predicate::Value { parameter: ParameterId(at), test }),
        (0u16..4, any::<bool>()).prop_map(|(at, missing)| Predicate::Missing { parameter: ParameterId(at), missing }),
        proptest::collection::vec(testing::id(), 0..3).prop_map(Predicate::Id),
        testing::date_test().prop_map(Predicate::LastUpdated),
        testing::id().prop_map(Predicate::PatientCompartment),
        testing::id().prop_map(Predicate::NoOtherPatient),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let several = proptest::collection::vec(inner.clone().prop_map(Arc::new), 0..3).boxed();
        prop_oneof![
            several.clone().prop_map(Predicate::And),
            several.prop_map(Predicate::Or),
            inner.prop_map(|one| Predicate::Not(Arc::new(one))),
        ]
    })
    .boxed()
}

proptest! {
    /// `policy` relies on it: `And([grant, search])` selects a subset of both.
    #[test]
    fn and_narrows(values in testing::values(), grant in predicate(), search in predicate(), id in testing::id(), kind in testing::kind()) {
        let subject = Subject { resource_type: kind, id: &id, last_updated: Instant::from_unix_millis(0), values: &values };
        let means = |predicate: &Predicate| matches(registry(), predicate, subject, &Alone);
        let both = Predicate::And(vec![Arc::new(grant.clone()), Arc::new(search.clone())]);
        prop_assert_eq!(means(&both), means(&grant) && means(&search));
        let either = Predicate::Or(vec![Arc::new(grant.clone()), Arc::new(search.clone())]);
        prop_assert_eq!(means(&either), means(&grant) || means(&search));
        prop_assert_eq!(means(&Predicate::Not(Arc::new(grant.clone()))), !means(&grant));
        let encoded = crate::encode(&values);
        let from_bytes = Subject { values: &crate::EncodedValues::new(&encoded), ..subject };
        prop_assert_eq!(matches(registry(), &both, from_bytes, &Alone), means(&both), "from bytes as from values");
    }
}

/// When the questions of these tests are asked.
const NOW: Instant = Instant::from_unix_millis(1_700_000_000_000);

/// G17: a period holds from its begin to its end, and without one as long as it stands there.
#[test]
fn what_is_in_force_has_the_moment_within() {
    let period = parameter("Encounter", "date");
    let now = NOW.unix_millis();
    let at = |spans: &[(i64, i64)]| {
        let values = spans.iter().map(|(low, high)| (period, IndexValue::Date { low: *low, high: *high })).collect();
        let world = World(vec![(kind("Encounter"), id("e"), sorted(values))]);
        !world.find("Encounter", &Predicate::InForce(period)).is_empty()
    };
    assert!(at(&[]) && at(&[(now, now + 1)]) && at(&[(i64::MIN, now + 1)]) && at(&[(now - 9, i64::MAX)]));
    assert!(!at(&[(now - 9, now)]) && !at(&[(now + 1, i64::MAX)]));
    // Not one before and one after: one that has it within.
    assert!(!at(&[(now - 9, now), (now + 1, now + 9)]) && at(&[(now - 9, now), (now, now + 9)]));
}

/// F41, F44: one value outside the set is enough to withhold.
#[test]
fn only_what_is_in_the_set() {
    let code = parameter("Observation", "code");
    let token = |system: Option<&str>, code: &str| IndexValue::Token {
        system: system.map(Into::into),
        code: code.into(),
        text: None,
    };
    let tokens = Arc::new(TokenSet {
        codes: BTreeMap::from([
            ("s".to_owned(), BTreeSet::from(["a".to_owned(), "b".to_owned()])),
            (String::new(), BTreeSet::from(["c".to_owned()])),
        ]),
        systems: BTreeSet::from(["all".to_owned()]),
    });
    let passes = |values: Vec<IndexValue>| {
        let values = values.into_iter().map(|value| (code, value)).collect();
        let world = World(vec![(kind("Observation"), id("o"), sorted(values))]);
        !world.find("Observation", &Predicate::Only { parameter: code, tokens: Arc::clone(&tokens) }).is_empty()
    };
    assert!(passes(vec![]) && passes(vec![token(Some("s"), "a"), token(None, "c"), token(Some("all"), "whatever")]));
    assert!(!passes(vec![token(Some("s"), "a"), token(Some("s"), "z")]));
    assert!(!passes(vec![token(None, "a")]) && !passes(vec![token(Some("other"), "a")]));
}

/// A rule lets through what has this code, for one patient; nothing of others.
#[derive(Debug)]
struct OfAnna(Arc<Predicate>);

impl Ruling for OfAnna {
    fn rule(
        &self,
        patient: &LogicalId,
        said: Option<&(dyn std::any::Any + Send + Sync)>,
        _: &dyn Related,
    ) -> Arc<Predicate> {
        assert!(said.is_none());
        if patient.as_str() == "anna" { Arc::clone(&self.0) } else { Arc::new(Predicate::Nothing) }
    }
}

/// G7: each patient's rule holds for what is about them; what is about nobody has none.
#[test]
fn the_rule_of_each_patient() {
    let ruled = |code: &str| {
        Predicate::Ruled(Ruled {
            ruling: Arc::new(OfAnna(Arc::new(with_code(code)))),
            about: Arc::new([parameter("Observation", "subject")]),
        })
    };
    assert_eq!(world().find("Observation", &ruled("8480-6")), ["o1", "o3"]);
    assert_eq!(world().find("Observation", &ruled("8462-4")), ["o3"]);
    let mut both = world();
    let (subject, code) = (parameter("Observation", "subject"), parameter("Observation", "code"));
    let two =
        sorted(vec![refers(subject, "Patient", "anna"), refers(subject, "Patient", "bert"), coded(code, "8480-6")]);
    both.0.push((kind("Observation"), id("o4"), two));
    assert_eq!(both.find("Observation", &ruled("8480-6")), ["o1", "o3"], "bert's rule lets nothing through");
    assert_eq!(world().find("Patient", &ruled("8480-6")), [] as [&str; 0], "a Patient is about itself");
}
