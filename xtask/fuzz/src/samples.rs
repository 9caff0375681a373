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

/// Resources of the kinds that profiles tell apart, most of them claiming some.
const OF_PROFILES: [&str; 7] = [
    r##"{"resourceType":"Observation","id":"o","meta":{"profile":["http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-observation-single"]},
"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>"},"contained":[{"resourceType":"Device","id":"w","deviceName":[{"name":"W","type":"other"}]}],
"extension":[{"url":"http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/device-patient-used","valueReference":{"reference":"#w"}}],"status":"final",
"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"survey"}]},{"coding":[{"system":"http://hl7.org/fhir/us/pacio-pfe/CodeSystem/pfe-category-cs","code":"d4"}]}],
"code":{"coding":[{"system":"http://loinc.org","code":"95019-8"}],"text":"Walk"},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2024-05-01T10:30:00-05:00",
"performer":[{"reference":"PractitionerRole/pt"}],"valueCodeableConcept":{"coding":[{"system":"http://loinc.org","code":"LA9-1","display":"a"}]},"derivedFrom":[{"reference":"QuestionnaireResponse/q"}]}"##,
    r#"{"resourceType":"Patient","id":"p","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|6.1.0","http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|3.1.1"]},
"extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":[{"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2106-3"}},{"url":"text","valueString":"White"}]},
{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex","valueCode":"F"}],"identifier":[{"system":"http://a","value":"1"}],"name":[{"family":"\u00d6","given":["A"],"_given":[{"id":"g"}]}],"gender":"female","birthDate":"1950-11-15"}"#,
    r#"{"resourceType":"Observation","id":"bp","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-blood-pressure","http://hl7.org/fhir/StructureDefinition/bp"]},"status":"final",
"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2024-01-01",
"component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"dataAbsentReason":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/data-absent-reason","code":"unknown"}]}}]}"#,
    r#"{"resourceType":"Bundle","type":"document","identifier":{"system":"http://a","value":"1"},"timestamp":"2024-01-01T00:00:00Z","entry":[{"fullUrl":"http://a/Composition/c","resource":{"resourceType":"Composition","id":"c","status":"final","type":{"text":"a"},"subject":{"reference":"Patient/p"},"date":"2024","author":[{"reference":"urn:uuid:0c3b5d5a-6c0a-4a57-8f6c-2a1d7e7b9f10"}],"title":"a","section":[{"title":"b","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>"}}]}},
{"fullUrl":"http://a/Patient/p","resource":{"resourceType":"Patient","id":"p","active":true}},{"fullUrl":"urn:uuid:0c3b5d5a-6c0a-4a57-8f6c-2a1d7e7b9f10","resource":{"resourceType":"Practitioner","name":[{"family":"a"}]}}]}"#,
    r##"{"resourceType":"QuestionnaireResponse","id":"q","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-questionnaireresponse"]},"contained":[{"resourceType":"Questionnaire","id":"a","url":"http://a/q","status":"active","item":[{"linkId":"1","type":"group","item":[{"linkId":"1.1","type":"choice","required":true,"answerOption":[{"valueCoding":{"code":"a"}}],"enableWhen":[{"question":"2","operator":"exists","answerBoolean":true}]},{"linkId":"1.2","type":"decimal","repeats":true}]},{"linkId":"2","type":"string","maxLength":3}]}],
"questionnaire":"#a","status":"completed","subject":{"reference":"Patient/p"},"authored":"2024-01-01","item":[{"linkId":"1","item":[{"linkId":"1.1","answer":[{"valueCoding":{"code":"a"},"item":[{"linkId":"2"}]}]},{"linkId":"1.2","answer":[{"valueDecimal":1.0},{"valueDecimal":2}]}]},{"linkId":"2","answer":[{"valueString":"abc"}]}]}"##,
    r#"{"resourceType":"Condition","id":"c","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-condition-problems-health-concerns"]},"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/condition-assertedDate","valueDateTime":"2024"}],"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"confirmed"}]},
"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-category","code":"problem-list-item"}]}],"code":{"coding":[{"system":"http://snomed.info/sct","code":"38341003"}]},"subject":{"reference":"Patient/p"},"abatementString":"a","stage":[{"summary":{"text":"b"}}]}"#,
    r#"{"resourceType":"DocumentReference","id":"d","status":"current","type":{"text":"a"},"category":[{"text":"b"}],"subject":{"reference":"Patient/p"},"content":[{"attachment":{"contentType":"text/plain","data":"QW5u","size":3,"hash":"c1uCnkMzzM8vbaQjY4WGxlwWfnE="},"format":{"system":"http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode","code":"a"}}],"context":{"period":{"start":"2024-02","end":"2024-01"}}}"#,
];

/// See [`OF_PROFILES`].
pub(crate) fn of_profiles() -> &'static [Tree] {
    static TREES: LazyLock<Vec<Tree>> = LazyLock::new(|| {
        OF_PROFILES.iter().map(|text| Tree::parse(text.to_owned()).expect("a sample is JSON")).collect()
    });
    &TREES
}

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
