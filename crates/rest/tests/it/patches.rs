//! `PATCH`: JSON Patch and FHIRPath Patch, alone and in Bundles.

use crate::world::{category_scope, get, observation, patient, server};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use testkit::{Reply, Server};

const JSON_PATCH: &str = "application/json-patch+json";

fn json_patch(server: &Server, token: &str, place: &str, operations: &Value) -> Reply {
    server.request("PATCH", place).token(token).body(JSON_PATCH, operations.to_string()).send()
}

fn amended() -> Value {
    json!([{"op": "test", "path": "/status", "value": "final"}, {"op": "replace", "path": "/status", "value": "amended"}])
}

/// FHIRPath Patch: replace `path` by a code.
fn replace(path: &str, code: &str) -> Value {
    let part = |name: &str, member: &str, value: &str| {
        let mut part = json!({"name": name});
        part[member] = value.into();
        part
    };
    let parts =
        [part("type", "valueCode", "replace"), part("path", "valueString", path), part("value", "valueCode", code)];
    json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]})
}

fn stored(server: &Server, token: &str) -> String {
    let reply = server.request("POST", "Observation").token(token).json(&observation("p", "survey", "1")).send();
    format!("Observation/{}", reply.expect(201).id())
}

#[test]
fn both_forms_make_the_next_version() {
    let (server, token) = server();
    let place = stored(&server, &token);
    let reply = json_patch(&server, &token, &place, &amended()).expect(200);
    assert_eq!(reply.header("etag"), Some("W/\"2\""));
    assert_eq!(
        (reply.json()["status"].clone(), reply.json()["meta"]["versionId"].clone()),
        (json!("amended"), json!("2"))
    );
    let patch = replace("Observation.status", "corrected");
    let reply = server.request("PATCH", &place).token(&token).json(&patch).send().expect(200);
    assert_eq!(reply.json()["status"], "corrected");
    assert_eq!(get(&server, &token, &place).json()["meta"]["versionId"], "3");
    assert_eq!(get(&server, &token, &format!("{place}/_history/1")).json()["status"], "final");
    // The index follows.
    assert_eq!(get(&server, &token, "Observation?status=corrected&_summary=count").json()["total"], 1);
    assert_eq!(get(&server, &token, "Observation?status=final&_summary=count").json()["total"], 0);
}

#[test]
fn what_is_wrong_is_named() {
    let (server, token) = server();
    let place = stored(&server, &token);
    let of_json = |operations: Value, status: u16| {
        let (code, text, _) = json_patch(&server, &token, &place, &operations).expect(status).issue();
        format!("{code}: {text}")
    };
    let malformed = of_json(json!([{"op": "put", "path": "/status"}]), 400);
    assert!(malformed.starts_with("structure: operation 1, 'op'"), "{malformed}");
    let failed = of_json(json!([{"op": "test", "path": "/status", "value": "x"}]), 422);
    assert!(failed.starts_with("processing: operation 1, 'path'"), "{failed}");
    let invalid = of_json(json!([{"op": "replace", "path": "/status", "value": "x"}]), 422);
    assert!(invalid.contains("status"), "{invalid}");
    let _ = of_json(json!([{"op": "replace", "path": "/id", "value": "x"}]), 400);
    let _ = of_json(json!([{"op": "replace", "path": "/resourceType", "value": "Patient"}]), 400);
    let body = replace("Observation.method", "x");
    let refused = server.request("PATCH", &place).token(&token).json(&body).send().expect(422).json();
    assert_eq!(refused["issue"][0]["expression"][0], "Parameters.parameter[0].part.where(name = 'path')");
    let _ = server.request("PATCH", &place).token(&token).body("application/merge-patch+json", "{}").send().expect(415);
    // Nothing of all that was stored.
    assert_eq!(get(&server, &token, &place).json()["meta"]["versionId"], "1");
}

