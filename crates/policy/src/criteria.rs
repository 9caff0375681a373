//! What stands after `?` in a granular scope, as a predicate of one type (row B35).
//!
//! Criteria that look through another resource (a chain, `_has`) are refused: what a join may see is
//! itself a question of permission. SMART App Launch calls them experimental.

use fhir::{
    ResourceType,
    issue::{Issue, IssueType},
};
use search::{Predicate, Registry};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Compiles the criteria on a type.
///
/// # Errors
/// Why they cannot be enforced there.
pub(crate) fn compile(
    registry: &Registry,
    resource_type: ResourceType,
    pairs: &[(String, String)],
) -> Result<Arc<Predicate>, Vec<Issue>> {
    let predicate = search::query::compile_criteria(registry, resource_type, pairs)?;
    if joins(&predicate) {
        let text = "a scope cannot look through other resources";
        return Err(vec![Issue::error(IssueType::NotSupported, text)]);
    }
    Ok(Arc::new(predicate))
}

/// Whether it looks through another resource. Exhaustive on purpose.
fn joins(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Chain { .. }
        | Predicate::Has { .. }
        | Predicate::Ruled(_)
        | Predicate::While { .. }
        | Predicate::NoPatientBut(_)
        | Predicate::During(_) => true,
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().any(|part| joins(part)),
        Predicate::Not(inner) | Predicate::Now(inner) => joins(inner),
        Predicate::All
        | Predicate::Nothing
        | Predicate::Id(_)
        | Predicate::LastUpdated(_)
        | Predicate::Value { .. }
        | Predicate::Missing { .. }
        | Predicate::PatientCompartment(_)
        | Predicate::InForce(_)
        | Predicate::Near { .. }
        | Predicate::FromNow(_)
        | Predicate::Only { .. }
        | Predicate::NoOtherPatient(_) => false,
    }
}
