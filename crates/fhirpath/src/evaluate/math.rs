//! Mathematics. SPEC: FHIRPath N1, "Math". What has no real result is empty.

use super::{EvaluateError, Evaluator, Outcome, Scope, optional};
use crate::function::Function;
use crate::item::{Collection, Item};
use crate::number::{self, Rounding};
use crate::syntax::Node;
use fhir::primitive::decimal::Decimal;

impl<'a> Evaluator<'a> {
    #[inline(never)]
    pub(super) fn math(
        &mut self,
        base: Option<&'a Node>,
        function: Function,
        arguments: &'a [Node],
        scope: Scope<'_, 'a>,
    ) -> Outcome<Collection<'a>> {
        use Function as F;
        let Some(item) = self.input_one(base, scope)? else { return Ok(Collection::new()) };
        let argument = match arguments.first() {
            None => None,
            Some(node) => match self.single(node, scope)? {
                None => return Ok(Collection::new()),
                Some(item) => Some(item.as_decimal().ok_or(EvaluateError::WrongType("a mathematical function"))?),
            },
        };
        if let (F::Abs, Some(Item::Quantity(mut quantity))) = (function, item.to_system()) {
            quantity.value.mantissa = quantity.value.mantissa.saturating_abs();
            return Ok(optional(Some(Item::Quantity(quantity))));
        }
        let value = item.as_decimal().ok_or(EvaluateError::WrongType("a mathematical function"))?;
        let whole = matches!(item.to_system(), Some(Item::Integer(_)));
        let round = |rounding| number::rounded(value, 0, rounding).and_then(number::to_integer).map(Item::Integer);
        let float = |result: f64| number::from_f64(result).map(Item::Decimal);
        let x = number::to_f64(value);
        Ok(optional(match function {
            F::Abs if whole => item.as_integer().and_then(i64::checked_abs).map(Item::Integer),
            F::Abs => Some(Item::Decimal(Decimal { mantissa: value.mantissa.saturating_abs(), ..value })),
            F::Ceiling => round(Rounding::Ceiling),
            F::Floor => round(Rounding::Floor),
            F::Truncate => round(Rounding::TowardsZero),
            F::Round => {
                let digits = argument.map_or(Some(0), number::to_integer);
                let digits = digits.and_then(|digits| u32::try_from(digits).ok());
                let digits = digits.ok_or(EvaluateError::WrongType("round"))?;
                number::rounded(value, digits, Rounding::Nearest).map(Item::Decimal)
            }
            F::Exp => float(x.exp()),
            F::Ln => float(x.ln()),
            F::Log => argument.and_then(|base| float(x.log(number::to_f64(base)))),
            F::Sqrt => float(x.sqrt()),
            _ => argument.and_then(|exponent| power(value, exponent, whole)),
        }))
    }
}

/// Exact for small whole exponents, otherwise to 15 digits.
fn power<'a>(value: Decimal, exponent: Decimal, whole: bool) -> Option<Item<'a>> {
    let times = number::to_integer(exponent).filter(|times| (0..=128).contains(times));
    if let Some(times) = times {
        let mut result = Some(number::integer(1));
        for _ in 0..times {
            result = result.and_then(|result| number::multiply(result, value));
        }
        if let Some(result) = result {
            return match number::to_integer(result).filter(|_| whole) {
                Some(integer) => Some(Item::Integer(integer)),
                None => Some(Item::Decimal(result)),
            };
        }
    }
    number::from_f64(number::to_f64(value).powf(number::to_f64(exponent))).map(Item::Decimal)
}
