//! Exact arithmetic on decimals for search: precision intervals, scaling by a unit's factor, and an
//! order-preserving byte form.
//!
//! Nothing here rounds. What does not fit 128 bits has no result (`None`), never a wrong one.
//! SPEC: R4 search.html#number.

use fhir::primitive::decimal::Decimal;

/// The same number without trailing zeros in its mantissa; zero is `0 × 10⁰`.
#[must_use]
pub fn normalized(decimal: Decimal) -> Decimal {
    let Decimal { mut mantissa, mut exponent } = decimal;
    if mantissa == 0 {
        return Decimal { mantissa: 0, exponent: 0 };
    }
    while mantissa % 10 == 0 && exponent < i32::MAX {
        mantissa /= 10;
        exponent += 1;
    }
    Decimal { mantissa, exponent }
}

/// The product; `None` when it has more digits than 128 bits hold.
#[must_use]
pub fn product(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (a, b) = (normalized(a), normalized(b));
    let mantissa = a.mantissa.checked_mul(b.mantissa)?;
    Some(normalized(Decimal { mantissa, exponent: a.exponent.checked_add(b.exponent)? }))
}

/// The interval `[low, high)` that a number's written precision stands for: half a unit of its last
/// digit to both sides. `100` is `[99.5, 100.5)`.
///
/// A single digit with a power of ten (`1e2`) counts one digit more, because R4's table reads it
/// as `[95, 105)`.
#[must_use]
pub fn precision_interval(decimal: Decimal) -> Option<(Decimal, Decimal)> {
    let single_digit = decimal.exponent > 0 && decimal.mantissa.unsigned_abs() < 10;
    let (scale, shift) = if single_digit { (100, 2) } else { (10, 1) };
    around(decimal, scale, shift, 5)
}

/// The interval for `ap`: 10 % to both sides, and at least the written precision.
#[must_use]
pub fn approximate_interval(decimal: Decimal) -> Option<(Decimal, Decimal)> {
    let tenth = i128::try_from(decimal.mantissa.unsigned_abs()).ok()?;
    around(decimal, 10, 1, tenth.max(5))
}

fn around(decimal: Decimal, scale: i128, shift: i32, distance: i128) -> Option<(Decimal, Decimal)> {
    let middle = decimal.mantissa.checked_mul(scale)?;
    let exponent = decimal.exponent.checked_sub(shift)?;
    let at = |mantissa| Decimal { mantissa, exponent };
    Some((at(middle.checked_sub(distance)?), at(middle.checked_add(distance)?)))
}

/// Appends bytes whose order is the numbers' order; equal numbers have equal bytes (`1.0`, `1.00`),
/// and no number's bytes begin another's.
///
/// Sign (0 negative, 1 zero, 2 positive); then the power of ten of the first digit, then digits in
/// pairs plus one, then 0; all but the sign inverted for a negative number. The power `p` of
/// `0.d₁d₂… × 10ᵖ` is one byte `128 + p` within ±100, else `1` or `254` and five bytes.
pub fn append_key(out: &mut Vec<u8>, decimal: Decimal) {
    let Decimal { mantissa, exponent } = normalized(decimal);
    if mantissa == 0 {
        out.push(1);
        return;
    }
    out.push(if mantissa < 0 { 0 } else { 2 });
    let start = out.len();

    let digits = mantissa.unsigned_abs().to_string();
    let power = i64::from(exponent) + i64::try_from(digits.len()).unwrap_or(0);
    match u8::try_from(power + 128) {
        Ok(byte) if (-100..=100).contains(&power) => out.push(byte),
        _ => {
            out.push(if power < 0 { 1 } else { 254 });
            out.extend(power.wrapping_add(1 << 39).to_be_bytes().iter().skip(3));
        }
    }
    for pair in digits.as_bytes().chunks(2) {
        let tens = pair.first().map_or(0, |digit| digit - b'0');
        let ones = pair.get(1).map_or(0, |digit| digit - b'0');
        out.push(tens * 10 + ones + 1);
    }
    out.push(0);
    if mantissa < 0 {
        for byte in out.iter_mut().skip(start) {
            *byte = !*byte;
        }
    }
}

#[cfg(test)]
mod tests;
