//! Figures read back are right within a bucket.

use super::{Histogram, bucket, top};
use std::time::Duration;

#[test]
fn every_latency_is_within_its_bucket_and_three_per_cent() {
    let mut last = 0;
    for micros in (0..70).chain((1..40).map(|n| (1u64 << n) - 1)).chain((1..40).map(|n| 1u64 << n)) {
        let top = top(bucket(micros));
        assert!(top >= micros && top - micros <= micros / 32 + 1, "{micros} → {top}");
        last = last.max(bucket(micros));
    }
    assert!(last < 1200, "{last} buckets");
}

#[test]
fn shares_of_a_thousand() {
    let mut one = Histogram::default();
    (1..=500u64).for_each(|n| one.add(Duration::from_micros(n)));
    let mut two = Histogram::default();
    (501..=1000u64).for_each(|n| two.add(Duration::from_micros(n)));
    one.merge(&two);
    assert_eq!((one.count(), one.max()), (1000, Duration::from_micros(1000)));
    let near = |got: Duration, right: u64| got.as_micros().abs_diff(u128::from(right)) <= u128::from(right / 32 + 1);
    assert!(near(one.per_mille(500), 500) && near(one.per_mille(990), 990) && near(one.per_mille(999), 999));
    assert_eq!(Histogram::default().per_mille(999), Duration::ZERO);
}
