//! Tests of `single_use`: rows B22 and B23; restarts, full disks, and many at once.

use super::{GiveError, SingleUse, Taken};
use crate::{
    limits,
    tables::{Table, memory::Memory},
};
use serde_json::json;
use std::sync::{Arc, atomic::Ordering};

const LIFE_S: i64 = 60;

fn open(table: &Arc<Memory>) -> SingleUse {
    SingleUse::open(table.clone(), LIFE_S).unwrap()
}

/// Row B22: once, and who comes again is known for it; over a restart too.
#[test]
fn the_first_gets_it_and_all_others_do_not() {
    let table = Arc::new(Memory::default());
    let codes = open(&table);
    let code = codes.give(&json!({ "for": "app" }), 1000).unwrap();
    assert_eq!(code.expose().len(), 43, "256 bits");
    assert!(table.all().unwrap().iter().all(|(key, row)| {
        let code = code.expose().as_bytes();
        !key.windows(code.len()).any(|part| part == code) && !row.windows(code.len()).any(|part| part == code)
    }));
    // Given out is on the table: a new start knows it.
    let codes = open(&table);
    assert_eq!(codes.take(code.expose(), 1059, "family").unwrap(), Taken::First(json!({ "for": "app" })));
    for codes in [codes, open(&table)] {
        assert_eq!(codes.take(code.expose(), 1059, "other").unwrap(), Taken::Again("family".into()));
        assert_eq!(codes.take(code.expose(), 5000, "other").unwrap(), Taken::Again("family".into()), "past its life");
        assert_eq!(codes.take("another", 1059, "").unwrap(), Taken::Unknown);
        assert_eq!(codes.take(&"a".repeat(1000), 1059, "").unwrap(), Taken::Unknown);
    }
}

#[test]
fn it_ends_by_itself_and_is_forgotten() {
    let table = Arc::new(Memory::default());
    let codes = open(&table);
    let (late, used) = (codes.give(&json!(1), 1000).unwrap(), codes.give(&json!(2), 1000).unwrap());
    assert_eq!(codes.take(late.expose(), 1060, "").unwrap(), Taken::Unknown);
    assert_eq!(codes.take(used.expose(), 1001, "n").unwrap(), Taken::First(json!(2)));
    codes.sweep(1060).unwrap();
    assert_eq!(table.all_keys().len(), 1, "what was used is remembered for longer");
    // After a restart too.
    let codes = open(&table);
    codes.sweep(1001 + limits::USED_MEMORY_S - 1).unwrap();
    assert_eq!(table.all_keys().len(), 1);
    codes.sweep(1001 + limits::USED_MEMORY_S).unwrap();
    assert!(table.all_keys().is_empty());
    assert_eq!(codes.take(used.expose(), 9000, "").unwrap(), Taken::Unknown);
}

/// What the disk does not take was not given out, and was not used.
#[test]
fn a_full_disk_gives_nothing_and_takes_nothing() {
    let table = Arc::new(Memory::default());
    let codes = open(&table);
    let code = codes.give(&json!(1), 1000).unwrap();
    table.full.store(true, Ordering::Relaxed);
    assert!(matches!(codes.give(&json!(1), 1000), Err(GiveError::Unavailable(_))));
    assert!(codes.take(code.expose(), 1000, "").is_err());
    table.full.store(false, Ordering::Relaxed);
    assert_eq!(codes.take(code.expose(), 1000, "").unwrap(), Taken::First(json!(1)));
    assert_eq!(table.all_keys().len(), 1);
    table.put(b"short", b"{}").unwrap();
    assert!(SingleUse::open(table, LIFE_S).is_err(), "what this program did not write");
}

#[test]
fn of_many_at_once_one_gets_it() {
    let codes = open(&Arc::new(Memory::default()));
    for _ in 0..50 {
        let code = codes.give(&json!(1), 1000).unwrap();
        let firsts = std::thread::scope(|scope| {
            let take = || codes.take(code.expose(), 1000, "").unwrap();
            let takers: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            takers.into_iter().map(|taker| taker.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(firsts.iter().filter(|taken| **taken == Taken::First(json!(1))).count(), 1);
        assert_eq!(firsts.iter().filter(|taken| **taken == Taken::Again(String::new())).count(), 3);
    }
}
