//! UCUM, the Unified Code for Units of Measure: reading unit expressions, and what they mean in base units.
//!
//! [`Units::builtin`] knows the units that clinical data uses, written down as facts in `table`;
//! [`Units::with_essence`] reads the official `ucum-essence.xml` and knows them all. A unit is a factor over a
//! vector of base units; temperatures and logarithms have a function besides. Factors are exact fractions as
//! long as 128 bits hold them. By UCUM a mole is a number, so `mol`, `eq` and `osm` compare with each other.
//!
//! Pure and bounded (row F58): the length of a code, its parentheses and its exponents have limits.
//! SPEC: unitsofmeasure.org/ucum. Left out: the case insensitive symbols, which FHIR does not use.

mod essence;
mod number;
mod parse;
mod special;
mod table;

#[cfg(test)]
mod tests;

pub use essence::EssenceError;
pub use number::Number;

use crate::primitive::decimal::Decimal;
use parse::Symbols;
use special::Special;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// System URI of UCUM in FHIR.
pub const SYSTEM: &str = "http://unitsofmeasure.org";

/// Limits of this module.
mod limits {
    /// Bytes of one code. The longest in clinical use, annotations included, have about 60.
    pub(super) const CODE_BYTES_MAX: usize = 256;
    /// Nesting of parentheses. Codes in use have one level.
    pub(super) const PARENTHESES_MAX: u32 = 8;
    /// Largest exponent of one unit, either way: `10*24` is in use.
    pub(super) const EXPONENT_MAX: u32 = 99;
    /// Bytes of an essence file. The official one has 83 KB.
    pub(super) const ESSENCE_BYTES_MAX: usize = 4 * 1024 * 1024;
    /// Units of an essence file. The official one has about 310.
    pub(super) const ESSENCE_UNITS_MAX: usize = 10_000;
    /// Units that are defined by each other. The official file goes about 8 deep.
    pub(super) const DEFINITIONS_DEEP_MAX: usize = 24;
}

/// The base units, in the order of the exponents of a [`Dimension`].
pub const BASE_UNITS: [&str; 7] = ["m", "s", "g", "rad", "K", "C", "cd"];

/// Why a text is no unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitError {
    /// It does not follow the grammar; the byte offset of what does not fit.
    Syntax(usize),
    /// A symbol at this offset that the table does not have: wrong only if the table is complete.
    Unknown(usize),
    /// A prefix at this offset before a unit that takes none.
    NoPrefix(usize),
    /// A unit on a special scale (`Cel`, `[pH]`) at this offset in a product, quotient or power.
    NotRatio(usize),
    /// More than 256 bytes.
    TooLong,
    /// Parentheses nested more than 8 deep.
    TooDeep,
    /// An exponent or factor beyond any use.
    TooLarge,
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(at) => write!(f, "no unit of UCUM: wrong at offset {at}"),
            Self::Unknown(at) => write!(f, "unknown unit at offset {at}"),
            Self::NoPrefix(at) => write!(f, "the unit at offset {at} takes no prefix"),
            Self::NotRatio(at) => write!(f, "the unit at offset {at} has no ratio scale and stands alone"),
            Self::TooLong => f.write_str("the unit is too long"),
            Self::TooDeep => f.write_str("the unit is nested too deeply"),
            Self::TooLarge => f.write_str("an exponent or factor of the unit is too large"),
        }
    }
}

impl std::error::Error for UnitError {}

/// What a unit measures: exponents of the base units, and of arbitrary units (`[iU]`), which relate to nothing
/// but themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Dimension {
    base: [i8; 7],
    /// Sorted by symbol, without zeros.
    arbitrary: Vec<(Arc<str>, i8)>,
}

impl Dimension {
    const NONE: Self = Self { base: [0; 7], arbitrary: Vec::new() };

    /// Exponents of [`BASE_UNITS`].
    #[must_use]
    pub fn base(&self) -> [i8; 7] {
        self.base
    }

