//! Quantities: a number with a unit of UCUM or a calendar duration.
//!
//! SPEC: FHIRPath N1, "Quantity", "Time-valued Quantities"; R4 fhirpath.html#quantity.

use crate::number;
use fhir::primitive::decimal::Decimal;
use fhir::ucum::{self, Units};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// The calendar's own units; years and months have no fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the units")]
pub enum CalendarUnit {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl CalendarUnit {
    /// The unit of a FHIRPath keyword, in the singular or plural.
    #[must_use]
    pub fn from_keyword(word: &str) -> Option<Self> {
        Some(match word.strip_suffix('s').unwrap_or(word) {
            "year" => Self::Year,
            "month" => Self::Month,
            "week" => Self::Week,
            "day" => Self::Day,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "second" => Self::Second,
            "millisecond" => Self::Millisecond,
            _ => return None,
        })
    }

    /// The keyword in the singular.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Week => "week",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
            Self::Millisecond => "millisecond",
        }
    }

    /// The UCUM code of the same name.
    #[must_use]
    pub const fn ucum(self) -> &'static str {
        match self {
            Self::Year => "a",
            Self::Month => "mo",
            Self::Week => "wk",
            Self::Day => "d",
            Self::Hour => "h",
            Self::Minute => "min",
            Self::Second => "s",
            Self::Millisecond => "ms",
        }
    }

    /// The calendar unit that a UCUM code of definite length equals: `wk`, `d`, `h`, `min`, `s`, `ms`.
    #[must_use]
    pub fn from_definite_ucum(code: &str) -> Option<Self> {
        Some(match code {
            "wk" => Self::Week,
            "d" => Self::Day,
            "h" => Self::Hour,
            "min" => Self::Minute,
            "s" => Self::Second,
            "ms" => Self::Millisecond,
            _ => return None,
        })
    }

    /// Its length; `None` for years and months.
    #[must_use]
    pub const fn milliseconds(self) -> Option<i64> {
        match self {
            Self::Year | Self::Month => None,
            Self::Week => Some(604_800_000),
            Self::Day => Some(86_400_000),
            Self::Hour => Some(3_600_000),
            Self::Minute => Some(60_000),
            Self::Second => Some(1000),
            Self::Millisecond => Some(1),
        }
    }
}

/// The unit of a quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit<'a> {
    /// A UCUM code; `1` for none.
    Ucum(Cow<'a, str>),
    /// A calendar duration.
    Calendar(CalendarUnit),
    /// A unit that is no UCUM code (a FHIR Quantity of another system); equal only to the same text.
    Other(Cow<'a, str>),
}

impl fmt::Display for Unit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ucum(code) | Self::Other(code) => f.write_str(code),
            Self::Calendar(unit) => f.write_str(unit.keyword()),
        }
    }
}

/// A number with its unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity<'a> {
    /// The number.
    pub value: Decimal,
    /// The unit.
    pub unit: Unit<'a>,
}

impl<'a> Quantity<'a> {
    /// A number without unit.
    #[must_use]
    pub fn dimensionless(value: Decimal) -> Self {
        Self { value, unit: Unit::Ucum(Cow::Borrowed("1")) }
    }

