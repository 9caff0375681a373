//! Opening again: after a crash, with a torn log, with damage that must be refused.

use super::world::*;
use crate::{
    OpenError,
    engine::{Engine, Space},
};
use std::io::Write;

fn filled() -> World {
    let world = World::new();
    world.commit(vec![world.create(&patient("Ada"), "p1")], 0);
    world.commit(vec![world.create(&observation("p1", "1-1", 1), "o1")], 1);
    world.commit(vec![world.update(&observation("p1", "1-1", 2), "o1", None)], 2);
    world
}

#[test]
fn what_was_acknowledged_is_there_after_a_crash() {
    let world = filled();
    let image = world.image();
    let store = open(image.path()).unwrap();
    let found = store.snapshot(at(0)).read_under(everything().as_ref(), kind("Observation"), &id("o1")).unwrap();
    assert_eq!(found.version.number(), 2);
    assert_eq!(store.log().last().0, 3);
    assert_eq!(store.live_resources(kind("Patient")).unwrap(), 1);
}

/// Row F23, H40: what was refused names what was asked for. A version that never was, asked for before a crash, kept the
/// server from starting again (found by `xtask audit-complete`).
#[test]
fn a_refused_read_of_a_version_that_never_was_is_no_lost_write() {
    let world = filled();
    let mut asked = entry("vread", &[(kind("Observation"), id("o1"))]);
    asked.touched[0].version = fhir::VersionId::new(9);
    asked.outcome = audit::entry::Outcome::MinorFailure;
    world.store().log().record(&asked).unwrap();
    assert!(open(world.image().path()).is_ok());
    asked.outcome = audit::entry::Outcome::Success;
    world.store().log().record(&asked).unwrap();
    assert!(matches!(open(world.image().path()), Err(OpenError::Lost(_))), "one that was answered was there");
}

/// A crash while the engine took away a keyspace that had no name yet: its list of tables was gone and the file that
/// names the list was not. Nothing was in it, and the start refused the directory (found by `xtask crash`).
#[test]
fn a_keyspace_that_was_being_taken_away_is_no_damage() {
    let world = filled();
    let image = world.image();
    let half = image.path().join("engine/keyspaces/77");
    std::fs::create_dir_all(half.join("tables")).unwrap();
    std::fs::write(half.join("current"), [0; 25]).unwrap();
    let store = open(image.path()).unwrap();
    assert_eq!(store.live_resources(kind("Patient")).unwrap(), 1);
    assert!(!half.exists(), "the engine takes it away");
    drop(store);
    let named = world.image();
    let list = named.path().join("engine/keyspaces/1/v0");
    assert!(list.exists(), "a keyspace without tables yet has the first list");
    std::fs::remove_file(list).unwrap();
    assert!(open(named.path()).is_err(), "one that has a name needs its list");
}

#[test]
fn a_command_at_rest_keeps_the_base_url_that_the_indices_were_made_for() {
    let elsewhere = || crate::Options { base_url: "https://elsewhere.example/fhir".into(), strict_audit: false };
    let again = |path: &std::path::Path| {
        let registry = std::sync::Arc::clone(search::registry());
        crate::Store::open_as_it_was(path, registry, elsewhere()).unwrap().base_url().to_owned()
    };
    let mut world = filled();
    world.store = None;
    assert_eq!(again(&world.path()), BASE);
    let new = tempfile::tempdir().unwrap();
    assert_eq!(again(new.path()), elsewhere().base_url, "a new one takes what it is given");
    assert_eq!(again(new.path()), elsewhere().base_url);
}

#[test]
fn a_clean_close_leaves_nothing_in_the_outbox_and_opens_again() {
    let mut world = filled();
    world.reopen();
    assert_eq!(world.store().log().last().0, 3);
    world.commit(vec![world.create(&patient("Bea"), "p2")], 3);
    world.store = None;
    let engine = Engine::open(&world.path()).unwrap();
    assert!(engine.view().from(Space::Outbox, &[]).unwrap().next_key().unwrap().is_none());
}

