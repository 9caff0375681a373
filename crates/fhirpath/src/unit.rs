//! Units of UCUM, as far as numbers in FHIR need comparing: a unit as a factor over base dimensions.
//!
//! SPEC: ucum.org, sections 2 to 4 (grammar, prefixes, units). Left out: special units on non-ratio
//! scales (Celsius, pH, dB) and most customary units, which compare only with themselves.

use crate::number;
use fhir::primitive::decimal::Decimal;

/// Base dimensions: metre, second, gram, radian, kelvin, coulomb, candela, mole, and one for each of the
/// arbitrary units that have no relation to others (international units, drops and the like).
const DIMENSIONS: usize = 12;

type Dimensions = [i8; DIMENSIONS];

/// Nesting of parentheses in a unit.
const DEPTH_MAX: u32 = 8;

/// Bytes of a unit's text. The longest UCUM codes in use have about 30.
const TEXT_BYTES_MAX: usize = 128;

/// A unit as a fraction of base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Canonical {
    pub(crate) numerator: Decimal,
    pub(crate) denominator: Decimal,
    pub(crate) dimensions: Dimensions,
}

const ONE: Decimal = Decimal { mantissa: 1, exponent: 0 };
const UNITY: Canonical = Canonical { numerator: ONE, denominator: ONE, dimensions: NONE };

