//! Security labels on every road: who is cleared, what is labelled, what cannot be lowered, what a Bundle carries.
//! Rows F40 to F47, H34.

use crate::world::{ALL, create, get, observation, patient, put, server, shape};
use oauth::caller::Role;
use policy::{House, label::Labels};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{Person, Reply, Server};

const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const VALUE: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
const INLINE: &str = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label";

const ANNA: Person =
    Person { id: "u-anna", name: "Anna", role: Role::Patient, fhir_user: Some("Patient/anna"), patients: &["anna"] };
const CARER: Person =
    Person { id: "u-carer", name: "Cara", role: Role::Caregiver, fhir_user: None, patients: &["anna"] };
const DOCTOR: Person = Person { id: "u-dr", name: "Dora", role: Role::Clinician, fhir_user: None, patients: &[] };
const OFFICER: Person =
    Person { id: "u-officer", name: "Olga", role: Role::PrivacyOfficer, fhir_user: None, patients: &[] };

fn house(server: &Server, text: &str) {
    let mut house = House::default();
    house.labels = Arc::new(Labels::read(text).unwrap());
    house.clinicians = policy::Clinicians::Everyone;
    server.store().set_house(house);
}

fn level(code: &str) -> Value {
    json!({"system": CONFIDENTIALITY, "code": code})
}

fn act(code: &str) -> Value {
    json!({"system": ACT, "code": code})
}

fn labelled(value: &str, labels: &[Value]) -> Value {
    let mut resource = observation("anna", "survey", value);
    if !labels.is_empty() {
        resource["meta"] = json!({"security": labels});
    }
    resource
}

fn codes(resource: &Value) -> String {
    let all = resource["meta"]["security"].as_array().cloned().unwrap_or_default();
    let mut codes: Vec<String> = all.iter().map(|label| label["code"].as_str().unwrap().to_owned()).collect();
    codes.sort();
    codes.join(" ")
}

fn provenance(target: &str) -> Value {
    json!({
        "resourceType": "Provenance",
        "target": [{"reference": target}],
        "recorded": "2026-01-01T10:00:00Z",
        "agent": [{"who": {"display": "somebody"}}]
    })
}

/// A facility with the standard clearances. `hidden`: with what a partner is not cleared for.
fn facility(hidden: bool) -> Server {
    let server = Server::given(store::Given { secret: [7; 32], search: store::limits::Search::default() });
    let all = server.token_for(ALL);
    let make = |id: &str, resource: Value| drop(put(&server, &all, id, resource).expect(201));
    make("anna", patient("anna"));
    make("plain", labelled("1", &[level("N"), act("DELAU")]));
    make("restricted", labelled("2", &[level("R"), act("PSY")]));
    make("says", provenance("Observation/plain"));
    if hidden {
        make("very", labelled("3", &[level("V")]));
        make("tells", provenance("Observation/very"));
        make("unknown", labelled("4", &[json!({"system": "http://example.org/tags", "code": "x"})]));
        make("nobody", labelled("5", &[json!({"code": "R"})]));
    }
    house(&server, "");
    server
}

const HIDDEN: [&str; 3] = ["very", "unknown", "nobody"];

