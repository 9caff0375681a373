//! Filtering, projection, tree navigation and flow. SPEC: FHIRPath N1, "Filtering and projection", "Tree
//! navigation", "Utility functions", "Aggregates"; R4 `extension(url)`.

use super::equality::Set;
use super::{EvaluateError, Evaluator, Flow, Outcome, Scope, one};
use crate::function::Function;
use crate::item::{Collection, Item};
use crate::syntax::Node;
use std::cmp::Ordering;

impl<'a> Evaluator<'a> {
    #[inline(never)]
    pub(super) fn filtering(
        &mut self,
        base: Option<&'a Node>,
        function: Function,
        arguments: &'a [Node],
        scope: Scope<'_, 'a>,
    ) -> Outcome<Collection<'a>> {
        match function {
            Function::Iif => return self.iif(base, arguments, scope),
            Function::Extension => return self.extension(base, arguments, scope),
            _ => {}
        }
        let input = self.input(base, scope)?;
        let mut out = Collection::new();
        match (function, arguments) {
            (Function::Trace, _) => {
                self.trace(&input, arguments, scope)?;
                return Ok(input);
            }
            (Function::Select, [projection]) => {
                for (index, item) in input.iter().enumerate() {
                    self.walk(projection, scope.at(item, index), &mut |me, found| {
                        me.push(&mut out, found)?;
                        Ok(Flow::Continue)
                    })?;
                }
            }
            (Function::Repeat, [projection]) => return self.repeat(input, projection, scope),
            (Function::Children, _) => {
                for item in &input {
                    self.all_children(item, &mut |me, found| me.push(&mut out, Item::Element(found)))?;
                }
            }
            (Function::Descendants, _) => {
                for item in &input {
                    self.descendants(item, &mut out)?;
                }
            }
            (Function::Sort, keys) => return self.sort(input, keys, scope),
            (Function::Aggregate, [aggregator, rest @ ..]) => {
                let mut total = match rest.first() {
                    Some(initial) => self.collect(initial, scope)?,
                    None => Collection::new(),
                };
                for (index, item) in input.iter().enumerate() {
                    let scope = Scope { total: Some(&total), ..scope.at(item, index) };
                    total = self.collect(aggregator, scope)?;
                }
                return Ok(total);
            }
            // The parser makes steps of the others.
            _ => {}
        }
        Ok(out)
    }

    /// Gives the items, or what a projection makes of them, to the sink of the context; without one the
    /// projection is not evaluated.
    fn trace(&mut self, input: &Collection<'a>, arguments: &'a [Node], scope: Scope<'_, 'a>) -> Outcome<()> {
        let name = self.text_argument(arguments, 0, scope)?;
        let Some(sink) = self.context.trace else { return Ok(()) };
        let name = name.unwrap_or_default();
        let Some(projection) = arguments.get(1) else {
            sink.trace(&name, input);
            return Ok(());
        };
        let mut projected = Collection::new();
        for (index, item) in input.iter().enumerate() {
            for found in self.collect(projection, scope.at(item, index))? {
                self.push(&mut projected, found)?;
            }
        }
        sink.trace(&name, &projected);
        Ok(())
    }

    fn descendants(&mut self, item: &Item<'a>, out: &mut Collection<'a>) -> Outcome<()> {
        self.all_children(item, &mut |me, found| {
            let found = Item::Element(found);
            me.push(out, found.clone())?;
            me.descendants(&found, out)
        })
    }

    /// Items seen once are not projected again.
    fn repeat(&mut self, input: Collection<'a>, projection: &'a Node, scope: Scope<'_, 'a>) -> Outcome<Collection<'a>> {
        let mut seen = Set::new();
        let mut queue: Vec<Item<'a>> = input.into_iter().collect();
        while !queue.is_empty() {
            let mut found = Vec::new();
            for (index, item) in queue.iter().enumerate() {
                for next in self.collect(projection, scope.at(item, index))? {
                    if seen.insert(self, next.clone())? {
                        found.push(next);
                    }
                }
            }
            queue = found;
        }
        Ok(seen.into_items())
    }

    fn iif(&mut self, base: Option<&'a Node>, arguments: &'a [Node], scope: Scope<'_, 'a>) -> Outcome<Collection<'a>> {
        let item = match base {
            Some(base) => one(self.collect(base, scope)?)?,
            None => scope.this.cloned(),
        };
        let scope = Scope { this: item.as_ref(), ..scope };
        let Some(criterion) = arguments.first() else { return Ok(Collection::new()) };
        let chosen = if self.condition(criterion, scope)? { arguments.get(1) } else { arguments.get(2) };
        match chosen {
            Some(chosen) => self.collect(chosen, scope),
            None => Ok(Collection::new()),
        }
    }

    fn extension(
        &mut self,
        base: Option<&'a Node>,
        arguments: &'a [Node],
        scope: Scope<'_, 'a>,
    ) -> Outcome<Collection<'a>> {
        let mut out = Collection::new();
        let Some(url) = self.text_argument(arguments, 0, scope)? else { return Ok(out) };
        for item in self.input(base, scope)? {
            let Item::Element(element) = item else { continue };
            let mut outcome = Ok(());
            element.children("extension", |found| {
                let matches = super::path::child_text(&found, "url").is_some_and(|its| its == url);
                if outcome.is_ok() {
                    outcome = if matches { self.push(&mut out, Item::Element(found)) } else { self.charge(1) };
                }
            });
            outcome?;
        }
        Ok(out)
    }

    /// Sorts by keys, or by the items themselves; `-key` sorts downwards; an empty key comes first either way.
    fn sort(&mut self, input: Collection<'a>, keys: &'a [Node], scope: Scope<'_, 'a>) -> Outcome<Collection<'a>> {
        let mut rows: Vec<(Vec<Option<Item<'a>>>, Item<'a>)> = Vec::with_capacity(input.len());
        for (index, item) in input.into_iter().enumerate() {
            let mut values = Vec::with_capacity(keys.len().max(1));
            if keys.is_empty() {
                values.push(item.to_system());
            }
            for key in keys {
                let key = if let Node::Negate(inner) = key { inner } else { key };
                let value = self.single(key, scope.at(&item, index))?;
                values.push(value.and_then(|value| value.to_system()));
            }
            rows.push((values, item));
        }
        self.charge(rows.len().saturating_mul(8))?;
        let mut mixed = false;
        rows.sort_by(|(left, _), (right, _)| {
            for (at, (left, right)) in left.iter().zip(right).enumerate() {
                let down = matches!(keys.get(at), Some(Node::Negate(_)));
                let order = match (left, right) {
                    (None, None) => Ordering::Equal,
                    (None, Some(_)) => return Ordering::Less,
                    (Some(_), None) => return Ordering::Greater,
                    (Some(left), Some(right)) => {
                        let (order, fits) = sort_order(left, right);
                        mixed |= !fits;
                        order
                    }
                };
                let order = if down { order.reverse() } else { order };
                if order.is_ne() {
                    return order;
                }
            }
            Ordering::Equal
        });
        if mixed { Err(EvaluateError::WrongType("sort")) } else { Ok(rows.into_iter().map(|(_, item)| item).collect()) }
    }
}

