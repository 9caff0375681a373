//! `$validate` and the terminology service: forms, errors, and what they tell whom (rows F1, F13, F14, F51).

use crate::world::{ALL, category_scope, create, get, observation, patient, put, server, shape};
use serde_json::{Value, json};
use testkit::{Reply, Server};

const SINGLE: &str = "http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-observation-single";
const JSON: &str = "application/fhir+json";
const XML: &str = "application/fhir+xml";

fn wrapped(parameters: &[(&str, &str, Value)]) -> Value {
    let parameter: Vec<Value> =
        parameters.iter().map(|(name, kind, value)| json!({"name": name, *kind: value})).collect();
    json!({"resourceType": "Parameters", "parameter": parameter})
}

fn validate(server: &Server, token: &str, path: &str, body: &Value) -> Reply {
    server.request("POST", path).token(token).json(body).send()
}

/// Severity, expression and text of each issue.
fn issues(reply: &Reply) -> Vec<(String, String, String)> {
    let json = reply.json();
    assert_eq!(json["resourceType"], "OperationOutcome", "{json}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = json["issue"].as_array().unwrap().iter();
    all.map(|one| (text(&one["severity"]), text(&one["expression"][0]), text(&one["diagnostics"]))).collect()
}

fn has_errors(reply: &Reply) -> bool {
    issues(reply).iter().any(|(severity, ..)| severity == "error")
}

/// With narrative, so that nothing at all is worth saying.
fn whole() -> Value {
    let mut body = observation("p", "survey", "1");
    body["text"] = json!({"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">1</div>"});
    body["performer"] = json!([{"reference": "Practitioner/1"}]);
    body
}

#[test]
fn what_is_found_is_an_outcome_with_200() {
    let (server, token) = server();
    let good = validate(&server, &token, "Observation/$validate", &whole()).expect(200);
    assert_eq!(issues(&good), [("information".into(), String::new(), "all OK".into())]);
    let mut bad = whole();
    bad.as_object_mut().unwrap().remove("status");
    let found = validate(&server, &token, "Observation/$validate", &bad).expect(200);
    assert!(issues(&found).iter().any(|(severity, ..)| severity == "error"));
    // Nothing is stored.
    assert_eq!(get(&server, &token, "Observation?_summary=false").json()["total"], 0);
    let other = validate(&server, &token, "Patient/$validate", &whole()).expect(200);
    assert!(has_errors(&other), "another type than the URL's");
    let _ = server.request("POST", "Observation/$validate").token(&token).body(JSON, "{\"a\":").send().expect(400);
    let _ = server.request("POST", "Observation/$validate").token(&token).body("text/plain", "x").send().expect(415);
    let _ = server.request("POST", "Observation/$validate").token(&token).send().expect(400);
}

#[test]
fn parameters_profile_and_mode() {
    let (server, token) = server();
    let at = "Observation/$validate";
    let profile = ("profile", "valueUri", json!(SINGLE));
    let resource = ("resource", "resource", whole());
    let found = validate(&server, &token, at, &wrapped(&[resource.clone(), profile.clone()])).expect(200);
    assert!(issues(&found).iter().any(|one| one.2.contains(SINGLE)), "{}", found.text());
    let found = validate(&server, &token, &format!("{at}?profile={SINGLE}"), &whole()).expect(200);
    assert!(issues(&found).iter().any(|one| one.2.contains(SINGLE)), "{}", found.text());
    let unknown = ("profile", "valueUri", json!("http://example.org/none"));
    assert!(has_errors(&validate(&server, &token, at, &wrapped(&[resource.clone(), unknown])).expect(200)));
    let mode = |mode: &str| ("mode", "valueCode", json!(mode));
    for (wanted, is_fine) in [("create", true), ("update", false), ("profile", true)] {
        let body = wrapped(&[resource.clone(), mode(wanted)]);
        let path = if wanted == "profile" {
            format!("{at}?profile=http://hl7.org/fhir/StructureDefinition/Observation")
        } else {
            at.into()
        };
        let reply = validate(&server, &token, &path, &body).expect(200);
        assert_eq!(!has_errors(&reply), is_fine, "{wanted}: {}", reply.text());
    }
    // An update names the id of its URL.
    let mut own = whole();
    own["id"] = json!("a");
    let update = |path: &str| {
        let reply = validate(&server, &token, path, &wrapped(&[("resource", "resource", own.clone()), mode("update")]));
        has_errors(&reply.expect(200))
    };
    assert!(!update("Observation/a/$validate") && update("Observation/b/$validate"));
    for body in [
        wrapped(&[resource.clone(), mode("delete")]),
        wrapped(&[resource.clone(), mode("guess")]),
        wrapped(&[resource.clone(), mode("create"), mode("create")]),
        wrapped(&[resource, ("colour", "valueCode", json!("red"))]),
        wrapped(&[mode("create")]),
    ] {
        let _ = validate(&server, &token, at, &body).expect(400);
    }
}

/// Lines and columns are those of the body that was sent.
#[test]
fn places_are_those_of_the_body() {
    let (server, token) = server();
    let inner = "{\"resourceType\": \"Patient\",\n  \"gender\": \"none\"}";
    let outer = format!(
        "{{\"resourceType\": \"Parameters\",\n \"parameter\": [\n  {{\"name\": \"resource\", \"resource\": {inner}}}]}}"
    );
    for (body, line) in [(inner.to_owned(), "line 2"), (outer, "line 4")] {
        let found = server.request("POST", "Patient/$validate").token(&token).body(JSON, body).send().expect(200);
        let json = found.json();
        let error = json["issue"].as_array().unwrap().iter().find(|one| one["severity"] == "error").unwrap();
        assert!(error["location"][0].as_str().unwrap().starts_with(line), "{error}");
        assert_eq!(error["expression"][0], "Patient.gender");
    }
}

#[test]
fn xml_in_and_out() {
    let (server, token) = server();
    let ask = |body: &str, accept: &str| {
        server
            .request("POST", "Patient/$validate")
            .token(&token)
            .header("accept", accept)
            .body(XML, body.to_owned())
            .send()
    };
    let good = "<Patient xmlns=\"http://hl7.org/fhir\">\n <active value=\"true\"/>\n</Patient>";
    assert!(!has_errors(&ask(good, JSON).expect(200)));
    let reply = ask("<Patient xmlns=\"http://hl7.org/fhir\">\n <gender value=\"none\"/>\n</Patient>", XML).expect(200);
    assert_eq!(reply.header("content-type"), Some("application/fhir+xml; charset=utf-8"));
    let text = reply.text();
    assert!(text.contains("<OperationOutcome") && text.contains("line 2") && text.contains("Patient.gender"), "{text}");
    // Known to XML, unknown to FHIR: found, not refused.
    let reply = ask("<Patient xmlns=\"http://hl7.org/fhir\"><colour value=\"red\"/></Patient>", JSON).expect(200);
    assert!(has_errors(&reply), "{}", reply.text());
    // No XML: refused, in XML to who asked for it.
    let refused = ask("<Patient xmlns=\"http://hl7.org/fhir\"><active", XML).expect(400);
    assert_eq!(refused.header("content-type"), Some("application/fhir+xml; charset=utf-8"));
    let bomb = "<!DOCTYPE a [<!ENTITY b \"c\">]><Patient xmlns=\"http://hl7.org/fhir\"/>";
    let _ = ask(bomb, JSON).expect(400);
    let parameters = format!(
        "<Parameters xmlns=\"http://hl7.org/fhir\"><parameter><name value=\"resource\"/><resource>{good}</resource></parameter></Parameters>"
    );
    assert!(!has_errors(&ask(&parameters, "application/fhir+xml;q=0.1, application/fhir+json").expect(200)));
    let _ = server.request("GET", "Patient").token(&token).header("accept", XML).send().expect(406);
}

#[test]
fn a_stored_resource() {
    let (server, token) = server();
    let mut body = whole();
    body["subject"] = json!({"reference": "Patient/p1"});
    let _ = put(&server, &token, "o1", body).expect(201);
    assert!(!has_errors(&get(&server, &token, "Observation/o1/$validate").expect(200)));
    let profiled = get(&server, &token, &format!("Observation/o1/$validate?profile={SINGLE}")).expect(200);
    assert!(has_errors(&profiled));
    let posted = server.request("POST", "Observation/o1/$validate").token(&token);
    let posted = posted.json(&wrapped(&[("profile", "valueUri", json!(SINGLE))])).send().expect(200);
    assert_eq!(issues(&posted), issues(&profiled));
    let _ = get(&server, &token, "Observation/o2/$validate").expect(404);
    // To look into what is stored is to read.
    let writer = server.token_for("system/Observation.cu");
    let _ = get(&server, &writer, "Observation/o1/$validate").expect(403);
    assert!(!has_errors(&validate(&server, &writer, "Observation/$validate", &whole()).expect(200)));
}

/// F13, F14: hidden is as absent, for what is stored and for what is referred to; a delete tells nothing.
#[test]
fn hidden_is_absent() {
    let (server, token) = server();
    let _ = put(&server, &token, "o1", observation("p", "laboratory", "1")).expect(201);
    let _ = put(&server, &token, "p1", patient("Smith")).expect(201);
    let narrow = server.token_for(&category_scope("cruds", "survey"));
    let hidden = get(&server, &narrow, "Observation/o1/$validate").expect(404);
    let absent = get(&server, &narrow, "Observation/o2/$validate").expect(404);
    assert_eq!(shape(&hidden, "o1"), shape(&absent, "o2"));
    let delete = |token: &str, id: &str| {
        let body = wrapped(&[("mode", "valueCode", json!("delete"))]);
        validate(&server, token, &format!("Observation/{id}/$validate"), &body).expect(200)
    };
    assert_eq!(shape(&delete(&narrow, "o1"), "o1"), shape(&delete(&narrow, "o2"), "o2"));
    assert!(!has_errors(&delete(&narrow, "o1")));
    assert!(has_errors(&delete(&server.token_for("system/Observation.r"), "o1")), "who may not delete is told so");
}

#[test]
fn operations_stand_in_bundles_and_in_the_log() {
    let (server, token) = server();
    let lookup = "CodeSystem/$lookup?system=http://hl7.org/fhir/observation-status%26code=final".replace("%26", "&");
    let checked = json!({"request": {"method": "POST", "url": "Patient/$validate"}, "resource": {"resourceType": "Patient", "gender": "none"}});
    for kind in ["batch", "transaction"] {
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": [
            {"request": {"method": "GET", "url": lookup}}, checked
        ]});
        let reply = server.request("POST", "").token(&token).json(&bundle).send().expect(200).json();
        assert_eq!(reply["entry"][0]["resource"]["resourceType"], "Parameters", "{reply}");
        assert!(reply["entry"][1]["resource"]["issue"].to_string().contains("Patient.gender"), "{reply}");
    }
    let events = get(&server, &token, "AuditEvent?subtype=operation").expect(200).json();
    assert!(events["entry"].as_array().unwrap().len() >= 4, "{events}");
}

