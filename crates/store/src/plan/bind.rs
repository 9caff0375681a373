//! The permit joins the predicate: on the type searched and on every type that a chain or `_has`
//! reaches. SPEC: rows F1 to F4: no join, count or order tells what a search may not see.

use crate::reader::Covers;
use fhir::ResourceType;
use policy::{Access, Need};
use search::{Predicate, predicate::During};
use std::sync::Arc;

/// The predicate as far as the permit covers the type for this need.
pub(crate) fn under(permit: &dyn Covers, kind: ResourceType, need: Need, predicate: &Arc<Predicate>) -> Arc<Predicate> {
    let bound = bound(permit, predicate);
    match permit.access(kind, need) {
        Access::Nothing => Arc::new(Predicate::Nothing),
        Access::Everything => bound,
        Access::Where(grant) => Arc::new(Predicate::And(vec![Arc::clone(grant), bound])),
    }
}

fn bound(permit: &dyn Covers, predicate: &Arc<Predicate>) -> Arc<Predicate> {
    let all = |parts: &[Arc<Predicate>]| parts.iter().map(|part| bound(permit, part)).collect();
    match predicate.as_ref() {
        Predicate::And(parts) => Arc::new(Predicate::And(all(parts))),
        Predicate::Or(parts) => Arc::new(Predicate::Or(all(parts))),
        Predicate::Not(part) => Arc::new(Predicate::Not(bound(permit, part))),
        Predicate::Now(part) => Arc::new(Predicate::Now(bound(permit, part))),
        Predicate::Chain { parameter, target, predicate } => Arc::new(Predicate::Chain {
            parameter: *parameter,
            target: *target,
            predicate: under(permit, *target, Need::Search, predicate),
        }),
        Predicate::Has { source, parameter, predicate } => Arc::new(Predicate::Has {
            source: *source,
            parameter: *parameter,
            predicate: under(permit, *source, Need::Search, predicate),
        }),
        Predicate::While { target, id, predicate } => Arc::new(Predicate::While {
            target: *target,
            id: id.clone(),
            predicate: under(permit, *target, Need::Search, predicate),
        }),
        Predicate::NoPatientBut(part) => Arc::new(Predicate::NoPatientBut(
            ResourceType::parse("Patient")
                .map_or_else(|_| Arc::new(Predicate::Nothing), |patient| under(permit, patient, Need::Search, part)),
        )),
        Predicate::During(during) => Arc::new(Predicate::During(Arc::new(During {
            predicate: under(permit, during.source, Need::Search, &during.predicate),
            ..During::clone(during)
        }))),
        Predicate::All
        | Predicate::Nothing
        | Predicate::Id(_)
        | Predicate::LastUpdated(_)
        | Predicate::Value { .. }
        | Predicate::Missing { .. }
        | Predicate::PatientCompartment(_)
        | Predicate::NoOtherPatient(_)
        | Predicate::InForce(_)
        | Predicate::Only { .. }
        | Predicate::Near { .. }
        | Predicate::FromNow(_)
        | Predicate::Ruled(_) => Arc::clone(predicate),
    }
}