/// F41, F44, F1 to F5: a label above the clearance hides on every road, byte for byte as if it were not there.
#[test]
fn what_is_above_the_clearance_is_not_there() {
    let (with, without) = (facility(true), facility(false));
    let tokens = |server: &Server| server.tokens().token_of_partner("system/*.rs");
    let (with_token, without_token) = (tokens(&with), tokens(&without));
    for id in HIDDEN {
        for path in ["", "/_history", "/_history/1", "/$validate"] {
            let reply = get(&with, &with_token, &format!("Observation/{id}{path}")).expect(404);
            let absent = get(&with, &with_token, &format!("Observation/absent{path}")).expect(404);
            assert_eq!(shape(&reply, id), shape(&absent, "absent"), "{id}{path}");
        }
    }
    let _ = get(&with, &with_token, "Provenance/tells").expect(404);
    let _ = get(&with, &with_token, "Provenance/says").expect(200);
    let roads = [
        "Provenance?_total=accurate",
        "Observation?_revinclude=Provenance:target",
        "Observation?_sort=_lastUpdated&_total=accurate",
        "Observation?_count=1",
        "Observation?value-quantity=gt2&_total=accurate",
        "Observation?_security=V",
        "Observation?_security=http://example.org/tags|x",
        "Observation?_security:not=N",
        "Patient?_has:Observation:patient:value-quantity=5",
        "Patient?_has:Observation:patient:_security=V",
        "Patient?_id=anna&_revinclude=Observation:subject",
        "Patient/anna/Observation?_sort=value-quantity",
        "Observation?subject:Patient.name=anna&_include=Observation:subject",
    ];
    for road in roads {
        let (one, other) = (get(&with, &with_token, road), get(&without, &without_token, road));
        let clean = |server: &Server, reply: &Reply| {
            // When each store was filled is the tests' own doing.
            let mut json = reply.json();
            for entry in json["entry"].as_array_mut().into_iter().flatten() {
                entry["resource"]["meta"].as_object_mut().unwrap().remove("lastUpdated");
            }
            let _ = server;
            (reply.status, json.to_string())
        };
        assert_eq!(clean(&with, &one), clean(&without, &other), "{road}");
        assert_eq!(one.status, 200, "{road}");
    }
}

/// F41: the documented table, for those who come by their roles and purposes.
#[test]
fn each_is_cleared_as_documented() {
    let server = facility(true);
    let seen = |token: &str| {
        let reply = get(&server, token, "Observation?_count=50").expect(200);
        let mut ids: Vec<String> = reply.entries("match").iter().map(|id| id.replace("Observation/", "")).collect();
        ids.sort();
        ids.join(" ")
    };
    let person = |person: &Person, scope: &str| server.tokens().token_of_person(person, Some("anna"), scope);
    assert_eq!(seen(&person(&ANNA, "patient/*.rs")), "plain restricted very");
    assert_eq!(seen(&person(&CARER, "patient/*.rs")), "plain restricted");
    assert_eq!(seen(&person(&DOCTOR, "patient/*.rs")), "plain restricted");
    assert_eq!(seen(&server.tokens().token_of_partner("system/*.rs")), "plain restricted");
    assert_eq!(seen(&server.token_for("system/*.rs")), "nobody plain restricted unknown very", "the custodian");
    house(
        &server,
        "clearance caregiver N none\nunrestricted http://example.org/tags\nclearance client test-client V all",
    );
    assert_eq!(seen(&person(&CARER, "patient/*.rs")), "plain unknown");
    assert_eq!(seen(&person(&DOCTOR, "patient/*.rs")), "plain restricted unknown");
}

/// F40, F42: a Bundle is as confidential as its most confidential entry, and passes on how it is to be handled.
#[test]
fn bundles_carry_the_high_water_mark() {
    let server = facility(false);
    let token = server.tokens().token_of_partner("system/*.cruds");
    let all = get(&server, &token, "Observation").expect(200).json();
    assert_eq!(codes(&all), "DELAU R");
    assert_eq!(codes(&get(&server, &token, "Observation?_id=plain").expect(200).json()), "DELAU N");
    assert_eq!(codes(&get(&server, &token, "Patient").expect(200).json()), "", "no entry says anything");
    let included = get(&server, &token, "Patient?_revinclude=Observation:subject").expect(200).json();
    assert_eq!(codes(&included), "DELAU R");
    assert_eq!(codes(&get(&server, &token, "Observation/restricted/_history").expect(200).json()), "R");
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        {"request": {"method": "GET", "url": "Observation/plain"}},
        {"request": {"method": "GET", "url": "Observation?_id=restricted"}},
        {"request": {"method": "GET", "url": "Observation/absent"}},
    ]});
    let answer = server.request("POST", "").token(&token).json(&batch).send().expect(200).json();
    assert_eq!(codes(&answer), "DELAU R");
    let mut transaction = batch.clone();
    transaction["type"] = json!("transaction");
    let answer = server.request("POST", "").token(&token).json(&transaction).send().expect(200).json();
    assert_eq!(codes(&answer), "DELAU R");
}

