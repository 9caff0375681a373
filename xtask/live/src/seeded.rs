//! Chance that a seed repeats: SplitMix64 (Steele, Lea, Flood 2014). Enough for choosing work; not for secrets.

/// A stream of chosen numbers.
#[derive(Debug, Clone)]
pub struct Seeded(u64);

impl Seeded {
    /// The stream of this seed; `part` tells apart the streams of one run.
    pub fn new(seed: u64, part: u64) -> Self {
        let mut out = Self(seed ^ part.wrapping_mul(0xD134_2543_DE82_EF95));
        out.next();
        out
    }

    /// The next 64 bits.
    #[expect(clippy::should_implement_trait, reason = "an iterator would have an end")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }
}
