//! A folder is of the view's moment, or told what changed since, or not given.

use super::*;
use crate::engine::hot::Kind;

const PREFIX: &[u8] = b"p1 Observation";

struct Bench {
    hot: Hot,
    folders: Folders,
}

/// What a view is told, as a word and rows.
fn told(shelved: &Shelved) -> (&'static str, Vec<Row>) {
    match shelved {
        Shelved::Kept(_) => ("kept", Vec::new()),
        Shelved::Behind(_, rows, _) => ("behind", rows.clone()),
        Shelved::Wanted(_) => ("wanted", Vec::new()),
        Shelved::Rare => ("rare", Vec::new()),
    }
}

impl Bench {
    fn new() -> Self {
        Self { hot: Hot::new(), folders: Folders::new() }
    }

    fn asked(&self, moment: u64) -> Shelved {
        self.folders.of(&self.hot, self.hot.hash(Kind::Folder, PREFIX), PREFIX, moment)
    }

    fn told(&self, moment: u64) -> (&'static str, Vec<Row>) {
        told(&self.asked(moment))
    }

    fn wanted(&self, moment: u64) -> Place {
        loop {
            if let Shelved::Wanted(place) = self.asked(moment) {
                return place;
            }
        }
    }

    fn behind(&self, moment: u64) -> Place {
        match self.asked(moment) {
            Shelved::Behind(_, _, place) => place,
            other => panic!("{:?}", told(&other)),
        }
    }

    fn keep(&self, place: Place, moment: u64) {
        self.folders.keep(&self.hot, place, Arc::new(Folder::of_too_many()), moment);
    }

    fn begin(&self, rows: &[Row]) -> u64 {
        let hash = self.hot.hash(Kind::Folder, PREFIX);
        let number = self.hot.begin(&vec![hash; rows.len()]);
        self.folders.note(number, &rows.iter().map(|row| (hash, *row)).collect::<Vec<_>>());
        number
    }

    fn change(&self, rows: &[Row]) -> u64 {
        let number = self.begin(rows);
        self.hot.publish(number);
        number
    }
}

#[test]
fn what_changed_is_told_until_it_was_read() {
    let bench = Bench::new();
    assert_eq!(bench.told(0).0, "rare");
    bench.keep(bench.wanted(0), 0);
    assert_eq!(bench.told(0).0, "kept");
    let first = bench.change(&[7, 3]);
    let second = bench.change(&[7]);
    assert_eq!(bench.told(second), ("behind", vec![3, 7]));
    assert_eq!(bench.told(first).0, "rare", "a view before the second batch asks the engine");
    assert_eq!(bench.told(0).0, "rare");
    bench.keep(bench.behind(second), second);
    assert_eq!(bench.told(second).0, "kept");
    assert_eq!(bench.told(first).0, "rare", "an older view must not see it");
}

#[test]
fn a_batch_that_is_not_visible_yet_stops_giving() {
    let bench = Bench::new();
    bench.keep(bench.wanted(0), 0);
    let number = bench.begin(&[1]);
    assert_eq!(bench.told(0).0, "rare", "the view may have the batch or not");
    bench.hot.publish(number);
    assert_eq!(bench.told(number), ("behind", vec![1]));
}

#[test]
fn what_was_noted_while_it_was_brought_up_is_told_the_next() {
    let bench = Bench::new();
    bench.keep(bench.wanted(0), 0);
    let first = bench.change(&[1]);
    let place = bench.behind(first);
    let second = bench.change(&[2]);
    bench.keep(place, first);
    assert_eq!(bench.told(second), ("behind", vec![2]));
    // Two bring it up at once; the slower one must not undo what the quicker one did.
    let (slow, quick) = (bench.behind(second), bench.behind(second));
    bench.keep(quick, second);
    let third = bench.change(&[3]);
    bench.keep(slow, second);
    assert_eq!(bench.told(third), ("behind", vec![3]));
}

#[test]
fn a_slow_reader_cannot_bring_an_old_folder_in() {
    let bench = Bench::new();
    let place = bench.wanted(0);
    let number = bench.change(&[1]);
    bench.keep(place, 0);
    assert_eq!(bench.told(number).0, "rare");
    // Nor one that began on a folder which is gone.
    bench.keep(bench.wanted(number), number);
    let next = bench.change(&[2]);
    let place = bench.behind(next);
    let all: Vec<Row> = (0..=limits::FOLDER_CHANGES_MAX as Row).collect();
    let last = bench.change(&all);
    bench.keep(place, next);
    assert_eq!(bench.told(last).0, "rare");
}

#[test]
fn with_too_many_changes_it_goes() {
    let bench = Bench::new();
    bench.keep(bench.wanted(0), 0);
    let all: Vec<Row> = (0..limits::FOLDER_CHANGES_MAX as Row).collect();
    let number = bench.change(&all);
    assert_eq!(bench.told(number), ("behind", all));
    let number = bench.change(&[99]);
    assert_eq!(bench.told(number).0, "rare");
    assert_eq!(bench.folders.stats().bytes, 0);
}
