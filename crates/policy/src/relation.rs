//! Relations: which patients somebody has to do with, as a predicate on Patient.
//!
//! A relation is no list that is kept somewhere. It is what the store says at the moment of the request: a chain of
//! resources that name each other. So it holds on every road that a permit holds on, changes with the commit that
//! changes it (row G17), and ends with its period without any write. Here are its parts; who combines them: [`payer`]
//! and [`treatment`] for organizations. What of a patient's record a relation opens is another question:
//! [`crate::record`] says what the record is, [`crate::organization`] what of it goes with which purpose.
//!
//! SPEC: rows G12 to G17. Left out: consents as relations ([`crate::consent`] has those), and `period` of a member of a
//! CareTeam: who leaves a team is taken out of it.

mod caregiver;
mod clinician;

pub(crate) use caregiver::caregiver;
pub(crate) use clinician::{Clinician, clinician};

use fhir::{LogicalId, ResourceType};
use search::{
    ParameterId, Predicate, Registry, Test,
    predicate::{ReferenceTest, TokenTest},
};
use std::sync::Arc;

/// Whom a payer pays for: patients with a Coverage of this payer that counts ([`coverage`]), row G14.
pub(crate) fn payer(registry: &Registry, payors: &Arc<Predicate>) -> Option<Arc<Predicate>> {
    Of::new(registry, "Coverage")?.refers_to_these("beneficiary", payors)
}

/// Coverages of a payer that count: active, and in force now or ended not longer ago than `lookback_ms`: what was
/// covered is settled after it. `payor`: those that name the payer.
pub(crate) fn coverage(registry: &Registry, payor: Arc<Predicate>, lookback_ms: i64) -> Option<Arc<Predicate>> {
    let of = Of::new(registry, "Coverage")?;
    let period = of.own("period")?;
    let ended = Arc::new(Predicate::Near { parameter: period, back_ms: lookback_ms, ahead_ms: 0 });
    let counts = either([Arc::new(Predicate::InForce(period)), ended]);
    Some(all([payor, of.is("status", "active")?, counts]))
}

/// Whom an organization treats: patients who name this Organization as general practitioner or as the one that manages
/// their record, and those of an active CareTeam that it is in or manages (row G15). A past version of a Patient does
/// not count: it may name one that is none any more.
pub(crate) fn treatment(registry: &Registry, organization: &LogicalId) -> Option<Arc<Predicate>> {
    let (patient, team) = (Of::new(registry, "Patient")?, Of::new(registry, "CareTeam")?);
    let takes_part = either([
        team.refers("participant", "Organization", organization)?,
        refers(team.own("managing-organization")?, "Organization", organization)?,
    ]);
    let active = all([takes_part, team.is("status", "active")?, team.in_force("date")?]);
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

    pub(crate) fn kind(self) -> ResourceType {
        self.kind
    }

    pub(crate) fn parameter(self, code: &str) -> Option<ParameterId> {
        Some(self.registry.parameter(self.kind, code)?.id)
    }

    /// A parameter of the server's own. Where there is one, it comes before a parameter of the same name: R4 has none, so
    /// that one is a package's, and a package must not say who has to do with whom.
    pub(crate) fn own(self, code: &str) -> Option<ParameterId> {
        Some(self.registry.of_server(self.kind, code)?.id)
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

    /// Those with one of these codes.
    pub(crate) fn is_any(self, code: &str, values: &[&str]) -> Option<Arc<Predicate>> {
        let each: Option<Vec<_>> = values.iter().map(|value| self.is(code, value)).collect();
        Some(Arc::new(Predicate::Or(each?)))
    }

    /// Those that are not said to be inactive. R4: `active` is true unless it says otherwise.
    pub(crate) fn in_use(self) -> Option<Arc<Predicate>> {
        let parameter = self.own("active").or_else(|| self.parameter("active"))?;
        let test = Test::Token(TokenTest::Code("false".to_owned()));
        Some(not(Arc::new(Predicate::Value { parameter, test })))
    }

    /// Those whose period holds now; without one, always.
    pub(crate) fn in_force(self, code: &str) -> Option<Arc<Predicate>> {
        let parameter = self.own(code).or_else(|| self.parameter(code))?;
        Some(Arc::new(Predicate::InForce(parameter)))
    }
}

/// A resource itself.
pub(crate) fn itself(id: &LogicalId) -> Arc<Predicate> {
    Arc::new(Predicate::Id(vec![id.clone()]))
}

fn refers(parameter: ParameterId, target: &str, id: &LogicalId) -> Option<Arc<Predicate>> {
    let target = ResourceType::parse(target).ok()?;
    let test = Test::Reference(ReferenceTest::Target(target, id.clone()));
    Some(Arc::new(Predicate::Value { parameter, test }))
}

pub(crate) fn all<const N: usize>(parts: [Arc<Predicate>; N]) -> Arc<Predicate> {
    Arc::new(Predicate::And(parts.into()))
}

pub(crate) fn either<const N: usize>(parts: [Arc<Predicate>; N]) -> Arc<Predicate> {
    Arc::new(Predicate::Or(parts.into()))
}

pub(crate) fn not(part: Arc<Predicate>) -> Arc<Predicate> {
    Arc::new(Predicate::Not(part))
}

/// The same, to be asked of each that something else found: a list of all open stays would be no help in finding those
/// of one person, and takes long to read.
fn each(part: Arc<Predicate>) -> Arc<Predicate> {
    not(not(part))
}

#[cfg(test)]
mod tests;
