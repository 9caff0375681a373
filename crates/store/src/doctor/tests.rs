//! The doctor on sound directories and on damaged ones.

use super::*;
use crate::{
    engine::{
        Space,
        record::{Commit, Version},
    },
    tests::world::*,
};
use std::path::PathBuf;

/// A patient, an observation with two versions, one that was deleted; closed.
fn filled() -> World {
    let mut world = World::new();
    world.commit(vec![world.create(&patient("Ada"), "p1")], 0);
    world.commit(vec![world.create(&observation("p1", "1-1", 1), "o1")], 1);
    world.commit(vec![world.update(&observation("p1", "1-1", 2), "o1", None)], 2);
    world.commit(vec![world.create(&observation("p1", "2-2", 3), "o2")], 3);
    world.commit(vec![world.delete("Observation", "o2")], 4);
    world.store.as_ref().unwrap().table("clients").unwrap().put(b"lab", b"key").unwrap();
    world.store = None;
    world
}

fn report(world: &World) -> Report {
    examine(&world.path(), search::registry(), None).unwrap()
}

fn files(directory: &Path, into: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, into) } else { into.push((path.clone(), std::fs::read(&path).unwrap())) }
    }
    into.sort();
}

#[test]
fn a_sound_directory_has_no_findings_and_is_left_as_it_is() {
    let world = filled();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    files(&world.path(), &mut before);
    let report = report(&world);
    files(&world.path(), &mut after);
    assert_eq!(report.findings, []);
    let facts = report.facts;
    assert_eq!((facts.commits, facts.resources, facts.versions, facts.audit_records), (5, 2, 5, 5));
    // A store that was closed has everything in tables.
    assert!(facts.index_rows > 4 && facts.journal_batches == 0 && facts.engine_tables > 8, "{facts:?}");
    assert!(before == after, "the doctor changed something");
}

/// Whoever reads the log leaves entries of the log's own events, and a refusal names what never was: neither is a lost
/// write (found by `xtask audit-complete`).
#[test]
fn what_was_read_of_the_log_is_no_lost_write() {
    let mut world = World::new();
    world.commit(vec![world.create(&patient("Ada"), "p1")], 0);
    let mut looked = entry("search-type", &[(kind("AuditEvent"), id("e1"))]);
    looked.action = audit::entry::Action::Execute;
    looked.touched[0].version = Some(fhir::VersionId::FIRST);
    world.store().log().record(&looked).unwrap();
    let mut refused = entry("vread", &[(kind("Patient"), id("p1"))]);
    refused.touched[0].version = fhir::VersionId::new(9);
    refused.outcome = audit::entry::Outcome::MinorFailure;
    world.store().log().record(&refused).unwrap();
    world.store = None;
    assert_eq!(report(&world).findings, []);
}

#[test]
fn a_running_server_keeps_the_doctor_out() {
    let world = World::new();
    assert!(matches!(examine(&world.path(), search::registry(), None), Err(OpenError::Locked)));
    assert!(examine(&world.path().join("audit"), search::registry(), None).is_err(), "no store");
}

/// What the doctor finds after a change to the engine's data behind the store's back.
fn tampered(world: &World, change: impl FnOnce(&Engine)) -> Vec<(Severity, String)> {
    let image = world.image();
    let engine = Engine::open(image.path()).unwrap();
    change(&engine);
    drop(engine);
    let report = examine(image.path(), search::registry(), None).unwrap();
    report.findings.into_iter().map(|finding| (finding.severity, finding.place)).collect()
}

fn first(engine: &Engine, space: Space) -> (Vec<u8>, Vec<u8>) {
    let (key, value) = engine.view().from(space, &[]).unwrap().next_pair().unwrap().unwrap();
    (key.to_vec(), value.to_vec())
}

#[test]
fn rows_that_do_not_agree_are_found_where_they_are() {
    let world = filled();
    let damage = |place: &str| (Severity::Damage, place.to_owned());
    let remove = |space| {
        move |engine: &Engine| {
            let mut batch = engine.batch();
            batch.remove(space, &first(engine, space).0);
            batch.commit().unwrap();
        }
    };
    for (space, place) in [
        (Space::Index, "engine: index"),
        (Space::Compartment, "engine: compartment"),
        (Space::LastUpdated, "engine: last_updated"),
        (Space::Counter, "engine: counter"),
        (Space::History, "engine: history"),
        (Space::Id, "engine: id"),
        (Space::Current, "engine: current"),
        (Space::Commit, "engine: commit"),
    ] {
        assert!(tampered(&world, remove(space)).contains(&damage(place)), "{place}");
    }
    let stray = tampered(&world, |engine| {
        let mut batch = engine.batch();
        batch.put(Space::Index, b"\x00\x01\x00\x01stray\x00\x00\x00\x00\x00\x00\x00\x01", &[]);
        batch.commit().unwrap();
    });
    assert!(stray.contains(&damage("engine: index")));
    let altered = tampered(&world, |engine| {
        let (key, mut value) = first(engine, Space::Current);
        let last = value.len() - 3;
        value[last] ^= 1;
        let mut batch = engine.batch();
        batch.put(Space::Current, &key, &value);
        batch.commit().unwrap();
    });
    assert!(altered.contains(&damage("engine: commit")), "{altered:?}");
}

#[test]
fn a_write_without_a_record_is_found() {
    // Row F24: a version that neither the log nor the outbox tells of.
    let world = filled();
    let found = tampered(&world, |engine| {
        let (number, value) = first(engine, Space::Commit);
        assert_eq!(Commit::decode(&value).unwrap().made.len(), 1, "{number:?}");
        let (key, value) = first(engine, Space::Current);
        let version = Version::decode(&value).unwrap();
        let forged = Version { version: version.version + 1, ..version }.encode();
        let mut batch = engine.batch();
        batch.put(Space::Current, &key, &forged);
        batch.commit().unwrap();
    });
    assert!(found.contains(&(Severity::Damage, "audit".into())), "{found:?}");
}

#[test]
fn what_an_unfinished_write_leaves_is_a_note() {
    let world = filled();
    let journal = world.path().join("engine/0.jnl");
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes.extend_from_slice(&[1, 9, 0, 0, 0, 77, 0, 0]);
    std::fs::write(&journal, bytes).unwrap();
    let report = report(&world);
    assert!(report.is_sound());
    assert_eq!(report.findings.iter().map(|finding| finding.severity).collect::<Vec<_>>(), [Severity::Note]);
}
