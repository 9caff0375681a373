//! Provenance that comes with a write: the header X-Provenance (row F27) and the server's own (row F28). Row H37.

use crate::world::{ALL, create, get, observation, patient, put, server};
use oauth::caller::Role;
use serde_json::{Value, json};
use testkit::{Person, Reply, Server};

const DOCTOR: Person =
    Person { id: "u-dr", name: "Dora Roth", role: Role::Clinician, fhir_user: Some("Practitioner/dr"), patients: &[] };
const ANNA: Person = Person {
    id: "u-anna",
    name: "Anna Alba",
    role: Role::Patient,
    fhir_user: Some("Patient/anna"),
    patients: &["anna"],
};

fn recording() -> (Server, String) {
    let (server, token) = server();
    server.service().record_provenance(true);
    (server, token)
}

/// A client's Provenance, as it stands in the header.
fn header() -> String {
    json!({"resourceType": "Provenance", "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": {"display": "Ward 3"}}], "activity": {"text": "typed from paper"}})
    .to_string()
}

/// All that is there, each by the reference of its one target.
fn all(server: &Server, token: &str) -> Vec<(String, Value)> {
    let page = get(server, token, "Provenance?_count=500").expect(200).json();
    let entries = page["entry"].as_array().cloned().unwrap_or_default();
    let mut all: Vec<(String, Value)> = entries
        .into_iter()
        .map(|entry| {
            let resource = entry["resource"].clone();
            assert_eq!(resource["target"].as_array().map(Vec::len), Some(1), "{resource}");
            (resource["target"][0]["reference"].as_str().unwrap().to_owned(), resource)
        })
        .collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

fn targets(server: &Server, token: &str) -> Vec<String> {
    all(server, token).into_iter().map(|(target, _)| target).collect()
}

/// F27: the target is the very version, it is found beside it, and both are one commit.
#[test]
fn f27_a_header_with_create_update_and_delete() {
    let (server, token) = server();
    let send = |method: &str, path: &str, body: Option<Value>| -> Reply {
        let request = server.request(method, path).token(&token).header("x-provenance", &header());
        match body {
            Some(body) => request.json(&body).send(),
            None => request.send(),
        }
    };
    let id = send("POST", "Patient", Some(patient("A"))).expect(201).id();
    let mut body = patient("B");
    body["id"] = json!(id);
    let _ = send("PUT", &format!("Patient/{id}"), Some(body.clone())).expect(200);
    let _ = send("PUT", &format!("Patient/{id}"), Some(body)).expect(200);
    assert_eq!(targets(&server, &token), [1, 2, 3].map(|version| format!("Patient/{id}/_history/{version}")));
    let found = get(&server, &token, &format!("Patient?_id={id}&_revinclude=Provenance:target")).expect(200).json();
    assert_eq!(found["entry"].as_array().map(Vec::len), Some(4), "{found}");
    assert_eq!(all(&server, &token)[0].1["activity"]["text"], "typed from paper");
    // A delete is about the last version; one that did nothing has none.
    let _ = send("DELETE", &format!("Patient/{id}"), None).expect(204);
    let _ = send("DELETE", &format!("Patient/{id}"), None).expect(204);
    let _ = send("DELETE", "Patient/never-there", None).expect(204);
    let again: Vec<String> = targets(&server, &token).into_iter().filter(|one| one.ends_with("/3")).collect();
    assert_eq!((again.len(), targets(&server, &token).len()), (2, 4));
    // What is not written has none: a read, a condition that was met, a refused write.
    let _ = send("GET", "Patient", None).expect(200);
    let _ = create(&server, &token, &patient("C"));
    let request = server.request("POST", "Patient").token(&token).header("x-provenance", &header());
    let _ = request.header("if-none-exist", "identifier=urn:test:mrn|C").json(&patient("C")).send().expect(200);
    let _ = send("POST", "Observation", Some(json!({"resourceType": "Observation"}))).expect(422);
    assert_eq!(targets(&server, &token).len(), 4);
}

/// F27: what the header must be; and whoever may not create a Provenance may not by it either.
#[test]
fn f27_headers_that_are_refused() {
    let (server, token) = server();
    let send = |header: &str, body: Value| {
        let kind = body["resourceType"].as_str().unwrap().to_owned();
        server.request("POST", &kind).token(&token).header("x-provenance", header).json(&body).send()
    };
    let with = |name: &str, value: Value| {
        let mut all: Value = serde_json::from_str(&header()).unwrap();
        all[name] = value;
        all.to_string()
    };
    for wrong in [
        "not json".to_owned(),
        "[]".to_owned(),
        r#"{"resourceType":"Patient"}"#.to_owned(),
        r#"{"resourceType":"Provenance","resourceType":"Provenance"}"#.to_owned(),
        with("target", json!([{"reference": "Patient/1"}])),
        with("activity", json!({"text": "x".repeat(9000)})),
    ] {
        let (_, _, place) = send(&wrong, patient("A")).expect(400).issue();
        assert_eq!(place, "http.X-Provenance", "{wrong}");
    }
    let invalid = send(&with("recorded", json!("yesterday")), patient("A")).expect(422);
    assert!(invalid.text().contains("http.X-Provenance Provenance.recorded"), "{}", invalid.text());
    let twice = server.request("POST", "Patient").token(&token).header("x-provenance", &header());
    let _ = twice.header("x-provenance", &header()).json(&patient("A")).send().expect(400);
    let own = json!({"resourceType": "Provenance", "target": [{"reference": "Patient/1"}],
        "recorded": "2026-01-01T00:00:00Z", "agent": [{"who": {"display": "x"}}]});
    let _ = send(&header(), own).expect(400);
    // Of all that nothing was stored.
    assert_eq!(get(&server, &token, "Patient?_summary=count").json()["total"], 0);
    let narrow = server.token_for("system/Patient.cruds system/Provenance.rs");
    let request = server.request("POST", "Patient").token(&narrow).header("x-provenance", &header());
    let _ = request.json(&patient("A")).send().expect(403);
    assert_eq!(get(&server, &token, "Patient?_summary=count").json()["total"], 0);
    // People's apps do not write Provenance: who wrote what is the server's to say.
    let _ = put(&server, &token, "anna", patient("anna")).expect(201);
    let anna = server.tokens().token_of_person(&ANNA, Some("anna"), "patient/*.cruds");
    let body = observation("anna", "survey", "1");
    let request = server.request("POST", "Observation").token(&anna).header("x-provenance", &header()).json(&body);
    let _ = request.send().expect(403);
}

/// F27: a transaction's header is about each resource that it writes, each by itself.
#[test]
fn f27_a_header_with_a_transaction() {
    let (server, token) = server();
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"fullUrl": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "resource": patient("A"),
            "request": {"method": "POST", "url": "Patient"}},
        {"resource": observation("0", "survey", "1").as_object().map(|one| {
            let mut one = one.clone();
            one.insert("subject".into(), json!({"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}));
            Value::Object(one)
        }), "request": {"method": "POST", "url": "Observation"}},
        {"request": {"method": "GET", "url": "Patient?family=A"}}]});
    let request = server.request("POST", "").token(&token).header("x-provenance", &header()).json(&bundle);
    let reply = request.send().expect(200).json();
    assert_eq!(reply["entry"].as_array().map(Vec::len), Some(3));
    let kinds: Vec<String> =
        targets(&server, &token).iter().map(|target| target.split('/').next().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["Observation", "Patient"]);
    // A batch as well: each entry as if it had come alone.
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        {"resource": patient("B"), "request": {"method": "POST", "url": "Patient"}}]});
    let request = server.request("POST", "").token(&token).header("x-provenance", &header()).json(&batch);
    let _ = request.send().expect(200);
    assert_eq!(targets(&server, &token).len(), 3);
    // A header that cannot be read: nothing of the transaction is done.
    let request = server.request("POST", "").token(&token).header("x-provenance", "{").json(&bundle);
    let _ = request.send().expect(400);
    assert_eq!(targets(&server, &token).len(), 3);
}

