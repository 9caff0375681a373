//! Writes are held to profiles: those they claim, those the operator requires, those of references; within the
//! permit (rows F1, F51).

use crate::world::{ALL, create, patient, put, server};
use fhir::{ResourceType, issue::Severity};
use serde_json::{Value, json};
use testkit::{Reply, Server};

const SINGLE: &str = "http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-observation-single";

/// Meets base R4, and not the profile: no category of the guide, no performer.
fn bare(profile: &str) -> Value {
    json!({
        "resourceType": "Observation",
        "meta": {"profile": [profile]},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": "Patient/p1"}
    })
}

fn errors(reply: &Reply) -> Vec<(String, String)> {
    let json = reply.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let issues = json["issue"].as_array().unwrap();
    let errors = issues.iter().filter(|issue| issue["severity"] == "error");
    errors.map(|issue| (text(&issue["expression"][0]), text(&issue["diagnostics"]))).collect()
}

#[test]
fn a_claimed_profile_is_held_to() {
    let (server, token) = server();
    let refused = server.request("POST", "Observation").token(&token).json(&bare(SINGLE)).send().expect(422);
    let errors = errors(&refused);
    assert!(errors.iter().any(|(_, text)| text.contains(SINGLE)), "{errors:?}");
    assert!(errors.iter().all(|(expression, _)| expression.starts_with("Observation")), "{errors:?}");
    let mut plain = bare(SINGLE);
    plain.as_object_mut().unwrap().remove("meta");
    let _ = create(&server, &token, &plain);
}

#[test]
fn a_profile_that_is_not_loaded_is_a_warning_for_who_asks_for_it() {
    let (server, token) = server();
    let body = bare("http://example.org/StructureDefinition/nobody-knows");
    let stored = create(&server, &token, &body);
    assert_eq!(stored.json()["resourceType"], "Observation", "warnings are in nobody's way");
    let told = server.request("POST", "Observation").token(&token).header("prefer", "return=OperationOutcome");
    let told = told.json(&body).send().expect(201).json();
    assert_eq!(told["issue"][0]["severity"], "information");
    let warning = told["issue"].as_array().unwrap().iter().find(|one| one["severity"] == "warning").unwrap();
    assert!(told.to_string().contains("nobody-knows") && warning["code"].is_string(), "{told}");

    let strict = Server::checking(rest::Checks { unknown_profile: Severity::Error, ..rest::Checks::default() });
    let token = strict.token_for(ALL);
    let _ = strict.request("POST", "Observation").token(&token).json(&body).send().expect(422);
}

#[test]
fn required_profiles_hold_for_every_road() {
    let kind = ResourceType::parse("Observation").unwrap();
    let required = [(kind, vec![SINGLE.to_owned()])].into_iter().collect();
    let server = Server::checking(rest::Checks { required, ..rest::Checks::default() });
    let token = server.token_for(ALL);
    let mut body = bare(SINGLE);
    body.as_object_mut().unwrap().remove("meta");
    let _ = server.request("POST", "Observation").token(&token).json(&body).send().expect(422);
    let _ = create(&server, &token, &patient("Smith"));
    for kind in ["batch", "transaction"] {
        let entry = json!({"request": {"method": "POST", "url": "Observation"}, "resource": body});
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": [entry]});
        let reply = server.request("POST", "").token(&token).json(&bundle).send();
        match kind {
            "batch" => {
                assert_eq!(reply.expect(200).json()["entry"][0]["response"]["status"], "422 Unprocessable Entity")
            }
            _ => {
                let errors = errors(&reply.expect(422));
                assert!(errors.iter().all(|(at, _)| at.starts_with("Bundle.entry[0].resource")), "{errors:?}");
            }
        }
    }
    body["id"] = json!("o1");
    let _ = server.request("PUT", "Observation/o1").token(&token).json(&body).send().expect(422);
}

