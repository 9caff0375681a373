//! Tests of `records`, on a real store: who finds whom (rows B25, F1), by which words, and what a hostile word does.

use super::{FOUND_MAX, PatientRecord, Records, Stored, Wanted};
use oauth::caller::{Role, User};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::Server;

fn person(role: Role, patients: &[&str]) -> Arc<User> {
    Arc::new(User {
        id: "u".into(),
        name: "U".into(),
        role,
        fhir_user: None,
        patients: patients.iter().map(|id| Arc::from(*id)).collect(),
        glasses: Arc::default(),
        may_break_glass: false,
    })
}

fn put(server: &Server, id: &str, mut resource: Value) {
    resource["id"] = json!(id);
    let token = server.token_for("system/*.cruds");
    let path = format!("{}/{id}", resource["resourceType"].as_str().unwrap());
    drop(server.request("PUT", &path).token(&token).json(&resource).send().expect(201));
}

fn patient(given: &str, family: &str, number: &str) -> Value {
    json!({
        "resourceType": "Patient",
        "identifier": [{ "system": "urn:test:mrn", "value": number }],
        "name": [
            { "use": "maiden", "family": "Formerly", "given": [given] },
            { "use": "official", "family": family, "given": [given, "M."] },
        ],
        "birthDate": "1943-05-17",
    })
}

fn encounter(patient: &str, status: &str, start: &str, part_of: Option<&str>) -> Value {
    let mut visit = json!({
        "resourceType": "Encounter", "status": status, "class": { "code": "IMP" },
        "subject": { "reference": format!("Patient/{patient}") }, "period": { "start": start },
    });
    if let Some(whole) = part_of {
        visit["partOf"] = json!({ "reference": format!("Encounter/{whole}") });
    }
    visit
}

/// A server whose clinicians see everyone.
fn server() -> Server {
    let server = Server::new();
    let mut house = policy::House::default();
    house.clinicians = policy::Clinicians::Everyone;
    server.store().set_house(house);
    server
}

fn facility() -> Server {
    let server = server();
    put(&server, "rosa", patient("Rosa", "Díaz", "MRN-1001"));
    put(&server, "rolf", patient("Rolf", "Diaz-Berg", "MRN-1002"));
    put(&server, "carl", patient("Carl", "Young", "77"));
    put(&server, "e-old", encounter("rosa", "finished", "2025-01-01", None));
    put(&server, "e-now", encounter("rosa", "in-progress", "2026-02-01", None));
    put(&server, "e-part", encounter("rosa", "in-progress", "2026-02-02", Some("e-now")));
    put(&server, "e-not", encounter("rosa", "cancelled", "2026-03-01", None));
    put(&server, "e-carl", encounter("carl", "finished", "2026-03-01", None));
    server
}

fn records(server: &Server) -> Stored {
    let clock = server.clock().clone();
    Stored { store: Arc::clone(server.store()), clock: Arc::new(move || clock.now()) }
}

fn found(server: &Server, user: &Arc<User>, words: &str) -> Vec<String> {
    let patients = records(server).patients(user, words).unwrap();
    assert!(!patients.has_more);
    patients.found.iter().map(|patient| patient.id.to_string()).collect()
}

#[test]
fn by_name_and_number() {
    let server = facility();
    let clinician = person(Role::Clinician, &[]);
    let cases: [(&str, &[&str]); 12] = [
        ("diaz", &["rosa", "rolf"]),
        ("  DIAZ  ro ", &["rosa", "rolf"]),
        ("rosa diaz", &["rosa"]),
        ("Diaz Rosa", &["rosa"]),
        ("formerly", &["rosa", "rolf", "carl"]),
        ("MRN-1002", &["rolf"]),
        ("77", &["carl"]),
        ("nobody", &[]),
        ("", &[]),
        ("   ", &[]),
        // Not more than a text: no list, no system, no escape.
        ("diaz,young", &[]),
        ("urn:test:mrn|77 a\\ $", &[]),
    ];
    for (words, ids) in cases {
        let mut found = found(&server, &clinician, words);
        found.sort();
        let mut ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        ids.sort();
        assert_eq!(found, ids, "{words:?}");
    }
    for hostile in ["x".repeat(100_000), "a ".repeat(50_000), "\u{0}'\"<>%2F".into()] {
        assert_eq!(found(&server, &clinician, &hostile), [""; 0]);
    }
    let rosa = records(&server).patient(&clinician, "rosa").unwrap();
    let born = Some("1943-05-17".to_owned());
    assert_eq!(rosa, PatientRecord { id: "rosa".into(), name: "Rosa M. Díaz".into(), born });
}

