//! Commits: versions, preconditions, races, groups, permits on writes, the audit entries that go along.

use super::world::*;
use crate::{CommitError, ReadError, page::Method};
use fhir::VersionId;
use policy::{Access, Need};
use search::{Predicate, Test, predicate::TokenTest};
use std::sync::Arc;

fn version(number: u32) -> VersionId {
    VersionId::new(number).unwrap()
}

fn parameter(kind_name: &str, code: &str) -> search::ParameterId {
    search::registry().parameter(kind(kind_name), code).unwrap().id
}

fn code(value: &str) -> Predicate {
    let test = Test::Token(TokenTest::Code(value.into()));
    Predicate::Value { parameter: parameter("Observation", "code"), test }
}

#[test]
fn a_resource_lives_changes_and_ends_and_every_version_stays_readable() {
    let world = World::new();
    let all = everything();
    let done = world.commit(vec![world.create(&patient("Ada"), "p1")], 0);
    assert!(done[0].created && done[0].version == Some(version(1)));
    let done = world.commit(vec![world.update(&patient("Bea"), "p1", Some(1))], 1);
    assert!(!done[0].created && done[0].version == Some(version(2)));
    // The same content makes a new version too: R4 leaves that to servers, and clients count on it.
    world.commit(vec![world.update(&patient("Bea"), "p1", None)], 2);
    world.commit(vec![world.delete("Patient", "p1")], 3);

    let snapshot = world.store().snapshot(at(0));
    assert!(matches!(snapshot.read_under(all.as_ref(), kind("Patient"), &id("p1")), Err(ReadError::Gone)));
    let first = snapshot.vread_under(all.as_ref(), kind("Patient"), &id("p1"), version(1)).unwrap();
    let json = first.json.into_bytes().unwrap();
    let text = std::str::from_utf8(&json).unwrap();
    assert!(text.contains("Ada") && text.contains(r#""versionId":"1","lastUpdated":"2023-11-14T22:13:20.000Z""#));
    assert!(matches!(snapshot.vread_under(all.as_ref(), kind("Patient"), &id("p1"), version(4)), Err(ReadError::Gone)));
    let history = snapshot.history_under(all.as_ref(), kind("Patient"), &id("p1"), 2, None).unwrap();
    let methods: Vec<_> = history.versions.iter().map(|found| (found.version.number(), found.method)).collect();
    assert_eq!(methods, [(4, Method::Delete), (3, Method::Update)]);
    assert_eq!(history.total, 4);
    let rest = snapshot.history_under(all.as_ref(), kind("Patient"), &id("p1"), 2, history.next.as_deref()).unwrap();
    assert_eq!(rest.versions.iter().map(|found| found.version.number()).collect::<Vec<_>>(), [2, 1]);
    assert!(rest.next.is_none());

    // It may come back, as its next version.
    let done = world.commit(vec![world.update(&patient("Cleo"), "p1", None)], 4);
    assert!(done[0].created && done[0].version == Some(version(5)));
    // A snapshot stays what it was (invariant 8).
    assert!(matches!(snapshot.read_under(all.as_ref(), kind("Patient"), &id("p1")), Err(ReadError::Gone)));
    let found = world.store().snapshot(at(0)).read_under(all.as_ref(), kind("Patient"), &id("p1")).unwrap();
    assert_eq!(found.patients, [id("p1")]);
    assert_eq!(world.store().live_resources(kind("Patient")).unwrap(), 1);
}

#[test]
fn preconditions_stop_the_whole_transaction() {
    let world = World::new();
    world.commit(vec![world.create(&patient("Ada"), "p1")], 0);
    let stale =
        world.try_commit(vec![world.create(&patient("New"), "p2"), world.update(&patient("Bea"), "p1", Some(7))], 1);
    assert!(matches!(stale, Err(CommitError::Version(1, Some(current))) if current == version(1)));
    let none = world.try_commit(vec![world.update(&patient("Bea"), "nobody", Some(1))], 1);
    assert!(matches!(none, Err(CommitError::Version(0, None))));
    let twice = world.try_commit(vec![world.update(&patient("Bea"), "p1", None), world.delete("Patient", "p1")], 1);
    assert!(matches!(twice, Err(CommitError::Duplicate(1))));
    let snapshot = world.store().snapshot(at(0));
    let missing = snapshot.read_under(everything().as_ref(), kind("Patient"), &id("p2"));
    assert!(matches!(missing, Err(ReadError::NotFound)));
    // Deleting what is not there changes nothing and is no error.
    let done = world.commit(vec![world.delete("Patient", "nobody")], 2);
    assert!(done[0].version.is_none());
}

#[test]
fn of_two_conditional_creates_at_once_one_wins() {
    let world = World::new();
    let observations: Vec<_> = (0..2)
        .map(|at| world.create_unless(&observation("p1", "8867-4", 1), &format!("o{at}"), code("8867-4")))
        .collect();
    let outcomes = wait(async {
        let mut waiting = Vec::new();
        for change in observations {
            waiting.push(world.store().commit_work(work(vec![change], 0)));
        }
        let second = waiting.pop().unwrap();
        let first = waiting.pop().unwrap();
        tokio::join!(first, second)
    });
    let outcomes = [outcomes.0, outcomes.1];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let lost = outcomes.into_iter().find_map(Result::err).unwrap();
    assert!(matches!(lost, CommitError::Exists(0, of, ..) if of == kind("Observation")));
    world.commit(vec![world.create(&observation("p2", "8867-4", 1), "o9")], 1);
    let several = world.try_commit(vec![world.create_unless(&observation("p3", "1-1", 1), "o10", code("8867-4"))], 2);
    assert!(matches!(several, Err(CommitError::MultipleMatches(0))));
}

#[test]
fn a_conditional_reference_that_moved_is_refused() {
    let world = World::new();
    world.commit(vec![world.create(&observation("p1", "8867-4", 1), "o1")], 0);
    let resolved = |of: &str| {
        let mut work = work(vec![world.create(&patient("Ada"), of)], 1);
        let condition = crate::transaction::Condition::new(kind("Observation"), Arc::new(code("8867-4")));
        work.resolved.push((condition, id("o1"), everything()));
        work
    };
    wait(world.store().commit_work(resolved("p1"))).unwrap();
    world.commit(vec![world.create(&observation("p1", "8867-4", 2), "o2")], 2);
    assert!(matches!(wait(world.store().commit_work(resolved("p2"))), Err(CommitError::Moved(0))));
}

#[test]
fn a_permit_is_held_against_the_version_before_and_the_version_after() {
    let world = World::new();
    world.commit(
        vec![
            world.create(&observation("p1", "seen", 1), "seen"),
            world.create(&observation("p1", "hidden", 1), "hidden"),
        ],
        0,
    );
    let permit = only(kind("Observation"), code("seen"));
    let attempt = |mut change: crate::writer::prepare::Prepared| {
        change.permit = permit.clone();
        world.try_commit(vec![change], 1)
    };
    // Hidden is absent (invariant 5, row F6); the result must be covered too (row F7).
    assert!(matches!(
        attempt(world.update(&observation("p1", "seen", 2), "hidden", None)),
        Err(CommitError::NotFound(0))
    ));
    assert!(matches!(
        attempt(world.update(&observation("p1", "hidden", 2), "seen", None)),
        Err(CommitError::Denied(0, _))
    ));
    assert!(matches!(attempt(world.create(&observation("p1", "other", 2), "new")), Err(CommitError::Denied(0, _))));
    assert!(attempt(world.create(&observation("p1", "seen", 2), "new")).is_ok());
    let absent = attempt(world.delete("Observation", "nobody")).unwrap().into_parts().0;
    let hidden = attempt(world.delete("Observation", "hidden")).unwrap().into_parts().0;
    assert_eq!(absent[0].version, hidden[0].version);
    let snapshot = world.store().snapshot(at(0));
    assert!(snapshot.read_under(everything().as_ref(), kind("Observation"), &id("hidden")).is_ok());
    assert!(matches!(
        snapshot.read_under(permit.as_ref(), kind("Observation"), &id("hidden")),
        Err(ReadError::NotFound)
    ));
}

#[test]
fn a_version_is_visible_by_its_own_values_alone() {
    // Row F5: a permit that covers the current version does not open the ones before.
    let world = World::new();
    world.commit(vec![world.create(&observation("p1", "secret", 1), "o1")], 0);
    world.commit(vec![world.update(&observation("p1", "plain", 1), "o1", None)], 1);
    world.commit(vec![world.update(&observation("p1", "secret", 1), "o1", None)], 2);
    world.commit(vec![world.delete("Observation", "o1")], 3);
    let snapshot = world.store().snapshot(at(0));
    let observation = kind("Observation");
    let plain = only(observation, code("plain"));
    let history = snapshot.history_under(plain.as_ref(), observation, &id("o1"), 10, None).unwrap();
    assert_eq!(history.versions.iter().map(|found| found.version.number()).collect::<Vec<_>>(), [2]);
    assert_eq!(history.total, 1);
    assert!(matches!(
        snapshot.vread_under(plain.as_ref(), observation, &id("o1"), version(1)),
        Err(ReadError::NotFound)
    ));
    // Gone tells that it was there: only to those who saw it last.
    assert!(matches!(snapshot.read_under(plain.as_ref(), observation, &id("o1")), Err(ReadError::NotFound)));
    let secret = only(observation, code("secret"));
    assert!(matches!(snapshot.read_under(secret.as_ref(), observation, &id("o1")), Err(ReadError::Gone)));
    let nothing = only(observation, Predicate::Nothing);
    assert!(matches!(
        snapshot.history_under(nothing.as_ref(), observation, &id("o1"), 10, None),
        Err(ReadError::NotFound)
    ));
}

#[test]
fn sixteen_threads_commit_in_groups_and_lose_nothing() {
    let world = World::new();
    let store = world.store();
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let world = &world;
            scope.spawn(move || {
                for at in 0..20 {
                    let change = world.create(&observation("p1", "8867-4", 1), &format!("o-{thread}-{at}"));
                    wait(store.commit_work(work(vec![change], at))).unwrap();
                }
            });
        }
    });
    assert_eq!(store.live_resources(kind("Observation")).unwrap(), 320);
    assert_eq!(store.log().last().0, 320);
    store.log().sync().unwrap();
    let report = crate::verify_audit(&world.path()).unwrap().unwrap();
    assert_eq!(report.last, 320);
}

