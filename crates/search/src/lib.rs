//! FHIR search as algebra: a [`Predicate`] says which resources are meant.
//!
//! A search URL, a granular scope, a compartment and a conditional interaction all become
//! predicates (`design`: "a grant is a search"). Two evaluators must agree: [`matcher`] here, on one
//! resource's [`IndexValues`], and the store's plans over indices.
//!
//! The way of a search: [`query`] parses it by the [`registry`]'s parameters; [`extract`] has drawn
//! the [`index_value`]s out of each resource at write time; [`index_key`] says which keys the store
//! writes and scans; [`compare`] and [`matcher`] decide; [`order`] sorts.
//!
//! Pure: no I/O, no clock. SPEC: R4 search.html, searchparameter-registry.html.

pub mod added;
pub mod compare;
pub mod describe;
pub mod encoded;
pub mod exact;
pub mod extract;
pub mod fold;
pub mod index_key;
pub mod index_value;
pub mod limits;
pub mod matcher;
pub mod order;
pub mod predicate;
pub mod query;
pub mod registry;
pub mod ucum;

#[cfg(test)]
mod testing;

pub use encoded::{EncodedValues, decode, encode};
pub use extract::{extract, extract_added};
pub use index_value::{IndexValue, IndexValues, ValueRef, Values};
pub use predicate::{Predicate, Test};
pub use query::{Context, Query, compile_condition, compile_criteria, parse};
pub use registry::{Parameter, ParameterId, ParameterKind, Registry, registry};
