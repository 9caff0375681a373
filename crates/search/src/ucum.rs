//! Canonical units, so that `5 mg` is found by `0.005 g`: a table of the UCUM units of clinical
//! practice, with prefixes, products, quotients and powers.
//!
//! Conversion is exact or not at all. Not converted: temperatures and other units with an offset or
//! a logarithm (`Cel`, `[degF]`, `[pH]`, `dB`), arbitrary units that differ by substance, brackets
//! `(…)`, and quotients that have no finite decimal (`/[lb_av]`). Those compare literally.
//! Equivalents stay apart from amounts of substance, as their ratio depends on the ion.
//! SPEC: UCUM 2.1 (case-sensitive symbols); R4 search.html#quantity.

use crate::exact;
use fhir::primitive::decimal::Decimal;

/// System URI of UCUM.
pub const SYSTEM: &str = "http://unitsofmeasure.org";

/// Base units, in the order of the exponents in [`Dimension`].
const BASE: [&str; 8] = ["g", "m", "s", "mol", "eq", "osm", "U", "[IU]"];

type Dimension = [i8; 8];

const NONE: Dimension = [0; 8];
const MASS: Dimension = [1, 0, 0, 0, 0, 0, 0, 0];
const LENGTH: Dimension = [0, 1, 0, 0, 0, 0, 0, 0];
const AREA: Dimension = [0, 2, 0, 0, 0, 0, 0, 0];
const VOLUME: Dimension = [0, 3, 0, 0, 0, 0, 0, 0];
const TIME: Dimension = [0, 0, 1, 0, 0, 0, 0, 0];
const RATE: Dimension = [0, 0, -1, 0, 0, 0, 0, 0];
const PRESSURE: Dimension = [1, -1, -2, 0, 0, 0, 0, 0];
const ENERGY: Dimension = [1, 2, -2, 0, 0, 0, 0, 0];
const POWER: Dimension = [1, 2, -3, 0, 0, 0, 0, 0];
const FORCE: Dimension = [1, 1, -2, 0, 0, 0, 0, 0];

/// Symbol, whether it takes prefixes, mantissa and power of ten of its size in base units, dimension.
type Atom = (&'static str, bool, i128, i32, Dimension);

#[rustfmt::skip]
const ATOMS: [Atom; 50] = [
    ("1", false, 1, 0, NONE), ("%", false, 1, -2, NONE), ("[ppth]", false, 1, -3, NONE), ("[ppm]", false, 1, -6, NONE),
    ("g", true, 1, 0, MASS), ("t", true, 1, 6, MASS),
    ("[lb_av]", false, 45_359_237, -5, MASS), ("[oz_av]", false, 28_349_523_125, -9, MASS), ("[gr]", false, 6_479_891, -8, MASS),
    ("m", true, 1, 0, LENGTH), ("[in_i]", false, 254, -4, LENGTH), ("[ft_i]", false, 3048, -4, LENGTH),
    ("[yd_i]", false, 9144, -4, LENGTH), ("[mi_i]", false, 1_609_344, -3, LENGTH),
    ("ar", true, 1, 2, AREA),
    ("L", true, 1, -3, VOLUME), ("l", true, 1, -3, VOLUME),
    ("[foz_us]", false, 295_735_295_625, -16, VOLUME), ("[cup_us]", false, 2_365_882_365, -13, VOLUME),
    ("[tsp_us]", false, 492_892_159_375, -17, VOLUME), ("[tbs_us]", false, 1_478_676_478_125, -17, VOLUME),
    ("[pt_us]", false, 473_176_473, -12, VOLUME), ("[qt_us]", false, 946_352_946, -12, VOLUME),
    ("[gal_us]", false, 3_785_411_784, -12, VOLUME),
    ("s", true, 1, 0, TIME), ("min", false, 60, 0, TIME), ("h", false, 3600, 0, TIME), ("d", false, 86_400, 0, TIME),
    ("wk", false, 604_800, 0, TIME), ("mo", false, 2_629_800, 0, TIME), ("a", false, 31_557_600, 0, TIME),
    ("Hz", true, 1, 0, RATE),
    ("mol", true, 1, 0, [0, 0, 0, 1, 0, 0, 0, 0]), ("eq", true, 1, 0, [0, 0, 0, 0, 1, 0, 0, 0]),
    ("osm", true, 1, 0, [0, 0, 0, 0, 0, 1, 0, 0]), ("U", true, 1, 0, [0, 0, 0, 0, 0, 0, 1, 0]),
    ("[IU]", true, 1, 0, [0, 0, 0, 0, 0, 0, 0, 1]), ("[iU]", true, 1, 0, [0, 0, 0, 0, 0, 0, 0, 1]),
    ("Pa", true, 1, 3, PRESSURE), ("bar", true, 1, 8, PRESSURE), ("m[Hg]", true, 133_322, 3, PRESSURE),
    ("m[H2O]", true, 980_665, 1, PRESSURE), ("atm", false, 101_325, 3, PRESSURE),
    ("[psi]", false, 6_894_757_293_168, -6, PRESSURE),
    ("J", true, 1, 3, ENERGY), ("cal", true, 4184, 0, ENERGY), ("[Cal]", false, 4184, 3, ENERGY),
    ("W", true, 1, 3, POWER), ("N", true, 1, 3, FORCE),
    ("[drp]", false, 5, -8, VOLUME),
];

#[rustfmt::skip]
const PREFIXES: [(&str, i32); 20] = [
    ("da", 1), ("h", 2), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18), ("Z", 21), ("Y", 24),
    ("d", -1), ("c", -2), ("m", -3), ("u", -6), ("n", -9), ("p", -12), ("f", -15), ("a", -18), ("z", -21), ("y", -24),
];