/// F28: who, for whom, what, when; valid; nothing about itself.
#[test]
fn f28_the_servers_own() {
    let (server, token) = recording();
    server.store().set_house(crate::world::everyone());
    let doctor = server.tokens().token_of_person(&DOCTOR, None, "user/*.cruds openid fhirUser");
    let _ = put(&server, &token, "dr", json!({"resourceType": "Practitioner"})).expect(201);
    let id = create(&server, &doctor, &patient("A")).id();
    let _ = put(&server, &doctor, &id, patient("B")).expect(200);
    let _ = server.request("DELETE", &format!("Patient/{id}")).token(&doctor).send().expect(204);
    let _ = server.request("DELETE", &format!("Patient/{id}")).token(&doctor).send().expect(204);
    let found = all(&server, &token);
    let of: Vec<(&str, &str)> = found
        .iter()
        .map(|(target, one)| (target.as_str(), one["activity"]["coding"][0]["code"].as_str().unwrap()))
        .collect();
    let (first, second) = (format!("Patient/{id}/_history/1"), format!("Patient/{id}/_history/2"));
    let expected = [
        (first.as_str(), "CREATE"),
        (&second, "DELETE"),
        (&second, "UPDATE"),
        ("Practitioner/dr/_history/1", "CREATE"),
    ];
    let mut sorted = of.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    let by_doctor = &found.iter().find(|(target, _)| *target == first).unwrap().1;
    assert_eq!(by_doctor["recorded"], "2026-01-01T00:00:00.000Z");
    let agents = by_doctor["agent"].as_array().unwrap();
    assert_eq!((agents.len(), &agents[0]["who"]["reference"]), (2, &json!("Practitioner/dr")));
    assert_eq!(agents[0]["type"]["coding"][0]["code"], "author");
    assert_eq!(agents[1]["type"]["coding"][0]["code"], "transmitter");
    let by_system = &found.iter().find(|(target, _)| target.starts_with("Practitioner/")).unwrap().1;
    assert_eq!(by_system["agent"][0]["who"]["identifier"]["value"], "test-client");
    // Posting a Provenance makes no other.
    let _ = create(
        &server,
        &token,
        &json!({"resourceType": "Provenance", "target": [{"reference": "Patient/x"}],
        "recorded": "2026-01-01T00:00:00Z", "agent": [{"who": {"display": "x"}}]}),
    );
    assert_eq!(targets(&server, &token).len(), 5);
    // Each is a resource like others, and valid.
    for (_, one) in &found {
        let checked = server.request("POST", "Provenance/$validate").token(&token).json(one).send().expect(200).json();
        assert!(!checked.to_string().contains("\"error\""), "{checked}");
    }
    // Without the setting there is none.
    server.service().record_provenance(false);
    let _ = create(&server, &token, &patient("C"));
    assert_eq!(targets(&server, &token).len(), 5);
}

