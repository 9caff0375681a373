//! Operators, and conditions with three-valued logic. SPEC: FHIRPath N1, "Operations".

use super::equality::Set;
use super::{EvaluateError, Evaluator, Outcome, Scope, boolean, one, optional};
use crate::function::Function;
use crate::item::{Collection, Item, derives_from};
use crate::number;
use crate::quantity::{CalendarUnit, Quantity, Unit};
use crate::syntax::{Node, Operator};
use crate::temporal::{Temporal, TemporalKind};
use fhir::primitive::decimal::Decimal;
use smallvec::smallvec;
use std::borrow::Cow;
use std::cmp::Ordering;

impl<'a> Evaluator<'a> {
    /// The value of a condition; `None` for empty. One item that is no boolean counts as true.
    pub(super) fn truth(&mut self, node: &'a Node, scope: Scope<'_, 'a>) -> Outcome<Option<bool>> {
        self.charge(1)?;
        match node {
            Node::Binary(operator @ (Operator::And | Operator::Or | Operator::Xor | Operator::Implies), sides) => {
                let [left, right] = &**sides;
                self.logic(*operator, left, right, scope)
            }
            Node::Is(subject, name) => {
                let subject = self.single(subject, scope)?;
                Ok(subject.map(|subject| self.has_type(&subject, name)))
            }
            Node::Call { base: Some(base), function: Function::Exists, arguments } if arguments.is_empty() => {
                self.any(base, scope).map(Some)
            }
            Node::Call { base: Some(base), function: Function::Empty, .. } => {
                self.any(base, scope).map(|any| Some(!any))
            }
            Node::Call { base: Some(base), function: Function::Not, .. } => {
                Ok(self.truth(base, scope)?.map(|value| !value))
            }
            node => truth_of(&self.collect(node, scope)?),
        }
    }