/// F45: a normal update carries labels on; it can add and raise.
#[test]
fn an_update_cannot_lower() {
    let (server, token) = server();
    let _ = put(&server, &token, "o", labelled("1", &[level("R"), act("PSY")])).expect(201);
    let after = |security: &[Value]| {
        let _ = put(&server, &token, "o", labelled("2", security)).expect(200);
        codes(&get(&server, &token, "Observation/o").expect(200).json())
    };
    assert_eq!(after(&[]), "PSY R");
    assert_eq!(after(&[level("U")]), "PSY R");
    assert_eq!(after(&[act("HIV")]), "HIV PSY R");
    assert_eq!(after(&[level("V")]), "HIV PSY V");
    let mut bare = labelled("3", &[]);
    let _ = put(&server, &token, "o", bare.clone()).expect(200);
    assert_eq!(codes(&get(&server, &token, "Observation/o").json()), "HIV PSY V");
    // In a transaction too.
    bare["id"] = json!("o");
    let entry = json!({"resource": bare, "request": {"method": "PUT", "url": "Observation/o"}});
    let transaction = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
    let _ = server.request("POST", "").token(&token).json(&transaction).send().expect(200);
    assert_eq!(codes(&get(&server, &token, "Observation/o").json()), "HIV PSY V");
    // The operator's word counts.
    bare["meta"] = json!({"security": [level("N")]});
    let _ = server.request("PUT", "Observation/o").as_operator().json(&bare).send().expect(200);
    assert_eq!(codes(&get(&server, &token, "Observation/o").json()), "N");
}

/// F7, F45: who would not see the result may not write it; who does not see it cannot change it.
#[test]
fn a_write_stays_within_the_clearance() {
    let server = facility(true);
    let partner = server.tokens().token_of_partner("system/*.cruds");
    let _ = put(&server, &partner, "plain", labelled("9", &[level("R")])).expect(200);
    let _ = put(&server, &partner, "plain", labelled("9", &[level("V")])).expect(403);
    let unknown = json!({"system": "http://example.org/tags", "code": "x"});
    let _ = put(&server, &partner, "plain", labelled("9", &[unknown])).expect(403);
    for id in HIDDEN {
        let hidden = put(&server, &partner, id, labelled("9", &[])).expect(404);
        let absent = put(&server, &partner, "absent", labelled("9", &[])).expect(404);
        assert_eq!(shape(&hidden, id), shape(&absent, "absent"));
        let path = format!("Observation/{id}");
        let _ = server.request("DELETE", &path).token(&partner).send().expect(204);
        let _ = get(&server, &server.token_for(ALL), &path).expect(200);
    }
    // What is written upwards is written, and not read back by who may not.
    let made = create(&server, &partner, &labelled("9", &[level("V")]));
    let _ = get(&server, &partner, &format!("Observation/{}", made.id())).expect(404);
    // F8: a condition on what is hidden finds nothing.
    let condition = server
        .request("POST", "Observation")
        .token(&partner)
        .header("if-none-exist", "value-quantity=3")
        .json(&labelled("3", &[]))
        .send();
    let _ = condition.expect(201);
}

