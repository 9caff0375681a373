//! Whether this server can enforce a scope. What it cannot enforce is neither registered nor granted (row B4).
//!
//! The text of the refusal is for the operator and the client: it names the scope's own words only.

use crate::{grants::is_audit_event, record};
use fhir::ResourceType;
use oauth::scope::{Scope, ScopeContext};
use search::Registry;

/// Says why a scope cannot be enforced: another context than `system/`, no such resource type, or
/// criteria that no type's search understands.
///
/// # Errors
/// The reason; whoever shows it names the scope.
pub fn enforceable(scope: &Scope, registry: &Registry) -> Result<(), String> {
    if scope.context != ScopeContext::System {
        return Err("only system/ scopes are granted to systems".into());
    }
    understood(scope, registry)
}

/// The same for scopes that a person grants to an app: `patient/` and `user/`. With `patient/` go the types that are
/// in a patient's record or in the directory.
///
/// # Errors
/// The reason; whoever shows it names the scope.
pub fn enforceable_for_people(scope: &Scope, registry: &Registry) -> Result<(), String> {
    if scope.context == ScopeContext::System {
        return Err("only patient/ and user/ scopes are granted by people".into());
    }
    if scope.context == ScopeContext::Patient
        && let Some(Ok(resource_type)) = scope.resource_type.as_deref().map(ResourceType::parse)
        && !(record::is_about_a_patient(resource_type)
            || record::is_directory(resource_type)
            || is_audit_event(resource_type))
    {
        return Err(format!("{resource_type} is in no patient's record"));
    }
    understood(scope, registry)
}

/// A type of R4, and criteria that its search understands.
fn understood(scope: &Scope, registry: &Registry) -> Result<(), String> {
    let types: Vec<ResourceType> = match &scope.resource_type {
        Some(name) => match ResourceType::parse(name) {
            Ok(resource_type) => vec![resource_type],
            Err(why) => return Err(why.to_string()),
        },
        None => ResourceType::all().collect(),
    };
    if scope.query.is_empty() {
        return Ok(());
    }
    let mut first = None;
    for resource_type in types {
        match crate::criteria::compile(registry, resource_type, &scope.query) {
            Ok(_) => return Ok(()),
            Err(issues) => first = first.or(issues.into_iter().next()),
        }
    }
    let why = first.map(|issue| issue.diagnostics).unwrap_or_default();
    Err(format!("its criteria are no search of this server: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oauth::scope::Permissions;

    fn scope(context: ScopeContext, resource_type: Option<&str>, query: &[(&str, &str)]) -> Scope {
        Scope {
            text: "as asked".into(),
            context,
            resource_type: resource_type.map(Into::into),
            permissions: Permissions::READ,
            query: query.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        }
    }

    #[test]
    fn other_contexts_and_unknown_types_are_refused() {
        let registry = search::registry::registry();
        assert!(enforceable(&scope(ScopeContext::System, Some("Observation"), &[]), registry).is_ok());
        assert!(enforceable(&scope(ScopeContext::System, None, &[]), registry).is_ok());
        assert!(enforceable(&scope(ScopeContext::System, Some("Observations"), &[]), registry).is_err());
        for context in [ScopeContext::Patient, ScopeContext::User] {
            assert!(enforceable(&scope(context, Some("Observation"), &[]), registry).is_err());
            assert!(enforceable_for_people(&scope(context, Some("Observation"), &[]), registry).is_ok());
            assert!(enforceable_for_people(&scope(context, Some("Observations"), &[]), registry).is_err());
            assert!(enforceable_for_people(&scope(context, None, &[]), registry).is_ok());
        }
    }

    #[test]
    fn people_grant_what_is_in_a_record() {
        let registry = search::registry::registry();
        assert!(enforceable_for_people(&scope(ScopeContext::System, None, &[]), registry).is_err());
        for name in ["Group", "Binary", "Bundle", "Person"] {
            assert!(enforceable_for_people(&scope(ScopeContext::Patient, Some(name), &[]), registry).is_err());
            assert!(enforceable_for_people(&scope(ScopeContext::User, Some(name), &[]), registry).is_ok());
        }
        for name in ["Patient", "Provenance", "Device", "Organization", "AuditEvent"] {
            assert!(enforceable_for_people(&scope(ScopeContext::Patient, Some(name), &[]), registry).is_ok());
        }
    }

    #[test]
    fn criteria_that_no_search_understands_are_refused() {
        let registry = search::registry::registry();
        let unknown = scope(ScopeContext::System, Some("Observation"), &[("no-such-parameter", "x")]);
        assert!(enforceable(&unknown, registry).is_err());
        assert!(enforceable(&scope(ScopeContext::System, None, &[("no-such-parameter", "x")]), registry).is_err());
        let join = scope(ScopeContext::System, Some("Observation"), &[("patient.name", "x")]);
        assert!(enforceable(&join, registry).is_err());
    }
}
