//! Which search parameters tell what of a type. Made once, of the compiled-in parameters, whose numbers are the same in
//! every registry.

use fhir::ResourceType;
use search::{ParameterId, Registry, registry::ParameterKind};
use std::sync::LazyLock;

/// When it was, by type: the first parameter that has a value decides. Clinical time first, then when it was written.
const TIMES: &[(&str, &[&str])] = &[
    ("Account", &["period"]),
    ("AdverseEvent", &["date"]),
    ("AllergyIntolerance", &["date"]),
    ("Appointment", &["date"]),
    ("AuditEvent", &["date"]),
    ("Basic", &["created"]),
    ("CarePlan", &["date"]),
    ("CareTeam", &["date"]),
    ("ChargeItem", &["occurrence", "entered-date"]),
    ("Claim", &["created"]),
    ("ClaimResponse", &["created"]),
    ("ClinicalImpression", &["date"]),
    ("Communication", &["sent", "received"]),
    ("CommunicationRequest", &["occurrence", "authored"]),
    ("Composition", &["period", "date"]),
    ("Condition", &["onset-date", "recorded-date"]),
    ("Consent", &["date"]),
    ("CoverageEligibilityRequest", &["created"]),
    ("CoverageEligibilityResponse", &["created"]),
    ("DetectedIssue", &["identified"]),
    ("DeviceRequest", &["event-date", "authored-on"]),
    ("DiagnosticReport", &["date", "issued"]),
    ("DocumentManifest", &["created"]),
    ("DocumentReference", &["period", "date"]),
    ("Encounter", &["date"]),
    ("EpisodeOfCare", &["date"]),
    ("ExplanationOfBenefit", &["created"]),
    ("FamilyMemberHistory", &["date"]),
    ("Flag", &["date"]),
    ("Goal", &["start-date"]),
    ("ImagingStudy", &["started"]),
    ("Immunization", &["date"]),
    ("ImmunizationEvaluation", &["date"]),
    ("ImmunizationRecommendation", &["date"]),
    ("Invoice", &["date"]),
    ("List", &["date"]),
    ("MeasureReport", &["period", "date"]),
    ("Media", &["created"]),
    ("MedicationAdministration", &["effective-time"]),
    ("MedicationDispense", &["whenhandedover", "whenprepared"]),
    ("MedicationRequest", &["authoredon"]),
    ("MedicationStatement", &["effective"]),
    ("NutritionOrder", &["datetime"]),
    ("Observation", &["date"]),
    ("Procedure", &["date"]),
    ("Provenance", &["when", "recorded"]),
    ("QuestionnaireResponse", &["authored"]),
    ("RequestGroup", &["authored"]),
    ("ResearchSubject", &["date"]),
    ("RiskAssessment", &["date"]),
    ("Schedule", &["date"]),
    ("ServiceRequest", &["occurrence", "authored"]),
    ("Specimen", &["collected"]),
    ("SupplyRequest", &["date"]),
    ("Task", &["period", "authored-on"]),
    ("VisionPrescription", &["datewritten"]),
];

/// Who wrote, did, ordered or said it, by type.
const AUTHORS: &[(&str, &[&str])] = &[
    ("AdverseEvent", &["recorder"]),
    ("AllergyIntolerance", &["recorder", "asserter"]),
    ("Basic", &["author"]),
    ("ChargeItem", &["enterer", "performer-actor"]),
    ("Claim", &["enterer", "provider"]),
    ("ClinicalImpression", &["assessor"]),
    ("Communication", &["sender"]),
    ("CommunicationRequest", &["requester", "sender"]),
    ("Composition", &["author", "attester"]),
    ("Condition", &["asserter"]),
    ("CoverageEligibilityRequest", &["enterer", "provider"]),
    ("DetectedIssue", &["author"]),
    ("DeviceRequest", &["requester"]),
    ("DiagnosticReport", &["performer", "results-interpreter"]),
    ("DocumentManifest", &["author"]),
    ("DocumentReference", &["author", "authenticator"]),
    ("Encounter", &["participant"]),
    ("ExplanationOfBenefit", &["enterer", "provider"]),
    ("Flag", &["author"]),
    ("ImagingStudy", &["performer", "interpreter"]),
    ("Immunization", &["performer"]),
    ("Invoice", &["issuer", "participant"]),
    ("List", &["source"]),
    ("MeasureReport", &["reporter"]),
    ("Media", &["operator"]),
    ("MedicationAdministration", &["performer"]),
    ("MedicationDispense", &["performer", "responsibleparty"]),
    ("MedicationRequest", &["requester"]),
    ("MedicationStatement", &["source"]),
    ("NutritionOrder", &["provider"]),
    ("Observation", &["performer"]),
    ("Procedure", &["performer"]),
    ("Provenance", &["agent"]),
    ("QuestionnaireResponse", &["author", "source"]),
    ("RequestGroup", &["author"]),
    ("RiskAssessment", &["performer"]),
    ("ServiceRequest", &["requester"]),
    ("Specimen", &["collector"]),
    ("SupplyRequest", &["requester"]),
    ("Task", &["requester"]),
    ("VisionPrescription", &["prescriber"]),
];

