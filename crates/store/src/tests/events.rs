//! AuditEvent over many records: by patient and by date without reading the rest, and what an entry is beside itself.

use super::{plans::*, world::*};
use crate::{ReadError, limits, reader::Covers};
use audit::{
    Entry,
    balp::Facet,
    entry::{Counts, Effect, Grounds, Touched},
};
use fhir::Instant;
use policy::{Access, Need};
use search::{
    Predicate, Test,
    predicate::{DateTest, Prefix, ReferenceTest},
    query::Total,
};
use std::{ops::ControlFlow, sync::Arc};

fn about(patient: &str) -> Arc<Predicate> {
    let test = Test::Reference(ReferenceTest::Target(kind("Patient"), id(patient)));
    Arc::new(Predicate::Value { parameter: parameter("AuditEvent", "patient"), test })
}

fn of(patient: &str, minute: i64) -> Entry {
    let recorded = Instant::from_unix_millis(1_700_000_000_000 + minute * 60_000);
    Entry { recorded, patients: vec![id(patient)], ..entry("read", &[]) }
}

fn asked(predicate: Arc<Predicate>) -> Asked {
    Asked { of: "AuditEvent", predicate, permit: everything(), sort: Vec::new(), count: 50 }
}

/// Three segments, and one patient here and there: found in each, before and after the lists stand on disk.
#[test]
fn events_about_a_patient_are_found_in_every_segment() {
    let world = World::new();
    let mut long = of("other", 0);
    long.query = Some("x".repeat(30_000).into());
    let places = [1, 2, 127, 128, 129, 300, 559, 560, 700, 1_199, 1_200];
    for sequence in 1..=1_200 {
        let mut one = long.clone();
        if places.contains(&sequence) {
            one.patients = vec![id("p1")];
        }
        world.store().log().record(&one).unwrap();
    }
    let expected: Vec<u64> = places.into_iter().rev().collect();
    let found = |store: &crate::Store| {
        let (found, totals) = walked(&store.snapshot(at(0)), &asked(about("p1")), Total::Accurate);
        assert!(totals.iter().all(|total| *total == Some(places.len() as u64)));
        found.iter().map(|found| store.names.sequence(&found.id).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(found(world.store()), expected);
    let list = world.path().join("audit/00000001.patients");
    assert!(list.exists());
    assert!(!world.path().join("audit/00000003.patients").exists(), "that one is still written");
    // A list that is not what it was is made anew.
    let image = world.image();
    let list = image.path().join("audit/00000001.patients");
    let mut bytes = std::fs::read(&list).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&list, bytes).unwrap();
    let store = open(image.path()).unwrap();
    assert_eq!(found(&store), expected);
    world.store().log().record(&of("p1", 9)).unwrap();
    assert_eq!(found_count(world.store(), "p1"), places.len() + 1, "what came since");
    assert!(walked(&world.store().snapshot(at(0)), &asked(about("nobody")), Total::Accurate).0.is_empty());
}

fn found_count(store: &crate::Store, patient: &str) -> usize {
    walked(&store.snapshot(at(0)), &asked(about(patient)), Total::None).0.len()
}

/// The limit of records that a search tests holds for what it reads, not for what it may pass over (F22).
#[test]
fn a_date_or_a_patient_makes_a_search_of_a_long_log_cheap() {
    let world = World::small(limits::Search { audit_records_max: 200, ..limits::Search::default() });
    for minute in 0..2_000 {
        world.store().log().record(&of(if minute % 1_000 == 3 { "p1" } else { "other" }, minute)).unwrap();
    }
    let snapshot = world.store().snapshot(at(0));
    let search = |predicate: Arc<Predicate>, total: Total| {
        let asked = asked(predicate);
        snapshot.search_under(asked.permit.as_ref(), &query(&asked, total), None, "me")
    };
    assert!(matches!(search(Arc::new(Predicate::All), Total::Accurate), Err(ReadError::TooCostly(_))));
    assert_eq!(search(about("p1"), Total::Accurate).unwrap().total, Some(2));
    // How much there is of somebody else tells itself to nobody who may see but their own.
    let small = World::small(limits::Search { audit_records_max: 20, ..limits::Search::default() });
    for minute in 0..2_000 {
        small.store().log().record(&of("other", minute)).unwrap();
    }
    let own = Predicate::And(vec![about("p1"), Arc::new(Predicate::NoOtherPatient(id("p1")))]);
    let permit = only(kind("AuditEvent"), own);
    for patient in ["p1", "other", "nobody"] {
        let asked = Asked { permit: Arc::clone(&permit) as _, ..asked(about(patient)) };
        let found = small.store().snapshot(at(0)).search_under(
            asked.permit.as_ref(),
            &query(&asked, Total::Accurate),
            None,
            "me",
        );
        assert_eq!(found.unwrap().total, Some(0), "{patient}");
    }
    let minute = |minute: i64| 1_700_000_000_000 + minute * 60_000;
    let day = |prefix, low| {
        let test = Test::Date(DateTest { prefix, low: minute(low), high: minute(low + 1) });
        Arc::new(Predicate::Value { parameter: parameter("AuditEvent", "date"), test })
    };
    let between = Arc::new(Predicate::And(vec![day(Prefix::Ge, 1_000), day(Prefix::Lt, 1_050)]));
    assert_eq!(search(between, Total::Accurate).unwrap().total, Some(50));
}

/// F20, F21: one record, up to three events, each found and read by its own name.
#[test]
fn an_entry_can_be_three_events() {
    let world = World::new();
    let mut grounds = Grounds { disclosed: true, purposes: vec!["PUBHLTH".into()], ..Grounds::default() };
    grounds.count(Counts::Consent, Effect::Permit, "c1");
    let touched = vec![Touched { resource_type: kind("Observation"), id: id("o1"), version: None }];
    let one = Entry {
        grounds: Some(Box::new(grounds)),
        touched,
        query: Some("Observation?code=secret".into()),
        ..of("p1", 1)
    };
    world.store().log().record(&of("p1", 0)).unwrap();
    world.store().log().record(&one).unwrap();
    let snapshot = world.store().snapshot(at(0));
    let names = |asked: &Asked| {
        let (found, _) = walked(&snapshot, asked, Total::Accurate);
        found.iter().map(|found| world.store().names.event(&found.id).unwrap()).collect::<Vec<_>>()
    };
    let whole = asked(about("p1"));
    let expected = [(2, Facet::Disclosure), (2, Facet::Consent), (2, Facet::Itself), (1, Facet::Itself)];
    assert_eq!(names(&whole), expected);
    let pages = Asked { count: 1, ..asked(about("p1")) };
    assert_eq!(names(&pages), expected, "a page can end within an entry");
    for (sequence, facet) in expected {
        let name = world.store().names.id(sequence, facet).unwrap();
        let found = snapshot.read_under(everything().as_ref(), kind("AuditEvent"), &name).unwrap();
        let json = String::from_utf8(found.json.into_bytes().unwrap().to_vec()).unwrap();
        assert_eq!(json.contains("AuthZ-Consent"), facet == Facet::Consent);
        assert_eq!(json.contains("\"disclose\""), facet == Facet::Disclosure);
    }
    // A reader of the events about one patient learns nothing of what may be withheld from them: no consent, no
    // resource, no text of a search; neither by reading nor by asking for it.
    let alone = Predicate::And(vec![about("p1"), Arc::new(Predicate::NoOtherPatient(id("p1")))]);
    let permit = only(kind("AuditEvent"), alone);
    let of_one = Asked { permit: Arc::clone(&permit), ..asked(Arc::new(Predicate::All)) };
    assert_eq!(names(&of_one), [(2, Facet::Disclosure), (2, Facet::Itself), (1, Facet::Itself)]);
    for found in walked(&snapshot, &of_one, Total::None).0 {
        let json = String::from_utf8(found.json.into_bytes().unwrap().to_vec()).unwrap();
        assert!(
            !json.contains("Consent/c1") && !json.contains("Observation/o1") && !json.contains("\"query\""),
            "{json}"
        );
    }
    for (of, target) in [("Consent", "c1"), ("Observation", "o1")] {
        let test = Test::Reference(ReferenceTest::Target(kind(of), id(target)));
        let entity = Arc::new(Predicate::Value { parameter: parameter("AuditEvent", "entity"), test });
        assert!(!names(&asked(Arc::clone(&entity))).is_empty());
        assert!(names(&Asked { permit: Arc::clone(&permit), ..asked(entity) }).is_empty(), "{target}");
    }
    let name = world.store().names.id(2, Facet::Consent).unwrap();
    assert!(matches!(permit.access(kind("AuditEvent"), Need::Read), Access::Where(_)));
    assert!(matches!(snapshot.read_under(permit.as_ref(), kind("AuditEvent"), &name), Err(ReadError::NotFound)));
}

/// What follows the log gets each entry once, in order, over segments, from wherever it had come.
#[test]
fn who_follows_the_log_gets_every_entry_in_order() {
    let world = World::new();
    for minute in 0..300 {
        world.store().log().record(&of("p1", minute)).unwrap();
    }
    world.store().log().sync().unwrap();
    let mut got = Vec::new();
    loop {
        let some = world.store().audit_after(got.last().copied().unwrap_or(0), 77).unwrap();
        if some.is_empty() {
            break;
        }
        got.extend(some.iter().map(|seen| seen.sequence));
    }
    assert_eq!(got, (1..=300).collect::<Vec<u64>>());
}

/// F21: the report is quick because it reads what is about the patient, from the end of the asked time on.
#[test]
fn accesses_begin_at_the_end_of_the_time() {
    let world = World::new();
    for minute in 0..3_000 {
        world.store().log().record(&of("p1", minute)).unwrap();
    }
    let snapshot = world.store().snapshot(at(0));
    let permit = permit_of_operator(world.store());
    let mut first = None;
    let end = of("p1", 1_000).recorded;
    snapshot
        .accesses(&permit, &id("p1"), Some(end), &mut |entry| {
            first = Some(entry.recorded);
            ControlFlow::Break(())
        })
        .unwrap();
    let first = first.unwrap().unix_millis();
    let end = end.unix_millis();
    assert!((end..=end + audit::report::DISORDER_MS).contains(&first));
}

fn permit_of_operator(store: &crate::Store) -> policy::Permit {
    let caller = oauth::Caller::operator("test");
    let grants = Arc::new(policy::Grants::compile(&caller, &store.registry(), &store.house()));
    policy::decide(&caller, &grants, &policy::Interaction::SearchType(kind("AuditEvent"))).unwrap()
}

/// F23, F26: what leaves verifies where it is, is written once, and what is given up is given up by a signed cut alone.
#[test]
fn f26_segments_leave_and_are_given_up() {
    use audit::verify::What;
    let world = World::new();
    world
        .store()
        .sign_checkpoints(
            audit::checkpoint::Signer::from_pkcs8(&audit::checkpoint::Signer::new_key().unwrap()).unwrap(),
        )
        .unwrap();
    let away = tempfile::tempdir().unwrap();
    let record = |from: i64| {
        for minute in from..from + 10 {
            world.store().log().record(&of("p1", minute)).unwrap();
        }
        world.store().log().checkpoint(of("p1", from).recorded).unwrap();
    };
    let late = Instant::from_unix_millis(i64::MAX);
    let early = Instant::from_unix_millis(0);
    record(0);
    assert_eq!(world.store().export_audit(away.path(), early).unwrap(), 0, "nothing is finished");
    assert_eq!(world.store().export_audit(away.path(), late).unwrap(), 10);
    record(10);
    assert_eq!(world.store().export_audit(away.path(), late).unwrap(), 20);
    record(20);
    let exported = crate::verify_audit(away.path()).unwrap().unwrap();
    assert_eq!((exported.first, exported.last, exported.uncovered()), (1, 20, 0));
    let segment = away.path().join("00000001.log");
    assert!(std::fs::metadata(&segment).unwrap().permissions().readonly());
    // Only what is old enough, and what left.
    let minute = |minute: i64| of("p1", minute).recorded;
    let give_up =
        |before: i64, to: Option<&std::path::Path>| world.store().give_up_audit(minute(before), to, minute(99));
    assert_eq!(give_up(5, Some(away.path())).unwrap(), 0);
    let elsewhere = tempfile::tempdir().unwrap();
    assert_eq!(found_count(world.store(), "p1"), 30);
    let before = world.image();
    assert!(before.path().join("audit/00000001.patients").exists());
    assert_eq!(give_up(15, Some(elsewhere.path())).unwrap(), 0, "it did not leave");
    assert_eq!(found_count(world.store(), "p1"), 30);
    assert_eq!(give_up(15, Some(away.path())).unwrap(), 1);
    assert_eq!(found_count(world.store(), "p1"), 20);
    let whole = crate::verify_audit(&world.path()).unwrap().unwrap();
    assert_eq!((whole.first, whole.last), (11, 30));
    assert_eq!(world.store().audit_after(0, 100).unwrap().first().map(|seen| seen.sequence), Some(11));
    // The new beginning is believed because the key says so.
    let image = world.image();
    assert_eq!(open(image.path()).unwrap().log().last().0, 30);
    std::fs::remove_file(image.path().join("audit/cut")).unwrap();
    let broken = crate::verify_audit(image.path()).unwrap().unwrap_err();
    assert_eq!((broken.sequence, &broken.what), (11, &What::Beginning));
    let named = crate::audit_segment_of(image.path(), &broken).unwrap();
    assert!(named.ends_with("audit/00000002.log"));
    // Stopped between the cut and the removal: the next start removes the segment and who stands in it.
    std::fs::copy(world.path().join("audit/cut"), before.path().join("audit/cut")).unwrap();
    drop(open(before.path()).unwrap());
    for name in ["00000001.log", "00000001.patients"] {
        assert!(!before.path().join("audit").join(name).exists(), "{name}");
    }
    // A segment of another log is not written over.
    std::fs::write(elsewhere.path().join("00000002.log"), [0; 100]).unwrap();
    assert!(world.store().export_audit(elsewhere.path(), early).is_err());
}
