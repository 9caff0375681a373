//! What a change of consents would do to what somebody sees, before anybody makes it. Rows G7, G9, G16, G18.
//!
//! The whole decision on what is current, as a search makes it, is made twice, by what decides it otherwise: scopes,
//! relations, labels, the operator's rules and consents; once with the consents of the patient as they stand, once with
//! those that would stand. So nobody is said to lose what they never saw, nor to gain what something else withholds.
//! What the consents alone say: [`crate::consent::preview`].
//!
//! Left out: rules of patients behind a chain (a Provenance is withheld with its targets), which are asked as they
//! stand; and what a change would do to the patient's other relations, for a Consent makes none.

use crate::{
    consent::{Directives, Ruling, View, preview::Change},
    grants::{Grants, is_audit_event},
    guard::{Guard, bound},
    house::House,
    permit::{Access, Need},
};
use fhir::{Instant, LogicalId, ResourceType};
use oauth::{Caller, caller::CallerKind};
use search::{
    ParameterId, Predicate, Registry,
    matcher::{Related, Subject, matches},
    predicate::{During, Ruling as Rules},
};
use std::{cell::RefCell, collections::HashMap, sync::Arc};

/// A change of one patient's consents, as one who might look sees it.
pub struct Foresight<'a> {
    caller: Caller,
    registry: &'a Registry,
    house: &'a House,
    grants: Grants,
    /// As consents see them; `None`: they do not bind them.
    view: Option<Arc<View>>,
    patient: LogicalId,
    said: [Arc<Directives>; 2],
    /// By ruling: the address of one that the grants hold.
    rules: [RefCell<HashMap<usize, Arc<Predicate>>>; 2],
    gifts: RefCell<HashMap<ResourceType, Option<Arc<Gift>>>>,
}

impl std::fmt::Debug for Foresight<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Foresight({})", self.patient)
    }
}

/// What consents would give of a type, and what else withholds it.
struct Gift {
    ruling: Arc<dyn Rules>,
    guard: Vec<Access>,
}

/// Which of the two.
#[derive(Clone, Copy)]
enum World {
    Before = 0,
    After = 1,
}

impl<'a> Foresight<'a> {
    /// Of this caller, for one moment of the store: `before` is what the patient's consents say, `after` what they would.
    #[must_use]
    pub fn new(
        caller: Caller,
        registry: &'a Registry,
        house: &'a House,
        patient: LogicalId,
        (before, after): (Arc<Directives>, Arc<Directives>),
    ) -> Self {
        let grants = Grants::compile(&caller, registry, house);
        let view = bound(&caller, house, registry);
        let gifts = RefCell::default();
        Self { caller, registry, house, grants, view, patient, said: [before, after], rules: Default::default(), gifts }
    }

    /// What becomes of a resource of the patient's record.
    #[must_use]
    pub fn change(&self, subject: Subject<'_>, related: &dyn Related) -> Change {
        match (self.seen(World::Before, subject, related), self.seen(World::After, subject, related)) {
            (true, true) => Change::Stays,
            (true, false) => Change::Hides,
            (false, true) => Change::Shows,
            (false, false) => Change::StaysHidden,
        }
    }

    fn seen(&self, world: World, subject: Subject<'_>, related: &dyn Related) -> bool {
        let supposed = Supposed { of: self, world, related };
        let means = |access: &Access| access.covers(self.registry, subject, &supposed);
        if means(self.grants.access(subject.resource_type, Need::Search)) {
            return true;
        }
        // A Consent that is not there yet is found by nobody whom it names.
        let gift = self.gift(subject.resource_type);
        gift.is_some_and(|gift| {
            matches(self.registry, &supposed.rule(&gift.ruling, &self.patient), subject, &supposed)
                && gift.guard.iter().all(means)
        })
    }

    fn gift(&self, kind: ResourceType) -> Option<Arc<Gift>> {
        let mut gifts = self.gifts.borrow_mut();
        gifts.entry(kind).or_insert_with(|| self.gift_anew(kind).map(Arc::new)).clone()
    }

    fn gift_anew(&self, kind: ResourceType) -> Option<Gift> {
        let named = self.caller.kind() == CallerKind::Person || self.caller.acting().is_some();
        let view = self.view.as_ref().filter(|_| named && !is_audit_event(kind) && kind.name() != "Provenance")?;
        let rules = self.house.rules.bound(self.house.rules.ruled(&self.caller).as_ref(), self.registry);
        let guard = Guard::of(&self.caller, self.registry, self.house, &rules).of_type(kind, Need::Search);
        Some(Gift { ruling: Arc::new(Ruling::gives(view, kind)), guard })
    }
}

/// The store, with other consents of one patient.
struct Supposed<'s, 'a> {
    of: &'s Foresight<'a>,
    world: World,
    related: &'s dyn Related,
}

impl Related for Supposed<'_, '_> {
    fn target_matches(&self, target: ResourceType, id: &LogicalId, predicate: &Arc<Predicate>) -> bool {
        self.related.target_matches(target, id, predicate)
    }

    fn referred_to(&self, to: (ResourceType, &LogicalId), by: (ResourceType, ParameterId), these: &Predicate) -> bool {
        self.related.referred_to(to, by, these)
    }

    fn now(&self) -> Instant {
        self.related.now()
    }

    fn rule(&self, ruling: &Arc<dyn Rules>, patient: &LogicalId) -> Arc<Predicate> {
        let (Some(said), Some(rules)) = (self.of.said.get(self.world as usize), self.of.rules.get(self.world as usize))
        else {
            return Arc::new(Predicate::Nothing);
        };
        if *patient != self.of.patient {
            return self.related.rule(ruling, patient);
        }
        let address = Arc::as_ptr(ruling).cast::<()>() as usize;
        if let Some(known) = rules.borrow().get(&address) {
            return Arc::clone(known);
        }
        let rule = ruling.rule(patient, Some(said.as_ref()), self.related);
        rules.borrow_mut().insert(address, Arc::clone(&rule));
        rule
    }

    fn periods(&self, patient: (ResourceType, &LogicalId), during: &Arc<During>) -> Arc<[(i64, i64)]> {
        self.related.periods(patient, during)
    }
}

#[cfg(test)]
mod tests;
