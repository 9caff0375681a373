//! Choices that a seed decides.

use proptest::{
    prelude::Rng,
    test_runner::{RngAlgorithm, TestRng},
};

/// A source of choices. The same seed gives the same choices on every machine.
pub(super) struct Dice(TestRng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next_u64() % (end as u64)).unwrap()
    }

    /// A number from `start` and below `end`.
    pub(super) fn between(&mut self, start: i64, end: i64) -> i64 {
        start + i64::try_from(self.below(usize::try_from(end - start).unwrap())).unwrap()
    }

    /// Yes, so often in a hundred.
    pub(super) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// One of these.
    pub(super) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// A list, its length from `least` and below `end`.
    pub(super) fn list<T>(&mut self, least: usize, end: usize, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let length = least + self.below(end - least);
        (0..length).map(|_| one(self)).collect()
    }
}