/// F28: a transaction about several patients; the version is the one that it became, whoever wrote in between.
#[test]
fn f28_one_for_each_resource() {
    let (server, token) = recording();
    let entry = |method: &str, url: &str, resource: Value| json!({"resource": resource, "request": {"method": method, "url": url}});
    let with_id = |mut resource: Value, id: &str| {
        resource["id"] = json!(id);
        resource
    };
    let bundle = |value: &str| {
        json!({"resourceType": "Bundle", "type": "transaction", "entry": [
            entry("PUT", "Patient/a", with_id(patient("A"), "a")),
            entry("PUT", "Patient/b", with_id(patient("B"), "b")),
            entry("PUT", "Observation/o", with_id(observation("a", "survey", value), "o"))]})
    };
    for value in ["1", "2"] {
        let reply = server.request("POST", "").token(&token).json(&bundle(value)).send().expect(200).json();
        assert_eq!(reply["entry"].as_array().map(Vec::len), Some(3));
    }
    let expected = ["Observation/o", "Patient/a", "Patient/b"];
    let expected: Vec<String> =
        expected.iter().flat_map(|one| [1, 2].map(|version| format!("{one}/_history/{version}"))).collect();
    assert_eq!(targets(&server, &token), expected);
    // Writers at the same time: every version has its own.
    let requests = (0..6)
        .map(|at| server.request("PUT", "Patient/a").token(&token).json(&with_id(patient(&format!("A{at}")), "a")));
    server.send_together(requests.collect(), |_, reply| drop(reply.expect(200)));
    let of_a: Vec<String> = targets(&server, &token).into_iter().filter(|one| one.starts_with("Patient/a/")).collect();
    assert_eq!(of_a, (1..=8).map(|version| format!("Patient/a/_history/{version}")).collect::<Vec<_>>());
}

