//! What a person may see and change, before any scope narrows it. Rows B24, B39 to B42, B54, F22, G12, G13, G15.
//!
//! | role | `user/` | `patient/` |
//! |---|---|---|
//! | patient | their own record | the record of the patient in context, when that is theirs |
//! | caregiver | the records of those whom they care for | the record of the one in context, when it is one of theirs |
//! | clinician | the records of those whom they have to do with | the record of the one in context, when it is one of these |
//! | privacy officer | audit events | nothing |
//! | administrator | nothing | nothing |
//!
//! Whom somebody has to do with is what the record says at the moment of the request ([`crate::relation`]). A caregiver's
//! account that no RelatedPerson or Person stands for has the patients that it is bound to; where the house says so,
//! clinicians see everything but audit events ([`Clinicians::Everyone`]).
//!
//! Without a patient in context `patient/` is nothing (row B24). Everybody else reads and searches the directory
//! ([`crate::record::is_directory`]); administrators also change it, with `user/`, and clinicians that part of it which
//! says nothing of who works where. Reading the audit events about a patient takes a scope that names AuditEvent; `*`
//! does not (row F22). A write within a record may name no other patient (row F7), and nobody writes what their own
//! relation rests on where it would reach another patient.
//!
//! Left out: what a patient forbids. That is [`crate::consent`]'s.

use crate::{
    house::{Clinicians, House},
    permit::{Access, Need},
    record::{self, Whose},
    relation::{self, Of},
};
use fhir::{LogicalId, ResourceType};
use oauth::{
    Caller,
    caller::Role,
    scope::{Permissions, Scope, ScopeContext},
};
use search::{Predicate, Registry};
use std::sync::Arc;

/// All of a person and their launch that decides what they may: two callers who are equal in it and have the same
/// scopes may the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person {
    role: Role,
    /// Logical ids of the Patients that the account is bound to.
    patients: Arc<[Arc<str>]>,
    /// The resource that stands for them: relations are its.
    resource: Option<Arc<str>>,
    /// The patient in context.
    context: Option<Arc<str>>,
    /// The resource that stands for them, when they let the app know it (`fhirUser`).
    itself: Option<Arc<str>>,
}

impl Person {
    /// The person behind a caller; `None` for systems and the operator.
    #[must_use]
    pub fn of(caller: &Caller) -> Option<Self> {
        let user = caller.user()?;
        let grant = caller.grant();
        let knows_user = grant.scope_text.split(' ').any(|word| word == "fhirUser");
        Some(Self {
            role: user.role,
            patients: Arc::clone(&user.patients),
            resource: user.fhir_user.clone(),
            context: grant.launch.patient.clone(),
            itself: user.fhir_user.clone().filter(|_| knows_user),
        })
    }

    /// Their own resource, when it may be read (row B54).
    pub(crate) fn itself(&self) -> Option<(ResourceType, LogicalId)> {
        parsed(self.itself.as_deref()?)
    }

    /// The patient in context.
    pub(crate) fn context(&self) -> Option<LogicalId> {
        LogicalId::parse(self.context.as_deref()?).ok()
    }

    /// The patients that the account names.
    fn listed(&self) -> Vec<LogicalId> {
        self.patients.iter().filter_map(|id| LogicalId::parse(id).ok()).collect()
    }
}

fn parsed(reference: &str) -> Option<(ResourceType, LogicalId)> {
    let (name, id) = reference.split_once('/')?;
    Some((ResourceType::parse(name).ok()?, LogicalId::parse(id).ok()?))
}

/// Whose records somebody has to do with.
#[derive(Debug)]
enum Circle {
    /// Nobody's.
    Nobody,
    /// Everybody's, and what is in no record.
    Everybody,
    /// Those of these patients, as far as the relation, if there is one, means them.
    Listed(Vec<LogicalId>, Option<Arc<Predicate>>),
    /// Those of the patients whom a relation means.
    Related(Arc<Predicate>),
    /// The same for a clinician.
    Treated(relation::Clinician),
}

/// Whose records a scope means.
#[derive(Debug)]
enum Records<'c> {
    Everybody,
    /// These patients', each while this holds.
    Some(Vec<(LogicalId, Option<Arc<Predicate>>)>),
    /// Those of the patients whom this means.
    These {
        patients: &'c Arc<Predicate>,
        /// Patients who may be made.
        admitted: Option<&'c Arc<Predicate>>,
        /// All of it holds while this does.
        condition: Option<&'c Arc<Predicate>>,
    },
}

/// A person, and whom they have to do with.
#[derive(Debug)]
pub(crate) struct Reaching<'r> {
    person: &'r Person,
    registry: &'r Registry,
    circle: Circle,
}

