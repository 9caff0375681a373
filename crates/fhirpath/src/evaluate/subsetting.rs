//! Subsetting functions. SPEC: FHIRPath N1, "Subsetting".

use super::{Evaluator, Flow, Outcome, Scope, one, optional};
use crate::function::Function;
use crate::item::{Collection, Item};
use crate::syntax::Node;

impl<'a> Evaluator<'a> {
    #[inline(never)]
    pub(super) fn subsetting(
        &mut self,
        base: Option<&'a Node>,
        function: Function,
        arguments: &'a [Node],
        scope: Scope<'_, 'a>,
    ) -> Outcome<Collection<'a>> {
        if let (Function::First, Some(base)) = (function, base) {
            return self.nth(base, 0, scope).map(optional);
        }
        let amount = match function {
            Function::Skip | Function::Take => match self.integer_argument(arguments, 0, scope)? {
                Some(amount) => usize::try_from(amount).unwrap_or(0),
                None => return Ok(Collection::new()),
            },
            _ => 1,
        };
        let mut input = self.input(base, scope)?;
        Ok(match function {
            Function::First | Function::Take => {
                input.truncate(amount);
                input
            }
            Function::Last => optional(input.pop()),
            Function::Tail | Function::Skip => input.into_iter().skip(amount).collect(),
            _ => optional(one(input)?),
        })
    }

    /// The item at a place, counted from 0.
    pub(super) fn nth(&mut self, node: &'a Node, place: usize, scope: Scope<'_, 'a>) -> Outcome<Option<Item<'a>>> {
        let mut at = 0;
        let mut found = None;
        self.walk(node, scope, &mut |_, item| {
            if at == place {
                found = Some(item);
                return Ok(Flow::Stop);
            }
            at += 1;
            Ok(Flow::Continue)
        })?;
        Ok(found)
    }
}
