//! Seeded choices. Every patient has a stream of their own, so that patient 7 of a seed is the same
//! person whether 10 or 10,000 are asked for.
//!
//! Only the raw numbers of ChaCha are used: their meaning is fixed, whatever a later `rand` does.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Debug)]
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn range(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high.saturating_sub(low)) + 1;
        low + u32::try_from(self.0.next_u64() % span).unwrap_or_default()
    }

    /// `true` in `percent` of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.range(0, 99) < percent
    }

    /// A number from `low` to `high`.
    pub(crate) fn real(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * f64::from(self.range(0, 10_000)) / 10_000.0
    }

    /// One of these; the list is never empty.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let last = u32::try_from(list.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let at = self.range(0, last) as usize;
        #[expect(clippy::indexing_slicing, reason = "the lists are constants of this crate and not empty")]
        &list[at]
    }

    /// This many digits, the first one not 0.
    pub(crate) fn digits(&mut self, count: usize) -> String {
        (0..count).map(|at| char::from_digit(self.range(u32::from(at == 0), 9), 10).unwrap_or('0')).collect()
    }
}