    /// Whether it is a pure number.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.base == [0; 7] && self.arbitrary.is_empty()
    }

    /// `self × other^power`.
    fn times(&self, other: &Self, power: i8) -> Option<Self> {
        let mut out = self.clone();
        for (mine, its) in out.base.iter_mut().zip(other.base) {
            *mine = mine.checked_add(its.checked_mul(power)?)?;
        }
        for (symbol, its) in &other.arbitrary {
            let its = its.checked_mul(power)?;
            match out.arbitrary.iter_mut().find(|(mine, _)| mine == symbol) {
                Some((_, mine)) => *mine = mine.checked_add(its)?,
                None => out.arbitrary.push((Arc::clone(symbol), its)),
            }
        }
        out.arbitrary.retain(|(_, power)| *power != 0);
        out.arbitrary.sort();
        Some(out)
    }
}

/// As a product of base units: `m-1.s-2.g`; `1` for a pure number.
impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = BASE_UNITS.into_iter().zip(self.base).filter(|(_, power)| *power != 0);
        let arbitrary = self.arbitrary.iter().map(|(symbol, power)| (symbol.as_ref(), *power));
        let mut first = true;
        for (symbol, power) in base.chain(arbitrary) {
            let dot = if first { "" } else { "." };
            first = false;
            if power == 1 { write!(f, "{dot}{symbol}")? } else { write!(f, "{dot}{symbol}{power}")? }
        }
        if first { f.write_str("1") } else { Ok(()) }
    }
}

/// A unit: what one of it is in base units.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    factor: Number,
    dimension: Dimension,
    /// The function of a special unit, and what a value is multiplied with before it.
    special: Option<(Special, Number)>,
}

impl Unit {
    const ONE: Self = Self { factor: Number::ONE, dimension: Dimension::NONE, special: None };

    fn number(factor: Number) -> Self {
        Self { factor, ..Self::ONE }
    }

    /// What it measures.
    #[must_use]
    pub fn dimension(&self) -> &Dimension {
        &self.dimension
    }

    /// How many base units one of it is; `None` when its scale is no ratio (`Cel`).
    #[must_use]
    pub fn factor(&self) -> Option<Number> {
        if self.special.is_some() { None } else { Some(self.factor) }
    }

    /// Whether both measure the same, so that values convert.
    #[must_use]
    pub fn is_comparable(&self, other: &Self) -> bool {
        self.dimension == other.dimension
    }

    /// A value of this unit in base units; `None` beyond any range.
    #[must_use]
    pub fn to_base(&self, value: Number) -> Option<Number> {
        let proper = match self.special {
            None => value,
            Some((function, scale)) => function.proper(value.times(scale)?)?,
        };
        proper.times(self.factor)
    }

    /// A value in base units as a value of this unit; `None` beyond any range and where the scale has none.
    #[must_use]
    pub fn from_base(&self, value: Number) -> Option<Number> {
        let proper = value.over(self.factor)?;
        match self.special {
            None => Some(proper),
            Some((function, scale)) => function.scaled(proper)?.over(scale),
        }
    }

    fn prefixed(mut self, by: Number) -> Result<Self, UnitError> {
        let factor = match &mut self.special {
            Some((_, scale)) => scale,
            None => &mut self.factor,
        };
        *factor = factor.times(by).ok_or(UnitError::TooLarge)?;
        Ok(self)
    }

    /// The product; a special unit takes only numbers. `at`: where to say that it does not.
    fn times(&self, other: &Self, at: usize) -> Result<Self, UnitError> {
        let is_number = |unit: &Self| unit.special.is_none() && unit.dimension.is_none();
        match (&self.special, &other.special) {
            (None, None) => {
                let factor = self.factor.times(other.factor).ok_or(UnitError::TooLarge)?;
                let dimension = self.dimension.times(&other.dimension, 1).ok_or(UnitError::TooLarge)?;
                Ok(Self { factor, dimension, special: None })
            }
            (Some(_), None) if is_number(other) => self.clone().prefixed(other.factor),
            (None, Some(_)) if is_number(self) => other.clone().prefixed(self.factor),
            _ => Err(UnitError::NotRatio(at)),
        }
    }

