//! `$explain-access`: why may somebody see it, or why not, and who may know that. Row G18, H33.

use crate::world::{ALL, get, observation, patient, put, shape};
use oauth::caller::{Role, User};
use policy::{House, Rules};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{Person, Reply, Server};

const OFFICER: Person =
    Person { id: "u-officer", name: "Olga", role: Role::PrivacyOfficer, fhir_user: None, patients: &[] };
const DOCTOR: Person =
    Person { id: "u-dr", name: "Dora", role: Role::Clinician, fhir_user: Some("Practitioner/dr"), patients: &[] };
const ANNA: Person =
    Person { id: "u-anna", name: "Anna", role: Role::Patient, fhir_user: Some("Patient/anna"), patients: &["anna"] };

const RULES: &str = "
deny \"Nobody sees laboratory results\"
    who      any person
    may not  see
    what     Observation?category=laboratory
";

/// Whom the server knows by name.
struct Known;

impl rest::Acquaintances for Known {
    fn user(&self, name: &str) -> Option<Arc<User>> {
        let user = User {
            id: "u-dr".into(),
            name: "Dora".into(),
            role: Role::Clinician,
            fhir_user: Some("Practitioner/dr".into()),
            patients: Arc::default(),
            glasses: Arc::default(),
            may_break_glass: false,
        };
        (name == "dora").then(|| Arc::new(user))
    }

    fn client(&self, _: &str) -> Option<oauth::caller::Grant> {
        None
    }
}

fn server() -> Server {
    let server = Server::new();
    let all = server.token_for(ALL);
    let make = |id: &str, resource: Value| drop(put(&server, &all, id, resource).expect(201));
    make("dr", json!({"resourceType": "Practitioner"}));
    let mut anna = patient("anna");
    anna["generalPractitioner"] = json!([{"reference": "Practitioner/dr"}]);
    make("anna", anna);
    make("bert", patient("bert"));
    make("vital", observation("anna", "vital-signs", "1"));
    make("lab", observation("anna", "laboratory", "2"));
    make("other", observation("bert", "vital-signs", "3"));
    let mut house = House::default();
    house.rules = Arc::new(Rules::read(RULES, search::registry()).unwrap());
    server.store().set_house(house);
    server.service().meet(Arc::new(Known));
    server
}

fn token(server: &Server, person: &Person, scope: &str) -> String {
    server.tokens().token_of_person(person, None, scope)
}

fn explain(server: &Server, token: &str, what: &str) -> Reply {
    get(server, token, what)
}

fn refused(server: &Server, token: &str, what: &str, status: u16) {
    assert_eq!(explain(server, token, what).status, status, "{what}");
}