    #[inline(never)]
    pub(super) fn binary(
        &mut self,
        operator: Operator,
        sides: &'a [Node; 2],
        scope: Scope<'_, 'a>,
    ) -> Outcome<Collection<'a>> {
        use Operator as O;
        match operator {
            O::And | O::Or | O::Xor | O::Implies => {
                let [left, right] = sides;
                self.logic(operator, left, right, scope).map(boolean)
            }
            O::Equal | O::NotEqual | O::Equivalent | O::NotEquivalent => {
                let (left, right) = (self.collect(&sides[0], scope)?, self.collect(&sides[1], scope)?);
                Ok(boolean(match operator {
                    O::Equal => self.equal_collections(&left, &right)?,
                    O::NotEqual => self.equal_collections(&left, &right)?.map(|equal| !equal),
                    O::Equivalent => Some(self.equivalent_collections(&left, &right)?),
                    _ => Some(!self.equivalent_collections(&left, &right)?),
                }))
            }
            O::In => self.member(&sides[0], &sides[1], scope),
            O::Contains => self.member(&sides[1], &sides[0], scope),
            O::Concatenate => {
                let (left, right) = (self.single(&sides[0], scope)?, self.single(&sides[1], scope)?);
                let text = |item: Option<Item<'a>>| match item {
                    None => Ok(Cow::Borrowed("")),
                    Some(item) => item.as_str().ok_or(EvaluateError::WrongType("&")),
                };
                let joined = format!("{}{}", text(left)?, text(right)?);
                self.charge_text(joined.len())?;
                Ok(smallvec![Item::String(Cow::Owned(joined))])
            }
            _ => {
                let (left, right) = (self.single(&sides[0], scope)?, self.single(&sides[1], scope)?);
                let (Some(left), Some(right)) = (left, right) else { return Ok(Collection::new()) };
                let (Some(left), Some(right)) = (left.to_system(), right.to_system()) else {
                    // Other elements than quantities and primitives without value are no operands at all.
                    return if is_open(&left) || is_open(&right) {
                        Ok(Collection::new())
                    } else {
                        Err(EvaluateError::WrongType("an operator"))
                    };
                };
                match operator {
                    O::Less | O::LessOrEqual | O::Greater | O::GreaterOrEqual => {
                        Ok(boolean(compare(&left, &right)?.map(|order| match operator {
                            O::Less => order.is_lt(),
                            O::LessOrEqual => order.is_le(),
                            O::Greater => order.is_gt(),
                            _ => order.is_ge(),
                        })))
                    }
                    operator => self.arithmetic(operator, left, right).map(optional),
                }
            }
        }
    }

    fn logic(
        &mut self,
        operator: Operator,
        left: &'a Node,
        right: &'a Node,
        scope: Scope<'_, 'a>,
    ) -> Outcome<Option<bool>> {
        let left = self.truth(left, scope)?;
        let decided = match (operator, left) {
            (Operator::And, Some(false)) => Some(false),
            (Operator::Or, Some(true)) | (Operator::Implies, Some(false)) => Some(true),
            _ => None,
        };
        if decided.is_some() {
            return Ok(decided);
        }
        let right = self.truth(right, scope)?;
        Ok(match (operator, left, right) {
            (Operator::And, _, Some(false)) => Some(false),
            (Operator::And, Some(true), Some(true)) => Some(true),
            (Operator::Or | Operator::Implies, _, Some(true)) => Some(true),
            (Operator::Or, Some(false), Some(false)) => Some(false),
            (Operator::Implies, Some(true), Some(false)) => Some(false),
            (Operator::Xor, Some(left), Some(right)) => Some(left != right),
            _ => None,
        })
    }

    /// Whether the one item of `item` is in the collection `set`.
    fn member(&mut self, item: &'a Node, set: &'a Node, scope: Scope<'_, 'a>) -> Outcome<Collection<'a>> {
        let Some(item) = self.single(item, scope)? else { return Ok(Collection::new()) };
        let mut found = false;
        for candidate in self.collect(set, scope)? {
            if self.equal(&item, &candidate)? == Some(true) {
                found = true;
                break;
            }
        }
        Ok(boolean(Some(found)))
    }

    pub(super) fn union_of(&mut self, parts: &'a [Node], scope: Scope<'_, 'a>) -> Outcome<Collection<'a>> {
        let mut set = Set::new();
        for part in parts {
            self.walk(part, scope, &mut |me, item| {
                set.insert(me, item)?;
                Ok(super::Flow::Continue)
            })?;
        }
        Ok(set.into_items())
    }

    pub(super) fn indexer(&mut self, sides: &'a [Node; 2], scope: Scope<'_, 'a>) -> Outcome<Collection<'a>> {
        let Some(index) = self.single(&sides[1], scope)? else { return Ok(Collection::new()) };
        let index = index.as_integer().ok_or(EvaluateError::WrongType("an index"))?;
        let Ok(index) = usize::try_from(index) else { return Ok(Collection::new()) };
        self.nth(&sides[0], index, scope).map(optional)
    }

    pub(super) fn negate(&mut self, operand: &'a Node, scope: Scope<'_, 'a>) -> Outcome<Collection<'a>> {
        let Some(operand) = self.single(operand, scope)? else { return Ok(Collection::new()) };
        Ok(optional(match operand.to_system() {
            Some(Item::Integer(value)) => value.checked_neg().map(Item::Integer),
            Some(Item::Decimal(value)) => Some(Item::Decimal(number::negate(value))),
            Some(Item::Quantity(mut quantity)) => {
                quantity.value = number::negate(quantity.value);
                Some(Item::Quantity(quantity))
            }
            _ => return Err(EvaluateError::WrongType("-")),
        }))
    }

    /// The operand of a `+` sign.
    pub(super) fn signed(&mut self, operand: Collection<'a>) -> Outcome<Collection<'a>> {
        match one(operand)? {
            None => Ok(Collection::new()),
            Some(item) => match item.to_system() {
                Some(value @ (Item::Integer(_) | Item::Decimal(_) | Item::Quantity(_))) => Ok(smallvec![value]),
                _ => Err(EvaluateError::WrongType("+")),
            },
        }
    }

    fn arithmetic(&mut self, operator: Operator, left: Item<'a>, right: Item<'a>) -> Outcome<Option<Item<'a>>> {
        use Operator as O;
        match (left, right) {
            (Item::Integer(left), Item::Integer(right)) => Ok(match operator {
                O::Add => left.checked_add(right).map(Item::Integer),
                O::Subtract => left.checked_sub(right).map(Item::Integer),
                O::Multiply => left.checked_mul(right).map(Item::Integer),
                O::DivideWhole => left.checked_div(right).map(Item::Integer),
                O::Modulo => left.checked_rem(right).map(Item::Integer),
                _ => number::divide(number::integer(left), number::integer(right)).map(Item::Decimal),
            }),
            (Item::String(left), Item::String(right)) if operator == O::Add => {
                self.charge_text(left.len() + right.len())?;
                Ok(Some(Item::String(Cow::Owned(format!("{left}{right}")))))
            }
            (Item::Temporal(moment), Item::Quantity(quantity)) if matches!(operator, O::Add | O::Subtract) => {
                shift(moment, &quantity, operator == O::Subtract)
            }
            (Item::Quantity(left), Item::Quantity(right)) => quantities(operator, &left, &right),
            (Item::Quantity(left), right) if matches!(operator, O::Multiply | O::Divide) => {
                let right =
                    decimal(&right).map(Quantity::dimensionless).ok_or(EvaluateError::WrongType("an operator"))?;
                quantities(operator, &left, &right)
            }
            (left, Item::Quantity(right)) if operator == O::Multiply => {
                let left =
                    decimal(&left).map(Quantity::dimensionless).ok_or(EvaluateError::WrongType("an operator"))?;
                quantities(operator, &left, &right)
            }
            (left, right) => match (decimal(&left), decimal(&right)) {
                (Some(left), Some(right)) => Ok(decimals(operator, left, right)),
                _ => Err(EvaluateError::WrongType("an operator")),
            },
        }
    }
}

/// A primitive or quantity that has no value to compare, or only a bound (`comparator`).
fn is_open(item: &Item<'_>) -> bool {
    let Item::Element(element) = item else { return false };
    element.is_primitive() || derives_from(element.schema, element.definition, "Quantity")
}

/// Singleton evaluation of a condition.
pub(super) fn truth_of(items: &Collection<'_>) -> Outcome<Option<bool>> {
    match items.as_slice() {
        [] => Ok(None),
        [Item::Boolean(value)] => Ok(Some(*value)),
        [Item::Element(element)] if element.definition.name == "boolean" => {
            Ok(element.value.and_then(|value| value.as_bool()))
        }
        [_] => Ok(Some(true)),
        _ => Err(EvaluateError::NotSingleton),
    }
}

fn decimal(item: &Item<'_>) -> Option<Decimal> {
    match item {
        Item::Integer(value) => Some(number::integer(*value)),
        Item::Decimal(value) => Some(*value),
        _ => None,
    }
}

fn decimals<'a>(operator: Operator, left: Decimal, right: Decimal) -> Option<Item<'a>> {
    match operator {
        Operator::Add => number::add(left, right).map(Item::Decimal),
        Operator::Subtract => number::subtract(left, right).map(Item::Decimal),
        Operator::Multiply => number::multiply(left, right).map(Item::Decimal),
        Operator::DivideWhole => {
            let (whole, _) = number::divide_whole(left, right)?;
            i64::try_from(whole).ok().map(Item::Integer)
        }
        Operator::Modulo => number::divide_whole(left, right).map(|(_, rest)| Item::Decimal(rest)),
        _ => number::divide(left, right).map(Item::Decimal),
    }
}

fn quantities<'a>(operator: Operator, left: &Quantity<'a>, right: &Quantity<'a>) -> Outcome<Option<Item<'a>>> {
    let result = match operator {
        Operator::Add => left.add(right, false),
        Operator::Subtract => left.add(right, true),
        Operator::Multiply => left.times(right, false),
        Operator::Divide => left.times(right, true),
        _ => return Err(EvaluateError::WrongType("an operator")),
    };
    Ok(result.map(|quantity| Item::Quantity(Box::new(quantity))))
}

/// A date or time moved by a quantity of time; the amount is cut to whole units, except that finer units
/// than seconds count where the value has them.
fn shift<'a>(moment: Temporal, quantity: &Quantity<'a>, back: bool) -> Outcome<Option<Item<'a>>> {
    let unit = match &quantity.unit {
        Unit::Calendar(unit) => *unit,
        // WHY: UCUM's `a` and `mo` have a definite length that no calendar has.
        Unit::Ucum(code) => CalendarUnit::from_definite_ucum(code).ok_or(EvaluateError::WrongType("+ on a date"))?,
        Unit::Other(_) => return Err(EvaluateError::WrongType("+ on a date")),
    };
    let timed =
        matches!(unit, CalendarUnit::Hour | CalendarUnit::Minute | CalendarUnit::Second | CalendarUnit::Millisecond);
    if moment.kind == TemporalKind::Time && !timed {
        return Err(EvaluateError::WrongType("+ on a time of day"));
    }
    let whole = number::rounded(quantity.value, 0, number::Rounding::TowardsZero).and_then(number::to_integer);
    let amount = match whole.and_then(|amount| if back { amount.checked_neg() } else { Some(amount) }) {
        Some(amount) => amount,
        None => return Ok(None),
    };
    Ok(moment.add(amount, unit).map(Item::Temporal))
}

/// Order of two values; `None` when it is open.
pub(super) fn compare(left: &Item<'_>, right: &Item<'_>) -> Outcome<Option<Ordering>> {
    match (left, right) {
        (Item::String(left), Item::String(right)) => Ok(Some(left.cmp(right))),
        (Item::Temporal(left), Item::Temporal(right)) => {
            if (left.kind == TemporalKind::Time) != (right.kind == TemporalKind::Time) {
                return Err(EvaluateError::WrongType("a comparison"));
            }
            Ok(left.compare(right))
        }
        (Item::Quantity(left), Item::Quantity(right)) => Ok(left.compare(right)),
        (Item::Quantity(left), right) => {
            let right = decimal(right).map(Quantity::dimensionless).ok_or(EvaluateError::WrongType("a comparison"))?;
            Ok(left.compare(&right))
        }
        (left, Item::Quantity(right)) => {
            let left = decimal(left).map(Quantity::dimensionless).ok_or(EvaluateError::WrongType("a comparison"))?;
            Ok(left.compare(right))
        }
        (left, right) => match (decimal(left), decimal(right)) {
            (Some(left), Some(right)) => Ok(Some(left.compare(&right))),
            _ => Err(EvaluateError::WrongType("a comparison")),
        },
    }
}
