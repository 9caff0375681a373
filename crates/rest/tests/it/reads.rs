//! read, vread, history, and what HTTP knows of them.

use crate::world::{create, get, observation, patient, put, server, shape};

#[test]
fn a_resource_is_read_back_as_it_was_sent() {
    let (server, token) = server();
    let body = r#"{ "resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "valueQuantity": {"value": 1.50, "unit": "kg"}, "note": [{"text": "é \"q\" \n"}] }"#;
    let made = server.request("POST", "Observation").token(&token).body("application/fhir+json", body).send();
    let made = made.expect(201);
    let read = get(&server, &token, &format!("Observation/{}", made.id())).expect(200);
    assert_eq!(read.body, made.body, "the stored bytes leave as they are");
    assert!(read.text().contains(r#""value":1.50,"#), "decimals keep their text: {}", read.text());
    let json = read.json();
    assert_eq!(json["meta"]["versionId"], "1");
    assert_eq!(json["meta"]["lastUpdated"], "2026-01-01T00:00:00.000Z");
    assert_eq!(json["note"][0]["text"], "é \"q\" \n");
    assert_eq!(read.header("etag"), Some("W/\"1\""));
    assert_eq!(read.header("last-modified"), Some("Thu, 01 Jan 2026 00:00:00 GMT"));
    assert_eq!(read.header("content-type"), Some("application/fhir+json; charset=utf-8"));
}

#[test]
fn head_is_get_without_body() {
    let (server, token) = server();
    let id = create(&server, &token, &patient("A")).id();
    let head = server.request("HEAD", &format!("Patient/{id}")).token(&token).send().expect(200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("etag"), Some("W/\"1\""));
    assert!(server.request("HEAD", "Patient/none").token(&token).send().expect(404).body.is_empty());
}

#[test]
fn conditional_reads_answer_304() {
    let (server, token) = server();
    let id = create(&server, &token, &patient("A")).id();
    let path = format!("Patient/{id}");
    let same = server.request("GET", &path).token(&token).header("if-none-match", "W/\"1\"").send().expect(304);
    assert!(same.body.is_empty());
    assert_eq!(same.header("etag"), Some("W/\"1\""));
    let _ = server.request("GET", &path).token(&token).header("if-none-match", "W/\"2\"").send().expect(200);
    let since = |date: &str| server.request("GET", &path).token(&token).header("if-modified-since", date).send();
    let _ = since("Thu, 01 Jan 2026 00:00:00 GMT").expect(304);
    let _ = since("Wed, 31 Dec 2025 23:59:59 GMT").expect(200);
    let _ = since("soon").expect(200);
    // F10: not before the permit.
    let other = server.token_for("system/Observation.rs");
    let _ = server.request("GET", &path).token(&other).header("if-none-match", "W/\"1\"").send().expect(403);
    let _ = server.request("GET", "Patient/none").token(&token).header("if-none-match", "*").send().expect(404);
}

#[test]
fn versions_and_history() {
    let (server, token) = server();
    let id = create(&server, &token, &patient("A")).id();
    server.clock().advance_s(60);
    let _ = put(&server, &token, &id, patient("B")).expect(200);
    let first = get(&server, &token, &format!("Patient/{id}/_history/1")).expect(200);
    assert_eq!(first.json()["name"][0]["family"], "A");
    let second = get(&server, &token, &format!("Patient/{id}/_history/2")).expect(200);
    assert_eq!(second.json()["meta"]["lastUpdated"], "2026-01-01T00:01:00.000Z");
    let _ = get(&server, &token, &format!("Patient/{id}/_history/3")).expect(404);

    let _ = server.request("DELETE", &format!("Patient/{id}")).token(&token).send().expect(204);
    let history = get(&server, &token, &format!("Patient/{id}/_history")).expect(200).json();
    assert_eq!((&history["type"], &history["total"]), (&"history".into(), &3.into()));
    let methods: Vec<_> =
        history["entry"].as_array().unwrap().iter().map(|entry| entry["request"]["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["DELETE", "PUT", "POST"]);
    assert!(history["entry"][0].get("resource").is_none());
    assert_eq!(history["entry"][1]["resource"]["name"][0]["family"], "B");
    assert_eq!(history["entry"][2]["response"]["status"], "201 Created");
}

#[test]
fn history_comes_in_pages() {
    let (server, token) = server();
    let id = create(&server, &token, &patient("V1")).id();
    for version in 2..=5 {
        let _ = put(&server, &token, &id, patient(&format!("V{version}"))).expect(200);
    }
    let mut families = Vec::new();
    let mut next = Some(format!("Patient/{id}/_history?_count=2"));
    while let Some(path) = next {
        let page = get(&server, &token, &path).expect(200);
        let json = page.json();
        assert_eq!(json["total"], 5);
        let entries = json["entry"].as_array().unwrap().clone();
        assert!(entries.len() <= 2);
        families.extend(entries.iter().map(|e| e["resource"]["name"][0]["family"].as_str().unwrap().to_owned()));
        next = page.link("next");
    }
    assert_eq!(families, ["V5", "V4", "V3", "V2", "V1"]);
    let (_, text, expression) = get(&server, &token, &format!("Patient/{id}/_history?_since=2026")).expect(400).issue();
    assert!(text.contains("_since") && expression == "_since");
}

#[test]
fn deleted_is_gone_and_its_history_stays() {
    let (server, token) = server();
    let id = create(&server, &token, &patient("A")).id();
    let path = format!("Patient/{id}");
    let _ = server.request("DELETE", &path).token(&token).send().expect(204);
    assert_eq!(get(&server, &token, &path).expect(410).issue().0, "deleted");
    let _ = get(&server, &token, &format!("{path}/_history/2")).expect(410);
    let _ = get(&server, &token, &format!("{path}/_history/1")).expect(200);
    // Deleting again, or what never was: nothing to do, and no difference to tell.
    let again = server.request("DELETE", &path).token(&token).send().expect(204);
    let never = server.request("DELETE", "Patient/never").token(&token).send().expect(204);
    assert_eq!(shape(&never, ""), shape(&server.request("DELETE", "Patient/x").token(&token).send(), ""));
    assert!(again.body.is_empty());
    // It can come back.
    let back = put(&server, &token, &id, patient("A")).expect(201);
    assert_eq!(back.json()["meta"]["versionId"], "3");
}

#[test]
fn what_is_not_there() {
    let (server, token) = server();
    assert_eq!(get(&server, &token, "Patient/none").expect(404).issue().0, "not-found");
    assert_eq!(get(&server, &token, "Patients/none").expect(404).issue().0, "not-supported");
    assert_eq!(get(&server, &token, "Patient/none/_history").expect(404).issue().0, "not-found");
    let refused = server.request("POST", "Patient/1").token(&token).send().expect(405);
    assert_eq!(refused.header("allow"), Some("GET, PUT, PATCH, DELETE"));
    let _ = server.request("PUT", "Patient").token(&token).send().expect(405);
    let _ = server.request("GET", "").token(&token).send().expect(405);
}

/// H41, and what we do not write.
#[test]
fn forms_of_the_answer() {
    let (server, token) = server();
    let id = create(&server, &token, &patient("A")).id();
    let path = format!("Patient/{id}");
    let accept = |accept: &str, path: &str| server.request("GET", path).token(&token).header("accept", accept).send();
    let _ = accept("application/fhir+xml", &path).expect(406);
    let _ = accept("application/fhir+xml", &format!("{path}?_format=json")).expect(200);
    let _ = accept("application/json", &format!("{path}?_format=xml")).expect(406);
    let _ = accept("text/html,*/*;q=0.1", &format!("{path}?_pretty=true")).expect(200);
    assert!(get(&server, &token, &format!("{path}?_elements=name")).expect(400).issue().1.contains("_elements"));
}

#[test]
fn request_ids_are_echoed_or_made() {
    let (server, token) = server();
    let sent = server.request("GET", "Patient/1").token(&token).header("x-request-id", "abc-1").send();
    assert_eq!(sent.header("x-request-id"), Some("abc-1"));
    let bad = server.request("GET", "Patient/1").token(&token).header("x-request-id", "a b").send();
    let made = bad.header("x-request-id").unwrap().to_owned();
    let other = server.request("GET", "Patient/1").token(&token).send();
    assert!(made != "a b" && other.header("x-request-id") != Some(&made));
}

/// Invariant 5, F14: the same bytes for what is hidden and what is not there.
#[test]
fn hidden_is_absent() {
    let (server, token) = server();
    let hidden = create(&server, &token, &observation("p", "laboratory", "1")).id();
    let survey = server.token_for(&crate::world::category_scope("cruds", "survey"));
    let both = |method: &str, suffix: &str| {
        let at = |id: &str| server.request(method, &format!("Observation/{id}{suffix}")).token(&survey).send();
        (shape(&at(&hidden), &hidden), shape(&at("not-there"), "not-there"))
    };
    for (method, suffix) in [
        ("GET", ""),
        ("HEAD", ""),
        ("GET", "/_history/1"),
        ("GET", "/_history/9"),
        ("GET", "/_history"),
        ("DELETE", ""),
    ] {
        let (of_hidden, of_absent) = both(method, suffix);
        assert_eq!(of_hidden, of_absent, "{method} {suffix}");
    }
    // The attempt to delete it changed nothing.
    let _ = get(&server, &token, &format!("Observation/{hidden}")).expect(200);
}
