//! Tests of `rate`. Row F66.

use super::{Buckets, Limited, address_key};
use crate::limits;

#[test]
fn a_bucket_empties_and_fills() {
    let buckets = Buckets::new((2.0, 3.0));
    for _ in 0..3 {
        assert_eq!(buckets.take("a", 0), Ok(()));
    }
    assert_eq!(buckets.take("a", 0), Err(Limited { retry_after_s: 1, first: true }));
    assert_eq!(buckets.take("a", 100), Err(Limited { retry_after_s: 1, first: false }));
    assert_eq!(buckets.take("b", 100), Ok(()), "another key has its own");
    assert_eq!(buckets.take("a", 500), Ok(()));
    assert_eq!(buckets.take("a", 500), Err(Limited { retry_after_s: 1, first: true }));
    // The clock goes back: nothing is added, nothing breaks.
    assert!(buckets.take("a", -1_000_000).is_err());
    for _ in 0..3 {
        assert_eq!(buckets.take("a", 60_000), Ok(()));
    }
    assert!(buckets.take("a", 60_000).is_err(), "never more than the burst");
}

#[test]
fn a_slow_rate_says_how_long() {
    let buckets = Buckets::new((0.1, 1.0));
    assert_eq!(buckets.take(1, 0), Ok(()));
    assert_eq!(buckets.take(1, 0).unwrap_err().retry_after_s, 10);
    assert_eq!(buckets.take(1, 4000).unwrap_err().retry_after_s, 6);
}

/// Memory stays bounded under a flood of addresses; idle ones make room.
#[test]
fn keys_are_bounded() {
    let buckets = Buckets::new((1.0, 2.0));
    for key in 0..limits::RATE_ENTRIES_MAX {
        assert_eq!(buckets.take(key, 0), Ok(()));
    }
    let crowd: Vec<_> = (0..10).map(|n| buckets.take(limits::RATE_ENTRIES_MAX + n, 1)).collect();
    assert_eq!(crowd.iter().filter(|answer| answer.is_ok()).count(), 2, "those without room share one bucket");
    assert_eq!(buckets.state.lock().unwrap().buckets.len(), limits::RATE_ENTRIES_MAX + 1);
    assert_eq!(buckets.take(limits::RATE_ENTRIES_MAX + 99, 10_000), Ok(()));
    assert_eq!(buckets.state.lock().unwrap().buckets.len(), 1, "the idle are forgotten");
}

#[test]
fn addresses() {
    let key = |text: &str| address_key(text.parse().unwrap());
    assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:2"));
    assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
    assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
}