/// Rows B25, F1: each finds whom their role lets them see, and who is hidden is as absent.
#[test]
fn nobody_finds_more_than_policy_lets_them_see() {
    let server = facility();
    let caregiver = person(Role::Caregiver, &["rolf", "carl"]);
    assert_eq!(found(&server, &caregiver, "formerly"), ["rolf", "carl"]);
    assert_eq!(found(&server, &person(Role::Patient, &["rosa"]), "formerly"), ["rosa"]);
    assert!(records(&server).patient(&caregiver, "carl").is_some());
    assert_eq!(records(&server).visits(&caregiver, "carl").unwrap().len(), 1);
    assert_eq!(records(&server).visits(&caregiver, "rosa").unwrap(), []);
    for id in ["rosa", "nobody", "", "../rolf", "Patient/rolf"] {
        assert_eq!(records(&server).patient(&caregiver, id), None, "{id}");
    }
    for role in [Role::PrivacyOfficer, Role::Administrator] {
        let nobody = person(role, &["rosa"]);
        assert_eq!(records(&server).patient(&nobody, "rosa"), None, "{role:?}");
        assert_eq!(records(&server).patients(&nobody, "rosa"), None, "{role:?}");
        assert_eq!(records(&server).visits(&nobody, "rosa").unwrap(), [], "{role:?}");
    }
}

#[test]
fn visits_latest_first_without_parts_and_cancelled_ones() {
    let server = facility();
    let visits = records(&server).visits(&person(Role::Clinician, &[]), "rosa").unwrap();
    let shown: Vec<_> =
        visits.iter().map(|visit| (&*visit.id, visit.began.as_deref(), visit.class.as_deref())).collect();
    assert_eq!(shown, [("e-now", Some("2026-02-01"), Some("IMP")), ("e-old", Some("2025-01-01"), Some("IMP"))]);
}

