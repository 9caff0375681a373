//! Whose record a resource is in, and what belongs to nobody. Rows B39, B40, F7, F12.
//!
//! A patient's record is narrower than R4's patient compartment, which also holds what a patient merely wrote, took
//! part in or pays for: the blood pressure of a wife that her husband measured lies in his compartment as well. Here a
//! resource is in the record of the patient whom it is about, by the one parameter of the compartment's definition that
//! says so. What others' records say of a patient changes nothing in the patient's own.
//!
//! - A Patient is their own record only; `Patient.link` is not followed (row B40).
//! - A message without a subject is in the record of who sent or received it.
//! - A Provenance is in the record that its target is in.
//! - Group and Person are in nobody's record: they name other patients. Binary, Bundle and whatever else has no patient
//!   in R4 neither (row F12: what is not classified is denied).
//! - [`is_directory`]: what a facility tells everybody who has an account (row B39).

use fhir::{LogicalId, ResourceType};
use search::{ParameterId, Predicate, Registry, Test, predicate::ReferenceTest};
use std::sync::Arc;

/// Types about a patient, each with the parameter that says about whom.
const ABOUT: &[(&str, &str)] = &[
    ("Account", "subject"),
    ("AdverseEvent", "subject"),
    ("AllergyIntolerance", "patient"),
    ("Appointment", "actor"),
    ("AppointmentResponse", "actor"),
    ("Basic", "patient"),
    ("BodyStructure", "patient"),
    ("CarePlan", "patient"),
    ("CareTeam", "patient"),
    ("ChargeItem", "subject"),
    ("Claim", "patient"),
    ("ClaimResponse", "patient"),
    ("ClinicalImpression", "subject"),
    ("Communication", "subject"),
    ("CommunicationRequest", "subject"),
    ("Composition", "subject"),
    ("Condition", "patient"),
    ("Consent", "patient"),
    ("Coverage", "beneficiary"),
    ("CoverageEligibilityRequest", "patient"),
    ("CoverageEligibilityResponse", "patient"),
    ("DetectedIssue", "patient"),
    // Not in R4's compartment, and yet about a patient when it says so: implants (row B37).
    ("Device", "patient"),
    ("DeviceRequest", "subject"),
    ("DeviceUseStatement", "subject"),
    ("DiagnosticReport", "subject"),
    ("DocumentManifest", "subject"),
    ("DocumentReference", "subject"),
    ("Encounter", "subject"),
    ("EnrollmentRequest", "subject"),
    ("EpisodeOfCare", "patient"),
    ("ExplanationOfBenefit", "patient"),
    ("FamilyMemberHistory", "patient"),
    ("Flag", "patient"),
    ("Goal", "patient"),
    ("ImagingStudy", "patient"),
    ("Immunization", "patient"),
    ("ImmunizationEvaluation", "patient"),
    ("ImmunizationRecommendation", "patient"),
    ("Invoice", "subject"),
    ("List", "subject"),
    ("MeasureReport", "patient"),
    ("Media", "subject"),
    ("MedicationAdministration", "subject"),
    ("MedicationDispense", "subject"),
    ("MedicationRequest", "subject"),
    ("MedicationStatement", "subject"),
    ("MolecularSequence", "patient"),
    ("NutritionOrder", "patient"),
    ("Observation", "subject"),
    ("Procedure", "patient"),
    ("QuestionnaireResponse", "subject"),
    ("RelatedPerson", "patient"),
    ("RequestGroup", "subject"),
    ("ResearchSubject", "individual"),
    ("RiskAssessment", "subject"),
    ("Schedule", "actor"),
    ("ServiceRequest", "subject"),
    ("Specimen", "subject"),
    ("SupplyDelivery", "patient"),
    ("SupplyRequest", "subject"),
    ("Task", "patient"),
    ("VisionPrescription", "patient"),
];

/// Messages: without a subject they are about their ends.
const MESSAGES: &[&str] = &["Communication", "CommunicationRequest"];

/// What is about no patient, and open to everybody with an account (row B39).
const DIRECTORY: &[&str] = &[
    // Who works here and where: the facility's directory.
    "Endpoint",
    "HealthcareService",
    "InsurancePlan",
    "Location",
    "Organization",
    "OrganizationAffiliation",
    "Practitioner",
    "PractitionerRole",
    // What a record points at by name.
    "Medication",
    "MedicationKnowledge",
    "Substance",
    // Definitions.
    "ActivityDefinition",
    "CapabilityStatement",
    "ChargeItemDefinition",
    "CodeSystem",
    "CompartmentDefinition",
    "ConceptMap",
    "DeviceDefinition",
    "GraphDefinition",
    "ImplementationGuide",
    "Library",
    "Measure",
    "MessageDefinition",
    "NamingSystem",
    "ObservationDefinition",
    "OperationDefinition",
    "PlanDefinition",
    "Questionnaire",
    "SearchParameter",
    "SpecimenDefinition",
    "StructureDefinition",
    "StructureMap",
    "TerminologyCapabilities",
    "ValueSet",
];