/// Code, metric, numerator mantissa and exponent, and the dimensions m s g rad K C cd mol iU drp arb {}.
type Atom = (&'static str, bool, i128, i32, Dimensions);

const METRE: Dimensions = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const SECOND: Dimensions = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const GRAM: Dimensions = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const RADIAN: Dimensions = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
const KELVIN: Dimensions = [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
const COULOMB: Dimensions = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const CANDELA: Dimensions = [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0];
const MOLE: Dimensions = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
const INTERNATIONAL: Dimensions = [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];
const DROP: Dimensions = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0];
const ARBITRARY: Dimensions = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
const NONE: Dimensions = [0; DIMENSIONS];

/// Powers of metre, second and gram.
const fn powers(metre: i8, second: i8, gram: i8) -> Dimensions {
    [metre, second, gram, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

const ATOMS: &[Atom] = &[
    ("m", true, 1, 0, METRE),
    ("s", true, 1, 0, SECOND),
    ("g", true, 1, 0, GRAM),
    ("rad", true, 1, 0, RADIAN),
    ("K", true, 1, 0, KELVIN),
    ("C", true, 1, 0, COULOMB),
    ("cd", true, 1, 0, CANDELA),
    ("mol", true, 1, 0, MOLE),
    ("eq", true, 1, 0, MOLE),
    ("osm", true, 1, 0, MOLE),
    ("[iU]", true, 1, 0, INTERNATIONAL),
    ("[IU]", true, 1, 0, INTERNATIONAL),
    ("[drp]", false, 1, 0, DROP),
    ("[arb'U]", false, 1, 0, ARBITRARY),
    ("%", false, 1, -2, NONE),
    ("[ppth]", false, 1, -3, NONE),
    ("[ppm]", false, 1, -6, NONE),
    ("10*", false, 10, 0, NONE),
    ("10^", false, 10, 0, NONE),
    ("min", false, 60, 0, SECOND),
    ("h", false, 3600, 0, SECOND),
    ("d", false, 86_400, 0, SECOND),
    ("wk", false, 604_800, 0, SECOND),
    ("a", false, 31_557_600, 0, SECOND),
    ("a_j", false, 31_557_600, 0, SECOND),
    ("mo", false, 2_629_800, 0, SECOND),
    ("mo_j", false, 2_629_800, 0, SECOND),
    ("L", true, 1, -3, powers(3, 0, 0)),
    ("l", true, 1, -3, powers(3, 0, 0)),
    ("ar", true, 100, 0, powers(2, 0, 0)),
    ("t", true, 1, 6, powers(0, 0, 1)),
    ("Hz", true, 1, 0, powers(0, -1, 0)),
    ("Bq", true, 1, 0, powers(0, -1, 0)),
    ("N", true, 1, 3, powers(1, -2, 1)),
    ("Pa", true, 1, 3, powers(-1, -2, 1)),
    ("bar", true, 1, 8, powers(-1, -2, 1)),
    ("J", true, 1, 3, powers(2, -2, 1)),
    ("W", true, 1, 3, powers(2, -3, 1)),
    ("cal", true, 4184, 0, powers(2, -2, 1)),
    ("[Cal]", false, 4_184, 3, powers(2, -2, 1)),
    ("m[H2O]", true, 980_665, 1, powers(-1, -2, 1)),
    ("m[Hg]", true, 133_322, 3, powers(-1, -2, 1)),
    ("kat", true, 1, 0, [0, -1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
    ("Gy", true, 1, 0, powers(2, -2, 0)),
    ("Sv", true, 1, 0, powers(2, -2, 0)),
    ("[in_i]", false, 254, -4, powers(1, 0, 0)),
    ("[ft_i]", false, 3048, -4, powers(1, 0, 0)),
    ("[yd_i]", false, 9144, -4, powers(1, 0, 0)),
    ("[mi_i]", false, 1_609_344, -3, powers(1, 0, 0)),
    ("[sin_i]", false, 64_516, -8, powers(2, 0, 0)),
    ("[lb_av]", false, 45_359_237, -5, powers(0, 0, 1)),
    ("[oz_av]", false, 28_349_523_125, -9, powers(0, 0, 1)),
    ("[stone_av]", false, 635_029_318, -5, powers(0, 0, 1)),
    ("[gr]", false, 6_479_891, -8, powers(0, 0, 1)),
    ("[foz_us]", false, 295_735_295_625, -16, powers(3, 0, 0)),
    ("[pt_us]", false, 473_176_473, -12, powers(3, 0, 0)),
    ("[qt_us]", false, 946_352_946, -12, powers(3, 0, 0)),
    ("[gal_us]", false, 3_785_411_784, -12, powers(3, 0, 0)),
    ("[tsp_us]", false, 492_892_159_375, -17, powers(3, 0, 0)),
    ("[tbs_us]", false, 1_478_676_478_125, -17, powers(3, 0, 0)),
];

const PREFIXES: &[(&str, i32)] = &[
    ("da", 1),
    ("Y", 24),
    ("Z", 21),
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("h", 2),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
    ("a", -18),
];

/// The unit of a UCUM code; `None` when it is unknown here.
pub(crate) fn canonical(code: &str) -> Option<Canonical> {
    if code.len() > TEXT_BYTES_MAX {
        return None;
    }
    let mut rest = code;
    let unit = term(&mut rest, 0)?;
    rest.is_empty().then_some(unit)
}

fn combine(left: Canonical, right: Canonical, divide: bool) -> Option<Canonical> {
    let (up, down) = if divide { (right.denominator, right.numerator) } else { (right.numerator, right.denominator) };
    let mut dimensions = left.dimensions;
    for (mine, its) in dimensions.iter_mut().zip(right.dimensions) {
        *mine = if divide { mine.checked_sub(its)? } else { mine.checked_add(its)? };
    }
    Some(Canonical {
        numerator: number::multiply(left.numerator, up)?,
        denominator: number::multiply(left.denominator, down)?,
        dimensions,
    })
}

fn term(rest: &mut &str, depth: u32) -> Option<Canonical> {
    let mut unit = UNITY;
    let mut divide = false;
    if let Some(after) = rest.strip_prefix('/') {
        *rest = after;
        divide = true;
    }
    loop {
        unit = combine(unit, component(rest, depth)?, divide)?;
        divide = match rest.bytes().next() {
            Some(b'.') => false,
            Some(b'/') => true,
            _ => return Some(unit),
        };
        *rest = rest.get(1..)?;
    }
}

fn component(rest: &mut &str, depth: u32) -> Option<Canonical> {
    if let Some(after) = rest.strip_prefix('(') {
        if depth >= DEPTH_MAX {
            return None;
        }
        *rest = after;
        let unit = term(rest, depth + 1)?;
        *rest = rest.strip_prefix(')')?;
        return Some(unit);
    }
    if skip_annotation(rest)? {
        return Some(UNITY);
    }
    let end = symbol_end(rest);
    let (symbol, after) = rest.split_at_checked(end)?;
    *rest = after;
    skip_annotation(rest)?;
    if let Ok(whole) = symbol.parse::<i64>() {
        return Some(Canonical { numerator: number::integer(whole), ..UNITY }).filter(|_| whole > 0);
    }
    let (base, power) = split_power(symbol)?;
    let base = atom(base)?;
    let mut unit = UNITY;
    for _ in 0..power.unsigned_abs() {
        unit = combine(unit, base, power < 0)?;
    }
    Some(unit)
}

/// Skips `{…}`; `None` when it is not closed.
fn skip_annotation(rest: &mut &str) -> Option<bool> {
    let Some(after) = rest.strip_prefix('{') else { return Some(false) };
    *rest = after.get(after.find('}')? + 1..)?;
    Some(true)
}

fn symbol_end(text: &str) -> usize {
    let mut bracket = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => bracket = true,
            b']' => bracket = false,
            b'.' | b'/' | b'(' | b')' | b'{' if !bracket => return at,
            _ => {}
        }
    }
    text.len()
}

/// `m2` is `m` to the 2; `10*3` is `10*` to the 3.
fn split_power(symbol: &str) -> Option<(&str, i8)> {
    let base = symbol.trim_end_matches(|c: char| c.is_ascii_digit());
    let base = base.strip_suffix(['+', '-']).unwrap_or(base);
    let power = symbol.get(base.len()..)?;
    if power.is_empty() || base.is_empty() {
        return Some((symbol, 1));
    }
    let power: i8 = power.parse().ok()?;
    (-24..=24).contains(&power).then_some((base, power))
}

fn atom(symbol: &str) -> Option<Canonical> {
    let found = |code: &str| ATOMS.iter().find(|atom| atom.0 == code);
    let unit = |atom: &Atom, prefix: i32| Canonical {
        numerator: Decimal { mantissa: atom.2, exponent: atom.3 + prefix },
        denominator: ONE,
        dimensions: atom.4,
    };
    if let Some(atom) = found(symbol) {
        return Some(unit(atom, 0));
    }
    PREFIXES.iter().find_map(|(prefix, exponent)| {
        let atom = found(symbol.strip_prefix(prefix)?).filter(|atom| atom.1)?;
        Some(unit(atom, *exponent))
    })
}