impl<'r> Reaching<'r> {
    pub(crate) fn new(person: &'r Person, registry: &'r Registry, house: &House) -> Self {
        let resource = person.resource.as_deref().and_then(parsed);
        let circle = match (person.role, &resource) {
            (Role::Patient, _) => Circle::Listed(person.listed(), None),
            (Role::Caregiver, Some((kind, id))) if matches!(kind.name(), "RelatedPerson" | "Person") => {
                // The list narrows what the relation gives.
                match (relation::caregiver(registry, (*kind, id)), person.listed()) {
                    (None, _) => Circle::Nobody,
                    (Some(these), listed) if listed.is_empty() => Circle::Related(these),
                    (these, listed) => Circle::Listed(listed, these),
                }
            }
            (Role::Caregiver, _) => Circle::Listed(person.listed(), None),
            (Role::Clinician, _) if house.clinicians == Clinicians::Everyone => Circle::Everybody,
            (Role::Clinician, Some((kind, id))) => {
                relation::clinician(registry, house, (*kind, id)).map_or(Circle::Nobody, Circle::Treated)
            }
            (Role::Clinician, None) | (Role::PrivacyOfficer | Role::Administrator, _) => Circle::Nobody,
        };
        Self { person, registry, circle }
    }

    /// The records that a scope of this context can mean at most.
    fn records(&self, context: ScopeContext) -> Records<'_> {
        if context == ScopeContext::Patient {
            let patient = self.person.context.as_deref().and_then(|id| LogicalId::parse(id).ok());
            return Records::Some(patient.and_then(|id| self.one(id)).into_iter().collect());
        }
        match &self.circle {
            Circle::Nobody => Records::Some(Vec::new()),
            Circle::Everybody => Records::Everybody,
            Circle::Listed(listed, _) => Records::Some(listed.iter().filter_map(|id| self.one(id.clone())).collect()),
            Circle::Related(patients) => Records::These { patients, admitted: None, condition: None },
            Circle::Treated(clinician) => Records::These {
                patients: &clinician.patients,
                admitted: Some(&clinician.admitted),
                condition: Some(&clinician.in_use),
            },
        }
    }

    /// One patient, and the condition under which they are one of theirs.
    fn one(&self, id: LogicalId) -> Option<(LogicalId, Option<Arc<Predicate>>)> {
        let (these, in_use) = match &self.circle {
            Circle::Nobody => return None,
            Circle::Everybody => (None, None),
            Circle::Listed(listed, _) if !listed.contains(&id) => return None,
            Circle::Listed(_, these) => (these.as_ref(), None),
            Circle::Related(these) => (Some(these), None),
            Circle::Treated(clinician) => (Some(&clinician.patients), Some(&clinician.in_use)),
        };
        let target = ResourceType::parse("Patient").ok()?;
        let related =
            these.map(|these| Arc::new(Predicate::While { target, id: id.clone(), predicate: Arc::clone(these) }));
        Some((id, with(related, in_use)))
    }
}

/// Both conditions.
fn with(one: Option<Arc<Predicate>>, other: Option<&Arc<Predicate>>) -> Option<Arc<Predicate>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(relation::all([Arc::clone(other), one])),
        (one, other) => one.or_else(|| other.cloned()),
    }
}

/// The predicate, while the condition holds.
fn on(condition: Option<&Arc<Predicate>>, predicate: Arc<Predicate>) -> Arc<Predicate> {
    match condition {
        Some(condition) => relation::all([Arc::clone(condition), predicate]),
        None => predicate,
    }
}

/// What of the directory says who works where and for whom: relations rest on it.
const STAFF: &[&str] = &[
    "Endpoint",
    "HealthcareService",
    "InsurancePlan",
    "Location",
    "Organization",
    "OrganizationAffiliation",
    "Practitioner",
    "PractitionerRole",
];

/// What a person reaches of one type with one kind of scope.
#[derive(Debug)]
pub(crate) struct Reach {
    /// To read and to search.
    seen: Access,
    /// To create.
    made: Access,
    /// To update and delete.
    changed: Access,
}

impl Reach {
    const NOTHING: Self = Self { seen: Access::Nothing, made: Access::Nothing, changed: Access::Nothing };

    fn read_only(seen: Access) -> Self {
        Self { seen, ..Self::NOTHING }
    }

    fn whole(seen: Access, changed: Access) -> Self {
        Self { seen, made: changed.clone(), changed }
    }

