//! A text that must not be shown: codes, refresh tokens, verifiers, client secrets. No Debug, Display or Serialize
//! (invariant 11).

use aws_lc_rs::constant_time::verify_slices_are_equal;

/// A secret text.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Of a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for hashing or comparing it, or for the one response that gives it out.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether both are the same, in a time that does not tell where they differ (row B12).
    #[must_use]
    pub fn is(&self, other: &[u8]) -> bool {
        same(self.0.as_bytes(), other)
    }
}

/// Whether two texts of one length are the same, in constant time.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    verify_slices_are_equal(one, other).is_ok()
}
