//! People and the apps that act for them: the record of whom it is about, on every road. Rows A8, B24, B39 to B42, B52,
//! B54, F1 to F9, F18, F22.

use crate::world::{ALL, create, everyone, get, observation, patient, put, shape};
use oauth::caller::{Confirmation, Role};
use serde_json::{Value, json};
use testkit::{Person, Reply, Server};

const ANNA: Person = Person {
    id: "u-anna",
    name: "Anna Alba",
    role: Role::Patient,
    fhir_user: Some("Patient/anna"),
    patients: &["anna"],
};
const CARER: Person =
    Person { id: "u-carer", name: "Cara", role: Role::Caregiver, fhir_user: Some("Person/carer"), patients: &[] };
const DOCTOR: Person =
    Person { id: "u-dr", name: "Dora Roth", role: Role::Clinician, fhir_user: Some("Practitioner/dr"), patients: &[] };
const OFFICER: Person =
    Person { id: "u-officer", name: "Olga", role: Role::PrivacyOfficer, fhir_user: None, patients: &[] };
const ADMINISTRATOR: Person =
    Person { id: "u-admin", name: "Adam", role: Role::Administrator, fhir_user: None, patients: &[] };

const OWN: &str = "patient/*.cruds patient/AuditEvent.rs openid fhirUser launch/patient";

fn reference(to: &str) -> Value {
    json!({ "reference": to })
}

/// An observation about one patient with another as its performer.
fn performed(subject: &str, performer: &str, value: &str) -> Value {
    let mut resource = observation(subject, "vital-signs", value);
    resource["performer"] = json!([reference(&format!("Patient/{performer}"))]);
    resource
}

fn condition(subject: &str) -> Value {
    json!({"resourceType": "Condition", "subject": reference(&format!("Patient/{subject}"))})
}

/// The facility: Anna, Bert (her husband) and Carl. `others`: with all that others' records say, of Anna too.
fn facility(others: bool) -> Server {
    // A secret of the test's own, so that equal positions have equal cursors.
    let server = Server::given(store::Given { secret: [7; 32], search: store::limits::Search::default() });
    let all = server.token_for(ALL);
    let make = |id: &str, resource: Value| drop(put(&server, &all, id, resource).expect(201));
    make("dr", json!({"resourceType": "Practitioner", "name": [{"family": "Roth"}]}));
    make("org", json!({"resourceType": "Organization", "name": "House"}));
    make("anna", patient("anna"));
    make("o-anna", observation("anna", "survey", "1"));
    make("l-anna", observation("anna", "laboratory", "2"));
    make("c-anna", condition("anna"));
    make("prov-anna", provenance("Observation/o-anna"));
    make("carer", json!({"resourceType": "RelatedPerson", "patient": reference("Patient/anna")}));
    let link = |id: &str| json!({"target": reference(&format!("RelatedPerson/{id}"))});
    make("carer", json!({"resourceType": "Person", "link": [link("carer"), link("carer-of-carl")]}));
    // Who has to do with whom is the subject of `relations`.
    server.store().set_house(everyone());
    if others {
        let mut bert = patient("bert");
        bert["link"] = json!([{"other": reference("Patient/anna"), "type": "seealso"}]);
        make("bert", bert);
        make("carl", patient("carl"));
        make("carer-of-carl", json!({"resourceType": "RelatedPerson", "patient": reference("Patient/carl")}));
        make("o-bert", observation("bert", "survey", "3"));
        make("o-carl", observation("carl", "survey", "4"));
        make("by-anna", performed("bert", "anna", "5"));
        let mut asserted = condition("bert");
        asserted["asserter"] = reference("Patient/anna");
        make("c-bert", asserted);
        let member = |id: &str| json!({"entity": reference(&format!("Patient/{id}"))});
        make(
            "group",
            json!({"resourceType": "Group", "type": "person", "actual": true, "member": [member("anna"), member("bert")]}),
        );
        make("prov-bert", provenance("Observation/by-anna"));
        make(
            "message",
            json!({"resourceType": "Communication", "status": "completed", "subject": reference("Patient/bert"), "recipient": [reference("Patient/anna")]}),
        );
    }
    server
}

