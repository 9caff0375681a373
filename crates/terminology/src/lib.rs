//! Terminology: which codes a value set holds, what a code means, how codes relate.
//!
//! [`Terminology`] is built from the facts of the packages ([`fhir::schema`]). It answers with
//! [`Membership`]: what cannot be checked here is [`Unknown`] with its reason, never "wrong".
//!
//! SPEC: R4 terminology-service.html, valueset.html, codesystem.html. Pure: no I/O, no clock, no task.

mod coding;
mod membership;
mod terminology;

pub use coding::Coding;
pub use membership::{Membership, Unknown};
pub use terminology::{Terminology, ValueSetHandle};