    fn power(&self, power: i32, at: usize) -> Result<Self, UnitError> {
        if self.special.is_some() {
            return Err(UnitError::NotRatio(at));
        }
        let factor = self.factor.power(power).ok_or(UnitError::TooLarge)?;
        let power = i8::try_from(power).map_err(|_| UnitError::TooLarge)?;
        let dimension = Dimension::NONE.times(&self.dimension, power).ok_or(UnitError::TooLarge)?;
        Ok(Self { factor, dimension, special: None })
    }
}

/// A value in base units.
#[derive(Debug, Clone, PartialEq)]
pub struct Canonical {
    /// The number.
    pub value: Number,
    /// The base units, as [`Dimension`] prints them.
    pub unit: String,
}

/// A table of units.
#[derive(Debug, Clone)]
pub struct Units {
    atoms: HashMap<Box<str>, (Unit, bool)>,
    prefixes: Vec<(Box<str>, Number)>,
    is_complete: bool,
}

impl Units {
    /// The units that clinical data commonly uses.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Units> = LazyLock::new(table::units);
        &BUILTIN
    }

    /// All units of an official `ucum-essence.xml`.
    ///
    /// # Errors
    /// [`EssenceError`] when the file is none, or a definition in it cannot be read.
    pub fn with_essence(xml: &[u8]) -> Result<Self, EssenceError> {
        essence::units(xml)
    }

    /// Whether it knows every unit there is: only then an unknown one is wrong.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Number of symbols that it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.atoms.len()
    }

    /// Whether it knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.atoms.is_empty()
    }

    /// Reads a unit expression.
    ///
    /// # Errors
    /// [`UnitError`].
    pub fn parse(&self, code: &str) -> Result<Unit, UnitError> {
        parse::parse(code, &mut &*self)
    }

    /// Whether a text is a unit expression of UCUM; `None` when it names a unit that this table does not have
    /// and that may exist.
    #[must_use]
    pub fn is_valid(&self, code: &str) -> Option<bool> {
        match self.parse(code) {
            Ok(_) => Some(true),
            Err(UnitError::Unknown(_)) if !self.is_complete => None,
            Err(_) => Some(false),
        }
    }

    /// Whether values of the two units can be compared; `None` when either is unknown.
    #[must_use]
    pub fn are_comparable(&self, left: &str, right: &str) -> Option<bool> {
        Some(left == right || self.parse(left).ok()?.is_comparable(&self.parse(right).ok()?))
    }

    /// Order of two values; `None` when their units are unknown or measure different things.
    #[must_use]
    pub fn compare(&self, left: (Decimal, &str), right: (Decimal, &str)) -> Option<Ordering> {
        if left.1 == right.1 {
            return Some(left.0.compare(&right.0));
        }
        let (left_unit, right_unit) = (self.parse(left.1).ok()?, self.parse(right.1).ok()?);
        if !left_unit.is_comparable(&right_unit) {
            return None;
        }
        let left = left_unit.to_base(Number::decimal(left.0))?;
        Some(left.compare(right_unit.to_base(Number::decimal(right.0))?))
    }

    /// A value in another unit; `None` when the units are unknown or measure different things.
    #[must_use]
    pub fn convert(&self, value: Decimal, from: &str, to: &str) -> Option<Number> {
        if from == to {
            return Some(Number::decimal(value));
        }
        let (from, to) = (self.parse(from).ok()?, self.parse(to).ok()?);
        if !from.is_comparable(&to) {
            return None;
        }
        to.from_base(from.to_base(Number::decimal(value))?)
    }

    /// A value in base units, so that equal quantities have equal forms; `None` when the unit is unknown.
    #[must_use]
    pub fn canonical(&self, value: Decimal, code: &str) -> Option<Canonical> {
        let unit = self.parse(code).ok()?;
        Some(Canonical { value: unit.to_base(Number::decimal(value))?, unit: unit.dimension.to_string() })
    }
}

