//! FHIR search as algebra: a [`Predicate`] says which resources are meant.
//!
//! A search URL, a granular scope, a compartment and a conditional interaction all become
//! predicates (`design`: "a grant is a search"). Two evaluators must agree: [`matcher`] here, on one
//! resource's [`IndexValues`], and the store's plans over indices.
//!
//! Pure: no I/O, no clock. SPEC: R4 search.html, searchparameter-registry.html.

pub mod index_value;
pub mod matcher;
pub mod predicate;
pub mod query;
pub mod registry;

pub use index_value::{IndexValue, IndexValues};
pub use predicate::{Predicate, Test};
pub use query::Query;
pub use registry::{Parameter, ParameterId, ParameterKind, Registry};
