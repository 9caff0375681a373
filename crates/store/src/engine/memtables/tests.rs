//! What is in memory stays within its bounds, and a store that settled has nothing to replay.

use super::*;
use crate::engine::{Batch, Space};

/// Writes batches of 40 KB, each row in two keyspaces, as far as `count`.
fn write(engine: &Engine, from: u32, count: u32) {
    for n in from..from + count {
        let mut batch = engine.batch();
        for row in 0..20u32 {
            let key = [n.to_be_bytes(), row.to_be_bytes()].concat();
            batch.put(Space::Current, &key, &[7; 2000]);
            batch.put(Space::Index, &key, &[]);
        }
        Batch::commit(batch).unwrap();
        engine.keep_up().unwrap();
    }
}

fn rows(engine: &Engine) -> usize {
    let mut pairs = engine.view().from(Space::Current, &[]).unwrap();
    let mut count = 0;
    while pairs.next_key().unwrap().is_some() {
        count += 1;
    }
    count
}

fn journal_bytes(data: &Path) -> u64 {
    let journals = fs::read_dir(data.join("engine")).unwrap().map(|entry| entry.unwrap().path());
    let journals = journals.filter(|path| path.extension().is_some_and(|extension| extension == "jnl"));
    journals.map(|path| fs::metadata(path).unwrap().len()).sum()
}

#[test]
fn the_engines_own_thresholds_are_never_met() {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::open(data.path()).unwrap();
    for round in 0..30 {
        write(&engine, round * 10, 10);
        for space in engine.spaces.iter() {
            // At four the engine sleeps 100 ms in the thread that commits; at 20 and 30 tables again.
            assert!(space.sealed_memtable_count() <= 1);
            assert!(space.tree.l0_run_count() <= limits::NEWEST_TABLES_MAX);
        }
        // One batch over the budget, what is sealed, and what a wait of 100 ms did not cure.
        assert!(engine.unwritten_bytes() < 64 * limits::MEMTABLES_BYTES);
    }
    assert_eq!(rows(&engine), 6000);
}

#[test]
fn a_settled_engine_has_an_empty_journal_and_everything_in_tables() {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::open(data.path()).unwrap();
    write(&engine, 0, 10);
    assert!(journal_bytes(data.path()) > 0);
    assert!(engine.settle().unwrap());
    assert_eq!(engine.unwritten_bytes(), 0);
    drop(engine);
    assert_eq!(journal_bytes(data.path()), 0);

    let engine = Engine::open(data.path()).unwrap();
    assert_eq!(rows(&engine), 200);
    // What is written now is newer than all that was: also after another stop, with and without settling.
    write(&engine, 5, 10);
    drop(engine);
    let engine = Engine::open(data.path()).unwrap();
    assert_eq!(rows(&engine), 300);
    assert!(engine.settle().unwrap());
    drop(engine);
    assert_eq!(rows(&Engine::open(data.path()).unwrap()), 300);
}

#[test]
fn waits_are_short_and_grow_with_what_is_behind() {
    assert_eq!(wait_for(limits::UNWRITTEN_BYTES_WAIT), Duration::ZERO);
    assert_eq!(wait_for(limits::UNWRITTEN_BYTES_WAIT + 5 * 1024 * 1024), Duration::from_micros(5 * 1024));
    assert_eq!(wait_for(u64::MAX), limits::PRESSURE_WAIT_MAX);
}
