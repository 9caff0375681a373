//! Edits: replacements of spans, applied at once. Everything else keeps its bytes.

use std::ops::Range;

/// Replacements of spans of one body.
#[derive(Debug, Default)]
pub struct Edits(Vec<(Range<usize>, Vec<u8>)>);

impl Edits {
    /// No edits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Replaces the bytes of `span` (empty span: an insertion). Spans must not overlap; of
    /// overlapping ones the first in the body wins.
    pub fn replace(&mut self, span: Range<usize>, with: impl Into<Vec<u8>>) {
        self.0.push((span, with.into()));
    }

    /// The body with all replacements made.
    #[must_use]
    pub fn apply(mut self, body: &[u8]) -> Vec<u8> {
        self.0.sort_by_key(|(span, _)| span.start);
        let mut out = Vec::with_capacity(body.len() + self.0.iter().map(|(_, with)| with.len()).sum::<usize>());
        let mut at = 0;
        for (span, with) in &self.0 {
            if span.start < at {
                continue;
            }
            out.extend_from_slice(body.get(at..span.start).unwrap_or_default());
            out.extend_from_slice(with);
            at = span.end;
        }
        out.extend_from_slice(body.get(at..).unwrap_or_default());
        out
    }
}
