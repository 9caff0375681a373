//! Ranks of latencies, and the clock of the open loop.

use super::{Measured, tick};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

#[test]
fn ranks() {
    let latencies = (1..=1000).rev().map(Duration::from_micros).collect();
    let measured = Measured::from(latencies, Duration::from_secs(2));
    let all = [measured.per_second, measured.p50_us, measured.p99_us, measured.p999_us, measured.max_us];
    let expected = [500.0, 501.0, 991.0, 1000.0, 1000.0];
    assert!(all.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{all:?}");
    assert_eq!(Measured::from(Vec::new(), Duration::from_secs(1)).requests, 0);
}

#[test]
fn as_many_fall_due_as_the_rate_says_and_each_at_its_time() {
    let (send, mut receive) = mpsc::unbounded_channel();
    let begin = Instant::now();
    assert_eq!(tick(20_000.0, Duration::from_millis(50), 7, &send), 1000);
    drop(send);
    let mut next = 7;
    while let Ok((ticket, due)) = receive.try_recv() {
        assert_eq!(ticket, next);
        let at = u32::try_from(ticket - 7).unwrap_or(0);
        let ideal = Duration::from_micros(50) * at;
        let offset = due.saturating_duration_since(begin);
        assert!(offset + Duration::from_micros(260) >= ideal, "{ticket} is due at {offset:?}");
        next += 1;
    }
    assert_eq!(next, 1007);
}
