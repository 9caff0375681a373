//! Conversions: `toX()` and `convertsToX()`. SPEC: FHIRPath N1, "Conversion".

use super::{Evaluator, Outcome, Scope, boolean, optional};
use crate::function::Function;
use crate::item::{Collection, Item};
use crate::number;
use crate::quantity::Quantity;
use crate::syntax::Node;
use crate::temporal::{Temporal, TemporalKind};
use fhir::primitive::decimal::Decimal;

impl<'a> Evaluator<'a> {
    #[inline(never)]
    pub(super) fn conversion(
        &mut self,
        base: Option<&'a Node>,
        function: Function,
        arguments: &'a [Node],
        scope: Scope<'_, 'a>,
    ) -> Outcome<Collection<'a>> {
        use Function as F;
        let Some(item) = self.input_one(base, scope)? else { return Ok(Collection::new()) };
        let unit = self.text_argument(arguments, 0, scope)?;
        let converted = match function {
            F::ToBoolean | F::ConvertsToBoolean => to_boolean(&item).map(Item::Boolean),
            F::ToInteger | F::ConvertsToInteger => to_integer(&item).map(Item::Integer),
            F::ToDecimal | F::ConvertsToDecimal => to_decimal(&item).map(Item::Decimal),
            F::ToDate | F::ConvertsToDate => to_date(&item).map(Item::Temporal),
            F::ToDateTime | F::ConvertsToDateTime => to_date_time(&item).map(Item::Temporal),
            F::ToTime | F::ConvertsToTime => to_time(&item).map(Item::Temporal),
            F::ToQuantity | F::ConvertsToQuantity => {
                to_quantity(&item, unit.as_deref()).map(|found| Item::Quantity(Box::new(found)))
            }
            _ => item.to_text().map(Item::String),
        };
        let asks = matches!(
            function,
            F::ConvertsToBoolean
                | F::ConvertsToInteger
                | F::ConvertsToDecimal
                | F::ConvertsToDate
                | F::ConvertsToDateTime
                | F::ConvertsToTime
                | F::ConvertsToQuantity
                | F::ConvertsToString
        );
        Ok(if asks { boolean(Some(converted.is_some())) } else { optional(converted) })
    }
}

fn to_boolean(item: &Item<'_>) -> Option<bool> {
    match item.to_system()? {
        Item::Boolean(value) => Some(value),
        Item::Integer(1) => Some(true),
        Item::Integer(0) => Some(false),
        Item::Decimal(value) => match number::to_integer(value)? {
            1 => Some(true),
            0 => Some(false),
            _ => None,
        },
        Item::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn to_integer(item: &Item<'_>) -> Option<i64> {
    match item.to_system()? {
        Item::Integer(value) => Some(value),
        Item::Boolean(value) => Some(i64::from(value)),
        Item::String(text) => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            text.parse().ok()
        }
        _ => None,
    }
}

/// A number as text: optional sign, digits, optional fraction; no exponent.
fn read_decimal(text: &str) -> Option<Decimal> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let trimmed = unsigned.trim_start_matches('0');
    let lead = if trimmed.is_empty() || trimmed.starts_with('.') { "0" } else { "" };
    let sign = if text.starts_with('-') { "-" } else { "" };
    Decimal::parse(&format!("{sign}{lead}{trimmed}"))
}

fn to_decimal(item: &Item<'_>) -> Option<Decimal> {
    match item.to_system()? {
        Item::Integer(value) => Some(number::integer(value)),
        Item::Decimal(value) => Some(value),
        Item::Boolean(value) => Some(number::integer(i64::from(value))),
        Item::String(text) => read_decimal(&text),
        _ => None,
    }
}

fn to_date(item: &Item<'_>) -> Option<Temporal> {
    match item.to_system()? {
        Item::Temporal(value) if value.kind != TemporalKind::Time => Some(value.to_date()),
        Item::String(text) => {
            Temporal::parse_date(&text).or_else(|| Temporal::parse_date_time(&text).map(Temporal::to_date))
        }
        _ => None,
    }
}

fn to_date_time(item: &Item<'_>) -> Option<Temporal> {
    match item.to_system()? {
        Item::Temporal(value) if value.kind != TemporalKind::Time => Some(value.to_date_time()),
        Item::String(text) => Temporal::parse_date_time(&text),
        _ => None,
    }
}

fn to_time(item: &Item<'_>) -> Option<Temporal> {
    match item.to_system()? {
        Item::Temporal(value) if value.kind == TemporalKind::Time => Some(value),
        Item::String(text) => Temporal::parse_time(text.strip_prefix('T').unwrap_or(&text)),
        _ => None,
    }
}

/// With a wanted unit, what converts to it.
fn to_quantity<'a>(item: &Item<'a>, wanted: Option<&str>) -> Option<Quantity<'a>> {
    let quantity = match item.to_system()? {
        Item::Quantity(quantity) => *quantity,
        Item::Integer(value) => Quantity::dimensionless(number::integer(value)),
        Item::Decimal(value) => Quantity::dimensionless(value),
        Item::Boolean(value) => Quantity::dimensionless(number::integer(i64::from(value))),
        Item::String(text) => Quantity::parse(&text)?,
        _ => return None,
    };
    match wanted {
        None => Some(quantity),
        Some(wanted) => quantity.converted(wanted),
    }
}
