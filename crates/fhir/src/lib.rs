//! FHIR R4 values: what a resource is, before anyone asks what it means.
//!
//! - [`json`]: a guarded reader into a compact tree over the request's bytes, a writer, and byte-exact edits.
//! - [`primitive`]: the R4 primitive types that need more than text (dates with precision, decimals, ids).
//! - [`schema`]: tables of facts drawn from the FHIR packages by `cargo xtask definitions`.
//! - [`element`]: a typed view of a JSON tree, in which `value` and `_value` are one element.
//! - [`canonical`]: the bytes that a signature covers.
//! - [`patch`]: changes of a resource by JSON Patch.
//! - [`ucum`]: units of measure, their grammar, base units and conversion.
//! - [`reference`], [`bundle`], [`issue`]: the small structures that every crate above speaks.
//!
//! Pure: no I/O, no clock, no task. SPEC: R4 json.html, datatypes.html, references.html.

pub mod bundle;
pub mod canonical;
pub mod element;
pub mod issue;
pub mod json;
mod name;
pub mod patch;
pub mod primitive;
pub mod reference;
pub mod schema;
pub mod stamp;
pub mod ucum;
pub mod xml;

pub use name::{Canonical, InvalidName, LogicalId, ResourceType, VersionId};
pub use primitive::instant::Instant;

/// Limits of this crate, each with its unit and reason.
pub mod limits;
