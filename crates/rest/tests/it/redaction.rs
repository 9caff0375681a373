//! Labels of elements: who is not cleared for one gets the resource without it, on every road. Rows F43, F46.
//!
//! The partner is a system that is cleared for N and for no sensitivity.

use crate::world::{ALL, get, observation, patient, put, server};
use oauth::caller::Role;
use policy::{House, label::Labels};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{Person, Reply, Server};

const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const INLINE: &str = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label";
const DOCTOR: Person = Person { id: "u-dr", name: "Dora", role: Role::Clinician, fhir_user: None, patients: &[] };
const PARTNER: &str = "clearance client test-partner N none\n";

fn of_house(text: &str) -> House {
    let mut house = House::default();
    house.labels = Arc::new(Labels::read(&format!("{PARTNER}{text}")).unwrap());
    house.clinicians = policy::Clinicians::Everyone;
    house
}

fn house(server: &Server, text: &str) {
    server.store().set_house(of_house(text));
}

fn coding(system: &str, code: &str) -> Value {
    json!({"system": system, "code": code})
}

fn label(system: &str, code: &str) -> Value {
    json!({"url": INLINE, "valueCoding": coding(system, code)})
}

/// An observation whose value, second note and one component's value are labelled.
fn secret(value: &str, note: &str) -> Value {
    let mut one = observation("anna", "survey", value);
    one["meta"] = json!({"security": [coding(CONFIDENTIALITY, "N")]});
    one["valueQuantity"]["extension"] = json!([label(ACT, "PSY")]);
    one["note"] =
        json!([{"text": "open"}, {"text": note, "extension": [label(CONFIDENTIALITY, "R"), label(ACT, "PSY")]}]);
    one["component"] = json!([{
        "code": {"text": "part"}, "valueString": note, "_valueString": {"extension": [label(ACT, "HIV")]}
    }]);
    one["text"] =
        json!({"status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{note}</div>")});
    one
}

fn facility(value: &str, note: &str) -> Server {
    let server = Server::given(store::Given { secret: [7; 32], search: store::limits::Search::default() });
    house(&server, "");
    let all = server.token_for(ALL);
    let _ = put(&server, &all, "anna", patient("anna")).expect(201);
    let _ = put(&server, &all, "secret", secret(value, note)).expect(201);
    let _ = put(&server, &all, "plain", observation("anna", "survey", "3")).expect(201);
    server
}

fn codes(resource: &Value) -> Vec<String> {
    let all = resource["meta"]["security"].as_array().cloned().unwrap_or_default();
    let mut codes: Vec<String> = all.iter().map(|label| label["code"].as_str().unwrap().to_owned()).collect();
    codes.sort();
    codes
}

fn partner(server: &Server, scope: &str) -> String {
    server.tokens().token_of_partner(scope)
}

fn doctor(server: &Server) -> String {
    server.tokens().token_of_person(&DOCTOR, None, "user/*.cruds")
}

/// Without its labelled parts, marked, and without narrative.
fn is_redacted(resource: &Value) {
    assert_eq!(codes(resource), ["N", "PROCESSINLINELABEL", "REDACTED"], "{resource}");
    assert_eq!(resource["note"], json!([{"text": "open"}]));
    assert!(resource.get("valueQuantity").is_none() && resource.get("text").is_none(), "{resource}");
    assert_eq!(resource["component"], json!([{"code": {"text": "part"}}]));
    assert_eq!(resource["subject"]["reference"], "Patient/anna");
}