/// What kind of document it is, by type.
const DOCUMENTS: &[(&str, &[&str])] = &[
    ("Composition", &["type", "category"]),
    ("DiagnosticReport", &["code", "category"]),
    ("DocumentManifest", &["type"]),
    ("DocumentReference", &["type", "category", "format"]),
];

/// Labels beside those of `meta`, by type.
const LABELS: &[(&str, &[&str])] = &[("Composition", &["confidentiality"]), ("DocumentReference", &["security-label"])];

/// What is known of one type.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Labels.
    pub(crate) labels: Vec<ParameterId>,
    /// Profiles that it says it follows.
    pub(crate) profile: Option<ParameterId>,
    /// All codes in it.
    pub(crate) codes: Vec<ParameterId>,
    /// Codes that say what kind of document it is.
    pub(crate) documents: Vec<ParameterId>,
    /// Media type of the document.
    pub(crate) media_type: Option<ParameterId>,
    /// When it was; the first with a value decides.
    pub(crate) times: Vec<ParameterId>,
    /// Who wrote it.
    pub(crate) authors: Vec<ParameterId>,
    /// What it refers to.
    pub(crate) references: Vec<ParameterId>,
}

/// The facts of a type.
pub(crate) fn of(kind: ResourceType) -> &'static Facts {
    static FACTS: LazyLock<Vec<Facts>> = LazyLock::new(|| {
        let registry = search::registry::registry();
        ResourceType::all().map(|kind| read(registry, kind)).collect()
    });
    static NONE: LazyLock<Facts> = LazyLock::new(Facts::default);
    FACTS.get(kind.index()).unwrap_or(&NONE)
}

fn read(registry: &Registry, kind: ResourceType) -> Facts {
    let id = |code: &str| registry.parameter(kind, code).map(|parameter| parameter.id);
    let listed = |table: &[(&str, &[&str])]| -> Vec<ParameterId> {
        let codes = table.iter().find(|(name, _)| *name == kind.name()).map(|(_, codes)| *codes);
        codes.unwrap_or_default().iter().filter_map(|code| id(code)).collect()
    };
    let of_kind = |wanted: ParameterKind| {
        registry.of_type(kind).filter(move |one| one.kind == wanted && registry.is_supported(one) && !one.id.is_added())
    };
    let is_code = |code: &str| !code.starts_with('_') && !matches!(code, "identifier" | "security-label");
    let own = |code: &str| registry.of_server(kind, code).map(|parameter| parameter.id);
    let mut times = listed(TIMES);
    if kind.name() == "Coverage" {
        times.extend(own("period"));
    }
    Facts {
        labels: id("_security").into_iter().chain(listed(LABELS)).collect(),
        profile: id("_profile"),
        codes: of_kind(ParameterKind::Token)
            .filter(|one| is_code(&one.code))
            .map(|one| one.id)
            .chain(own("further-codes"))
            .collect(),
        documents: listed(DOCUMENTS),
        media_type: id("contenttype"),
        times,
        authors: listed(AUTHORS),
        references: of_kind(ParameterKind::Reference).map(|one| one.id).chain(own("further-references")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_tables_is_a_parameter_of_the_right_type() {
        let registry = search::registry::registry();
        for (table, wanted) in [
            (TIMES, ParameterKind::Date),
            (AUTHORS, ParameterKind::Reference),
            (DOCUMENTS, ParameterKind::Token),
            (LABELS, ParameterKind::Token),
        ] {
            for (name, codes) in table {
                let kind = ResourceType::parse(name).unwrap();
                for code in *codes {
                    let found = registry.parameter(kind, code);
                    assert_eq!(found.map(|one| one.kind), Some(wanted), "{name}.{code}");
                }
            }
        }
    }

    #[test]
    fn every_type_that_has_a_time_by_r4_and_is_about_a_patient_has_one_here() {
        let without: Vec<&str> = ResourceType::all()
            .filter(|kind| crate::record::is_about_a_patient(*kind) && of(*kind).times.is_empty())
            .map(ResourceType::name)
            .collect();
        // R4 gives these no time of their own, or no parameter for it.
        let known = [
            "AppointmentResponse",
            "BodyStructure",
            "Device",
            "DeviceUseStatement",
            "EnrollmentRequest",
            "MolecularSequence",
            "Patient",
            "RelatedPerson",
            "SupplyDelivery",
        ];
        assert_eq!(without, known);
    }
}