fn value<'a>(json: &'a Value, name: &str) -> &'a Value {
    let all = json["parameter"].as_array().unwrap();
    let one = all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name}: {json}"));
    let members = one.as_object().unwrap();
    members.iter().find(|(member, _)| member.starts_with("value")).map_or(&Value::Null, |(_, value)| value)
}

const STATUS: &str = "http://hl7.org/fhir/observation-status";
const STATUSES: &str = "http://hl7.org/fhir/ValueSet/observation-status";

#[test]
fn lookup_and_subsumes() {
    let (server, token) = server();
    let found = get(&server, &token, &format!("CodeSystem/$lookup?system={STATUS}&code=final")).expect(200).json();
    assert_eq!(value(&found, "display"), "Final");
    let coding = json!({"system": STATUS, "code": "final"});
    let body = wrapped(&[("coding", "valueCoding", coding)]);
    let posted = validate(&server, &token, "CodeSystem/$lookup", &body).expect(200).json();
    assert_eq!(value(&posted, "display"), "Final");
    let refused = get(&server, &token, &format!("CodeSystem/$lookup?system={STATUS}&code=none")).expect(404);
    assert_eq!(refused.issue().0, "code-invalid");
    let refused = get(&server, &token, "CodeSystem/$lookup?system=http://example.org/none&code=a").expect(404);
    assert_eq!(refused.issue().0, "not-found");
    for wrong in ["", "?code=a&colour=red", "?code=a&code=b&system=c", "?coding=a", "?system=a"] {
        let _ = get(&server, &token, &format!("CodeSystem/$lookup{wrong}")).expect(400);
    }
    let act = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
    let asked = |a: &str, b: &str| {
        let path = format!("CodeSystem/$subsumes?system={act}&codeA={a}&codeB={b}");
        value(&get(&server, &token, &path).expect(200).json(), "outcome").as_str().unwrap().to_owned()
    };
    assert_eq!(asked("_ActEncounterCode", "HH"), "subsumes");
    assert_eq!(asked("HH", "_ActEncounterCode"), "subsumed-by");
    assert_eq!(asked("HH", "HH"), "equivalent");
}

