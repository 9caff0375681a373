//! The facility's own rules over the service: what a rule denies is not there, on roads that change things too. Rows F7,
//! F13, F14, G16.

use crate::world::{ALL, get, observation, patient, put, shape};
use oauth::caller::Role;
use policy::{Clinicians, rules::Rules};
use serde_json::json;
use std::sync::Arc;
use testkit::{Person, Server};

const NURSE: Person =
    Person { id: "u-nurse", name: "Nora", role: Role::Clinician, fhir_user: Some("Practitioner/nurse"), patients: &[] };

const RULES: &str = "
deny \"Surveys are not there for clinicians\"
    who      role clinician
    may not  see
    what     Observation?category=survey
";

/// A rule against seeing alone left changing open, and that told of a hidden resource and of its versions (found by
/// `cargo xtask twin`).
#[test]
fn f7_what_a_rule_hides_is_not_changed_and_not_told() {
    let server = Server::new();
    let all = server.token_for(ALL);
    let _ = put(&server, &all, "ada", patient("ada")).expect(201);
    let _ = put(&server, &all, "kept", observation("ada", "survey", "1")).expect(201);
    let _ = put(&server, &all, "kept", observation("ada", "survey", "2")).expect(200);
    let mut house = policy::House::clone(&server.store().house());
    house.clinicians = Clinicians::Everyone;
    house.rules = Arc::new(Rules::read(RULES, search::registry::registry()).unwrap());
    server.store().set_house(house);
    let token = server.tokens().token_of_person(&NURSE, None, "user/*.cruds");
    for method in ["PUT", "DELETE"] {
        let of = |id: &str| {
            let mut body = observation("ada", "laboratory", "3");
            body["id"] = json!(id);
            shape(&server.request(method, &format!("Observation/{id}")).token(&token).json(&body).send(), id)
        };
        assert_eq!(of("kept"), of("nothing-here"), "{method}");
    }
    assert_eq!(get(&server, &all, "Observation/kept").expect(200).json()["meta"]["versionId"], "2");
    // And what is there cannot be made such that it is not.
    let made = server.request("POST", "Observation").token(&token).json(&observation("ada", "laboratory", "3")).send();
    let mut body = observation("ada", "survey", "3");
    body["id"] = json!(made.id());
    let path = format!("Observation/{}", made.id());
    assert_eq!(server.request("PUT", &path).token(&token).json(&body).send().status, 403);
}