/// F28, invariant 5: beside what somebody sees stands nothing that they do not see; two servers that differ in another
/// patient's record alone answer alike.
#[test]
fn f28_it_leaks_no_other_patient() {
    let world = |others: bool| {
        let server = Server::given(store::Given { secret: [7; 32], search: store::limits::Search::default() });
        server.service().record_provenance(true);
        let all = server.token_for(ALL);
        let _ = put(&server, &all, "anna", patient("anna")).expect(201);
        let _ = put(&server, &all, "o-anna", observation("anna", "survey", "1")).expect(201);
        if others {
            let entries = ["bert", "carl"].map(|id| {
                let mut resource = patient(id);
                resource["id"] = json!(id);
                json!({"resource": resource, "request": {"method": "PUT", "url": format!("Patient/{id}")}})
            });
            let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
            let _ = server.request("POST", "").token(&all).json(&bundle).send().expect(200);
            let _ = put(&server, &all, "o-bert", observation("bert", "survey", "1")).expect(201);
        }
        server
    };
    let servers = [world(false), world(true)];
    for path in [
        "Provenance?_total=accurate",
        "Provenance?target=Patient/bert&_total=accurate",
        "Provenance?patient=Patient/bert",
        "Observation?_revinclude=Provenance:target",
        "Patient?_revinclude=Provenance:target",
        "Patient?_has:Provenance:target:recorded=ge2000",
    ] {
        let answers = servers.each_ref().map(|server| {
            let anna = server.tokens().token_of_person(&ANNA, Some("anna"), "patient/*.rs");
            let text = get(server, &anna, path).expect(200).text();
            // Ids are drawn in order, so other writes move them.
            let json: Value = serde_json::from_str(&text).unwrap();
            let of = |entry: &Value| entry["resource"]["target"][0]["reference"].clone();
            let entries = json["entry"].as_array().cloned().unwrap_or_default();
            let mut targets: Vec<String> = entries.iter().map(|entry| of(entry).to_string()).collect();
            targets.sort();
            (json["total"].clone(), targets)
        });
        assert_eq!(answers[0], answers[1], "{path}");
        assert!(!format!("{answers:?}").contains("bert"), "{path}");
    }
}

/// F16: what was made has its record, what was not made has none.
#[test]
fn f28_the_record() {
    let (server, token) = recording();
    let id = create(&server, &token, &patient("A")).id();
    let delete = || server.request("DELETE", &format!("Patient/{id}")).token(&token).send().expect(204);
    let _ = delete();
    let _ = delete();
    let auditor = server.tokens().token_of("auditor", "system/AuditEvent.rs");
    let log = get(&server, &auditor, "AuditEvent?_count=100").expect(200).json();
    let events = log["entry"].as_array().unwrap();
    let about = |part: &str| events.iter().filter(|one| one["resource"].to_string().contains(part)).count();
    assert_eq!(about("Provenance/"), 2, "{log}");
    assert!(about("/_history/1") >= 2);
}

/// F27, F7: what a Provenance points at is there only after the commit, and is seen as it will be: what a rule of
/// the house says of it is found in the resource that is being made.
#[test]
fn f27_a_target_that_the_commit_makes_is_seen_as_it_will_be() {
    let server = Server::new();
    let all = server.token_for(ALL);
    for id in ["anna", "bert"] {
        let _ = put(&server, &all, id, patient(id)).expect(201);
    }
    const RULES: &str = "deny \"nobody vouches for Bert's\"\n  who anyone\n  may not create\n  \
                         what Provenance?target:Observation.patient=Patient/bert\n";
    let mut house = policy::House::clone(&server.store().house());
    house.rules = std::sync::Arc::new(policy::Rules::read(RULES, search::registry()).unwrap());
    server.store().set_house(house);
    let token = server.tokens().token_of_partner(ALL);
    let send = |of: &str| {
        let request = server.request("POST", "Observation").token(&token).header("x-provenance", &header());
        request.json(&observation(of, "survey", "1")).send()
    };
    let made = send("anna").expect(201).id();
    assert_eq!(targets(&server, &all), [format!("Observation/{made}/_history/1")]);
    let refused = send("bert");
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(targets(&server, &all).len(), 1);
    let left = get(&server, &all, "Observation?patient=bert").expect(200);
    assert!(left.entries("match").is_empty(), "nothing in halves");
    // In a transaction each is about its own change.
    let entry = |of: &str| json!({"resource": observation(of, "survey", "2"), "request": {"method": "POST", "url": "Observation"}});
    for (others, status) in [(["anna", "anna"], 200), (["anna", "bert"], 403)] {
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": others.map(entry)});
        let reply = server.request("POST", "").token(&token).header("x-provenance", &header()).json(&bundle).send();
        assert_eq!(reply.status, status, "{}", reply.text());
        assert_eq!(targets(&server, &all).len(), 3);
    }
}
