//! Granular scopes: what is outside of them is not there, on every road. Rows B34, B35, B38, F1 to F4.

use crate::world::{category_scope, get, observation, patient, put, server};
use testkit::Server;

/// Two patients; an observation of each category about each; the client sees surveys.
fn world() -> (Server, String) {
    let (server, all) = server();
    for id in ["p1", "p2"] {
        let _ = put(&server, &all, id, patient(id)).expect(201);
    }
    let _ = put(&server, &all, "s1", observation("p1", "survey", "1")).expect(201);
    let _ = put(&server, &all, "l1", observation("p1", "laboratory", "2")).expect(201);
    let _ = put(&server, &all, "l2", observation("p2", "laboratory", "3")).expect(201);
    let scope = format!("{} system/Patient.rs", category_scope("rs", "survey"));
    let survey = server.token_for(&scope);
    (server, survey)
}

#[test]
fn reads() {
    let (server, survey) = world();
    let _ = get(&server, &survey, "Observation/s1").expect(200);
    assert_eq!(get(&server, &survey, "Observation/l1").expect(404).body, get(&server, &survey, "Observation/x").body);
    let _ = get(&server, &survey, "Observation/l1/_history").expect(404);
    let _ = get(&server, &survey, "Observation/l1/_history/1").expect(404);
    let _ = get(&server, &survey, "Encounter").expect(403);
}

/// F13, F14: what could tell of hidden rows by its time is held back; the rest is not.
#[test]
fn what_could_tell_by_its_time_is_held_back() {
    let (server, survey) = world();
    let all = server.token_for("system/Observation.rs");
    let held = |token: &str, path: &str| {
        let before = server.holds();
        let _ = get(&server, token, path);
        server.holds() - before
    };
    for path in [
        "Observation/l1",
        "Observation/x",
        "Observation/l1/_history/1",
        "Observation?code=2",
        "Patient?_has:Observation:patient:code=2",
    ] {
        assert_eq!(held(&survey, path), 1, "{path}");
        assert_eq!(held(&all, path), 0, "nothing is hidden: {path}");
    }
    assert_eq!(held(&survey, "Observation/s1"), 0, "it was found by its id");
    assert_eq!(held(&survey, "Encounter/x"), 0, "no data was looked at");
}

#[test]
fn searches_totals_and_counts() {
    let (server, survey) = world();
    let found = get(&server, &survey, "Observation?_total=accurate").expect(200);
    assert_eq!(found.entries("match"), ["Observation/s1"]);
    assert_eq!(found.json()["total"], 1);
    assert_eq!(get(&server, &survey, "Observation?_summary=count").json()["total"], 1);
    assert!(get(&server, &survey, "Observation?_id=l1,s1,l2").entries("match") == ["Observation/s1"]);
    assert!(get(&server, &survey, "Observation?value-quantity=gt1").entries("match").is_empty());
    let page = get(&server, &survey, "Observation?_count=1").expect(200);
    assert_eq!(page.link("next"), None, "no page hints at what is hidden");
}

#[test]
fn includes_both_ways() {
    let (server, survey) = world();
    let back = get(&server, &survey, "Patient?_revinclude=Observation:subject&_sort=_id").expect(200);
    assert_eq!(back.entries("match"), ["Patient/p1", "Patient/p2"]);
    assert_eq!(back.entries("include"), ["Observation/s1"]);
    let no_patients = server.token_for(&category_scope("rs", "survey"));
    let found = get(&server, &no_patients, "Observation?_include=Observation:subject").expect(200);
    assert_eq!((found.entries("match").len(), found.entries("include").len()), (1, 0));
}

/// F2: a chain or `_has` through what is hidden answers as if it were not there.
#[test]
fn joins_are_no_oracle() {
    let (server, survey) = world();
    let has = |criteria: &str| {
        get(&server, &survey, &format!("Patient?_has:Observation:subject:{criteria}")).entries("match")
    };
    assert_eq!(has("code=8867-4"), ["Patient/p1"]);
    assert!(has("value-quantity=2").is_empty());
    assert!(has("value-quantity=3").is_empty());
    let no_patients = server.token_for(&category_scope("rs", "survey"));
    let chained = get(&server, &no_patients, "Observation?subject:Patient.family=p1");
    assert!(chained.status == 403 || chained.entries("match").is_empty(), "{}", chained.text());
    assert_eq!(get(&server, &survey, "Observation?subject:Patient.family=p1").entries("match"), ["Observation/s1"]);
}

/// B34: scopes of one type add up.
#[test]
fn scopes_are_a_union() {
    let (server, _) = world();
    let both = format!("{} {}", category_scope("rs", "survey"), category_scope("s", "laboratory"));
    let both = server.token_for(&both);
    let found = get(&server, &both, "Observation?_sort=_id").expect(200);
    assert!(found.entries("match").contains(&"Observation/s1".to_owned()));
    let _ = get(&server, &both, "Observation/l1").expect(404);
}

/// F4, twin worlds in small: two stores that differ only in what is hidden give the same bytes.
#[test]
fn twin_worlds() {
    let (one, survey_one) = world();
    let (two, all) = server();
    for id in ["p1", "p2"] {
        let _ = put(&two, &all, id, patient(id)).expect(201);
    }
    let _ = put(&two, &all, "s1", observation("p1", "survey", "1")).expect(201);
    let survey_two = two.token_for(&format!("{} system/Patient.rs", category_scope("rs", "survey")));
    for path in [
        "Observation/s1",
        "Observation/l1",
        "Observation?_total=accurate&_sort=-_lastUpdated",
        "Observation?_count=1",
        "Observation?_id=l1",
        "Patient?_revinclude=Observation:subject",
        "Patient?_has:Observation:subject:value-quantity=2",
        "Patient/p1/Observation",
        "Patient/p2/Observation",
        "Observation/l2/_history",
    ] {
        assert_eq!(get(&one, &survey_one, path).body, get(&two, &survey_two, path).body, "{path}");
    }
}