/// F43: rules label what is written, say why, and nobody who writes takes it back.
#[test]
fn rules_label_what_is_written() {
    let (server, token) = server();
    house(
        &server,
        "label PSY,R because HIPAAPsyNotes when code http://loinc.org|8867-4 and category http://terminology.hl7.org/CodeSystem/observation-category|survey\nlabel SEX when value-set http://hl7.org/fhir/ValueSet/administrative-gender",
    );
    let id = create(&server, &token, &observation("anna", "survey", "1")).id();
    let path = format!("Observation/{id}");
    let stored = get(&server, &token, &path).expect(200).json();
    assert_eq!(codes(&stored), "PSY R");
    let basis = &stored["meta"]["security"][0]["extension"];
    assert_eq!(basis[0]["valueCoding"]["code"], "HIPAAPsyNotes");
    assert_eq!(basis[1]["valueContributor"]["name"], "handrail");
    assert_eq!(codes(&get(&server, &token, &format!("Observation?_id={id}")).json()), "R");
    // The code is another now; the label stays until whoever has the authority takes it away.
    let _ = put(&server, &token, &id, observation("anna", "laboratory", "1")).expect(200);
    assert_eq!(codes(&get(&server, &token, &path).json()), "PSY R");
    let other = create(&server, &token, &observation("anna", "laboratory", "1")).json();
    assert_eq!(codes(&other), "");
    let partner = server.tokens().token_of_partner("system/*.cruds");
    house(&server, "clearance system N none\nlabel R when type Observation");
    let made = create(&server, &partner, &observation("anna", "laboratory", "1"));
    let _ = get(&server, &partner, &format!("Observation/{}", made.id())).expect(404);
}

fn parameters(meta: &Value) -> Value {
    json!({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]})
}

/// F45: `$meta-add` and `$meta-delete`, by whoever has the authority for the type.
#[test]
fn labels_are_changed_by_authority_alone() {
    let server = facility(false);
    house(&server, "authority client registry Observation\nauthority privacy-officer");
    let registry = server.tokens().token_of("registry", "system/*.cruds");
    let ask = |token: &str, path: &str, meta: Value| {
        server.request("POST", path).token(token).json(&parameters(&meta)).send()
    };
    let delete = "Observation/restricted/$meta-delete";
    for token in
        [server.tokens().token_of("other", ALL), server.tokens().token_of_person(&DOCTOR, None, "user/*.cruds")]
    {
        let refused = ask(&token, delete, json!({"security": [act("PSY")]})).expect(403);
        assert!(refused.text().contains("authority"), "{}", refused.text());
    }
    let _ = ask(&registry, "Patient/anna/$meta-add", json!({"security": [level("R")]})).expect(403);
    let gone = ask(&registry, delete, json!({"security": [act("PSY"), act("HIV")]})).expect(200).json();
    assert_eq!(gone["parameter"][0]["name"], "return");
    assert_eq!(gone["parameter"][0]["valueMeta"]["versionId"], "2");
    assert_eq!(gone["parameter"][0]["valueMeta"]["security"], json!([level("R")]));
    // What is so already makes no version.
    let same = ask(&registry, delete, json!({"security": [act("PSY")]})).expect(200).json();
    assert_eq!(same["parameter"][0]["valueMeta"]["versionId"], "2");
    let add = "Observation/restricted/$meta-add";
    let tag = json!({"system": "http://example.org/tags", "code": "t"});
    let more = json!({"security": [level("U"), act("HIV")], "tag": [tag], "profile": ["http://example.org/p"]});
    let more = ask(&registry, add, more).expect(200).json();
    let meta = &more["parameter"][0]["valueMeta"];
    assert_eq!(meta["security"], json!([level("R"), act("HIV")]), "the higher stays");
    assert_eq!((&meta["tag"], &meta["profile"]), (&json!([tag]), &json!(["http://example.org/p"])));
    let lower = ask(&registry, delete, json!({"security": [level("R")]})).expect(200).json();
    assert_eq!(lower["parameter"][0]["valueMeta"]["security"], json!([act("HIV")]));
    let _ = ask(&registry, add, json!({"security": [level("L")]})).expect(200);
    // A privacy officer sees no record, and looks after labels all the same.
    let officer = server.tokens().token_of_person(&OFFICER, None, "user/*.cruds");
    let _ = get(&server, &officer, "Observation/restricted").expect(403);
    let raised = ask(&officer, add, json!({"security": [level("V")]})).expect(200).json();
    assert_eq!(raised["parameter"][0]["valueMeta"]["security"], json!([act("HIV"), level("V")]));
    // Within reach, or not there.
    let narrow = server.tokens().token_of(
        "registry",
        "system/Observation.u?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
    );
    let _ = ask(&narrow, add, json!({"security": [level("V")]})).expect(404);
    let _ = ask(&registry, "Observation/absent/$meta-add", json!({"security": [level("V")]})).expect(404);
    for wrong in [json!({}), json!({"versionId": "1"}), json!({"security": []})] {
        let _ = ask(&registry, add, wrong).expect(400);
    }
    let _ = server.request("POST", add).token(&registry).send().expect(400);
}

