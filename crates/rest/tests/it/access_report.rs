//! `Patient/[id]/$access-report`: who saw a record. Rows F21, F22, H24.

use crate::world::{ALL, get, observation, patient, put};
use audit::{disclosure::Rule, report::StaffNames};
use oauth::caller::Role;
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{Person, Server};

const ANNA: Person = Person {
    id: "u-anna",
    name: "Anna Alba",
    role: Role::Patient,
    fhir_user: Some("Patient/anna"),
    patients: &["anna"],
};
const CARER: Person =
    Person { id: "u-carer", name: "Cara", role: Role::Caregiver, fhir_user: None, patients: &["anna"] };
const DOCTOR: Person =
    Person { id: "u-dr", name: "Dora Roth", role: Role::Clinician, fhir_user: Some("Practitioner/dr"), patients: &[] };
const OFFICER: Person =
    Person { id: "u-officer", name: "Olga", role: Role::PrivacyOfficer, fhir_user: None, patients: &[] };
const ADMINISTRATOR: Person =
    Person { id: "u-admin", name: "Adam", role: Role::Administrator, fhir_user: None, patients: &[] };

const REPORT: &str = "Patient/anna/$access-report";

fn facility() -> Server {
    let server = Server::new();
    let mut house = policy::House::clone(&server.store().house());
    house.clinicians = policy::Clinicians::Everyone;
    server.store().set_house(house);
    let all = server.token_for(ALL);
    for id in ["anna", "bert"] {
        drop(put(&server, &all, id, patient(id)).expect(201));
        drop(put(&server, &all, &format!("o-{id}"), observation(id, "survey", "1")).expect(201));
    }
    server
}

fn token(server: &Server, person: &Person, scope: &str) -> String {
    server.tokens().token_of_person(person, Some("anna"), scope)
}

fn anna(server: &Server) -> String {
    token(server, &ANNA, "patient/AuditEvent.rs")
}

/// The parameters of this name, each as its parts by name; `what` as a list.
fn told(answer: &Value, name: &str) -> Vec<Value> {
    let all = answer["parameter"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|one| one["name"] == name).map(|one| plain(&one)).collect()
}

fn plain(parameter: &Value) -> Value {
    let mut out = json!({});
    for part in parameter["part"].as_array().into_iter().flatten() {
        let name = part["name"].as_str().unwrap();
        let value = if part.get("part").is_some() {
            plain(part)
        } else {
            part.as_object().unwrap().iter().find(|(key, _)| key.starts_with("value")).unwrap().1.clone()
        };
        if matches!(name, "what" | "why") {
            let list = out.as_object_mut().unwrap().entry(name).or_insert_with(|| json!([]));
            list.as_array_mut().unwrap().push(value);
        } else {
            out[name] = value;
        }
    }
    out
}

/// F21, B34: a report is of all that was done. Whoever may see some of the events alone gets none.
#[test]
fn a_part_of_the_events_gives_no_report() {
    let server = facility();
    let _ = get(&server, &anna(&server), REPORT).expect(200);
    for part in ["action=C", "action=R", "date=lt1980-01-01", "_id=x", "agent-name=Dora"] {
        let token = token(&server, &ANNA, &format!("patient/AuditEvent.rs?{part}"));
        let _ = get(&server, &token, REPORT).expect(404);
        let whole = self::token(&server, &ANNA, &format!("patient/AuditEvent.rs?{part} patient/AuditEvent.rs"));
        let _ = get(&server, &whole, REPORT).expect(200);
    }
}

