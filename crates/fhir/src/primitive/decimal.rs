//! Decimals with their precision: value and number of significant digits, without binary rounding.
//!
//! SPEC: R4 datatypes.html#decimal. Left out: arithmetic and spans, which FHIRPath and search each
//! do by their own rules of rounding (`fhirpath::number`, `search::exact`).

use std::{cmp::Ordering, fmt};

#[cfg(test)]
mod tests;

/// Most digits of a decimal that is read. FHIR asks for 18; 36 leave room for two more in 128 bits.
const DIGITS_MAX: u32 = 36;

/// Largest power of ten, either way, of a decimal that is read.
const EXPONENT_MAX: u32 = 6144;

/// An exact decimal: `mantissa × 10^exponent`, exponent as written (`1.50` is 150 × 10⁻²).
///
/// `==` asks for the same digits; [`Decimal::compare`] for the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// Signed digits.
    pub mantissa: i128,
    /// Power of ten.
    pub exponent: i32,
}

impl Decimal {
    /// Reads a JSON or search number; `None` when it is none, has more than 36 digits (leading
    /// zeros not counted), or a power of ten beyond ±6144.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (digits, power) = match unsigned.split_once(['e', 'E']) {
            Some((digits, power)) => (digits, read_power(power)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (digits, ""),
        };
        if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
            return None;
        }
        let mut mantissa: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            let digit = byte.is_ascii_digit().then(|| i128::from(byte - b'0'))?;
            mantissa = mantissa.checked_mul(10)?.checked_add(digit)?;
            if mantissa >= power_of_ten(DIGITS_MAX)? {
                return None;
            }
        }
        let exponent = power.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let mantissa = if negative { -mantissa } else { mantissa };
        (exponent.unsigned_abs() <= EXPONENT_MAX).then_some(Self { mantissa, exponent })
    }

    /// Numeric order; `1.0` equals `1.00`.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        let sign = self.mantissa.signum().cmp(&other.mantissa.signum());
        if sign != Ordering::Equal || self.mantissa == 0 {
            return sign;
        }
        let size = self.magnitude().cmp(&other.magnitude());
        let size = size.then_with(|| {
            // The same magnitude: whoever has the smaller exponent has the more digits, at most 39 of them.
            let (a, b) = (self.mantissa.unsigned_abs(), other.mantissa.unsigned_abs());
            let apart = self.exponent.abs_diff(other.exponent);
            if self.exponent >= other.exponent { scaled_cmp(a, apart, b) } else { scaled_cmp(b, apart, a).reverse() }
        });
        if self.mantissa < 0 { size.reverse() } else { size }
    }

    /// Position of the first digit before the point: 2 for 12.5, 0 for 0.5.
    fn magnitude(&self) -> i64 {
        i64::from(self.exponent) + i64::from(digit_count(self.mantissa.unsigned_abs()))
    }
}

impl fmt::Display for Decimal {
    /// Plain digits; a power of ten only where zeros would be written for more than 40 places.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs();
        match self.exponent {
            0 => write!(f, "{sign}{digits}"),
            -40..0 => {
                let places = self.exponent.unsigned_abs() as usize;
                let text = format!("{digits:0width$}", width = places + 1);
                let (whole, fraction) = text.split_at(text.len() - places);
                write!(f, "{sign}{whole}.{fraction}")
            }
            1..=40 if digits == 0 => f.write_str("0"),
            1..=40 => write!(f, "{sign}{digits}{:0<width$}", "", width = self.exponent.unsigned_abs() as usize),
            _ => write!(f, "{sign}{digits}e{}", self.exponent),
        }
    }
}

/// Whether the text has the format of a JSON number, of any length, and a size that a binary floating point
/// number has. Most readers of JSON make one of it, and many refuse the whole text when they cannot: one
/// `1e999` would spoil every page that it is on (row F56).
pub(super) fn is_decimal(text: &str) -> bool {
    is_number(text) && text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (digits, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let power = power.strip_prefix(['+', '-']).unwrap_or(power);
    are_digits(whole) && (whole.len() == 1 || !whole.starts_with('0')) && are_digits(fraction) && are_digits(power)
}

fn read_power(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return None;
    }
    text.parse().ok().filter(|power: &i32| power.unsigned_abs() <= EXPONENT_MAX)
}

fn power_of_ten(power: u32) -> Option<i128> {
    10i128.checked_pow(power)
}

fn digit_count(number: u128) -> u32 {
    number.checked_ilog10().map_or(0, |log| log + 1)
}

/// Compares `a × 10^power` with `b`; what does not fit is larger.
fn scaled_cmp(a: u128, power: u32, b: u128) -> Ordering {
    match 10u128.checked_pow(power).and_then(|unit| a.checked_mul(unit)) {
        Some(scaled) => scaled.cmp(&b),
        None => Ordering::Greater,
    }
}