fn provenance(target: &str) -> Value {
    json!({
        "resourceType": "Provenance",
        "target": [reference(target)],
        "recorded": "2026-01-01T10:00:00Z",
        "agent": [{"who": reference("Practitioner/dr")}]
    })
}

fn anna(server: &Server) -> String {
    server.tokens().token_of_person(&ANNA, Some("anna"), OWN)
}

fn ids(reply: &Reply) -> String {
    let mut all = reply.entries("match");
    all.extend(reply.entries("include"));
    all.sort();
    all.join(" ")
}

const HIDDEN: [&str; 8] = [
    "Patient/bert",
    "Observation/o-bert",
    "Observation/by-anna",
    "Condition/c-bert",
    "Group/group",
    "Provenance/prov-bert",
    "Communication/message",
    "Patient/carl",
];

/// B39, B40: what is in her record is there, the directory too; nothing else is.
#[test]
fn a_patient_sees_their_own_record() {
    let server = facility(true);
    let anna = anna(&server);
    for path in
        ["Patient/anna", "Observation/o-anna", "Condition/c-anna", "Provenance/prov-anna", "RelatedPerson/carer"]
    {
        let _ = get(&server, &anna, path).expect(200);
        let _ = get(&server, &anna, &format!("{path}/_history/1")).expect(200);
    }
    let _ = get(&server, &anna, "Practitioner/dr").expect(200);
    let _ = get(&server, &anna, "Organization/org").expect(200);
    for path in HIDDEN {
        let (kind, id) = path.split_once('/').unwrap();
        let hidden = get(&server, &anna, path);
        if kind == "Group" {
            let _ = hidden.expect(403);
            continue;
        }
        let absent = get(&server, &anna, &format!("{kind}/absent")).expect(404);
        assert_eq!(shape(&hidden, id), shape(&absent, "absent"), "{path}");
        let _ = get(&server, &anna, &format!("{path}/_history")).expect(404);
        let _ = get(&server, &anna, &format!("{path}/_history/1")).expect(404);
    }
}

/// F1 to F4: searches, totals, includes both ways, joins, compartments.
#[test]
fn no_road_leads_into_another_record() {
    let server = facility(true);
    let anna = anna(&server);
    let found = |path: &str| ids(&get(&server, &anna, path).expect(200));
    assert_eq!(found("Observation"), "Observation/l-anna Observation/o-anna");
    assert_eq!(get(&server, &anna, "Observation?_total=accurate").json()["total"], 2);
    assert_eq!(found("Observation?performer=Patient/anna"), "");
    assert_eq!(found("Patient"), "Patient/anna");
    assert_eq!(found("Patient?link=Patient/anna"), "");
    assert_eq!(found("Condition?asserter=Patient/anna"), "");
    assert_eq!(found("Communication?recipient=Patient/anna"), "");
    assert_eq!(found("Patient/anna/Observation"), "Observation/l-anna Observation/o-anna");
    assert_eq!(found("Patient/bert/Observation"), "");
    assert_eq!(
        found("Patient?_revinclude=Observation:performer&_revinclude=Condition:asserter&_revinclude=Patient:link"),
        "Patient/anna"
    );
    assert_eq!(found("Patient?_has:Observation:performer:code=8867-4"), "");
    assert_eq!(found("Observation?performer:Patient.family=anna"), "");
    assert_eq!(found("Provenance"), "Provenance/prov-anna");
    assert_eq!(
        found("Observation?_revinclude=Provenance:target&_include=Observation:subject"),
        "Observation/l-anna Observation/o-anna Patient/anna Provenance/prov-anna"
    );
    assert_eq!(found("Provenance?target=Observation/by-anna"), "");
    assert_eq!(found("Practitioner?_has:Provenance:agent:target=Observation/by-anna"), "");
}