    /// What `scope` can mean on the type at most.
    pub(crate) fn of(reaching: &Reaching<'_>, scope: &Scope, resource_type: ResourceType) -> Self {
        let (context, person, registry) = (scope.context, reaching.person, reaching.registry);
        if context == ScopeContext::System {
            return Self::NOTHING;
        }
        let records = reaching.records(context);
        if context == ScopeContext::Patient && matches!(&records, Records::Some(none) if none.is_empty()) {
            return Self::NOTHING;
        }
        if crate::grants::is_audit_event(resource_type) {
            return Self::read_only(match (context, person.role) {
                (ScopeContext::User, Role::PrivacyOfficer) => Access::Everything,
                _ if scope.resource_type.is_none() => Access::Nothing,
                (_, Role::Clinician) => Access::Nothing,
                _ => events(registry, resource_type, &records),
            });
        }
        // With `patient/` a clinician reaches one record, whoever they see.
        if matches!(records, Records::Everybody) {
            return Self::whole(Access::Everything, Access::Everything);
        }
        if record::is_directory(resource_type) {
            let keeps = context == ScopeContext::User
                && match person.role {
                    Role::Administrator => true,
                    Role::Clinician => {
                        matches!(reaching.circle, Circle::Treated(_)) && !STAFF.contains(&resource_type.name())
                    }
                    _ => false,
                };
            let changed = if keeps { Access::Everything } else { Access::Nothing };
            return Self::whole(directory(context, &records), changed);
        }
        // Most apps only read.
        let writes = Permissions::CREATE.union(Permissions::UPDATE).union(Permissions::DELETE);
        let writes = !scope.permissions.intersection(writes).is_empty() && reaching.may_write(resource_type);
        match records {
            Records::Everybody => Self::NOTHING,
            Records::Some(patients) => {
                let (mut seen, mut changed) = (Vec::new(), Vec::new());
                for (patient, condition) in &patients {
                    let record = record::record_of(registry, resource_type, Whose::One(patient));
                    let Some(record) = record.map(|record| on(condition.as_ref(), record)) else { continue };
                    if writes {
                        let alone = Arc::new(Predicate::NoOtherPatient(patient.clone()));
                        changed.push(relation::all([Arc::clone(&record), alone]));
                    }
                    seen.push(record);
                }
                let (seen, changed) = (any_of(seen.into_iter()), any_of(changed.into_iter()));
                Self::whole(seen, changed)
            }
            Records::These { patients, admitted, condition } => {
                let Some(record) = record::record_of(registry, resource_type, Whose::These(patients)) else {
                    return Self::NOTHING;
                };
                let seen = on(condition, Arc::clone(&record));
                if !writes {
                    return Self::read_only(Access::Where(seen));
                }
                let alone = Arc::new(Predicate::NoPatientBut(Arc::clone(patients)));
                let changed = relation::all([Arc::clone(&seen), Arc::clone(&alone)]);
                let made = match admitted.filter(|_| registry.is_patient(resource_type)) {
                    Some(admitted) => relation::all([on(condition, Arc::clone(admitted)), alone]),
                    None => Arc::clone(&changed),
                };
                Self { seen: Access::Where(seen), made: Access::Where(made), changed: Access::Where(changed) }
            }
        }
    }

    /// What is reached for this need.
    pub(crate) fn access(&self, need: Need) -> &Access {
        match need {
            Need::Read | Need::Search => &self.seen,
            Need::Create => &self.made,
            Need::Update | Need::Delete | Need::Relabel => &self.changed,
        }
    }
}

impl Reaching<'_> {
    /// Whether a person writes this type at all. Who wrote what is the server's to say; and who is whose related person
    /// is not theirs whom it opens a record to, nor theirs whom they could put under pressure.
    fn may_write(&self, resource_type: ResourceType) -> bool {
        match resource_type.name() {
            "Provenance" => false,
            "RelatedPerson" => self.person.role == Role::Clinician,
            _ => true,
        }
    }
}

/// The directory is everybody's; with `patient/` it goes with the patient in context.
fn directory(context: ScopeContext, records: &Records<'_>) -> Access {
    match records {
        Records::Some(patients) if context == ScopeContext::Patient => {
            let condition = patients.first().and_then(|(_, condition)| condition.as_ref());
            condition.map_or(Access::Everything, |condition| Access::Where(Arc::clone(condition)))
        }
        _ => Access::Everything,
    }
}

/// Audit events about these patients and nobody else: an event that names another one tells of them (row F22).
fn events(registry: &Registry, audit_event: ResourceType, records: &Records<'_>) -> Access {
    match records {
        Records::Everybody => Access::Nothing,
        Records::Some(patients) => any_of(patients.iter().filter_map(|(patient, condition)| {
            Some(on(condition.as_ref(), record::events_of(registry, audit_event, patient)?))
        })),
        Records::These { patients, condition, .. } => {
            let about = Of::new(registry, "AuditEvent").and_then(|of| of.refers_where("patient", "Patient", patients));
            let alone = Arc::new(Predicate::NoPatientBut(Arc::clone(patients)));
            any_of(about.into_iter().map(|about| on(*condition, relation::all([about, Arc::clone(&alone)]))))
        }
    }
}

/// Whatever any of them means.
pub(crate) fn any_of(predicates: impl Iterator<Item = Arc<Predicate>>) -> Access {
    let mut all: Vec<Arc<Predicate>> = predicates.collect();
    match (all.pop(), all.is_empty()) {
        (None, _) => Access::Nothing,
        (Some(only), true) => Access::Where(only),
        (Some(last), false) => {
            all.push(last);
            Access::Where(Arc::new(Predicate::Or(all)))
        }
    }
}

#[cfg(test)]
mod tests;
