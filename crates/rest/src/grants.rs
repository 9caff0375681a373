//! Compiled grants, kept by what they follow from: scopes are parsed once, not at each request.
//!
//! For a system that is its scope string; for a person also who they are and whose record is in context, so there are
//! as many grants as people at work. What an organization reaches begins and ends with periods, so its grants are of
//! one second (row G17). Each kind has its own shelf: many people do not push out the systems.

use crate::limits;
use fhir::Instant;
use oauth::{Caller, caller::CallerKind};
use policy::{Denied, Grants, Interaction, Organization, Permit, Person};
use search::Registry;
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

/// The kept grants. `policy` refuses the grants of another caller, so that a wrong key here could only ever deny.
#[derive(Debug)]
pub(crate) struct GrantCache {
    systems: Shelf<Arc<str>>,
    people: Shelf<(Arc<str>, Person)>,
    organizations: Shelf<(Arc<str>, Option<Person>, Organization, i64)>,
    operator: OnceLock<Arc<Grants>>,
}

impl Default for GrantCache {
    fn default() -> Self {
        Self {
            systems: Shelf::new(limits::GRANTS_CACHED_MAX),
            people: Shelf::new(limits::GRANTS_OF_PEOPLE_CACHED_MAX),
            organizations: Shelf::new(limits::GRANTS_OF_ORGANIZATIONS_CACHED_MAX),
            operator: OnceLock::new(),
        }
    }
}

impl GrantCache {
    /// Asks `policy` whether this caller may do this now.
    pub(crate) fn decide(
        &self,
        caller: &Caller,
        registry: &Arc<Registry>,
        interaction: &Interaction,
        now: Instant,
    ) -> Result<Permit, Denied> {
        policy::decide(caller, &self.of(caller, registry, now), interaction)
    }

    fn of(&self, caller: &Caller, registry: &Arc<Registry>, now: Instant) -> Arc<Grants> {
        let compile = || Arc::new(Grants::compile(caller, registry));
        if caller.kind() == CallerKind::Operator {
            return Arc::clone(self.operator.get_or_init(compile));
        }
        let scope = Arc::clone(&caller.grant().scope_text);
        if let Some(organization) = Organization::of(caller) {
            let now_s = now.unix_seconds();
            // Of the begin of the second: whenever in it they are made, they are the same.
            let at = Instant::from_unix_millis(now_s.saturating_mul(1000));
            let key = (scope, Person::of(caller), organization, now_s);
            return self.organizations.get(key, registry, || Arc::new(Grants::compile_at(caller, registry, at)));
        }
        match Person::of(caller) {
            Some(person) => self.people.get((scope, person), registry, compile),
            None => self.systems.get(scope, registry, compile),
        }
    }
}

/// Grants by key, bounded. When the younger half is full it becomes the older one, whose rest goes: what is in use is
/// taken over, what is not is forgotten.
#[derive(Debug)]
struct Shelf<K> {
    half_max: usize,
    kept: RwLock<Kept<K>>,
}

/// Both halves, and the search parameters that the grants are written in: other ones mean other grants.
#[derive(Debug)]
struct Kept<K> {
    registry: Option<Arc<Registry>>,
    younger: HashMap<K, Arc<Grants>>,
    older: HashMap<K, Arc<Grants>>,
}

impl<K> Kept<K> {
    fn is_of(&self, registry: &Arc<Registry>) -> bool {
        self.registry.as_ref().is_some_and(|own| Arc::ptr_eq(own, registry))
    }
}

impl<K: Hash + Eq> Shelf<K> {
    fn new(max: usize) -> Self {
        let kept = Kept { registry: None, younger: HashMap::new(), older: HashMap::new() };
        Self { half_max: (max / 2).max(1), kept: RwLock::new(kept) }
    }

    fn get(&self, key: K, registry: &Arc<Registry>, compile: impl FnOnce() -> Arc<Grants>) -> Arc<Grants> {
        let found = {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(grants) = kept.younger.get(&key).filter(|_| kept.is_of(registry)) {
                return Arc::clone(grants);
            }
            kept.older.get(&key).filter(|_| kept.is_of(registry)).cloned()
        };
        let grants = found.unwrap_or_else(compile);
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if !kept.is_of(registry) {
            *kept = Kept { registry: Some(Arc::clone(registry)), younger: HashMap::new(), older: HashMap::new() };
        }
        if kept.younger.len() >= self.half_max {
            kept.older = std::mem::take(&mut kept.younger);
        }
        kept.younger.insert(key, Arc::clone(&grants));
        grants
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.younger.len() + kept.older.len()
    }
}

#[cfg(test)]
mod tests;
