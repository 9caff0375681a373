//! Consents in force, on every road of the API: what a patient withholds is not there. Rows F1 to F10, F13, F14, G4,
//! G9, G10, G16, G17. How one Consent is read: `policy::consent`.

use crate::{
    batches::{entry, send, statuses},
    world::{ALL, get, observation, patient, put, shape},
};
use oauth::caller::Role;
use serde_json::{Value, json};
use testkit::{Person, Server};

const NURSE: Person =
    Person { id: "u-nurse", name: "Nora", role: Role::Clinician, fhir_user: Some("Practitioner/nurse"), patients: &[] };
const ADA: Person =
    Person { id: "u-ada", name: "Ada", role: Role::Patient, fhir_user: Some("Patient/ada"), patients: &["ada"] };
const DAUGHTER: Person = Person {
    id: "u-daughter",
    name: "Dora",
    role: Role::Caregiver,
    fhir_user: Some("RelatedPerson/daughter"),
    patients: &["ada"],
};

fn reference(to: &str) -> Value {
    json!({ "reference": to })
}

/// A Consent of `Patient/{patient}` with these provisions below a permit.
fn consent(patient: &str, provisions: Value) -> Value {
    json!({
        "resourceType": "Consent", "status": "active",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": reference(&format!("Patient/{patient}")), "dateTime": "2025-12-01",
        "policyRule": {"text": "As the provisions say"},
        "provision": {"type": "permit", "provision": provisions},
    })
}

/// Observations with this code are denied to everybody.
fn denied(code: &str) -> Value {
    json!([{"type": "deny", "code": [{"coding": [{"system": "http://loinc.org", "code": code}]}]}])
}

fn coded(patient: &str, code: &str) -> Value {
    let mut resource = observation(patient, "survey", "1");
    resource["code"]["coding"][0]["code"] = json!(code);
    resource
}

/// Ada and Bea, each with an observation `seen` and one `kept` (code 45404-1).
fn facility() -> (Server, String) {
    let server = Server::new();
    // Consents alone narrow here: clinicians reach every patient.
    let mut house = policy::House::clone(&server.store().house());
    house.clinicians = policy::Clinicians::Everyone;
    server.store().set_house(house);
    let all = server.token_for(ALL);
    let make = |id: &str, resource: Value| drop(put(&server, &all, id, resource).expect(201));
    make("nurse", json!({"resourceType": "Practitioner", "name": [{"family": "Nurse"}]}));
    for name in ["ada", "bea"] {
        make(name, patient(name));
        make(&format!("{name}-seen"), coded(name, "8867-4"));
        make(&format!("{name}-kept"), coded(name, "45404-1"));
    }
    make(
        "daughter",
        json!({"resourceType": "RelatedPerson", "active": true, "patient": reference("Patient/ada"),
            "relationship": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "HPOWATT"}]}]}),
    );
    (server, all)
}

/// Those whom Ada's consent binds: a clinician's app, a partner's system.
fn bound(server: &Server) -> [String; 2] {
    [server.tokens().token_of_person(&NURSE, None, "user/*.cruds"), server.tokens().token_of_partner(ALL)]
}

fn found(server: &Server, token: &str, path: &str) -> Vec<String> {
    get(server, token, path).expect(200).entries("match")
}

