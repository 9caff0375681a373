//! Transactions: all or nothing, links, conditions. SPEC: R4 http.html#transaction.

use crate::{
    batches::{entry, send, statuses},
    world::{category_scope, create, get, observation, patient, put, server},
};
use serde_json::{Value, json};
use testkit::{Reply, Server};

fn with_url(full_url: &str, mut entry: Value) -> Value {
    entry["fullUrl"] = json!(full_url);
    entry
}

fn with_request(mut entry: Value, name: &str, value: &str) -> Value {
    entry["request"][name] = json!(value);
    entry
}

/// `Type/id` out of the location of an entry of the answer.
fn made(reply: &Reply, at: usize) -> String {
    let json = reply.json();
    let location = json["entry"][at]["response"]["location"].as_str().unwrap().to_owned();
    let below = location.strip_prefix("https://handrail.test/fhir/").unwrap();
    below.split("/_history").next().unwrap().to_owned()
}

fn count(server: &Server, token: &str, kind: &str) -> Value {
    get(server, token, &format!("{kind}?_summary=count")).expect(200).json()["total"].clone()
}

const A: &str = "urn:uuid:00000000-0000-4000-8000-00000000000a";
const B: &str = "urn:uuid:00000000-0000-4000-8000-00000000000b";

/// F63: a cycle of references, as the PFE examples have, is no matter.
#[test]
fn links_are_resolved_even_in_circles() {
    let (server, token) = server();
    let mut first = observation("x", "survey", "1.10");
    first["subject"]["reference"] = json!("urn:uuid:00000000-0000-4000-8000-00000000000c");
    first["hasMember"] = json!([{"reference": B}]);
    let mut second = observation("x", "survey", "2");
    second["subject"]["reference"] = json!("urn:uuid:00000000-0000-4000-8000-00000000000c");
    second["derivedFrom"] = json!([{"reference": A}, {"reference": "#c"}]);
    let mut inner = observation("x", "survey", "3");
    inner["id"] = json!("c");
    inner["subject"]["reference"] = json!("urn:uuid:00000000-0000-4000-8000-00000000000c");
    second["contained"] = json!([inner]);
    let reply = send(
        &server,
        &token,
        "transaction",
        &[
            with_url(A, entry("POST", "Observation", Some(first))),
            with_url(B, entry("POST", "Observation", Some(second))),
            with_url("urn:uuid:00000000-0000-4000-8000-00000000000c", entry("POST", "Patient", Some(patient("A")))),
        ],
    )
    .expect(200);
    assert_eq!(statuses(&reply), ["201 Created", "201 Created", "201 Created"]);
    let (one, two, person) = (made(&reply, 0), made(&reply, 1), made(&reply, 2));
    let stored = get(&server, &token, &one).expect(200);
    assert!(stored.text().contains("\"value\":1.1"), "{}", stored.text());
    assert_eq!(stored.json()["hasMember"][0]["reference"], two);
    assert_eq!(stored.json()["subject"]["reference"], person);
    let stored = get(&server, &token, &two).expect(200).json();
    assert_eq!(stored["derivedFrom"][0]["reference"], one);
    assert_eq!(stored["derivedFrom"][1]["reference"], "#c");
    assert_eq!(stored["contained"][0]["subject"]["reference"], person);
    assert_eq!(get(&server, &token, &format!("Observation?subject={person}")).entries("match").len(), 2);
}

