//! Rules in shadow over the service: answers stay as they are, and what would have been decided otherwise is told. Row
//! G16.

use crate::world::{ALL, get, observation, patient, put};
use oauth::caller::Role;
use policy::{Clinicians, rules::Rules};
use rest::shadow::{Difference, Looked, Outcome};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use testkit::{Person, Server};

const NURSE: Person =
    Person { id: "u-nurse", name: "Nora", role: Role::Clinician, fhir_user: Some("Practitioner/nurse"), patients: &[] };

const NO_SURVEYS: &str = "
deny \"surveys\"
    who      role clinician
    may not  see, change
    what     Observation?category=survey
";

const NO_OBSERVATIONS: &str = "
limit \"patients alone\"
    who       role clinician
    may only  see
    what      Patient
";

fn read(text: &str) -> Arc<Rules> {
    Arc::new(Rules::read(text, search::registry::registry()).unwrap())
}

/// A server with a patient, a survey and a laboratory result, and rules in force.
fn server(live: &str) -> (Server, String) {
    let server = Server::new();
    let all = server.token_for(ALL);
    let _ = put(&server, &all, "ada", patient("ada")).expect(201);
    for (id, category) in [("survey", "survey"), ("lab", "laboratory")] {
        let _ = put(&server, &all, id, observation("ada", category, "1")).expect(201);
    }
    let mut house = policy::House::clone(&server.store().house());
    house.clinicians = Clinicians::Everyone;
    house.rules = read(live);
    server.store().set_house(house);
    let token = server.tokens().token_of_person(&NURSE, None, "user/*.cruds");
    (server, token)
}

fn look(server: &Server) -> (Looked, Vec<Difference>) {
    let mut found = Vec::new();
    let looked = server.service().look_at_shadow(Duration::from_secs(60), &mut |one| found.push(one));
    (looked, found)
}

/// `read Observation withheld 1/1 by surveys: Observation/survey`
fn told(found: &[Difference]) -> Vec<String> {
    let line = |one: &Difference| {
        let (interaction, kind, outcome) = (one.interaction, one.resource_type, one.outcome.as_str());
        let (rules, examples) = (one.rules.join("+"), one.examples.join(" "));
        format!("{interaction} {kind} {outcome} {}/{} by {rules}: {examples}", one.concerned, one.of)
    };
    found.iter().map(line).collect()
}

#[test]
fn g16_what_would_be_withheld_is_told_and_answers_stay() {
    let (server, token) = server("");
    let asked = [
        "Observation/survey",
        "Observation/lab",
        "Observation/none",
        "Observation?_sort=_id",
        "Observation/survey/_history",
        "Patient/ada",
        "Patient?_revinclude=Observation:patient",
    ];
    let bodies = |server: &Server| {
        asked.map(|path| {
            let one = get(server, &token, path);
            (one.status, one.body.clone())
        })
    };
    let before = bodies(&server);
    assert_eq!(look(&server), (Looked::default(), Vec::new()), "nothing is noted without such rules");
    server.service().set_shadow(Some(read(NO_SURVEYS)));
    assert_eq!(bodies(&server), before);
    let (looked, found) = look(&server);
    assert_eq!(looked, Looked { requests: 7, left_out: 0 });
    assert_eq!(
        told(&found),
        [
            "read Observation withheld 1/1 by surveys: Observation/survey",
            "search-type Observation withheld 1/2 by surveys: Observation/survey",
            "history-instance Observation withheld 1/1 by surveys: Observation/survey",
            "search-type Patient withheld 1/3 by surveys: Observation/survey",
        ]
    );
    let one = &found[0];
    assert_eq!((&*one.client_id, one.user.as_deref()), ("test-app", Some("u-nurse")));
    // Whom no rule is about, and the operator, are looked at and decided alike.
    let _ = get(&server, &server.token_for(ALL), "Observation/survey").expect(200);
    assert_eq!(look(&server), (Looked { requests: 1, left_out: 0 }, Vec::new()));
    server.service().set_shadow(None);
    let _ = get(&server, &token, "Observation/survey").expect(200);
    assert_eq!(look(&server).0, Looked::default());
}

