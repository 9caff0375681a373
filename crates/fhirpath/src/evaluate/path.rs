//! Paths: member names, type filters, `where`, `resolve()`, walked depth first.
//!
//! SPEC: FHIRPath N1, "Path Selection". A name that nothing has yields nothing.

use super::{EvaluateError, Evaluator, Flow, Outcome, Scope, Sink};
use crate::item::{Collection, Item, derives_from};
use crate::syntax::{Name, Node, Step};
use fhir::element::Element;
use fhir::schema::{Schema, TypeDefinition, TypeKind};
use std::borrow::Cow;
use std::ops::ControlFlow;

impl<'a> Evaluator<'a> {
    /// Gives the items of any expression to `sink`, without a collection in between where that can be.
    pub(super) fn walk(&mut self, node: &'a Node, scope: Scope<'_, 'a>, sink: &mut Sink<'_, 'a>) -> Outcome<Flow> {
        match node {
            Node::Path { base, steps }
                if self.context.strict && steps.iter().any(|step| matches!(step, Step::As(_))) =>
            {
                self.walk_strictly(base.as_deref(), steps, scope, sink)
            }
            Node::Path { base: None, steps } => match scope.this {
                Some(this) => self.step(this.clone(), 0, steps, scope, sink),
                None => Ok(Flow::Continue),
            },
            Node::Path { base: Some(base), steps } => {
                let mut index = 0;
                self.walk(base, scope, &mut |me, item| {
                    index += 1;
                    me.step(item, index - 1, steps, scope, sink)
                })
            }
            Node::This => match scope.this {
                Some(this) => sink(self, this.clone()),
                None => Ok(Flow::Continue),
            },
            node => {
                for item in self.collect(node, scope)? {
                    if sink(self, item)? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                }
                Ok(Flow::Continue)
            }
        }
    }

