//! A broken glass over the service: what it opens, for whom, for how long, how it is marked, and what it never opens.
//! Rows F49, F50, F48, F15, F1 to F7.

use crate::{
    batches::{entry, send, statuses},
    world::{ALL, get, observation, patient, put, shape},
};
use oauth::caller::{Glass, Role, User};
use policy::{House, consent, label::Labels};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{Reply, Server};

const CATEGORY: &str =
    "http://terminology.hl7.org/CodeSystem/v3-ActReason#BTG; scheme=\"http://hl7.org/fhir/tag/security\"";
const READS: &str = "user/*.rs";

fn reference(to: &str) -> Value {
    json!({ "reference": to })
}

fn store(server: &Server, id: &str, resource: Value) {
    let all = server.token_for(ALL);
    let reply = put(server, &all, id, resource);
    assert!(reply.status < 300, "{id}: {}", reply.text());
}

fn labelled(mut resource: Value, system: &str, code: &str) -> Value {
    resource["meta"] =
        json!({ "security": [{ "system": format!("http://terminology.hl7.org/CodeSystem/{system}"), "code": code }] });
    resource
}

/// Rosa, whom nobody has to do with, and Ben, whose doctor is the practitioner.
fn world() -> Server {
    let server = Server::new();
    store(&server, "dr", json!({ "resourceType": "Practitioner", "name": [{ "family": "dr" }] }));
    store(&server, "rosa", patient("rosa"));
    let mut ben = patient("ben");
    ben["generalPractitioner"] = json!([reference("Practitioner/dr")]);
    store(&server, "ben", ben);
    store(&server, "eve", patient("eve"));
    for id in ["rosa", "ben", "eve"] {
        for number in 1..3 {
            store(&server, &format!("{id}-{number}"), observation(id, "vital-signs", "60"));
        }
    }
    server
}

/// The practitioner with an app, and these glasses: for whom, for how many seconds from now.
fn doctor(server: &Server, glasses: &[(&str, i64)], scope: &str) -> String {
    somebody(server, glasses, true, None, scope)
}

fn somebody(server: &Server, glasses: &[(&str, i64)], may: bool, patient: Option<&str>, scope: &str) -> String {
    let now_s = server.clock().now().unix_seconds();
    let glass = |(patient, seconds): &(&str, i64)| Glass {
        id: format!("case-{patient}").into(),
        patient: (*patient).into(),
        until_s: now_s + seconds,
    };
    let user = User {
        id: "u-dr".into(),
        name: "Dora Roth".into(),
        role: Role::Clinician,
        fhir_user: Some("Practitioner/dr".into()),
        patients: Arc::new([]),
        glasses: glasses.iter().map(glass).collect(),
        may_break_glass: may,
    };
    server.tokens().token_of_user(user, patient, scope)
}

fn marked(server: &Server, token: &str, path: &str) -> Reply {
    server.request("GET", path).token(token).header("category", CATEGORY).send()
}

fn found(reply: &Reply) -> Vec<String> {
    let mut found = reply.entries("match");
    found.sort();
    found
}

