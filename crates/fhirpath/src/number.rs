//! Arithmetic on exact decimals. SPEC: FHIRPath N1, "Math", "Decimal"; results beyond 36 digits are empty.

use fhir::primitive::decimal::Decimal;
use std::cmp::Ordering;

/// Digits behind the point of a quotient, before trailing zeros go.
const QUOTIENT_SCALE: u32 = 16;

/// Largest distance of two exponents that a sum bridges.
const SCALE_MAX: u32 = 36;

/// Ten to a small power; `None` beyond what an `i128` holds.
pub(crate) fn power_of_ten(exponent: u32) -> Option<i128> {
    if exponent > 38 { None } else { 10i128.checked_pow(exponent) }
}

/// An integer as a decimal.
pub(crate) fn integer(value: i64) -> Decimal {
    Decimal { mantissa: i128::from(value), exponent: 0 }
}

/// Both mantissas at the smaller of the two exponents.
fn aligned(left: Decimal, right: Decimal) -> Option<(i128, i128, i32)> {
    let exponent = left.exponent.min(right.exponent);
    let raise = |value: Decimal| {
        if value.mantissa == 0 {
            return Some(0);
        }
        let by = u32::try_from(value.exponent.checked_sub(exponent)?).ok().filter(|by| *by <= SCALE_MAX)?;
        value.mantissa.checked_mul(power_of_ten(by)?)
    };
    Some((raise(left)?, raise(right)?, exponent))
}

pub(crate) fn add(left: Decimal, right: Decimal) -> Option<Decimal> {
    let (left, right, exponent) = aligned(left, right)?;
    Some(Decimal { mantissa: left.checked_add(right)?, exponent })
}

pub(crate) fn negate(value: Decimal) -> Decimal {
    Decimal { mantissa: value.mantissa.saturating_neg(), ..value }
}

pub(crate) fn subtract(left: Decimal, right: Decimal) -> Option<Decimal> {
    add(left, negate(right))
}

pub(crate) fn multiply(left: Decimal, right: Decimal) -> Option<Decimal> {
    let exact = |left: Decimal, right: Decimal| {
        Some(Decimal {
            mantissa: left.mantissa.checked_mul(right.mantissa)?,
            exponent: left.exponent.checked_add(right.exponent)?,
        })
    };
    exact(left, right).or_else(|| exact(stripped(left), stripped(right)))
}

/// A quotient to 16 digits behind the point, trailing zeros dropped; `None` for division by zero.
pub(crate) fn divide(left: Decimal, right: Decimal) -> Option<Decimal> {
    let (left, right) = (stripped(left), stripped(right));
    if right.mantissa == 0 {
        return None;
    }
    let mut scale = QUOTIENT_SCALE;
    loop {
        let raised = power_of_ten(scale).and_then(|by| left.mantissa.checked_mul(by));
        if let Some(raised) = raised {
            let exponent = left.exponent.checked_sub(right.exponent)?.checked_sub(i32::try_from(scale).ok()?)?;
            let quotient = raised.checked_div(right.mantissa)?;
            let rest = raised.checked_rem(right.mantissa)?;
            let round = rest.unsigned_abs() >= right.mantissa.unsigned_abs().div_ceil(2);
            let away = if (rest < 0) == (right.mantissa < 0) { 1 } else { -1 };
            let mantissa = if rest != 0 && round { quotient.checked_add(away)? } else { quotient };
            return Some(stripped(Decimal { mantissa, exponent }));
        }
        scale = scale.checked_sub(1)?;
    }
}

/// Whole quotient, cut towards zero, and rest; `None` for division by zero.
pub(crate) fn divide_whole(left: Decimal, right: Decimal) -> Option<(i128, Decimal)> {
    let (left, right, exponent) = aligned(left, right)?;
    Some((left.checked_div(right)?, Decimal { mantissa: left.checked_rem(right)?, exponent }))
}

/// The same number without trailing zeros.
pub(crate) fn stripped(value: Decimal) -> Decimal {
    let Decimal { mut mantissa, mut exponent } = value;
    if mantissa == 0 {
        return Decimal { mantissa: 0, exponent: 0 };
    }
    while mantissa % 10 == 0 {
        mantissa /= 10;
        exponent = exponent.saturating_add(1);
    }
    Decimal { mantissa, exponent }
}

/// How a number is cut to fewer digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// To the nearest, halves away from zero.
    Nearest,
    Floor,
    Ceiling,
    TowardsZero,
}

/// The number with at most `digits` digits behind the point.
pub(crate) fn rounded(value: Decimal, digits: u32, rounding: Rounding) -> Option<Decimal> {
    let target = i32::try_from(digits).ok()?.checked_neg()?;
    if value.exponent >= target {
        return Some(value);
    }
    let Some(unit) = u32::try_from(target.checked_sub(value.exponent)?).ok().and_then(power_of_ten) else {
        let mantissa = match (rounding, value.mantissa.cmp(&0)) {
            (Rounding::Floor, Ordering::Less) => -1,
            (Rounding::Ceiling, Ordering::Greater) => 1,
            _ => 0,
        };
        return Some(Decimal { mantissa, exponent: target });
    };
    let mantissa = match rounding {
        Rounding::TowardsZero => value.mantissa / unit,
        Rounding::Floor => value.mantissa.div_euclid(unit),
        Rounding::Ceiling => value.mantissa.saturating_neg().div_euclid(unit).saturating_neg(),
        Rounding::Nearest => {
            let up = value.mantissa.unsigned_abs() % unit.unsigned_abs() >= unit.unsigned_abs().div_ceil(2);
            value.mantissa / unit + if up { value.mantissa.signum() } else { 0 }
        }
    };
    Some(Decimal { mantissa, exponent: target })
}

/// A whole number that fits.
pub(crate) fn to_integer(value: Decimal) -> Option<i64> {
    let value = stripped(value);
    let by = power_of_ten(u32::try_from(value.exponent).ok()?)?;
    value.mantissa.checked_mul(by).and_then(|whole| i64::try_from(whole).ok())
}

/// The nearest binary number, for the functions that have no exact result.
pub(crate) fn to_f64(value: Decimal) -> f64 {
    value.to_string().parse().unwrap_or(f64::NAN)
}

/// A computed binary number to 15 significant digits; `None` when it is not finite.
pub(crate) fn from_f64(value: f64) -> Option<Decimal> {
    if !value.is_finite() {
        return None;
    }
    let scientific = format!("{value:.14e}");
    let (digits, exponent) = scientific.split_once('e')?;
    let mantissa: i128 = digits.replace('.', "").parse().ok()?;
    let exponent = exponent.parse::<i32>().ok()?.checked_sub(14)?;
    Some(stripped(Decimal { mantissa, exponent }))
}
