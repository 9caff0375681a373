//! Numbers of conversion factors: fractions with a power of ten, exact as long as 128 bits hold them, and the
//! nearest binary number beyond.

use crate::primitive::decimal::Decimal;
use std::cmp::Ordering;

/// Significant digits of a decimal that stands for a number without a finite one.
const DIGITS: u32 = 18;

/// Largest power of ten, either way, that a number may have.
const EXPONENT_MAX: i32 = 10_000;

/// Two binary numbers that differ by less, relatively, count as equal: rounding, not measurement.
const NEAR: f64 = 1e-12;

/// A number: `numerator / denominator × 10^exponent`, or the nearest binary one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// In lowest terms, without factors of ten in numerator or denominator; the denominator is positive.
    #[expect(missing_docs, reason = "the names say it")]
    Exact { numerator: i128, denominator: i128, exponent: i32 },
    /// Finite; an irrational function was applied, or 128 bits did not hold the fraction.
    Near(f64),
}

impl Number {
    /// One.
    pub const ONE: Self = Self::Exact { numerator: 1, denominator: 1, exponent: 0 };

    /// A whole number.
    #[must_use]
    pub fn integer(value: i128) -> Self {
        Self::reduced(value, 1, 0).unwrap_or(Self::ONE)
    }

    /// A decimal; one beyond any use becomes zero or the largest number.
    #[must_use]
    pub fn decimal(value: Decimal) -> Self {
        let vast = if value.exponent < 0 { 0.0 } else { f64::MAX };
        let sign = if value.mantissa < 0 { -1.0 } else { 1.0 };
        Self::reduced(value.mantissa, 1, value.exponent).unwrap_or(Self::Near(sign * vast))
    }