#[test]
fn entries_that_did_not_reach_the_log_come_home_from_the_outbox() {
    // Row F24: a commit without its record cannot exist.
    let world = filled();
    let image = world.image();
    // The log as if the crash had come before the last appends reached the disk: those whose entries
    // the outbox still has (the writer drops what was synced meanwhile).
    let kept = {
        let engine = Engine::open(image.path()).unwrap();
        let (view, mut count) = (engine.view(), 0);
        let mut keys = view.from(Space::Outbox, &[]).unwrap();
        while keys.next_key().unwrap().is_some() {
            count += 1;
        }
        3 - count
    };
    assert!(kept < 3, "the last entry is not swept for two seconds");
    let segment = image.path().join("audit/00000001.log");
    let mut records = audit::frame::Segment::open(std::fs::File::open(&segment).unwrap()).unwrap();
    for _ in 0..kept {
        records.next_record().unwrap().unwrap();
    }
    let file = std::fs::OpenOptions::new().write(true).open(&segment).unwrap();
    file.set_len(records.good_bytes()).unwrap();
    std::fs::remove_file(image.path().join("mark")).unwrap();
    let store = open(image.path()).unwrap();
    assert_eq!(store.log().last().0, 3);
    drop(store);
    assert_eq!(crate::verify_audit(image.path()).unwrap().unwrap().last, 3);
    // Once is enough.
    assert_eq!(open(image.path()).unwrap().log().last().0, 3);
}

#[test]
fn an_unfinished_record_at_the_end_of_the_log_is_cut_off() {
    let mut world = filled();
    world.store = None;
    let segment = world.path().join("audit/00000001.log");
    let mut file = std::fs::OpenOptions::new().append(true).open(&segment).unwrap();
    file.write_all(&[0, 0, 0, 90, 0, 0, 0]).unwrap();
    drop(file);
    world.reopen();
    assert_eq!(world.store().log().last().0, 3);
    world.store().log().record(&entry("read", &[])).unwrap();
    world.store = None;
    assert_eq!(crate::verify_audit(&world.path()).unwrap().unwrap().last, 4);
}

#[test]
fn a_log_that_lost_what_was_synced_is_refused_and_left_as_it_is() {
    // Row F23.
    let mut world = filled();
    world.store = None;
    let segment = world.path().join("audit/00000001.log");
    let length = std::fs::metadata(&segment).unwrap().len();
    let file = std::fs::OpenOptions::new().write(true).open(&segment).unwrap();
    file.set_len(length - 10).unwrap();
    drop(file);
    assert!(matches!(open(&world.path()), Err(OpenError::AuditLog(3, _))));
    assert_eq!(std::fs::metadata(&segment).unwrap().len(), length - 10);
}

#[test]
fn an_altered_record_of_the_log_is_refused() {
    let mut world = filled();
    world.store = None;
    let segment = world.path().join("audit/00000001.log");
    let mut bytes = std::fs::read(&segment).unwrap();
    let at = audit::frame::HEADER_BYTES + 30;
    bytes[at] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    assert!(matches!(open(&world.path()), Err(OpenError::AuditLog(1, _))));
}

fn tampered(change: impl FnOnce(&Engine)) -> Result<crate::Store, OpenError> {
    let mut world = filled();
    world.store = None;
    let engine = Engine::open(&world.path()).unwrap();
    change(&engine);
    drop(engine);
    open(&world.path())
}

