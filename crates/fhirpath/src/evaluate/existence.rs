//! Existence functions. SPEC: FHIRPath N1, "Existence"; R4 `hasValue()`.

use super::equality::Set;
use super::operator::truth_of;
use super::{EvaluateError, Evaluator, Flow, Outcome, Scope, boolean};
use crate::function::Function;
use crate::item::{Collection, Item};
use crate::syntax::Node;
use fhir::schema::TypeKind;
use smallvec::smallvec;

impl<'a> Evaluator<'a> {
    #[inline(never)]
    pub(super) fn existence(
        &mut self,
        base: Option<&'a Node>,
        function: Function,
        arguments: &'a [Node],
        scope: Scope<'_, 'a>,
    ) -> Outcome<Collection<'a>> {
        static THIS: Node = Node::This;
        let input: &'a Node = base.unwrap_or(&THIS);
        let value = match function {
            Function::Empty => !self.any(input, scope)?,
            Function::Exists => match arguments.first() {
                None => self.any(input, scope)?,
                Some(criterion) => self.any_with(input, criterion, true, scope)?,
            },
            Function::All => match arguments.first() {
                None => true,
                Some(criterion) => !self.any_with(input, criterion, false, scope)?,
            },
            Function::Not => return Ok(boolean(self.truth(input, scope)?.map(|value| !value))),
            Function::AllTrue => !self.any_boolean(input, false, scope)?,
            Function::AllFalse => !self.any_boolean(input, true, scope)?,
            Function::AnyTrue => self.any_boolean(input, true, scope)?,
            Function::AnyFalse => self.any_boolean(input, false, scope)?,
            Function::HasValue => {
                let input = self.collect(input, scope)?;
                matches!(input.as_slice(), [item] if has_value(item))
            }
            Function::IsDistinct => {
                let mut set = Set::new();
                let flow = self.walk(input, scope, &mut |me, item| {
                    Ok(if set.insert(me, item)? { Flow::Continue } else { Flow::Stop })
                })?;
                flow == Flow::Continue
            }
            Function::SubsetOf | Function::SupersetOf => {
                let Some(other) = arguments.first() else { return Ok(Collection::new()) };
                let (part, whole) = if function == Function::SubsetOf { (input, other) } else { (other, input) };
                self.is_subset(part, whole, scope)?
            }
            _ => {
                let mut count = 0;
                self.walk(input, scope, &mut |_, _| {
                    count += 1;
                    Ok(Flow::Continue)
                })?;
                return Ok(smallvec![Item::Integer(count)]);
            }
        };
        Ok(smallvec![Item::Boolean(value)])
    }

    /// Whether the criterion is (`wanted` true) or is not true (`wanted` false) for some item.
    fn any_with(&mut self, input: &'a Node, criterion: &'a Node, wanted: bool, scope: Scope<'_, 'a>) -> Outcome<bool> {
        let mut index = 0;
        let flow = self.walk(input, scope, &mut |me, item| {
            let holds = me.truth(criterion, scope.at(&item, index))? == Some(true);
            index += 1;
            Ok(if holds == wanted { Flow::Stop } else { Flow::Continue })
        })?;
        Ok(flow == Flow::Stop)
    }

    fn any_boolean(&mut self, input: &'a Node, wanted: bool, scope: Scope<'_, 'a>) -> Outcome<bool> {
        let flow = self.walk(input, scope, &mut |_, item| match item.as_bool() {
            None => Err(EvaluateError::WrongType("a test of booleans")),
            Some(value) => Ok(if value == wanted { Flow::Stop } else { Flow::Continue }),
        })?;
        Ok(flow == Flow::Stop)
    }

    fn is_subset(&mut self, part: &'a Node, whole: &'a Node, scope: Scope<'_, 'a>) -> Outcome<bool> {
        let mut set = Set::new();
        for item in self.collect(whole, scope)? {
            set.insert(self, item)?;
        }
        for item in self.collect(part, scope)? {
            if !set.contains(self, &item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The criterion of `iif`: empty, or one boolean.
    pub(super) fn condition(&mut self, node: &'a Node, scope: Scope<'_, 'a>) -> Outcome<bool> {
        let items = self.collect(node, scope)?;
        match items.as_slice() {
            [item] if item.as_bool().is_none() => Err(EvaluateError::WrongType("a condition")),
            _ => Ok(truth_of(&items)? == Some(true)),
        }
    }
}

/// A System value, or a FHIR primitive that has one.
pub(super) fn has_value(item: &Item<'_>) -> bool {
    match item {
        Item::Element(element) => element.definition.kind == TypeKind::Primitive && element.value.is_some(),
        Item::Unresolved(_) | Item::Type(..) | Item::Definition(_) => false,
        _ => true,
    }
}
