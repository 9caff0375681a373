//! Combining collections. SPEC: FHIRPath N1, "Combining", "Subsetting" (intersect, exclude), `distinct()`.

use super::equality::Set;
use super::{Evaluator, Outcome, Scope};
use crate::function::Function;
use crate::item::Collection;
use crate::syntax::Node;

impl<'a> Evaluator<'a> {
    #[inline(never)]
    pub(super) fn combining(
        &mut self,
        base: Option<&'a Node>,
        function: Function,
        arguments: &'a [Node],
        scope: Scope<'_, 'a>,
    ) -> Outcome<Collection<'a>> {
        let mut input = self.input(base, scope)?;
        let other = match arguments.first() {
            Some(argument) => self.collect(argument, scope)?,
            None => Collection::new(),
        };
        match function {
            Function::Combine => {
                for item in other {
                    self.push(&mut input, item)?;
                }
                Ok(input)
            }
            Function::Intersect | Function::Exclude => {
                let shared = function == Function::Intersect;
                let mut set = Set::new();
                for item in other {
                    set.insert(self, item)?;
                }
                let mut kept = Set::new();
                let mut out = Collection::new();
                for item in input {
                    if set.contains(self, &item)? != shared {
                        continue;
                    }
                    if !shared {
                        self.push(&mut out, item)?;
                    } else {
                        kept.insert(self, item)?;
                    }
                }
                Ok(if shared { kept.into_items() } else { out })
            }
            _ => {
                let mut set = Set::new();
                for item in input.into_iter().chain(other) {
                    set.insert(self, item)?;
                }
                Ok(set.into_items())
            }
        }
    }
}
