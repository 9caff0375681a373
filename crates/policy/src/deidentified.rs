//! De-identified data (row F68): what a client gets that may not know of whom it is.
//!
//! Such a client ([`oauth::caller::Standing::Deidentified`]) searches the types of [`TYPES`], and does nothing else: it
//! reads nothing by id, follows nothing, sees no history. It searches by what it is shown alone ([`parameter`]), so that
//! no search tells what an answer hides. What it finds is rewritten by [`safe_harbor`].
//!
//! - Ids and references are pseudonyms, made with a key by recipient: equal within what one client gets, different from
//!   what another gets. No map is kept and there is no way back, so re-identification is not a permission that anybody has.
//! - Totals below [`SMALL_CELL`] are not told.
//! - [`Groups`]: how many people share what is left of each (k-anonymity).
//!
//! SPEC: 45 CFR 164.514(b)(2), the eighteen identifiers of the safe harbor method, and (c). Left out: dates shifted by a
//! secret offset, which is no safe harbor.

mod groups;
mod parameters;
mod safe_harbor;

pub use groups::Groups;
pub use parameters::{Refused, parameter};
pub use safe_harbor::{Withheld, safe_harbor};

use fhir::ResourceType;

/// A total below this is not told, and a group of fewer people is small.
pub const SMALL_CELL: u64 = 11;

/// Types that can be rewritten to something of use. What is about those who care, about payments, or made of free text
/// and attachments, is not among them.
const TYPES: [&str; 19] = [
    "AllergyIntolerance",
    "CarePlan",
    "ClinicalImpression",
    "Condition",
    "DeviceUseStatement",
    "DiagnosticReport",
    "Encounter",
    "EpisodeOfCare",
    "Goal",
    "Immunization",
    "MedicationRequest",
    "MedicationStatement",
    "NutritionOrder",
    "Observation",
    "Patient",
    "Procedure",
    "QuestionnaireResponse",
    "RiskAssessment",
    "ServiceRequest",
];

/// Whether resources of this type can be de-identified.
#[must_use]
pub fn is_offered(resource_type: ResourceType) -> bool {
    TYPES.contains(&resource_type.name())
}

#[cfg(test)]
mod tests;
