//! People: a patient's app, a caregiver, a clinician of home health. Scenarios 4, 5, 6.

use super::{Facility, LOINC, encounter, item, let_in, token_of};
use crate::{authorize::enrol, launch::clinician};
use serde_json::{Value, json};

const CATEGORY: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category|functional-status";

/// 4: a therapist of home health, who is on the resident's care team, follows the whole stay; of the other resident she
/// sees nothing.
#[tokio::test]
async fn scenario_4_discharge_to_home_health() {
    let mut facility = Facility::open().await;
    for (id, start, end) in [("rosa-t2", "2026-03-12", "2026-04-06"), ("rosa-t3", "2026-04-07", "2026-05-02")] {
        let period = json!({ "start": start, "end": end });
        facility.put(encounter(id, "rosa", "finished", period, Some("rosa-stay"))).await;
    }
    for (id, within, date, score) in
        [("rosa-o2", "rosa-t2", "2026-03-20T10:00:00Z", 4), ("rosa-o3", "rosa-t3", "2026-04-20T10:00:00Z", 6)]
    {
        facility.put(item(id, "rosa", within, "54522-8", date, score)).await;
    }
    let about = json!({ "reference": "Patient/rosa" });
    for resource in [
        json!({ "resourceType": "CareTeam", "id": "rosa-team", "status": "active", "subject": about,
            "participant": [{ "member": { "reference": "Practitioner/hugo" } }] }),
        json!({ "resourceType": "Goal", "id": "rosa-goal", "lifecycleStatus": "active", "subject": about,
            "description": { "text": "Walk to the garden" } }),
        json!({ "resourceType": "DeviceUseStatement", "id": "rosa-walker", "status": "active", "subject": about,
            "device": { "display": "Walker" } }),
        json!({ "resourceType": "NutritionOrder", "id": "rosa-diet", "status": "active", "intent": "order",
            "patient": about, "dateTime": "2026-03-02" }),
        json!({ "resourceType": "ServiceRequest", "id": "rosa-therapy", "status": "active", "intent": "order",
            "subject": about, "code": { "text": "Physical therapy" } }),
        json!({ "resourceType": "DiagnosticReport", "id": "rosa-history", "status": "final", "subject": about,
            "code": { "text": "Narrative history" }, "conclusion": "Lived alone before the stay" }),
    ] {
        facility.put(resource).await;
    }
    let scope = "openid fhirUser user/Patient.rs user/Encounter.rs user/Observation.rs user/Goal.rs \
                 user/DeviceUseStatement.rs user/NutritionOrder.rs user/ServiceRequest.rs user/DiagnosticReport.rs";
    let app = facility.app("Home Care", scope);
    let mut pages = facility.server.http().await;
    let mut hugo = clinician(&facility.server, &mut pages, "hugo").await;
    let token = token_of(&let_in(&mut facility, &mut hugo, &app, scope, &[]).await);
    let timepoints = facility.found(&token, "Encounter?part-of=Encounter/rosa-stay").await;
    assert_eq!(timepoints, ["rosa-t1", "rosa-t2", "rosa-t3"]);
    let trend = format!("Observation?patient=rosa&code={LOINC}|54522-8&date=ge2026-03-01&_sort=date");
    let bundle = facility.get(&token, &trend).await.json();
    let scores: Vec<&Value> =
        bundle["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]["valueInteger"]).collect();
    assert_eq!(scores, [2, 4, 6]);
    for path in [
        "Goal?patient=rosa",
        "DeviceUseStatement?patient=rosa",
        "NutritionOrder?patient=rosa",
        "ServiceRequest?patient=rosa",
        "DiagnosticReport?patient=rosa",
    ] {
        assert_eq!(facility.found(&token, path).await.len(), 1, "{path}");
    }
    // Maud is none of hers, and nothing of her is there.
    for path in ["Patient/maud", "Observation/maud-o1", "Encounter/maud-t1"] {
        assert_eq!(facility.status(&token, path).await, 404, "{path}");
    }
    assert!(facility.found(&token, "Observation?patient=maud").await.is_empty());
    assert_eq!(facility.found(&token, "Patient?gender=female").await, ["rosa"]);
    // She leaves the team: at the next request, with the same token (row G17).
    facility.put(json!({ "resourceType": "CareTeam", "id": "rosa-team", "status": "inactive",
        "subject": { "reference": "Patient/rosa" }, "participant": [{ "member": { "reference": "Practitioner/hugo" } }] })).await;
    assert_eq!(facility.status(&token, "Patient/rosa").await, 404);
}

/// 5: a patient's app asks for more than it gets; it is refreshed, looked into, and ended.
#[tokio::test]
async fn scenario_5_a_patient_and_an_app() {
    let mut facility = Facility::open().await;
    facility
        .put(json!({ "resourceType": "Condition", "id": "rosa-c1", "subject": { "reference": "Patient/rosa" },
        "code": { "text": "Gait" }, "clinicalStatus": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active" }] } }))
        .await;
    let mut laboratory = item("rosa-lab", "rosa", "rosa-t1", "2345-7", "2026-03-01T08:00:00Z", 5);
    laboratory["category"] = json!([{ "coding": [{
        "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory" }] }]);
    facility.put(laboratory).await;
    let granular = format!("patient/Observation.rs?category={CATEGORY}");
    let scope =
        format!("openid fhirUser launch/patient offline_access patient/Patient.rs patient/Condition.rs {granular}");
    let app = facility.app("My Walks", &scope);
    let mut pages = facility.server.http().await;
    let account = ["rosa", "--name", "Rosa Diaz", "--role", "patient", "--as", "Patient/rosa"];
    let mut rosa = enrol(&facility.server, &mut pages, &account).await;
    let given = let_in(&mut facility, &mut rosa, &app, &scope, &["patient/Condition.rs"]).await;
    assert_eq!(given["patient"], "rosa");
    assert!(!given["scope"].as_str().unwrap().contains("Condition"), "she declined: {given}");
    let token = token_of(&given);
    assert_eq!(facility.found(&token, "Observation?patient=rosa").await, ["rosa-o1"], "functional status alone");
    assert_eq!(facility.status(&token, "Observation/rosa-lab").await, 404);
    assert_eq!(facility.status(&token, "Condition/rosa-c1").await, 403);
    for path in ["Patient/maud", "Observation/maud-o1"] {
        assert_eq!(facility.status(&token, path).await, 404, "{path}");
    }
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let bearer = format!("Bearer {token}");
    let looked = facility
        .http
        .send("POST", "/oauth/introspect", &[headers[0], ("authorization", &bearer)], format!("token={token}"))
        .await
        .json();
    assert_eq!((&looked["active"], &looked["patient"]), (&json!(true), &json!("rosa")), "{looked}");
    let refresh = given["refresh_token"].as_str().unwrap();
    let body = format!("grant_type=refresh_token&refresh_token={refresh}&client_id={app}");
    let again = facility.http.send("POST", "/oauth/token", &headers, body).await.json();
    let newer = token_of(&again);
    assert_eq!(facility.found(&newer, "Observation?patient=rosa").await, ["rosa-o1"]);
    let revoke = format!("token={}&client_id={app}", again["refresh_token"].as_str().unwrap());
    assert_eq!(facility.http.send("POST", "/oauth/revoke", &headers, revoke).await.status, 200);
    for ended in [&token, &newer] {
        assert_eq!(facility.status(ended, "Patient/rosa").await, 401);
    }
}

/// 6: a son sees how his mother does, and not what she keeps to herself; what she says, and who he is, counts with the next
/// request.
#[tokio::test]
async fn scenario_6_a_caregiver_within_a_consent() {
    let mut facility = Facility::open().await;
    let about = json!({ "reference": "Patient/rosa" });
    let related = |active: bool| json!({ "resourceType": "RelatedPerson", "id": "luis", "active": active, "patient": { "reference": "Patient/rosa" } });
    let condition = |id: &str, code: &str| {
        json!({ "resourceType": "Condition", "id": id, "subject": { "reference": "Patient/rosa" },
            "code": { "coding": [{ "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code }] },
            "clinicalStatus": { "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active" }] } })
    };
    let consent = |status: &str| {
        json!({ "resourceType": "Consent", "id": "rosa-says", "status": status,
            "scope": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy" }] },
            "category": [{ "coding": [{ "system": LOINC, "code": "59284-0" }] }],
            "patient": { "reference": "Patient/rosa" }, "dateTime": "2026-03-01T10:00:00Z",
            "policyRule": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN" }] },
            "provision": { "type": "permit", "provision": [{ "type": "deny",
                "actor": [{ "role": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP" }] },
                    "reference": { "reference": "RelatedPerson/luis" } }],
                "code": [{ "coding": [{ "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F32.9" }] }] }] } })
    };
    for resource in [
        related(true),
        condition("rosa-gait", "R26.9"),
        condition("rosa-mood", "F32.9"),
        json!({ "resourceType": "Goal", "id": "rosa-goal", "lifecycleStatus": "active", "subject": about,
            "description": { "text": "Walk to the garden" } }),
        json!({ "resourceType": "Provenance", "id": "rosa-made", "target": [{ "reference": "Observation/rosa-o1" }],
            "recorded": "2026-03-01T10:05:00Z", "agent": [{ "who": { "reference": "Practitioner/nora" } }] }),
        consent("active"),
    ] {
        facility.put(resource).await;
    }
    let scope = "openid fhirUser launch/patient patient/Patient.rs patient/Observation.rs patient/Goal.rs \
                 patient/Condition.rs patient/Provenance.rs";
    let app = facility.app("Family", scope);
    let mut pages = facility.server.http().await;
    let account = ["luis", "--name", "Luis Diaz", "--role", "caregiver", "--as", "RelatedPerson/luis"];
    let mut luis = enrol(&facility.server, &mut pages, &account).await;
    let given = let_in(&mut facility, &mut luis, &app, scope, &[]).await;
    assert_eq!(given["patient"], "rosa");
    let token = token_of(&given);
    assert_eq!(facility.found(&token, "Observation?patient=rosa").await, ["rosa-o1"]);
    assert_eq!(facility.found(&token, "Goal?patient=rosa").await, ["rosa-goal"]);
    assert_eq!(facility.found(&token, "Provenance?target=Observation/rosa-o1").await, ["rosa-made"]);
    assert_eq!(facility.found(&token, "Condition?patient=rosa").await, ["rosa-gait"]);
    let count = facility.get(&token, "Condition?patient=rosa&_summary=count").await.json();
    assert_eq!(count["total"], 1, "counts are of what is seen");
    let (hidden, absent) =
        (facility.get(&token, "Condition/rosa-mood").await, facility.get(&token, "Condition/nothing").await);
    assert_eq!((hidden.status.as_u16(), &hidden.body), (404, &absent.body));
    // She takes it back, and it is seen; then he is no caregiver any more.
    facility.put(consent("inactive")).await;
    assert_eq!(facility.found(&token, "Condition?patient=rosa").await, ["rosa-gait", "rosa-mood"]);
    facility.put(related(false)).await;
    for path in ["Patient/rosa", "Observation/rosa-o1"] {
        assert_eq!(facility.status(&token, path).await, 404, "{path}");
    }
}
