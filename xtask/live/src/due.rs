//! When requests of an open loop fall due: at a fixed rate, whatever the server does.

use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Shortest time between two moments at which requests fall due; at higher rates several fall due
/// together. A sleeping thread wakes about 60 µs late, and that counts too.
const TICK: Duration = Duration::from_micros(250);

/// The clock of an open loop, on a thread of its own: it never waits for an answer. The number of
/// requests that fell due.
pub fn tick(rate: f64, time: Duration, first: usize, send: &mpsc::UnboundedSender<(usize, Instant)>) -> usize {
    let step = TICK.as_secs_f64().max(1.0 / rate);
    let begin = Instant::now();
    let (mut sent, mut n) = (0, 0u32);
    loop {
        let offset = Duration::from_secs_f64(step * f64::from(n));
        if offset >= time {
            return sent;
        }
        let due = begin + offset;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of requests")]
        let until = (rate * step * f64::from(n + 1)).round() as usize;
        while sent < until {
            if send.send((first + sent, due)).is_err() {
                return sent;
            }
            sent += 1;
        }
        n += 1;
    }
}

#[cfg(test)]
mod tests;
