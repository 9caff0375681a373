//! What each resource type, and each category that US Core names, means to a person. SPEC: R4 resource list; US Core
//! SMART scopes (granular); PACIO PFE (functional and cognitive status). Rows B35, B36, B37.
//!
//! Every type that the guides name has words of its own; the others are called by their FHIR name, openly.

use super::Group;
use crate::texts::Texts;

/// Words, group, and whether it is more private than the rest.
#[derive(Clone, Copy)]
pub(super) struct Meaning {
    pub(super) words: fn(&Texts) -> &'static str,
    pub(super) group: Group,
    pub(super) is_private: bool,
}

const fn open(group: Group, words: fn(&Texts) -> &'static str) -> Meaning {
    Meaning { words, group, is_private: false }
}

const fn private(group: Group, words: fn(&Texts) -> &'static str) -> Meaning {
    Meaning { words, group, is_private: true }
}

/// A whole type; `None` when we have no words for it.
pub(super) fn of_type(name: &str) -> Option<Meaning> {
    use Group::{Care, Health, Identity, Medicines, Money, Moving, Notes, Origin, Results, Staff, Visits};
    Some(match name {
        "Patient" => open(Identity, |t| t.words.patient),
        "RelatedPerson" => open(Identity, |t| t.words.related),
        "Person" => open(Identity, |t| t.words.persons),

        "Device" => open(Moving, |t| t.words.devices),
        "DeviceRequest" => open(Moving, |t| t.words.device_orders),
        "DeviceUseStatement" => open(Moving, |t| t.words.device_use),
        "NutritionOrder" => open(Moving, |t| t.words.diet),
        "VisionPrescription" => open(Moving, |t| t.words.glasses),

        "Condition" => open(Health, |t| t.words.conditions),
        "AllergyIntolerance" => open(Health, |t| t.words.allergies),
        "AdverseEvent" => open(Health, |t| t.words.adverse_events),
        "Flag" => open(Health, |t| t.words.flags),
        "DetectedIssue" => open(Health, |t| t.words.detected_issues),
        "ClinicalImpression" => open(Health, |t| t.words.clinical_impressions),
        "RiskAssessment" => open(Health, |t| t.words.risks),
        "FamilyMemberHistory" => private(Health, |t| t.words.family_history),

        "Observation" => open(Results, |t| t.words.all_observations),
        "DiagnosticReport" => open(Results, |t| t.words.reports),
        "Specimen" => open(Results, |t| t.words.samples),
        "ImagingStudy" => open(Results, |t| t.words.images),
        "QuestionnaireResponse" => private(Results, |t| t.words.answers),
        "MolecularSequence" => private(Results, |t| t.words.genes),

        "MedicationRequest" => open(Medicines, |t| t.words.prescriptions),
        "MedicationDispense" => open(Medicines, |t| t.words.dispenses),
        "MedicationAdministration" => open(Medicines, |t| t.words.given),
        "MedicationStatement" => open(Medicines, |t| t.words.taken),
        "Medication" => open(Medicines, |t| t.words.medicines),
        "Immunization" => open(Medicines, |t| t.words.vaccines),
        "ImmunizationRecommendation" => open(Medicines, |t| t.words.vaccines_due),

        "Encounter" => open(Visits, |t| t.words.visits),
        "EpisodeOfCare" => open(Visits, |t| t.words.episodes),
        "Appointment" => open(Visits, |t| t.words.appointments),
        "Procedure" => open(Visits, |t| t.words.treatments),
        "ServiceRequest" => open(Visits, |t| t.words.orders),

        "CarePlan" => open(Care, |t| t.words.care_plans),
        "CareTeam" => open(Care, |t| t.words.care_team),
        "Goal" => open(Care, |t| t.words.goals),
        "Task" => open(Care, |t| t.words.tasks),
        "Consent" => private(Care, |t| t.words.sharing),

        "DocumentReference" => private(Notes, |t| t.words.documents),
        "Composition" => private(Notes, |t| t.words.compositions),
        "Binary" => private(Notes, |t| t.words.files),
        "Communication" => private(Notes, |t| t.words.messages),
        "Media" => private(Notes, |t| t.words.media),

        "Coverage" => open(Money, |t| t.words.coverage),
        "Claim" => open(Money, |t| t.words.claims),
        "ClaimResponse" | "ExplanationOfBenefit" => open(Money, |t| t.words.benefits),
        "Account" | "Invoice" => open(Money, |t| t.words.accounts),

        "Practitioner" => open(Staff, |t| t.words.staff),
        "PractitionerRole" => open(Staff, |t| t.words.staff_roles),
        "Organization" => open(Staff, |t| t.words.organizations),
        "Location" => open(Staff, |t| t.words.locations),
        "HealthcareService" => open(Staff, |t| t.words.services),

        "Provenance" => open(Origin, |t| t.words.provenance),
        "AuditEvent" => open(Origin, |t| t.words.audit),
        _ => return None,
    })
}

