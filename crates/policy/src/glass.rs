//! A broken glass: what a clinician reaches by it, beside all else. Rows F49, F50.
//!
//! The record of the patient whom the glass was broken for, within the token's scopes, and of nobody else: no audit
//! events, no other patient, no labels, to write only what names no other patient. Consents count as for the purpose `BTG` (and as
//! the house's setting says), labels as for who broke the glass (very restricted stays shut unless the operator says
//! otherwise), the operator's rules as ever.
//!
//! While a glass is open it counts for all requests of its clinician: apps do not know the header that marks one. A
//! request that is marked reaches these records alone, and the directory.

use crate::{
    grants::{Criteria, both, is_audit_event, letter, union},
    guard::Guard,
    permit::{Access, Need},
    person::Person,
    record::{self, Whose},
};
use fhir::{LogicalId, ResourceType};
use oauth::{
    Caller,
    caller::Role,
    scope::{Scope, ScopeContext},
};
use search::{Predicate, Registry};
use std::sync::Arc;

/// What the glasses of one caller open.
pub(crate) struct Broken<'a> {
    registry: &'a Registry,
    patients: Vec<LogicalId>,
    guard: Guard<'a>,
    is_alone: bool,
}

impl<'a> Broken<'a> {
    /// `None`: none is broken, or by nobody who may. `guard` is that of the caller under a broken glass.
    pub(crate) fn of(
        caller: &Caller,
        registry: &'a Registry,
        guard: impl FnOnce(&Caller) -> Guard<'a>,
    ) -> Option<Self> {
        let is_clinician = caller.user().is_some_and(|user| user.role == Role::Clinician);
        let patients: Vec<LogicalId> =
            caller.glasses().iter().filter_map(|glass| LogicalId::parse(&glass.patient).ok()).collect();
        if !is_clinician || patients.is_empty() {
            return None;
        }
        let broken = caller.clone().breaking_glass().ok()?;
        Some(Self { registry, patients, guard: guard(&broken), is_alone: caller.is_break_glass() })
    }

    /// What of a type is granted with these beside what was: in place of it, for a request that is marked.
    pub(crate) fn with(
        &self,
        granted: Access,
        scopes: &[Scope],
        person: &Person,
        kind: ResourceType,
        need: Need,
        criteria: &Criteria<'_>,
    ) -> Access {
        if record::is_directory(kind) {
            return granted;
        }
        let granted = if self.is_alone { Access::Nothing } else { granted };
        let opened = self.opened(scopes, person, kind, need, criteria);
        match (granted, opened) {
            (granted, Access::Nothing) => granted,
            (Access::Everything, _) | (_, Access::Everything) => Access::Everything,
            (Access::Nothing, opened) => opened,
            (Access::Where(granted), Access::Where(opened)) => union([&granted, &opened].into_iter()),
        }
    }

    fn opened(
        &self,
        scopes: &[Scope],
        person: &Person,
        kind: ResourceType,
        need: Need,
        criteria: &Criteria<'_>,
    ) -> Access {
        let is_write = !matches!(need, Need::Read | Need::Search);
        // Who wrote what is the server's to say.
        if need == Need::Relabel || is_audit_event(kind) || (is_write && kind.name() == "Provenance") {
            return Access::Nothing;
        }
        let mut granted: Vec<Arc<Predicate>> = Vec::new();
        for scope in scopes {
            let is_of_type = scope.resource_type.as_deref().is_none_or(|name| name == kind.name());
            if !is_of_type || !scope.permissions.contains(letter(need)) {
                continue;
            }
            let meant = if scope.query.is_empty() {
                Arc::new(Predicate::All)
            } else {
                match criteria(kind, &scope.query) {
                    Ok(predicate) => predicate,
                    Err(_) => continue,
                }
            };
            let context = person.context();
            let patients = self.patients.iter().filter(|patient| match scope.context {
                ScopeContext::System => false,
                ScopeContext::User => true,
                ScopeContext::Patient => context.as_ref() == Some(*patient),
            });
            let records = patients.filter_map(|patient| self.record(kind, patient, is_write));
            granted.extend(records.filter_map(|record| both(&meant, &Access::Where(record))));
        }
        let mut opened = union(granted.iter());
        for left in self.guard.of_type(kind, need) {
            opened = match (opened, left) {
                (Access::Nothing, _) | (_, Access::Nothing) => return Access::Nothing,
                (opened, Access::Everything) => opened,
                (Access::Everything, left) => left,
                (Access::Where(opened), Access::Where(left)) => {
                    Access::Where(Arc::new(Predicate::And(vec![opened, left])))
                }
            };
        }
        opened
    }

    fn record(&self, kind: ResourceType, patient: &LogicalId, is_write: bool) -> Option<Arc<Predicate>> {
        let record = record::record_of(self.registry, kind, Whose::One(patient))?;
        if !is_write {
            return Some(record);
        }
        Some(Arc::new(Predicate::And(vec![record, Arc::new(Predicate::NoOtherPatient(patient.clone()))])))
    }
}

#[cfg(test)]
mod tests;