/// F21: who, when, what, why; a line for each day and who, and nothing of anybody else.
#[test]
fn f21_a_patient_is_told_who_saw_their_record() {
    let server = facility();
    let doctor = token(&server, &DOCTOR, "user/*.rs");
    for _ in 0..3 {
        let _ = get(&server, &doctor, "Observation/o-anna").expect(200);
    }
    let _ = get(&server, &doctor, "Observation?patient=anna").expect(200);
    let _ = get(&server, &doctor, "Patient/anna").expect(200);
    let _ = get(&server, &doctor, "Observation/o-bert").expect(200);
    let _ = get(&server, &doctor, "Observation/none").expect(404);
    let answer = get(&server, &anna(&server), REPORT).expect(200).json();
    let lines = told(&answer, "access");
    let of_doctor: Vec<&Value> = lines.iter().filter(|line| line["person"] == "Dora Roth").collect();
    let [line] = of_doctor.as_slice() else { panic!("{lines:#?}") };
    assert_eq!((&line["role"], &line["why"][0]["code"]), (&json!("clinician"), &json!("TREAT")));
    let what: Vec<(&str, &str, i64)> = line["what"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["deed"].as_str().unwrap(), one["text"].as_str().unwrap(), one["times"].as_i64().unwrap()))
        .collect();
    assert!(what.contains(&("looked", "results and measurements", 4)) && what.contains(&("looked", "who you are", 1)));
    assert_eq!(what.len(), 2);
    assert!(!answer.to_string().contains("bert"));
    // The report is told in the next one: H24, audit of audit (F22).
    let answer = get(&server, &anna(&server), REPORT).expect(200).json();
    let own = told(&answer, "access").into_iter().find(|line| line["person"] == "Anna Alba").unwrap();
    assert_eq!(own["what"][0]["text"], "who saw the record");
    // A list with several people is called that, and tells of nobody else.
    let _ = get(&server, &doctor, "Observation").expect(200);
    let answer = get(&server, &anna(&server), REPORT).expect(200).json();
    assert!(told(&answer, "access").iter().any(|line| line["inList"] == true));
    assert!(!answer.to_string().contains("bert"));
}

/// F22: the patient, a caregiver of theirs, the privacy officer; for all others it is not there or refused.
#[test]
fn f22_nobody_else_is_told() {
    let server = facility();
    let doctor = token(&server, &DOCTOR, "user/*.rs");
    let _ = get(&server, &doctor, "Observation/o-anna").expect(200);
    for (person, scope) in [(&CARER, "patient/AuditEvent.rs"), (&OFFICER, "user/AuditEvent.rs")] {
        let answer = get(&server, &token(&server, person, scope), REPORT).expect(200).json();
        let lines = told(&answer, "access");
        let line = lines.iter().find(|line| line["person"] == "Dora Roth").unwrap();
        let expected = if person.role == Role::Caregiver { "the record" } else { "results and measurements" };
        assert_eq!(line["what"][0]["text"], expected, "{:?}", person.role);
    }
    for (token, status) in [
        (token(&server, &ANNA, "patient/*.rs"), 403),
        (token(&server, &DOCTOR, "user/*.rs user/AuditEvent.rs"), 403),
        (token(&server, &ADMINISTRATOR, "user/AuditEvent.rs"), 403),
        (server.token_for("system/*.cruds"), 403),
        (server.tokens().token_of_organization(None, &["HPAYMT"], "system/*.rs"), 403),
    ] {
        let _ = get(&server, &token, REPORT).expect(status);
    }
    let carer_without = server.tokens().token_of_person(
        &Person { patients: &["bert"], ..CARER },
        Some("bert"),
        "patient/AuditEvent.rs",
    );
    let hidden = get(&server, &carer_without, REPORT).expect(404);
    let absent = get(&server, &carer_without, "Patient/none/$access-report").expect(404);
    assert_eq!(hidden.json()["issue"], absent.json()["issue"]);
    let _ = server
        .request("POST", REPORT)
        .token(&anna(&server))
        .json(&json!({"resourceType": "Parameters"}))
        .send()
        .expect(405);
}

/// F21: what left for another purpose than treatment, payment and operations stands apart; the house can count all.
#[test]
fn f21_disclosures_stand_apart() {
    let server = facility();
    let outside = server.tokens().token_of_partner("system/*.rs");
    let health_office = |purpose: &str| {
        let request = server.request("GET", "Observation/o-anna").token(&outside).header("x-purpose-of-use", purpose);
        let _ = request.send().expect(200);
    };
    health_office("TREAT");
    let report = |server: &Server| get(server, &anna(server), REPORT).expect(200).json();
    assert_eq!(told(&report(&server), "disclosure"), Vec::<Value>::new());
    server.service().set_accounting(rest::Accounting { disclosures: Rule::All, ..rest::Accounting::default() });
    health_office("TREAT");
    let own = server.token_for("system/*.rs");
    let _ = get(&server, &own, "Observation/o-anna").expect(200);
    let disclosed = told(&report(&server), "disclosure");
    assert_eq!(disclosed.len(), 1, "the house's own system is nobody outside: {disclosed:#?}");
    assert_eq!(disclosed[0]["what"][0]["times"], 1);
    // As an event of its own, made of the same record.
    let officer = token(&server, &OFFICER, "user/AuditEvent.rs");
    let events = get(&server, &officer, "AuditEvent?type=110106&patient=anna").expect(200).json();
    assert_eq!(events["entry"].as_array().unwrap().len(), 1);
    assert_eq!(events["entry"][0]["resource"]["subtype"][0]["code"], "disclose");
}