/// A total order, as the standard library's sort demands of any input, and whether the two values are of
/// kinds that can be compared at all.
fn sort_order(left: &Item<'_>, right: &Item<'_>) -> (Ordering, bool) {
    let rank = |item: &Item<'_>| match item {
        Item::Boolean(_) => 0,
        Item::Integer(_) | Item::Decimal(_) => 1,
        Item::String(_) => 2,
        Item::Temporal(_) => 3,
        Item::Quantity(_) => 4,
        _ => 5,
    };
    match (left, right) {
        (Item::Boolean(left), Item::Boolean(right)) => (left.cmp(right), true),
        (Item::String(left), Item::String(right)) => (left.cmp(right), true),
        (Item::Temporal(left), Item::Temporal(right)) => (left.sort_order(right), true),
        (Item::Quantity(left), Item::Quantity(right)) if left.unit == right.unit => {
            (left.value.compare(&right.value), true)
        }
        // WHY: converted values are cut to a number of digits, which makes no total order.
        (Item::Quantity(left), Item::Quantity(right)) => (left.unit.to_string().cmp(&right.unit.to_string()), false),
        (left, right) => match (left.as_decimal(), right.as_decimal()) {
            (Some(left), Some(right)) => (left.compare(&right), true),
            _ => (rank(left).cmp(&rank(right)), false),
        },
    }
}