#[test]
fn a_broken_chain_of_commits_is_refused_with_its_number() {
    let removed = tampered(|engine| {
        let mut batch = engine.batch();
        batch.remove(Space::Commit, &2u64.to_be_bytes());
        batch.commit().unwrap();
    });
    assert!(matches!(removed, Err(OpenError::Chain(2, _))));
    let lost_end = tampered(|engine| {
        let mut batch = engine.batch();
        batch.remove(Space::Commit, &3u64.to_be_bytes());
        batch.commit().unwrap();
    });
    assert!(matches!(lost_end, Err(OpenError::Chain(3, _))));
    let altered = tampered(|engine| {
        let view = engine.view();
        let mut bytes = view.value(Space::Commit, &2u64.to_be_bytes()).unwrap().unwrap().to_vec();
        bytes[45] ^= 1;
        let mut batch = engine.batch();
        batch.put(Space::Commit, &2u64.to_be_bytes(), &bytes);
        batch.commit().unwrap();
    });
    assert!(matches!(altered, Err(OpenError::Chain(2, _))));
}

#[test]
fn an_altered_version_is_refused_with_the_commit_that_made_it() {
    let altered = tampered(|engine| {
        let (key, value) = engine.view().from(Space::Current, &[]).unwrap().next_pair().unwrap().unwrap();
        let mut value = value.to_vec();
        let last = value.len() - 3;
        value[last] ^= 1;
        let mut batch = engine.batch();
        batch.put(Space::Current, &key, &value);
        batch.commit().unwrap();
    });
    assert!(matches!(altered, Err(OpenError::Chain(..))));
}

#[test]
fn a_second_process_is_told_that_the_store_is_in_use() {
    let world = World::new();
    assert!(matches!(open(&world.path()), Err(OpenError::Locked)));
}

#[test]
fn other_search_parameters_make_the_indices_anew() {
    let mut world = filled();
    world.commit(vec![world.delete("Observation", "o1")], 3);
    world.commit(vec![world.create(&observation("p1", "2-2", 3), "o2")], 4);
    world.store = None;
    let engine = Engine::open(&world.path()).unwrap();
    let before = pairs(&engine);
    let mut batch = engine.batch();
    batch.put(Space::Meta, b"fingerprint", b"another");
    // A row that no resource has any more must go; rows that are missing must come.
    let view = engine.view();
    let some = view.from(Space::Index, &[]).unwrap().next_key().unwrap().unwrap();
    batch.remove(Space::Index, &some);
    batch.put(Space::Index, b"\x00\x01\x00\x01stray\x00\x00\x00\x00\x00\x00\x00\x01", &[]);
    batch.commit().unwrap();
    drop((engine, view));
    world.reopen();
    world.store = None;
    let engine = Engine::open(&world.path()).unwrap();
    assert_eq!(pairs(&engine), before);
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fn pairs(engine: &Engine) -> Vec<Pairs> {
    let spaces = [Space::Current, Space::History, Space::Index, Space::Compartment];
    let all = |space| {
        let mut pairs = engine.view().from(space, &[]).unwrap();
        let mut out = Vec::new();
        while let Some((key, value)) = pairs.next_pair().unwrap() {
            out.push((key.to_vec(), value.to_vec()));
        }
        out
    };
    spaces.map(all).into()
}

#[test]
fn the_log_goes_on_over_segments() {
    let world = World::new();
    let mut entry = entry("read", &[]);
    entry.query = Some("x".repeat(30_000).into());
    for _ in 0..1_200 {
        world.store().log().record(&entry).unwrap();
    }
    assert!(world.path().join("audit/00000003.log").exists());
    let snapshot = world.store().snapshot(at(0));
    for sequence in [1, 2, 128, 129, 500, 557, 558, 559, 1_200] {
        let event = world.store().names.id(sequence, audit::balp::Facet::Itself).unwrap();
        assert!(snapshot.read_under(everything().as_ref(), kind("AuditEvent"), &event).is_ok(), "{sequence}");
    }
    let image = world.image();
    assert_eq!(crate::verify_audit(image.path()).unwrap().unwrap().last, 1_200);
    let store = open(image.path()).unwrap();
    let snapshot = store.snapshot(at(0));
    for sequence in [1, 559, 1_200] {
        let event = store.names.id(sequence, audit::balp::Facet::Itself).unwrap();
        assert!(snapshot.read_under(everything().as_ref(), kind("AuditEvent"), &event).is_ok(), "{sequence}");
    }
}