/// Row F49: the record of that one patient, on every road, and nobody else's.
#[test]
fn f49_a_glass_opens_one_record_and_no_other() {
    let server = world();
    let (closed, open) = (doctor(&server, &[], READS), doctor(&server, &[("rosa", 60)], READS));
    assert_eq!(found(&get(&server, &closed, "Patient").expect(200)), ["Patient/ben"]);
    assert_eq!(found(&get(&server, &open, "Patient").expect(200)), ["Patient/ben", "Patient/rosa"]);
    assert_eq!(get(&server, &open, "Observation?_total=accurate").json()["total"], 4);
    for path in ["Patient/rosa", "Observation/rosa-1", "Observation/rosa-1/_history/1", "Patient/rosa/_history"] {
        let _ = get(&server, &open, path).expect(200);
        let _ = get(&server, &closed, path).expect(404);
    }
    for (hidden, absent) in [("Patient/eve", "Patient/not"), ("Observation/eve-1", "Observation/not-1")] {
        let (hidden, absent) = (get(&server, &open, hidden).expect(404), get(&server, &open, absent));
        assert_eq!(shape(&hidden, "-"), shape(&absent, "-"));
    }
    let included = get(&server, &open, "Patient?_revinclude=Observation:subject").expect(200).entries("include");
    assert!(included.len() == 4 && included.iter().all(|one| !one.contains("eve")), "{included:?}");
    for path in [
        "Patient?_has:Observation:patient:_id=eve-1",
        "Observation?subject:Patient.family=eve",
        "Patient/eve/Observation",
    ] {
        assert!(get(&server, &open, path).expect(200).entries("match").is_empty(), "{path}");
    }
    let entries = ["Patient/rosa", "Patient/eve", "Observation?patient=rosa"].map(|url| entry("GET", url, None));
    assert_eq!(statuses(&send(&server, &open, "batch", &entries).expect(200)), ["200 OK", "404 Not Found", "200 OK"]);
    // Never audit events; and within the scopes alone.
    let _ = get(&server, &open, "AuditEvent").expect(403);
    let narrow = doctor(&server, &[("rosa", 60)], "user/Observation.rs?category=survey user/Patient.r");
    assert!(get(&server, &narrow, "Observation").expect(200).entries("match").is_empty());
    let _ = get(&server, &narrow, "Patient/rosa").expect(200);
    let context = |patient: &str| somebody(&server, &[("rosa", 60)], true, Some(patient), "patient/*.rs");
    assert_eq!(found(&get(&server, &context("rosa"), "Patient").expect(200)), ["Patient/rosa"]);
    assert_eq!(found(&get(&server, &context("ben"), "Patient").expect(200)), ["Patient/ben"]);
    assert!(get(&server, &context("eve"), "Patient").expect(200).entries("match").is_empty());
}

/// Row F49: by the clock, without anybody's doing.
#[test]
fn f49_a_glass_ends_by_itself() {
    let server = world();
    let open = doctor(&server, &[("rosa", 60)], READS);
    let _ = get(&server, &open, "Patient/rosa").expect(200);
    server.clock().advance_s(60);
    let _ = get(&server, &open, "Patient/rosa").expect(404);
    assert_eq!(found(&get(&server, &open, "Patient").expect(200)), ["Patient/ben"]);
    let refused = marked(&server, &open, "Patient/rosa").expect(403);
    assert!(refused.text().contains("/account/emergency"));
    // Who lost the role has no glass, whatever a grant says.
    let nobody = User {
        id: "u".into(),
        name: "U".into(),
        role: Role::PrivacyOfficer,
        fhir_user: None,
        patients: Arc::new([]),
        glasses: Arc::new([Glass { id: "c".into(), patient: "rosa".into(), until_s: i64::MAX }]),
        may_break_glass: true,
    };
    let officer = server.tokens().token_of_user(nobody, None, READS);
    let _ = get(&server, &officer, "Patient/rosa").expect(403);
}

/// Row F49: to write as a clinician could: in that record, naming nobody else.
#[test]
fn f49_writes_stay_in_the_record() {
    let server = world();
    let open = doctor(&server, &[("rosa", 60)], "user/*.cruds");
    let post = |resource: &Value| server.request("POST", "Observation").token(&open).json(resource).send();
    let made = post(&observation("rosa", "vital-signs", "61")).expect(201);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let _ = post(&observation("eve", "vital-signs", "61")).expect(403);
    let mut both = observation("rosa", "vital-signs", "61");
    both["focus"] = json!([reference("Patient/eve")]);
    let _ = post(&both).expect(403);
    let _ = put(&server, &open, &id, observation("eve", "vital-signs", "62")).expect(403);
    let _ = put(&server, &open, &id, observation("rosa", "vital-signs", "62")).expect(200);
    let _ = put(&server, &open, "eve-1", observation("rosa", "vital-signs", "62")).expect(404);
    let delete = |path: &str| server.request("DELETE", path).token(&open).send();
    let _ = delete("Observation/eve-1").expect(204);
    let _ = get(&server, &server.token_for(ALL), "Observation/eve-1").expect(200);
    let _ = delete(&format!("Observation/{id}")).expect(204);
    let _ = get(&server, &server.token_for(ALL), &format!("Observation/{id}")).expect(410);
}

