//! Small synthetic resources that targets ask about.

use fhir::{Instant, ResourceType, json::Tree};
use std::sync::LazyLock;

const TEXTS: [&str; 5] = [
    r##"{"resourceType":"Patient","id":"p1","active":true,"contained":[{"resourceType":"Organization","id":"o1","name":"Home Health"}],
"identifier":[{"system":"http://a","value":"1|2"}],"name":[{"use":"official","family":"Ödman, jr","given":["Ann","B"]}],"birthDate":"1950-11-15",
"_birthDate":{"extension":[{"url":"http://a/time","valueDateTime":"1950-11-15T06:30:00Z"}]},"gender":"female","telecom":[{"system":"phone","value":"1","rank":1}],
"generalPractitioner":[{"reference":"Practitioner/7"},{"reference":"#o1"},{"reference":"urn:uuid:1","type":"PractitionerRole"}]}"##,
    r#"{"resourceType":"Observation","id":"o-1","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"survey"}]}],
"code":{"coding":[{"system":"http://loinc.org","code":"89571-4","display":"Walk"}],"text":"Walk 10 feet"},"subject":{"reference":"Patient/p1"},
"effectiveDateTime":"2024-01-31T23:59:60+14:00","valueQuantity":{"value":1.50e2,"comparator":"<","unit":"mg","system":"http://unitsofmeasure.org","code":"mg"},
"component":[{"code":{"text":"a"},"valueQuantity":{"value":-0.0,"code":"kg"}},{"code":{"text":"b"},"dataAbsentReason":{"text":"c"}}]}"#,
    r#"{"resourceType":"Encounter","id":"e.1","status":"finished","class":{"code":"AMB"},"subject":{"reference":"https://handrail.test/fhir/Patient/p1"},
"period":{"start":"2024-02","end":"2024-03-01T00:00:00.001Z"},"length":{"value":3,"unit":"d"}}"#,
    r#"{"resourceType":"ValueSet","id":"v","url":"http://a/ValueSet/v","version":"1","status":"draft","date":"2020","compose":{"include":[{"system":"http://loinc.org"}]}}"#,
    r#"{"resourceType":"RiskAssessment","id":"r","status":"final","subject":{"identifier":{"system":"http://a","value":"x"}},"prediction":[{"probabilityDecimal":0.5000}]}"#,
];

static TREES: LazyLock<Vec<(ResourceType, Tree)>> = LazyLock::new(|| {
    let read = |text: &str| {
        let tree = Tree::parse(text.to_owned()).expect("a sample is JSON");
        let kind = ResourceType::parse(&tree.resource_type().expect("a type")).expect("a type of R4");
        (kind, tree)
    };
    TEXTS.iter().map(|text| read(text)).collect()
});

/// All samples.
pub(crate) fn all() -> &'static [(ResourceType, Tree)] {
    &TREES
}

/// The sample of a choice.
pub(crate) fn pick(choice: u8) -> (ResourceType, &'static Tree) {
    let (kind, tree) = &TREES[usize::from(choice) % TREES.len()];
    (*kind, tree)
}

/// When it is in every target.
pub(crate) fn now() -> Instant {
    Instant::from_unix_millis(1_767_225_600_000)
}
