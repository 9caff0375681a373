//! A small world of resources in memory, in which a decision is tried: for the tests beside an operator's rules.
//!
//! Decided by the matcher, the slow and obvious evaluator, over what the store would have drawn out of each resource.

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
}

impl<'r> World<'r> {
    pub(crate) fn new(registry: &'r Registry, now: Instant) -> Self {
        Self { registry, now, resources: Vec::new() }
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
        self.resources.retain(|(own, other, _)| (*own, other) != (kind, &id));
        self.resources.push((kind, id, values));
        Ok(())
    }

    pub(crate) fn holds(&self, kind: ResourceType, id: &LogicalId) -> bool {
        self.resources.iter().any(|(own, other, _)| (*own, other) == (kind, id))
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

    fn referred_to(
        &self,
        subject: (ResourceType, &LogicalId),
        source: ResourceType,
        parameter: ParameterId,
        predicate: &Predicate,
    ) -> bool {
        let test = Test::Reference(ReferenceTest::Target(subject.0, subject.1.clone()));
        let refers = |values: &IndexValues| values.of(parameter).any(|value| compare::passes(&test, value.borrow()));
        self.resources.iter().any(|one| one.0 == source && refers(&one.2) && self.means(one, predicate))
    }

    fn now(&self) -> Instant {
        self.now
    }

    fn rule(&self, ruling: &Arc<dyn Ruling>, patient: &LogicalId) -> Arc<Predicate> {
        ruling.rule(patient, None, self)
    }
}