#[test]
fn relative_links_narrative_and_uris() {
    let (server, token) = server();
    let mut body = patient("A");
    body["text"] = json!({"status": "generated", "div": format!(
        "<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"{A}\">me</a> {A}</div>")});
    let mut observed = observation("123", "survey", "1");
    observed["extension"] =
        json!([{"url": "http://example.org/e", "valueUri": A}, {"url": "http://example.org/s", "valueString": A}]);
    observed["performer"] =
        json!([{"reference": "Practitioner/elsewhere"}, {"reference": "http://other.org/fhir/Patient/123"}]);
    let reply = send(
        &server,
        &token,
        "transaction",
        &[
            with_url("http://example.org/fhir/Observation/1", entry("POST", "Observation", Some(observed))),
            with_url("http://example.org/fhir/Patient/123", entry("POST", "Patient", Some(patient("B")))),
            with_url(A, entry("POST", "Patient", Some(body))),
        ],
    )
    .expect(200);
    let (b, a) = (made(&reply, 1), made(&reply, 2));
    let stored = get(&server, &token, &made(&reply, 0)).expect(200).json();
    assert_eq!(stored["subject"]["reference"], b, "relative to the entry's own root");
    assert_eq!(stored["extension"][0]["valueUri"], a);
    assert_eq!(stored["extension"][1]["valueString"], A, "a string is no link");
    assert_eq!(stored["performer"][0]["reference"], "Practitioner/elsewhere");
    assert_eq!(stored["performer"][1]["reference"], "http://other.org/fhir/Patient/123");
    let div = get(&server, &token, &a).json()["text"]["div"].as_str().unwrap().to_owned();
    assert!(div.contains(&format!("href=\"{a}\"")) && div.contains(&format!("> {A}<")[2..]), "{div}");
}

#[test]
fn all_or_nothing() {
    let (server, token) = server();
    let refused = send(
        &server,
        &token,
        "transaction",
        &[
            entry("POST", "Patient", Some(patient("A"))),
            entry("POST", "Observation", Some(json!({"resourceType": "Observation", "status": "final"}))),
        ],
    )
    .expect(422);
    assert!(refused.issue().2.starts_with("Bundle.entry[1].resource"), "{}", refused.text());
    assert_eq!(count(&server, &token, "Patient"), 0);

    let id = create(&server, &token, &patient("B")).id();
    let mut body = patient("C");
    body["id"] = json!(id);
    let stale = with_request(entry("PUT", &format!("Patient/{id}"), Some(body)), "ifMatch", "W/\"7\"");
    let refused =
        send(&server, &token, "transaction", &[entry("POST", "Patient", Some(patient("A"))), stale]).expect(412);
    assert_eq!(refused.issue().2, "Bundle.entry[1]");
    assert_eq!(count(&server, &token, "Patient"), 1);
}

/// B31: one entry outside the scopes stops the whole, and says which.
#[test]
fn every_entry_is_decided() {
    let (server, all) = server();
    let survey = server.token_for(&category_scope("cruds", "survey"));
    let allowed = || entry("POST", "Observation", Some(observation("p", "survey", "1")));
    let refused =
        send(&server, &survey, "transaction", &[allowed(), entry("POST", "Patient", Some(patient("A")))]).expect(403);
    assert_eq!(refused.issue().2, "Bundle.entry[1]");
    let hidden = entry("POST", "Observation", Some(observation("p", "laboratory", "1")));
    let _ = send(&server, &survey, "transaction", &[allowed(), hidden]).expect(403);
    assert_eq!(count(&server, &all, "Observation"), 0);
    let _ = send(&server, &survey, "transaction", &[allowed()]).expect(200);
}

/// R4: deletes, then creates, then updates, then reads; the answer in the order of the request.
#[test]
fn the_order_is_r4s() {
    let (server, token) = server();
    let old = create(&server, &token, &patient("Old")).id();
    let mut new = patient("New");
    new["id"] = json!("new");
    let reply = send(
        &server,
        &token,
        "transaction",
        &[
            entry("GET", "Patient?_sort=family", None),
            entry("PUT", "Patient/new", Some(new)),
            entry("POST", "Patient", Some(patient("Made"))),
            entry("DELETE", &format!("Patient/{old}"), None),
            entry("GET", &format!("Patient/{old}"), None),
        ],
    )
    .expect(200);
    let statuses = statuses(&reply);
    let codes: Vec<&str> = statuses.iter().map(|status| &status[..3]).collect();
    assert_eq!(codes, ["200", "201", "201", "204", "410"]);
    let json = reply.json();
    let found = json["entry"][0]["resource"]["entry"].as_array().unwrap();
    let families: Vec<_> = found.iter().map(|e| e["resource"]["name"][0]["family"].as_str().unwrap()).collect();
    assert_eq!(families, ["Made", "New"], "reads see the changes");
}

