//! Sets of concepts: sorted, disjoint, half-open ranges of positions in a code system.
//!
//! Concepts are numbered so that what is below a concept lies mostly in one piece
//! ([`crate::hierarchy`]): a set of 100,000 concepts is often a handful of ranges.

/// A set of positions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges(Vec<(u32, u32)>);

/// Whether sorted, disjoint ranges hold a position.
#[must_use]
pub(crate) fn hold(ranges: &[(u32, u32)], at: u32) -> bool {
    let after = ranges.partition_point(|range| range.0 <= at);
    after.checked_sub(1).and_then(|last| ranges.get(last)).is_some_and(|range| at < range.1)
}

impl Ranges {
    /// No position.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// All positions below `len`.
    #[must_use]
    pub fn below(len: u32) -> Self {
        Self(if len == 0 { Vec::new() } else { vec![(0, len)] })
    }

    /// Of ranges in any order, which may overlap.
    #[must_use]
    pub fn of(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.retain(|range| range.0 < range.1);
        ranges.sort_unstable();
        let mut held: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (start, end) in ranges {
            match held.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => held.push((start, end)),
            }
        }
        Self(held)
    }

    /// Of positions in any order.
    #[must_use]
    pub fn of_positions(positions: impl IntoIterator<Item = u32>) -> Self {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        let mut sorted = true;
        for at in positions {
            match ranges.last_mut() {
                Some(last) if at == last.1 => last.1 = at.saturating_add(1),
                last => {
                    sorted &= last.is_none_or(|last| last.1 < at);
                    ranges.push((at, at.saturating_add(1)));
                }
            }
        }
        if sorted { Self(ranges) } else { Self::of(ranges) }
    }

    /// The ranges, sorted and disjoint.
    #[must_use]
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }

    /// Whether this position is in it.
    #[must_use]
    pub fn contains(&self, at: u32) -> bool {
        hold(&self.0, at)
    }

    /// How many positions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|(start, end)| (end - start) as usize).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The positions in their order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().flat_map(|(start, end)| *start..*end)
    }

    /// The positions after the first `count`, without walking over those.
    pub fn iter_after(&self, mut count: usize) -> impl Iterator<Item = u32> {
        self.0.iter().flat_map(move |(start, end)| {
            let skipped = count.min((end - start) as usize);
            count -= skipped;
            (start + u32::try_from(skipped).unwrap_or(u32::MAX))..*end
        })
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        if self.is_empty() {
            return other.clone();
        }
        let mut ranges = Vec::with_capacity(self.0.len() + other.0.len());
        ranges.extend_from_slice(&self.0);
        ranges.extend_from_slice(&other.0);
        Self::of(ranges)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut held = Vec::new();
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let (start, end) = (a.0.max(b.0), a.1.min(b.1));
            if start < end {
                held.push((start, end));
            }
            if a.1 < b.1 {
                left.next();
            } else {
                right.next();
            }
        }
        Self(held)
    }

    /// What is in this one only.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut held = Vec::new();
        let mut taken = other.0.iter().peekable();
        for (mut start, end) in self.0.iter().copied() {
            while let Some((from, to)) = taken.peek() {
                if *from >= end {
                    break;
                }
                if *from > start {
                    held.push((start, *from));
                }
                start = start.max((*to).min(end));
                if *to > end {
                    break;
                }
                taken.next();
            }
            if start < end {
                held.push((start, end));
            }
        }
        Self(held)
    }
}

#[cfg(test)]
mod tests;
