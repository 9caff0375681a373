//! An entry is of the view's moment, or it is not given.

use super::*;

const KEY: &str = "row 1";

struct Kept {
    hot: Hot,
    shelf: Shelf<String, String>,
}

impl Kept {
    fn new() -> Self {
        Self { hot: Hot::new(), shelf: Shelf::new(1024 * 1024, 16) }
    }

    fn hash(&self) -> u64 {
        self.hot.hash(Kind::Version, KEY.as_bytes())
    }

    fn given(&self, moment: u64) -> Option<String> {
        self.shelf.value(&self.hot, self.hash(), KEY, moment)
    }

    fn keep(&self, text: &str, moment: u64) {
        self.shelf.keep(self.hash(), KEY.into(), text.into(), text.len(), moment);
    }

    fn change(&self) -> u64 {
        let number = self.hot.begin(&[self.hash()]);
        self.hot.publish(number);
        number
    }
}

#[test]
fn a_value_is_given_again_until_its_key_changes() {
    let kept = Kept::new();
    let first = kept.hot.moment();
    kept.keep("one", first);
    assert_eq!(kept.given(first).unwrap(), "one");
    let second = kept.change();
    assert_eq!(kept.given(second), None, "the new view must not see the old value");
    assert_eq!(kept.given(first), None, "the old view asks the engine again");
    kept.keep("two", second);
    assert_eq!(kept.given(second).unwrap(), "two");
    assert_eq!(kept.given(first), None, "the old view must not see the new value");
}

#[test]
fn what_is_forgotten_takes_no_room() {
    let kept = Kept::new();
    let moment = kept.hot.moment();
    kept.keep("one", moment);
    assert!(kept.shelf.stats("test").bytes > 0);
    kept.shelf.forget(kept.hash());
    assert_eq!(kept.given(moment), None);
    assert_eq!(kept.shelf.stats("test").bytes, 0);
}

#[test]
fn a_slow_reader_cannot_bring_an_old_value_back() {
    let kept = Kept::new();
    let before = kept.hot.moment();
    let after = kept.change();
    kept.keep("old", before);
    assert_eq!(kept.given(after), None);
}

#[test]
fn a_batch_that_is_not_visible_yet_stops_giving() {
    let kept = Kept::new();
    let moment = kept.hot.moment();
    kept.keep("one", moment);
    let number = kept.hot.begin(&[kept.hash()]);
    assert_eq!(kept.given(moment), None);
    // A view taken now may see the batch or not; it must not trust what it keeps.
    kept.keep("either", kept.hot.moment());
    kept.hot.publish(number);
    assert_eq!(kept.given(kept.hot.moment()), None);
}

#[test]
fn keys_that_share_a_hash_are_told_apart() {
    let kept = Kept::new();
    kept.keep("one", 0);
    assert_eq!(kept.shelf.value(&kept.hot, kept.hash(), "another row", 0), None);
}

#[test]
fn what_is_made_over_and_over_must_be_asked_for_more_often() {
    let hot = Hot::new();
    let (one, other) = (hot.hash(Kind::Folder, b"one"), hot.hash(Kind::Folder, b"other"));
    assert!(!hot.is_worth_making(one));
    assert!(!hot.is_worth_making(other));
    assert!(hot.is_worth_making(one));
    // It was made then, and did not stay: it must be asked for more often, and more often still, up to a bound.
    let until_made = || 1 + (0..).take_while(|_| !hot.is_worth_making(one)).count();
    assert_eq!([(); 8].map(|()| until_made()), [4, 8, 16, 32, 64, 64, 64, 64]);
    assert!(hot.is_worth_making(other));
}

#[test]
fn what_fits_stays_however_often_it_is_asked_for() {
    let kept = Kept::new();
    let keys: Vec<_> = (0..600u32).map(|n| n.to_string()).collect();
    let hash = |key: &String| kept.hot.hash(Kind::Version, key.as_bytes());
    keys.iter().for_each(|key| kept.shelf.keep(hash(key), key.clone(), "x".repeat(600), 600, 0));
    for round in 0..50 {
        for key in keys.iter().skip(round % 7).step_by(1 + round % 3) {
            assert!(kept.shelf.value(&kept.hot, hash(key), key.as_str(), 0).is_some(), "{key} in round {round}");
        }
    }
    let stats = kept.shelf.stats("all");
    assert!(stats.bytes > 600 * 600 && stats.bytes < stats.bytes_max);
}

#[test]
fn it_stays_within_its_bytes_and_keeps_what_is_asked_for() {
    let kept = Kept::new();
    kept.keep("asked for", 0);
    for n in 0..20_000u32 {
        let key = n.to_string();
        let hash = kept.hot.hash(Kind::Version, key.as_bytes());
        kept.shelf.keep(hash, key, "x".repeat(1000), 1000, 0);
        if n % 10 == 0 {
            assert!(kept.given(0).is_some(), "after {n}");
        }
    }
    let bytes: usize = kept
        .shelf
        .shards
        .iter()
        .map(|shard| {
            let shard = shard.lock().unwrap();
            shard.young.values().chain(shard.old.values()).map(|entry| entry.bytes).sum::<usize>()
        })
        .sum();
    assert!(bytes <= kept.shelf.bytes_max + 16 * 2000, "{bytes}");
}
