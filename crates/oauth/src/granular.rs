//! Finer scopes in place of a whole type. SPEC: SMART App Launch 2.2 granular scopes; US Core 8 scopes; rows B27, B35,
//! B36, B37.
//!
//! Where US Core names categories of a type, a person may choose among them instead of giving the whole type. Offered
//! for v2 scopes only: a v1 request gets v1 strings back (row B32), and v1 has no such form. What the choices are
//! called for people is for the pages.

use crate::scope::{Permissions, Scope};

/// Types that US Core asks for by resource-level scopes (row B37), with the two that it allows.
pub const RESOURCE_TYPES: [&str; 26] = [
    "AllergyIntolerance",
    "CarePlan",
    "CareTeam",
    "Condition",
    "Coverage",
    "Device",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "Goal",
    "Immunization",
    "Location",
    "Medication",
    "MedicationDispense",
    "MedicationRequest",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Provenance",
    "QuestionnaireResponse",
    "RelatedPerson",
    "ServiceRequest",
    "Specimen",
];

/// A category that US Core names for granular scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Category {
    /// Resource type.
    pub resource_type: &'static str,
    /// Code system of the category.
    pub system: &'static str,
    /// Its code.
    pub code: &'static str,
}

const fn category(resource_type: &'static str, system: &'static str, code: &'static str) -> Category {
    Category { resource_type, system, code }
}

const CONDITION: &str = "http://terminology.hl7.org/CodeSystem/condition-category";
const OBSERVATION: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// Categories that US Core asks for (row B35), with the one that it recommends, that of DocumentReference.
pub const CATEGORIES: [Category; 9] = [
    category("Condition", "http://hl7.org/fhir/us/core/CodeSystem/condition-category", "health-concern"),
    category("Condition", CONDITION, "encounter-diagnosis"),
    category("Condition", CONDITION, "problem-list-item"),
    category("Observation", "http://hl7.org/fhir/us/core/CodeSystem/us-core-category", "sdoh"),
    category("Observation", OBSERVATION, "social-history"),
    category("Observation", OBSERVATION, "laboratory"),
    category("Observation", OBSERVATION, "survey"),
    category("Observation", OBSERVATION, "vital-signs"),
    category(
        "DocumentReference",
        "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
        "clinical-note",
    ),
];

impl Category {
    /// The scope for this category in a context (`patient`, `user`, `system`) with these letters.
    #[must_use]
    pub fn scope_text(&self, context: &str, letters: Permissions) -> String {
        format!("{context}/{}.{letters}?category={}|{}", self.resource_type, self.system, self.code)
    }
}

/// Whether the scope is written in letters of v2.
pub(crate) fn is_v2(scope: &Scope) -> bool {
    let base = scope.text.split_once('?').map_or(&*scope.text, |(base, _)| base);
    base.rsplit_once('.').is_some_and(|(_, suffix)| !matches!(suffix, "read" | "write" | "*"))
}

/// The finer scopes to choose among for a whole type; none when the scope is v1, already granular, or for a type (or
/// `*`) of which US Core names fewer than two categories.
#[must_use]
pub fn parts(scope: &Scope) -> Vec<Scope> {
    let Some(resource_type) = &scope.resource_type else { return Vec::new() };
    if !scope.query.is_empty() || !is_v2(scope) {
        return Vec::new();
    }
    let of_type = CATEGORIES.iter().filter(|category| *category.resource_type == **resource_type);
    let parts: Vec<Scope> = of_type
        .filter_map(|category| Scope::parse(&category.scope_text(scope.context.as_str(), scope.permissions)).ok())
        // INVARIANT: a part gives nothing that the whole does not.
        .filter(|part| scope.covers(part))
        .collect();
    if parts.len() < 2 { Vec::new() } else { parts }
}

#[cfg(test)]
mod tests;