/// Row F49: the header narrows to the broken glass; what lies elsewhere is refused the same, be it there or not.
#[test]
fn f49_a_marked_request_reaches_that_record_alone() {
    let server = world();
    let open = doctor(&server, &[("rosa", 60)], READS);
    assert_eq!(found(&marked(&server, &open, "Patient").expect(200)), ["Patient/rosa"]);
    assert_eq!(found(&marked(&server, &open, "Observation?patient=rosa").expect(200)).len(), 2);
    let _ = marked(&server, &open, "Practitioner/dr").expect(200);
    let refused = marked(&server, &open, "Patient/eve").expect(403);
    let issue = &refused.json()["issue"][0];
    assert_eq!((&issue["code"], &issue["expression"][0]), (&json!("suppressed"), &json!("http.category")));
    assert!(issue["diagnostics"].as_str().unwrap().contains("/account/emergency"), "{issue}");
    for (hidden, absent) in [
        ("Patient/eve", "Patient/not"),
        ("Patient/ben", "Patient/not"),
        ("Observation/eve-1", "Observation/not-1"),
        ("Patient/eve/Observation", "Patient/not/Observation"),
        ("Observation?patient=eve", "Observation?patient=not"),
        ("Observation?subject=Patient%2Fben&code=x", "Observation?subject=Patient%2Fnot&code=x"),
    ] {
        let (hidden, absent) = (marked(&server, &open, hidden).expect(403), marked(&server, &open, absent).expect(403));
        assert_eq!((&hidden.headers.len(), &hidden.body), (&absent.headers.len(), &absent.body));
    }
    let batch = json!({ "resourceType": "Bundle", "type": "batch", "entry": [
        entry("GET", "Patient/rosa", None), entry("GET", "Patient/ben", None),
    ] });
    let reply = server.request("POST", "").token(&open).header("category", CATEGORY).json(&batch).send().expect(200);
    assert_eq!(statuses(&reply), ["200 OK", "404 Not Found"]);
    // Without a glass at all.
    let closed = doctor(&server, &[], READS);
    assert_eq!(marked(&server, &closed, "Patient/ben").expect(403).body, refused.body);
    let _ = get(&server, &closed, "Patient/ben").expect(200);
    // A purpose of the request's own does not break it: X-Purpose-Of-Use is for less.
    let purpose = server.request("GET", "Patient/rosa").token(&open).header("x-purpose-of-use", "BTG").send();
    let _ = purpose.expect(403);
}

/// Row F15: for who has not the right, the header is not there: the same bytes, in success and in failure.
#[test]
fn f15_without_the_right_the_header_is_not_there() {
    let server = world();
    let ordinary = somebody(&server, &[], false, None, READS);
    let patient = testkit::Person {
        id: "u",
        name: "R",
        role: Role::Patient,
        fhir_user: Some("Patient/rosa"),
        patients: &["rosa"],
    };
    let patient = server.tokens().token_of_person(&patient, Some("rosa"), "patient/*.rs");
    let system = server.token_for("system/*.rs");
    for token in [&ordinary, &patient, &system] {
        for path in [
            "Patient/rosa",
            "Patient/ben",
            "Patient/not",
            "Patient",
            "Patient/rosa/Observation",
            "Observation?patient=eve",
            "AuditEvent",
            "Patient?colour=red",
            "Nothing/1",
            "Patient/ben/_history",
        ] {
            if path == "AuditEvent" && *token == system {
                // It sees the log, which has one entry more each time.
                continue;
            }
            let (plain, with) = (get(&server, token, path), marked(&server, token, path));
            let id = |reply: &Reply| {
                let json: Value = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
                json["id"].as_str().unwrap_or("none").to_owned()
            };
            assert_eq!(shape(&plain, &id(&plain)), shape(&with, &id(&with)), "{path}");
        }
    }
}