#[test]
fn the_store_completes_the_audit_entries_of_a_write() {
    let world = World::new();
    world.commit(vec![world.create(&patient("Ada"), "p1"), world.create(&observation("p1", "1-1", 1), "o1")], 0);
    let receipt = world.try_commit(vec![world.update(&observation("p1", "1-1", 2), "o1", None)], 1).unwrap();
    let sequence = receipt.into_parts().1.sequence();
    let snapshot = world.store().snapshot(at(0));
    let event = world.store().names.id(sequence, audit::balp::Facet::Itself).unwrap();
    let found = snapshot.read_under(everything().as_ref(), kind("AuditEvent"), &event).unwrap();
    assert_eq!(found.patients, [id("p1")]);
    assert!(std::str::from_utf8(&found.json.into_bytes().unwrap()).unwrap().contains("Observation/o1/_history/2"));
    let nobody = only(kind("AuditEvent"), Predicate::Nothing);
    assert!(matches!(snapshot.read_under(nobody.as_ref(), kind("AuditEvent"), &event), Err(ReadError::NotFound)));
    let beyond = world.store().names.id(sequence + 1, audit::balp::Facet::Itself).unwrap();
    assert!(matches!(
        snapshot.read_under(everything().as_ref(), kind("AuditEvent"), &beyond),
        Err(ReadError::NotFound)
    ));
}

