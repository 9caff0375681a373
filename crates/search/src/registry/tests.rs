//! Every search parameter of the tables is there, compiled, or named with a reason.

use super::{ParameterKind, registry};
use fhir::ResourceType;

/// The parameters that this server does not search by. A later issue shortens the list.
const NOT_SEARCHED: [(&str, &str); 4] = [
    ("http://hl7.org/fhir/SearchParameter/DomainResource-text", "full text"),
    ("http://hl7.org/fhir/SearchParameter/Resource-content", "full text"),
    ("http://hl7.org/fhir/SearchParameter/Resource-query", "named queries"),
    ("http://hl7.org/fhir/SearchParameter/Location-near", "distances"),
];

#[test]
fn every_parameter_of_r4_us_core_pfe_and_rt_compiles() {
    let schema = fhir::schema::r4();
    assert!(schema.search_parameters.len() >= 1375, "the tables hold R4's parameters");
    let own = registry().all().iter().filter(|parameter| parameter.url.starts_with("urn:handrail:parameter:")).count();
    assert_eq!(registry().all().len(), schema.search_parameters.len() + own, "and the server's own");
    let mut faults: Vec<&str> = registry().faults().iter().map(|fault| fault.url.as_str()).collect();
    let mut expected: Vec<&str> = NOT_SEARCHED.iter().map(|(url, _)| *url).collect();
    faults.sort_unstable();
    expected.sort_unstable();
    assert_eq!(faults, expected, "{:?}", registry().faults());
    for parameter in registry().all() {
        let is_expected = !NOT_SEARCHED.iter().any(|(url, _)| *url == parameter.url);
        assert_eq!(registry().is_supported(parameter), is_expected, "{}", parameter.url);
        assert!(!parameter.bases.is_empty(), "{} searches no type", parameter.url);
    }
}

#[test]
fn every_supported_parameter_is_extracted_on_each_of_its_types() {
    for parameter in registry().all().iter().filter(|one| one.expression.is_some()) {
        for base in &parameter.bases {
            let own = registry().extractions(*base).iter().filter(|extraction| extraction.parameter == parameter.id);
            let texts: Vec<&str> = own.map(|extraction| extraction.expression.text()).collect();
            assert_eq!(texts.len(), 1, "{} on {base}", parameter.url);
            assert!(!texts[0].is_empty(), "nothing of {} concerns {base}", parameter.url);
        }
    }
}

#[test]
fn parameters_are_found_by_type_and_code() {
    let of =
        |kind: &str, code: &str| registry().parameter(ResourceType::parse(kind).unwrap(), code).map(|one| one.kind);
    assert_eq!(of("Observation", "code"), Some(ParameterKind::Token));
    assert_eq!(of("Observation", "_lastUpdated"), Some(ParameterKind::Date), "on Resource, so on every type");
    assert_eq!(of("Patient", "race"), Some(ParameterKind::Token), "US Core");
    assert_eq!(of("Goal", "addresses"), Some(ParameterKind::Reference), "PFE");
    assert_eq!(of("Encounter", "based-on"), Some(ParameterKind::Reference), "RT");
    assert_eq!(of("Patient", "code"), None);
    for kind in ResourceType::all() {
        let codes: Vec<&str> = registry().of_type(kind).map(|one| one.code.as_str()).collect();
        assert!(codes.is_sorted(), "in the order of their codes");
        assert!(codes.windows(2).all(|pair| pair[0] != pair[1]), "{kind} has a code twice");
    }
}

#[test]
fn composites_know_their_components() {
    let kind = ResourceType::parse("Observation").unwrap();
    let composite = registry().parameter(kind, "code-value-quantity").unwrap();
    let kinds: Vec<_> = composite.components.iter().map(|(id, _)| registry().by_id(*id).map(|one| one.kind)).collect();
    assert_eq!(kinds, [Some(ParameterKind::Token), Some(ParameterKind::Quantity)]);
}

/// `patient=` is the search that clients send; the compartment table names `subject`. A plan may use
/// the compartment for both, or it reads every patient's rows.
#[test]
fn patient_and_subject_both_lead_into_the_compartment() {
    let within = |kind: &str, code: &str| {
        let kind = ResourceType::parse(kind).unwrap();
        registry().is_within_patient_compartment(kind, registry().parameter(kind, code).unwrap().id)
    };
    for kind in ["Observation", "Encounter", "Condition", "DiagnosticReport", "Goal", "ServiceRequest", "Coverage"] {
        assert!(within(kind, "patient"), "{kind}");
    }
    assert!(within("Observation", "subject"));
    assert!(within("DeviceUseStatement", "patient"));
    assert!(!within("Observation", "encounter"));
    assert!(!within("Observation", "focus"), "what is focused on need not be the subject");
    assert!(!within("Encounter", "part-of"));
}

#[test]
fn the_patient_compartment_is_r4s() {
    let codes = |kind: &str| -> Vec<&str> {
        let ids = registry().patient_compartment(ResourceType::parse(kind).unwrap());
        ids.iter().map(|id| registry().by_id(*id).unwrap().code.as_str()).collect()
    };
    assert_eq!(codes("Observation"), ["subject", "performer"]);
    assert_eq!(codes("Encounter"), ["subject"]);
    assert!(codes("Organization").is_empty());
    for (name, expected) in &fhir::schema::r4().patient_compartment {
        assert_eq!(codes(name).len(), expected.len(), "every compartment parameter of {name} is a known reference");
    }
}
