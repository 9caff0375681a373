//! Events of which a stranger can make as many as he likes: a few lines a minute, and the count of the rest.

use std::sync::{Mutex, PoisonError};

/// Seconds of a window.
const WINDOW_S: i64 = 60;

/// Lines in a window.
const LINES: u32 = 10;

/// Lets few of many through.
#[derive(Debug, Default)]
pub(crate) struct Sparing(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    began_s: i64,
    let_through: u32,
    kept_back: u64,
}

impl Sparing {
    /// Whether this one may have its line; then with the number of those that had none before it.
    pub(crate) fn take(&self, now_s: i64) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now_s - state.began_s >= WINDOW_S {
            (state.began_s, state.let_through) = (now_s, 0);
        }
        if state.let_through == LINES {
            state.kept_back += 1;
            return None;
        }
        state.let_through += 1;
        Some(std::mem::take(&mut state.kept_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_has_ten_lines_a_minute_and_its_number_is_told() {
        let sparing = Sparing::default();
        let through = (0..100).filter(|_| sparing.take(1000).is_some()).count();
        assert_eq!(through, 10);
        assert_eq!(sparing.take(1059), None);
        assert_eq!(sparing.take(1060), Some(91));
        assert_eq!(sparing.take(1060), Some(0));
    }
}
