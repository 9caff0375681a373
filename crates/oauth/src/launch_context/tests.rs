//! Launch context. Rows B50, B51.

use super::{FhirContext, FhirContextError as E, LaunchContext};
use serde_json::{Value, json};

fn item(value: &Value) -> Result<FhirContext, E> {
    FhirContext::read(value.as_object().unwrap())
}

fn whole() -> LaunchContext {
    LaunchContext {
        patient: Some("p".into()),
        encounter: Some("e".into()),
        fhir_context: vec![
            FhirContext::reference("ImagingStudy/1", None).unwrap(),
            item(&json!({ "identifier": { "system": "urn:x", "value": "v" }, "type": "Questionnaire", "role": "launch" }))
                .unwrap(),
        ],
        intent: Some("reconcile".into()),
        need_patient_banner: Some(false),
        smart_style_url: Some("https://care.example/style.json".into()),
        tenant: Some("east".into()),
    }
}

#[test]
fn what_is_kept_is_read() {
    for context in
        [LaunchContext::default(), LaunchContext { patient: Some("p".into()), ..LaunchContext::default() }, whole()]
    {
        assert_eq!(LaunchContext::from_kept(&context.to_kept()), Some(context));
    }
    for broken in [
        json!(null),
        json!("p"),
        json!({ "patient": 1 }),
        json!({ "patient": null }),
        json!({ "need_patient_banner": "true" }),
        json!({ "fhirContext": {} }),
        json!({ "fhirContext": [{}] }),
        json!({ "fhirContext": ["ImagingStudy/1"] }),
    ] {
        assert_eq!(LaunchContext::from_kept(&broken), None, "{broken}");
    }
}

/// Row B50: each member with its type.
#[test]
fn members_have_their_types() {
    assert_eq!(
        Value::Object(whole().members()),
        json!({
            "patient": "p",
            "encounter": "e",
            "intent": "reconcile",
            "smart_style_url": "https://care.example/style.json",
            "tenant": "east",
            "need_patient_banner": false,
            "fhirContext": [
                { "reference": "ImagingStudy/1" },
                { "type": "Questionnaire", "role": "launch", "identifier": { "system": "urn:x", "value": "v" } },
            ],
        })
    );
    assert!(LaunchContext::default().members().is_empty());
}

/// Row B50: what an item must be.
#[test]
fn items() {
    for good in [
        json!({ "reference": "ImagingStudy/1" }),
        json!({ "reference": "Patient/1", "role": "https://x.example/sibling" }),
        json!({ "canonical": "http://x.example/Questionnaire/1|2", "type": "Questionnaire" }),
        json!({ "identifier": { "value": "v" }, "unknown": 1 }),
    ] {
        assert!(item(&good).is_ok(), "{good}");
    }
    for (bad, why) in [
        (json!({}), E::Nothing),
        (json!({ "type": "Questionnaire" }), E::Nothing),
        (json!({ "reference": "https://x.example/fhir/ImagingStudy/1" }), E::Reference),
        (json!({ "reference": "ImagingStudy/1/_history/2" }), E::Reference),
        (json!({ "reference": "ImagingStudy/" }), E::Reference),
        (json!({ "reference": "imagingStudy/1" }), E::Reference),
        (json!({ "reference": 1 }), E::Member),
        (json!({ "canonical": "Questionnaire/1" }), E::Canonical),
        (json!({ "identifier": {} }), E::Identifier),
        (json!({ "identifier": "v" }), E::Identifier),
        (json!({ "identifier": { "value": "" } }), E::Identifier),
        (json!({ "reference": "ImagingStudy/1", "type": "Patient" }), E::Type),
        (json!({ "identifier": { "value": "v" }, "type": "x" }), E::Type),
        (json!({ "reference": "ImagingStudy/1", "role": "" }), E::Role),
        (json!({ "reference": "ImagingStudy/1", "role": "other" }), E::Role),
        (json!({ "reference": "Patient/1" }), E::OwnMember),
        (json!({ "reference": "Encounter/1", "role": "launch" }), E::OwnMember),
        (json!({ "identifier": { "value": "v" }, "type": "Patient" }), E::OwnMember),
    ] {
        assert_eq!(item(&bad), Err(why), "{bad}");
    }
}