/// A CarePlan of US Core asks for a subject that is a US Core Patient, which has an identifier.
fn plan(patient: &str) -> Value {
    json!({
        "resourceType": "CarePlan",
        "meta": {"profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-careplan|6.1.0"]},
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">A plan</div>"},
        "status": "active",
        "intent": "plan",
        "category": [{"coding": [{
            "system": "http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "code": "assess-plan"
        }]}],
        "subject": {"reference": patient}
    })
}

fn told(server: &Server, token: &str, body: &Value) -> String {
    let request = server.request("POST", "CarePlan").token(token).header("prefer", "return=OperationOutcome");
    request.json(body).send().expect(201).text()
}

/// F1: what the caller may not read is no target that could be looked into: no word of it, and the answer
/// leaves at a step of time, as it does for what is absent.
#[test]
fn targets_are_those_that_the_caller_may_read() {
    let (server, token) = server();
    let _ = put(&server, &token, "p1", json!({"resourceType": "Patient", "gender": "female"})).expect(201);
    let seen = told(&server, &token, &plan("Patient/p1"));
    assert!(seen.contains("CarePlan.subject") && seen.contains("us-core-patient"), "{seen}");
    let whole_url = told(&server, &token, &plan(&format!("{}/Patient/p1", Server::BASE_URL)));
    assert!(whole_url.contains("us-core-patient"), "{whole_url}");

    let blind = server.token_for("system/CarePlan.cruds");
    let hidden = told(&server, &blind, &plan("Patient/p1"));
    let absent = told(&server, &blind, &plan("Patient/p2"));
    assert!(!hidden.contains("us-core-patient"), "{hidden}");
    assert_eq!(hidden, absent);

    let some = server.token_for("system/CarePlan.cruds system/Patient.rs?gender=male");
    let held = server.holds();
    assert_eq!(told(&server, &some, &plan("Patient/p1")), hidden);
    assert_eq!(told(&server, &some, &plan("Patient/p2")), hidden);
    assert_eq!(server.holds(), held + 2, "both leave at a step of time");
}

#[test]
fn targets_of_a_transaction_are_among_its_entries() {
    let person = |identified: bool| {
        let mut person = patient("Smith");
        if !identified {
            person.as_object_mut().unwrap().remove("identifier");
        }
        person
    };
    let strict = Server::checking(rest::Checks { target_profiles: Severity::Error, ..rest::Checks::default() });
    let token = strict.token_for(ALL);
    for identified in [true, false] {
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
            {"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000002", "resource": plan("urn:uuid:00000000-0000-4000-8000-000000000001"),
             "request": {"method": "POST", "url": "CarePlan"}},
            {"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001", "resource": person(identified),
             "request": {"method": "POST", "url": "Patient"}}
        ]});
        let reply = strict.request("POST", "").token(&token).json(&bundle).send();
        if identified {
            let _ = reply.expect(200);
        } else {
            let errors = errors(&reply.expect(422));
            assert_eq!(errors[0].0, "Bundle.entry[0].resource.subject", "{errors:?}");
        }
    }
}

/// A response is held to the Questionnaire that it names when the caller may read that.
#[test]
fn a_response_is_held_to_its_questionnaire() {
    let (server, token) = server();
    let questionnaire = json!({
        "resourceType": "Questionnaire", "url": "http://example.org/q,1", "version": "1", "status": "active",
        "item": [{"linkId": "a", "type": "boolean", "required": true}]
    });
    let _ = create(&server, &token, &questionnaire);
    let response = json!({
        "resourceType": "QuestionnaireResponse", "questionnaire": "http://example.org/q,1|1", "status": "completed",
        "item": [{"linkId": "b", "answer": [{"valueBoolean": true}]}]
    });
    let refused = server.request("POST", "QuestionnaireResponse").token(&token).json(&response).send().expect(422);
    assert!(refused.text().contains("linkId"), "{}", refused.text());
    let blind = server.token_for("system/QuestionnaireResponse.cruds");
    let _ = create(&server, &blind, &response);
}