/// Whether the type is about no patient, and open to everybody with an account.
pub(crate) fn is_directory(resource_type: ResourceType) -> bool {
    DIRECTORY.contains(&resource_type.name())
}

/// Whether resources of this type can be in a patient's record.
pub(crate) fn is_about_a_patient(resource_type: ResourceType) -> bool {
    let name = resource_type.name();
    matches!(name, "Patient" | "Provenance") || ABOUT.iter().any(|(about, _)| *about == name)
}

/// The parameter by which a type says whom it is about.
pub(crate) fn about(name: &str) -> Option<&'static str> {
    ABOUT.iter().find(|(about, _)| *about == name).map(|(_, code)| *code)
}

/// Whether it is a message: without a subject about its ends.
pub(crate) fn is_message(name: &str) -> bool {
    MESSAGES.contains(&name)
}

/// Types whose resources say whom they are about.
pub(crate) fn types_about_a_patient() -> impl Iterator<Item = &'static str> {
    ABOUT.iter().map(|(about, _)| *about)
}

/// Whose records are meant.
#[derive(Clone, Copy)]
pub(crate) enum Whose<'a> {
    /// One patient's.
    One(&'a LogicalId),
    /// Those of the patients whom this predicate on Patient means ([`crate::relation`]).
    These(&'a Arc<Predicate>),
}

impl Whose<'_> {
    /// The patients themselves.
    fn patients(self) -> Arc<Predicate> {
        match self {
            Self::One(patient) => Arc::new(Predicate::Id(vec![patient.clone()])),
            Self::These(predicate) => Arc::clone(predicate),
        }
    }

    /// What points at one of them by this parameter.
    fn refers(self, registry: &Registry, resource_type: ResourceType, code: &str) -> Option<Arc<Predicate>> {
        let parameter = registry.parameter(resource_type, code)?.id;
        self.named_by(parameter)
    }

    fn named_by(self, parameter: ParameterId) -> Option<Arc<Predicate>> {
        let target = ResourceType::parse("Patient").ok()?;
        Some(Arc::new(match self {
            Self::One(patient) => {
                let test = Test::Reference(ReferenceTest::Target(target, patient.clone()));
                Predicate::Value { parameter, test }
            }
            Self::These(predicate) => Predicate::Chain { parameter, target, predicate: Arc::clone(predicate) },
        }))
    }

    /// What lies in the compartment of one of them.
    fn compartment(self, registry: &Registry, resource_type: ResourceType) -> Arc<Predicate> {
        match self {
            Self::One(patient) => Arc::new(Predicate::PatientCompartment(patient.clone())),
            Self::These(_) => {
                let parameters = registry.patient_compartment(resource_type).iter();
                Arc::new(Predicate::Or(parameters.filter_map(|parameter| self.named_by(*parameter)).collect()))
            }
        }
    }
}

/// The resources of a type in these records; `None` when the type is in nobody's.
pub(crate) fn record_of(registry: &Registry, resource_type: ResourceType, whose: Whose<'_>) -> Option<Arc<Predicate>> {
    match resource_type.name() {
        "Patient" => Some(whose.patients()),
        "Provenance" => Some(Arc::new(Predicate::Or(provenance(registry, resource_type, whose)))),
        name => {
            let (_, code) = ABOUT.iter().find(|(about, _)| *about == name)?;
            let about = whose.refers(registry, resource_type, code)?;
            if !MESSAGES.contains(&name) {
                return Some(about);
            }
            let subject = registry.parameter(resource_type, code)?.id;
            let without = Arc::new(Predicate::And(vec![
                whose.compartment(registry, resource_type),
                Arc::new(Predicate::Missing { parameter: subject, missing: true }),
            ]));
            Some(Arc::new(Predicate::Or(vec![about, without])))
        }
    }
}

/// The events about this patient and nobody else: an event that names several tells of the others (row F22).
pub(crate) fn events_of(registry: &Registry, audit_event: ResourceType, patient: &LogicalId) -> Option<Arc<Predicate>> {
    let about = Whose::One(patient).refers(registry, audit_event, "patient")?;
    Some(Arc::new(Predicate::And(vec![about, Arc::new(Predicate::NoOtherPatient(patient.clone()))])))
}

/// A target in the record puts a Provenance there: each type of target is its own way.
fn provenance(registry: &Registry, resource_type: ResourceType, whose: Whose<'_>) -> Vec<Arc<Predicate>> {
    let Some(parameter) = registry.parameter(resource_type, "target").map(|parameter| parameter.id) else {
        return Vec::new();
    };
    let patient_itself = whose.refers(registry, resource_type, "patient");
    let others = ABOUT.iter().filter_map(|(name, _)| {
        let target = ResourceType::parse(name).ok()?;
        let predicate = record_of(registry, target, whose)?;
        Some(Arc::new(Predicate::Chain { parameter, target, predicate }))
    });
    patient_itself.into_iter().chain(others).collect()
}

#[cfg(test)]
mod tests;