/// F1, F2, F4, F9, G7, G10, H23: the resource that Ada withholds is nowhere: not read, listed, counted, joined, included, nor in the way.
#[test]
fn f1_what_is_withheld_is_nowhere() {
    let (server, all) = facility();
    let _ = put(&server, &all, "c-ada", consent("ada", denied("45404-1"))).expect(201);
    for token in bound(&server) {
        let ids = |path: &str| {
            let mut ids = found(&server, &token, path);
            ids.sort();
            ids
        };
        let three = ["Observation/ada-seen", "Observation/bea-kept", "Observation/bea-seen"];
        assert_eq!(ids("Observation"), three);
        assert_eq!(get(&server, &token, "Observation?_total=accurate&_count=1").json()["total"], 3);
        assert_eq!(get(&server, &token, "Observation?_summary=count").json()["total"], 3);
        assert_eq!(get(&server, &token, "Observation?code=45404-1&_summary=count").json()["total"], 1);
        for _ in 0..3 {
            assert_eq!(ids("Observation?patient=ada"), ["Observation/ada-seen"]);
            assert!(ids("Observation?patient=ada&code=45404-1").is_empty());
            assert_eq!(ids("Patient/ada/Observation"), ["Observation/ada-seen"]);
        }
        assert!(ids("Observation?_id=ada-kept").is_empty());
        assert_eq!(ids("Observation?_sort=-date"), three);
        assert_eq!(ids("Observation?patient.name=ada"), ["Observation/ada-seen"]);
        assert_eq!(ids("Patient?_has:Observation:patient:code=45404-1"), ["Patient/bea"]);
        let page = get(&server, &token, "Patient?_id=ada&_revinclude=Observation:subject").expect(200);
        assert_eq!(page.entries("include"), ["Observation/ada-seen"]);
        // G10: a Consent that names what it withholds would tell of it.
        assert!(ids("Consent?patient=ada").is_empty());
        let first = get(&server, &token, "Observation?_count=2").expect(200);
        let next = first.link("next").unwrap();
        let rest =
            get(&server, &token, next.strip_prefix(Server::BASE_URL).unwrap().trim_start_matches('/')).expect(200);
        assert_eq!(first.entries("match").len() + rest.entries("match").len(), 3);

        // F13, F14: as if it were not there, to the byte.
        for path in ["Observation/ID", "Observation/ID/_history", "Observation/ID/_history/1"] {
            let of = |id: &str| shape(&get(&server, &token, &path.replace("ID", id)), id);
            assert_eq!(of("ada-kept"), of("nothing-here"), "{path}");
        }
        let of = |method: &str, id: &str| {
            let mut body = coded("ada", "8867-4");
            body["id"] = json!(id);
            shape(&server.request(method, &format!("Observation/{id}")).token(&token).json(&body).send(), id)
        };
        for method in ["PUT", "DELETE"] {
            assert_eq!(of(method, "ada-kept"), of(method, "nothing-here"), "{method}");
        }
        // F8: a condition does not find it.
        let body = coded("ada", "45404-1");
        let made = server
            .request("POST", "Observation")
            .token(&token)
            .header("if-none-exist", "patient=ada&code=45404-1")
            .json(&body)
            .send();
        assert_eq!(made.status, 201);
        server.request("DELETE", &format!("Observation/{}", made.id())).token(&all).send();
        // Each entry of a batch is a request.
        let batch = [entry("GET", "Observation/ada-kept", None), entry("GET", "Observation/ada-seen", None)];
        assert_eq!(statuses(&send(&server, &token, "batch", &batch)), ["404 Not Found", "200 OK"]);
    }
    // Nothing of this changed it; the facility's own system and Ada herself have it.
    let own = server.tokens().token_of_person(&ADA, Some("ada"), "patient/*.rs");
    for token in [all, own] {
        assert_eq!(get(&server, &token, "Observation/ada-kept").expect(200).header("etag"), Some("W/\"1\""));
        assert_eq!(found(&server, &token, "Observation?patient=ada").len(), 2);
        assert_eq!(found(&server, &token, "Consent?patient=ada"), ["Consent/c-ada"], "G10");
    }
}

/// G17, F5: a consent counts with its commit for tokens that are out, for what was before it as well, and until it ends.
#[test]
fn g17_a_consent_counts_at_once_and_while_it_lasts() {
    let (server, all) = facility();
    let tokens = bound(&server);
    let sees = |path: &str| {
        let all: Vec<bool> = tokens.iter().map(|token| get(&server, token, path).status == 200).collect();
        assert_eq!(all[0], all[1]);
        all[0]
    };
    let _ = put(&server, &all, "ada-kept", coded("ada", "8867-4")).expect(200);
    assert!(sees("Observation/ada-kept") && sees("Observation/ada-kept/_history/1"));
    let _ = put(&server, &all, "c-ada", consent("ada", denied("45404-1"))).expect(201);
    assert!(sees("Observation/ada-kept"), "the version of now has another code");
    assert!(!sees("Observation/ada-kept/_history/1"), "the version of then is held to the consent of now");
    let _ = put(&server, &all, "c-ada", consent("ada", denied("8867-4"))).expect(200);
    assert!(!sees("Observation/ada-kept") && sees("Observation/ada-kept/_history/1"));
    // A period needs nobody to end it.
    let mut short = consent("ada", denied("8867-4"));
    short["provision"]["period"] = json!({"start": "2026-01-01", "end": "2026-01-01T00:10:00Z"});
    let _ = put(&server, &all, "c-ada", short).expect(200);
    assert!(!sees("Observation/ada-kept"));
    server.clock().advance_s(200);
    assert!(!sees("Observation/ada-kept"));
    let tokens = {
        server.clock().set_s(601);
        bound(&server)
    };
    assert!(tokens.iter().all(|token| get(&server, token, "Observation/ada-kept").status == 200));
    // Withdrawn, or gone.
    let all = server.token_for(ALL);
    let _ = put(&server, &all, "c-ada", consent("ada", denied("8867-4"))).expect(200);
    assert!(tokens.iter().all(|token| get(&server, token, "Observation/ada-kept").status == 404));
    let mut withdrawn = consent("ada", denied("8867-4"));
    withdrawn["status"] = json!("inactive");
    let _ = put(&server, &all, "c-ada", withdrawn).expect(200);
    assert!(tokens.iter().all(|token| get(&server, token, "Observation/ada-kept").status == 200));
}