const OBSERVATION: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
/// As the US Core lists misprint it (row B36).
const OBSERVATION_MISPRINTED: &str = "http://terminology.hl7.org//CodeSystem-observation-category";
const US_CORE: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category";
const US_CORE_CONDITION: &str = "http://hl7.org/fhir/us/core/CodeSystem/condition-category";
const CONDITION: &str = "http://terminology.hl7.org/CodeSystem/condition-category";
const US_CORE_DOCUMENT: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category";
const LOINC: &str = "http://loinc.org";
const SNOMED: &str = "http://snomed.info/sct";
const SERVICE_SECTION: &str = "http://terminology.hl7.org/CodeSystem/v2-0074";

/// One category of a type, as `system|code` or as a code in any system; `None` when we have no words for it.
pub(super) fn of_category(resource_type: &str, token: &str) -> Option<Meaning> {
    use Group::{Care, Health, Mind, Moving, Notes, Results, Visits};
    let (system, code) = match token.split_once('|') {
        Some((system, code)) => (Some(if system == OBSERVATION_MISPRINTED { OBSERVATION } else { system }), code),
        None => (None, token),
    };
    let (home, meaning) = match (resource_type, code) {
        ("Observation", "vital-signs") => (OBSERVATION, open(Results, |t| t.words.vital_signs)),
        ("Observation", "laboratory") => (OBSERVATION, open(Results, |t| t.words.laboratory)),
        ("Observation", "survey") => (OBSERVATION, open(Results, |t| t.words.survey)),
        ("Observation", "exam") => (OBSERVATION, open(Results, |t| t.words.exam)),
        ("Observation", "imaging") => (OBSERVATION, open(Results, |t| t.words.imaging)),
        ("Observation", "procedure") => (OBSERVATION, open(Results, |t| t.words.procedure_findings)),
        ("Observation", "therapy") => (OBSERVATION, open(Moving, |t| t.words.therapy)),
        ("Observation", "activity") => (OBSERVATION, open(Moving, |t| t.words.activity)),
        ("Observation", "social-history") => (OBSERVATION, private(Health, |t| t.words.social_history)),
        ("Observation", "sdoh") => (US_CORE, private(Health, |t| t.words.sdoh)),
        ("Observation", "functional-status") => (US_CORE, open(Moving, |t| t.words.functional_status)),
        ("Observation", "cognitive-status") => (US_CORE, open(Mind, |t| t.words.cognitive_status)),
        ("Observation", "disability-status") => (US_CORE, open(Moving, |t| t.words.disability_status)),
        ("Observation", "care-experience-preference") => (US_CORE, open(Care, |t| t.words.care_experience_preference)),
        ("Observation", "treatment-intervention-preference") => {
            (US_CORE, private(Care, |t| t.words.treatment_preference))
        }
        ("Condition", "problem-list-item") => (CONDITION, open(Health, |t| t.words.problem_list)),
        ("Condition", "encounter-diagnosis") => (CONDITION, open(Health, |t| t.words.encounter_diagnosis)),
        ("Condition", "health-concern") => (US_CORE_CONDITION, open(Health, |t| t.words.health_concern)),
        ("DiagnosticReport", "LAB") => (SERVICE_SECTION, open(Results, |t| t.words.reports_laboratory)),
        ("DiagnosticReport", "LP29684-5") => (LOINC, open(Results, |t| t.words.reports_imaging)),
        ("DiagnosticReport", "LP29708-2") => (LOINC, open(Results, |t| t.words.reports_heart)),
        ("DiagnosticReport", "LP7839-6") => (LOINC, open(Results, |t| t.words.reports_tissue)),
        ("DocumentReference", "clinical-note") => (US_CORE_DOCUMENT, private(Notes, |t| t.words.clinical_notes)),
        ("ServiceRequest", "functional-status") => (US_CORE, open(Visits, |t| t.words.orders_function)),
        ("ServiceRequest", "sdoh") => (US_CORE, private(Visits, |t| t.words.orders_sdoh)),
        ("ServiceRequest", "387713003") => (SNOMED, open(Visits, |t| t.words.orders_surgery)),
        _ => return None,
    };
    system.is_none_or(|system| system == home).then_some(meaning)
}
