//! Compiled grants, kept by what they follow from: scopes are parsed once, not at each request.
//!
//! For a system that is its scope string; for a person also who they are and whose record is in context, so there are
//! as many grants as people at work; for an organization its purposes; for all of these what consents, labels and the
//! operator's rules look at. Each kind has its own shelf: many people do not push out the
//! systems. What holds for a time is asked with each request, and what the facility decided counts with the next one
//! (row G17).

use crate::limits;
use oauth::{Caller, caller::CallerKind};
use policy::{Asker, Denied, Grants, House, Interaction, Organization, Permit, Person};
use search::Registry;
use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Arc, OnceLock, PoisonError, RwLock, Weak},
};

/// The kept grants. `policy` refuses the grants of another caller, so that a wrong key here could only ever deny.
#[derive(Debug)]
pub(crate) struct GrantCache {
    /// What was found for who came before: most requests are by a token that was there a moment ago.
    seen: RwLock<Seen>,
    systems: Shelf<(Arc<str>, Asker)>,
    people: Shelf<(Arc<str>, Person, Asker)>,
    organizations: Shelf<(Arc<str>, Option<Person>, Organization, Asker)>,
    operator: OnceLock<Arc<Grants>>,
}

impl Default for GrantCache {
    fn default() -> Self {
        Self {
            seen: RwLock::default(),
            systems: Shelf::new(limits::GRANTS_CACHED_MAX),
            people: Shelf::new(limits::GRANTS_OF_PEOPLE_CACHED_MAX),
            organizations: Shelf::new(limits::GRANTS_OF_ORGANIZATIONS_CACHED_MAX),
            operator: OnceLock::new(),
        }
    }
}

impl GrantCache {
    /// Asks `policy` whether this caller may do this now.
    pub(crate) fn decide(&self, caller: &Caller, given: &Given, interaction: &Interaction) -> Result<Permit, Denied> {
        policy::decide(caller, &self.of(caller, given), interaction)
    }

    fn of(&self, caller: &Caller, given: &Given) -> Arc<Grants> {
        let address = Arc::as_ptr(caller.grant()).addr();
        let known = |seen: &Seen| {
            let is_of = seen.given.as_ref().is_some_and(|own| own.is(given));
            seen.of.get(&address).filter(|(one, _)| is_of && one.is(caller)).and_then(|(_, grants)| grants.upgrade())
        };
        if let Some(grants) = known(&self.seen.read().unwrap_or_else(PoisonError::into_inner)) {
            return grants;
        }
        let grants = self.found(caller, given);
        if Arc::strong_count(caller.grant()) < 2 {
            // Made for this request alone: nobody comes by it again.
            return grants;
        }
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        if !seen.given.as_ref().is_some_and(|own| own.is(given)) || seen.of.len() >= limits::CALLERS_SEEN_MAX {
            *seen = Seen { given: Some(given.clone()), of: HashMap::new() };
        }
        seen.of.insert(address, (caller.clone(), Arc::downgrade(&grants)));
        grants
    }

    fn found(&self, caller: &Caller, given: &Given) -> Arc<Grants> {
        let compile = || Arc::new(Grants::compile(caller, &given.registry, &given.house));
        if caller.kind() == CallerKind::Operator {
            return Arc::clone(self.operator.get_or_init(compile));
        }
        let scope = Arc::clone(&caller.grant().scope_text);
        let asker = Asker::of(caller, &given.house);
        match (Organization::of(caller), Person::of(caller)) {
            (Some(organization), person) => {
                self.organizations.get((scope, person, organization, asker), given, compile)
            }
            (None, Some(person)) => self.people.get((scope, person, asker), given, compile),
            (None, None) => self.systems.get((scope, asker), given, compile),
        }
    }
}

/// Callers with their grants, as long as these are kept, by the address of what their token stands for, which is held
/// with them.
#[derive(Default)]
struct Seen {
    given: Option<Given>,
    of: HashMap<usize, (Caller, Weak<Grants>)>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} callers", self.of.len())
    }
}

/// What all grants are written in; other ones mean other grants.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    /// The search parameters.
    pub(crate) registry: Arc<Registry>,
    /// What the facility decided.
    pub(crate) house: Arc<House>,
}

impl Given {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.registry, &other.registry) && Arc::ptr_eq(&self.house, &other.house)
    }
}

/// Grants by key, bounded. When the younger half is full it becomes the older one, whose rest goes: what is in use is
/// taken over, what is not is forgotten.
#[derive(Debug)]
struct Shelf<K> {
    half_max: usize,
    kept: RwLock<Kept<K>>,
}

/// Both halves, and what the grants are written in.
#[derive(Debug)]
struct Kept<K> {
    given: Option<Given>,
    younger: HashMap<K, Arc<Grants>>,
    older: HashMap<K, Arc<Grants>>,
}

impl<K> Kept<K> {
    fn is_of(&self, given: &Given) -> bool {
        self.given.as_ref().is_some_and(|own| own.is(given))
    }
}

impl<K: Hash + Eq> Shelf<K> {
    fn new(max: usize) -> Self {
        let kept = Kept { given: None, younger: HashMap::new(), older: HashMap::new() };
        Self { half_max: (max / 2).max(1), kept: RwLock::new(kept) }
    }

    fn get(&self, key: K, given: &Given, compile: impl FnOnce() -> Arc<Grants>) -> Arc<Grants> {
        let found = {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(grants) = kept.younger.get(&key).filter(|_| kept.is_of(given)) {
                return Arc::clone(grants);
            }
            kept.older.get(&key).filter(|_| kept.is_of(given)).cloned()
        };
        let grants = found.unwrap_or_else(compile);
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if !kept.is_of(given) {
            *kept = Kept { given: Some(given.clone()), younger: HashMap::new(), older: HashMap::new() };
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
