//! Batches: each entry by itself.

use crate::world::{category_scope, create, get, observation, patient, server};
use serde_json::{Value, json};
use testkit::{Reply, Server};

pub(crate) fn entry(method: &str, url: &str, resource: Option<Value>) -> Value {
    let mut entry = json!({"request": {"method": method, "url": url}});
    if let Some(resource) = resource {
        entry["resource"] = resource;
    }
    entry
}

pub(crate) fn send(server: &Server, token: &str, kind: &str, entries: &[Value]) -> Reply {
    let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": entries});
    server.request("POST", "").token(token).json(&bundle).send()
}

pub(crate) fn statuses(reply: &Reply) -> Vec<String> {
    let json = reply.json();
    let entries = json["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["response"]["status"].as_str().unwrap_or("?").to_owned()).collect()
}

#[test]
fn each_entry_has_its_own_fate() {
    let (server, token) = server();
    let id = create(&server, &token, &patient("Alpha")).id();
    let reply = send(
        &server,
        &token,
        "batch",
        &[
            entry("GET", &format!("Patient/{id}"), None),
            entry("POST", "Patient", Some(patient("Beta"))),
            entry("GET", "Patient/none", None),
            entry("POST", "Observation", Some(json!({"resourceType": "Observation"}))),
            entry("GET", "Patient?family=beta", None),
            entry("DELETE", &format!("Patient/{id}"), None),
            entry("POST", "", None),
            entry("POST", &format!("Patient/{id}"), None),
            json!({}),
            entry("PUT", "Patient/x", None),
        ],
    )
    .expect(200);
    let statuses = statuses(&reply);
    let codes: Vec<&str> = statuses.iter().map(|status| &status[..3]).collect();
    assert_eq!(codes, ["200", "201", "404", "422", "200", "204", "400", "405", "400", "400"]);
    let json = reply.json();
    assert_eq!(json["type"], "batch-response");
    assert_eq!(json["entry"][0]["resource"]["id"], id);
    assert!(json["entry"][1]["response"]["location"].as_str().unwrap().ends_with("/_history/1"));
    assert_eq!(json["entry"][1]["response"]["etag"], "W/\"1\"");
    assert_eq!(json["entry"][2]["response"]["outcome"]["issue"][0]["code"], "not-found");
    assert_eq!(json["entry"][4]["resource"]["type"], "searchset");
}

/// B31: each entry is decided on its own.
#[test]
fn each_entry_is_decided() {
    let (server, all) = server();
    let hidden = create(&server, &all, &observation("p", "laboratory", "1")).id();
    let survey = server.token_for(&category_scope("crs", "survey"));
    let reply = send(
        &server,
        &survey,
        "batch",
        &[
            entry("GET", &format!("Observation/{hidden}"), None),
            entry("GET", "Patient", None),
            entry("POST", "Observation", Some(observation("p", "laboratory", "1"))),
            entry("POST", "Observation", Some(observation("p", "survey", "1"))),
            entry("DELETE", &format!("Observation/{hidden}"), None),
        ],
    )
    .expect(200);
    let statuses = statuses(&reply);
    let codes: Vec<&str> = statuses.iter().map(|status| &status[..3]).collect();
    assert_eq!(codes, ["404", "403", "403", "201", "403"]);
    let _ = get(&server, &all, &format!("Observation/{hidden}")).expect(200);
}

#[test]
fn what_is_no_bundle_of_interactions() {
    let (server, token) = server();
    let send = |body: Value| server.request("POST", "").token(&token).json(&body).send();
    let _ = send(patient("A")).expect(400);
    assert_eq!(send(json!({"resourceType": "Bundle", "type": "collection"})).expect(400).issue().2, "Bundle.type");
    let _ = send(json!({"resourceType": "Bundle", "type": "batch", "entry": {}})).expect(400);
    let empty = send(json!({"resourceType": "Bundle", "type": "batch"})).expect(200).json();
    assert_eq!(empty, json!({"resourceType": "Bundle", "type": "batch-response"}));
}
