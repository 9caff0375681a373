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
        "Patient" => open(Identity, |t| t.words_patient),
        "RelatedPerson" => open(Identity, |t| t.words_related),
        "Person" => open(Identity, |t| t.words_persons),

        "Device" => open(Moving, |t| t.words_devices),
        "DeviceRequest" => open(Moving, |t| t.words_device_orders),
        "DeviceUseStatement" => open(Moving, |t| t.words_device_use),
        "NutritionOrder" => open(Moving, |t| t.words_diet),
        "VisionPrescription" => open(Moving, |t| t.words_glasses),

        "Condition" => open(Health, |t| t.words_conditions),
        "AllergyIntolerance" => open(Health, |t| t.words_allergies),
        "AdverseEvent" => open(Health, |t| t.words_adverse_events),
        "Flag" => open(Health, |t| t.words_flags),
        "DetectedIssue" => open(Health, |t| t.words_detected_issues),
        "ClinicalImpression" => open(Health, |t| t.words_clinical_impressions),
        "RiskAssessment" => open(Health, |t| t.words_risks),
        "FamilyMemberHistory" => private(Health, |t| t.words_family_history),

        "Observation" => open(Results, |t| t.words_all_observations),
        "DiagnosticReport" => open(Results, |t| t.words_reports),
        "Specimen" => open(Results, |t| t.words_samples),
        "ImagingStudy" => open(Results, |t| t.words_images),
        "QuestionnaireResponse" => private(Results, |t| t.words_answers),
        "MolecularSequence" => private(Results, |t| t.words_genes),

        "MedicationRequest" => open(Medicines, |t| t.words_prescriptions),
        "MedicationDispense" => open(Medicines, |t| t.words_dispenses),
        "MedicationAdministration" => open(Medicines, |t| t.words_given),
        "MedicationStatement" => open(Medicines, |t| t.words_taken),
        "Medication" => open(Medicines, |t| t.words_medicines),
        "Immunization" => open(Medicines, |t| t.words_vaccines),
        "ImmunizationRecommendation" => open(Medicines, |t| t.words_vaccines_due),

        "Encounter" => open(Visits, |t| t.words_visits),
        "EpisodeOfCare" => open(Visits, |t| t.words_episodes),
        "Appointment" => open(Visits, |t| t.words_appointments),
        "Procedure" => open(Visits, |t| t.words_treatments),
        "ServiceRequest" => open(Visits, |t| t.words_orders),

        "CarePlan" => open(Care, |t| t.words_care_plans),
        "CareTeam" => open(Care, |t| t.words_care_team),
        "Goal" => open(Care, |t| t.words_goals),
        "Task" => open(Care, |t| t.words_tasks),
        "Consent" => private(Care, |t| t.words_sharing),

        "DocumentReference" => private(Notes, |t| t.words_documents),
        "Composition" => private(Notes, |t| t.words_compositions),
        "Binary" => private(Notes, |t| t.words_files),
        "Communication" => private(Notes, |t| t.words_messages),
        "Media" => private(Notes, |t| t.words_media),

        "Coverage" => open(Money, |t| t.words_coverage),
        "Claim" => open(Money, |t| t.words_claims),
        "ClaimResponse" | "ExplanationOfBenefit" => open(Money, |t| t.words_benefits),
        "Account" | "Invoice" => open(Money, |t| t.words_accounts),

        "Practitioner" => open(Staff, |t| t.words_staff),
        "PractitionerRole" => open(Staff, |t| t.words_staff_roles),
        "Organization" => open(Staff, |t| t.words_organizations),
        "Location" => open(Staff, |t| t.words_locations),
        "HealthcareService" => open(Staff, |t| t.words_services),

        "Provenance" => open(Origin, |t| t.words_provenance),
        "AuditEvent" => open(Origin, |t| t.words_audit),
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
        ("Observation", "vital-signs") => (OBSERVATION, open(Results, |t| t.words_vital_signs)),
        ("Observation", "laboratory") => (OBSERVATION, open(Results, |t| t.words_laboratory)),
        ("Observation", "survey") => (OBSERVATION, open(Results, |t| t.words_survey)),
        ("Observation", "exam") => (OBSERVATION, open(Results, |t| t.words_exam)),
        ("Observation", "imaging") => (OBSERVATION, open(Results, |t| t.words_imaging)),
        ("Observation", "procedure") => (OBSERVATION, open(Results, |t| t.words_procedure_findings)),
        ("Observation", "therapy") => (OBSERVATION, open(Moving, |t| t.words_therapy)),
        ("Observation", "activity") => (OBSERVATION, open(Moving, |t| t.words_activity)),
        ("Observation", "social-history") => (OBSERVATION, private(Health, |t| t.words_social_history)),
        ("Observation", "sdoh") => (US_CORE, private(Health, |t| t.words_sdoh)),
        ("Observation", "functional-status") => (US_CORE, open(Moving, |t| t.words_functional_status)),
        ("Observation", "cognitive-status") => (US_CORE, open(Mind, |t| t.words_cognitive_status)),
        ("Observation", "disability-status") => (US_CORE, open(Moving, |t| t.words_disability_status)),
        ("Observation", "care-experience-preference") => (US_CORE, open(Care, |t| t.words_care_experience_preference)),
        ("Observation", "treatment-intervention-preference") => {
            (US_CORE, private(Care, |t| t.words_treatment_preference))
        }
        ("Condition", "problem-list-item") => (CONDITION, open(Health, |t| t.words_problem_list)),
        ("Condition", "encounter-diagnosis") => (CONDITION, open(Health, |t| t.words_encounter_diagnosis)),
        ("Condition", "health-concern") => (US_CORE_CONDITION, open(Health, |t| t.words_health_concern)),
        ("DiagnosticReport", "LAB") => (SERVICE_SECTION, open(Results, |t| t.words_reports_laboratory)),
        ("DiagnosticReport", "LP29684-5") => (LOINC, open(Results, |t| t.words_reports_imaging)),
        ("DiagnosticReport", "LP29708-2") => (LOINC, open(Results, |t| t.words_reports_heart)),
        ("DiagnosticReport", "LP7839-6") => (LOINC, open(Results, |t| t.words_reports_tissue)),
        ("DocumentReference", "clinical-note") => (US_CORE_DOCUMENT, private(Notes, |t| t.words_clinical_notes)),
        ("ServiceRequest", "functional-status") => (US_CORE, open(Visits, |t| t.words_orders_function)),
        ("ServiceRequest", "sdoh") => (US_CORE, private(Visits, |t| t.words_orders_sdoh)),
        ("ServiceRequest", "387713003") => (SNOMED, open(Visits, |t| t.words_orders_surgery)),
        _ => return None,
    };
    system.is_none_or(|system| system == home).then_some(meaning)
}