/// F3, F4, invariant 5: with all that others' records say, of her too, she is answered with the same bytes.
#[test]
fn what_others_records_say_changes_nothing() {
    let (full, bare) = (facility(true), facility(false));
    let (in_full, in_bare) = (anna(&full), anna(&bare));
    let mut paths: Vec<String> = [
        "Observation?_total=accurate",
        "Observation?_sort=-date&_count=1",
        "Observation?performer=Patient/anna&_summary=count",
        "Patient?_revinclude=Observation:performer&_revinclude=Provenance:target",
        "Patient?link=Patient/anna",
        "Patient?_has:Condition:asserter:_id=c-bert",
        "Condition?asserter:Patient.family=anna",
        "Provenance?_include=Provenance:target",
        "Patient/bert/Observation",
        "Practitioner?_has:Provenance:agent:_id=prov-bert",
        "Communication?_total=accurate",
    ]
    .map(str::to_owned)
    .to_vec();
    for path in HIDDEN {
        paths.extend([path.to_owned(), format!("{path}/_history"), format!("{path}/_history/1")]);
    }
    for path in &paths {
        let [one, two] = [get(&full, &in_full, path), get(&bare, &in_bare, path)].map(|reply| shape(&reply, "-"));
        assert_eq!(one, two, "{path}");
    }
    // Writes, whose ids the servers make alike.
    let next = |server: &Server, token: &str| {
        let mut asked = observation("anna", "survey", "9");
        asked["performer"] = json!([reference("Patient/anna")]);
        let condition = "performer=Patient/anna";
        let conditional = server.request("POST", "Observation").token(token).header("if-none-exist", condition);
        let hidden_update = put(server, token, "o-bert", observation("anna", "survey", "9"));
        let deleted = server.request("DELETE", "Observation/o-bert").token(token).send();
        let made = conditional.json(&asked).send();
        assert_eq!((made.status, hidden_update.status, deleted.status), (201, 404, 204));
        let id = made.id();
        let (status, headers, body) = shape(&made, &id);
        let headers = headers.into_iter().map(|(name, value)| (name, value.replace(&id, "ID"))).collect();
        [(status, headers, body), shape(&hidden_update, "-"), shape(&deleted, "-")]
    };
    assert_eq!(next(&full, &in_full), next(&bare, &in_bare));
}

/// F6, F7: what she writes is about her and names no other patient; nothing of hers leaves, nothing of others' comes.
#[test]
fn a_patient_writes_in_their_own_record() {
    let server = facility(true);
    let (anna, all) = (anna(&server), server.token_for(ALL));
    let post = |resource: &Value| {
        let kind = resource["resourceType"].as_str().unwrap();
        server.request("POST", kind).token(&anna).json(resource).send()
    };
    let mine = create(&server, &anna, &performed("anna", "anna", "7")).id();
    for refused in [
        observation("bert", "survey", "7"),
        performed("anna", "bert", "7"),
        performed("bert", "anna", "7"),
        json!({"resourceType": "Patient", "name": [{"family": "another"}]}),
        provenance("Observation/o-anna"),
        json!({"resourceType": "Practitioner", "name": [{"family": "Quack"}]}),
        json!({"resourceType": "Group", "type": "person", "actual": true}),
    ] {
        let reply = post(&refused).expect(403);
        assert_eq!(reply.header("www-authenticate"), Some("Bearer error=\"insufficient_scope\""), "{refused}");
    }
    let _ = put(&server, &anna, &mine, performed("anna", "anna", "8")).expect(200);
    for moved in [observation("bert", "survey", "8"), performed("anna", "bert", "8")] {
        let _ = put(&server, &anna, &mine, moved).expect(403);
    }
    let value = get(&server, &all, &format!("Observation/{mine}")).json()["valueQuantity"]["value"].clone();
    assert_eq!(value, 8, "refused writes left nothing");
    let _ = put(&server, &anna, "o-bert", observation("anna", "survey", "8")).expect(404);
    let _ = put(&server, &anna, "brand-new", observation("anna", "survey", "8")).expect(404);
    let _ = server.request("DELETE", "Observation/o-bert").token(&anna).send().expect(204);
    let _ = get(&server, &all, "Observation/o-bert").expect(200);
    let mut linked = patient("anna");
    linked["link"] = json!([{"other": reference("Patient/bert"), "type": "replaces"}]);
    let _ = put(&server, &anna, "anna", linked).expect(403);
    let _ = server.request("DELETE", &format!("Observation/{mine}")).token(&anna).send().expect(204);
}

