//! The clock of the open loop.

use super::tick;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

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
