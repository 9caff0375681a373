//! Security labels: what the codes in `meta.security` mean, and who is cleared for which. Rows F40 to F47, H34.
//!
//! - [`codes`]: the codes that are known, from the tables of the packages. Everything else is unrecognised and withheld.
//! - [`Labels`]: what an operator says of labels, read from one text file.
//! - [`Clearance`]: what a caller may see, as a predicate on `_security`; [`Guard`] finds it for a caller.
//! - [`rules`]: the labelling service: what a resource says decides which labels it gets.
//! - [`set`]: labels of one resource: carried on, protected, high-water mark.
//! - [`inline`]: labels of elements (DS4P): what can be withheld alone, and what counts for the whole resource.
//!
//! Pure. What a value set holds is asked of whoever knows ([`rules::Knows`]). SPEC: R4 security-labels.html; HL7
//! Healthcare Privacy and Security Classification System; FHIR Data Segmentation for Privacy 1.0.0.

mod clearance;
mod codes;
mod guard;
pub mod inline;
mod labels;
mod lift;
mod read;
pub mod rules;
pub mod set;

pub use clearance::Clearance;
pub use codes::{Class, Confidentiality, class};
pub use guard::{Guard, Under, may_relabel};
pub use labels::{Authority, Labels, Problem};
pub(crate) use lift::Lift;

/// Confidentiality codes.
pub const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
/// Sensitivities, compartments, obligations, refrains, laws.
pub const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
/// Purposes of use, test data among them.
pub const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
/// Integrity, alteration, provenance.
pub const OBSERVATION_VALUE: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
/// Marks test data.
pub const TEST_DATA: &str = "HTEST";

/// One label: system and code. A label without a system has an empty one, and is never recognised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Code system.
    pub system: String,
    /// Code.
    pub code: String,
}

impl Label {
    /// A label.
    #[must_use]
    pub fn new(system: &str, code: &str) -> Self {
        Self { system: system.to_owned(), code: code.to_owned() }
    }

    /// What it means here; `None`: unrecognised.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        codes::class(&self.system, &self.code)
    }
}
