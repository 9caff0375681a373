//! Ranks of latencies.

use super::Measured;
use std::time::Duration;

#[test]
fn ranks() {
    let latencies = (1..=1000).rev().map(Duration::from_micros).collect();
    let measured = Measured::from(latencies, Duration::from_secs(2));
    let all = [measured.per_second, measured.p50_us, measured.p99_us, measured.p999_us, measured.max_us];
    let expected = [500.0, 501.0, 991.0, 1000.0, 1000.0];
    assert!(all.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{all:?}");
    assert_eq!(Measured::from(Vec::new(), Duration::from_secs(1)).requests, 0);
}
