//! The log for people over a real store: who is told what, unusual access that outlives a restart, reviews that stand.
//! Rows F21, F22, F50.

use super::*;
use serde_json::json;
use testkit::{Person, Server};

fn person(id: &str, role: Role, patients: &[&str]) -> Arc<User> {
    Arc::new(User {
        id: id.into(),
        name: "Olga Roth".into(),
        role,
        fhir_user: (role == Role::Patient).then(|| format!("Patient/{}", patients[0]).into()),
        patients: patients.iter().map(|id| Arc::from(*id)).collect(),
        glasses: Arc::default(),
        may_break_glass: false,
    })
}

fn put(server: &Server, id: &str, family: &str, meta: &Value) {
    let token = server.token_for("system/*.cruds");
    let patient =
        json!({"resourceType": "Patient", "id": id, "meta": meta, "name": [{"family": family, "given": ["Rosa"]}]});
    drop(server.request("PUT", &format!("Patient/{id}")).token(&token).json(&patient).send().expect(201));
}

const DOCTOR: Person =
    Person { id: "dr", name: "Dora Roth", role: Role::Clinician, fhir_user: Some("Practitioner/dr"), patients: &[] };

/// A doctor looks at both.
fn looks(server: &Server) {
    let doctor = server.tokens().token_of_person(&DOCTOR, None, "user/*.rs");
    for id in ["p1", "p2"] {
        drop(server.request("GET", &format!("Patient/{id}")).token(&doctor).send().expect(200));
    }
    server.store().log().sync().unwrap();
}

/// A doctor has looked at both while the log was watched, and is called as one of them.
pub(crate) fn facility() -> Server {
    let server = Server::new();
    let mut house = policy::House::clone(&server.store().house());
    house.clinicians = policy::Clinicians::Everyone;
    server.store().set_house(house);
    put(&server, "p1", "Roth", &json!({"tag": [{"system": "urn:house", "code": "ward"}]}));
    put(&server, "p2", "Young", &json!({"tag": [{"system": "urn:house", "code": "board"}]}));
    drop(ledger(&server));
    looks(&server);
    server
}

/// The server of the facility has a runtime of its own, so it is made and ends outside of the test's.
pub(crate) fn wait(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(work);
}

pub(crate) fn ledger(server: &Server) -> Ledger {
    let clock = server.clock().clone();
    Ledger::new(Arc::clone(server.store()), Arc::new(move || clock.now())).unwrap()
}

#[test]
fn f21_f22_each_is_told_of_their_own() {
    let server = facility();
    let ledger = ledger(&server);
    let id = |id: &str| LogicalId::parse(id).unwrap();
    let lines =
        |user: &Arc<User>, of: &str| ledger.report(user, &id(of), None, 50).unwrap().map(|report| report.lines.len());
    let rosa = person("rosa", Role::Patient, &["p1"]);
    assert_eq!((lines(&rosa, "p1"), lines(&rosa, "p2"), lines(&rosa, "none")), (Some(2), None, None));
    let records = ledger.records(&rosa).unwrap();
    assert_eq!(records.iter().map(|record| &*record.id).collect::<Vec<_>>(), ["p1"]);
    let officer = person("olga", Role::PrivacyOfficer, &[]);
    assert_eq!(lines(&officer, "p2"), Some(2));
    for other in [Role::Clinician, Role::Administrator] {
        assert_eq!(lines(&person("x", other, &[]), "p1"), None, "{other:?}");
    }
    let found = |criteria: &[(&str, &str)]| ledger.search(&officer, criteria, None).unwrap().events.len();
    assert_eq!(found(&[("agent-name:contains", "Dora")]), 2);
    assert_eq!(found(&[("agent-name:contains", "Dora"), ("patient", "Patient/p2")]), 1);
    assert_eq!(found(&[("agent-name:contains", "Nobody")]), 0);
    assert!(ledger.search(&rosa, &[], None).unwrap().events.iter().all(|(_, seen)| seen.entry.patients == [id("p1")]));
    let (event, _) = ledger.search(&officer, &[("patient", "Patient/p2")], None).unwrap().events.remove(0);
    assert!(ledger.event(&officer, &event).is_some() && ledger.event(&rosa, &event).is_none());
}

/// F50: what is unusual is kept before anybody is told, once, over restarts; a review stands, and nobody reviews their own.
#[test]
fn f50_unusual_access_is_kept_and_reviewed_once() {
    let server = facility();
    let first = ledger(&server);
    let watching = Watching { protected: Some("board".into()), ..Watching::default() };
    *first.watching.lock().unwrap() = Arc::new(watching.clone());
    let told: Vec<Rule> = first.watch().unwrap().into_iter().map(|alarm| alarm.rule).collect();
    assert_eq!(told, [Rule::Family, Rule::Protected]);
    assert_eq!((first.watch().unwrap().len(), first.open()), (0, 2));
    drop(first);
    let second = ledger(&server);
    *second.watching.lock().unwrap() = Arc::new(watching);
    assert_eq!(
        (second.open(), second.watch().unwrap().len(), second.open()),
        (2, 0, 2),
        "a restart tells nothing again"
    );
    let rows = second.alarms().unwrap();
    let officer = person("olga", Role::PrivacyOfficer, &[]);
    let row = &rows[0];
    assert_eq!(
        second.review(&person("dr", Role::PrivacyOfficer, &[]), &row.id, "fine", "x", |_| Ok(())),
        Err(NotReviewed::Own)
    );
    // Another account of the same person is that person.
    let other =
        User { fhir_user: Some("Practitioner/dr".into()), ..User::clone(&person("dr-2", Role::PrivacyOfficer, &[])) };
    assert_eq!(second.review(&other, &row.id, "fine", "x", |_| Ok(())), Err(NotReviewed::Own));
    assert_eq!(second.review(&officer, "cursor", "fine", "x", |_| Ok(())), Err(NotReviewed::Unknown));
    let down = second.review(&officer, &row.id, "misuse", "Asked her.", |_| Err::<(), _>("no log".to_owned()));
    assert!(matches!(down, Err(NotReviewed::Unavailable(_))), "F25: nothing is kept without its record");
    let (kept, ()) = second.review(&officer, &row.id, "misuse", "Asked her.", |_| Ok(())).unwrap();
    assert_eq!(kept.review.unwrap().by, "Olga Roth");
    assert_eq!(second.review(&officer, &row.id, "fine", "again", |_| Ok(())), Err(NotReviewed::Done));
    assert_eq!(second.open(), 1);
    assert_eq!(
        second.alarms().unwrap().last().map(|row| row.review.is_some()),
        Some(true),
        "those that wait come first"
    );
}

/// F50: the first start with the rules, on a log of before: what is past is nobody's news, what follows is.
#[test]
fn f50_a_log_of_before_raises_no_alarms() {
    let server = facility();
    let table = server.store().table("audit_alarms").unwrap();
    table.remove(CURSOR).unwrap();
    let first = ledger(&server);
    assert_eq!((first.watch().unwrap().len(), first.open()), (0, 0));
    looks(&server);
    assert_eq!(first.watch().unwrap().into_iter().map(|alarm| alarm.rule).collect::<Vec<_>>(), [Rule::Family]);
}