/// F5, F41, F45: what is labelled later is withheld in its past versions too, by each road to them. What
/// is labelled less now keeps its past as it was.
#[test]
fn a_later_label_is_of_the_past_too() {
    let (server, token) = server();
    for id in ["raised", "lowered"] {
        let labels: &[Value] = if id == "lowered" { &[level("V")] } else { &[] };
        let _ = put(&server, &token, id, labelled("1", labels)).expect(201);
    }
    house(&server, "authority client registry Observation");
    let partner = server.tokens().token_of_partner("system/*.rs");
    let registry = server.tokens().token_of("registry", "system/*.cruds");
    let ask = |id: &str, operation: &str, code: &str| {
        let body = parameters(&json!({"security": [level(code)]}));
        let path = format!("Observation/{id}/{operation}");
        drop(server.request("POST", &path).token(&registry).json(&body).send().expect(200));
    };
    let _ = get(&server, &partner, "Observation/raised/_history/1").expect(200);
    ask("raised", "$meta-add", "V");
    for path in ["", "/_history", "/_history/1", "/_history/2", "/$verify-signature"] {
        let hidden = get(&server, &partner, &format!("Observation/raised{path}")).expect(404);
        let absent = get(&server, &partner, &format!("Observation/absent{path}")).expect(404);
        assert_eq!(shape(&hidden, "raised"), shape(&absent, "absent"), "{path}");
    }
    ask("lowered", "$meta-delete", "V");
    let _ = get(&server, &partner, "Observation/lowered").expect(200);
    let _ = get(&server, &partner, "Observation/lowered/_history/1").expect(404);
    assert_eq!(get(&server, &partner, "Observation/lowered/_history").expect(200).json()["total"], 1);
    // Whoever is cleared sees all of it.
    assert_eq!(get(&server, &token, "Observation/raised/_history").expect(200).json()["total"], 2);
}

/// F45, F18: who asked for a meta got it, also where nothing had to be changed: the log says of whom it is.
#[test]
fn what_a_relabelling_shows_is_recorded() {
    let (server, token) = server();
    let _ = put(&server, &token, "o", labelled("1", &[act("HIV")])).expect(201);
    house(&server, "authority client registry Observation");
    let registry = server.tokens().token_of("registry", "system/*.cruds");
    let body = parameters(&json!({"security": [act("HIV")]}));
    let ask = server.request("POST", "Observation/o/$meta-add").token(&registry).header("x-request-id", "r-same");
    let _ = ask.json(&body).send().expect(200);
    server.store().log().sync().unwrap();
    let all = server.store().audit_after(0, 100).unwrap();
    let seen = all.iter().find(|seen| &*seen.entry.request_id == "r-same").unwrap();
    let patients: Vec<&str> = seen.entry.patients.iter().map(fhir::LogicalId::as_str).collect();
    assert_eq!(patients, ["anna"]);
}

