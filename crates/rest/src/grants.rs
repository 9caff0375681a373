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
    by_scope: RwLock<HashMap<Arc<str>, Arc<Grants>>>,
    operator: OnceLock<Arc<Grants>>,
}

impl GrantCache {
    /// Asks `policy` whether this caller may do this.
    pub(crate) fn decide(
        &self,
        caller: &Caller,
        registry: &Registry,
        interaction: &Interaction,
    ) -> Result<Permit, Denied> {
        policy::decide(caller, &self.of(caller, registry), interaction)
    }

    fn of(&self, caller: &Caller, registry: &Registry) -> Arc<Grants> {
        if caller.kind() == CallerKind::Operator {
            return Arc::clone(self.operator.get_or_init(|| Arc::new(Grants::compile(caller, registry))));
        }
        let scope = &caller.grant().scope_text;
        let kept = self.by_scope.read().unwrap_or_else(PoisonError::into_inner).get(scope).cloned();
        kept.unwrap_or_else(|| {
            let grants = Arc::new(Grants::compile(caller, registry));
            let mut by_scope = self.by_scope.write().unwrap_or_else(PoisonError::into_inner);
            if by_scope.len() >= limits::GRANTS_CACHED_MAX {
                by_scope.clear();
            }
            by_scope.insert(Arc::clone(scope), Arc::clone(&grants));
            grants
        })
    }
}
