//! Terminology: which codes a value set holds, what a code means, how codes relate.
//!
//! [`Terminology`] is built from the facts of the packages ([`fhir::schema`]). It answers with
//! [`Membership`]: what cannot be checked here is [`Unknown`] with its reason, never "wrong".
//!
//! SPEC: R4 terminology-service.html, valueset.html, codesystem.html. Pure: no I/O, no clock, no task.

pub mod limits;

mod builder;
mod code_system;
mod coding;
mod compile;
mod compose;
mod concept_map;
mod content;
mod facts;
mod filter;
mod format;
mod grammar;
mod hierarchy;
mod implicit;
pub mod load;
mod membership;
mod operation;
pub mod pfe;
mod ranges;
mod resource;
mod terminology;
mod texts;
mod truth;
pub mod workload;

pub use builder::{BuildError, Builder};
pub use code_system::{About, CodeSystem, Completeness, Designation, Property};
pub use coding::Coding;
pub use concept_map::GivenMap;
pub use format::FormatError;
pub use membership::{Membership, Unknown};
pub use operation::{
    OperationError,
    expand::{Contained, ExpandOptions, Expansion},
    lookup::{ConceptProperty, Lookup},
    subsumes::Subsumption,
    translate::{Beside, Match, TranslateOptions, Translation},
    validate_code::{CodeOptions, DisplayCheck, Validated},
};
pub use ranges::Ranges;
pub use terminology::{Terminology, ValueSetHandle};
