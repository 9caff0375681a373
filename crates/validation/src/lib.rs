//! Validation of resources against base R4; the only maker of [`Validated`].
//!
//! All issues are found at once, each with the FHIRPath of its element, line and column. What is checked:
//! resource types, unknown elements, JSON shapes, primitive formats, cardinalities, choices, `_` companions,
//! required codes, reference targets, contained resources, narrative, invariants.
//!
//! SPEC: R4 validation.html, json.html, conformance-rules.html. Left out: profiles, extensible bindings and
//! terminology beyond what the tables enumerate (a later issue), the existence of what is referred to.

pub mod limits;
pub mod narrative;

mod contained;
mod finding;
mod invariant;
mod primitive;
mod reference;
mod rules;
mod validated;
mod validator;
mod walk;

pub use invariant::SKIPPED;
pub use validated::Validated;
pub use validator::{Invalid, Validator, r4, validate};
