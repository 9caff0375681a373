//! F68: a client that gets de-identified data alone: what it may do, what it sees, and that neither tells of whom it is.

use crate::world::{get, put, server};
use oauth::caller::Standing;
use serde_json::{Value, json};
use testkit::Server;

/// Fourteen people with an observation each; nothing that says who they are lacks the mark.
fn world() -> (Server, String, String) {
    let (server, all) = server();
    for number in 0..14 {
        let patient = format!("SECRET-p{number}");
        let gender = if number == 0 { "male" } else { "female" };
        let body = json!({
            "resourceType": "Patient", "gender": gender, "birthDate": "1950-03-04",
            "name": [{ "family": "SECRET" }], "identifier": [{ "system": "urn:SECRET", "value": "SECRET" }],
            "address": [{ "line": ["SECRET"], "city": "SECRET", "state": "MI", "postalCode": "48226" }],
        });
        let _ = put(&server, &all, &patient, body).expect(201);
        let body = json!({
            "resourceType": "Observation", "status": "final",
            "category": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey" }] }],
            "code": { "coding": [{ "system": "http://loinc.org", "code": "54522-8" }], "text": "SECRET" },
            "subject": { "reference": format!("Patient/{patient}"), "display": "SECRET" },
            "effectiveDateTime": "2026-02-03T10:00:00Z", "valueQuantity": { "value": number },
            "performer": [{ "display": "SECRET" }],
        });
        let _ = put(&server, &all, &format!("SECRET-o{number}"), body).expect(201);
    }
    let study = |client: &str| server.tokens().token_of_standing(client, "system/*.rs", Standing::Deidentified);
    let (one, other) = (study("one"), study("other"));
    (server, one, other)
}

fn resources(bundle: &Value) -> Vec<&Value> {
    bundle["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]).collect()
}

#[test]
fn what_is_found_says_nothing_of_anybody() {
    let (server, one, _) = world();
    for path in ["Patient?_total=accurate", "Observation?category=survey&date=2026&_count=3&_total=accurate"] {
        let found = get(&server, &one, path).expect(200);
        assert!(!found.text().contains("SECRET"), "{}", found.text());
        assert_eq!(found.json()["total"], 14);
    }
    let (observations, patients) = (get(&server, &one, "Observation").json(), get(&server, &one, "Patient").json());
    let ids: Vec<String> =
        resources(&patients).iter().map(|one| format!("Patient/{}", one["id"].as_str().unwrap())).collect();
    for observation in resources(&observations) {
        // Who is one and the same stays so.
        assert!(ids.iter().any(|id| *id == observation["subject"]["reference"]), "{observation}");
        assert_eq!(observation["effectiveDateTime"], "2026");
        assert_eq!(observation["meta"]["security"][0]["code"], "PSEUDED");
    }
    assert_eq!(resources(&patients)[0]["birthDate"], "1950");
    // The pages go on.
    let first = get(&server, &one, "Observation?_count=10").json();
    let next = first["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next").unwrap();
    let next = next["url"].as_str().unwrap().rsplit_once("/fhir/").unwrap().1.to_owned();
    assert_eq!(resources(&get(&server, &one, &next).expect(200).json()).len(), 4);
}

#[test]
fn two_recipients_cannot_join_what_they_have() {
    let (server, one, other) = world();
    let ids = |token: &str| -> Vec<String> {
        let found = get(&server, token, "Patient").json();
        resources(&found).iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&one), ids(&one));
    assert!(ids(&one).iter().all(|id| !ids(&other).contains(id)));
}

/// Re-identification is refused: by the id that was, by the one that is, by name, through others.
#[test]
fn nothing_else_is_allowed() {
    let (server, one, _) = world();
    let pseudonym = resources(&get(&server, &one, "Patient").json())[0]["id"].as_str().unwrap().to_owned();
    for path in [
        "Patient/SECRET-p1".to_owned(),
        "Patient/absent".into(),
        format!("Patient/{pseudonym}"),
        format!("Patient/{pseudonym}/_history"),
        format!("Patient/{pseudonym}/Observation"),
        "Patient/SECRET-p1/_history/1".into(),
        "Practitioner".into(),
        "AuditEvent".into(),
        "Provenance".into(),
    ] {
        assert!(get(&server, &one, &path).expect(403).text().contains("de-identified"), "{path}");
    }
    let writes = server.tokens().token_of_standing("one", "system/*.cruds", Standing::Deidentified);
    let refused = put(&server, &writes, "new", json!({ "resourceType": "Patient" }));
    let _ = refused.expect(403);
    let bundle = json!({ "resourceType": "Bundle", "type": "batch", "entry": [{ "request": { "method": "GET", "url": "Patient/SECRET-p1" } }] });
    let _ = server.request("POST", "").token(&one).json(&bundle).send().expect(403);
    for query in [
        "_id=SECRET-p1",
        "name=SECRET",
        "identifier=SECRET",
        "birthdate=1950",
        "_sort=birthdate",
        "_include=Patient:general-practitioner",
        "_revinclude=Observation:subject",
        "_has:Observation:subject:code=54522-8",
        "_lastUpdated=ge2020",
        "address=SECRET",
        "_security=x",
    ] {
        assert!(
            get(&server, &one, &format!("Patient?{query}")).expect(400).text().contains("codes and years"),
            "{query}"
        );
        let lenient =
            server.request("GET", &format!("Patient?{query}")).token(&one).header("prefer", "handling=lenient");
        let _ = lenient.send().expect(400);
    }
    let _ = get(&server, &one, "Observation?date=2026-02-03").expect(400);
    let _ = get(&server, &one, "Observation?subject:Patient.name=SECRET").expect(400);
}

#[test]
fn small_totals_are_not_told_and_how_alike_people_are_is() {
    let (server, one, _) = world();
    let few = get(&server, &one, "Patient?gender=male&_total=accurate").expect(200).json();
    assert_eq!(few["total"], Value::Null, "fewer than eleven");
    let counts = |query: &str| {
        let answer = get(&server, &one, &format!("Patient/$k-anonymity{query}")).expect(200).json();
        let number = |name: &str| {
            let all = answer["parameter"].as_array().unwrap().iter().find(|one| one["name"] == name);
            all.map(|one| one["valueUnsignedInt"].as_u64().unwrap())
        };
        ["k", "people", "groups", "smallest", "smallGroups", "peopleInSmallGroups", "withheld"].map(number)
    };
    assert_eq!(counts(""), [11, 14, 2, 1, 1, 1, 0].map(Some));
    assert_eq!(counts("?k=14"), [14, 14, 2, 1, 2, 14, 0].map(Some));
    assert_eq!(counts("?gender=female&k=13"), [13, 13, 1, 13, 0, 0, 0].map(Some));
    assert_eq!(counts("?gender=other")[..4], [Some(11), Some(0), Some(0), None]);
    for wrong in ["?k=1", "?k=x", "?name=SECRET", "?_count=1", "?k=2&k=1"] {
        let _ = get(&server, &one, &format!("Patient/$k-anonymity{wrong}")).expect(400);
    }
    // Counts are for whoever may search.
    let none = server.token_for("system/Observation.rs");
    let _ = get(&server, &none, "Patient/$k-anonymity").expect(403);
}
