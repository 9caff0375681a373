//! Some dozens of crash points of a small piece of work, the directory looked at after each commit.

mod full_disk;

use super::{
    check::Ledger,
    disk::{Cache, Disk, Loss},
    flip::{Count, Subject},
    workload::{Work, Worker},
};
use crate::Server;
use std::{cell::RefCell, path::Path, time::Instant};

/// Memory, where the machine has a place for that: every commit waits for its disk.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

#[test]
fn a_crash_at_any_point_loses_nothing_that_was_acknowledged() {
    // Rows F23 to F25, C4.
    let place = scratch();
    let (data, images) = (place.path().join("data"), place.path().join("images"));
    std::fs::create_dir_all(&data).unwrap();
    let mut cache = Cache::new(place.path().join("cache"));
    let server = Server::open(&data, Server::BASE_URL, false).unwrap();
    let mut disk = Disk::of(&data);
    let ledger = RefCell::new(Ledger::new(false));
    let (mut points, mut line) = (0, 0);
    let mut live = std::collections::BTreeSet::new();
    for turn in 0..10 {
        let began = Instant::now();
        let before = ledger.borrow().clone();
        let heard = RefCell::new(Vec::new());
        let mut say = |text: &str| {
            line += 1;
            heard.borrow_mut().push(text.to_owned());
            ledger.borrow_mut().hear(line, text);
        };
        let mut worker = Worker::new(&server, turn, &mut say);
        (worker.number, worker.next) = (usize::try_from(turn).unwrap() * 10, usize::try_from(turn).unwrap() * 10);
        worker.live = std::mem::take(&mut live);
        worker.write();
        live = std::mem::take(&mut worker.live);
        // Before the answer: what was asked for is under way, and nothing of this turn is stable. The
        // log and the mark are written after the engine has synced.
        let mut disk_under_way = disk.clone();
        disk_under_way.observe_part(&data, "engine");
        disk.observe_part(&data, "engine");
        disk.observe_part(&data, "audit");
        if began.elapsed().as_millis() > 1000 {
            // A slow machine: the idle writer may have swept the outbox, after it had synced the log.
            disk.settle("audit");
        }
        let mut under_way = before;
        for text in heard.borrow().iter().filter(|text| text.starts_with("try") || text.starts_with("table")) {
            under_way.hear(line, text);
        }
        for (at, loss) in [Loss::Unsynced, Loss::Torn].into_iter().enumerate() {
            let image = images.join("under-way");
            disk_under_way.image(loss, turn * 10 + at as u64, &image, &mut cache);
            let checked = under_way.check(&image, loss, turn == 4 && at == 1);
            checked.unwrap_or_else(|why| panic!("turn {turn}, {loss:?} {at}, under way: {why}"));
            std::fs::remove_dir_all(&image).unwrap();
            points += 1;
        }
        // After the answer: the engine has synced, the log and the mark may not have.
        disk.settle("engine");
        for loss in [Loss::Killed, Loss::Torn] {
            let image = images.join("answered");
            disk.image(loss, turn, &image, &mut cache);
            let checked = ledger.borrow().check(&image, loss, turn == 9);
            checked.unwrap_or_else(|why| panic!("turn {turn}, {loss:?}, answered: {why}"));
            std::fs::remove_dir_all(&image).unwrap();
            points += 1;
        }
        // A mark speaks of what was synced: it is seen when that is known to be.
        server.store().log().sync().unwrap();
        disk.settle("audit");
        disk.observe(&data);
    }
    assert!(points >= 40 && ledger.borrow().acknowledged >= 10, "{points} points");
}

#[test]
fn a_flipped_bit_is_found_and_never_given_out() {
    // Row F23; the whole of it: `cargo xtask crash --flips N`.
    let place = scratch();
    let data = place.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    let mut ledger = Ledger::new(false);
    super::workload::work(&data, Work { commits: 12, seed: 2, large: 0 }, false, &mut |line| ledger.hear(0, line));
    let subject = Subject::new(&data, &ledger);
    let mut count = Count::default();
    for number in 0..16 {
        // Files of every kind come in turns: their list is sorted, and 5 is prime to most lengths.
        let (name, found) = subject.flip(number * 5, 11, place.path()).unwrap();
        count.add(&name, found);
    }
    assert!(count.0.len() >= 3, "{count:?}");
}