    /// Reads `4`, `4 days`, `4.5 'mg'`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Quantity<'static>> {
        let text = text.trim();
        let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
        let (digits, rest) = text.split_at_checked(end)?;
        let digits = digits.strip_prefix('+').unwrap_or(digits);
        if digits.ends_with('.') || digits.starts_with('.') {
            return None;
        }
        let value = Decimal::parse(digits)?;
        let unit = rest.trim_start();
        if unit.is_empty() {
            return Some(Quantity::dimensionless(value));
        }
        if let Some(quoted) = unit.strip_prefix('\'') {
            let code = quoted.strip_suffix('\'').filter(|code| !code.is_empty() && !code.contains('\''))?;
            return Some(Quantity { value, unit: Unit::Ucum(Cow::Owned(code.to_owned())) });
        }
        let spaced = rest.len() > unit.len();
        let unit = CalendarUnit::from_keyword(unit).filter(|_| spaced)?;
        Some(Quantity { value, unit: Unit::Calendar(unit) })
    }

    /// The UCUM code that stands for the unit; years and months of the calendar have none.
    fn code(&self) -> Option<&str> {
        match &self.unit {
            Unit::Ucum(code) => Some(code),
            Unit::Calendar(unit) => unit.milliseconds().map(|_| unit.ucum()),
            Unit::Other(_) => None,
        }
    }

    /// Calendar years and months as months; outside `None` for other units, inside for what is too large.
    fn months(&self) -> Option<Option<Decimal>> {
        match self.unit {
            Unit::Calendar(CalendarUnit::Month) => Some(Some(self.value)),
            Unit::Calendar(CalendarUnit::Year) => Some(number::multiply(self.value, number::integer(12))),
            _ => None,
        }
    }

    /// The same in another unit, a UCUM code or a word of the calendar; `None` when it does not convert.
    pub(crate) fn converted(&self, unit: &str) -> Option<Quantity<'static>> {
        let target = match CalendarUnit::from_keyword(unit) {
            Some(calendar) => Unit::Calendar(calendar),
            None => Unit::Ucum(Cow::Owned(unit.to_owned())),
        };
        let same = |one: &Unit<'_>, other: &Unit<'_>| match (one, other) {
            (Unit::Ucum(one), Unit::Ucum(other)) | (Unit::Other(one), Unit::Ucum(other)) => one == other,
            (one, other) => one == other,
        };
        if same(&self.unit, &target) {
            return Some(Quantity { value: self.value, unit: target });
        }
        let value = match (self.months(), &target) {
            (Some(months), Unit::Calendar(CalendarUnit::Month)) => months?,
            (Some(months), Unit::Calendar(CalendarUnit::Year)) => number::divide(months?, number::integer(12))?,
            _ => {
                let one = Quantity { value: self.value, unit: target.clone() };
                Units::builtin().convert(self.value, self.code()?, one.code()?)?.to_decimal()?.0
            }
        };
        Some(Quantity { value, unit: target })
    }

    /// Order of two quantities; `None` when their units cannot be compared.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        if self.unit == other.unit {
            return Some(self.value.compare(&other.value));
        }
        if let (Some(left), Some(right)) = (self.months(), other.months()) {
            return Some(left?.compare(&right?));
        }
        Units::builtin().compare((self.value, self.code()?), (other.value, other.code()?))
    }

    /// Equivalence: rounded to the less precise of the two.
    pub(crate) fn equivalent(&self, other: &Self) -> bool {
        let same = self.unit == other.unit
            || match (&self.unit, &other.unit) {
                (Unit::Calendar(calendar), Unit::Ucum(code)) | (Unit::Ucum(code), Unit::Calendar(calendar)) => {
                    calendar.ucum() == code
                }
                _ => false,
            };
        if same {
            return equivalent(self.value, other.value);
        }
        self.equivalent_in_units(other).unwrap_or(false)
    }

    /// 4 'g' and 4040 'mg' are equivalent: the coarser of the two numbers sets the digits, measured in one unit.
    fn equivalent_in_units(&self, other: &Self) -> Option<bool> {
        let units = Units::builtin();
        let (left, right) = (units.parse(self.code()?).ok()?, units.parse(other.code()?).ok()?);
        if !left.is_comparable(&right) {
            return None;
        }
        let (Some(left_factor), Some(right_factor)) = (left.factor(), right.factor()) else {
            let base = |unit: &ucum::Unit, value| unit.to_base(ucum::Number::decimal(value));
            return Some(base(&left, self.value)?.compare(base(&right, other.value)?).is_eq());
        };
        let factor = left_factor.over(right_factor)?;
        let decimal = |number: ucum::Number| number.to_decimal().map(|(decimal, _)| decimal);
        let in_right = |value: Decimal| decimal(ucum::Number::decimal(value).times(factor)?);
        let converted = in_right(self.value)?;
        let coarse = in_right(Decimal { mantissa: 1, exponent: self.value.exponent })?;
        let fine = Decimal { mantissa: 1, exponent: other.value.exponent };
        let grain = if coarse.compare(&fine).is_lt() { fine } else { coarse };
        let snapped = |value: Decimal| {
            number::divide(value, grain).and_then(|grains| number::rounded(grains, 0, number::Rounding::Nearest))
        };
        Some(snapped(converted)?.compare(&snapped(other.value)?).is_eq())
    }

    /// Whether the two units measure the same thing.
    #[must_use]
    pub fn comparable(&self, other: &Self) -> bool {
        let known = || Units::builtin().are_comparable(self.code()?, other.code()?);
        self.unit == other.unit || known() == Some(true)
    }

    /// Sum or difference in the unit of `self`; `None` when the units cannot be added.
    pub(crate) fn add(&self, other: &Self, minus: bool) -> Option<Self> {
        let value = if self.unit == other.unit {
            other.value
        } else {
            // WHY: a difference of temperatures is no temperature.
            let units = Units::builtin();
            let (left, right) = (units.parse(self.code()?).ok()?, units.parse(other.code()?).ok()?);
            let _ratios = left.factor().zip(right.factor())?;
            if !left.is_comparable(&right) {
                return None;
            }
            left.from_base(right.to_base(ucum::Number::decimal(other.value))?)?.to_decimal()?.0
        };
        let value = if minus { number::negate(value) } else { value };
        Some(Self { value: number::add(self.value, value)?, unit: self.unit.clone() })
    }

    /// Product or quotient; the unit is composed.
    pub(crate) fn times(&self, other: &Self, divide: bool) -> Option<Quantity<'static>> {
        let (left, right) = (self.code()?, other.code()?);
        let value =
            if divide { number::divide(self.value, other.value)? } else { number::multiply(self.value, other.value)? };
        let code = match (left, right, divide) {
            (left, "1", _) => left.to_owned(),
            ("1", right, false) => right.to_owned(),
            (left, right, true) if left == right => "1".to_owned(),
            (left, right, divide) => {
                let operator = if divide { '/' } else { '.' };
                match right.strip_prefix('/') {
                    Some(right) => format!("{left}{operator}(1/{right})"),
                    None if right.contains(['.', '/']) => format!("{left}{operator}({right})"),
                    None => format!("{left}{operator}{right}"),
                }
            }
        };
        Some(Quantity { value, unit: Unit::Ucum(Cow::Owned(code)) })
    }
}

/// Equivalence of decimals: equal when rounded to the digits of the less precise one, trailing zeros ignored.
pub(crate) fn equivalent(left: Decimal, right: Decimal) -> bool {
    let digits = |value: Decimal| number::stripped(value).exponent.min(0).unsigned_abs();
    let scale = digits(left).min(digits(right));
    let round = |value| number::rounded(value, scale, number::Rounding::Nearest);
    match (round(left), round(right)) {
        (Some(left), Some(right)) => left.compare(&right) == Ordering::Equal,
        _ => false,
    }
}

impl fmt::Display for Quantity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.to_string();
        match &self.unit {
            Unit::Ucum(code) | Unit::Other(code) => write!(f, "{value} '{code}'"),
            Unit::Calendar(unit) if value == "1" => write!(f, "{value} {}", unit.keyword()),
            Unit::Calendar(unit) => write!(f, "{value} {}s", unit.keyword()),
        }
    }
}