/// F6: in a transaction it is no other way; one entry out of her record undoes all.
#[test]
fn transactions_of_a_patient() {
    let server = facility(true);
    let anna = anna(&server);
    let entry = |resource: Value| json!({"resource": resource, "request": {"method": "POST", "url": "Observation"}});
    let send = |entries: Vec<Value>| {
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
        server.request("POST", "").token(&anna).json(&bundle).send()
    };
    let good = || entry(observation("anna", "survey", "6"));
    let _ = send(vec![good(), entry(observation("bert", "survey", "6"))]).expect(403);
    assert_eq!(get(&server, &anna, "Observation?_total=accurate").json()["total"], 2);
    let _ = send(vec![good(), good()]).expect(200);
    assert_eq!(get(&server, &anna, "Observation?_total=accurate").json()["total"], 4);
}

/// F5: a version that was somebody else's stays theirs; one that was hers stays hers.
#[test]
fn versions_belong_to_whom_they_were_about() {
    let server = facility(true);
    let (anna, all) = (anna(&server), server.token_for(ALL));
    let _ = put(&server, &all, "o-bert", observation("anna", "survey", "30")).expect(200);
    let _ = get(&server, &anna, "Observation/o-bert").expect(200);
    let _ = get(&server, &anna, "Observation/o-bert/_history/1").expect(404);
    assert_eq!(get(&server, &anna, "Observation/o-bert/_history").json()["total"], 1);
    let _ = put(&server, &all, "o-anna", observation("bert", "survey", "30")).expect(200);
    let _ = get(&server, &anna, "Observation/o-anna").expect(404);
    let _ = get(&server, &anna, "Observation/o-anna/_history/1").expect(200);
}

/// B34, B35: a granular scope ∩ her record.
#[test]
fn granular_scopes_of_a_patient() {
    let server = facility(true);
    let scope = "patient/Observation.rs?category=survey patient/Patient.r";
    let token = server.tokens().token_of_person(&ANNA, Some("anna"), scope);
    assert_eq!(ids(&get(&server, &token, "Observation").expect(200)), "Observation/o-anna");
    for path in ["Observation/l-anna", "Observation/o-bert"] {
        let _ = get(&server, &token, path).expect(404);
    }
    let _ = get(&server, &token, "Condition").expect(403);
    let _ = get(&server, &token, "Patient").expect(403);
    let _ = get(&server, &token, "Practitioner/dr").expect(403);
}

/// B24, B41: a context that is not theirs, or none, is nothing; a caregiver has the records of their own.
#[test]
fn the_context_is_theirs_or_nothing() {
    let server = facility(true);
    let token = |person: &Person, context, scope: &str| server.tokens().token_of_person(person, context, scope);
    for context in [None, Some("bert")] {
        let token = token(&ANNA, context, "patient/*.cruds");
        for path in ["Observation", "Patient/anna", "Patient/bert", "Practitioner/dr"] {
            let _ = get(&server, &token, path).expect(403);
        }
    }
    let of = |token: &str| ids(&get(&server, token, "Observation").expect(200));
    assert_eq!(of(&token(&ANNA, None, "user/*.rs")), "Observation/l-anna Observation/o-anna");
    assert_eq!(of(&token(&CARER, Some("carl"), "patient/*.rs")), "Observation/o-carl");
    assert_eq!(
        of(&token(&CARER, Some("carl"), "user/*.rs")),
        "Observation/l-anna Observation/o-anna Observation/o-carl"
    );
    let bert = token(&CARER, Some("bert"), "patient/*.rs user/Observation.rs");
    assert_eq!(of(&bert), "Observation/l-anna Observation/o-anna Observation/o-carl");
    let _ = get(&server, &bert, "Patient/bert").expect(404);
}

