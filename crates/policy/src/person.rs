//! What a person may see and change, before any scope narrows it. Rows B24, B39 to B42, B54, F22.
//!
//! | role | `user/` | `patient/` |
//! |---|---|---|
//! | patient | their own record | the record of the patient in context, when that is theirs |
//! | caregiver | the records of those whom they care for | the record of the one in context, when it is one of theirs |
//! | clinician | everything but audit events | the record of the patient in context |
//! | privacy officer | audit events | nothing |
//! | administrator | nothing | nothing |
//!
//! Without a patient in context `patient/` is nothing (row B24). Everybody else reads and searches the directory
//! ([`crate::record::is_directory`]); administrators and clinicians also
//! change it, with `user/`. Reading the audit events about a patient takes a scope that names AuditEvent; `*` does not
//! (row F22). A write within a record may name no other patient (row F7).
//!
//! Left out: which clinician cares for whom, and what a patient forbids. These come with relationships and consent.

use crate::{
    permit::{Access, Need},
    record::{self, Whose},
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
            context: grant.launch.patient.clone(),
            itself: user.fhir_user.clone().filter(|_| knows_user),
        })
    }

    /// Their own resource, when it may be read (row B54).
    pub(crate) fn itself(&self) -> Option<(ResourceType, LogicalId)> {
        let (name, id) = self.itself.as_deref()?.split_once('/')?;
        Some((ResourceType::parse(name).ok()?, LogicalId::parse(id).ok()?))
    }

    /// The patient in context.
    pub(crate) fn context(&self) -> Option<LogicalId> {
        LogicalId::parse(self.context.as_deref()?).ok()
    }

    /// The patients whose records a scope of this context can mean at most.
    fn records(&self, context: ScopeContext) -> Vec<LogicalId> {
        let own = |id: &&Arc<str>| match self.role {
            Role::Patient | Role::Caregiver => self.patients.contains(*id),
            Role::Clinician => true,
            Role::PrivacyOfficer | Role::Administrator => false,
        };
        let ids: Vec<&Arc<str>> = match (context, self.role) {
            (ScopeContext::Patient, _) => self.context.iter().filter(own).collect(),
            (ScopeContext::User, Role::Patient | Role::Caregiver) => self.patients.iter().collect(),
            _ => Vec::new(),
        };
        ids.into_iter().filter_map(|id| LogicalId::parse(id).ok()).collect()
    }
}

/// What a person reaches of one type with one kind of scope.
#[derive(Debug)]
pub(crate) struct Reach {
    /// To read and to search.
    seen: Access,
    /// To create, update and delete.
    changed: Access,
}

impl Reach {
    const NOTHING: Self = Self { seen: Access::Nothing, changed: Access::Nothing };

    /// What `scope` can mean on the type at most.
    pub(crate) fn of(person: &Person, scope: &Scope, resource_type: ResourceType, registry: &Registry) -> Self {
        let context = scope.context;
        let patients = person.records(context);
        let is_without_patient = context == ScopeContext::Patient && patients.is_empty();
        if context == ScopeContext::System || is_without_patient {
            return Self::NOTHING;
        }
        if crate::grants::is_audit_event(resource_type) {
            let seen = match (context, person.role) {
                (ScopeContext::User, Role::PrivacyOfficer) => Access::Everything,
                _ if scope.resource_type.is_none() => Access::Nothing,
                (_, Role::Clinician) => Access::Nothing,
                _ => any_of(patients.iter().filter_map(|patient| record::events_of(registry, resource_type, patient))),
            };
            return Self { seen, changed: Access::Nothing };
        }
        if context == ScopeContext::User && person.role == Role::Clinician {
            return Self { seen: Access::Everything, changed: Access::Everything };
        }
        if record::is_directory(resource_type) {
            let keeps = context == ScopeContext::User && person.role == Role::Administrator;
            let changed = if keeps { Access::Everything } else { Access::Nothing };
            return Self { seen: Access::Everything, changed };
        }
        let record = |patient: &LogicalId| record::record_of(registry, resource_type, Whose::One(patient));
        let changed = |patient: &LogicalId| {
            // Who wrote what is the server's to say.
            if resource_type.name() == "Provenance" {
                return None;
            }
            let alone = Arc::new(Predicate::NoOtherPatient(patient.clone()));
            Some(Arc::new(Predicate::And(vec![record(patient)?, alone])))
        };
        let seen = any_of(patients.iter().filter_map(record));
        // Most apps only read.
        let writes = Permissions::CREATE.union(Permissions::UPDATE).union(Permissions::DELETE);
        let changed = if scope.permissions.intersection(writes).is_empty() {
            Access::Nothing
        } else {
            any_of(patients.iter().filter_map(changed))
        };
        Self { seen, changed }
    }

    /// What is reached for this need.
    pub(crate) fn access(&self, need: Need) -> &Access {
        match need {
            Need::Read | Need::Search => &self.seen,
            Need::Create | Need::Update | Need::Delete | Need::Relabel => &self.changed,
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
