//! An entry is of the view's moment, or it is not given.

use super::*;

const KEY: &[u8] = b"row 1";

fn value(text: &str) -> Value {
    Value::from_bytes(text.as_bytes())
}

fn given(hot: &Hot, moment: u64) -> Option<Vec<u8>> {
    let hash = hot.hash(Space::Current, KEY);
    hot.value(hash, Space::Current, KEY, moment).map(|value| value.to_vec())
}

fn keep(hot: &Hot, text: &str, moment: u64) {
    hot.keep(hot.hash(Space::Current, KEY), Space::Current, KEY, &value(text), moment);
}

fn change(hot: &Hot) -> u64 {
    let number = hot.begin(&[hot.hash(Space::Current, KEY)]);
    hot.publish(number);
    number
}

#[test]
fn a_value_is_given_again_until_its_key_changes() {
    let hot = Hot::new();
    let first = hot.moment();
    keep(&hot, "one", first);
    assert_eq!(given(&hot, first).unwrap(), b"one");
    let second = change(&hot);
    assert_eq!(given(&hot, second), None, "the new view must not see the old value");
    assert_eq!(given(&hot, first), None, "the old view asks the engine again");
    keep(&hot, "two", second);
    assert_eq!(given(&hot, second).unwrap(), b"two");
    assert_eq!(given(&hot, first), None, "the old view must not see the new value");
}

#[test]
fn a_slow_reader_cannot_bring_an_old_value_back() {
    let hot = Hot::new();
    let before = hot.moment();
    let after = change(&hot);
    keep(&hot, "old", before);
    assert_eq!(given(&hot, after), None);
}

#[test]
fn a_batch_that_is_not_visible_yet_stops_giving() {
    let hot = Hot::new();
    let moment = hot.moment();
    keep(&hot, "one", moment);
    let number = hot.begin(&[hot.hash(Space::Current, KEY)]);
    assert_eq!(given(&hot, moment), None);
    // A view taken now may see the batch or not; it must not trust what it keeps.
    keep(&hot, "either", hot.moment());
    hot.publish(number);
    assert_eq!(given(&hot, hot.moment()), None);
}

#[test]
fn it_stays_within_its_bytes_and_keeps_what_is_asked_for() {
    let hot = Hot::new();
    let big = "x".repeat(1000);
    keep(&hot, "asked for", 0);
    for n in 0..200_000u32 {
        let key = n.to_be_bytes();
        hot.keep(hot.hash(Space::Id, &key), Space::Id, &key, &value(&big), 0);
        if n % 10 == 0 {
            assert!(given(&hot, 0).is_some(), "after {n}");
        }
    }
    let bytes: usize = hot
        .shards
        .iter()
        .map(|shard| {
            let shard = shard.lock().unwrap();
            shard.young.values().chain(shard.old.values()).map(Entry::bytes).sum::<usize>()
        })
        .sum();
    assert!(bytes <= limits::HOT_BYTES + SHARDS * 2000, "{bytes}");
}
