//! When memory is called flat.
//!
//! The rule: over the last two thirds of the run, the straight line that fits the samples of
//! anonymous memory best (least squares) rises by no more than a tenth of their mean, and no more
//! than 16 MiB. Anonymous memory is what a leak grows; pages of files that are mapped come and go
//! as the kernel likes and are told apart. The first third is for caches to fill.

use live::subject::Memory;

/// Rise allowed over the last two thirds, as a part of the mean.
const RISE_PART: f64 = 0.1;

/// Rise allowed, in MiB, however large the mean.
const RISE_MIB: f64 = 16.0;

/// What the samples say.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// Mean of the anonymous memory of the last two thirds, MiB.
    pub(crate) mean: f64,
    /// Rise of the line over them, MiB.
    pub(crate) rise: f64,
    /// Largest resident memory of all, MiB.
    pub(crate) peak: f64,
    /// Resident memory that files stand behind, at the end, MiB.
    pub(crate) of_files: f64,
}

#[expect(clippy::cast_precision_loss, reason = "bytes")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

impl Verdict {
    /// Of samples a second apart.
    #[expect(clippy::cast_precision_loss, reason = "counts of samples")]
    pub(crate) fn of(samples: &[Memory]) -> Self {
        let late = samples.get(samples.len() / 3..).unwrap_or_default();
        let n = late.len().max(1) as f64;
        let points = || late.iter().enumerate().map(|(x, memory)| (x as f64, mebibytes(memory.anonymous)));
        let (mean_x, mean) = (points().map(|p| p.0).sum::<f64>() / n, points().map(|p| p.1).sum::<f64>() / n);
        let along = points().map(|(x, y)| (x - mean_x) * (y - mean)).sum::<f64>();
        let spread = points().map(|(x, _)| (x - mean_x).powi(2)).sum::<f64>();
        let rise = if spread > 0.0 { along / spread * (n - 1.0) } else { 0.0 };
        let peak = samples.iter().map(|memory| mebibytes(memory.resident)).fold(0.0, f64::max);
        let of_files =
            samples.last().map_or(0.0, |memory| mebibytes(memory.resident - memory.anonymous.min(memory.resident)));
        Self { mean, rise, peak, of_files }
    }

    pub(crate) fn is_flat(&self) -> bool {
        self.rise <= (self.mean * RISE_PART).min(RISE_MIB)
    }
}

#[cfg(test)]
mod tests;
