//! F21, F50: who saw a record, a line for each day and who.

use super::*;
use crate::{
    entry::{Grounds, Organization, Person, Touched},
    log::tests::entry as any,
};

const DAY: i64 = 20_000;

fn id(text: &str) -> LogicalId {
    LogicalId::parse(text).unwrap()
}

fn kind(name: &str) -> ResourceType {
    ResourceType::parse(name).unwrap()
}

/// A read at this minute of the day by this clinician.
fn read(day: i64, minute: i64, by: &str, what: &[&str]) -> Entry {
    Entry {
        recorded: Instant::from_unix_millis(day * DAY_MS + minute * 60_000),
        subtype: "read".into(),
        action: Action::Read,
        query: None,
        client_id: Some("chart".into()),
        person: Some(Box::new(Person {
            id: by.into(),
            name: format!("Dr {by}").into(),
            role: Role::Clinician,
            fhir_user: None,
        })),
        touched: what.iter().map(|name| Touched { resource_type: kind(name), id: id("x"), version: None }).collect(),
        patients: vec![id("p1")],
        ..any(0)
    }
}

fn terms(patient: &LogicalId, count: usize) -> Terms<'_> {
    let (staff, detail) = (StaffNames::Shown, Detail::Kinds);
    Terms { patient, start: None, end: None, count, staff, detail }
}

fn report<'a>(terms: Terms<'_>, entries: impl IntoIterator<Item = &'a Entry>) -> Report {
    let mut builder = Builder::new(terms);
    for entry in entries {
        if builder.add(entry).is_break() {
            break;
        }
    }
    builder.finish()
}

#[test]
fn what_one_did_on_a_day_is_one_line() {
    let p1 = id("p1");
    let entries = [
        read(DAY, 90, "ada", &["Goal"]),
        read(DAY, 80, "bob", &["Goal"]),
        read(DAY, 70, "ada", &["Observation", "Observation"]),
        read(DAY, 60, "ada", &["Goal"]),
        Entry { subtype: "update".into(), action: Action::Update, ..read(DAY, 50, "ada", &["Goal"]) },
        read(DAY - 1, 10, "ada", &["Goal"]),
    ];
    let told = report(terms(&p1, 50), &entries);
    assert_eq!(told.next_end, None);
    let [ada, bob, before] = told.lines.as_slice() else { panic!("{told:#?}") };
    assert_eq!((ada.who.name.as_deref(), bob.who.name.as_deref()), (Some("Dr ada"), Some("Dr bob")));
    assert_eq!((ada.first, ada.last), (entries[4].recorded, entries[0].recorded));
    let deeds: Vec<_> = ada.deeds.iter().map(|((deed, kind), count)| (*deed, kind.unwrap().name(), *count)).collect();
    let expected = [(Deed::Looked, "Goal", 2), (Deed::Looked, "Observation", 1), (Deed::Changed, "Goal", 1)];
    assert!(expected.iter().all(|one| deeds.contains(one)) && deeds.len() == 3, "{deeds:?}");
    assert_eq!(before.day, DAY - 1);
}

#[test]
fn what_showed_nothing_or_is_of_another_is_not_told() {
    let p1 = id("p1");
    let refused = Entry { outcome: Outcome::MinorFailure, ..read(DAY, 1, "ada", &["Goal"]) };
    let other = Entry { patients: vec![id("p2")], ..read(DAY, 1, "ada", &["Goal"]) };
    let sign_in = Entry { kind: Kind::Security, ..read(DAY, 1, "ada", &[]) };
    assert_eq!(report(terms(&p1, 50), [&refused, &other, &sign_in]), Report::default());
    let list = Entry { patients: vec![id("p2"), id("p1")], ..read(DAY, 1, "ada", &["Goal"]) };
    let told = report(terms(&p1, 50), [&list]);
    assert!(told.lines[0].in_list);
}

#[test]
fn a_glass_and_a_disclosure_stand_apart() {
    let p1 = id("p1");
    let with = |grounds: Grounds| Entry { grounds: Some(Box::new(grounds)), ..read(DAY, 1, "ada", &["Goal"]) };
    let purposes = |code: &str| vec![Arc::from(code)];
    let plain = with(Grounds { purposes: purposes("TREAT"), ..Grounds::default() });
    let glass = with(Grounds { purposes: purposes("BTG"), glass: Some("g".into()), ..Grounds::default() });
    let out = with(Grounds { purposes: purposes("PUBHLTH"), disclosed: true, ..Grounds::default() });
    let told = report(terms(&p1, 50), [&plain, &glass, &out, &plain]);
    let mut kinds: Vec<_> = told
        .lines
        .iter()
        .map(|line| (line.emergency, line.disclosed, line.purposes.iter().map(|code| &**code).collect::<Vec<_>>()))
        .collect();
    kinds.sort();
    assert_eq!(kinds, [(false, false, vec!["TREAT"]), (false, true, vec!["PUBHLTH"]), (true, false, vec!["BTG"])]);
}