#[test]
fn prefer_applies_to_the_entries() {
    let (server, token) = server();
    let with = |prefer: &str| {
        let bundle = json!({"resourceType": "Bundle", "type": "transaction",
            "entry": [entry("POST", "Patient", Some(patient("A")))]});
        let sent = server.request("POST", "").token(&token).header("prefer", prefer).json(&bundle).send();
        sent.expect(200).json()["entry"][0].clone()
    };
    assert!(with("return=minimal").get("resource").is_none());
    assert_eq!(with("return=representation")["resource"]["name"][0]["family"], "A");
    assert_eq!(with("return=OperationOutcome")["response"]["outcome"]["resourceType"], "OperationOutcome");
    let entry = with("handling=strict");
    assert_eq!(entry["response"]["lastModified"], "2026-01-01T00:00:00.000Z");
}

#[test]
fn conditional_creates_stand_for_what_is_there() {
    let (server, token) = server();
    let there = create(&server, &token, &patient("A")).id();
    let conditional = |family: &str| {
        with_url(
            A,
            with_request(
                entry("POST", "Patient", Some(patient(family))),
                "ifNoneExist",
                &format!("identifier=urn:test:mrn|{family}"),
            ),
        )
    };
    let mut observed = observation("x", "survey", "1");
    observed["subject"]["reference"] = json!(A);
    let observed = entry("POST", "Observation", Some(observed));
    let reply = send(&server, &token, "transaction", &[conditional("A"), observed.clone()]).expect(200);
    assert_eq!(statuses(&reply), ["200 OK", "201 Created"]);
    assert_eq!(made(&reply, 0), format!("Patient/{there}"));
    assert_eq!(get(&server, &token, &made(&reply, 1)).json()["subject"]["reference"], format!("Patient/{there}"));
    assert_eq!(count(&server, &token, "Patient"), 1);

    let reply = send(&server, &token, "transaction", &[conditional("B"), observed.clone()]).expect(200);
    assert_eq!(statuses(&reply), ["201 Created", "201 Created"]);
    let _ = create(&server, &token, &patient("A"));
    let refused = send(&server, &token, "transaction", &[conditional("A"), observed]).expect(412);
    assert_eq!((refused.issue().0.as_str(), refused.issue().2.as_str()), ("multiple-matches", "Bundle.entry[0]"));
    // A transaction in which nothing is left to write.
    let reply = send(&server, &token, "transaction", &[conditional("B")]).expect(200);
    assert_eq!(statuses(&reply), ["200 OK"]);
}

/// F63: only what the caller may see; none or several is a 412 that names the entry.
#[test]
fn conditional_references() {
    let (server, token) = server();
    let there = create(&server, &token, &patient("A")).id();
    let _ = create(&server, &token, &patient("Twin"));
    let _ = create(&server, &token, &patient("Twin"));
    let about = |family: &str| {
        let mut observed = observation("x", "survey", "1");
        observed["subject"]["reference"] = json!(format!("Patient?identifier=urn:test:mrn|{family}"));
        entry("POST", "Observation", Some(observed))
    };
    let reply = send(&server, &token, "transaction", &[about("A"), about("A")]).expect(200);
    for at in 0..2 {
        assert_eq!(get(&server, &token, &made(&reply, at)).json()["subject"]["reference"], format!("Patient/{there}"));
    }
    for family in ["Nobody", "Twin"] {
        let refused = send(&server, &token, "transaction", &[about("A"), about(family)]).expect(412);
        assert_eq!(refused.issue().2, "Bundle.entry[1]");
    }
    let blind = server.token_for("system/Observation.cruds");
    let _ = send(&server, &blind, "transaction", &[about("A")]).expect(403);
    let hidden = server.token_for("system/Observation.cruds system/Patient.rs?family=Twin");
    let _ = send(&server, &hidden, "transaction", &[about("A")]).expect(412);
    assert_eq!(count(&server, &token, "Observation"), 2);
}

#[test]
fn one_resource_twice_is_an_error() {
    let (server, token) = server();
    let one = || {
        let mut body = patient("A");
        body["id"] = json!("one");
        entry("PUT", "Patient/one", Some(body))
    };
    let refused = send(&server, &token, "transaction", &[one(), one()]).expect(400);
    assert_eq!((refused.issue().0.as_str(), refused.issue().2.as_str()), ("duplicate", "Bundle.entry[1]"));
    let _ = send(&server, &token, "transaction", &[one(), entry("DELETE", "Patient/one", None)]).expect(400);
    assert_eq!(count(&server, &token, "Patient"), 0);
}