/// B41, B42: what each role is for. `system/` rides on nobody's token.
#[test]
fn roles() {
    let server = facility(true);
    let token = |person: &Person, scope: &str| server.tokens().token_of_person(person, Some("anna"), scope);
    let all = "user/*.cruds user/AuditEvent.rs";
    let doctor = token(&DOCTOR, all);
    for path in HIDDEN {
        let _ = get(&server, &doctor, path).expect(200);
    }
    let _ = get(&server, &doctor, "AuditEvent").expect(403);
    let in_context = token(&DOCTOR, "patient/*.rs");
    assert_eq!(ids(&get(&server, &in_context, "Observation").expect(200)), "Observation/l-anna Observation/o-anna");
    let _ = get(&server, &in_context, "Patient/bert").expect(404);
    for person in [&OFFICER, &ADMINISTRATOR] {
        let token = token(person, all);
        for path in HIDDEN {
            let _ = get(&server, &token, path).expect(403);
        }
        let _ = get(&server, &token, "Practitioner/dr").expect(200);
    }
    let _ = get(&server, &token(&OFFICER, all), "AuditEvent").expect(200);
    let _ = get(&server, &token(&ADMINISTRATOR, all), "AuditEvent").expect(403);
    let made = json!({"resourceType": "Organization", "name": "New"});
    let post = |token: &str| server.request("POST", "Organization").token(token).json(&made).send();
    let _ = post(&token(&ADMINISTRATOR, all)).expect(201);
    let _ = post(&token(&OFFICER, all)).expect(403);
    for person in [&ANNA, &CARER, &DOCTOR, &OFFICER, &ADMINISTRATOR] {
        let _ = get(&server, &token(person, "system/*.cruds"), "Observation").expect(403);
    }
    let _ = get(&server, &server.token_for("patient/*.cruds user/*.cruds"), "Observation").expect(403);
}

/// B54: their own resource, when they let the app know who they are; that one, and to read.
#[test]
fn who_they_are_can_be_read() {
    let server = facility(true);
    let token = |person: &Person, scope: &str| server.tokens().token_of_person(person, None, scope);
    let carer = token(&CARER, "openid fhirUser");
    let _ = get(&server, &carer, "Person/carer").expect(200);
    let _ = get(&server, &carer, "Person?_id=carer").expect(403);
    let _ = get(&server, &carer, "Patient/anna").expect(403);
    let _ = get(&server, &token(&DOCTOR, "openid fhirUser"), "Practitioner/dr").expect(200);
    let _ = get(&server, &token(&CARER, "openid profile"), "Person/carer").expect(403);
}

/// F4: a page link is its reader's: the same app with the same scopes for another person has no use for it.
#[test]
fn cursors_are_one_persons() {
    let server = facility(true);
    let scope = "user/Observation.rs";
    let carer = server.tokens().token_of_person(&CARER, None, scope);
    let doctor = server.tokens().token_of_person(&DOCTOR, None, scope);
    let in_context = server.tokens().token_of_person(&CARER, Some("anna"), scope);
    let next = get(&server, &carer, "Observation?_count=1").expect(200).link("next").unwrap();
    let _ = get(&server, &carer, &next).expect(200);
    for other in [&doctor, &in_context] {
        assert_ne!(get(&server, other, &next).status, 200);
    }
}

/// F18, F22: the record says for whom the app acted; she reads what was done with her record, and of nobody else's.
#[test]
fn the_log_names_people_and_is_read_by_those_it_concerns() {
    let server = facility(true);
    let doctor = server.tokens().token_of_person(&DOCTOR, None, "user/*.rs");
    let officer = server.tokens().token_of_person(&OFFICER, None, "user/AuditEvent.rs");
    let anna = anna(&server);
    let _ = get(&server, &doctor, "Observation/o-anna").expect(200);
    let _ = get(&server, &doctor, "Observation?patient=anna,unknown&code=8867-4").expect(200);
    let _ = get(&server, &doctor, "Observation").expect(200);
    let _ = get(&server, &doctor, "Observation/by-anna").expect(200);
    let events = |token: &str, query: &str| {
        let page = get(&server, token, &format!("AuditEvent?{query}")).expect(200).json();
        let entries = page["entry"].as_array().cloned().unwrap_or_default();
        entries.into_iter().map(|entry| entry["resource"].clone()).collect::<Vec<Value>>()
    };
    let by_doctor = "agent=Practitioner/dr";
    let seen = events(&officer, by_doctor);
    assert_eq!(seen.len(), 4, "{seen:#?}");
    let agent = &seen[0]["agent"][2];
    assert_eq!((&agent["name"], &agent["role"][0]["coding"][0]["code"]), (&json!("Dora Roth"), &json!("clinician")));
    assert_eq!(agent["who"]["identifier"]["value"], "u-dr");
    let asked = |event: &Value| event["entity"].as_array().unwrap().iter().any(|entity| entity.get("query").is_some());
    assert_eq!(seen.iter().filter(|event| asked(event)).count(), 2);
    let own = events(&anna, by_doctor);
    assert_eq!(own.len(), 2, "those about her alone: {own:#?}");
    assert!(!own.iter().any(asked), "what was searched for may name others");
    assert!(!json!(own).to_string().contains("bert"));
    for event in &own {
        let _ = get(&server, &anna, &format!("AuditEvent/{}", event["id"].as_str().unwrap())).expect(200);
    }
    let of_bert = seen.iter().find(|event| event.to_string().contains("by-anna")).unwrap();
    let _ = get(&server, &anna, &format!("AuditEvent/{}", of_bert["id"].as_str().unwrap())).expect(404);
}

