//! Validation of resources against base R4 and profiles; the only maker of [`Validated`].
//!
//! All issues are found at once, each with the FHIRPath of its element, line and column. What is checked:
//! resource types, unknown elements, JSON shapes, primitive formats, cardinalities, choices, `_` companions,
//! required codes, reference targets, contained resources, narrative, attachments, invariants; with
//! [`Validator::validate_with`] also profiles, extensions, bindings of all strengths, Bundles, Questionnaires
//! and their responses.
//!
//! SPEC: R4 validation.html, json.html, conformance-rules.html, profiling.html; docs/profiles.md tells how
//! this server reads where the guides contradict themselves. Left out: the existence of what is referred to.

pub mod limits;
pub mod narrative;

mod attachment;
mod bundle;
mod claims;
mod contained;
mod finding;
mod invariant;
mod options;
mod primitive;
mod profile;
mod questionnaire;
mod questionnaire_response;
mod reference;
mod rules;
mod session;
mod validated;
mod validator;
mod walk;

pub use invariant::SKIPPED;
pub use options::{Mode, Options, Resolver};
pub use validated::Validated;
pub use validator::{Invalid, Validator, r4, validate};
