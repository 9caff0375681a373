//! create, update, delete.

use crate::world::{create, get, observation, patient, put, server};
use serde_json::json;

#[test]
fn create_assigns_the_id() {
    let (server, token) = server();
    let mut body = patient("A");
    body["id"] = json!("mine");
    body["meta"] = json!({"versionId": "77", "lastUpdated": "2000-01-01T00:00:00Z", "tag": [{"code": "kept"}]});
    let made = create(&server, &token, &body);
    let json = made.json();
    assert_ne!(json["id"], "mine");
    assert_eq!(json["meta"]["versionId"], "1");
    assert_eq!(json["meta"]["tag"][0]["code"], "kept");
    assert_eq!(
        made.header("location").unwrap(),
        format!("https://handrail.test/fhir/Patient/{}/_history/1", made.id())
    );
    assert_eq!(made.header("etag"), Some("W/\"1\""));
}

#[test]
fn prefer_return() {
    let (server, token) = server();
    let send = |prefer: &str| {
        server.request("POST", "Patient").token(&token).header("prefer", prefer).json(&patient("A")).send().expect(201)
    };
    let minimal = send("return=minimal");
    assert!(minimal.body.is_empty() && minimal.header("content-type").is_none());
    assert!(minimal.header("location").is_some());
    assert_eq!(send("return=representation").json()["resourceType"], "Patient");
    let outcome = send("return=OperationOutcome").json();
    assert_eq!(
        (&outcome["resourceType"], &outcome["issue"][0]["severity"]),
        (&json!("OperationOutcome"), &json!("information"))
    );
}

#[test]
fn update_makes_versions_and_takes_client_ids() {
    let (server, token) = server();
    let first = put(&server, &token, "my-id.1", patient("A")).expect(201);
    assert_eq!(first.header("location"), Some("https://handrail.test/fhir/Patient/my-id.1/_history/1"));
    let second = put(&server, &token, "my-id.1", patient("B")).expect(200);
    assert_eq!(second.header("etag"), Some("W/\"2\""));
    assert_eq!(get(&server, &token, "Patient/my-id.1").expect(200).json()["name"][0]["family"], "B");
}

/// F59: the id of the body is that of the URL.
#[test]
fn ids_must_agree() {
    let (server, token) = server();
    let send = |path: &str, body: serde_json::Value| server.request("PUT", path).token(&token).json(&body).send();
    let mut body = patient("A");
    assert_eq!(send("Patient/a", body.clone()).expect(400).issue().2, "Patient.id");
    body["id"] = json!("b");
    assert_eq!(send("Patient/a", body.clone()).expect(400).issue().2, "Patient.id");
    let _ = send("Observation/b", body.clone()).expect(400);
    let _ = send("Patient/b_b", body.clone()).expect(400);
    let _ = server.request("POST", "Observation").token(&token).json(&body).send().expect(400);
    let _ = server.request("POST", "Patient").token(&token).json(&json!([1])).send().expect(400);
    let _ = server.request("POST", "Patient").token(&token).json(&json!({"active": true})).send().expect(400);
}

#[test]
fn if_match_guards_updates_and_deletes() {
    let (server, token) = server();
    let id = create(&server, &token, &patient("A")).id();
    let path = format!("Patient/{id}");
    let mut body = patient("B");
    body["id"] = json!(id);
    let update = |tag: &str| server.request("PUT", &path).token(&token).header("if-match", tag).json(&body).send();
    assert_eq!(update("W/\"2\"").expect(412).issue().0, "conflict");
    let _ = update("W/\"other\"").expect(412);
    let _ = update("W/\"1\"").expect(200);
    let _ = update("W/\"1\"").expect(412);
    let delete = |tag: &str| server.request("DELETE", &path).token(&token).header("if-match", tag).send();
    let _ = delete("W/\"1\"").expect(412);
    let _ = delete("W/\"2\"").expect(204);
}

#[test]
fn if_none_match_star_only_creates() {
    let (server, token) = server();
    let mut body = patient("A");
    body["id"] = json!("one");
    let send = || server.request("PUT", "Patient/one").token(&token).header("if-none-match", "*").json(&body).send();
    let _ = send().expect(201);
    let _ = send().expect(412);
}

/// F56: line and column of what is no JSON; nothing is stored.
#[test]
fn bad_json_says_where() {
    let (server, token) = server();
    let send = |body: &str| {
        server.request("POST", "Patient").token(&token).body("application/fhir+json", body.to_owned()).send()
    };
    let refused = send("{\n  \"resourceType\": \"Patient\",\n  \"active\": tru\n}").expect(400).json();
    assert_eq!(refused["issue"][0]["code"], "structure");
    let place = refused["issue"][0]["location"][0].as_str().unwrap();
    assert!(place.starts_with("line 3, column 1"), "{place}");
    for body in ["{\"resourceType\":\"Patient\",\"active\":true,\"active\":false}", "{} {}", "{", "[]x", "\u{feff}{}"] {
        let _ = send(body).expect(400);
    }
    assert_eq!(get(&server, &token, "Patient?_summary=count").json()["total"], 0);
}

