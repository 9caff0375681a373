//! Rows G4, G17: what is kept of rules and grants beyond a view holds in another one only as long as what it rests on.

use crate::{Snapshot, tests::world::*};
use fhir::LogicalId;
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

/// What a ruling asks before it lets everything through.
#[derive(Debug)]
enum Asks {
    Nothing,
    /// Whether the moment lies in this.
    Moment(i64, i64),
    /// What the moment is.
    Now(i64),
    /// Whether the patient is active.
    Patient,
}

#[derive(Debug)]
struct Counted(Asks, AtomicUsize);

impl Counted {
    fn count(&self) -> usize {
        self.1.load(Ordering::Relaxed)
    }
}

impl Ruling for Counted {
    fn rule(&self, id: &LogicalId, _: Option<&(dyn Any + Send + Sync)>, related: &dyn Related) -> Arc<Predicate> {
        self.1.fetch_add(1, Ordering::Relaxed);
        let lets = match self.0 {
            Asks::Nothing => true,
            Asks::Moment(low, high) => related.holds(at(low).unix_millis(), at(high).unix_millis()),
            Asks::Now(from) => related.now() >= at(from),
            Asks::Patient => {
                let parameter = search::registry().parameter(kind("Patient"), "active").unwrap().id;
                let test = Test::Token(search::predicate::TokenTest::Code("true".into()));
                related.target_matches(kind("Patient"), id, &Arc::new(Predicate::Value { parameter, test }))
            }
        };
        Arc::new(if lets { Predicate::All } else { Predicate::Nothing })
    }
}

fn ruled(asks: Asks) -> (Arc<Table>, Arc<Counted>) {
    let ruling = Arc::new(Counted(asks, AtomicUsize::new(0)));
    let about = Arc::new([search::registry().parameter(kind("Observation"), "subject").unwrap().id]);
    (only(kind("Observation"), Predicate::Ruled(Ruled { ruling: Arc::clone(&ruling) as _, about })), ruling)
}

fn consent(patient: &str) -> String {
    format!(
        r#"{{"resourceType":"Consent","status":"active","scope":{{"text":"x"}},"category":[{{"text":"x"}}],"patient":{{"reference":"Patient/{patient}"}},"policyRule":{{"text":"x"}}}}"#
    )
}

fn world() -> World {
    let world = World::new();
    let mut changes = vec![world.create(&patient("Ada"), "p1"), world.create(&consent("p1"), "c1")];
    changes.extend((0..3).map(|n| world.create(&observation("p1", "1-1", 1), &format!("o{n}"))));
    world.commit(changes, 0);
    world
}

/// How many observations of the patient are seen: in the record (its folder is made at the second question), and by read.
fn seen(snapshot: &Snapshot, permit: &Table) -> usize {
    let test = Test::Reference(ReferenceTest::Target(kind("Patient"), id("p1")));
    let parameter = search::registry().parameter(kind("Observation"), "patient").unwrap().id;
    let query = Query {
        resource_type: kind("Observation"),
        predicate: Arc::new(Predicate::Value { parameter, test }),
        sort: Vec::new(),
        count: 50,
        total: Total::None,
        includes: Vec::new(),
        revincludes: Vec::new(),
        applied: "asked".into(),
        warnings: Vec::new(),
    };
    let found = |_| snapshot.search_under(permit, &query, None, "me").unwrap().matches.len();
    let all: Vec<usize> = (0..3).map(found).collect();
    let read = (0..9).filter(|n| {
        let id = id(&format!("o{n}"));
        snapshot.read_under(permit, kind("Observation"), &id).is_ok()
    });
    assert_eq!(all, [read.count(); 3]);
    all[0]
}

#[test]
fn g17_a_rule_is_made_again_when_the_consents_change_and_only_then() {
    let world = world();
    let (permit, ruling) = ruled(Asks::Nothing);
    let old = world.store().snapshot(at(0));
    for n in 0..4 {
        assert_eq!(seen(&world.store().snapshot(at(n)), &permit), 3);
    }
    assert_eq!(ruling.count(), 1, "one for four views");
    world.commit(vec![world.create(&observation("p1", "1-1", 1), "o3")], 5);
    assert_eq!(seen(&world.store().snapshot(at(5)), &permit), 4);
    assert_eq!(ruling.count(), 1, "the record changed, not the consents");
    world.commit(vec![world.update(&consent("p1"), "c1", None)], 6);
    assert_eq!(seen(&world.store().snapshot(at(6)), &permit), 4);
    assert_eq!(ruling.count(), 2);
    assert_eq!(seen(&old, &permit), 3);
    assert_eq!(seen(&world.store().snapshot(at(7)), &permit), 4);
    let of_the_old = ruling.count() - 2;
    assert!(of_the_old <= 2, "the old view made its own, and no more: {of_the_old}");
}

/// Nothing ends what is kept: the moment of the question does, in either direction.
#[test]
fn g17_what_a_period_gives_ends_with_it() {
    for asks in [Asks::Moment(10, 20), Asks::Now(10)] {
        let is_kept = matches!(asks, Asks::Moment(..));
        let world = world();
        let (permit, ruling) = ruled(asks);
        for (moment, expected) in [(0, 0), (9, 0), (10, 3), (15, 3), (19, 3), (9, 0), (12, 3), (19, 3)] {
            assert_eq!(seen(&world.store().snapshot(at(moment)), &permit), expected, "{moment}");
        }
        let before = ruling.count();
        assert_eq!(seen(&world.store().snapshot(at(20)), &permit), if is_kept { 0 } else { 3 });
        assert_eq!(seen(&world.store().snapshot(at(30)), &permit), if is_kept { 0 } else { 3 });
        let once = if is_kept { 1 } else { 2 };
        assert_eq!(ruling.count() - before, once, "who asks for the moment itself is asked for each view");
    }
}

#[test]
fn g17_what_other_resources_say_is_asked_in_each_view() {
    let world = world();
    let (permit, ruling) = ruled(Asks::Patient);
    for n in 0..3 {
        assert_eq!(seen(&world.store().snapshot(at(n)), &permit), 3);
    }
    assert_eq!(ruling.count(), 3);
    let inactive = patient("Ada").replace("true", "false");
    world.commit(vec![world.update(&inactive, "p1", None)], 5);
    assert_eq!(seen(&world.store().snapshot(at(5)), &permit), 0);
    world.commit(vec![world.update(&patient("Ada"), "p1", None)], 6);
    assert_eq!(seen(&world.store().snapshot(at(6)), &permit), 3);
}

/// More callers than a folder keeps what they see for, and callers that are no more.
#[test]
fn each_grant_has_its_own_part_of_a_folder() {
    let world = world();
    let many: Vec<_> = (0..5).map(|n| ruled(Asks::Moment(n, 100))).collect();
    for moment in [0, 3, 1, 4, 2] {
        for round in 0..2 {
            for (n, (permit, _)) in (0..).zip(&many) {
                let expected = if n <= moment { 3 } else { 0 };
                assert_eq!(seen(&world.store().snapshot(at(moment)), permit), expected, "{n} {moment} {round}");
                let (short, _) = ruled(Asks::Moment(n, 100));
                assert_eq!(seen(&world.store().snapshot(at(moment)), &short), expected);
            }
        }
    }
}