/// Rates count per this many seconds: with it, per minute, hour, day, week, month and year all
/// convert without a remainder (the primes 3, 7 and 487 of those units, as often as they occur).
const RATE_SECONDS: i128 = 3 * 3 * 3 * 3 * 7 * 487;

/// Bytes of a unit that is looked at; the longest in clinical use are below half of it.
const UNIT_BYTES_MAX: usize = 48;

/// A value in canonical units, and those units as text; `None` when the unit is not converted.
#[must_use]
pub fn canonical(value: Decimal, unit: &str) -> Option<(Decimal, String)> {
    let (factor, text) = factor(unit)?;
    Some((exact::product(value, factor)?, text))
}

/// How many canonical units one of this unit is, and the text of the canonical unit.
#[must_use]
pub fn factor(unit: &str) -> Option<(Decimal, String)> {
    if unit.is_empty() || unit.len() > UNIT_BYTES_MAX {
        return None;
    }
    let mut size = Size { above: Decimal { mantissa: 1, exponent: 0 }, below: 1, dimension: NONE };
    let mut rest = unit;
    let mut is_divisor = false;
    if let Some(after) = rest.strip_prefix('/') {
        (rest, is_divisor) = (after, true);
    }
    loop {
        let end = end_of_component(rest)?;
        let (component, after) = rest.split_at_checked(end)?;
        size.multiply(component, is_divisor)?;
        match after.chars().next() {
            None => break,
            Some(separator) => is_divisor = separator == '/',
        }
        rest = after.get(1..)?;
    }
    let per_time = size.dimension.get(2).copied()?.min(0).unsigned_abs();
    let rate = RATE_SECONDS.checked_pow(u32::from(per_time))?;
    let above = exact::product(size.above, Decimal { mantissa: rate, exponent: 0 })?;
    Some((quotient(above, size.below)?, text(&size.dimension)))
}

/// A product of units under way: `above / below` base units of this dimension.
struct Size {
    above: Decimal,
    below: i128,
    dimension: Dimension,
}

