//! Answers that leave at steps of time, so that the time tells nothing of hidden rows (rows F13,
//! F14; docs/adr/0012).
//!
//! A caller who sees a part of a type is answered from rows of which some are hidden: they cost
//! look-ups and tests, and the caller may not count them by a clock. Such answers wait for the end
//! of a step: 1 ms after the work began, 2, 4, 8 and so on. Whatever ends within a step is alike.
//! Not held: what a caller found by its id, and made or changed, since nothing hidden is looked at
//! for it; and callers without a granular scope, for whom nothing of a type is hidden.

use crate::limits;
use policy::{Interaction, Permit};
use std::time::Instant;

/// Whether and since when an answer is held.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    /// When the work began: after the body was there, so that a slow body moves no step.
    since: Instant,
    /// Also when it was done.
    when_done: bool,
}

impl Held {
    /// For this permit, from now on.
    pub(crate) fn begin(permit: &Permit, interaction: &Interaction) -> Option<Self> {
        let direct = matches!(
            interaction,
            Interaction::Capabilities
                | Interaction::Read(..)
                | Interaction::Vread(..)
                | Interaction::Create(_)
                | Interaction::Update(..)
        );
        permit.is_narrowed().then(|| Self { since: Instant::now(), when_done: !direct })
    }

    /// Held also when it was done: something was looked for that may be hidden.
    pub(crate) fn when_done(&mut self) {
        self.when_done = true;
    }

    /// When the answer may leave; `None`: at once.
    pub(crate) fn until(self, done: bool) -> Option<Instant> {
        if done && !self.when_done {
            return None;
        }
        self.since.checked_add(step(self.since.elapsed()))
    }
}

/// The first step that is not over after so much time.
fn step(elapsed: std::time::Duration) -> std::time::Duration {
    let mut step = limits::HELD_AT_LEAST;
    while step < elapsed {
        step = step.saturating_mul(2);
    }
    step
}

#[cfg(test)]
mod tests;
