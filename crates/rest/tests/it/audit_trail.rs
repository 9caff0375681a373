//! Each request has its record. Rows F16 to F19, F22.

use crate::{
    batches::entry,
    world::{create, get, observation, patient, put, server},
};
use serde_json::Value;
use testkit::Server;

/// The events of this request id, as an auditor reads them.
fn events(server: &Server, request_id: &str) -> Vec<Value> {
    let auditor = server.tokens().token_of("auditor", "system/AuditEvent.rs");
    let all = get(server, &auditor, "AuditEvent?_count=200").expect(200).json();
    let entries = all["entry"].as_array().cloned().unwrap_or_default();
    let of_request = entries.into_iter().map(|entry| entry["resource"].clone());
    of_request.filter(|event| event.to_string().contains(&format!("\"{request_id}\""))).collect()
}

fn subtype(event: &Value) -> &str {
    event["subtype"][0]["code"].as_str().unwrap_or("?")
}

#[test]
fn reads_searches_and_refusals() {
    let (server, token) = server();
    let _ = put(&server, &token, "p1", patient("A")).expect(201);
    let send = |id: &str, path: &str, token: Option<&str>| {
        let request = server.request("GET", path).header("x-request-id", id);
        match token {
            Some(token) => request.token(token).send(),
            None => request.send(),
        }
    };
    let _ = send("r-read", "Patient/p1", Some(&token)).expect(200);
    let _ = send("r-search", "Patient?family=A", Some(&token)).expect(200);
    let _ = send("r-absent", "Patient/none", Some(&token)).expect(404);
    let _ = send("r-anonymous", "Patient/p1", None).expect(401);
    let _ = send("r-denied", "Patient/p1", Some(&server.token_for("system/Observation.rs"))).expect(403);
    let _ = send("r-bad", "Patient?colour=red", Some(&token)).expect(400);
    for (id, code, outcome, part) in [
        ("r-read", "read", "0", "Patient/p1/_history/1"),
        ("r-search", "search-type", "0", "Patient/p1"),
        ("r-absent", "read", "4", "Patient/none"),
        ("r-anonymous", "read", "4", "r-anonymous"),
        ("r-denied", "read", "4", "Patient/p1"),
        ("r-bad", "search-type", "4", "r-bad"),
    ] {
        let events = events(&server, id);
        assert_eq!(events.len(), 1, "{id}: {events:?}");
        let event = &events[0];
        assert_eq!((subtype(event), event["outcome"].as_str().unwrap()), (code, outcome), "{id}");
        assert!(event.to_string().contains(part), "{id}: {event}");
        assert_eq!(event.to_string().contains("test-client"), id != "r-anonymous", "{id}");
    }
}

#[test]
fn writes_and_bundles() {
    let (server, token) = server();
    let made = server.request("POST", "Patient").token(&token).header("x-request-id", "w-1").json(&patient("A")).send();
    let id = made.expect(201).id();
    let events_of = events(&server, "w-1");
    assert_eq!(events_of.len(), 1);
    assert!(events_of[0].to_string().contains(&format!("Patient/{id}/_history/1")), "{}", events_of[0]);

    let bundle = serde_json::json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        entry("POST", "Observation", Some(observation(&id, "survey", "1"))),
        entry("POST", "Observation", Some(observation(&id, "survey", "2"))),
        entry("GET", &format!("Patient/{id}"), None),
    ]});
    let _ = server.request("POST", "").token(&token).header("x-request-id", "w-2").json(&bundle).send().expect(200);
    let mut codes: Vec<String> = events(&server, "w-2").iter().map(|event| subtype(event).to_owned()).collect();
    codes.sort();
    assert_eq!(codes, ["create", "create", "read", "transaction"]);

    // One that fails leaves one record, of the failure.
    let bad = [entry("POST", "Patient", Some(patient("B"))), entry("POST", "Foo", None)];
    let bad = serde_json::json!({"resourceType": "Bundle", "type": "transaction", "entry": bad});
    let _ = server.request("POST", "").token(&token).header("x-request-id", "w-bad").json(&bad).send().expect(404);
    let failed = events(&server, "w-bad");
    assert_eq!(failed.len(), 1);
    assert_eq!((subtype(&failed[0]), &failed[0]["outcome"]), ("transaction", &"4".into()));
    let batch = serde_json::json!({"resourceType": "Bundle", "type": "batch", "entry": [
        entry("GET", "Patient/none", None), entry("POST", "Patient", Some(patient("C")))]});
    let _ = server.request("POST", "").token(&token).header("x-request-id", "w-3").json(&batch).send().expect(200);
    let mut codes: Vec<(String, String)> = events(&server, "w-3")
        .iter()
        .map(|event| (subtype(event).to_owned(), event["outcome"].as_str().unwrap().to_owned()))
        .collect();
    codes.sort();
    let expected = [("batch", "0"), ("create", "0"), ("read", "4")];
    assert_eq!(codes, expected.map(|(code, outcome)| (code.to_owned(), outcome.to_owned())));
}

/// F22: those with scope read the trail, and their reading is in it.
#[test]
fn the_trail_is_read_and_that_is_recorded() {
    let (server, token) = server();
    let _ = create(&server, &token, &patient("A"));
    let auditor = server.tokens().token_of("auditor", "system/AuditEvent.rs");
    let found = get(&server, &auditor, "AuditEvent").expect(200);
    let first = found.entries("match")[0].clone();
    let event = get(&server, &auditor, &first).expect(200).json();
    assert_eq!(event["resourceType"], "AuditEvent");
    let plain = server.token_for("system/Patient.rs");
    let _ = get(&server, &plain, "AuditEvent").expect(403);
    let later = get(&server, &auditor, "AuditEvent").expect(200);
    assert!(later.entries("match").len() >= found.entries("match").len() + 2);
}