/// F43: on every road by which a resource leaves.
#[test]
fn who_is_not_cleared_for_an_element_gets_the_rest() {
    let server = facility("77", "hidden-word");
    let token = partner(&server, "system/*.cruds");
    let all = doctor(&server);
    let whole = get(&server, &all, "Observation/secret").expect(200).json();
    assert_eq!(codes(&whole), ["HIV", "PROCESSINLINELABEL", "PSY", "R"]);
    assert!(whole.get("text").is_some() && whole["note"][1]["text"] == "hidden-word");
    let read = get(&server, &token, "Observation/secret").expect(200);
    is_redacted(&read.json());
    assert_eq!(read.header("etag"), Some("W/\"1\""));
    is_redacted(&get(&server, &token, "Observation/secret/_history/1").expect(200).json());
    let roads = [
        "Observation?_id=secret",
        "Observation?patient=anna&_sort=-_lastUpdated",
        "Observation/secret/_history",
        "Patient?_id=anna&_revinclude=Observation:subject",
        "Patient/anna/Observation",
        "Observation?_id=secret&_include=Observation:subject",
        "Observation?category=survey&_total=accurate",
    ];
    let is_it = |resource: &Value| resource["id"] == "secret";
    for road in roads {
        let reply = get(&server, &token, road).expect(200);
        assert!(!reply.text().contains("hidden-word") && !reply.text().contains("77"), "{road}: {}", reply.text());
        let json = reply.json();
        let mut entries = json["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]);
        is_redacted(entries.find(|resource| is_it(resource)).unwrap_or_else(|| panic!("{road}")));
        // The mark of the Bundle is of what is in it.
        assert!(!codes(&json).contains(&"R".to_owned()), "{road}");
    }
    let entry = json!([{"request": {"method": "GET", "url": "Observation/secret"}}]);
    for kind in ["batch", "transaction"] {
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": entry});
        let reply = server.request("POST", "").token(&token).json(&bundle).send().expect(200).json();
        is_redacted(&reply["entry"][0]["resource"]);
    }
    let valid = get(&server, &token, "Observation/secret/$validate").expect(200);
    assert!(!valid.text().contains("hidden-word"), "{}", valid.text());
}

/// F43: no search, sort key, join, count or condition reaches a labelled element, whoever asks.
#[test]
fn no_search_reaches_a_labelled_element() {
    let server = facility("77", "hidden-word");
    for token in [partner(&server, "system/*.cruds"), doctor(&server)] {
        for road in [
            "Observation?value-quantity=77",
            "Observation?code-value-quantity=8867-4$77",
            "Observation?component-value-concept=x,hidden-word",
            "Observation?_security=PSY",
            "Observation?_security=R",
            "Patient?_has:Observation:patient:value-quantity=77",
        ] {
            let found = get(&server, &token, road).expect(200);
            assert_eq!(found.entries("match"), Vec::<String>::new(), "{road}");
        }
        let missing = get(&server, &token, "Observation?value-quantity:missing=true").expect(200);
        assert_eq!(missing.entries("match"), ["Observation/secret"]);
    }
    let token = doctor(&server);
    let mut other = observation("anna", "survey", "77");
    other["valueQuantity"]["extension"] = json!([label(ACT, "PSY")]);
    let request = server.request("POST", "Observation").token(&token).header("if-none-exist", "value-quantity=77");
    let _ = request.json(&other).send().expect(201);
}

/// F43: two stores that differ in labelled elements alone give equal bytes to whoever is not cleared for these.
#[test]
fn what_is_hidden_changes_no_byte_of_the_rest() {
    let (one, other) = (facility("77", "hidden-word"), facility("9", "something else, and longer"));
    let clean = |reply: &Reply| {
        let mut json = reply.json();
        let cut = |resource: &mut Value| {
            if let Some(meta) = resource["meta"].as_object_mut() {
                let _ = meta.remove("lastUpdated");
            }
        };
        for entry in json["entry"].as_array_mut().into_iter().flatten() {
            cut(&mut entry["resource"]);
            if let Some(response) = entry["response"].as_object_mut() {
                let _ = response.remove("lastModified");
            }
        }
        cut(&mut json);
        (reply.status, reply.header("etag").map(str::to_owned), json.to_string())
    };
    for road in [
        "Observation/secret",
        "Observation/secret/_history/1",
        "Observation/secret/_history",
        "Observation?_sort=value-quantity&_total=accurate",
        "Observation?value-quantity=gt10&_total=accurate",
        "Observation?_sort=-value-quantity&_count=1",
        "Observation?_summary=count",
        "Patient?_has:Observation:patient:value-quantity=9",
        "Patient?_id=anna&_revinclude=Observation:subject",
        "Observation/secret/$validate",
    ] {
        let (a, b) = (partner(&one, "system/*.rs"), partner(&other, "system/*.rs"));
        assert_eq!(clean(&get(&one, &a, road)), clean(&get(&other, &b, road)), "{road}");
    }
}

/// F46: who does not see all of a resource does not change it; who does may, and takes no label from what it protects.
#[test]
fn what_is_not_seen_whole_is_not_changed() {
    let server = facility("77", "hidden-word");
    let token = partner(&server, "system/*.cruds");
    let seen = get(&server, &token, "Observation/secret").expect(200).json();
    let refused = |reply: Reply| {
        let reply = reply.expect(422);
        assert!(reply.text().contains("REDACTED") && !reply.text().contains("hidden-word"), "{}", reply.text());
    };
    let lowly = token;
    refused(put(&server, &lowly, "secret", seen.clone()));
    let mut unmarked = seen;
    let _ = unmarked.as_object_mut().unwrap().remove("meta");
    refused(put(&server, &lowly, "secret", unmarked.clone()));
    let patch = json!([{"op": "test", "path": "/note/1/text", "value": "hidden-word"}]);
    let request = server.request("PATCH", "Observation/secret").token(&lowly);
    refused(request.body("application/json-patch+json", patch.to_string()).send());
    refused(server.request("DELETE", "Observation/secret").token(&lowly).send());
    let mut of_transaction = unmarked;
    of_transaction["id"] = json!("secret");
    let entry = json!({"resource": of_transaction, "request": {"method": "PUT", "url": "Observation/secret"}});
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
    refused(server.request("POST", "").token(&lowly).json(&bundle).send());
    // Who may write and not read sees nothing of it whole.
    let blind = server.tokens().token_of("test-client", "system/Observation.u");
    refused(put(&server, &blind, "secret", secret("1", "x")));
    let all = server.token_for(ALL);
    assert_eq!(get(&server, &all, "Observation/secret").expect(200).json()["meta"]["versionId"], "1");
    // Whoever sees all of it changes it as ever; what an update takes from an element is one of the whole from then on.
    let _ = put(&server, &all, "secret", secret("78", "hidden-word")).expect(200);
    is_redacted(&get(&server, &lowly, "Observation/secret").expect(200).json());
    let mut bare = secret("78", "hidden-word");
    let _ = bare["valueQuantity"].as_object_mut().unwrap().remove("extension");
    let _ = put(&server, &all, "secret", bare).expect(200);
    let _ = get(&server, &lowly, "Observation/secret").expect(404);
}

/// F45: a past version is without what is hidden of the current one, and without what was hidden then.
#[test]
fn past_versions_are_without_what_is_hidden_today() {
    let (server, _) = server();
    house(&server, "");
    let all = server.token_for(ALL);
    let mut first = observation("anna", "survey", "5");
    first["note"] = json!([{"text": "early"}]);
    let _ = put(&server, &all, "o", first.clone()).expect(201);
    let lowly = partner(&server, "system/*.cruds");
    let past = || get(&server, &lowly, "Observation/o/_history/1").expect(200).json();
    assert_eq!(past()["note"][0]["text"], "early");
    first["note"][0]["extension"] = json!([label(ACT, "PSY")]);
    let _ = put(&server, &all, "o", first.clone()).expect(200);
    assert!(past().get("note").is_none(), "{}", past());
    assert_eq!(codes(&past()), ["REDACTED"]);
    let history = get(&server, &lowly, "Observation/o/_history").expect(200);
    assert_eq!(history.json()["total"], 2);
    assert!(!history.text().contains("early"), "{}", history.text());
    let history = get(&server, &all, "Observation/o/_history").expect(200);
    assert_eq!(history.text().matches("early").count(), 2);
}

/// F41, F43: what counts for the whole withholds the whole: given by a writer or a rule, or on what protects.
#[test]
fn what_counts_for_the_whole_withholds_it() {
    let (server, _) = server();
    house(&server, "label ETH when type Observation and code http://loinc.org|8867-4");
    let all = server.token_for(ALL);
    let lowly = partner(&server, "system/*.cruds");
    let mut by_rule = observation("anna", "survey", "1");
    by_rule["note"] = json!([{"text": "x", "extension": [label(ACT, "ETH")]}]);
    let _ = put(&server, &all, "by-rule", by_rule).expect(201);
    house(&server, "");
    let mut by_writer = observation("anna", "survey", "1");
    by_writer["meta"] = json!({"security": [coding(ACT, "PSY")]});
    by_writer["note"] = json!([{"text": "x", "extension": [label(ACT, "PSY")]}]);
    let _ = put(&server, &all, "by-writer", by_writer).expect(201);
    let mut subject = observation("anna", "survey", "1");
    subject["subject"]["extension"] = json!([label(ACT, "PSY")]);
    let _ = put(&server, &all, "subject", subject).expect(201);
    // Marked as the server marks, by a client.
    let mut forged = observation("anna", "survey", "1");
    forged["note"] = json!([{"text": "x", "extension": [label(ACT, "PSY")]}]);
    let stored = put(&server, &all, "honest", forged.clone()).expect(201).json();
    forged["meta"] = json!({"security": stored["meta"]["security"]});
    let _ = put(&server, &all, "forged", forged).expect(201);
    for id in ["by-rule", "by-writer", "subject", "forged"] {
        let _ = get(&server, &lowly, &format!("Observation/{id}")).expect(404);
        let _ = get(&server, &all, &format!("Observation/{id}")).expect(200);
    }
    let _ = get(&server, &lowly, "Observation/honest").expect(200);
    // Who has the authority makes a label of an element one of the whole.
    house(&server, "authority client registry");
    let registry = server.tokens().token_of("registry", "system/*.cruds");
    let meta = json!({"resourceType": "Parameters", "parameter": [
        {"name": "meta", "valueMeta": {"security": [coding(ACT, "PSY")]}}]});
    let path = "Observation/honest/$meta-add";
    let _ = server.request("POST", path).token(&registry).json(&meta).send().expect(200);
    let _ = get(&server, &lowly, "Observation/honest").expect(404);
}

/// F41, F49, G4, G16: what lifts or withholds a resource lifts or withholds an element.
#[test]
fn rules_and_consents_act_on_elements() {
    let server = facility("77", "hidden-word");
    let is_whole = |token: &str, id: &str| {
        let json = get(&server, token, &format!("Observation/{id}")).expect(200).json();
        json.get("valueQuantity").is_some()
    };
    let doctor = doctor(&server);
    assert!(is_whole(&doctor, "secret"));
    // The operator's rule that denies what has a label.
    let rules = format!(
        "\ndeny \"Not for clinicians\"\n    who      role clinician\n    may not  see\n    what     Observation?_security={ACT}|PSY\n"
    );
    let mut denying = of_house("");
    denying.rules = Arc::new(policy::Rules::read(&rules, search::registry::registry()).unwrap());
    server.store().set_house(denying);
    assert!(!is_whole(&doctor, "secret"));
    // A patient's consent.
    let all = server.token_for(ALL);
    house(&server, "");
    let _ = put(&server, &all, "hospital", json!({"resourceType": "Organization", "name": "Hospital"})).expect(201);
    let mut known = patient("anna");
    known["generalPractitioner"] = json!([{"reference": "Organization/hospital"}]);
    let _ = put(&server, &all, "anna", known).expect(200);
    let mut house = House::default();
    house.labels = Arc::new(Labels::standard());
    house.consents = Some(policy::consent::Settings::default());
    server.store().set_house(house);
    let hospital = server.tokens().token_of_organization(Some("Organization/hospital"), &["TREAT"], "system/*.rs");
    assert!(!is_whole(&hospital, "secret") && is_whole(&hospital, "plain"));
    let system = |name: &str| format!("http://terminology.hl7.org/CodeSystem/{name}");
    let consent = json!({
        "resourceType": "Consent", "status": "active",
        "scope": {"coding": [{"system": system("consentscope"), "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/anna"}, "dateTime": "2026-01-01",
        "policy": [{"uri": "http://example.org/policy"}],
        "provision": {"type": "permit", "provision": [{
            "type": "permit",
            "actor": [{"role": {"coding": [{"system": system("v3-ParticipationType"), "code": "PRCP"}]},
                "reference": {"reference": "Organization/hospital"}}],
            "securityLabel": [coding(ACT, "PSY")]
        }]}
    });
    let _ = put(&server, &all, "consent", consent).expect(201);
    let lifted = get(&server, &hospital, "Observation/secret").expect(200).json();
    assert!(lifted.get("valueQuantity").is_some() && lifted["note"][1]["text"] == "hidden-word", "{lifted}");
    assert!(lifted["component"][0].get("valueString").is_none(), "HIV is not lifted: {lifted}");
    assert_eq!(codes(&lifted), ["PROCESSINLINELABEL", "PSY", "R", "REDACTED"]);
}
