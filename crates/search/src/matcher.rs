//! The matcher: does a predicate mean this resource? Slow and obvious on purpose: it is the oracle
//! of the store's plans. How one value is compared: [`crate::compare`]. SPEC: R4 search.html.

use crate::{
    compare,
    index_value::{ValueRef, Values},
    predicate::{During, Predicate, Ruled, Ruling},
    registry::{ParameterId, ParameterKind, Registry},
};
use fhir::{Instant, LogicalId, ResourceType};
use std::sync::Arc;

/// A resource as the matcher sees it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its type.
    pub resource_type: ResourceType,
    /// Its id.
    pub id: &'a LogicalId,
    /// When it was last updated.
    pub last_updated: Instant,
    /// Its index values.
    pub values: &'a dyn Values,
}

/// How the matcher follows references; `policy` predicates of joined types are already inside
/// the predicates it is asked about.
pub trait Related {
    /// Whether a current resource of this type and id is meant by the predicate.
    fn target_matches(&self, target: ResourceType, id: &LogicalId, predicate: &Arc<Predicate>) -> bool;
    /// Whether a current resource of the type `by.0`, one of these, refers to that one by the parameter `by.1`.
    fn referred_to(&self, to: (ResourceType, &LogicalId), by: (ResourceType, ParameterId), these: &Predicate) -> bool;
    /// The moment of the question.
    fn now(&self) -> Instant;
    /// Whether the moment of the question lies in `[low, high)`, milliseconds since the epoch. What was made of answers to
    /// this, and not of [`Related::now`], stays the same until one of these ends is passed, and may be kept that long.
    fn holds(&self, low: i64, high: i64) -> bool {
        let now = self.now().unix_millis();
        low <= now && now < high
    }
    /// The rule of this patient.
    fn rule(&self, ruling: &Arc<dyn Ruling>, patient: &LogicalId) -> Arc<Predicate>;
    /// The periods `[low, high)` that resources give this patient ([`Predicate::During`]); [`ALWAYS`] for one without.
    /// Whoever knows no other resources has none.
    fn periods(&self, patient: (ResourceType, &LogicalId), during: &Arc<During>) -> Arc<[(i64, i64)]> {
        let _ = (patient, during);
        Arc::new([])
    }
}

/// All time, as a span.
pub const ALWAYS: (i64, i64) = (i64::MIN, i64::MAX);

/// A world without other resources, at the beginning of time: chains and `_has` mean nothing in it, nor does what is
/// current, and nobody has a rule that lets anything through.
#[derive(Debug, Clone, Copy)]
pub struct Alone;

impl Related for Alone {
    fn target_matches(&self, _: ResourceType, _: &LogicalId, _: &Arc<Predicate>) -> bool {
        false
    }
    fn referred_to(&self, _: (ResourceType, &LogicalId), _: (ResourceType, ParameterId), _: &Predicate) -> bool {
        false
    }
    fn now(&self) -> Instant {
        Instant::from_unix_millis(0)
    }
    fn rule(&self, _: &Arc<dyn Ruling>, _: &LogicalId) -> Arc<Predicate> {
        Arc::new(Predicate::Nothing)
    }
}

/// Whether the predicate means the subject.
#[must_use]
pub fn matches(registry: &Registry, predicate: &Predicate, subject: Subject<'_>, related: &dyn Related) -> bool {
    let meant = |part: &Predicate| matches(registry, part, subject, related);
    match predicate {
        Predicate::All => true,
        Predicate::Nothing => false,
        Predicate::And(parts) => parts.iter().all(|part| meant(part)),
        Predicate::Or(parts) => parts.iter().any(|part| meant(part)),
        Predicate::Not(part) => !meant(part),
        Predicate::Id(ids) => ids.contains(subject.id),
        Predicate::LastUpdated(test) => {
            let low = subject.last_updated.unix_millis();
            compare::date(*test, low, low.saturating_add(1))
        }
        Predicate::Value { parameter, test } => {
            subject.values.any(*parameter, &mut |value| compare::passes(test, value))
        }
        Predicate::Missing { parameter, missing } => subject.values.has(*parameter) != *missing,
        Predicate::Chain { parameter, target, predicate } => subject.values.any(*parameter, &mut |value| {
            local_target(value).is_some_and(|(kind, id)| {
                kind == *target && LogicalId::parse(id).is_ok_and(|id| related.target_matches(kind, &id, predicate))
            })
        }),
        Predicate::Has { source, parameter, predicate } => {
            related.referred_to((subject.resource_type, subject.id), (*source, *parameter), predicate)
        }
        Predicate::Now(part) => related.target_matches(subject.resource_type, subject.id, part),
        Predicate::PatientCompartment(patient) => in_patient_compartment(registry, subject, patient),
        Predicate::NoOtherPatient(patient) => !registry.of_type(subject.resource_type).any(|parameter| {
            parameter.kind == ParameterKind::Reference
                && subject.values.any(parameter.id, &mut |value| {
                    local_target(value).is_some_and(|(kind, id)| registry.is_patient(kind) && id != patient.as_str())
                })
        }),
        Predicate::InForce(parameter) => {
            let holds = |value: ValueRef<'_>| matches!(value, ValueRef::Date { low, high } if related.holds(low, high));
            !subject.values.has(*parameter) || subject.values.any(*parameter, &mut |value| holds(value))
        }
        Predicate::Only { parameter, tokens } => !subject.values.any(*parameter, &mut |value| match value {
            ValueRef::Token { system, code, .. } => !tokens.has(system, code),
            _ => true,
        }),
        Predicate::Ruled(ruled) => within_rules(registry, ruled, subject, related),
        Predicate::Near { parameter, back_ms, ahead_ms } => subject.values.any(*parameter, &mut |value| match value {
            ValueRef::Date { low, high } => {
                high < i64::MAX && related.holds(low.saturating_sub(*ahead_ms), high.saturating_add(*back_ms))
            }
            _ => false,
        }),
        Predicate::While { target, id, predicate } => related.target_matches(*target, id, predicate),
        Predicate::NoPatientBut(these) => !registry.of_type(subject.resource_type).any(|parameter| {
            parameter.kind == ParameterKind::Reference
                && subject.values.any(parameter.id, &mut |value| match local_target(value) {
                    Some((kind, id)) if registry.is_patient(kind) => {
                        !LogicalId::parse(id).is_ok_and(|id| related.target_matches(kind, &id, these))
                    }
                    _ => false,
                })
        }),
        Predicate::During(during) => lies_within(registry, during, subject, related),
        Predicate::FromNow(from) => meant(&from.at(related.now())),
    }
}

