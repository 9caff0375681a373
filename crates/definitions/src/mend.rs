//! Faults of the packages at hand, mended. Each one is told in `crates/fhir/definitions/README.md`.

/// A row that replaces what the package says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Row {
    /// Takes all children away but `id` and the extensions.
    Clear,
    /// Adds or replaces an element: min, max, types, binding.
    Element(&'static str, &'static str, &'static str, &'static str),
}

/// A type that [`evidence_variable`] mends.
pub(crate) fn is_mended(type_name: &str) -> bool {
    type_name == "EvidenceVariable"
}

/// An element of a later version that stands in the differential too.
/// SPEC: R4 researchstudy.html#resource.
pub(crate) fn is_later(path: &str) -> bool {
    path == "ResearchStudy.studyDesign"
}

/// The R4 core package at hand carries the R5 draft of `EvidenceVariable.characteristic`.
/// SPEC: R4 evidencevariable.html#resource.
pub(crate) fn evidence_variable(put: &mut dyn FnMut(&str, Row)) {
    let at = "EvidenceVariable.characteristic";
    put(at, Row::Clear);
    put(at, Row::Element("1", "*", at, ""));
    let types =
        "Reference>Group canonical>ActivityDefinition CodeableConcept Expression DataRequirement TriggerDefinition";
    let group_measure = "required http://hl7.org/fhir/ValueSet/group-measure|4.0.1";
    for (name, row) in [
        ("description", Row::Element("0", "1", "string", "")),
        ("definition[x]", Row::Element("1", "1", types, "")),
        ("usageContext", Row::Element("0", "*", "UsageContext", "")),
        ("exclude", Row::Element("0", "1", "boolean", "")),
        ("participantEffective[x]", Row::Element("0", "1", "dateTime Period Duration Timing", "")),
        ("timeFromStart", Row::Element("0", "1", "Duration", "")),
        ("groupMeasure", Row::Element("0", "1", "code", group_measure)),
    ] {
        put(&format!("{at}.{name}"), row);
    }
}

/// Search parameters whose declared code is not the name that their guide searches by.
const CODES: [(&str, &str); 3] = [
    ("http://hl7.org/fhir/us/pacio-pfe/SearchParameter/Goal-addresses", "addresses"),
    ("http://hl7.org/fhir/us/pacio-pfe/SearchParameter/NutritionOrder-orderer", "orderer"),
    ("http://hl7.org/fhir/us/pacio-pfe/SearchParameter/ServiceRequest-reason-reference", "reason-reference"),
];

/// The code under which a search parameter is known.
pub(crate) fn search_code(url: &str, declared: &str) -> String {
    CODES.iter().find(|(of, _)| *of == url).map_or(declared, |(_, code)| code).to_owned()
}

/// Types of a reference parameter that declares none.
pub(crate) fn search_target(url: &str) -> &'static [&'static str] {
    match url.rsplit('/').next() {
        Some("Goal-addresses") if url.contains("pacio-pfe") => {
            &["Condition", "MedicationStatement", "NutritionOrder", "Observation", "RiskAssessment", "ServiceRequest"]
        }
        Some("NutritionOrder-orderer") if url.contains("pacio-pfe") => &["Practitioner", "PractitionerRole"],
        Some("ServiceRequest-reason-reference") if url.contains("pacio-pfe") => {
            &["Condition", "DiagnosticReport", "DocumentReference", "Observation"]
        }
        _ => &[],
    }
}

/// An expression with the element names that FHIRPath knows: an extension has `value`, not
/// `valueReference` (RT `based-on`, US Core `asserted-date`).
pub(crate) fn search_expression(expression: &str) -> String {
    let mut out = expression.to_owned();
    for suffix in ["valueReference", "valueDateTime"] {
        out = out.replace(&format!(").{suffix}"), ").value");
    }
    out
}

/// Names in CapabilityStatements that are no search parameter's name: type, name written, name meant.
const CAPABILITY_NAMES: [(&str, &str, &str); 8] = [
    ("Condition", "status", "clinical-status"),
    ("Condition", "bodysite", "body-site"),
    ("Condition", "recordeddate", "recorded-date"),
    ("Goal", "achievementstatus", "achievement-status"),
    ("Goal", "lifecyclestatus", "lifecycle-status"),
    ("Goal", "startdate", "start-date"),
    ("Goal", "targetdate", "target-date"),
    ("Condition", "onsetdate", "onset-date"),
];

/// The name of a search parameter that a CapabilityStatement means.
pub(crate) fn capability_name(resource: &str, written: &str) -> String {
    let hyphened = written.trim().replace(' ', "-");
    let lower = hyphened.to_ascii_lowercase();
    let known = CAPABILITY_NAMES.iter().find(|(of, from, _)| *of == resource && *from == lower);
    known.map_or(hyphened, |(_, _, meant)| (*meant).to_owned())
}