/// G16: who is named by a consent sees what it gives, though nothing else ties them to the patient.
#[test]
fn g16_a_consent_gives_what_it_names() {
    let (server, all) = facility();
    let _ = put(&server, &all, "lab", json!({"resourceType": "Organization", "name": "Lab"})).expect(201);
    let relative =
        |active: bool| json!({"resourceType": "RelatedPerson", "active": active, "patient": {"display": "Al"}});
    let _ = put(&server, &all, "niece", relative(true)).expect(201);
    let niece = Person {
        id: "u-niece",
        name: "Nia",
        role: Role::Caregiver,
        fhir_user: Some("RelatedPerson/niece"),
        patients: &[],
    };
    let tokens = [
        server.tokens().token_of_organization(Some("Organization/lab"), &["HRESCH"], "system/*.rs"),
        server.tokens().token_of_person(&niece, None, "user/*.rs"),
    ];
    for token in &tokens {
        assert!(found(&server, token, "Observation").is_empty());
        assert_eq!(get(&server, token, "Patient/ada").status, 404);
    }
    // One level down, as PCF writes it, and only what has this code.
    let recipient =
        json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]});
    let actor = |named: &str| json!({"role": recipient, "reference": reference(named)});
    let gives = json!([{
        "type": "permit",
        "actor": [actor("Organization/lab"), actor("RelatedPerson/niece")],
        "code": [{"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}],
    }]);
    let mut given = consent("ada", gives);
    given["provision"]["type"] = json!("deny");
    let _ = put(&server, &all, "c-ada", given).expect(201);
    for token in &tokens {
        assert_eq!(found(&server, token, "Observation"), ["Observation/ada-seen"]);
        for _ in 0..3 {
            assert_eq!(found(&server, token, "Observation?patient=ada"), ["Observation/ada-seen"]);
        }
        assert_eq!(get(&server, token, "Observation/ada-seen").status, 200);
        assert_eq!(get(&server, token, "Observation/ada-kept").status, 404);
        assert_eq!(get(&server, token, "Observation/bea-seen").status, 404);
    }
    // Who is in use no more is given nothing, until they are again.
    let closed = |active: bool| json!({"resourceType": "Organization", "name": "Lab", "active": active});
    for (active, count) in [(false, 0), (true, 1)] {
        let _ = put(&server, &all, "niece", relative(active)).expect(200);
        let _ = put(&server, &all, "lab", closed(active)).expect(200);
        assert!(tokens.iter().all(|token| found(&server, token, "Observation").len() == count), "{active}");
    }
    server.request("DELETE", "Consent/c-ada").token(&all).send();
    assert!(tokens.iter().all(|token| found(&server, token, "Observation").is_empty()));
}

/// G9: a patient writes consents of their own; who cares for them when they may act for them; neither in another's name.
#[test]
fn g9_who_writes_a_consent() {
    let (server, all) = facility();
    let scope = "patient/Consent.cruds patient/Patient.rs";
    let ada = server.tokens().token_of_person(&ADA, Some("ada"), scope);
    let daughter = server.tokens().token_of_person(&DAUGHTER, Some("ada"), scope);
    let status = |token: &str, resource: &Value| server.request("POST", "Consent").token(token).json(resource).send();
    let by = |performer: &str, status: &str| {
        let mut resource = consent("ada", denied("45404-1"));
        resource["performer"] = json!([reference(performer)]);
        resource["status"] = json!(status);
        resource
    };
    assert_eq!(status(&ada, &by("Patient/ada", "active")).status, 201);
    assert_eq!(status(&ada, &consent("bea", denied("45404-1"))).status, 403, "of another");
    assert_eq!(status(&ada, &by("Practitioner/nurse", "active")).status, 403, "in another's name");
    assert_eq!(status(&daughter, &by("Patient/ada", "active")).status, 403, "in the patient's name");
    let mut of_daughter = status(&daughter, &by("RelatedPerson/daughter", "active")).expect(201).json();
    // Draft, and then active, by who may.
    let draft = status(&daughter, &by("RelatedPerson/daughter", "draft")).expect(201).json();
    let relation = |code: &str, active: bool| {
        let resource = json!({"resourceType": "RelatedPerson", "active": active, "patient": reference("Patient/ada"),
            "relationship": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": code}]}]});
        let _ = put(&server, &all, "daughter", resource).expect(200);
    };
    let puts = |token: &str, resource: &Value| {
        let path = format!("Consent/{}", resource["id"].as_str().unwrap());
        server.request("PUT", &path).token(token).json(resource).send().status
    };
    let mut activated = draft.clone();
    activated["status"] = json!("active");
    of_daughter["status"] = json!("inactive");
    // A daughter without a mandate reaches the record and decides nothing; one whose relation has ended reaches nothing.
    for (code, active, refused) in [("DAU", true, 403), ("HPOWATT", false, 404)] {
        relation(code, active);
        assert_eq!(puts(&daughter, &activated), refused, "{code}");
        assert_eq!(status(&daughter, &by("RelatedPerson/daughter", "active")).status, 403);
        assert_eq!(puts(&daughter, &of_daughter), 404, "what is in force is not theirs to end");
    }
    relation("HPOWATT", true);
    assert_eq!(puts(&daughter, &activated), 200);
    assert_eq!(puts(&daughter, &of_daughter), 200);
    // A recorder writes what others decided.
    let nurse = server.tokens().token_of_person(&NURSE, None, "user/Consent.cruds");
    assert_eq!(status(&nurse, &by("Patient/ada", "active")).status, 201);
}

/// F6, F7: to move a resource to another patient needs both records open, before and after.
#[test]
fn f6_a_resource_moves_between_open_records_alone() {
    let (server, all) = facility();
    let _ = put(&server, &all, "c-bea", consent("bea", json!([{"type": "deny"}]))).expect(201);
    for token in bound(&server) {
        let moved = |id: &str, to: &str| put(&server, &token, id, coded(to, "8867-4")).status;
        assert_eq!(moved("ada-seen", "bea"), 403, "it would be withheld");
        assert_eq!(moved("bea-seen", "ada"), 404, "it is withheld");
        assert_eq!(moved("ada-seen", "ada"), 200);
        assert_eq!(get(&server, &token, "Patient/bea").status, 404);
        // To write down what one may not read back is allowed.
        let made = server.request("POST", "Observation").token(&token).json(&coded("bea", "8867-4")).send().expect(201);
        assert_eq!(get(&server, &token, &format!("Observation/{}", made.id())).status, 404);
    }
}

/// F20: that a consent denied it is told to those who look after the log, and to nobody else.
#[test]
fn f20_a_denial_by_consent_is_in_the_log() {
    let (server, all) = facility();
    let _ = put(&server, &all, "c-ada", consent("ada", denied("45404-1"))).expect(201);
    let [nurse, _] = bound(&server);
    let _ = get(&server, &nurse, "Observation/ada-kept").expect(404);
    let _ = get(&server, &nurse, "Observation/not-there").expect(404);
    let officer = Person { id: "u-officer", name: "Olga", role: Role::PrivacyOfficer, fhir_user: None, patients: &[] };
    let officer = server.tokens().token_of_person(&officer, None, "user/AuditEvent.rs");
    let partner = server.tokens().token_of_partner("system/AuditEvent.rs");
    let told = |token: &str| get(&server, token, "AuditEvent?_count=50").expect(200).text().matches("c-ada").count();
    assert!(told(&officer) > told(&partner), "the decision is the officer's");
    let denials = get(&server, &officer, "AuditEvent?entity=Consent/c-ada&outcome=4").expect(200).text();
    assert!(denials.contains("ada-kept") && !denials.contains("not-there"), "{denials}");
}

/// G3, H23: where no consent speaks, the facility's default does.
#[test]
fn g3_the_default_of_the_house() {
    let (server, all) = facility();
    let mut house = policy::House::clone(&server.store().house());
    house.consents = Some(policy::consent::Settings {
        default: policy::consent::Implicit::Deny,
        ..policy::consent::Settings::default()
    });
    server.store().set_house(house);
    for token in bound(&server) {
        assert!(found(&server, &token, "Observation").is_empty());
        assert_eq!(found(&server, &token, "Practitioner"), ["Practitioner/nurse"]);
    }
    assert_eq!(found(&server, &all, "Observation").len(), 4);
    let own = server.tokens().token_of_person(&ADA, Some("ada"), "patient/*.rs");
    assert_eq!(found(&server, &own, "Observation").len(), 2);
}