#[test]
fn codes_are_validated_and_what_cannot_be_is_not_called_wrong() {
    let (server, token) = server();
    let result = |path: &str| value(&get(&server, &token, path).expect(200).json(), "result").clone();
    assert_eq!(result(&format!("CodeSystem/$validate-code?url={STATUS}&code=final")), true);
    assert_eq!(result(&format!("CodeSystem/$validate-code?url={STATUS}&code=none")), false);
    assert_eq!(result(&format!("ValueSet/$validate-code?url={STATUSES}&system={STATUS}&code=final")), true);
    assert_eq!(result(&format!("ValueSet/$validate-code?url={STATUSES}&system={STATUS}&code=none")), false);
    let loinc = get(&server, &token, "CodeSystem/$validate-code?url=http://loinc.org&code=8867-4");
    assert_ne!(loinc.json()["parameter"][0]["valueBoolean"], false, "{}", loinc.text());
    let none =
        get(&server, &token, &format!("ValueSet/$validate-code?url=http://example.org/none&system={STATUS}&code=a"));
    assert_eq!(none.expect(404).issue().0, "not-found");
    let _ = get(&server, &token, &format!("ValueSet/$validate-code?url={STATUSES}&code=final")).expect(400);
}

#[test]
fn expansions_have_pages_and_filters() {
    let (server, token) = server();
    let expand =
        |more: &str| get(&server, &token, &format!("ValueSet/$expand?url={STATUSES}{more}")).expect(200).json();
    let all = expand("");
    let total = all["expansion"]["total"].as_u64().unwrap();
    let codes = |json: &Value| -> Vec<String> {
        let list = json["expansion"]["contains"].as_array().cloned().unwrap_or_default();
        list.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(codes(&all).len() as u64, total);
    let pages: Vec<String> = (0..total).flat_map(|at| codes(&expand(&format!("&count=1&offset={at}")))).collect();
    assert_eq!(pages, codes(&all));
    assert_eq!(codes(&expand("&filter=fin")), ["final"]);
    let _ = get(&server, &token, &format!("ValueSet/$expand?url={STATUSES}&count=-1")).expect(400);
    let _ = get(&server, &token, "ValueSet/$expand?url=http://example.org/none").expect(404);
    let inline = json!({"resourceType": "ValueSet", "status": "active", "compose": {"include": [
        {"system": STATUS, "concept": [{"code": "final"}]}
    ]}});
    let posted =
        validate(&server, &token, "ValueSet/$expand", &wrapped(&[("valueSet", "resource", inline)])).expect(200);
    assert_eq!(codes(&posted.json()), ["final"]);
}

#[test]
fn codes_translate() {
    let (server, token) = server();
    let path = "ConceptMap/$translate?url=http://hl7.org/fhir/ConceptMap/101&system=http://hl7.org/fhir/address-use";
    let reply = get(&server, &token, &format!("{path}&code=home")).expect(200);
    assert_eq!(value(&reply.json(), "result"), true);
    assert!(reply.text().contains("\"H\""), "{}", reply.text());
    let _ = get(&server, &token, "ConceptMap/$translate?url=http://example.org/none&system=a&code=b").expect(404);
}

/// What a caller stored is used by id and by canonical, as far as they see it (row F1).
#[test]
fn stored_value_sets_and_code_systems_are_used_within_the_permit() {
    let (server, token) = server();
    let url = "http://example.org/cs";
    let system = json!({"resourceType": "CodeSystem", "url": url, "status": "active", "content": "complete",
        "concept": [{"code": "a", "display": "Letter A", "concept": [{"code": "aa"}]}]});
    let _ = put(&server, &token, "cs", system).expect(201);
    let set = json!({"resourceType": "ValueSet", "url": "http://example.org/vs", "status": "active",
        "compose": {"include": [{"system": STATUS, "concept": [{"code": "final"}, {"code": "amended"}]}]}});
    let _ = put(&server, &token, "vs", set).expect(201);
    for path in [
        format!("CodeSystem/$lookup?system={url}&code=a"),
        format!("CodeSystem/$validate-code?url={url}&code=aa"),
        "CodeSystem/cs/$validate-code?code=aa".to_owned(),
        "CodeSystem/cs/$subsumes?codeA=a&codeB=aa".to_owned(),
        "CodeSystem/cs/$lookup?code=aa".to_owned(),
        "ValueSet/vs/$expand".to_owned(),
        "ValueSet/$expand?url=http://example.org/vs".to_owned(),
        format!("ValueSet/vs/$validate-code?system={STATUS}&code=final"),
    ] {
        let reply = get(&server, &token, &path).expect(200);
        assert!(!reply.text().contains(r#""result","valueBoolean":false"#), "{path}: {}", reply.text());
    }
    // Who sees other ones gets the same as for what does not exist.
    let narrow = server.token_for("system/CodeSystem.rs?status=draft system/ValueSet.rs?status=draft");
    for (hidden, absent) in [
        ("ValueSet/vs/$expand", "ValueSet/no/$expand"),
        ("ValueSet/$expand?url=http://example.org/vs", "ValueSet/$expand?url=http://example.org/no"),
        ("CodeSystem/cs/$validate-code?code=a", "CodeSystem/no/$validate-code?code=a"),
        (
            "CodeSystem/$lookup?system=http://example.org/cs&code=a",
            "CodeSystem/$lookup?system=http://example.org/no&code=a",
        ),
    ] {
        let (one, other) = (get(&server, &narrow, hidden).expect(404), get(&server, &narrow, absent).expect(404));
        let plain = |reply: &Reply| reply.text().replace("/vs", "/no").replace("/cs", "/no");
        assert_eq!(plain(&one), plain(&other));
    }
}

/// A stored value set is composed of what is loaded and of the stored code systems that the caller may see.
#[test]
fn a_stored_value_set_of_a_stored_code_system_expands() {
    let (server, token) = server();
    let system = json!({"resourceType": "CodeSystem", "url": "http://example.org/cs", "status": "active",
        "content": "complete", "concept": [{"code": "a", "display": "Letter A"}, {"code": "b"}]});
    let _ = put(&server, &token, "cs", system).expect(201);
    let set = json!({"resourceType": "ValueSet", "url": "http://example.org/vs", "status": "active", "compose": {
        "include": [{"system": "http://example.org/cs"}, {"system": STATUS, "concept": [{"code": "final"}]}],
        "exclude": [{"system": "http://example.org/cs", "concept": [{"code": "b"}]}]}});
    let _ = put(&server, &token, "vs", set).expect(201);
    for path in ["ValueSet/vs/$expand", "ValueSet/$expand?url=http://example.org/vs"] {
        let json = get(&server, &token, path).expect(200).json();
        let codes: Vec<&str> =
            json["expansion"]["contains"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
        assert_eq!(codes, ["a", "final"], "{path}");
    }
    let result = |code: &str| {
        let path = format!("ValueSet/vs/$validate-code?system=http://example.org/cs&code={code}");
        value(&get(&server, &token, &path).expect(200).json(), "result").clone()
    };
    assert_eq!((result("a"), result("b"), result("c")), (json!(true), json!(false), json!(false)));
    // Who may not see the code system cannot have the set listed: as if it were not there (row F1).
    let narrow = server.token_for("system/ValueSet.rs");
    assert_eq!(get(&server, &narrow, "ValueSet/vs/$expand").expect(422).issue().0, "not-supported");
}

const FROM: &str = "http://example.org/from";

/// A concept map of one code, `x` of [`FROM`], which leads on to another for what it does not list.
fn concept_map(url: &str, name: &str, status: &str, to: &str) -> Value {
    json!({"resourceType": "ConceptMap", "url": url, "name": name, "status": status, "group": [{
        "source": FROM, "target": "http://example.org/to",
        "element": [{"code": "x", "target": [{"code": to, "equivalence": "wider"}]}],
        "unmapped": {"mode": "other-map", "url": "http://example.org/cm/next"}}]})
}

/// The codes of the matches.
fn translated(reply: &Reply) -> Vec<String> {
    let json = reply.json();
    let matches = json["parameter"].as_array().unwrap().iter().filter(|one| one["name"] == "match");
    let concept = |one: &Value| {
        let part = one["part"].as_array().unwrap().iter().find(|part| part["name"] == "concept").cloned();
        part.unwrap_or_default()["valueCoding"]["code"].as_str().unwrap_or_default().to_owned()
    };
    matches.map(concept).collect()
}

#[test]
fn stored_concept_maps_translate() {
    let (server, token) = server();
    for (id, status, to) in [("one", "active", "y1"), ("two", "active", "y2"), ("draft", "draft", "y3")] {
        let map = concept_map(&format!("http://example.org/cm/{id}"), "Open", status, to);
        let _ = put(&server, &token, id, map).expect(201);
    }
    let mut next = concept_map("http://example.org/cm/next", "Open", "retired", "y4");
    next["group"][0]["element"][0]["code"] = json!("z");
    let _ = put(&server, &token, "next", next).expect(201);
    let ask = |path: &str| translated(&get(&server, &token, path).expect(200));
    let x = format!("system={FROM}&code=x");
    assert_eq!(ask(&format!("ConceptMap/one/$translate?{x}")), ["y1"]);
    assert_eq!(ask(&format!("ConceptMap/draft/$translate?{x}")), ["y3"]);
    assert_eq!(ask(&format!("ConceptMap/$translate?url=http://example.org/cm/two&{x}")), ["y2"]);
    assert_eq!(ask(&format!("ConceptMap/$translate?url=http://example.org/cm/draft&{x}")), ["y3"], "it is named");
    assert_eq!(ask(&format!("ConceptMap/$translate?{x}")), ["y1", "y2"], "those in force");
    assert_eq!(ask(&format!("ConceptMap/$translate?targetsystem=http://example.org/to&{x}")), ["y1", "y2"]);
    let _ = get(&server, &token, &format!("ConceptMap/$translate?targetsystem=http://example.org/un&{x}")).expect(404);
    let back = "ConceptMap/$translate?reverse=true&system=http://example.org/to&code=y2";
    assert_eq!(ask(back), ["x"]);
    assert_eq!(ask(&format!("ConceptMap/one/$translate?system={FROM}&code=z")), ["y4"], "it leads on");
    assert_eq!(ask(&format!("ConceptMap/one/$translate?system={FROM}&code=q")), Vec::<String>::new());
    let inline = concept_map("http://example.org/cm/given", "Given", "active", "y5");
    let coding = json!({"coding": [{"system": "http://example.org/un", "code": "x"}, {"system": FROM, "code": "x"}]});
    let body = wrapped(&[("conceptMap", "resource", inline), ("codeableConcept", "valueCodeableConcept", coding)]);
    let posted = validate(&server, &token, "ConceptMap/$translate", &body).expect(200);
    assert_eq!(translated(&posted), ["y5"]);
    let other = json!({"resourceType": "Patient"});
    let body = wrapped(&[("conceptMap", "resource", other), ("code", "valueCode", json!("x"))]);
    let _ = validate(&server, &token, "ConceptMap/$translate", &body).expect(400);
    let _ = get(&server, &token, &format!("ConceptMap/none/$translate?{x}")).expect(404);
}

/// Twin worlds (rows F1, F13): maps that a caller does not see change nothing of any answer.
#[test]
fn hidden_concept_maps_translate_nothing() {
    let worlds = [0, 1].map(|world| {
        let (server, token) = server();
        let open = concept_map("http://example.org/cm/open", "Open", "active", "y1");
        let _ = put(&server, &token, "open", open).expect(201);
        if world == 1 {
            for (id, url) in [("hidden", "hidden"), ("next", "next"), ("twin", "open")] {
                let mut map = concept_map(&format!("http://example.org/cm/{url}"), "Secret", "active", "y9");
                let more = json!([{"code": "h", "target": [{"code": "y8", "equivalence": "equal"}]}]);
                map["group"][0]["element"].as_array_mut().unwrap().extend(more.as_array().unwrap().clone());
                let _ = put(&server, &token, id, map).expect(201);
            }
            let mut only = concept_map("http://example.org/cm/only", "Secret", "active", "y7");
            only["group"][0]["source"] = json!("http://example.org/secret");
            let _ = put(&server, &token, "only", only).expect(201);
        }
        let tokens = [
            server.token_for("system/ConceptMap.rs?name=Open"),
            // May read all, and search none: nothing is found but by id.
            server.token_for("system/ConceptMap.r?name=Open"),
        ];
        (server, tokens)
    });
    for path in [
        "ConceptMap/$translate?system=http://example.org/from&code=x",
        "ConceptMap/$translate?system=http://example.org/from&code=h",
        "ConceptMap/$translate?system=http://example.org/secret&code=x",
        "ConceptMap/$translate?system=http://example.org/to&code=y9&reverse=true",
        "ConceptMap/$translate?url=http://example.org/cm/hidden&system=http://example.org/from&code=x",
        "ConceptMap/$translate?url=http://example.org/cm/open&system=http://example.org/from&code=x",
        "ConceptMap/open/$translate?system=http://example.org/from&code=h",
        "ConceptMap/hidden/$translate?system=http://example.org/from&code=x",
    ] {
        for at in [0, 1] {
            let replies = worlds.each_ref().map(|(server, tokens)| get(server, &tokens[at], path));
            let plain = |reply: &Reply| (reply.status, reply.text());
            assert_eq!(plain(&replies[0]), plain(&replies[1]), "{path}");
        }
    }
    let (server, tokens) = &worlds[1];
    let asked = format!("ConceptMap/$translate?system={FROM}&code=x");
    assert_eq!(translated(&get(server, &tokens[0], &asked).expect(200)), ["y1"], "what is seen is used");
    let _ = get(server, &tokens[1], &asked).expect(404);
}

#[test]
fn what_is_served_is_said() {
    let server = Server::new();
    let json = server.request("GET", "metadata").send().json();
    let of = |kind: &str| -> Vec<String> {
        let all = json["rest"][0]["resource"].as_array().unwrap();
        let one = all.iter().find(|one| one["type"] == kind).unwrap();
        let operations = one["operation"].as_array().unwrap().iter();
        operations.map(|one| one["definition"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
    };
    assert_eq!(
        of("Patient"),
        [
            "#access-report",
            "#explain-access",
            "#k-anonymity",
            "Resource-meta-add",
            "Resource-meta-delete",
            "Resource-validate"
        ]
    );
    assert_eq!(
        of("CodeSystem"),
        [
            "#explain-access",
            "CodeSystem-lookup",
            "Resource-meta-add",
            "Resource-meta-delete",
            "CodeSystem-subsumes",
            "Resource-validate",
            "CodeSystem-validate-code"
        ]
    );
    assert_eq!(
        of("ValueSet"),
        [
            "ValueSet-expand",
            "#explain-access",
            "Resource-meta-add",
            "Resource-meta-delete",
            "Resource-validate",
            "ValueSet-validate-code"
        ]
    );
    assert_eq!(
        of("ConceptMap"),
        ["#explain-access", "Resource-meta-add", "Resource-meta-delete", "ConceptMap-translate", "Resource-validate"]
    );
    let token = server.token_for(ALL);
    let _ = create(&server, &token, &patient("Smith"));
}

/// F66: what validates a large body has a thread lent for it, on every road that validates; small ones have not.
#[test]
fn large_bodies_are_validated_aside() {
    let (server, token) = server();
    let text = "a".repeat(rest::limits::INLINE_BYTES_MAX);
    let large = || {
        let mut large = patient("Smith");
        large["name"][0]["text"] = json!(text);
        large
    };
    let lent = |what: &str, expected: u64, work: &dyn Fn()| {
        let before = server.lent();
        work();
        assert_eq!(server.lent() - before, expected, "{what}");
    };
    let written = |path: &str, method: &str, body: &Value| {
        let reply = server.request(method, path).token(&token).json(body).send();
        assert!(matches!(reply.status, 200 | 201), "{path}: {}", reply.text());
    };
    lent("a small create", 0, &|| written("Patient", "POST", &patient("Smith")));
    lent("a large create", 1, &|| written("Patient", "POST", &large()));
    let with_id = |mut body: Value| {
        body["id"] = json!("p1");
        body
    };
    lent("a small update", 0, &|| written("Patient/p1", "PUT", &with_id(patient("Smith"))));
    lent("a large update", 1, &|| written("Patient/p1", "PUT", &with_id(large())));
    lent("a small $validate", 0, &|| written("Patient/$validate", "POST", &patient("Smith")));
    lent("a large $validate", 1, &|| written("Patient/$validate", "POST", &large()));
    lent("a stored one", 1, &|| drop(get(&server, &token, "Patient/p1/$validate").expect(200)));
    let bundle = |kind: &str, body: Value| {
        let entries = json!([{"request": {"method": "POST", "url": "Patient"}, "resource": body}]);
        json!({"resourceType": "Bundle", "type": kind, "entry": entries})
    };
    for kind in ["batch", "transaction"] {
        lent(kind, 0, &|| written("", "POST", &bundle(kind, patient("Smith"))));
        lent(kind, 1, &|| written("", "POST", &bundle(kind, large())));
    }
}
