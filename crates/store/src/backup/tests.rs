//! A backup is one moment, whole or refused, and what is made of it is the same store.

use super::{block::BlockError, *};
use crate::tests::world::*;
use std::sync::atomic::{AtomicBool, Ordering};

fn backup(world: &World, others: &[Other]) -> (Vec<u8>, Contents) {
    let mut bytes = Vec::new();
    let contents = world.store().backup(others, at(77), &mut bytes).unwrap();
    (bytes, contents)
}

fn filled() -> World {
    let world = World::new();
    world.commit(vec![world.create(&patient("Ada"), "p1"), world.create(&observation("p1", "1-1", 1), "o1")], 0);
    world.commit(vec![world.update(&observation("p1", "1-1", 2), "o1", None)], 1);
    world.commit(vec![world.create(&patient("Bea"), "p2")], 2);
    world.commit(vec![world.delete("Patient", "p2")], 3);
    world
}

fn restored(bytes: &[u8], to: &Path, without: &[&str]) -> Result<(Contents, Vec<Other>), BackupError> {
    restore(&mut &*bytes, to, without, search::registry())
}

#[test]
fn a_backup_leaves_nothing_in_the_writers_queue() {
    let world = filled();
    backup(&world, &[]);
    assert_eq!(world.store().stats().queue_jobs, 0);
}

#[test]
fn what_is_restored_is_the_same_store_and_goes_on() {
    let world = filled();
    world.store().table("kept").unwrap().put(b"a", b"1").unwrap();
    world.store().table("dropped").unwrap().put(b"a", b"1").unwrap();
    let others = vec![("keys/signer".to_owned(), vec![7; 9])];
    let (bytes, contents) = backup(&world, &others);
    assert_eq!(check(&mut &*bytes).unwrap(), contents);

    let new = tempfile::tempdir().unwrap();
    let (same, files) = restored(&bytes, new.path(), &["dropped"]).unwrap();
    assert_eq!((same.pairs, same.audit_bytes, files), (contents.pairs, contents.audit_bytes, others));
    let report = crate::doctor::examine(new.path(), search::registry(), None).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.facts.commits, report.facts.resources, report.facts.versions), (4, 2, 5));
    assert!(crate::verify_audit(new.path()).unwrap().is_ok());

    let store = open(new.path()).unwrap();
    let permit = everything();
    let read = |store: &crate::Store, of: &str, name: &str| {
        store
            .snapshot(at(0))
            .read_under(permit.as_ref(), kind(of), &id(name))
            .and_then(|found| found.json.into_bytes())
            .ok()
    };
    for (of, name) in [("Patient", "p1"), ("Observation", "o1"), ("Patient", "p2")] {
        assert_eq!(read(&store, of, name), read(world.store(), of, name), "{name}");
    }
    assert_eq!(store.table("kept").unwrap().value(b"a").unwrap(), Some(b"1".to_vec()));
    assert_eq!(store.table("dropped").unwrap().value(b"a").unwrap(), None);
    drop(store);
    let mut again = World { store: None, directory: new };
    again.reopen();
    again.commit(vec![again.create(&patient("Cy"), "p3")], 4);
    again.reopen();
    assert!(read(again.store(), "Patient", "p3").is_some());
}

#[test]
fn a_backup_under_writes_is_one_moment() {
    let world = filled();
    let stop = AtomicBool::new(false);
    let mut taken = Vec::new();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for n in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                // Two resources a commit: both or neither are in a backup.
                let (a, b) = (format!("a{n}"), format!("b{n}"));
                world.commit(vec![world.create(&patient("A"), &a), world.create(&patient("B"), &b)], 10 + n);
            }
        });
        for _ in 0..4 {
            taken.push(backup(&world, &[]).0);
        }
        stop.store(true, Ordering::Relaxed);
    });
    for bytes in taken {
        let new = tempfile::tempdir().unwrap();
        restored(&bytes, new.path(), &[]).unwrap();
        let report = crate::doctor::examine(new.path(), search::registry(), None).unwrap();
        assert!(report.is_sound(), "{:?}", report.findings);
        assert_eq!(report.facts.resources % 2, 0);
    }
}

#[test]
fn what_was_cut_or_altered_is_refused_and_named() {
    let (bytes, _) = backup(&filled(), &[("keys/signer".to_owned(), vec![7; 9])]);
    for at in (0..bytes.len()).step_by(bytes.len() / 97 + 1) {
        assert!(matches!(check(&mut &bytes[..at]), Err(BackupError::Block(_))), "cut at {at}");
        let mut altered = bytes.clone();
        altered[at] ^= 4;
        assert!(matches!(check(&mut &*altered), Err(BackupError::Block(_) | BackupError::Format(_))), "byte {at}");
    }
    let longer = [&bytes[..], b"x"].concat();
    assert!(matches!(check(&mut &*longer), Err(BackupError::Block(BlockError::Damaged(_)))));
    let short = check(&mut &bytes[..bytes.len() - 1]).unwrap_err().to_string();
    assert!(short.contains("breaks off after block"), "{short}");
}

#[test]
fn a_directory_that_holds_something_is_left_alone() {
    let world = filled();
    let (bytes, _) = backup(&world, &[]);
    assert!(matches!(restored(&bytes, &world.path(), &[]), Err(BackupError::Exists)));
    let new = tempfile::tempdir().unwrap();
    std::fs::write(new.path().join("note"), "mine").unwrap();
    assert!(matches!(restored(&bytes, new.path(), &[]), Err(BackupError::Exists)));
    assert_eq!(std::fs::read_dir(new.path()).unwrap().count(), 1, "nothing was made there");
}

#[test]
fn a_name_that_leads_elsewhere_is_refused() {
    for name in ["../out", "/etc/x", "a/b", ".hidden", ""] {
        let mut bytes = Vec::new();
        let mut blocks = block::Writer::begin(&mut bytes).unwrap();
        blocks.write(&Block::Head { format: FORMAT, taken_ms: 0 }).unwrap();
        blocks.write(&Block::Audit { name: name.into(), bytes: vec![1] }).unwrap();
        blocks.end().unwrap();
        let new = tempfile::tempdir().unwrap();
        assert!(restored(&bytes, new.path(), &[]).is_err(), "{name:?}");
    }
}

#[test]
fn a_backup_of_another_format_says_so() {
    let mut bytes = Vec::new();
    let mut blocks = block::Writer::begin(&mut bytes).unwrap();
    blocks.write(&Block::Head { format: 99, taken_ms: 0 }).unwrap();
    blocks.end().unwrap();
    assert!(check(&mut &*bytes).unwrap_err().to_string().contains("format 99"));
}
