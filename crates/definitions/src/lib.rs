//! FHIR packages and single definitions into the tables of facts of `fhir::schema`.
//!
//! - [`archive`], [`package`]: a `.tgz` that may be hostile, read under stated limits.
//! - [`compile`](compile()): StructureDefinition, ValueSet, CodeSystem, ConceptMap, SearchParameter and
//!   CapabilityStatement to table text (format: `crates/fhir/definitions/README.md`).
//! - `snapshot`: a differential upon its base becomes a snapshot.
//! - [`base`], [`compartment`], [`search`]: tables of R4 core alone, for `cargo xtask definitions`.
//!
//! The same code makes the compiled-in tables and those of packages that an operator adds. Facts only:
//! no definition, comment, requirement or narrative is copied. Pure but for the reader it is given.
//! SPEC: R4 profiling.html, structuredefinition.html; the FHIR NPM package specification.

pub mod archive;
pub mod base;
mod capability;
pub mod compartment;
mod compile;
mod concept_map;
mod element;
mod fault;
mod mend;
pub mod package;
mod profile;
pub mod search;
mod snapshot;
mod table;
mod terminology;
mod tree;
pub mod value;

/// Limits of this crate, each with its unit and reason.
pub mod limits;

pub use compile::{Compiled, compile, compile_with};
pub use fault::{Fault, FaultKind};
pub use package::{Package, PackageError};
pub use profile::{Form, lines_of, with_both_forms};
pub use table::{Constraints, Table};