fn consent(patient: &str, provision: Value) -> Value {
    let code = |system: &str, code: &str| json!({ "coding": [{ "system": format!("http://terminology.hl7.org/CodeSystem/{system}"), "code": code }] });
    json!({
        "resourceType": "Consent", "status": "active", "scope": code("consentscope", "patient-privacy"),
        "category": [code("consentcategorycodes", "infa")], "patient": reference(&format!("Patient/{patient}")),
        "dateTime": "2025-01-01T00:00:00Z", "policy": [{ "uri": "https://house.example/policy" }],
        "provision": provision,
    })
}

fn purpose(code: &str) -> Value {
    json!([{ "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": code }])
}

/// Row F49: over a consent's denial only where the consent, or the house, lets it; a denial of emergencies stands.
#[test]
fn f49_consents_under_a_broken_glass() {
    let server = world();
    let deny = json!({ "type": "deny" });
    let except = json!({ "type": "deny", "provision": [{ "type": "permit", "purpose": purpose("BTG") }] });
    let never = json!({ "type": "deny", "purpose": purpose("TREAT") });
    store(&server, "says", consent("rosa", deny.clone()));
    let house = |glass: consent::Glass| {
        let mut house = House::default();
        house.consents = Some(consent::Settings { glass, ..consent::Settings::default() });
        server.store().set_house(house);
    };
    let open = doctor(&server, &[("rosa", 60)], READS);
    let closed = doctor(&server, &[], READS);
    let seen = |provision: &Value| {
        store(&server, "says", consent("rosa", provision.clone()));
        let _ = get(&server, &closed, "Observation/rosa-1").expect(404);
        let reply = get(&server, &open, "Observation/rosa-1");
        assert_eq!(marked(&server, &open, "Observation/rosa-1").status == 200, reply.status == 200);
        reply.status == 200
    };
    house(consent::Glass::AsConsented);
    assert!(!seen(&deny), "a plain denial stands");
    assert!(seen(&except), "dissent except break-glass");
    house(consent::Glass::Overrides);
    assert!(seen(&deny) && seen(&except), "the house says that it does not");
    assert!(!seen(&never), "but for one that names what an emergency lies within");
    // What the glass of one opens, another's consent has no say in, and the other way round.
    store(&server, "bens", consent("ben", deny));
    let _ = get(&server, &open, "Observation/ben-1").expect(404);
}

/// Row F49: restricted and sensitive labels open; very restricted ones stay shut.
#[test]
fn f49_labels_under_a_broken_glass() {
    let server = world();
    let mut house = House::default();
    house.labels = Arc::new(Labels::standard());
    server.store().set_house(house);
    let secret = |code: &str, system: &str| labelled(observation("rosa", "vital-signs", "60"), system, code);
    store(&server, "rosa-r", secret("R", "v3-Confidentiality"));
    store(&server, "rosa-psy", secret("PSY", "v3-ActCode"));
    store(&server, "rosa-v", secret("V", "v3-Confidentiality"));
    // Labels of elements are lifted as those of resources are.
    let note = |code: &str, system: &str| {
        let system = format!("http://terminology.hl7.org/CodeSystem/{system}");
        let url = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label";
        json!({"text": code, "extension": [{"url": url, "valueCoding": {"system": system, "code": code}}]})
    };
    let mut parts = observation("rosa", "vital-signs", "60");
    parts["note"] = json!([note("PSY", "v3-ActCode"), note("V", "v3-Confidentiality")]);
    store(&server, "rosa-parts", parts);
    let open = doctor(&server, &[("rosa", 60)], READS);
    let seen = get(&server, &open, "Observation/rosa-parts").expect(200).json();
    let notes: Vec<&str> = seen["note"].as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap()).collect();
    assert_eq!(notes, ["PSY"], "{seen}");
    for (id, status) in [("rosa-1", 200), ("rosa-r", 200), ("rosa-psy", 200), ("rosa-v", 404), ("eve-1", 404)] {
        let _ = get(&server, &open, &format!("Observation/{id}")).expect(status);
    }
    let total = get(&server, &open, "Observation?patient=rosa&_total=accurate").json()["total"].clone();
    assert_eq!(total, 5);
}

