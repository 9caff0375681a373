//! Callers whom relations and consents narrow: a clinician who sees whom they treat, and a system that consents bind.
//!
//! To either the record of another patient is hidden as a whole, and of a patient whom they see one category, by a
//! Consent. Asked is for what is hidden and for what is absent: by id, and by searches that match as much that is seen.

use super::{OF_EACH, Pair, of};
use serde_json::{Value, json};
use testkit::{Person, Role, Server};

/// Who asks.
pub(super) const CALLERS: [&str; 2] = ["a clinician", "a system that consents bind"];

const DOCTOR: Person =
    Person { id: "u-dr", name: "Dora Roth", role: Role::Clinician, fhir_user: Some("Practitioner/dr"), patients: &[] };

pub(super) fn pairs() -> Vec<Pair> {
    vec![
        of("read, another's record", "Observation/hidden-#", "Observation/absent-#", "Observation/nobody-#"),
        of("read, a category", "Observation/kept-#", "Observation/absent-#", "Observation/nobody-#"),
        of(
            "history, a category",
            "Observation/kept-#/_history",
            "Observation/absent-#/_history",
            "Observation/nobody-#/_history",
        ),
        of(
            "search, others' records",
            "Observation?code=has-hidden",
            "Observation?code=has-none",
            "Observation?code=has-nil",
        ),
        of("search, a category", "Observation?code=has-kept", "Observation?code=has-none", "Observation?code=has-nil"),
        of(
            "search of a patient",
            "Observation?patient=a3&code=has-kept",
            "Observation?patient=a3&code=has-none",
            "Observation?patient=a3&code=has-nil",
        ),
        of(
            "search, total",
            "Observation?code=has-kept&_total=accurate&_sort=date",
            "Observation?code=has-none&_total=accurate&_sort=date",
            "Observation?code=has-nil&_total=accurate&_sort=date",
        ),
        of(
            "_has",
            "Patient?_has:Observation:patient:code=has-kept",
            "Patient?_has:Observation:patient:code=has-none",
            "Patient?_has:Observation:patient:code=has-nil",
        ),
        of(
            "chain",
            "Observation?patient:Patient.family=Hidden",
            "Observation?patient:Patient.family=Absent",
            "Observation?patient:Patient.family=Nobody",
        ),
        of(
            "_revinclude",
            "Patient?_id=a0&_revinclude=Condition:patient",
            "Patient?_id=a1&_revinclude=Condition:patient",
            "Patient?_id=a2&_revinclude=Condition:patient",
        ),
    ]
}

/// Fills the server; gives the caller's token.
pub(super) fn filled(server: &Server, who: &str) -> String {
    let mut entries = Vec::new();
    let mut put = |id: String, mut resource: Value| {
        resource["id"] = json!(id);
        let url = format!("{}/{id}", resource["resourceType"].as_str().unwrap_or_default());
        entries.push(json!({"resource": resource, "request": {"method": "PUT", "url": url}}));
    };
    put("dr".into(), json!({"resourceType": "Practitioner", "name": [{"family": "Roth"}]}));
    for n in 0..4 {
        let id = format!("a{n}");
        let doctor = json!([{"reference": "Practitioner/dr"}]);
        put(
            id.clone(),
            json!({"resourceType": "Patient", "name": [{"family": "Seen"}], "generalPractitioner": doctor}),
        );
        // Every patient has a Consent, so that what it costs to ask is no sign.
        put(format!("c-{id}"), consent(&id, json!({"type": "permit", "provision": [denied("kept")]})));
    }
    for n in 0..OF_EACH {
        let id = format!("b{n}");
        put(id.clone(), json!({"resourceType": "Patient", "name": [{"family": "Hidden"}]}));
        put(format!("c-{id}"), consent(&id, json!({"type": "deny"})));
        put(format!("hidden-{n}"), observation("has-hidden", "plain", &id));
        put(format!("kept-{n}"), observation("has-kept", "kept", "a3"));
        put(
            format!("d{n}"),
            json!({"resourceType": "Condition", "subject": {"reference": "Patient/a0"}, "code": {"coding": [{"system": "urn:test", "code": "kept"}]}}),
        );
    }
    for n in 0..400 {
        let codes = ["has-hidden", "has-kept", "has-none", "has-nil"];
        let code = if n < 24 { codes[n % 4] } else { "else" };
        put(format!("seen-{n}"), observation(code, "plain", "a3"));
    }
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
    let reply = server.request("POST", "").as_operator().json(&bundle).send();
    assert_eq!(reply.status, 200, "{}", reply.text());
    match who {
        "a clinician" => server.tokens().token_of_person(&DOCTOR, None, "user/*.rs"),
        _ => server.tokens().token_of_partner("system/*.rs"),
    }
}

fn observation(code: &str, mark: &str, patient: &str) -> Value {
    json!({"resourceType": "Observation", "status": "final", "subject": {"reference": format!("Patient/{patient}")},
        "code": {"coding": [{"system": "urn:test", "code": code}, {"system": "urn:test", "code": mark}]},
        "effectiveDateTime": "2026-01-01", "valueQuantity": {"value": 1, "unit": "/min"}})
}

fn denied(code: &str) -> Value {
    json!({"type": "deny", "code": [{"coding": [{"system": "urn:test", "code": code}]}]})
}

fn consent(patient: &str, provision: Value) -> Value {
    json!({"resourceType": "Consent", "status": "active",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": format!("Patient/{patient}")}, "dateTime": "2025-12-01",
        "policyRule": {"text": "As it says"}, "provision": provision})
}