/// F46: what is not whole is not written back.
#[test]
fn what_is_not_whole_cannot_take_the_place_of_the_whole() {
    let (server, token) = server();
    let _ = put(&server, &token, "o", observation("anna", "survey", "1")).expect(201);
    for code in ["SUBSETTED", "REDACTED", "MASKED", "ANONYED", "PSEUDED"] {
        let mark = json!({"system": VALUE, "code": code});
        let refused = put(&server, &token, "o", labelled("2", std::slice::from_ref(&mark))).expect(422);
        assert!(refused.text().contains(code), "{}", refused.text());
        let mut tagged = observation("anna", "survey", "2");
        tagged["meta"] = json!({"tag": [mark]});
        let _ = put(&server, &token, "o", tagged.clone()).expect(422);
        tagged["id"] = json!("o");
        let entry = json!({"resource": tagged, "request": {"method": "PUT", "url": "Observation/o"}});
        let transaction = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
        let _ = server.request("POST", "").token(&token).json(&transaction).send().expect(422);
        // De-identified data may come in as new, and be looked after from then on.
        let id = create(&server, &token, &labelled("3", std::slice::from_ref(&mark))).id();
        let _ = put(&server, &token, &id, labelled("4", std::slice::from_ref(&mark))).expect(200);
    }
    assert_eq!(get(&server, &token, "Observation/o").json()["meta"]["versionId"], "1");
}

/// F43: a label of an element that says what the resource is counts for the whole, which is then withheld whole.
#[test]
fn inline_labels_withhold_the_whole() {
    let server = facility(false);
    let token = server.token_for(ALL);
    let mut resource = labelled("1", &[level("N")]);
    resource["code"]["extension"] = json!([{"url": INLINE, "valueCoding": level("V")}]);
    let stored = put(&server, &token, "inline", resource.clone()).expect(201).json();
    assert_eq!(codes(&stored), "PROCESSINLINELABEL V");
    let partner = server.tokens().token_of_partner("system/*.cruds");
    let _ = get(&server, &partner, "Observation/inline").expect(404);
    assert_eq!(get(&server, &partner, "Observation?_id=inline").expect(200).entries("match"), Vec::<String>::new());
    // It cannot be taken away while the element has it.
    house(&server, "authority client test-client");
    let meta = parameters(&json!({"security": [level("V"), act("PROCESSINLINELABEL")]}));
    let path = "Observation/inline/$meta-delete";
    let after = server.request("POST", path).token(&token).json(&meta).send().expect(200).json();
    assert_eq!(codes(&json!({"meta": after["parameter"][0]["valueMeta"]})), "PROCESSINLINELABEL V");
}

/// F42, F44: who writes is told of two confidentialities and of labels that nobody knows.
#[test]
fn who_writes_is_told() {
    let (server, token) = server();
    house(&server, "");
    let odd = labelled("1", &[level("R"), level("L"), json!({"system": "http://example.org", "code": "x"})]);
    let reply = server
        .request("POST", "Observation")
        .token(&token)
        .header("prefer", "return=OperationOutcome")
        .json(&odd)
        .send()
        .expect(201);
    assert!(reply.text().contains("the highest counts") && reply.text().contains("not known here"), "{}", reply.text());
}

/// F47: test data apart.
#[test]
fn test_data_can_be_hidden() {
    let server = facility(false);
    let token = server.token_for(ALL);
    let test = json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"});
    let _ = put(&server, &token, "test", labelled("1", &[test])).expect(201);
    let partner = server.tokens().token_of_partner("system/*.rs");
    let _ = get(&server, &partner, "Observation/test").expect(200);
    house(&server, "test-data hide");
    let _ = get(&server, &partner, "Observation/test").expect(404);
    let _ = get(&server, &token, "Observation/test").expect(200);
}

