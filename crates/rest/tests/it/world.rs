//! Resources and servers that the tests share.

use serde_json::{Value, json};
use testkit::{Reply, Server};

pub(crate) const ALL: &str = "system/*.cruds";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// A server and a token for everything.
pub(crate) fn server() -> (Server, String) {
    let server = Server::new();
    let token = server.token_for(ALL);
    (server, token)
}

/// A facility whose clinicians see every patient.
pub(crate) fn everyone() -> policy::House {
    let mut house = policy::House::default();
    house.clinicians = policy::Clinicians::Everyone;
    house
}

pub(crate) fn patient(family: &str) -> Value {
    json!({
        "resourceType": "Patient",
        "identifier": [{"system": "urn:test:mrn", "value": family}],
        "name": [{"family": family}],
        "gender": "female"
    })
}

/// An observation of this category about `Patient/{patient}`.
pub(crate) fn observation(patient: &str, category: &str, value: &str) -> Value {
    let text = format!(
        r#"{{"resourceType":"Observation","status":"final",
            "category":[{{"coding":[{{"system":"{CATEGORY}","code":"{category}"}}]}}],
            "code":{{"coding":[{{"system":"http://loinc.org","code":"8867-4"}}],"text":"Heart rate"}},
            "subject":{{"reference":"Patient/{patient}"}},
            "effectiveDateTime":"2026-01-01T10:00:00Z",
            "valueQuantity":{{"value":{value},"system":"http://unitsofmeasure.org","code":"/min"}}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

/// The scope of this letter set for observations of one category.
pub(crate) fn category_scope(letters: &str, category: &str) -> String {
    format!("system/Observation.{letters}?category={CATEGORY}|{category}")
}

pub(crate) fn create(server: &Server, token: &str, resource: &Value) -> Reply {
    let kind = resource["resourceType"].as_str().unwrap();
    server.request("POST", kind).token(token).json(resource).send().expect(201)
}

pub(crate) fn get(server: &Server, token: &str, path: &str) -> Reply {
    server.request("GET", path).token(token).send()
}

/// A resource put under an id of the test's choice.
pub(crate) fn put(server: &Server, token: &str, id: &str, mut resource: Value) -> Reply {
    resource["id"] = json!(id);
    let path = format!("{}/{id}", resource["resourceType"].as_str().unwrap());
    server.request("PUT", &path).token(token).json(&resource).send()
}

/// Status, headers and body, without the request's own id and with `id` cut out of the body.
pub(crate) fn shape(reply: &Reply, id: &str) -> (u16, Vec<(String, String)>, String) {
    let headers = reply.headers.iter().filter(|(name, _)| name != "x-request-id").cloned().collect();
    (reply.status, headers, reply.text().replace(id, "ID"))
}
