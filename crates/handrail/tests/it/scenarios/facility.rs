//! What the facility itself does: admission, an interim assessment, a correction, bad input, and what the server says of
//! itself. Scenarios 1, 2, 8, 9, 10.

use super::{Facility, LOINC, encounter, ids, item};
use crate::support::{handshake, tls};
use serde_json::{Value, json};

/// An entry that puts a resource.
fn put(resource: Value) -> Value {
    let url = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    json!({ "resource": resource, "request": { "method": "PUT", "url": url } })
}

/// 1: a backend service posts an admission as one transaction: who, where, the stay, the episode, the answers of the first
/// assessment and what was drawn out of them; searches find it.
#[tokio::test]
async fn scenario_1_admission_by_a_backend_service() {
    let mut facility = Facility::open().await;
    let token = facility.system(
        "intake",
        "system/Patient.cruds system/Location.cruds system/Encounter.cruds system/EpisodeOfCare.cruds \
         system/QuestionnaireResponse.cruds system/Observation.cruds",
    );
    let derived = json!([{ "reference": "QuestionnaireResponse/ines-mds" }]);
    let mut bims = item("ines-bims", "ines", "ines-stay", "54522-8", "2026-03-02T09:00:00Z", 13);
    bims["derivedFrom"] = derived.clone();
    let mut walking = item("ines-walk", "ines", "ines-stay", "83254-3", "2026-03-02T09:10:00Z", 4);
    walking["derivedFrom"] = derived;
    let mut panel = item("ines-panel", "ines", "ines-stay", "88331-4", "2026-03-02T09:10:00Z", 0);
    panel.as_object_mut().unwrap().remove("valueInteger");
    panel["hasMember"] = json!([{ "reference": "Observation/ines-walk" }]);
    let bundle = json!({
        "resourceType": "Bundle", "type": "transaction",
        "entry": [
            put(json!({ "resourceType": "Patient", "id": "ines", "name": [{ "family": "Moreau" }], "gender": "female" })),
            put(json!({ "resourceType": "Location", "id": "room-4", "name": "Room 4" })),
            put(json!({ "resourceType": "EpisodeOfCare", "id": "ines-episode", "status": "active", "patient": { "reference": "Patient/ines" } })),
            put({
                let mut stay = encounter("ines-stay", "ines", "in-progress", json!({ "start": "2026-03-01" }), None);
                stay["episodeOfCare"] = json!([{ "reference": "EpisodeOfCare/ines-episode" }]);
                stay["location"] = json!([{ "location": { "reference": "Location/room-4" } }]);
                stay
            }),
            put(json!({ "resourceType": "QuestionnaireResponse", "id": "ines-mds", "status": "completed",
                "subject": { "reference": "Patient/ines" }, "encounter": { "reference": "Encounter/ines-stay" },
                "authored": "2026-03-02T09:00:00Z", "item": [{ "linkId": "C0500", "answer": [{ "valueInteger": 13 }] }] })),
            put(bims),
            put(walking),
            put(panel),
        ],
    });
    let answer = facility.http.put_as(&token, "POST", "/fhir", &bundle.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.json()["entry"].as_array().unwrap().iter().all(|one| one["response"]["status"] == "201 Created"));
    let survey = "Observation?patient=ines&category=survey";
    assert_eq!(facility.found(&token, survey).await, ["ines-bims", "ines-panel", "ines-walk"]);
    assert_eq!(facility.found(&token, &format!("Observation?patient=ines&code={LOINC}|54522-8")).await, ["ines-bims"]);
    assert_eq!(facility.found(&token, "Observation?derived-from=QuestionnaireResponse/ines-mds").await.len(), 2);
    let with = facility.get(&token, "Observation?_id=ines-panel&_include=Observation:has-member").await.json();
    assert_eq!(ids(&with), ["ines-panel", "ines-walk"]);
    // What it has no scope for is not its business.
    assert_eq!(facility.status(&token, "Practitioner/nora").await, 403);
    assert_eq!(facility.status(&token, "Condition?patient=rosa").await, 403);
}

