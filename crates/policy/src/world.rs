//! A small world of resources in memory, in which a decision is tried: for the tests beside an operator's rules.
//!
//! Decided by the matcher, the slow and obvious evaluator, over what the store would have drawn out of each resource.

use crate::{
    consent::{ConsentSource, Directives},
    grants::account::Looked,
};
use fhir::{Instant, LogicalId, ResourceType, element::Element, json::Tree};
use search::{
    IndexValues, ParameterId, Predicate, Registry, Test, compare,
    matcher::{Related, Subject, matches},
    predicate::{ReferenceTest, Ruling},
};
use std::sync::Arc;

/// The base of a server that is nowhere: references are relative.
const BASE: &str = "https://world.invalid/fhir";

/// Resources that know each other.
pub(crate) struct World<'r> {
    registry: &'r Registry,
    now: Instant,
    resources: Vec<(ResourceType, LogicalId, IndexValues)>,
    /// Consents as they stand.
    consents: Vec<(LogicalId, Vec<u8>)>,
}

impl<'r> World<'r> {
    pub(crate) fn new(registry: &'r Registry, now: Instant) -> Self {
        Self { registry, now, resources: Vec::new(), consents: Vec::new() }
    }

    /// Adds a resource, or takes the place of the one of its type and id.
    ///
    /// # Errors
    /// Why it is none.
    pub(crate) fn add(&mut self, tree: &Tree) -> Result<(), &'static str> {
        let resource = Element::resource(tree, self.registry.schema()).ok_or("its resourceType is no type of R4")?;
        let kind = ResourceType::parse(resource.definition.name).map_err(|_| "its resourceType is no type of R4")?;
        let id = tree.root().get("id").and_then(|id| LogicalId::parse(&id.as_str()?).ok());
        let id = id.ok_or("it has no id, by which a test could name it")?;
        let values = search::extract(self.registry, resource, BASE);
        if kind.name() == "Consent" {
            self.consents.retain(|(other, _)| *other != id);
            self.consents.push((id.clone(), tree.bytes().to_vec()));
        }
        self.resources.retain(|(own, other, _)| (*own, other) != (kind, &id));
        self.resources.push((kind, id, values));
        Ok(())
    }

    /// What the consents of a patient say; `None`: there are none.
    fn said(&self, patient: &LogicalId) -> Option<Arc<Directives>> {
        let consent = ResourceType::parse("Consent").ok()?;
        let of = self.registry.parameter(consent, "patient")?.id;
        let kind = ResourceType::parse("Patient").ok()?;
        let test = Test::Reference(ReferenceTest::Target(kind, patient.clone()));
        let is_theirs = |id: &LogicalId| {
            let values = self.resources.iter().find(|one| (one.0, &one.1) == (consent, id)).map(|one| &one.2);
            values.is_some_and(|values| values.of(of).any(|value| compare::passes(&test, value.borrow())))
        };
        let theirs = self.consents.iter().filter(|(id, _)| is_theirs(id));
        let sources: Vec<ConsentSource<'_>> =
            theirs.map(|(id, json)| ConsentSource { id: id.as_str(), version: 1, json }).collect();
        (!sources.is_empty()).then(|| Arc::new(Directives::read(&sources)))
    }

    /// Lets somebody look at a resource; `None`: it is not there.
    pub(crate) fn look<T>(&self, kind: ResourceType, id: &LogicalId, make: impl FnOnce(&Looked<'_>) -> T) -> Option<T> {
        let (_, _, values) = self.resources.iter().find(|one| (one.0, &one.1) == (kind, id))?;
        let subject = Subject { resource_type: kind, id, last_updated: self.now, values };
        Some(make(&Looked { subject, related: self, said: &|patient| self.said(patient) }))
    }

    fn means(&self, one: &(ResourceType, LogicalId, IndexValues), predicate: &Predicate) -> bool {
        let (resource_type, id, values) = one;
        let subject = Subject { resource_type: *resource_type, id, last_updated: self.now, values };
        matches(self.registry, predicate, subject, self)
    }
}

impl Related for World<'_> {
    fn target_matches(&self, target: ResourceType, id: &LogicalId, predicate: &Arc<Predicate>) -> bool {
        self.resources.iter().any(|one| (one.0, &one.1) == (target, id) && self.means(one, predicate))
    }

    fn referred_to(&self, to: (ResourceType, &LogicalId), by: (ResourceType, ParameterId), these: &Predicate) -> bool {
        let test = Test::Reference(ReferenceTest::Target(to.0, to.1.clone()));
        let refers = |values: &IndexValues| values.of(by.1).any(|value| compare::passes(&test, value.borrow()));
        self.resources.iter().any(|one| one.0 == by.0 && refers(&one.2) && self.means(one, these))
    }

    fn now(&self) -> Instant {
        self.now
    }

    fn rule(&self, ruling: &Arc<dyn Ruling>, patient: &LogicalId) -> Arc<Predicate> {
        let said = self.said(patient);
        ruling.rule(patient, said.as_deref().map(|said| said as _), self)
    }
}