#[test]
fn invalid_resources_are_refused_with_every_issue() {
    let (server, token) = server();
    let body = json!({"resourceType": "Observation", "status": "done", "code": {"text": "x"}, "colour": "red"});
    let refused = server.request("POST", "Observation").token(&token).json(&body).send().expect(422).json();
    let issues = refused["issue"].as_array().unwrap();
    let has = |part: &str| issues.iter().any(|issue| issue.to_string().contains(part));
    assert!(issues.len() >= 2 && has("status") && has("colour"), "{refused}");
}

/// F65, F57: decided by the head alone.
#[test]
fn bodies_of_other_types_are_refused_unread() {
    let (server, token) = server();
    let send = |media_type: &str| {
        server.request("POST", "Patient").token(&token).body(media_type, patient("A").to_string()).send()
    };
    for media_type in
        ["application/fhir+xml", "text/plain", "multipart/form-data; boundary=x", "application/octet-stream"]
    {
        let _ = send(media_type).expect(415);
    }
    let _ = send("application/json").expect(201);
    let untyped = server.request("POST", "Patient").token(&token).send();
    let _ = untyped.expect(415);
    let long = vec![b' '; rest::limits::RESOURCE_BYTES_MAX + 1];
    let _ = server.request("POST", "Patient").token(&token).body("application/json", long).send().expect(413);
}

/// F22: the trail is written by the server alone.
#[test]
fn audit_events_cannot_be_written() {
    let (server, token) = server();
    let body = json!({"resourceType": "AuditEvent", "id": "1"});
    let _ = server.request("POST", "AuditEvent").token(&token).json(&body).send().expect(403);
    let _ = server.request("PUT", "AuditEvent/1").token(&token).json(&body).send().expect(403);
    let _ = server.request("DELETE", "AuditEvent/1").token(&token).send().expect(403);
}

/// F7: no one writes what they would not be allowed to write as it comes to be.
#[test]
fn the_result_of_a_write_is_within_the_scopes() {
    let (server, token) = server();
    let survey = server.token_for(&crate::world::category_scope("cruds", "survey"));
    let send = |resource| server.request("POST", "Observation").token(&survey).json(&resource).send();
    let _ = send(observation("p", "laboratory", "1")).expect(403);
    let id = send(observation("p", "survey", "1")).expect(201).id();
    // Nor can it be moved out of them.
    let mut moved = observation("p", "laboratory", "1");
    moved["id"] = json!(id);
    let _ = server.request("PUT", &format!("Observation/{id}")).token(&survey).json(&moved).send().expect(403);
    assert_eq!(get(&server, &token, &format!("Observation/{id}")).json()["meta"]["versionId"], "1");
}

/// A hidden resource cannot be overwritten or deleted by an id that one happens to know.
#[test]
fn hidden_resources_cannot_be_changed() {
    let (server, token) = server();
    let id = create(&server, &token, &observation("p", "laboratory", "1")).id();
    let survey = server.token_for(&crate::world::category_scope("cruds", "survey"));
    let mut mine = observation("p", "survey", "2");
    mine["id"] = json!(id);
    let refused = server.request("PUT", &format!("Observation/{id}")).token(&survey).json(&mine).send();
    assert!(matches!(refused.status, 403 | 404), "{}", refused.status);
    let still = get(&server, &token, &format!("Observation/{id}")).expect(200).json();
    assert_eq!((&still["meta"]["versionId"], &still["valueQuantity"]["value"]), (&json!("1"), &json!(1)));
}

/// F8: whether an id is free, hidden, or was hidden and is deleted, a caller who may change part of
/// a type cannot find out by putting something there (docs/adr/0008).
#[test]
fn a_put_does_not_tell_which_ids_are_taken() {
    let (server, all) = server();
    let scope = format!("{} system/Patient.cruds", crate::world::category_scope("cruds", "survey"));
    let survey = server.token_for(&scope);
    for id in ["hidden", "ended"] {
        let _ = put(&server, &all, id, observation("p", "laboratory", "1")).expect(201);
    }
    let _ = server.request("DELETE", "Observation/ended").token(&all).send().expect(204);
    let of = |category: &str| {
        ["free", "hidden", "ended"].map(|id| {
            let reply = put(&server, &survey, id, observation("p", category, "2"));
            (reply.status, reply.body)
        })
    };
    for answers in [of("survey"), of("laboratory")] {
        assert_eq!(answers[0].0, 404);
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
    // What they made themselves they may bring back; and where all of a type is theirs, ids are too.
    let own = server.request("POST", "Observation").token(&survey).json(&observation("p", "survey", "1")).send().id();
    let _ = server.request("DELETE", &format!("Observation/{own}")).token(&survey).send().expect(204);
    let _ = put(&server, &survey, &own, observation("p", "survey", "2")).expect(201);
    let _ = put(&server, &survey, "mine", patient("A")).expect(201);
}