/// F21: names of staff are the house's to tell.
#[test]
fn f21_staff_can_be_told_by_role_alone() {
    let server = facility();
    let client_name = Arc::new(|_: &str| Some("The chart".to_owned()));
    server.service().set_accounting(rest::Accounting {
        staff: StaffNames::Role,
        client_name,
        ..rest::Accounting::default()
    });
    let _ = get(&server, &token(&server, &DOCTOR, "user/*.rs"), "Observation/o-anna").expect(200);
    let answer = get(&server, &anna(&server), REPORT).expect(200).json();
    assert!(!answer.to_string().contains("Dora"));
    let line = told(&answer, "access").into_iter().find(|line| line["role"] == "clinician").unwrap();
    assert_eq!(line["app"], "The chart");
}

/// F21: parts are whole days, together all of it; what cannot be is refused by name.
#[test]
fn f21_the_report_comes_in_parts() {
    let server = facility();
    for _ in 0..6 {
        let doctor = token(&server, &DOCTOR, "user/*.rs");
        let _ = get(&server, &doctor, "Observation/o-anna").expect(200);
        server.clock().advance_s(86_400);
    }
    let (mut path, mut dates) = (format!("{REPORT}?_count=2&start=2000-01-01"), Vec::new());
    let token = server.tokens().token_of_person(&ANNA, Some("anna"), "patient/AuditEvent.rs");
    loop {
        let answer = get(&server, &token, &path).expect(200).json();
        let lines = told(&answer, "access");
        dates.extend(
            lines
                .iter()
                .filter(|line| line["role"] == "clinician")
                .map(|line| line["date"].as_str().unwrap().to_owned()),
        );
        let all = answer["parameter"].as_array().cloned().unwrap_or_default();
        let Some(next) = all.iter().find(|one| one["name"] == "next") else { break };
        path = next["valueUrl"]
            .as_str()
            .unwrap()
            .rsplit_once("/Patient/")
            .map(|(_, rest)| format!("Patient/{rest}"))
            .unwrap();
    }
    let mut unique = dates.clone();
    unique.dedup();
    assert!(dates.len() >= 5 && unique == dates && dates.is_sorted_by(|a, b| a > b), "{dates:?}");
    for wrong in ["start=soon", "_count=0", "count=1", "start=2026-01-01&start=2026-01-02"] {
        let _ = get(&server, &token, &format!("{REPORT}?{wrong}")).expect(400);
    }
    let none = get(&server, &token, &format!("{REPORT}?end=1990-01-01")).expect(200).json();
    assert_eq!(none, json!({"resourceType": "Parameters"}));
}

/// The operation's definition is valid, and the capability statement names it.
#[test]
fn the_operation_is_defined() {
    let text = include_str!("../../definitions/access-report.json");
    let tree = fhir::json::Tree::parse(text.as_bytes().to_vec()).unwrap();
    let valid = validation::validate(tree, fhir::schema::r4());
    assert!(valid.is_ok(), "{:#?}", valid.err());
    let server = Server::new();
    let statement = server.request("GET", "metadata").send().expect(200).json();
    let resources = statement["rest"][0]["resource"].as_array().unwrap().clone();
    let patient = resources.into_iter().find(|one| one["type"] == "Patient").unwrap();
    let operation = patient["operation"].as_array().unwrap().iter().find(|one| one["name"] == "access-report").cloned();
    assert_eq!(operation.unwrap()["definition"], "#access-report");
    assert!(statement["contained"].as_array().unwrap().iter().any(|one| one["id"] == "access-report"));
}
