//! `Validated`: proof that a resource passed validation. Review target: nothing outside this crate makes one.

use fhir::{ResourceType, json::Tree};

/// A resource that passed validation.
#[derive(Debug, Clone)]
pub struct Validated {
    tree: Tree,
    resource_type: ResourceType,
}

impl Validated {
    // INVARIANT: called from one place, the end of `Validator::validate`, when no issue is an error.
    pub(crate) fn new(tree: Tree, resource_type: ResourceType) -> Self {
        Self { tree, resource_type }
    }

    /// The resource.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Its type.
    #[must_use]
    pub fn resource_type(&self) -> ResourceType {
        self.resource_type
    }

    /// The resource, without the proof.
    #[must_use]
    pub fn into_tree(self) -> Tree {
        self.tree
    }
}
