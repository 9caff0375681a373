//! Searches over HTTP: GET and POST, pages, warnings, compartments.

use crate::world::{create, get, observation, patient, put, server};

#[test]
fn get_and_post_are_one_search() {
    let (server, token) = server();
    let a = create(&server, &token, &patient("Alpha")).id();
    let _ = create(&server, &token, &patient("Beta"));
    let by_get = get(&server, &token, "Patient?family=alpha").expect(200);
    assert_eq!(by_get.entries("match"), [format!("Patient/{a}")]);
    assert_eq!(by_get.json()["entry"][0]["fullUrl"], format!("https://handrail.test/fhir/Patient/{a}"));
    let post = |path: &str, form: &'static str| {
        server.request("POST", path).token(&token).body("application/x-www-form-urlencoded", form).send().expect(200)
    };
    let by_post = post("Patient/_search", "family=alpha");
    assert_eq!(by_post.body, by_get.body);
    // URL and form together.
    assert_eq!(post("Patient/_search?gender=female", "family=alpha").entries("match").len(), 1);
    assert_eq!(post("Patient/_search?gender=male", "family=alpha").entries("match").len(), 0);
    let bare = server.request("POST", "Patient/_search?family=alpha").token(&token).send().expect(200);
    assert_eq!(bare.body, by_get.body);
    let _ = server.request("POST", "Patient/_search").token(&token).body("application/json", "{}").send().expect(415);
}

#[test]
fn an_empty_searchset_has_no_entry() {
    let (server, token) = server();
    let json = get(&server, &token, "Patient?family=nobody").expect(200).json();
    assert_eq!((&json["resourceType"], &json["type"]), (&"Bundle".into(), &"searchset".into()));
    assert!(json.get("entry").is_none());
}

/// H17, H15: strict is a 400 that names it; lenient warns and says what was applied.
#[test]
fn unknown_parameters() {
    let (server, token) = server();
    let _ = create(&server, &token, &patient("Alpha"));
    let (code, text, expression) = get(&server, &token, "Patient?colour=red&family=alpha").expect(400).issue();
    assert!(text.contains("colour"), "{text}");
    assert_eq!((code.as_str(), expression.as_str()), ("not-supported", "colour"));
    let lenient = server
        .request("GET", "Patient?colour=red&family=alpha")
        .token(&token)
        .header("prefer", "handling=lenient")
        .send()
        .expect(200);
    assert_eq!(lenient.entries("match").len(), 1);
    let json = lenient.json();
    let entries = json["entry"].as_array().unwrap();
    let outcome = entries.iter().find(|entry| entry["search"]["mode"] == "outcome").unwrap();
    assert_eq!(outcome["resource"]["issue"][0]["severity"], "warning");
    let own = lenient.link("self").unwrap();
    assert!(own.contains("family=alpha") && !own.contains("colour"), "{own}");
    // A value that is wrong stays an error.
    let wrong = server.request("GET", "Patient?birthdate=soon").token(&token).header("prefer", "handling=lenient");
    let _ = wrong.send().expect(400);
    let _ = get(&server, &token, "Patient?family=%ff").expect(400);
}

#[test]
fn pages_follow_one_another() {
    let (server, token) = server();
    for at in 0..7 {
        let _ = create(&server, &token, &patient(&format!("P{at}")));
    }
    let mut seen = Vec::new();
    let mut next = Some("Patient?_count=3&_sort=family&_total=accurate".to_owned());
    while let Some(path) = next {
        let page = get(&server, &token, &path).expect(200);
        assert_eq!(page.json()["total"], 7);
        seen.extend(page.entries("match"));
        next = page.link("next");
    }
    assert_eq!(seen.len(), 7);
    seen.dedup();
    assert_eq!(seen.len(), 7);
}

/// F4: a page link is good for its own search and caller alone.
#[test]
fn cursors_are_bound() {
    let (server, token) = server();
    for at in 0..3 {
        let _ = create(&server, &token, &patient(&format!("P{at}")));
    }
    let next = get(&server, &token, "Patient?_count=1").link("next").unwrap();
    let _ = get(&server, &token, &next).expect(200);
    let other = server.tokens().token_of("other-client", "system/*.rs");
    let _ = get(&server, &other, &next).expect(400);
    let cursor = next.split("_cursor=").nth(1).unwrap();
    let _ = get(&server, &token, &format!("Patient?_count=1&family=x&_cursor={cursor}")).expect(400);
    let _ = get(&server, &token, "Patient?_count=1&_cursor=AAAA").expect(400);
}

#[test]
fn includes_and_reverse_includes() {
    let (server, token) = server();
    let _ = put(&server, &token, "p1", patient("Alpha")).expect(201);
    let o = create(&server, &token, &observation("p1", "survey", "1")).id();
    let found = get(&server, &token, "Observation?_include=Observation:subject").expect(200);
    assert_eq!(found.entries("match"), [format!("Observation/{o}")]);
    assert_eq!(found.entries("include"), ["Patient/p1"]);
    let back = get(&server, &token, "Patient?_revinclude=Observation:subject").expect(200);
    assert_eq!(back.entries("include"), [format!("Observation/{o}")]);
    let _ = get(&server, &token, "Patient?_include=Patient:colour").expect(400);
}

#[test]
fn within_a_patients_compartment() {
    let (server, token) = server();
    for id in ["p1", "p2"] {
        let _ = put(&server, &token, id, patient(id)).expect(201);
        let _ = put(&server, &token, &format!("o-{id}"), observation(id, "survey", "1")).expect(201);
    }
    let found = get(&server, &token, "Patient/p1/Observation?code=8867-4").expect(200);
    assert_eq!(found.entries("match"), ["Observation/o-p1"]);
    assert!(found.link("self").unwrap().starts_with("https://handrail.test/fhir/Patient/p1/Observation?"));
    let posted = server
        .request("POST", "Patient/p1/Observation/_search")
        .token(&token)
        .body("application/x-www-form-urlencoded", "code=8867-4")
        .send()
        .expect(200);
    assert_eq!(posted.body, found.body);
    assert_eq!(get(&server, &token, "Patient/none/Observation").expect(200).entries("match").len(), 0);
    let _ = get(&server, &token, "Patient/p1/Medication").expect(400);
}