    /// A path whose `as` refuses several items.
    fn walk_strictly(
        &mut self,
        base: Option<&'a Node>,
        steps: &'a [Step],
        scope: Scope<'_, 'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Outcome<Flow> {
        let mut items = self.input(base, scope)?;
        for part in steps.split_inclusive(|step| matches!(step, Step::As(_))) {
            let (last, before) = match part.split_last() {
                Some((last @ Step::As(_), before)) => (std::slice::from_ref(last), before),
                _ => (&[][..], part),
            };
            for steps in [before, last] {
                if !last.is_empty() && std::ptr::eq(steps, last) && items.len() > 1 {
                    return Err(EvaluateError::NotSingleton);
                }
                let mut found = Collection::new();
                for (index, item) in items.into_iter().enumerate() {
                    self.step(item, index, steps, scope, &mut |me, item| {
                        me.push(&mut found, item)?;
                        Ok(Flow::Continue)
                    })?;
                }
                items = found;
            }
        }
        for item in items {
            if sink(self, item)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::Continue)
    }

    /// Takes one item through the remaining steps. `index` is the item's place among its siblings.
    fn step(
        &mut self,
        item: Item<'a>,
        index: usize,
        steps: &'a [Step],
        scope: Scope<'_, 'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Outcome<Flow> {
        self.charge(1)?;
        let Some((step, rest)) = steps.split_first() else { return sink(self, item) };
        match step {
            Step::Child(name) => self.children_named(&item, name, rest, scope, sink),
            // WHY: no element of FHIR has a capital at its front, so what is not the type is nothing.
            Step::Head(name) => {
                let definition = match &item {
                    Item::Element(element) => element.definition,
                    Item::Unresolved(definition) => definition,
                    _ => return Ok(Flow::Continue),
                };
                if is_or_derives_from(self.focus.schema, definition, name) {
                    self.step(item, index, rest, scope, sink)
                } else {
                    Ok(Flow::Continue)
                }
            }
            Step::OfType(name) | Step::As(name) => {
                if self.has_type_for_as(&item, name)? {
                    self.step(item, index, rest, scope, sink)
                } else {
                    Ok(Flow::Continue)
                }
            }
            Step::Where(criterion) => {
                if self.truth(criterion, scope.at(&item, index))? == Some(true) {
                    self.step(item, index, rest, scope, sink)
                } else {
                    Ok(Flow::Continue)
                }
            }
            Step::WhereEquals(name, text) => {
                if self.has_child_with_text(&item, name, text)? {
                    self.step(item, index, rest, scope, sink)
                } else {
                    Ok(Flow::Continue)
                }
            }
            Step::WhereResolvesTo(name) => {
                let resolved = self.resolve(&item)?;
                let matches = match &resolved {
                    Some(resource) => self.has_type(resource, name),
                    None => false,
                };
                if matches { self.step(item, index, rest, scope, sink) } else { Ok(Flow::Continue) }
            }
            Step::Resolve => match self.resolve(&item)? {
                Some(resource) => self.step(resource, index, rest, scope, sink),
                None => Ok(Flow::Continue),
            },
        }
    }

    fn children_named(
        &mut self,
        item: &Item<'a>,
        name: &Name,
        rest: &'a [Step],
        scope: Scope<'_, 'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Outcome<Flow> {
        let element = match item {
            Item::Element(element) => element,
            Item::Type(namespace, type_name) => {
                let text = match name.text.as_ref() {
                    "namespace" => *namespace,
                    "name" => *type_name,
                    _ => return Ok(Flow::Continue),
                };
                return self.step(Item::String(Cow::Borrowed(text)), 0, rest, scope, sink);
            }
            Item::Definition(definition) => {
                for (index, found) in definition.children(&name.text).into_iter().enumerate() {
                    if self.step(found, index, rest, scope, sink)? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                }
                return Ok(Flow::Continue);
            }
            _ => return Ok(Flow::Continue),
        };
        let Some(definition) = name.element(element.definition) else { return Ok(Flow::Continue) };
        let mut outcome = Ok(Flow::Continue);
        let mut index = 0;
        let _rest = element.children_of(definition, |found| {
            outcome = self.step(Item::Element(found), index, rest, scope, sink);
            index += 1;
            if outcome == Ok(Flow::Continue) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        outcome
    }

    /// `name = 'text'` on an item. Several values make the comparison false, as collections of different
    /// size are unequal.
    fn has_child_with_text(&mut self, item: &Item<'a>, name: &Name, text: &str) -> Outcome<bool> {
        self.charge(1)?;
        let Item::Element(element) = item else { return Ok(false) };
        let Some(definition) = name.element(element.definition) else { return Ok(false) };
        let mut count = 0;
        let mut equal = false;
        let _all = element.children_of(definition, |found| {
            count += 1;
            equal = found.definition.kind == TypeKind::Primitive && found.text().is_some_and(|found| found == text);
            ControlFlow::Continue(())
        });
        Ok(count == 1 && equal)
    }

    /// Whether an expression has any item.
    pub(super) fn any(&mut self, node: &'a Node, scope: Scope<'_, 'a>) -> Outcome<bool> {
        Ok(self.walk(node, scope, &mut |_, _| Ok(Flow::Stop))? == Flow::Stop)
    }

    /// All children of an item, as elements.
    pub(super) fn all_children(
        &mut self,
        item: &Item<'a>,
        visit: &mut dyn FnMut(&mut Self, Element<'a>) -> Outcome<()>,
    ) -> Outcome<()> {
        let Item::Element(element) = item else { return Ok(()) };
        let mut outcome = Ok(());
        element.all_children(|found| {
            if outcome.is_ok() {
                outcome = self.charge(1).and_then(|()| visit(self, found));
            }
        });
        outcome
    }
}

/// As [`derives_from`]; of a resource the two types above are known, as the unions of search parameters ask
/// every resource for thirty others.
fn is_or_derives_from(schema: &Schema, definition: &TypeDefinition, name: &str) -> bool {
    match definition.kind {
        TypeKind::Resource if definition.name != name => match name {
            "Resource" => true,
            "DomainResource" => definition.base == name,
            _ => false,
        },
        _ => derives_from(schema, definition, name),
    }
}

/// The text of the first child of this name.
pub(super) fn child_text<'a>(element: &Element<'a>, name: &str) -> Option<Cow<'a, str>> {
    element.child(name)?.text()
}
