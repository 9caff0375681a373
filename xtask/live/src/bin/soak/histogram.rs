//! Latencies counted into buckets: 32 to each power of two of microseconds, so a figure read back is
//! at most 3 per cent too large, and a quarter of an hour takes no more memory than a second.

use std::time::Duration;

/// Buckets of one power of two.
const FINE: u32 = 32;

/// Counts by latency.
#[derive(Debug, Clone, Default)]
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: Duration,
}

fn bucket(micros: u64) -> usize {
    let power = 63 - (micros | 1).leading_zeros();
    let power = power.max(FINE.trailing_zeros());
    let fine = micros >> (power - FINE.trailing_zeros());
    usize::try_from(u64::from(power - FINE.trailing_zeros()) * u64::from(FINE) + fine).unwrap_or(usize::MAX)
}

/// The largest latency that falls into a bucket.
fn top(bucket: usize) -> u64 {
    let fine = usize::try_from(FINE).unwrap_or(1);
    match bucket.checked_sub(fine) {
        None => u64::try_from(bucket).unwrap_or(0),
        Some(above) => {
            let (power, place) = (above / fine, above % fine);
            (u64::try_from(place + fine + 1).unwrap_or(0) << power) - 1
        }
    }
}

impl Histogram {
    pub(crate) fn add(&mut self, latency: Duration) {
        let at = bucket(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).min(1 << 40));
        if self.buckets.len() <= at {
            self.buckets.resize(at + 1, 0);
        }
        if let Some(bucket) = self.buckets.get_mut(at) {
            *bucket += 1;
        }
        self.count += 1;
        self.max = self.max.max(latency);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(to, from)| *to += from);
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn max(&self) -> Duration {
        self.max
    }

    /// The latency that so many of a thousand do not exceed.
    pub(crate) fn per_mille(&self, share: u64) -> Duration {
        let rank = (self.count * share).div_ceil(1000).max(1);
        let mut seen = 0;
        for (at, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_micros(top(at)).min(self.max);
            }
        }
        self.max
    }
}

#[cfg(test)]
mod tests;