/// F43: what is stored is labelled anew when rules change, in parts, and what others said stays.
#[test]
fn what_is_stored_is_labelled_anew() {
    let (server, token) = server();
    house(&server, "label PSY,R when type Observation");
    for number in 0..3 {
        let _ = put(&server, &token, &format!("o{number}"), labelled("1", &[act("HIV")])).expect(201);
    }
    let _ = put(&server, &token, "anna", patient("anna")).expect(201);
    house(&server, "label ETH when type Observation\nlabel DEMO when type Patient");
    let apply = |only_look: bool| {
        let operator = oauth::Caller::operator("test");
        let here = rest::wire::Accepted::new(std::net::Ipv4Addr::LOCALHOST.into());
        let (mut after, mut changed, mut words) = (None::<String>, 0, Vec::new());
        loop {
            let part = server.service().relabel(&here, &operator, after.as_deref(), only_look);
            let part = server.block_on(part).unwrap();
            assert_eq!(part.refused, []);
            changed += part.changed;
            words.extend(part.added.keys().map(|code| format!("+{code}")));
            words.extend(part.removed.keys().map(|code| format!("-{code}")));
            after = part.next;
            if after.is_none() {
                return (changed, words.join(" "));
            }
        }
    };
    assert_eq!(apply(true), (4, "+ETH -PSY -R +DEMO".into()));
    assert_eq!(get(&server, &token, "Observation/o1").json()["meta"]["versionId"], "1", "only looked");
    assert_eq!(apply(false), (4, "+ETH -PSY -R +DEMO".into()));
    assert_eq!(codes(&get(&server, &token, "Observation/o1").json()), "ETH HIV");
    assert_eq!(codes(&get(&server, &token, "Patient/anna").json()), "DEMO");
    assert_eq!(codes(&get(&server, &token, "Observation/o1/_history/1").json()), "HIV PSY R");
    assert_eq!(apply(false), (0, String::new()), "a second time changes nothing");
    let person = oauth::Caller::operator_within("test", "system/*.cruds").unwrap();
    let here = rest::wire::Accepted::new(std::net::Ipv4Addr::LOCALHOST.into());
    assert!(server.block_on(server.service().relabel(&here, &person, None, true)).is_err());
}

/// F41, G4: a patient's consent that names a sensitivity lifts it for whom it names, and no other one.
#[test]
fn a_consent_lifts_what_it_names() {
    let server = Server::given(store::Given { secret: [7; 32], search: store::limits::Search::default() });
    let all = server.token_for(ALL);
    let make = |id: &str, resource: Value| drop(put(&server, &all, id, resource).expect(201));
    make("hospital", json!({"resourceType": "Organization", "name": "Hospital"}));
    make("other", json!({"resourceType": "Organization", "name": "Other"}));
    for id in ["anna", "bert"] {
        let mut patient = patient(id);
        patient["generalPractitioner"] =
            json!([{"reference": "Organization/hospital"}, {"reference": "Organization/other"}]);
        make(id, patient);
        let of = |labels: &[Value]| {
            let mut resource = labelled("1", labels);
            resource["subject"] = json!({"reference": format!("Patient/{id}")});
            resource
        };
        make(&format!("{id}-plain"), of(&[]));
        make(&format!("{id}-psy"), of(&[level("R"), act("PSY")]));
        make(&format!("{id}-both"), of(&[level("R"), act("PSY"), act("HIV")]));
        make(&format!("{id}-r"), of(&[level("R")]));
        make(&format!("{id}-v"), of(&[level("V"), act("PSY")]));
    }
    let mut house = House::default();
    house.labels = Arc::new(Labels::standard());
    house.consents = Some(policy::consent::Settings::default());
    server.store().set_house(house);
    let seen = |organization: &str| {
        let token = server.tokens().token_of_organization(Some(organization), &["TREAT"], "system/*.rs");
        let reply = get(&server, &token, "Observation?_count=50").expect(200);
        let mut ids: Vec<String> = reply.entries("match").iter().map(|id| id.replace("Observation/", "")).collect();
        ids.sort();
        ids.join(" ")
    };
    assert_eq!(seen("Organization/hospital"), "anna-plain bert-plain");
    make(
        "consent",
        json!({
            "resourceType": "Consent", "status": "active",
            "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": {"reference": "Patient/anna"}, "dateTime": "2026-01-01",
            "policy": [{"uri": "http://example.org/policy"}],
            "provision": {"type": "permit", "provision": [{
                "type": "permit",
                "actor": [{"role": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "PRCP"}]},
                    "reference": {"reference": "Organization/hospital"}}],
                "securityLabel": [act("PSY")]
            }]}
        }),
    );
    assert_eq!(seen("Organization/hospital"), "anna-plain anna-psy bert-plain");
    assert_eq!(seen("Organization/other"), "anna-plain bert-plain");
}
