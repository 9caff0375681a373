//! Units on scales that are no ratios: a value is turned by a function before the factor applies.
//!
//! SPEC: UCUM §21, §22 (special units), table 7 and 8 for the functions.

use super::number::Number;
use crate::primitive::decimal::Decimal;

/// Shift of the scales of temperature, in their own degrees below zero.
const CELSIUS: Decimal = Decimal { mantissa: 27_315, exponent: -2 };
const FAHRENHEIT: Decimal = Decimal { mantissa: 45_967, exponent: -2 };
const REAUMUR: Decimal = Decimal { mantissa: 21_852, exponent: -2 };

/// The function of a special unit, from the proper unit to the special scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Special {
    /// A shifted scale, by so many of its own degrees.
    Shifted(Decimal),
    /// A logarithm: to this base, times this (10 and 1 for the bel of power, 10 and 2 of a field).
    Logarithm { base: f64, times: f64 },
    /// A hundred times the tangent.
    Tangent,
    /// The square root.
    Root,
}

impl Special {
    /// By the name that the official file gives a function.
    pub(super) fn named(name: &str) -> Option<Self> {
        let logarithm = |base, times| Some(Self::Logarithm { base, times });
        match name {
            "Cel" => Some(Self::Shifted(CELSIUS)),
            "degF" => Some(Self::Shifted(FAHRENHEIT)),
            "degRe" => Some(Self::Shifted(REAUMUR)),
            "ln" => logarithm(std::f64::consts::E, 1.0),
            "lg" => logarithm(10.0, 1.0),
            "lgTimes2" => logarithm(10.0, 2.0),
            "ld" => logarithm(2.0, 1.0),
            "pH" | "hpX" => logarithm(10.0, -1.0),
            "hpC" => logarithm(100.0, -1.0),
            "hpM" => logarithm(1000.0, -1.0),
            "hpQ" => logarithm(50_000.0, -1.0),
            "tanTimes100" | "100tan" => Some(Self::Tangent),
            "sqrt" => Some(Self::Root),
            _ => None,
        }
    }

    /// From the special scale to the proper unit.
    pub(super) fn proper(self, value: Number) -> Option<Number> {
        match self {
            Self::Shifted(by) => value.plus(Number::decimal(by)),
            Self::Logarithm { base, times } => Number::near(base.powf(value.to_f64() / times)),
            Self::Tangent => Number::near((value.to_f64() / 100.0).atan()),
            Self::Root => value.times(value),
        }
    }

    /// From the proper unit to the special scale; `None` where the function has no value.
    pub(super) fn scaled(self, value: Number) -> Option<Number> {
        match self {
            Self::Shifted(by) => value.plus(Number::decimal(by).negative()),
            Self::Logarithm { base, times } => {
                let value = value.to_f64();
                // `log10` and `log2` are exact where a general logarithm is not.
                let log = if base == 10.0 {
                    value.log10()
                } else if base == 2.0 {
                    value.log2()
                } else {
                    value.ln() / base.ln()
                };
                Number::near(log * times)
            }
            Self::Tangent => Number::near(value.to_f64().tan() * 100.0),
            Self::Root => Number::near(value.to_f64().sqrt()),
        }
    }
}