impl Size {
    fn multiply(&mut self, component: &str, is_divisor: bool) -> Option<()> {
        let unit = component.split_once('{').map_or(component, |(unit, _)| unit);
        if unit.is_empty() {
            // An annotation alone (`{score}`) counts as 1; nothing at all is no unit.
            return (!component.is_empty()).then_some(());
        }
        let component = unit;
        let (symbol, power) = split_power(component)?;
        let (mantissa, exponent, dimension) = if symbol == "10*" || symbol == "10^" {
            (1, 1, NONE)
        } else if symbol.bytes().all(|byte| byte.is_ascii_digit()) {
            (symbol.parse().ok().filter(|number| (1..=1_000_000).contains(number))?, 0, NONE)
        } else {
            atom(symbol)?
        };
        let power = if is_divisor { -power } else { power };
        let times = u32::from(power.unsigned_abs());
        let raised = i128::checked_pow(mantissa, times)?;
        let shift = exponent.checked_mul(i32::from(power))?;
        if power >= 0 {
            self.above = exact::product(self.above, Decimal { mantissa: raised, exponent: shift })?;
        } else {
            self.above = exact::product(self.above, Decimal { mantissa: 1, exponent: shift })?;
            self.below = self.below.checked_mul(raised)?;
        }
        for (sum, own) in self.dimension.iter_mut().zip(dimension) {
            *sum = sum.checked_add(own.checked_mul(power)?)?;
        }
        Some(())
    }
}

fn end_of_component(text: &str) -> Option<usize> {
    let (mut braces, mut brackets) = (0_i32, 0_i32);
    for (at, c) in text.char_indices() {
        match c {
            '{' => braces += 1,
            '}' => braces -= 1,
            '[' if braces == 0 => brackets += 1,
            ']' if braces == 0 => brackets -= 1,
            '(' | ')' if braces == 0 && brackets == 0 => return None,
            '.' | '/' if braces == 0 && brackets == 0 => return Some(at),
            _ => {}
        }
    }
    (braces == 0 && brackets == 0).then_some(text.len())
}

/// `m2` is `m` to the power 2, `10*-3` is `10*` to the power -3, `m` to the power 1.
fn split_power(component: &str) -> Option<(&str, i8)> {
    let digits = component.len() - component.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let mut at = component.len() - digits;
    if digits == 0 || at == 0 {
        return Some((component, 1));
    }
    if component.get(..at)?.ends_with(['+', '-']) {
        at -= 1;
    }
    let power: i8 = component.get(at..)?.parse().ok()?;
    let symbol = component.get(..at)?;
    (!symbol.is_empty() && power.unsigned_abs() <= 24).then_some((symbol, power))
}

fn atom(symbol: &str) -> Option<(i128, i32, Dimension)> {
    let find = |symbol: &str| ATOMS.iter().find(|(own, ..)| *own == symbol);
    if let Some((_, _, mantissa, exponent, dimension)) = find(symbol) {
        return Some((*mantissa, *exponent, *dimension));
    }
    PREFIXES.iter().find_map(|(prefix, shift)| {
        let (_, _, mantissa, exponent, dimension) = find(symbol.strip_prefix(prefix)?).filter(|atom| atom.1)?;
        Some((*mantissa, exponent + shift, *dimension))
    })
}

/// `above / below` as a decimal; `None` when it has no finite one.
fn quotient(above: Decimal, below: i128) -> Option<Decimal> {
    let (mut mantissa, mut exponent, mut below) = (above.mantissa, above.exponent, below);
    let common = common_divisor(mantissa, below);
    (mantissa, below) = (mantissa.checked_div(common)?, below.checked_div(common)?);
    while below % 10 == 0 {
        (below, exponent) = (below / 10, exponent.checked_sub(1)?);
    }
    while below % 2 == 0 {
        (below, mantissa, exponent) = (below / 2, mantissa.checked_mul(5)?, exponent.checked_sub(1)?);
    }
    while below % 5 == 0 {
        (below, mantissa, exponent) = (below / 5, mantissa.checked_mul(2)?, exponent.checked_sub(1)?);
    }
    (below == 1).then_some(exact::normalized(Decimal { mantissa, exponent }))
}

fn common_divisor(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn text(dimension: &Dimension) -> String {
    let mut text = String::new();
    for (unit, power) in BASE.iter().zip(dimension).filter(|(_, power)| **power != 0) {
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(unit);
        if *power != 1 {
            text.push_str(&power.to_string());
        }
    }
    if text.is_empty() { "1".to_owned() } else { text }
}

#[cfg(test)]
mod tests;