    pub(super) fn near(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self::Near(value))
    }

    fn reduced(numerator: i128, denominator: i128, exponent: i32) -> Option<Self> {
        if numerator == 0 {
            return Some(Self::Exact { numerator: 0, denominator: 1, exponent: 0 });
        }
        let common = i128::try_from(divisor(numerator.unsigned_abs(), denominator.unsigned_abs())).ok()?;
        let (mut numerator, mut denominator) = (numerator.checked_div(common)?, denominator.checked_div(common)?);
        if denominator < 0 {
            (numerator, denominator) = (numerator.checked_neg()?, denominator.checked_neg()?);
        }
        let mut exponent = exponent;
        while numerator % 10 == 0 {
            (numerator, exponent) = (numerator / 10, exponent.checked_add(1)?);
        }
        while denominator % 10 == 0 {
            (denominator, exponent) = (denominator / 10, exponent.checked_sub(1)?);
        }
        (exponent.abs() <= EXPONENT_MAX).then_some(Self::Exact { numerator, denominator, exponent })
    }

    /// Whether nothing was rounded.
    #[must_use]
    pub fn is_exact(self) -> bool {
        matches!(self, Self::Exact { .. })
    }

    fn is_zero(self) -> bool {
        match self {
            Self::Exact { numerator, .. } => numerator == 0,
            Self::Near(value) => value == 0.0,
        }
    }

    /// The nearest binary number; may be infinite or zero when it is out of range.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Exact { numerator, denominator, exponent } => {
                let above: f64 = format!("{numerator}e{exponent}").parse().unwrap_or(f64::NAN);
                let below: f64 = format!("{denominator}e0").parse().unwrap_or(f64::NAN);
                above / below
            }
            Self::Near(value) => value,
        }
    }

    /// The product; `None` beyond any range.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        let exact = || {
            let (
                Self::Exact { numerator: n, denominator: d, exponent: e },
                Self::Exact { numerator, denominator, exponent },
            ) = (self, other)
            else {
                return None;
            };
            // Crosswise first, so that what cancels needs no room.
            let left = i128::try_from(divisor(n.unsigned_abs(), denominator.unsigned_abs()).max(1)).ok()?;
            let right = i128::try_from(divisor(numerator.unsigned_abs(), d.unsigned_abs()).max(1)).ok()?;
            let above = (n / left).checked_mul(numerator / right)?;
            let below = (d / right).checked_mul(denominator / left)?;
            Self::reduced(above, below, e.checked_add(exponent)?)
        };
        exact().or_else(|| {
            let product = Self::near(self.to_f64() * other.to_f64())?;
            // What vanished by rounding is no zero.
            (!product.is_zero() || self.is_zero() || other.is_zero()).then_some(product)
        })
    }

    /// One divided by this; `None` of zero.
    #[must_use]
    pub fn inverse(self) -> Option<Self> {
        match self {
            Self::Exact { numerator: 0, .. } => None,
            Self::Exact { numerator, denominator, exponent } => {
                Self::reduced(denominator, numerator, exponent.checked_neg()?)
            }
            Self::Near(value) => Self::near(1.0 / value),
        }
    }

    /// The quotient; `None` for division by zero or beyond any range.
    #[must_use]
    pub fn over(self, other: Self) -> Option<Self> {
        self.times(other.inverse()?)
    }

    /// The sum; `None` beyond any range.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let exact = || {
            let (
                Self::Exact { numerator: n, denominator: d, exponent: e },
                Self::Exact { numerator, denominator, exponent },
            ) = (self, other)
            else {
                return None;
            };
            let low = e.min(exponent);
            let raise = |by: i32| 10i128.checked_pow(u32::try_from(by.checked_sub(low)?).ok()?);
            let left = n.checked_mul(denominator)?.checked_mul(raise(e)?)?;
            let right = numerator.checked_mul(d)?.checked_mul(raise(exponent)?)?;
            Self::reduced(left.checked_add(right)?, d.checked_mul(denominator)?, low)
        };
        if self.is_zero() {
            return Some(other);
        }
        if other.is_zero() {
            return Some(self);
        }
        exact().or_else(|| Self::near(self.to_f64() + other.to_f64()))
    }

    /// With the other sign.
    #[must_use]
    pub fn negative(self) -> Self {
        match self {
            Self::Exact { numerator, denominator, exponent } => {
                Self::Exact { numerator: numerator.saturating_neg(), denominator, exponent }
            }
            Self::Near(value) => Self::Near(-value),
        }
    }

    /// This to a whole power.
    #[must_use]
    pub fn power(self, power: i32) -> Option<Self> {
        let base = if power < 0 { self.inverse()? } else { self };
        let mut result = Self::ONE;
        for _ in 0..power.unsigned_abs() {
            result = result.times(base)?;
        }
        Some(result)
    }

    /// Numeric order. Where either was rounded, neighbours count as equal.
    #[must_use]
    pub fn compare(self, other: Self) -> Ordering {
        if let (Self::Exact { .. }, Self::Exact { .. }) = (self, other)
            && let Some(difference) = self.plus(other.negative())
            && let Self::Exact { numerator, .. } = difference
        {
            return numerator.cmp(&0);
        }
        let (left, right) = (self.to_f64(), other.to_f64());
        let rounded = !self.is_exact() || !other.is_exact();
        if rounded && (left - right).abs() <= NEAR * left.abs().max(right.abs()) {
            return Ordering::Equal;
        }
        left.total_cmp(&right)
    }

    /// As a decimal, and whether it is the very number: one without a finite decimal, or that was rounded
    /// before, has 18 significant digits (15 when it was rounded). `None` beyond the range of decimals.
    #[must_use]
    pub fn to_decimal(self) -> Option<(Decimal, bool)> {
        let Self::Exact { numerator, denominator, exponent } = self else { return rounded(self.to_f64()) };
        let finite = || {
            let (mut mantissa, mut exponent, mut below) = (numerator, exponent, denominator);
            while below % 2 == 0 {
                (below, mantissa, exponent) = (below / 2, mantissa.checked_mul(5)?, exponent.checked_sub(1)?);
            }
            while below % 5 == 0 {
                (below, mantissa, exponent) = (below / 5, mantissa.checked_mul(2)?, exponent.checked_sub(1)?);
            }
            (below == 1).then_some(Decimal { mantissa, exponent })
        };
        if let Some(decimal) = finite() {
            return Some((decimal, true));
        }
        let digits = |value: i128| value.unsigned_abs().checked_ilog10().map_or(0, |log| log + 1);
        let scale = (DIGITS + digits(denominator)).saturating_sub(digits(numerator));
        let raised = 10i128.checked_pow(scale).and_then(|by| numerator.checked_mul(by));
        let Some(raised) = raised else { return rounded(self.to_f64()) };
        let (whole, rest) = (raised.checked_div(denominator)?, raised.checked_rem(denominator)?);
        let up = rest.unsigned_abs() >= denominator.unsigned_abs().div_ceil(2);
        let mantissa = if up { whole.checked_add(raised.signum())? } else { whole };
        Some((Decimal { mantissa, exponent: exponent.checked_sub(i32::try_from(scale).ok()?)? }, false))
    }
}

fn rounded(value: f64) -> Option<(Decimal, bool)> {
    let text = format!("{value:.14e}");
    let (digits, exponent) = text.split_once('e')?;
    let mantissa = digits.replace('.', "").parse().ok()?;
    Some((Decimal { mantissa, exponent: exponent.parse::<i32>().ok()?.checked_sub(14)? }, false))
}

/// The greatest common divisor.
fn divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