/// A8: a token bound to a certificate is worth nothing over another connection.
#[test]
fn certificate_bound_tokens() {
    let server = facility(false);
    let token = anna(&server);
    server.tokens().bind(&token, Confirmation::Certificate([1; 32]));
    let ask = || server.request("GET", "Patient/anna").token(&token);
    let _ = ask().certificate([1; 32]).send().expect(200);
    for refused in [ask().send(), ask().certificate([2; 32]).send()] {
        assert_eq!(refused.status, 401);
        assert_eq!(refused.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    }
}

/// RFC 9449: a token bound to a key needs a proof, for this request, for this token, once, with our nonce.
#[test]
fn key_bound_tokens() {
    let server = facility(false);
    let key = oauth::sign::PrivateKey::generate(oauth::jws::Algorithm::Es256).unwrap();
    let other = oauth::sign::PrivateKey::generate(oauth::jws::Algorithm::Es256).unwrap();
    let token = anna(&server);
    server.tokens().bind(&token, Confirmation::Key(key.public().thumbprint_bytes()));
    let url = format!("{}/Patient/anna", Server::BASE_URL);
    let now_s = server.clock().now().unix_seconds();
    let proof = |key, method: &str, url: &str, jti: &str, token: &str, nonce: Option<&str>| {
        oauth::dpop::signed(key, method, url, jti, now_s, Some(token), nonce).unwrap()
    };
    let ask = |scheme: &str, proof: Option<&str>| {
        let request = server.request("GET", "Patient/anna?_pretty=true");
        let request = request.header("authorization", &format!("{scheme} {token}"));
        proof.map_or_else(
            || server.request("GET", "Patient/anna").header("authorization", &format!("{scheme} {token}")).send(),
            |proof| request.header("dpop", proof).send(),
        )
    };
    let first = ask("DPoP", Some(&proof(&key, "GET", &url, "1", &token, None)));
    assert_eq!((first.status, first.header("www-authenticate")), (401, Some("DPoP error=\"use_dpop_nonce\"")));
    let nonce = first.header("dpop-nonce").unwrap().to_owned();
    let nonce = Some(nonce.as_str());
    let good = proof(&key, "GET", &url, "2", &token, nonce);
    assert_eq!(ask("DPoP", Some(&good)).status, 200);
    for (what, scheme, proof) in [
        ("replayed", "DPoP", Some(good)),
        ("none", "DPoP", None),
        ("as a bearer token", "Bearer", Some(proof(&key, "GET", &url, "3", &token, nonce))),
        ("another key", "DPoP", Some(proof(&other, "GET", &url, "4", &token, nonce))),
        ("another method", "DPoP", Some(proof(&key, "POST", &url, "5", &token, nonce))),
        ("another URL", "DPoP", Some(proof(&key, "GET", Server::BASE_URL, "6", &token, nonce))),
        ("another token", "DPoP", Some(proof(&key, "GET", &url, "7", "another", nonce))),
        ("no proof at all", "DPoP", Some("nonsense".to_owned())),
    ] {
        let refused = ask(scheme, proof.as_deref());
        assert_eq!(
            (refused.status, refused.header("www-authenticate")),
            { (401, Some("Bearer error=\"invalid_token\"")) },
            "{what}"
        );
    }
}
