//! Conditional create: `If-None-Exist`.

use crate::world::{category_scope, get, observation, patient, server};

#[test]
fn one_match_is_the_answer_and_several_are_an_error() {
    let (server, token) = server();
    let send = |family: &str| {
        server
            .request("POST", "Patient")
            .token(&token)
            .header("if-none-exist", "identifier=urn:test:mrn|A")
            .json(&patient(family))
            .send()
    };
    let first = send("A").expect(201);
    let second = send("A").expect(200);
    assert_eq!(second.id(), first.id());
    assert_eq!(second.header("etag"), Some("W/\"1\""));
    let _ = server.request("POST", "Patient").token(&token).json(&patient("A")).send().expect(201);
    assert_eq!(send("A").expect(412).issue().0, "multiple-matches");
    assert_eq!(get(&server, &token, "Patient?_summary=count").json()["total"], 2);
}

#[test]
fn conditions_are_strict() {
    let (server, token) = server();
    let send = |condition: &str| {
        server
            .request("POST", "Patient")
            .token(&token)
            .header("if-none-exist", condition)
            .header("prefer", "handling=lenient")
            .json(&patient("A"))
            .send()
    };
    assert!(send("colour=red").expect(400).issue().1.contains("colour"));
    let _ = send("").expect(400);
    let _ = send("_count=1").expect(400);
}

/// F8: a match that the caller may not see is none.
#[test]
fn hidden_matches_do_not_count() {
    let (server, token) = server();
    let _ = server.request("POST", "Observation").token(&token).json(&observation("p", "laboratory", "1")).send();
    let survey = server.token_for(&category_scope("cruds", "survey"));
    let send = || {
        server
            .request("POST", "Observation")
            .token(&survey)
            .header("if-none-exist", "code=8867-4")
            .json(&observation("p", "survey", "2"))
            .send()
    };
    let _ = send().expect(201);
    let _ = send().expect(200);
}

/// B31: a condition is a search, so it needs `s` besides `c`.
#[test]
fn a_condition_needs_search() {
    let server = testkit::Server::new();
    let token = server.token_for("system/Patient.c");
    let send = |condition: Option<&str>| {
        let request = server.request("POST", "Patient").token(&token).json(&patient("A"));
        condition.map_or(server.request("POST", "Patient").token(&token).json(&patient("A")), |condition| {
            request.header("if-none-exist", condition)
        })
    };
    let _ = send(None).send().expect(201);
    let _ = send(Some("identifier=A")).send().expect(403);
}
