//! Clock, types, boundaries, and what FHIR adds. SPEC: FHIRPath N1, "Utility functions"; R4
//! fhirpath.html#functions; FHIRPath 2.0 `lowBoundary`, `highBoundary`, `precision`.

use super::{EvaluateError, Evaluator, Outcome, Scope, boolean, optional};
use crate::definition::Definition;
use crate::function::Function;
use crate::item::{Collection, Item};
use crate::number::{self, Rounding};
use crate::quantity::Quantity;
use crate::syntax::Node;
use crate::temporal::Temporal;
use fhir::primitive::decimal::Decimal;
use fhir::schema::TypeKind;

/// Digits behind the point that a boundary may ask for.
const BOUNDARY_DIGITS_MAX: u32 = 31;
/// Digits behind the point when none are asked for.
const BOUNDARY_DIGITS: u32 = 8;

impl<'a> Evaluator<'a> {
    #[inline(never)]
    pub(super) fn utility(
        &mut self,
        base: Option<&'a Node>,
        function: Function,
        arguments: &'a [Node],
        scope: Scope<'_, 'a>,
    ) -> Outcome<Collection<'a>> {
        use Function as F;
        if matches!(function, F::Now | F::Today | F::TimeOfDay) {
            let now = self.context.now.ok_or(EvaluateError::Unavailable("the current time"))?;
            let now = Temporal::from_instant(now).ok_or(EvaluateError::Unavailable("the current time"))?;
            return Ok(optional(Some(Item::Temporal(match function {
                F::Now => now,
                F::Today => now.to_date(),
                _ => now.to_time(),
            }))));
        }
        if function == F::Type {
            return Ok(self.input(base, scope)?.iter().map(Self::type_info).collect());
        }
        if function == F::ElementDefinition {
            let definition = |item: Item<'a>| item.element()?.reached_by.map(Definition::Element);
            let input = self.input(base, scope)?;
            return Ok(input.into_iter().filter_map(definition).map(Item::Definition).collect());
        }
        let Some(item) = self.input_one(base, scope)? else { return Ok(Collection::new()) };
        match function {
            F::GetValue => Ok(match &item {
                Item::Element(element) if element.definition.kind != TypeKind::Primitive => Collection::new(),
                item => optional(item.to_system()),
            }),
            F::HtmlChecks => {
                let checks = self.context.html_checks.ok_or(EvaluateError::Unavailable("a check of XHTML"))?;
                // Of anything but XHTML, or a text that may be some, nothing is said.
                let Some(text) = item.as_str() else { return Ok(Collection::new()) };
                self.charge_text(text.len())?;
                Ok(boolean(Some(checks(&text))))
            }
            F::LowBoundary | F::HighBoundary => {
                let digits = self.integer_argument(arguments, 0, scope)?;
                Ok(optional(boundary(&item, function == F::HighBoundary, digits)))
            }
            F::Precision => Ok(optional(match item.to_system() {
                Some(Item::Temporal(value)) => Some(Item::Integer(value.digits())),
                Some(Item::Decimal(value)) => Some(Item::Integer(i64::from(value.exponent.min(0).unsigned_abs()))),
                Some(Item::Integer(value)) => {
                    i64::try_from(value.unsigned_abs().to_string().len()).ok().map(Item::Integer)
                }
                _ => None,
            })),
            _ => {
                let Some(node) = arguments.first() else { return Ok(Collection::new()) };
                let other = self.single(node, scope)?.and_then(|other| other.to_system());
                match (item.to_system(), other) {
                    (Some(Item::Quantity(left)), Some(Item::Quantity(right))) => {
                        Ok(boolean(Some(left.comparable(&right))))
                    }
                    (_, None) => Ok(Collection::new()),
                    _ => Err(EvaluateError::WrongType("comparable")),
                }
            }
        }
    }
}

/// The smallest or largest value that a value of this precision may stand for.
fn boundary<'a>(item: &Item<'a>, high: bool, digits: Option<i64>) -> Option<Item<'a>> {
    match item.to_system()? {
        Item::Integer(value) => decimal_boundary(number::integer(value), high, digits).map(Item::Decimal),
        Item::Decimal(value) => decimal_boundary(value, high, digits).map(Item::Decimal),
        Item::Quantity(quantity) => {
            let value = decimal_boundary(quantity.value, high, digits)?;
            Some(Item::Quantity(Box::new(Quantity { value, unit: quantity.unit })))
        }
        Item::Temporal(value) => value.boundary(high, digits).map(Item::Temporal),
        _ => None,
    }
}

fn decimal_boundary(value: Decimal, high: bool, digits: Option<i64>) -> Option<Decimal> {
    let digits = match digits {
        None => BOUNDARY_DIGITS,
        Some(digits) => u32::try_from(digits).ok().filter(|digits| *digits <= BOUNDARY_DIGITS_MAX)?,
    };
    let half = Decimal { mantissa: 5, exponent: value.exponent.min(0).checked_sub(1)? };
    let edge = if high { number::add(value, half)? } else { number::subtract(value, half)? };
    let cut = number::rounded(edge, digits, if high { Rounding::Ceiling } else { Rounding::Floor })?;
    // As many digits as were asked for, zeros included.
    let zero = Decimal { mantissa: 0, exponent: i32::try_from(digits).ok()?.checked_neg()? };
    let wide = number::power_of_ten(u32::try_from(cut.exponent.checked_sub(zero.exponent)?).ok()?)?;
    Some(Decimal { mantissa: cut.mantissa.checked_mul(wide)?, exponent: zero.exponent })
}
