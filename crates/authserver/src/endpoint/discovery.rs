//! Discovery documents. SPEC: SMART App Launch 2.2 conformance, RFC 8414; rows B1 to B6: always JSON, open to all.

use crate::{client::check, outcome, service::Inner};
use bytes::Bytes;
use http::Response;
use oauth::{discovery, scope::Scope};

/// `/.well-known/smart-configuration` of the FHIR base.
pub(crate) fn smart_configuration(inner: &Inner) -> Response<Bytes> {
    outcome::document(&discovery::smart_configuration(&inner.endpoints, &inner.scopes_supported))
}

/// `/.well-known/oauth-authorization-server`.
pub(crate) fn authorization_server(inner: &Inner) -> Response<Bytes> {
    outcome::document(&discovery::authorization_server(&inner.endpoints, &inner.scopes_supported))
}

/// Types that US Core asks for by resource-level scopes (row B37), with those that it allows.
const TYPES: [&str; 26] = [
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

const US_CORE: &str = "http://hl7.org/fhir/us/core/CodeSystem/";
const TERMINOLOGY: &str = "http://terminology.hl7.org/CodeSystem/";

/// Categories that US Core asks for by granular scopes (row B35), with the one that it recommends.
const CATEGORIES: [(&str, &str, &str); 9] = [
    ("Condition", US_CORE, "condition-category|health-concern"),
    ("Condition", TERMINOLOGY, "condition-category|encounter-diagnosis"),
    ("Condition", TERMINOLOGY, "condition-category|problem-list-item"),
    ("Observation", US_CORE, "us-core-category|sdoh"),
    ("Observation", TERMINOLOGY, "observation-category|social-history"),
    ("Observation", TERMINOLOGY, "observation-category|laboratory"),
    ("Observation", TERMINOLOGY, "observation-category|survey"),
    ("Observation", TERMINOLOGY, "observation-category|vital-signs"),
    ("DocumentReference", US_CORE, "us-core-documentreference-category|clinical-note"),
];

/// `scopes_supported`: the wildcards, then what US Core demands. Only what the server can enforce (row B4); any other
/// resource type works in the same forms.
pub(crate) fn scopes_supported(enforceable: &check::Enforceable) -> Vec<String> {
    let wildcards = ["cruds", "rs", "read", "write", "*"].into_iter().map(|suffix| format!("system/*.{suffix}"));
    let types = TYPES.into_iter().map(|name| format!("system/{name}.rs"));
    let granular =
        CATEGORIES.into_iter().map(|(name, system, category)| format!("system/{name}.rs?category={system}{category}"));
    wildcards
        .chain(types)
        .chain(granular)
        .filter(|text| Scope::parse(text).is_ok_and(|scope| check::usable(&scope, enforceable).is_ok()))
        .collect()
}
