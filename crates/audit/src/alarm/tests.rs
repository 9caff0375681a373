//! Each rule fires at its threshold and not before, once a day, and for nobody else. F50, issue 7 item 7.

use super::*;
use crate::{entry::Person, log::tests::entry as any};

struct House;

impl Known for House {
    fn names(&self, patient: &LogicalId) -> Option<Names> {
        let (given, family) = match patient.as_str() {
            "anna" => ("Anna", "Alba"),
            "luis" => ("Luis", "García Roth"),
            "rosa" => ("Rosa Maria", "Roth"),
            "dora" => ("Dora", "Roth"),
            _ => return None,
        };
        Some(Names { given: vec![given.into()], family: vec![family.into()] })
    }

    fn is_protected(&self, patient: &LogicalId) -> bool {
        patient.as_str() == "star"
    }
}

fn id(text: &str) -> LogicalId {
    LogicalId::parse(text).unwrap()
}

fn look(second: i64, by: &str, role: Role, patient: &str) -> Entry {
    Entry {
        recorded: Instant::from_unix_millis(1_700_000_000_000 + second * 1000),
        action: Action::Read,
        person: Some(Box::new(Person { id: by.into(), name: by.into(), role, fhir_user: None })),
        patients: vec![id(patient)],
        ..any(0)
    }
}

fn rules(watch: &mut Watch, entries: impl IntoIterator<Item = Entry>) -> Vec<(Rule, u64, u32)> {
    let mut found = Vec::new();
    for (entry, sequence) in entries.into_iter().zip(1..) {
        found.extend(
            watch.see(sequence, &entry, &House).into_iter().map(|alarm| (alarm.rule, alarm.sequence, alarm.count)),
        );
    }
    found
}

fn watch() -> Watch {
    Watch::new(Thresholds { rate: 5, breadth: 3, refusals: 3 })
}

#[test]
fn much_in_a_short_time_is_told_once_a_day() {
    let doctor = |second| look(second, "Max Born", Role::Clinician, "p");
    assert_eq!(rules(&mut watch(), (0..5).map(doctor)), []);
    assert_eq!(rules(&mut watch(), (0..50).map(doctor)), [(Rule::Rate, 6, 6)]);
    assert_eq!(rules(&mut watch(), (0..50).map(|at| doctor(at * 121))), [], "five in ten minutes at most");
    let two_days = (0..50).chain(86_400..86_450).map(doctor);
    assert_eq!(rules(&mut watch(), two_days).len(), 2);
    assert_eq!(rules(&mut watch(), (0..50).map(|at| look(at, "p", Role::Patient, "p"))), []);
    let off = Thresholds { rate: 0, breadth: 0, refusals: 0 };
    assert_eq!(rules(&mut Watch::new(off), (0..500).map(doctor)), []);
}

#[test]
fn many_patients_are_told_but_not_many_looks_at_one_or_a_list() {
    let doctor = |at: i64| look(at * 200, "Max Born", Role::Clinician, &format!("p{at}"));
    assert_eq!(rules(&mut watch(), (0..3).map(doctor)), []);
    assert_eq!(rules(&mut watch(), (0..9).map(doctor)), [(Rule::Breadth, 4, 4)]);
    assert_eq!(rules(&mut watch(), (0..9).map(|at| look(at * 200, "Max Born", Role::Clinician, "p"))), []);
    let list = Entry { patients: (0..40).map(|at| id(&format!("p{at}"))).collect(), ..doctor(0) };
    assert_eq!(rules(&mut watch(), [list]), []);
    let slow = (0..9).map(|at| look(at * 1_300, "Max Born", Role::Clinician, &format!("p{at}")));
    assert_eq!(rules(&mut watch(), slow), [], "three in an hour at most");
}

#[test]
fn names_are_compared_as_people_read_them() {
    let by = |name: &str, patient: &str| {
        let found =
            rules(&mut watch(), [look(0, name, Role::Clinician, patient), look(9, name, Role::Clinician, patient)]);
        found.into_iter().map(|(rule, ..)| rule).collect::<Vec<_>>()
    };
    assert_eq!(by("Dr. Dora Roth, MD", "rosa"), [Rule::Family]);
    assert_eq!(by("DORA ROTH", "dora"), [Rule::Own]);
    assert_eq!(by("Dora Roth", "luis"), [], "half a family name is none");
    assert_eq!(by("Eva García-Roth", "luis"), [Rule::Family]);
    assert_eq!(by("Dora Roth", "anna"), []);
    assert_eq!(by("Dora Roth", "unknown"), []);
    assert_eq!(by("", "rosa"), []);
    assert_eq!(rules(&mut watch(), [look(0, "Marta Alba", Role::Caregiver, "anna")]), [], "family may look");
}

#[test]
fn who_is_protected_is_told_of_each_who_looks() {
    let found = rules(
        &mut watch(),
        [
            look(0, "Max Born", Role::Clinician, "star"),
            look(1, "Max Born", Role::Clinician, "star"),
            look(2, "Eva Lind", Role::Clinician, "star"),
            look(3, "Star Self", Role::Patient, "star"),
        ],
    );
    assert_eq!(found, [(Rule::Protected, 1, 1), (Rule::Protected, 3, 1)]);
}

#[test]
fn a_look_after_many_refusals_is_told_of_systems_too() {
    let refused = |second| Entry { outcome: Outcome::MinorFailure, ..look(second, "Max Born", Role::Clinician, "p") };
    let system = |entry: Entry| Entry { person: None, client_id: Some("c".into()), ..entry };
    for of in [|entry: Entry| entry, system] {
        let found = |count: i64, then: i64| {
            let entries = (0..count).map(refused).chain([look(then, "Max Born", Role::Clinician, "p")]).map(of);
            rules(&mut watch(), entries)
        };
        assert_eq!(found(2, 10), []);
        assert_eq!(found(3, 10), [(Rule::Refusals, 4, 3)]);
        assert_eq!(found(9, 10), [(Rule::Refusals, 10, 3)]);
        assert_eq!(found(3, 700), [], "long ago");
    }
    let nothing_shown = Entry { patients: Vec::new(), ..look(9, "Max Born", Role::Clinician, "p") };
    assert_eq!(rules(&mut watch(), (0..5).map(refused).chain([nothing_shown])), []);
}

/// What is remembered is bounded, whoever comes (invariant 10).
#[test]
fn memory_is_bounded() {
    let mut watch = watch();
    for at in 0..(SUBJECTS_MAX as i64 + 50) {
        let entry = look(0, &format!("Person {at}"), Role::Clinician, "p");
        let _ = watch.see(1, &entry, &House);
    }
    assert!(watch.subjects.len() <= SUBJECTS_MAX && watch.compared.len() <= TOLD_MAX);
}
