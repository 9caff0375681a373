//! Compiled grants, kept by scope string: a client's scopes are parsed once, not at each request.

use crate::limits;
use oauth::{Caller, caller::CallerKind};
use policy::{Denied, Grants, Interaction, Permit};
use search::Registry;
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

/// The kept grants. Bounded; when full, it starts anew. `policy` refuses the grants of another
/// caller, so that a wrong key here could only ever deny.
#[derive(Debug, Default)]
pub(crate) struct GrantCache {
    by_scope: RwLock<Kept>,
    operator: OnceLock<Arc<Grants>>,
}

/// Grants by scope string, and the search parameters that they are written in: other ones mean other grants.
#[derive(Debug, Default)]
struct Kept {
    registry: Option<Arc<Registry>>,
    by_scope: HashMap<Arc<str>, Arc<Grants>>,
}

impl Kept {
    fn is_of(&self, registry: &Arc<Registry>) -> bool {
        self.registry.as_ref().is_some_and(|own| Arc::ptr_eq(own, registry))
    }
}

impl GrantCache {
    /// Asks `policy` whether this caller may do this.
    pub(crate) fn decide(
        &self,
        caller: &Caller,
        registry: &Arc<Registry>,
        interaction: &Interaction,
    ) -> Result<Permit, Denied> {
        policy::decide(caller, &self.of(caller, registry), interaction)
    }

    fn of(&self, caller: &Caller, registry: &Arc<Registry>) -> Arc<Grants> {
        if caller.kind() == CallerKind::Operator {
            return Arc::clone(self.operator.get_or_init(|| Arc::new(Grants::compile(caller, registry))));
        }
        let scope = &caller.grant().scope_text;
        let kept = {
            let kept = self.by_scope.read().unwrap_or_else(PoisonError::into_inner);
            kept.by_scope.get(scope).filter(|_| kept.is_of(registry)).cloned()
        };
        kept.unwrap_or_else(|| {
            let grants = Arc::new(Grants::compile(caller, registry));
            let mut kept = self.by_scope.write().unwrap_or_else(PoisonError::into_inner);
            if !kept.is_of(registry) || kept.by_scope.len() >= limits::GRANTS_CACHED_MAX {
                *kept = Kept { registry: Some(Arc::clone(registry)), by_scope: HashMap::new() };
            }
            kept.by_scope.insert(Arc::clone(scope), Arc::clone(&grants));
            grants
        })
    }
}