#[test]
fn a_type_without_access_takes_no_write() {
    let world = World::new();
    let mut change = world.create(&patient("Ada"), "p1");
    let mut permit = everything().as_ref().clone();
    permit.of.insert((kind("Patient"), Need::Create), Access::Nothing);
    change.permit = Arc::new(permit);
    assert!(matches!(world.try_commit(vec![change], 0), Err(CommitError::Denied(0, _))));
    // Row F22: audit events are written by the server alone.
    let event = world.create(r#"{"resourceType":"AuditEvent"}"#, "e1");
    assert!(matches!(
        world.try_commit(vec![event, world.delete("AuditEvent", "e2")], 0),
        Err(CommitError::Denied(0, _))
    ));
}

#[test]
fn tables_are_durable_and_insert_new_is_atomic() {
    let mut world = World::new();
    let table = world.store().table("used-assertions").unwrap();
    let wins = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| table.insert_new(b"jti", b"1").unwrap())).collect();
        threads.into_iter().filter(|_| true).map(|thread| thread.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!(wins, 1);
    table.put(b"other", b"2").unwrap();
    assert!(table.remove(b"other").unwrap());
    assert!(!table.remove(b"other").unwrap());
    let many: Vec<Vec<u8>> = (0..150_u32).map(|n| n.to_be_bytes().to_vec()).collect();
    table.put(&many[0], b"3").unwrap();
    table.put(&many[149], b"3").unwrap();
    table.remove_all(&many).unwrap();
    drop(table);
    world.reopen();
    let table = world.store().table("used-assertions").unwrap();
    assert_eq!(table.all().unwrap(), [(b"jti".to_vec(), b"1".to_vec())]);
    assert!(world.store().table("Not A Name").is_err());
}

#[test]
fn a_transaction_without_audit_entries_is_refused_and_harms_no_other() {
    // Invariant 6.
    let world = World::new();
    let mut silent = work(vec![world.create(&patient("Ada"), "p1")], 0);
    silent.audit.clear();
    assert!(matches!(wait(world.store().commit_work(silent)), Err(CommitError::Unavailable(_))));
    world.commit(vec![world.create(&patient("Ada"), "p1")], 0);
    assert!(world.store().is_healthy());
}

#[test]
fn a_log_that_fails_stops_writes_and_the_next_start_brings_the_entry_home() {
    // Row F25: audit store down, nothing is answered; row F24: the committed change keeps its record.
    let mut world = World::new();
    world.commit(vec![world.create(&patient("Ada"), "p1")], 0);
    world.store().break_log();
    let failed = world.try_commit(vec![world.create(&patient("Bea"), "p2")], 1);
    assert!(matches!(failed, Err(CommitError::Unavailable(_))));
    assert!(!world.store().is_healthy());
    let refused = world.try_commit(vec![world.create(&patient("Cleo"), "p3")], 2);
    assert!(matches!(refused, Err(CommitError::Unavailable(_))));
    world.reopen();
    assert_eq!(world.store().log().last().0, 2);
    let snapshot = world.store().snapshot(at(0));
    assert!(snapshot.read_under(everything().as_ref(), kind("Patient"), &id("p2")).is_ok());
    assert!(matches!(snapshot.read_under(everything().as_ref(), kind("Patient"), &id("p3")), Err(ReadError::NotFound)));
}