/// `(may, parts as (source, name, effect))`
fn parts(reply: Reply) -> (bool, Vec<(String, String, String)>) {
    let body = reply.expect(200).json();
    let all = body["parameter"].as_array().unwrap();
    let of = |part: &Value, name: &str| {
        let found = part["part"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
        found["valueCode"].as_str().or(found["valueString"].as_str()).unwrap().to_owned()
    };
    let parts = all.iter().filter(|one| one["name"] == "part");
    let may = all.iter().find(|one| one["name"] == "may").unwrap()["valueBoolean"].as_bool().unwrap();
    (may, parts.map(|part| (of(part, "source"), of(part, "name"), of(part, "effect"))).collect())
}

fn has(parts: &[(String, String, String)], source: &str, name: &str, effect: &str) {
    let found = parts.iter().any(|one| one.0 == source && one.1.contains(name) && one.2 == effect);
    assert!(found, "{source} {name} {effect}: {parts:?}");
}

#[test]
fn g18_the_officer_learns_what_counted() {
    let server = server();
    let officer = token(&server, &OFFICER, "user/AuditEvent.rs");
    let (may, found) = parts(explain(&server, &officer, "Observation/lab/$explain-access?user=dora"));
    assert!(!may);
    has(&found, "reach", "role clinician", "gives");
    has(&found, "rule", "Nobody sees laboratory results", "withholds");
    let (may, found) = parts(explain(&server, &officer, "Observation/vital/$explain-access?user=dora"));
    assert!(may);
    has(&found, "rule", "Nobody sees laboratory results", "lets-through");
    let (may, found) = parts(explain(&server, &officer, "Observation/other/$explain-access?user=dora"));
    assert!(!may, "no relation");
    has(&found, "reach", "role clinician", "gives-not");
    let (may, found) =
        parts(explain(&server, &officer, "Observation/vital/$explain-access?user=dora&scope=user/Patient.r"));
    assert!(!may);
    has(&found, "scope", "user/Patient.r", "silent");
    // In the words of the tests of rules; for another need; their own view.
    let other = "Observation/lab/$explain-access?as=role%20patient,%20patients%20anna";
    has(&parts(explain(&server, &officer, other)).1, "rule", "Nobody sees", "withholds");
    let (may, _) = parts(explain(&server, &officer, "Observation/vital/$explain-access?user=dora&need=delete"));
    assert!(may);
    assert!(!parts(explain(&server, &officer, "Observation/vital/$explain-access")).0);
    refused(&server, &officer, "Observation/none/$explain-access?user=dora", 404);
    for wrong in
        ["user=nobody", "client=x", "need=look", "purpose=NONE", "scope=user/Patient", "as=role%20doctor", "nonsense=1"]
    {
        refused(&server, &officer, &format!("Observation/vital/$explain-access?{wrong}"), 400);
    }
}

/// By POST with Parameters as well; and what counted is in the log.
#[test]
fn g18_a_question_is_recorded_with_what_counted() {
    let server = server();
    let officer = token(&server, &OFFICER, "user/AuditEvent.rs");
    let asked = json!({"resourceType": "Parameters", "parameter": [{"name": "user", "valueString": "dora"}]});
    let reply = server
        .request("POST", "Observation/lab/$explain-access")
        .header("authorization", &format!("Bearer {officer}"))
        .json(&asked)
        .send();
    assert!(!parts(reply).0);
    let events = get(&server, &officer, "AuditEvent?_sort=-date&_count=5").expect(200).text();
    assert!(events.contains("Nobody sees laboratory results"), "{events}");
}

/// Nobody else learns anything: not whether it is there, either.
#[test]
fn g18_to_others_hidden_is_absent() {
    let server = server();
    let doctor = token(&server, &DOCTOR, "user/*.cruds");
    let hidden = explain(&server, &doctor, "Observation/other/$explain-access").expect(403);
    let absent = explain(&server, &doctor, "Observation/none/$explain-access").expect(403);
    let seen = explain(&server, &doctor, "Observation/vital/$explain-access").expect(403);
    assert_eq!(shape(&hidden, "ID"), shape(&absent, "ID"));
    assert_eq!(shape(&hidden, "ID"), shape(&seen, "ID"));

    let anna = token(&server, &ANNA, "user/*.rs");
    let (may, found) = parts(explain(&server, &anna, "Observation/vital/$explain-access"));
    assert!(may);
    has(&found, "reach", "role patient", "gives");
    let hidden = explain(&server, &anna, "Observation/lab/$explain-access").expect(404);
    let others = explain(&server, &anna, "Observation/other/$explain-access").expect(404);
    let absent = explain(&server, &anna, "Observation/none/$explain-access").expect(404);
    assert_eq!(shape(&hidden, "ID"), shape(&absent, "ID"));
    assert_eq!(shape(&others, "ID"), shape(&absent, "ID"));
    // Another's view is not hers to ask for.
    refused(&server, &anna, "Observation/vital/$explain-access?user=dora", 403);
    refused(&server, &anna, "Observation/none/$explain-access?user=dora", 403);
    let partner = server.tokens().token_of_partner("system/Observation.cruds");
    refused(&server, &partner, "Observation/vital/$explain-access", 403);
    // Whoever reads the whole log may know.
    let system = server.token_for("system/AuditEvent.r");
    assert!(!parts(explain(&server, &system, "Observation/lab/$explain-access?user=dora")).0);
}
