//! What consents say is of the moment of the snapshot (rows G4, G17), and rules are made once.

use super::world::*;
use crate::{Snapshot, reader::Covers};
use fhir::LogicalId;
use policy::{Access, Need, consent::Directives};
use search::{
    Predicate, Query, Test,
    matcher::Related,
    predicate::{ReferenceTest, Ruled, Ruling},
    query::Total,
};
use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Lets everything through of a patient without consents, and nothing of one with any.
#[derive(Debug, Default)]
struct NoneWithAny(AtomicUsize);

impl Ruling for NoneWithAny {
    fn rule(&self, _: &LogicalId, said: Option<&(dyn Any + Send + Sync)>, _: &dyn Related) -> Arc<Predicate> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let said = said.map(|said| said.downcast_ref::<Directives>().unwrap());
        Arc::new(if said.is_some() { Predicate::Nothing } else { Predicate::All })
    }
}

fn parameter(of: &str, code: &str) -> search::ParameterId {
    search::registry().parameter(kind(of), code).unwrap().id
}

/// A permit for what the consents leave.
fn guarded() -> (Arc<Table>, Arc<NoneWithAny>) {
    let ruling = Arc::new(NoneWithAny::default());
    let ruled = |of: &str, code: &str| {
        let about = Arc::new([parameter(of, code)]);
        Predicate::Ruled(Ruled { ruling: Arc::clone(&ruling) as Arc<dyn Ruling>, about })
    };
    let mut table = only(kind("Observation"), ruled("Observation", "subject")).as_ref().clone();
    table.of.extend(only(kind("Patient"), ruled("Observation", "subject")).of.clone());
    (Arc::new(table), ruling)
}

fn consent(patient: &str) -> String {
    format!(
        r#"{{"resourceType":"Consent","status":"active","scope":{{"text":"x"}},"category":[{{"text":"x"}}],"patient":{{"reference":"Patient/{patient}"}},"policyRule":{{"text":"x"}}}}"#
    )
}

fn query(of: &str, predicate: Predicate) -> Query {
    Query {
        resource_type: kind(of),
        predicate: Arc::new(predicate),
        sort: Vec::new(),
        count: 50,
        total: Total::Accurate,
        includes: Vec::new(),
        revincludes: Vec::new(),
        applied: "asked".into(),
        warnings: Vec::new(),
    }
}

fn ids(snapshot: &Snapshot, permit: &dyn Covers, query: &Query) -> Vec<String> {
    let page = snapshot.search_under(permit, query, None, "me").unwrap();
    assert_eq!(page.total, Some(page.matches.len() as u64), "F4");
    page.matches.iter().map(|found| found.id.to_string()).collect()
}

fn of(patient: &str) -> Predicate {
    let test = Test::Reference(ReferenceTest::Target(kind("Patient"), id(patient)));
    Predicate::Value { parameter: parameter("Observation", "patient"), test }
}

/// Patients of whom something is seen: by search over the type, by search within the record (over the indices, while
/// the folder is made, and from it), and by read.
fn seen_by(permit: &Table, snapshot: &Snapshot) -> Vec<&'static str> {
    let by_type = ids(snapshot, permit, &query("Observation", Predicate::All));
    let mut seen = Vec::new();
    for (patient, observation) in [("p1", "o1"), ("p2", "o2")] {
        let read = snapshot.read_under(permit, kind("Observation"), &id(observation)).is_ok();
        assert_eq!(by_type.iter().any(|id| id == observation), read, "{patient}");
        assert_eq!(snapshot.read_under(permit, kind("Patient"), &id(patient)).is_ok(), read, "{patient}");
        assert_eq!(snapshot.history_under(permit, kind("Observation"), &id(observation), 9, None).is_ok(), read);
        for _ in 0..3 {
            assert_eq!(!ids(snapshot, permit, &query("Observation", of(patient))).is_empty(), read, "{patient}");
        }
        if read {
            seen.push(patient);
        }
    }
    seen
}