#[test]
fn if_match_holds_the_version() {
    let (server, token) = server();
    let place = stored(&server, &token);
    let send = |tag: &str| {
        let request = server.request("PATCH", &place).token(&token).header("if-match", tag);
        request.body(JSON_PATCH, amended().to_string()).send()
    };
    let _ = send("W/\"2\"").expect(412);
    let _ = send("W/\"1\"").expect(200);
    let _ = send("W/\"1\"").expect(412);
}

/// B31: what fails tells of the content, so a patch needs reading too. F4: hidden is absent.
#[test]
fn a_patch_needs_reading_and_sees_no_more() {
    let (server, token) = server();
    let place = stored(&server, &token);
    for scope in ["system/Observation.r", "system/Observation.u", "system/Observation.cds"] {
        let _ = json_patch(&server, &server.token_for(scope), &place, &amended()).expect(403);
    }
    let other = server.token_for(&category_scope("cruds", "laboratory"));
    let hidden = json_patch(&server, &other, &place, &amended()).expect(404);
    let absent = json_patch(&server, &other, "Observation/none", &amended()).expect(404);
    assert_eq!(hidden.json()["issue"], absent.json()["issue"]);
    // A patch may not move a resource to where the caller could not have put it.
    let survey = server.token_for(&category_scope("cruds", "survey"));
    let away = json!([{"op": "replace", "path": "/category/0/coding/0/code", "value": "laboratory"}]);
    let _ = json_patch(&server, &survey, &place, &away).expect(403);
    let _ = json_patch(&server, &survey, &place, &amended()).expect(200);
    let _ = server.request("DELETE", &place).token(&token).send().expect(204);
    let _ = json_patch(&server, &token, &place, &amended()).expect(410);
}

#[test]
fn bundles_hold_patches() {
    let (server, token) = server();
    let place = stored(&server, &token);
    let binary = |operations: &Value| {
        let data = BASE64_STANDARD.encode(operations.to_string());
        json!({"resourceType": "Binary", "contentType": JSON_PATCH, "data": data})
    };
    let bundle = |kind: &str, entries: &[(&str, Value)]| {
        let entries: Vec<Value> = entries
            .iter()
            .map(|(url, resource)| json!({"resource": resource, "request": {"method": "PATCH", "url": url}}))
            .collect();
        server
            .request("POST", "")
            .token(&token)
            .json(&json!({"resourceType": "Bundle", "type": kind, "entry": entries}))
            .send()
    };
    let batch = [
        (place.as_str(), binary(&amended())),
        (place.as_str(), binary(&amended())),
        (place.as_str(), replace("Observation.status", "final")),
    ];
    let reply = bundle("batch", &batch).expect(200).json();
    let statuses: Vec<&str> =
        (0..3).map(|at| &reply["entry"][at]["response"]["status"]).filter_map(Value::as_str).collect();
    assert!(
        statuses[0].starts_with("200") && statuses[1].starts_with("422") && statuses[2].starts_with("200"),
        "{reply}"
    );

    // A transaction: the new patient's link is replaced in what the patch puts there.
    let link = json!([{"op": "add", "path": "/performer", "value": [{"reference": "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8"}]}]);
    let transaction = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": binary(&link), "request": {"method": "PATCH", "url": place}},
        {"fullUrl": "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8", "resource": patient("A"), "request": {"method": "POST", "url": "Patient"}},
    ]});
    let reply = server.request("POST", "").token(&token).json(&transaction).send().expect(200).json();
    let made = reply["entry"][1]["response"]["location"].as_str().unwrap_or_default().to_owned();
    let linked =
        get(&server, &token, &place).json()["performer"][0]["reference"].as_str().unwrap_or_default().to_owned();
    assert!(linked.starts_with("Patient/") && made.contains(&linked), "{made} {linked}");

    // One that fails: none happens.
    let both = [(place.as_str(), replace("Observation.status", "amended")), ("Observation/none", binary(&amended()))];
    let _ = bundle("transaction", &both).expect(404);
    let _ = bundle("transaction", &[(place.as_str(), binary(&json!({"op": "x"})))]).expect(400);
    assert_eq!(get(&server, &token, &place).json()["status"], "final");
}