/// Row B50: what is in context with a visit is of the same patient, and what this person may see.
#[test]
fn b50_what_is_around_a_visit() {
    let server = facility();
    let reference = |to: &str| json!({ "reference": to });
    let episode = |of: &str| {
        let patient = format!("Patient/{of}");
        json!({ "resourceType": "EpisodeOfCare", "status": "active", "patient": reference(&patient) })
    };
    put(&server, "stay", episode("rosa"));
    put(&server, "another", episode("carl"));
    let order = json!({
        "resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": reference("Patient/rosa"),
    });
    put(&server, "order", order);
    let part = |actor: &str| json!({ "actor": reference(actor), "status": "accepted" });
    let appointment = json!({
        "resourceType": "Appointment", "status": "proposed", "participant": [part("Patient/rolf"), part("Patient/rosa")],
    });
    put(&server, "slot", appointment);
    put(&server, "gone", episode("rosa"));
    let mut visit = encounter("rosa", "in-progress", "2026-02-01", None);
    visit["episodeOfCare"] = json!([
        reference("EpisodeOfCare/stay"),
        reference("EpisodeOfCare/stay"),
        reference("EpisodeOfCare/another"),
        reference("EpisodeOfCare/gone"),
        reference("https://elsewhere.example/fhir/EpisodeOfCare/stay"),
        { "identifier": { "value": "no reference" } },
    ]);
    visit["basedOn"] = json!([reference("ServiceRequest/order")]);
    visit["appointment"] = json!([reference("Appointment/slot")]);
    put(&server, "e-stay", visit);
    let token = server.token_for("system/*.cruds");
    drop(server.request("DELETE", "EpisodeOfCare/gone").token(&token).send());
    let around = |user: &Arc<User>, patient: &str, visit: &str| {
        let found = records(&server).around(user, patient, visit)?;
        Some(found.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let clinician = person(Role::Clinician, &[]);
    let all = ["EpisodeOfCare/stay", "ServiceRequest/order", "Appointment/slot"].map(str::to_owned).to_vec();
    assert_eq!(around(&clinician, "rosa", "e-stay"), Some(all));
    assert_eq!(around(&clinician, "rosa", "e-old"), Some(Vec::new()));
    for (patient, visit) in [("carl", "e-stay"), ("rosa", "e-carl"), ("rosa", "nowhere"), ("rosa", "../e-stay")] {
        assert_eq!(around(&clinician, patient, visit), None, "{patient} {visit}");
    }
    assert_eq!(around(&person(Role::Caregiver, &["carl"]), "rosa", "e-stay"), None);
    assert_eq!(around(&person(Role::Administrator, &[]), "rosa", "e-stay"), None);
}

/// Rows D28, G14: a client is the one organization whose URI its certificate proves, to the letter.
#[test]
fn an_organization_by_its_uri() {
    let server = Server::new();
    let organization = |id: &str, active: Option<bool>, system: &str, value: &str| {
        let mut organization = json!({
            "resourceType": "Organization", "name": id,
            "identifier": [{ "system": "urn:test:npi", "value": id }, { "system": system, "value": value }],
        });
        if let Some(active) = active {
            organization["active"] = json!(active);
        }
        put(&server, id, organization);
    };
    const URIS: &str = "urn:ietf:rfc:3986";
    organization("payer", Some(true), URIS, "https://payer.example/fhir");
    organization("silent", None, URIS, "https://silent.example,a|b$c\\d");
    organization("closed", Some(false), URIS, "https://closed.example");
    organization("other", Some(true), "urn:test:uri", "https://other.example");
    organization("twin-a", Some(true), URIS, "https://twin.example");
    organization("twin-b", None, URIS, "https://twin.example");
    organization("moved-a", Some(false), URIS, "https://moved.example");
    organization("moved-b", Some(true), URIS, "https://moved.example");
    let found = |uri: &str| records(&server).organization_of(uri).map(|found| found.to_string());
    for (uri, id) in [
        ("https://payer.example/fhir", Some("payer")),
        ("https://silent.example,a|b$c\\d", Some("silent")),
        ("https://moved.example", Some("moved-b")),
        ("https://payer.example/fhir/", None),
        ("https://Payer.example/fhir", None),
        ("https://payer.example", None),
        ("https://closed.example", None),
        ("https://other.example", None),
        ("https://twin.example", None),
        ("https://payer.example/fhir,https://closed.example", None),
        ("", None),
    ] {
        assert_eq!(found(uri), id.map(|id| format!("Organization/{id}")), "{uri}");
    }
}

/// G13: a caregiver picks among those whom the record says they care for now.
#[test]
fn whom_a_caregiver_cares_for() {
    let server = facility();
    let cared_for = |user: &Arc<User>| {
        records(&server).cared_for(user).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let luis = User { fhir_user: Some("RelatedPerson/luis".into()), ..User::clone(&person(Role::Caregiver, &[])) };
    let luis = Arc::new(luis);
    assert_eq!(cared_for(&luis), [] as [&str; 0]);
    let mut related = json!({"resourceType": "RelatedPerson", "patient": {"reference": "Patient/rosa"}});
    put(&server, "luis", related.clone());
    assert_eq!(cared_for(&luis), ["rosa"]);
    related["active"] = json!(false);
    related["id"] = json!("luis");
    let token = server.token_for("system/*.cruds");
    drop(server.request("PUT", "RelatedPerson/luis").token(&token).json(&related).send().expect(200));
    assert_eq!(cared_for(&luis), [] as [&str; 0]);
    assert_eq!(cared_for(&person(Role::Caregiver, &["carl", "rosa"])), ["rosa", "carl"], "by family name");
}

#[test]
fn more_than_a_page() {
    let server = server();
    for number in 0..=FOUND_MAX {
        put(&server, &format!("p{number}"), patient("Ana", "Cruz", &number.to_string()));
    }
    let patients = records(&server).patients(&person(Role::Clinician, &[]), "cruz").unwrap();
    assert_eq!((patients.found.len(), patients.has_more), (FOUND_MAX, true));
}

/// F49: one by all of a number, or by names and birthday; whom the clinician sees otherwise does not matter, and nobody
/// is found whom even a broken glass would not open.
#[test]
fn f49_whom_somebody_finds_in_an_emergency() {
    let server = facility();
    let mut hidden = patient("Vera", "Voss", "MRN-V");
    let system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
    hidden["meta"] = json!({ "security": [{ "system": system, "code": "V" }] });
    put(&server, "vera", hidden);
    let mut house = policy::House::default();
    house.labels = Arc::new(policy::label::Labels::standard());
    server.store().set_house(house);
    let records = self::records(&server);
    let kim = User { may_break_glass: true, ..User::clone(&person(Role::Clinician, &[])) };
    let ids = |wanted: &Wanted| {
        let found = records.in_emergency(&Arc::new(kim.clone()), wanted).unwrap();
        found.iter().map(|patient| patient.id.to_string()).collect::<Vec<_>>()
    };
    let number = |number: &str| ids(&Wanted::Number(number.into()));
    let named = |given: &str, family: &str, born: &str| {
        ids(&Wanted::Person { given: given.into(), family: family.into(), born: born.into() })
    };
    let theirs = records.patients(&person(Role::Clinician, &[]), "Rosa");
    assert!(theirs.is_none_or(|theirs| theirs.found.is_empty()), "nobody of theirs");
    assert_eq!(
        (number("MRN-1001"), number("urn:test:mrn|MRN-1001")),
        (vec!["rosa".to_owned()], vec!["rosa".to_owned()])
    );
    for wrong in ["MRN-100", "mrn-1001x", "urn:other|MRN-1001", "", "|", "MRN-1001,MRN-1002", "*", "%"] {
        assert!(number(wrong).is_empty(), "{wrong}");
    }
    assert_eq!(named("Rosa", "Díaz", "1943-05-17"), ["rosa"]);
    assert_eq!(named(" rosa", "DIAZ ", "1943-05-17"), ["rosa"], "case and accents do not matter");
    assert_eq!(named("Rosa", "Formerly", "1943-05-17"), ["rosa"], "a name that was");
    for (given, family, born) in [
        ("Ros", "Díaz", "1943-05-17"),
        ("Rosa", "Dí", "1943-05-17"),
        ("Rosa", "Díaz", "1943-05-18"),
        ("Rosa", "Young", "1943-05-17"),
        ("Rosa", "Díaz", "1943"),
        ("", "", "1943-05-17"),
    ] {
        assert!(named(given, family, born).is_empty(), "{given} {family} {born}");
    }
    assert!(number("MRN-V").is_empty() && named("Vera", "Voss", "1943-05-17").is_empty());
    // Who may not break a glass finds nobody.
    let officer = User { role: Role::PrivacyOfficer, ..kim.clone() };
    assert!(records.in_emergency(&Arc::new(officer), &Wanted::Number("MRN-1001".into())).unwrap().is_empty());
}

/// F50: what the clinician did with that record in that time, and nobody else's doing.
#[test]
fn f50_what_was_looked_at() {
    let server = facility();
    let now_s = server.clock().now().unix_seconds();
    let glass = oauth::caller::Glass { id: "c1".into(), patient: "rosa".into(), until_s: now_s + 600 };
    let kim = User { glasses: Arc::new([glass]), ..User::clone(&person(Role::Clinician, &[])) };
    let token = |user: &User| server.tokens().token_of_user(user.clone(), None, "user/*.rs");
    let (kims, others) = (token(&kim), token(&User { id: "v".into(), ..kim.clone() }));
    server.clock().advance_s(10);
    for (token, path) in [
        (&kims, "Patient/rosa"),
        (&others, "Patient/rosa"),
        (&kims, "Encounter?patient=rosa"),
        (&kims, "Patient/carl"),
        (&kims, "Practitioner"),
    ] {
        drop(server.request("GET", path).token(token).send());
    }
    server.clock().advance_s(10);
    let case = crate::glasses::Case {
        id: "c1".into(),
        user: "u".into(),
        user_name: "U".into(),
        fhir_user: None,
        patient: "rosa".into(),
        patient_name: "Rosa".into(),
        reason: crate::glasses::Reason::Other,
        words: "".into(),
        opened_s: now_s + 5,
        until_s: now_s + 600,
        ended_s: None,
        reviews: Vec::new(),
    };
    let officer = person(Role::PrivacyOfficer, &[]);
    let super::Looks { looks, has_more } = self::records(&server).looks(&officer, &case).unwrap();
    assert!(!has_more);
    let codes: Vec<&str> = looks.iter().map(|look| look.code.as_str()).collect();
    assert_eq!(codes.len(), 2, "{looks:?}");
    assert!(codes.contains(&"read") && codes.contains(&"search-type"));
    let read = looks.iter().find(|look| look.code == "read").unwrap();
    assert_eq!((read.at_s, read.what.iter().any(|one| one == "Patient/rosa")), (now_s + 10, true));
    // Before, and after.
    let later = crate::glasses::Case { opened_s: now_s + 15, ..case.clone() };
    assert!(self::records(&server).looks(&officer, &later).unwrap().looks.is_empty());
    let before = crate::glasses::Case { opened_s: now_s, ended_s: Some(now_s + 3), ..case.clone() };
    assert!(self::records(&server).looks(&officer, &before).unwrap().looks.is_empty());
    // Clinicians have no look at the log.
    assert!(self::records(&server).looks(&Arc::new(kim), &later).is_none());
    // Where others did more than is looked through, that is said: nothing is called all that is not.
    server.store().log().sync().unwrap();
    let seen = server.store().audit_after(0, 1_000).unwrap();
    let theirs =
        seen.iter().map(|seen| &seen.entry).find(|entry| entry.person.as_deref().is_some_and(|one| &*one.id == "v"));
    for _ in 0..=crate::limits::GLASS_PAGES_MAX * FOUND_MAX {
        let _ = server.store().log().record(theirs.unwrap()).unwrap();
    }
    assert!(self::records(&server).looks(&officer, &case).unwrap().has_more);
}
