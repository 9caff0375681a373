//! Decimals with their precision: value and number of significant digits, without binary rounding.
//!
//! SPEC: R4 datatypes.html#decimal, search.html#number (a written 100 means [99.5, 100.5)).

use std::cmp::Ordering;

/// An exact decimal: `mantissa × 10^exponent`, exponent as written (`1.50` is 150 × 10⁻²).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// Signed digits.
    pub mantissa: i128,
    /// Power of ten.
    pub exponent: i32,
}

impl Decimal {
    /// Reads a JSON or search number; `None` when it is none or has more than 36 digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let _ = text;
        None
    }

    /// Numeric order; `1.0` equals `1.00`.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        let _ = other;
        Ordering::Equal
    }
}
