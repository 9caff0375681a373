//! Relations: which patients somebody has to do with, as a predicate on Patient.
//!
//! A relation is no list that is kept somewhere. It is what the store says at the moment of the request: a chain of
//! resources that name each other. So it holds on every road that a permit holds on, changes with the commit that
//! changes it (row G17), and ends with its period without any write. Here are its parts; who combines them: [`payer`]
//! and [`treatment`] for organizations. What of a patient's record a relation opens is another question:
//! [`crate::record`] says what the record is, [`crate::organization`] what of it goes with which purpose.
//!
//! SPEC: rows G12 to G17. Left out: caregivers, clinicians and consents as relations.

use fhir::{LogicalId, ResourceType};
use search::{
    ParameterId, Predicate, Registry, Test,
    predicate::{ReferenceTest, TokenTest},
};
use std::sync::Arc;

/// Whom a payer pays for: patients with a Coverage in force whose payor is this Organization (row G14).
pub(crate) fn payer(registry: &Registry, organization: &LogicalId) -> Option<Arc<Predicate>> {
    let of = Of::new(registry, "Coverage")?;
    let period = registry.of_server(of.kind, "period")?.id;
    let coverage = all([
        of.refers("payor", "Organization", organization)?,
        of.is("status", "active")?,
        Arc::new(Predicate::InForce(period)),
    ]);
    of.refers_to_these("beneficiary", &coverage)
}

/// Whom an organization treats: patients who name this Organization as general practitioner or as the one that manages
/// their record, and those of an active CareTeam that it is in or manages (row G15). A past version of a Patient does
/// not count: it may name one that is none any more.
pub(crate) fn treatment(registry: &Registry, organization: &LogicalId) -> Option<Arc<Predicate>> {
    let (patient, team) = (Of::new(registry, "Patient")?, Of::new(registry, "CareTeam")?);
    let manages = registry.of_server(team.kind, "managing-organization")?.id;
    let takes_part = Predicate::Or(vec![
        team.refers("participant", "Organization", organization)?,
        refers(manages, "Organization", organization)?,
    ]);
    let period = registry.parameter(team.kind, "date")?.id;
    let active = all([Arc::new(takes_part), team.is("status", "active")?, Arc::new(Predicate::InForce(period))]);
    let any = Predicate::Or(vec![
        patient.refers("general-practitioner", "Organization", organization)?,
        patient.refers("organization", "Organization", organization)?,
        team.refers_to_these("subject", &active)?,
    ]);
    Some(Arc::new(Predicate::Now(Arc::new(any))))
}

/// What resources of one type say.
#[derive(Clone, Copy)]
pub(crate) struct Of<'r> {
    registry: &'r Registry,
    kind: ResourceType,
}

/// Each part is `None` when the registry has no such parameter: then nothing is reached by it.
impl<'r> Of<'r> {
    pub(crate) fn new(registry: &'r Registry, kind: &str) -> Option<Self> {
        Some(Self { registry, kind: ResourceType::parse(kind).ok()? })
    }

    fn parameter(self, code: &str) -> Option<ParameterId> {
        Some(self.registry.parameter(self.kind, code)?.id)
    }

    /// Those that point at this resource.
    pub(crate) fn refers(self, code: &str, target: &str, id: &LogicalId) -> Option<Arc<Predicate>> {
        refers(self.parameter(code)?, target, id)
    }

    /// Those that point at a resource of the type that the predicate means.
    pub(crate) fn refers_where(self, code: &str, target: &str, predicate: &Arc<Predicate>) -> Option<Arc<Predicate>> {
        let (parameter, target) = (self.parameter(code)?, ResourceType::parse(target).ok()?);
        Some(Arc::new(Predicate::Chain { parameter, target, predicate: Arc::clone(predicate) }))
    }

    /// Resources of another type that one of these, meant by the predicate, points at.
    pub(crate) fn refers_to_these(self, code: &str, predicate: &Arc<Predicate>) -> Option<Arc<Predicate>> {
        let parameter = self.parameter(code)?;
        Some(Arc::new(Predicate::Has { source: self.kind, parameter, predicate: Arc::clone(predicate) }))
    }

    /// Those with this code.
    pub(crate) fn is(self, code: &str, value: &str) -> Option<Arc<Predicate>> {
        let test = Test::Token(TokenTest::Code(value.to_owned()));
        Some(Arc::new(Predicate::Value { parameter: self.parameter(code)?, test }))
    }
}

fn refers(parameter: ParameterId, target: &str, id: &LogicalId) -> Option<Arc<Predicate>> {
    let target = ResourceType::parse(target).ok()?;
    let test = Test::Reference(ReferenceTest::Target(target, id.clone()));
    Some(Arc::new(Predicate::Value { parameter, test }))
}

pub(crate) fn all<const N: usize>(parts: [Arc<Predicate>; N]) -> Arc<Predicate> {
    Arc::new(Predicate::And(parts.into()))
}
