//! Decimals with their precision: value and number of significant digits, without binary rounding.
//!
//! SPEC: R4 datatypes.html#decimal, search.html#number (a written 100 means [99.5, 100.5)).

use std::{cmp::Ordering, fmt};

#[cfg(test)]
mod tests;

/// Most digits of a decimal that is read. FHIR asks for 18; 36 leave room for arithmetic in 128 bits.
const DIGITS_MAX: u32 = 36;

/// Largest power of ten, either way, of a decimal that is read.
const EXPONENT_MAX: i32 = 6144;

/// Digits that a division yields: those that FHIRPath asks of a Decimal.
const DIVISION_DIGITS: u32 = 28;

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

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self { mantissa: i128::from(number), exponent: 0 }
    }
}

impl Decimal {
    /// Zero, without decimal places.
    pub const ZERO: Self = Self { mantissa: 0, exponent: 0 };

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
        (exponent.abs() <= EXPONENT_MAX).then_some(Self { mantissa, exponent })
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

    /// Whether it is the number zero.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.mantissa == 0
    }

    /// The span that a search for this number means, `[low, high)`: half a unit of its last digit
    /// to each side; `None` when that has too many digits.
    ///
    /// SPEC: R4 search.html#number: 100 is [99.5, 100.5), 100.00 is [99.995, 100.005). For numbers
    /// written with a power the specification reckons one digit more: 1e2 is [95, 105).
    #[must_use]
    pub fn precision_span(&self) -> Option<(Self, Self)> {
        let extra = if self.exponent > 0 { 2 } else { 1 };
        let centre = self.mantissa.checked_mul(power_of_ten(extra)?)?;
        let exponent = self.exponent.checked_sub(i32::try_from(extra).ok()?)?;
        let low = Self { mantissa: centre.checked_sub(5)?, exponent };
        Some((low, Self { mantissa: centre.checked_add(5)?, exponent }))
    }

    /// The sum; `None` when it has too many digits.
    #[must_use]
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let mantissa = self.at_exponent(exponent)?.checked_add(other.at_exponent(exponent)?)?;
        Some(Self { mantissa, exponent })
    }

    /// The difference; `None` when it has too many digits.
    #[must_use]
    pub fn checked_sub(&self, other: &Self) -> Option<Self> {
        self.checked_add(&other.checked_neg()?)
    }

    /// The product; `None` when it has too many digits.
    #[must_use]
    pub fn checked_mul(&self, other: &Self) -> Option<Self> {
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        Some(Self { mantissa, exponent: self.exponent.checked_add(other.exponent)? })
    }

    /// The quotient, rounded half away from zero to about 28 digits (fewer for a divisor of more
    /// than 9), without zeros at the end; `None` for a division by zero.
    #[must_use]
    pub fn checked_div(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        let (mut over, mut exponent) = (self.mantissa, self.exponent.checked_sub(other.exponent)?);
        let mut under = other.mantissa;
        while under % 10 == 0 {
            under /= 10;
            exponent = exponent.checked_sub(1)?;
        }
        let wanted = DIVISION_DIGITS + digit_count(under.unsigned_abs());
        while digit_count(over.unsigned_abs()) < wanted.min(37) && over != 0 {
            over = over.checked_mul(10)?;
            exponent = exponent.checked_sub(1)?;
        }
        let mantissa = divide_rounded(over, under)?;
        Some(Self { mantissa, exponent }.normalized())
    }

    /// The number with its sign turned; `None` when it has too many digits.
    #[must_use]
    pub fn checked_neg(&self) -> Option<Self> {
        Some(Self { mantissa: self.mantissa.checked_neg()?, exponent: self.exponent })
    }

    /// The whole part, towards zero.
    #[must_use]
    pub fn truncated(&self) -> Self {
        if self.exponent >= 0 {
            return *self;
        }
        let unit = power_of_ten(self.exponent.unsigned_abs());
        Self { mantissa: unit.map_or(0, |unit| self.mantissa / unit), exponent: 0 }
    }

    /// Rounded to so many digits after the point, half away from zero. Keeps what has fewer.
    #[must_use]
    pub fn rounded(&self, places: u32) -> Self {
        let Some(wanted) = i32::try_from(places).ok().and_then(i32::checked_neg) else { return *self };
        if self.exponent >= wanted {
            return *self;
        }
        let unit = power_of_ten(wanted.abs_diff(self.exponent));
        let mantissa = unit.and_then(|unit| divide_rounded(self.mantissa, unit)).unwrap_or(0);
        Self { mantissa, exponent: wanted }
    }

    /// The same number without zeros at the end of its digits: equal numbers become equal values.
    #[must_use]
    pub fn normalized(&self) -> Self {
        if self.mantissa == 0 {
            return Self::ZERO;
        }
        let mut one = *self;
        while one.mantissa % 10 == 0 {
            one.mantissa /= 10;
            one.exponent = one.exponent.saturating_add(1);
        }
        one
    }

    /// The whole number that it is; `None` when it is none or does not fit.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        let one = self.normalized();
        let unit = power_of_ten(u32::try_from(one.exponent).ok()?)?;
        i64::try_from(one.mantissa.checked_mul(unit)?).ok()
    }

    /// Position of the first digit before the point: 2 for 12.5, 0 for 0.5.
    fn magnitude(&self) -> i64 {
        i64::from(self.exponent) + i64::from(digit_count(self.mantissa.unsigned_abs()))
    }

    /// The mantissa that it has with a smaller or equal exponent.
    fn at_exponent(&self, exponent: i32) -> Option<i128> {
        if self.mantissa == 0 {
            return Some(0);
        }
        self.mantissa.checked_mul(power_of_ten(self.exponent.abs_diff(exponent))?)
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

/// Whether the text has the format of a JSON number, of any length.
pub(super) fn is_decimal(text: &str) -> bool {
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
    text.parse().ok().filter(|power: &i32| power.abs() <= EXPONENT_MAX)
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

fn divide_rounded(over: i128, under: i128) -> Option<i128> {
    let (quotient, rest) = (over.checked_div(under)?, over.checked_rem(under)?);
    let half_or_more = rest.unsigned_abs() >= under.unsigned_abs() - rest.unsigned_abs();
    if !half_or_more || rest == 0 {
        return Some(quotient);
    }
    let away = if (over < 0) == (under < 0) { 1 } else { -1 };
    quotient.checked_add(away)
}