#[test]
fn g16_what_would_be_given_is_told_and_what_is_not_there_is_not() {
    let (server, token) = server(NO_SURVEYS);
    server.service().set_shadow(Some(read("")));
    for absent in ["survey", "none"] {
        assert_eq!(get(&server, &token, &format!("Observation/{absent}")).status, 404);
    }
    let _ = get(&server, &token, "Observation").expect(200);
    let (_, found) = look(&server);
    let expected =
        ["read Observation given 1/1 by surveys: Observation/survey", "search-type Observation wider 0/0 by surveys: "];
    assert_eq!(told(&found), expected);
    // When they have become those in force nothing is otherwise.
    let mut house = policy::House::clone(&server.store().house());
    house.rules = read("");
    server.store().set_house(house);
    let _ = get(&server, &token, "Observation/survey").expect(200);
    assert_eq!(look(&server), (Looked { requests: 1, left_out: 0 }, Vec::new()));
}

#[test]
fn g16_what_would_be_refused_as_a_whole() {
    let (server, token) = server("");
    server.service().set_shadow(Some(read(NO_OBSERVATIONS)));
    let _ = get(&server, &token, "Observation").expect(200);
    let _ = get(&server, &token, "Patient").expect(200);
    assert_eq!(told(&look(&server).1), ["search-type Observation refused 0/0 by patients alone: "]);
    server.service().set_shadow(Some(read("")));
    let mut house = policy::House::clone(&server.store().house());
    house.rules = read(NO_OBSERVATIONS);
    server.store().set_house(house);
    assert_eq!(get(&server, &token, "Observation").status, 403);
    assert_eq!(told(&look(&server).1), ["search-type Observation given 0/0 by patients alone: "]);
}

#[test]
fn g16_writes_and_the_entries_of_bundles_are_looked_at_each() {
    let (server, token) = server("");
    server.service().set_shadow(Some(read(NO_SURVEYS)));
    let mut body = observation("ada", "survey", "2");
    let made = server.request("POST", "Observation").token(&token).json(&body).send();
    assert_eq!(made.status, 201);
    body["id"] = json!("survey");
    assert_eq!(server.request("PUT", "Observation/survey").token(&token).json(&body).send().status, 200);
    let (_, found) = look(&server);
    let created = format!("create Observation withheld 1/1 by surveys: Observation/{}", made.id());
    assert_eq!(told(&found), [created, "update Observation withheld 1/1 by surveys: Observation/survey".to_owned()]);
    for kind in ["batch", "transaction"] {
        let request = |method: &str, url: &str| json!({ "method": method, "url": url });
        let bundle = json!({ "resourceType": "Bundle", "type": kind, "entry": [
            { "request": request("GET", "Observation/survey") },
            { "request": request("GET", "Observation/lab") },
            { "request": request("PUT", "Observation/survey"), "resource": body },
        ]});
        assert_eq!(server.request("POST", "").token(&token).json(&bundle).send().status, 200);
        let (looked, found) = look(&server);
        assert_eq!(looked.requests, 3, "{kind}");
        let mut told = told(&found);
        told.sort();
        let expected = ["read", "update"];
        assert_eq!(
            told,
            expected.map(|code| format!("{code} Observation withheld 1/1 by surveys: Observation/survey")),
            "{kind}"
        );
    }
}

#[test]
fn g16_what_waits_is_bounded() {
    let (server, token) = server("");
    server.service().set_shadow(Some(read(NO_SURVEYS)));
    let max = u64::try_from(rest::limits::SHADOW_WAITING_MAX).unwrap();
    for _ in 0..max + 3 {
        let _ = get(&server, &token, "Observation/survey").expect(200);
    }
    let (looked, found) = look(&server);
    assert_eq!(looked, Looked { requests: max, left_out: 3 });
    assert!(found.iter().all(|one| one.outcome == Outcome::Withheld) && found.len() as u64 == max);
    assert_eq!(look(&server).0, Looked::default());
}