#[test]
fn names_of_staff_can_be_kept_back_but_not_of_family() {
    let p1 = id("p1");
    let mut caregiver = read(DAY, 1, "eve", &["Goal"]);
    caregiver.person.as_mut().unwrap().role = Role::Caregiver;
    let mut payer = read(DAY, 1, "x", &["Coverage"]);
    payer.person = None;
    payer.organization = Some(Box::new(Organization {
        community: "c".into(),
        uri: "https://payer.example".into(),
        resource: None,
        asserted_id: None,
        name: Some("Payer".into()),
        purposes: vec!["HPAYMT".into()],
        subject_name: Some("Max".into()),
        subject_id: None,
        subject_role: Some("reviewer".into()),
    }));
    let entries = [read(DAY, 3, "ada", &["Goal"]), caregiver, payer];
    let told = report(Terms { staff: StaffNames::Role, ..terms(&p1, 50) }, &entries);
    let names: Vec<_> = told.lines.iter().map(|line| (line.who.name.as_deref(), line.who.role.as_deref())).collect();
    assert!(names.contains(&(None, Some("clinician"))) && names.contains(&(Some("Dr eve"), Some("caregiver"))));
    assert!(names.contains(&(None, Some("reviewer"))), "{names:?}");
    let payer = told.lines.iter().find(|line| line.who.organization.is_some()).unwrap();
    assert_eq!(payer.who.organization.as_deref(), Some("Payer"));
    assert_eq!(payer.purposes.iter().map(|code| &**code).collect::<Vec<_>>(), ["HPAYMT"]);
}

#[test]
fn a_caregiver_is_told_that_it_was_the_record() {
    let p1 = id("p1");
    let told = report(Terms { detail: Detail::Record, ..terms(&p1, 50) }, [&read(DAY, 1, "ada", &["Condition"])]);
    assert_eq!(told.lines[0].deeds.keys().collect::<Vec<_>>(), [&(Deed::Looked, None)]);
}

#[test]
fn searches_and_the_report_itself_are_named_by_what_was_asked() {
    let p1 = id("p1");
    let asked = |query: &str, touched: &[&str]| Entry {
        action: Action::Execute,
        query: Some(query.into()),
        ..read(DAY, 1, "ada", touched)
    };
    let of = |entry: &Entry| report(terms(&p1, 9), [entry]).lines[0].deeds.keys().next().unwrap().1.unwrap().name();
    assert_eq!(of(&asked("Goal?patient=p1", &[])), "Goal");
    assert_eq!(of(&asked("Goal?patient=p1", &["Goal"])), "Goal");
    assert_eq!(of(&asked("Patient/p1/$access-report", &["Patient"])), "AuditEvent");
    assert_eq!(of(&asked("Patient?name=x", &["Patient"])), "Patient");
}

/// Pages hold whole days, each line once, whatever the order of entries around midnight.
#[test]
fn parts_of_a_report_are_all_of_it_once() {
    let p1 = id("p1");
    let mut entries = Vec::new();
    for day in 0..30 {
        for minute in 0..7 {
            entries.push(read(
                DAY - day,
                minute * 200,
                ["ada", "bob", "eve"][usize::try_from(minute % 3).unwrap()],
                &["Goal"],
            ));
        }
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.recorded));
    // Recorded late: a request that came before midnight and was answered after it.
    let late = entries.iter().position(|entry| entry.recorded.unix_millis() < (DAY - 3) * DAY_MS).unwrap();
    entries.swap(late, late - 1);
    let whole = report(terms(&p1, usize::MAX), &entries);
    assert_eq!(whole.lines.len(), 90);
    let (mut parts, mut end) = (Vec::new(), None);
    loop {
        let part = report(Terms { end, ..terms(&p1, 4) }, &entries);
        assert!(part.lines.len() <= 6, "whole days: {}", part.lines.len());
        parts.extend(part.lines);
        end = part.next_end;
        if end.is_none() {
            break;
        }
    }
    assert_eq!(parts, whole.lines);
    let start = Some(Instant::from_unix_millis((DAY - 1) * DAY_MS));
    assert_eq!(report(Terms { start, ..terms(&p1, 50) }, &entries).lines.len(), 6);
}