/// 2: an interim assessment closes one timepoint and opens the next, each by the version that was seen; both versions stay.
#[tokio::test]
async fn scenario_2_an_interim_assessment_between_timepoints() {
    let mut facility = Facility::open().await;
    let own = facility.own.clone();
    let impression = json!({
        "resourceType": "ClinicalImpression", "id": "rosa-c2", "status": "completed",
        "subject": { "reference": "Patient/rosa" }, "encounter": { "reference": "Encounter/rosa-t1" },
        "date": "2026-03-11", "finding": [{ "itemReference": { "reference": "Observation/rosa-o1" } }],
    });
    facility.put(impression).await;
    let seen = facility.get(&own, "Encounter/rosa-t1").await;
    let tag = seen.header("etag").to_owned();
    let bearer = format!("Bearer {own}");
    let closed = |start: &str| {
        encounter("rosa-t1", "rosa", "finished", json!({ "start": start, "end": "2026-03-11" }), Some("rosa-stay"))
    };
    let close = closed("2026-02-26").to_string();
    let with = |tag: &'static str| [("content-type", "application/fhir+json"), ("if-match", tag)];
    for (if_match, status) in [("W/\"9\"", 412), ("W/\"1\"", 200), ("W/\"1\"", 412)] {
        let headers = [&[("authorization", bearer.as_str())], with(if_match).as_slice()].concat();
        let answer = facility.http.send("PUT", "/fhir/Encounter/rosa-t1", &headers, close.clone()).await;
        assert_eq!(answer.status, status, "{if_match} of {tag}: {answer:?}");
    }
    facility
        .put(encounter("rosa-t2", "rosa", "in-progress", json!({ "start": "2026-03-12" }), Some("rosa-stay")))
        .await;
    let history = facility.get(&own, "Encounter/rosa-t1/_history").await.json();
    let states: Vec<&Value> =
        history["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]["status"]).collect();
    assert_eq!(states, ["finished", "in-progress"]);
    assert_eq!(facility.get(&own, "Encounter/rosa-t1/_history/1").await.json()["status"], "in-progress");
    assert_eq!(
        facility.found(&own, "Encounter?part-of=Encounter/rosa-stay&date=ge2026-03-01").await,
        ["rosa-t1", "rosa-t2"]
    );
    assert_eq!(facility.found(&own, "Encounter?part-of=Encounter/rosa-stay&date=ge2026-03-12").await, ["rosa-t2"]);
    assert_eq!(facility.found(&own, "ClinicalImpression?encounter=Encounter/rosa-t1").await, ["rosa-c2"]);
}

/// 8: a nurse amends an observation and deletes one that was a mistake.
#[tokio::test]
async fn scenario_8_a_correction() {
    let mut facility = Facility::open().await;
    let own = facility.own.clone();
    facility.put(item("rosa-o2", "rosa", "rosa-t1", "83254-3", "2026-03-01T11:00:00Z", 1)).await;
    let mut panel = item("rosa-panel", "rosa", "rosa-t1", "88331-4", "2026-03-01T11:00:00Z", 0);
    panel.as_object_mut().unwrap().remove("valueInteger");
    panel["hasMember"] = json!([{ "reference": "Observation/rosa-o1" }, { "reference": "Observation/rosa-o2" }]);
    facility.put(panel.clone()).await;
    let mut amended = item("rosa-o1", "rosa", "rosa-t1", "54522-8", "2026-03-01T10:00:00Z", 3);
    amended["status"] = json!("amended");
    assert_eq!(facility.put(amended).await.json()["meta"]["versionId"], "2");
    let gone = facility.http.put_as(&own, "DELETE", "/fhir/Observation/rosa-o2", "").await;
    assert!(matches!(gone.status.as_u16(), 200 | 204), "{gone:?}");
    assert_eq!(facility.status(&own, "Observation/rosa-o2").await, 410);
    assert_eq!(facility.status(&own, "Observation/rosa-o2/_history/1").await, 200);
    let history = facility.get(&own, "Observation/rosa-o2/_history").await.json();
    assert_eq!(history["entry"][0]["request"]["method"], "DELETE");
    assert_eq!(history["entry"].as_array().unwrap().len(), 2);
    assert_eq!(facility.found(&own, "Observation?patient=rosa").await, ["rosa-o1", "rosa-panel"]);
    // The collection still names what is gone; what it leads to shows that.
    let members = facility.get(&own, "Observation?_id=rosa-panel&_include=Observation:has-member").await.json();
    assert_eq!(ids(&members), ["rosa-panel", "rosa-o1"]);
}

/// 9: what is wrong is refused, with what is wrong, and nothing older than TLS 1.2 is spoken.
#[tokio::test]
async fn scenario_9_bad_input() {
    let mut facility = Facility::open().await;
    let own = facility.own.clone();
    let unknown = facility.get(&own, "Observation?walks=far").await;
    assert_eq!(unknown.status, 400);
    assert_eq!(unknown.json()["issue"][0]["expression"][0], "walks");
    assert_eq!(facility.status(&own, "Observation/nobody").await, 404);
    let mut wrong = item("rosa-o9", "rosa", "rosa-t1", "54522-8", "2026-03-01T10:00:00Z", 2);
    wrong["category"] = json!("survey");
    let refused = facility.http.put_as(&own, "PUT", "/fhir/Observation/rosa-o9", &wrong.to_string()).await;
    assert!(matches!(refused.status.as_u16(), 400 | 422), "{refused:?}");
    assert!(refused.json()["issue"].to_string().contains("Observation.category"), "{refused:?}");
    assert_eq!(facility.http.get("/fhir/Observation/rosa-o1", &[]).await.status, 401);
    let little = facility.system("little", "system/Patient.r");
    assert_eq!(facility.status(&little, "Observation/rosa-o1").await, 403);
    assert_eq!(facility.status(&little, "Patient?name=Diaz").await, 403, "read is not search");
    crate::tls::old_versions_are_refused(facility.server.port).await;
    let spoken = handshake(facility.server.port, tls(&facility.server.ca(), &[&rustls::version::TLS12], &[])).await;
    assert!(spoken.is_ok());
}

/// 10: the server says which guides it serves, and what it holds is valid by them. Foreign kits of the guides and real
/// clients are steps of `.ci/run`.
#[tokio::test]
async fn scenario_10_what_the_server_says_of_itself_holds() {
    let mut facility = Facility::open().await;
    let own = facility.own.clone();
    let statement = facility.http.get("/fhir/metadata", &[]).await.json();
    let guides = statement["instantiates"].to_string();
    for guide in ["us/pacio-pfe", "us/pacio-rt", "us/core"] {
        assert!(guides.contains(guide), "{guide}: {guides}");
    }
    let types = statement["rest"][0]["resource"].as_array().unwrap();
    let of = |name: &str| types.iter().find(|one| one["type"] == name).unwrap();
    for (name, parameters) in [
        ("Observation", ["patient", "category", "code", "date"].as_slice()),
        ("Encounter", &["part-of", "date", "patient"]),
        ("Goal", &["patient", "addresses"]),
        ("ServiceRequest", &["patient", "reason-reference"]),
    ] {
        let known = of(name)["searchParam"].to_string();
        for parameter in parameters {
            assert!(known.contains(&format!("\"{parameter}\"")), "{name}: {parameter}");
        }
        for interaction in ["read", "vread", "history-instance", "search-type", "create", "update", "delete"] {
            assert!(of(name)["interaction"].to_string().contains(&format!("\"{interaction}\"")), "{name}");
        }
    }
    for path in ["Observation/rosa-o1", "Encounter/rosa-t1", "Patient/rosa", "Practitioner/nora"] {
        let outcome = facility.get(&own, &format!("{path}/$validate")).await;
        assert_eq!(outcome.status, 200, "{outcome:?}");
        let issues = outcome.json()["issue"].to_string();
        assert!(!issues.contains("\"error\"") && !issues.contains("\"fatal\""), "{path}: {issues}");
    }
}