/// Tokens whose table fails.
struct Panicking;

impl oauth::bearer::LiveTokens for Panicking {
    fn grant(&self, _: &str) -> Option<std::sync::Arc<oauth::caller::Grant>> {
        panic!("a fault of the program, /secret/path")
    }
}

/// H42: a panic is that request's failure: answered without its text, recorded, and the next one works.
#[test]
fn a_panic_is_answered_and_recorded() {
    use http_body_util::{BodyExt, Empty};
    let (server, _) = server();
    let clock = server.clock().clone();
    let service = rest::Service::new(rest::Parts {
        store: std::sync::Arc::clone(server.store()),
        schema: fhir::schema::r4(),
        checks: rest::Checks::default(),
        tokens: std::sync::Arc::new(Panicking),
        base_url: Server::BASE_URL.to_owned(),
        oauth_url: String::new(),
        clock: std::sync::Arc::new(move || clock.now()),
        new_id: std::sync::Arc::new(|| fhir::LogicalId::parse("x").unwrap()),
        rest_until: std::sync::Arc::new(|_| Box::pin(std::future::ready(()))),
        lend: std::sync::Arc::new(|work| work()),
        software: "0",
    });
    for _ in 0..2 {
        let request = http::Request::get("/fhir/Patient/1").header("authorization", "Bearer a");
        let request = request.header("x-request-id", "r-panic").body(Empty::<bytes::Bytes>::new()).unwrap();
        let peer = rest::wire::Accepted::new(std::net::Ipv4Addr::LOCALHOST.into());
        let (head, body) = server.block_on(service.answer(peer, request)).into_inner().into_parts();
        let body = server.block_on(body.collect()).unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert_eq!(head.status.as_u16(), 500);
        assert!(text.contains("\"exception\"") && !text.contains("secret"), "{text}");
    }
    let events = events(&server, "r-panic");
    assert_eq!(events.iter().map(|event| event["outcome"].as_str().unwrap()).collect::<Vec<_>>(), ["8", "8"]);
}

/// F16, F23: after a random workload over every kind of request, each answer has its entries, each entry its request, and
/// whoever's data left stands in the entry.
/// With kills: `cargo xtask kill`, which holds the log of a killed server against all that was answered.
#[test]
fn f16_every_answer_has_its_entry_and_every_entry_its_request() {
    use std::collections::{BTreeMap, BTreeSet};
    let (server, token) = server();
    let mut seed = 20_261_123_u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    // Request id, with the patients of whom something left.
    let mut asked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for number in 0..240 {
        let id = format!("w-{number}");
        let (patient_id, observation_id) = (format!("p{}", next(4)), format!("o{}", next(8)));
        let request = |method: &str, path: &str| server.request(method, path).token(&token).header("x-request-id", &id);
        let reply = match next(9) {
            0 => {
                let mut body = patient("Random");
                body["id"] = patient_id.clone().into();
                request("PUT", &format!("Patient/{patient_id}")).json(&body).send()
            }
            1 => {
                let mut body = observation(&patient_id, "survey", "1");
                body["id"] = observation_id.clone().into();
                request("PUT", &format!("Observation/{observation_id}")).json(&body).send()
            }
            2 => request("GET", &format!("Patient/{patient_id}")).send(),
            3 => request("GET", &format!("Observation/{observation_id}")).send(),
            4 => request("GET", &format!("Observation?patient={patient_id}")).send(),
            5 => request("GET", "Observation?_include=Observation:subject").send(),
            6 => request("GET", &format!("Observation/{observation_id}/_history")).send(),
            7 => request("DELETE", &format!("Observation/{observation_id}")).send(),
            _ => request("GET", "Observation?colour=red").send(),
        };
        // Whom the body speaks of, read from the bytes that left.
        let mut left = BTreeSet::new();
        if reply.status < 400 && !reply.body.is_empty() {
            named(&reply.json(), &mut left);
        }
        asked.insert(id, left);
    }
    server.store().log().sync().unwrap();
    let entries = server.store().audit_after(0, 100_000).unwrap();
    let mut recorded: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for seen in &entries {
        let id = seen.entry.request_id.to_string();
        assert!(asked.contains_key(&id), "an entry without its request: {:?}", seen.entry);
        recorded.entry(id).or_default().extend(seen.entry.patients.iter().map(ToString::to_string));
    }
    for (id, left) in &asked {
        let patients = recorded.get(id).unwrap_or_else(|| panic!("{id} was answered and has no entry"));
        assert!(left.is_subset(patients), "{id}: {left:?} left, and the entry says {patients:?}");
    }
    assert_eq!(entries.len(), asked.len(), "one entry each: none of them is a bundle");
}

/// Every patient whom a body names as whom it is about, or is.
fn named(body: &Value, found: &mut std::collections::BTreeSet<String>) {
    let id = match body["resourceType"].as_str() {
        Some("Patient") => body["id"].as_str(),
        Some("Observation") => body["subject"]["reference"].as_str().and_then(|to| to.strip_prefix("Patient/")),
        _ => None,
    };
    found.extend(id.map(str::to_owned));
    for entry in body["entry"].as_array().into_iter().flatten() {
        named(&entry["resource"], found);
    }
}