/// G17: a consent counts with its commit, and a view that was taken before goes on as it was; whatever is kept in
/// memory meanwhile, by the one or by the other.
#[test]
fn g17_what_consents_say_is_of_the_snapshots_moment() {
    let mut world = World::new();
    // One caller all the while: what was made for one view is there when the next is asked.
    let (permit, _) = guarded();
    let seen = |snapshot: &Snapshot| seen_by(&permit, snapshot);
    let consents = |world: &World, changes| world.commit(changes, 0);
    consents(
        &world,
        vec![
            world.create(&patient("Ada"), "p1"),
            world.create(&patient("Bea"), "p2"),
            world.create(&observation("p1", "1-1", 1), "o1"),
            world.create(&observation("p2", "1-1", 1), "o2"),
        ],
    );
    let none = world.store().snapshot(at(0));
    assert_eq!(seen(&none), ["p1", "p2"]);
    consents(&world, vec![world.create(&consent("p1"), "c1")]);
    let one = world.store().snapshot(at(0));
    assert_eq!(seen(&one), ["p2"]);
    assert_eq!(seen(&none), ["p1", "p2"], "an old view sees no newer consent");
    // The consent of one patient becomes another's.
    consents(&world, vec![world.update(&consent("p2"), "c1", None)]);
    let other = world.store().snapshot(at(0));
    assert_eq!((seen(&other), seen(&one), seen(&none)), (vec!["p1"], vec!["p2"], vec!["p1", "p2"]));
    consents(&world, vec![world.create(&consent("p1"), "c2")]);
    assert!(seen(&world.store().snapshot(at(0))).is_empty());
    consents(&world, vec![world.delete("Consent", "c1"), world.delete("Consent", "c2")]);
    let all_gone = world.store().snapshot(at(0));
    assert_eq!(seen(&all_gone), ["p1", "p2"]);
    assert_eq!((seen(&other), seen(&one)), (vec!["p1"], vec!["p2"]));
    consents(&world, vec![world.update(&consent("p1"), "c1", None)]);
    assert_eq!(seen(&world.store().snapshot(at(0))), ["p2"], "a consent that comes back");
    drop((none, one, other, all_gone));
    world.reopen();
    assert_eq!(seen(&world.store().snapshot(at(0))), ["p2"]);
}

/// Readers and a writer at once: whoever takes a view after a commit sees it, and no view changes.
#[test]
fn g17_a_commit_is_seen_by_every_view_after_it() {
    let world = World::new();
    let (permit, _) = guarded();
    let seen = |snapshot: &Snapshot| seen_by(&permit, snapshot);
    world.commit(vec![world.create(&patient("Ada"), "p1"), world.create(&patient("Bea"), "p2")], 0);
    world.commit(
        vec![world.create(&observation("p1", "1-1", 1), "o1"), world.create(&observation("p2", "1-1", 1), "o2")],
        0,
    );
    let done = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while done.load(Ordering::Acquire) < 60 {
                    let before = done.load(Ordering::Acquire);
                    let snapshot = world.store().snapshot(at(0));
                    let first = seen(&snapshot);
                    assert_eq!(seen(&snapshot), first);
                    let after = done.load(Ordering::Acquire);
                    if before == after && before.is_multiple_of(2) {
                        // Nothing was begun either: an odd number means under way.
                        let withheld = before / 2 % 2 == 1;
                        assert_eq!(first.contains(&"p1"), !withheld);
                    }
                }
            });
        }
        for round in 0..30 {
            done.fetch_add(1, Ordering::AcqRel);
            let change =
                if round % 2 == 0 { world.update(&consent("p1"), "c", None) } else { world.delete("Consent", "c") };
            world.commit(vec![change], i64::from(round));
            done.fetch_add(1, Ordering::AcqRel);
        }
    });
}

/// What a page costs does not grow with its rows: each patient's rule is made once for a view.
#[test]
fn a_rule_is_made_once_for_a_view() {
    let world = World::new();
    world.commit(vec![world.create(&consent("p2"), "c1")], 0);
    for n in 0..20 {
        let patient = if n % 2 == 0 { "p1" } else { "p2" };
        world.commit(vec![world.create(&observation(patient, "1-1", 1), &format!("o{n}"))], 0);
    }
    let snapshot = world.store().snapshot(at(0));
    let (permit, ruling) = guarded();
    assert_eq!(ids(&snapshot, permit.as_ref(), &query("Observation", Predicate::All)).len(), 10);
    for _ in 0..3 {
        assert_eq!(ids(&snapshot, permit.as_ref(), &query("Observation", of("p1"))).len(), 10);
        assert!(ids(&snapshot, permit.as_ref(), &query("Observation", of("p2"))).is_empty());
    }
    assert_eq!(ruling.0.load(Ordering::Relaxed), 2);
    assert_eq!(permit.access(kind("Observation"), Need::Search), permit.access(kind("Observation"), Need::Read));
    assert!(matches!(permit.access(kind("Observation"), Need::Search), Access::Where(_)));
}