#[test]
fn versioned_links_and_whole_urls() {
    let (server, token) = server();
    let _ = put(&server, &token, "p", patient("A")).expect(201);
    let mut observed = observation("x", "survey", "1");
    observed["subject"]["reference"] = json!("http://example.org/fhir/Patient/1/_history/4");
    let mut body = patient("B");
    body["id"] = json!("p");
    let reply = send(
        &server,
        &token,
        "transaction",
        &[
            with_url("http://example.org/fhir/Observation/1", entry("POST", "Observation", Some(observed))),
            with_url("http://example.org/fhir/Patient/1", entry("POST", "Patient", Some(patient("C")))),
            entry("PUT", "https://handrail.test/fhir/Patient/p", Some(body)),
        ],
    )
    .expect(200);
    let stored = get(&server, &token, &made(&reply, 0)).json();
    assert_eq!(stored["subject"]["reference"], format!("{}/_history/1", made(&reply, 1)));
    assert_eq!(statuses(&reply)[2], "200 OK");
}

/// bdl-7: a link must mean one entry.
#[test]
fn one_full_url_for_two_entries_is_an_error() {
    let (server, token) = server();
    let one = || with_url(A, entry("POST", "Patient", Some(patient("A"))));
    let refused = send(&server, &token, "transaction", &[one(), one()]).expect(400);
    assert_eq!(refused.issue().2, "Bundle.entry[1].fullUrl");
}

/// Several at once: the condition holds at the commit, not only when it was looked up.
#[test]
fn conditional_creates_at_the_same_time_make_one() {
    let (server, token) = server();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let created = entry("POST", "Patient", Some(patient("One")));
                    let created = with_request(created, "ifNoneExist", "identifier=urn:test:mrn|One");
                    let mut observed = observation("x", "survey", "1");
                    observed["subject"]["reference"] = json!(A);
                    let entries = [with_url(A, created), entry("POST", "Observation", Some(observed))];
                    send(&server, &token, "transaction", &entries).status
                })
            })
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    assert_eq!(statuses, [200; 8]);
    assert_eq!(count(&server, &token, "Patient"), 1);
    let one = get(&server, &token, "Patient").entries("match")[0].clone();
    assert_eq!(get(&server, &token, &format!("Observation?subject={one}")).entries("match").len(), 8);
}

/// F63: a link to an entry that is not there would lead nowhere for good; nothing is stored.
#[test]
fn a_urn_that_no_entry_has_is_refused_by_its_place() {
    let (server, token) = server();
    for nowhere in [B, "urn:uuid:not-even-one", "urn:oid:1.2.3", &format!("{B}/_history/1")] {
        let mut body = observation("x", "survey", "1");
        body["hasMember"] = json!([{"display": "none"}, {"reference": nowhere}]);
        let entries =
            [with_url(A, entry("POST", "Patient", Some(patient("A")))), entry("POST", "Observation", Some(body))];
        let refused = send(&server, &token, "transaction", &entries).expect(400);
        let (code, _, place) = refused.issue();
        assert_eq!((&*code, &*place), ("not-found", "Bundle.entry[1].resource.hasMember[1].reference"));
    }
    // An entry that stores nothing makes nothing to lead to.
    let mut body = observation("x", "survey", "1");
    body["subject"]["reference"] = json!(A);
    let entries =
        [with_url(A, entry("GET", "Patient?_count=1", None)), entry("POST", "Observation", Some(body.clone()))];
    let refused = send(&server, &token, "transaction", &entries).expect(400);
    assert_eq!(refused.issue().2, "Bundle.entry[1].resource.subject.reference");
    for kind in ["Patient", "Observation"] {
        assert_eq!(count(&server, &token, kind), 0);
    }
    // Outside of a transaction there is no entry to mean: it names something that lives elsewhere.
    let id = create(&server, &token, &body).id();
    assert_eq!(get(&server, &token, &format!("Observation/{id}")).json()["subject"]["reference"], A);
}