/// Whether one of its dates touches one of the periods that its patients are given.
fn lies_within(registry: &Registry, during: &Arc<During>, subject: Subject<'_>, related: &dyn Related) -> bool {
    let mut dates = Vec::new();
    subject.values.any(during.date, &mut |value| {
        if let ValueRef::Date { low, high } = value {
            dates.push((low, high));
        }
        false
    });
    let touches = |period: &(i64, i64)| dates.iter().any(|(low, high)| *low < period.1 && period.0 < *high);
    subject.values.any(during.about, &mut |value| match local_target(value) {
        Some((kind, id)) if registry.is_patient(kind) => LogicalId::parse(id).is_ok_and(|id| {
            let periods = related.periods((kind, &id), during);
            let is_undated = dates.is_empty() && during.undated && !periods.is_empty();
            is_undated || periods.iter().any(|period| *period == ALWAYS || touches(period))
        }),
        _ => false,
    })
}

/// Whether the rule of each patient whom it is about lets it through.
fn within_rules(registry: &Registry, ruled: &Ruled, subject: Subject<'_>, related: &dyn Related) -> bool {
    let lets = |patient: &LogicalId| matches(registry, &related.rule(&ruled.ruling, patient), subject, related);
    if registry.is_patient(subject.resource_type) {
        return lets(subject.id);
    }
    !ruled.about.iter().any(|parameter| {
        subject.values.any(*parameter, &mut |value| match local_target(value) {
            Some((kind, id)) if registry.is_patient(kind) => !LogicalId::parse(id).is_ok_and(|id| lets(&id)),
            _ => false,
        })
    })
}

/// The patient itself, and what refers to it by a parameter of the compartment's definition.
/// SPEC: R4 compartmentdefinition-patient.html.
fn in_patient_compartment(registry: &Registry, subject: Subject<'_>, patient: &LogicalId) -> bool {
    if registry.is_patient(subject.resource_type) && subject.id == patient {
        return true;
    }
    registry.patient_compartment(subject.resource_type).iter().any(|parameter| {
        subject.values.any(*parameter, &mut |value| {
            local_target(value).is_some_and(|(kind, id)| registry.is_patient(kind) && id == patient.as_str())
        })
    })
}

/// The patients in whose compartment a resource lies, each once, in the order of their ids.
#[must_use]
pub fn patients_of(
    values: &dyn Values,
    registry: &Registry,
    resource_type: ResourceType,
    id: &LogicalId,
) -> Vec<LogicalId> {
    let mut patients = Vec::new();
    if registry.is_patient(resource_type) {
        patients.push(id.clone());
    }
    for parameter in registry.patient_compartment(resource_type) {
        values.any(*parameter, &mut |value| {
            if let Some((kind, id)) = local_target(value)
                && registry.is_patient(kind)
                && let Ok(id) = LogicalId::parse(id)
            {
                patients.push(id);
            }
            false
        });
    }
    patients.sort();
    patients.dedup();
    patients
}

fn local_target(value: ValueRef<'_>) -> Option<(ResourceType, &str)> {
    match value {
        ValueRef::Reference { target, .. } => target,
        _ => None,
    }
}

#[cfg(test)]
mod tests;