impl Symbols for &Units {
    fn atom(&mut self, symbol: &str) -> Result<Option<(Unit, bool)>, UnitError> {
        Ok(self.atoms.get(symbol).cloned())
    }

    fn prefix(&self, symbol: &str) -> [Option<(usize, Number)>; 2] {
        prefixes_of(&self.prefixes, symbol)
    }
}

/// The prefixes of two letters and of one that a symbol begins with.
fn prefixes_of(prefixes: &[(Box<str>, Number)], symbol: &str) -> [Option<(usize, Number)>; 2] {
    [2, 1].map(|length| {
        let head = symbol.get(..length).filter(|head| head.len() < symbol.len())?;
        prefixes.iter().find(|(prefix, _)| prefix.as_ref() == head).map(|(_, factor)| (length, *factor))
    })
}

/// How a table defines a unit.
#[derive(Debug, Clone, Copy)]
enum Definition<'d> {
    /// The base unit of this place in [`BASE_UNITS`].
    Base(usize),
    /// A dimension of its own.
    Arbitrary,
    /// So many of another unit.
    Derived(Number, &'d str),
    /// A function upon so many of another unit.
    Special(Special, Number, &'d str),
}

/// Resolves definitions that name each other, in any order.
struct Builder<'d> {
    definitions: HashMap<&'d str, (bool, Definition<'d>)>,
    prefixes: Vec<(Box<str>, Number)>,
    done: HashMap<Box<str>, (Unit, bool)>,
    depth: usize,
}

impl<'d> Builder<'d> {
    fn new() -> Self {
        Self { definitions: HashMap::new(), prefixes: Vec::new(), done: HashMap::new(), depth: 0 }
    }

    /// The table; or the symbol whose definition cannot be read.
    fn build(mut self, is_complete: bool) -> Result<Units, &'d str> {
        let symbols: Vec<&'d str> = self.definitions.keys().copied().collect();
        for symbol in symbols {
            if !matches!(self.atom(symbol), Ok(Some(_))) {
                return Err(symbol);
            }
        }
        Ok(Units { atoms: self.done, prefixes: self.prefixes, is_complete })
    }

    fn resolve(&mut self, symbol: &str, definition: Definition<'d>) -> Result<Unit, UnitError> {
        let mut scaled = |number: Number, of: &str| {
            let of = parse::parse(of, self)?;
            of.times(&Unit::number(number), 0)
        };
        match definition {
            Definition::Base(at) => {
                let mut dimension = Dimension::NONE;
                dimension.base.iter_mut().enumerate().for_each(|(place, power)| *power = i8::from(place == at));
                Ok(Unit { dimension, ..Unit::ONE })
            }
            Definition::Arbitrary => {
                Ok(Unit { dimension: Dimension { base: [0; 7], arbitrary: vec![(Arc::from(symbol), 1)] }, ..Unit::ONE })
            }
            Definition::Derived(number, of) => scaled(number, of),
            Definition::Special(function, number, of) => {
                let proper = scaled(number, of)?;
                if proper.special.is_some() {
                    return Err(UnitError::NotRatio(0));
                }
                Ok(Unit { special: Some((function, Number::ONE)), ..proper })
            }
        }
    }
}

impl Symbols for Builder<'_> {
    fn atom(&mut self, symbol: &str) -> Result<Option<(Unit, bool)>, UnitError> {
        if let Some(done) = self.done.get(symbol) {
            return Ok(Some(done.clone()));
        }
        let Some((takes_prefixes, definition)) = self.definitions.get(symbol).copied() else { return Ok(None) };
        if self.depth >= limits::DEFINITIONS_DEEP_MAX {
            return Err(UnitError::TooDeep);
        }
        self.depth += 1;
        let unit = self.resolve(symbol, definition);
        self.depth -= 1;
        let unit = unit?;
        self.done.insert(symbol.into(), (unit.clone(), takes_prefixes));
        Ok(Some((unit, takes_prefixes)))
    }

    fn prefix(&self, symbol: &str) -> [Option<(usize, Number)>; 2] {
        prefixes_of(&self.prefixes, symbol)
    }
}
