//! Fuzzing targets: what each of them does with any bytes, and what must hold then (rows F51 to F67).
//!
//! A target is a function of bytes that panics when a property does not hold. `cargo test` runs each with
//! seeded mutations of its seeds and with every input that once broke it; `cargo xtask fuzz TARGET` runs it
//! with libFuzzer, guided by coverage, under a limit of time for each input. SPEC: row F67.
//!
//! Only tests depend on this package; it may panic.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a property that does not hold stops the run"
)]

mod authorize;
mod bundle;
mod certificate;
mod choices;
mod code_system_file;
mod credentials;
mod dpop;
mod fhirpath_text;
mod head;
mod json;
mod jwt;
mod mutate;
mod outcome;
mod package;
mod profile;
mod registration;
mod samples;
mod scope;
mod search_url;
mod signature;
mod snapshot;
mod udap;
mod value_set;
mod world;
mod xml;

pub use authorize::authorize;
pub use bundle::bundle;
pub use certificate::certificate;
pub use code_system_file::code_system_file;
pub use credentials::credentials;
pub use dpop::dpop;
pub use fhirpath_text::fhirpath;
pub use head::head;
pub use json::json;
pub use jwt::jwt;
pub use package::package;
pub use profile::profile;
pub use registration::registration;
pub use scope::scope;
pub use search_url::search;
pub use signature::signature;
pub use snapshot::snapshot;
pub use udap::udap;
pub use value_set::value_set;
pub use xml::xml;