/// Row F50: each entry about that record is marked with the case and the purpose, marked request or not; others are not.
#[test]
fn f50_the_log_says_that_it_was_an_emergency() {
    let server = world();
    let open = doctor(&server, &[("rosa", 60)], READS);
    let read = |id: &str, path: &str, is_marked: bool| {
        let request = server.request("GET", path).token(&open).header("x-request-id", id);
        let request = if is_marked { request.header("category", CATEGORY) } else { request };
        drop(request.send());
    };
    read("g-read", "Observation/rosa-1", false);
    read("g-search", "Observation", false);
    read("g-marked", "Patient/rosa", true);
    read("g-refused", "Patient/eve", true);
    read("g-ben", "Observation/ben-1", false);
    read("g-directory", "Practitioner/dr", false);
    let auditor = server.tokens().token_of("auditor", "system/AuditEvent.rs");
    let all = get(&server, &auditor, "AuditEvent?_count=200").expect(200).json();
    let event = |id: &str| {
        let mut entries = all["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]);
        entries.find(|event| event.to_string().contains(&format!("\"{id}\""))).unwrap_or_else(|| panic!("{id}")).clone()
    };
    for (id, is_marked) in [
        ("g-read", true),
        ("g-search", true),
        ("g-marked", true),
        ("g-refused", true),
        ("g-ben", false),
        ("g-directory", false),
    ] {
        let event = event(id);
        let subtypes = event["subtype"].to_string();
        assert_eq!(subtypes.contains("break-glass"), is_marked, "{id}: {event}");
        assert_eq!(event["purposeOfEvent"].to_string().contains("BTG"), is_marked, "{id}: {event}");
        assert_eq!(event.to_string().contains("case-rosa"), is_marked, "{id}: {event}");
        assert_eq!(
            event["purposeOfEvent"].to_string().contains("TREAT"),
            !matches!(id, "g-marked" | "g-refused"),
            "F48 {id}"
        );
    }
}

/// Row F50: what is written under an open glass is marked too, by requests that are not marked, in whatever way.
#[test]
fn f50_writes_are_marked() {
    let server = world();
    let open = doctor(&server, &[("rosa", 60)], "user/*.cruds");
    let ask = |id: &str, method: &str, path: &str, body: Option<Value>| {
        let request = server.request(method, path).token(&open).header("x-request-id", id);
        let request = if let Some(body) = &body { request.json(body) } else { request };
        let reply = request.send();
        assert!(reply.status < 300, "{id}: {}", reply.text());
    };
    let mut changed = observation("rosa", "vital-signs", "62");
    changed["id"] = json!("rosa-1");
    ask("g-create", "POST", "Observation", Some(observation("rosa", "vital-signs", "61")));
    ask("g-update", "PUT", "Observation/rosa-1", Some(changed));
    ask("g-delete", "DELETE", "Observation/rosa-2", None);
    ask("g-ben", "POST", "Observation", Some(observation("ben", "vital-signs", "61")));
    let entries: Vec<Value> =
        ["rosa", "ben"].map(|id| entry("POST", "Observation", Some(observation(id, "vital-signs", "61")))).into();
    ask("g-both", "POST", "", Some(json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries })));
    server.store().log().sync().unwrap();
    let marks = |id: &str| -> Vec<(String, bool)> {
        let all = server.store().audit_after(0, 1_000).unwrap();
        let own = all.iter().filter(|seen| &*seen.entry.request_id == id);
        own.map(|seen| {
            let entry = &seen.entry;
            let is_emergency = entry.purposes().iter().any(|purpose| &**purpose == "BTG");
            assert_eq!(entry.glass(), is_emergency.then_some("case-rosa"), "{entry:?}");
            (entry.subtype.to_string(), is_emergency)
        })
        .collect()
    };
    for kind in ["create", "update", "delete"] {
        assert_eq!(marks(&format!("g-{kind}")), [(kind.to_owned(), true)]);
    }
    assert_eq!(marks("g-ben"), [("create".to_owned(), false)]);
    // The whole has to do with both.
    let both = [("create", true), ("create", false), ("transaction", true)];
    assert_eq!(marks("g-both"), both.map(|(kind, is_marked)| (kind.to_owned(), is_marked)));
}
