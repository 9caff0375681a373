//! Batches and transactions (rows B31, F59, F63): Bundles put together from good, bad and raw parts, through
//! the whole service. A transaction that is refused changed nothing; what it stored has no link that leads
//! nowhere by design; a batch answers each entry; the narrow token changes nothing that it may not.

use crate::{
    choices::Choices,
    outcome,
    world::{self, World},
};
use serde_json::{Value, json};

const FULL_URLS: [&str; 8] = [
    "urn:uuid:00000000-0000-4000-8000-000000000001",
    "urn:uuid:00000000-0000-4000-8000-000000000002",
    "urn:uuid:00000000-0000-4000-8000-000000000003",
    "https://handrail.test/fhir/Patient/p1",
    "https://elsewhere.test/fhir/Patient/x",
    "urn:oid:1.2.3",
    "Patient/p1",
    "",
];

const METHODS: [&str; 8] = ["POST", "PUT", "GET", "DELETE", "POST", "PATCH", "HEAD", "post"];

const URLS: [&str; 24] = [
    "Patient",
    "Observation",
    "Patient/p1",
    "Patient/new-1",
    "Observation/o1",
    "Observation/new-2",
    "Patient?identifier=http://a|1",
    "Patient?identifier=http://a%7C1",
    "Observation?subject=Patient/p1&_include=Observation:subject",
    "Patient/p1/_history/1",
    "Patient/p1/_history",
    "/Patient/p1",
    "https://handrail.test/fhir/Patient/p1",
    "https://elsewhere.test/fhir/Patient/p1",
    "../Patient/p1",
    "Patient/..",
    "Patient/%2e%2e",
    "Patient/a%2Fb",
    "metadata",
    "",
    "Bundle",
    "AuditEvent",
    "Basic/b1",
    "Patient/p1/Observation",
];

const CONDITIONS: [&str; 7] =
    ["identifier=http://a|1", "identifier=http://a|2", "identifier=http://a|3", "_id=p1", "nonsense=1", "", "_count=1"];

const TAGS: [&str; 6] = ["W/\"1\"", "*", "W/\"2\"", "\"1\"", "x", ""];

const REFERENCES: [&str; 14] = [
    "urn:uuid:00000000-0000-4000-8000-000000000001",
    "urn:uuid:00000000-0000-4000-8000-000000000002",
    "urn:uuid:00000000-0000-4000-8000-000000000003",
    "urn:uuid:00000000-0000-4000-8000-0000000000ff",
    "urn:uuid:00000000-0000-4000-8000-000000000001/_history/1",
    "Patient/p1",
    "Patient/p2",
    "Patient/p1/_history/9",
    "Patient?identifier=http://a|1",
    "Patient?identifier=http://a|2",
    "Patient?identifier=http://a|1,http://a|2",
    "Patient?nonsense=1",
    "#a",
    "https://elsewhere.test/fhir/Patient/x",
];

/// The bytes choose the Bundle.
pub fn bundle(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let wide = !choices.once_in(4);
    let kind = ["transaction", "transaction", "transaction", "batch", "batch", "searchset", ""][choices.below(7)];
    let mut entries = Vec::new();
    while !choices.is_empty() && entries.len() < 6 {
        entries.push(entry(&mut choices));
    }
    let count = entries.len();
    let bundle = json!({ "resourceType": "Bundle", "type": kind, "entry": entries });
    world::with(|world| send(world, &bundle, kind, wide, count));
}

fn send(world: &World, bundle: &Value, kind: &str, wide: bool, count: usize) {
    let token = if wide { &world.wide } else { &world.narrow };
    let before = state(world);
    let reply = world.server.request("POST", "").token(token).json(bundle).send();
    outcome::check(reply.status, &reply.headers, &reply.body, false);
    if reply.status != 200 {
        assert_eq!(state(world), before, "refused with {} and changed", reply.status);
        return;
    }
    let answer = reply.json();
    assert_eq!(answer["type"], format!("{kind}-response"));
    let answers = answer["entry"].as_array().cloned().unwrap_or_default();
    assert_eq!(answers.len(), count);
    for answer in &answers {
        let status = answer["response"]["status"].as_str().and_then(|status| status.get(..3)).unwrap_or_default();
        let status: u16 = status.parse().expect("a status");
        assert!((200..500).contains(&status), "{answer}");
        if status >= 400 {
            outcome::explained(&answer["response"]["outcome"], status);
        }
        let Some(location) = answer["response"]["location"].as_str() else { continue };
        let stored = world.get(location.split("/_history/").next().unwrap_or_default());
        if let Some(link) = (kind == "transaction").then(|| stored.json()["subject"]["reference"].clone()) {
            let text = link.as_str().unwrap_or_default();
            assert!(!text.starts_with("urn:uuid:") && !text.contains('?'), "stored with {text}");
        }
    }
    if !wide {
        let patients = |state: &[Value]| state[0].clone();
        assert_eq!(patients(&state(world)), patients(&before), "the narrow token wrote a Patient");
    }
}

/// What shows a change: numbers of resources, and the versions of those that were there first.
fn state(world: &World) -> Vec<Value> {
    let total = |kind: &str| world.get(&format!("{kind}?_total=accurate&_count=0")).json()["total"].clone();
    let version = |path: &str| Value::from(world.get(path).header("etag").map(str::to_owned));
    let versions = ["Patient/p1", "Patient/p2", "Observation/o1", "Patient/new-1", "Observation/new-2"].map(version);
    [
        vec![total("Patient"), Value::from(versions[0..2].to_vec())],
        vec![total("Observation"), Value::from(versions.to_vec())],
    ]
    .concat()
}

fn entry(choices: &mut Choices<'_>) -> Value {
    let mut entry = json!({});
    if !choices.once_in(3) {
        entry["fullUrl"] = json!(part(&FULL_URLS, choices));
    }
    let mut request = json!({ "method": part(&METHODS, choices), "url": part(&URLS, choices) });
    for (name, values) in [("ifNoneExist", &CONDITIONS[..]), ("ifMatch", &TAGS[..]), ("ifNoneMatch", &TAGS[..])] {
        if choices.once_in(4) {
            request[name] = json!(part(values, choices));
        }
    }
    entry["request"] = request;
    if !choices.once_in(5) {
        entry["resource"] = resource(choices);
    }
    // Something of the wrong shape somewhere.
    if choices.once_in(12) {
        let name = choices.one(&["fullUrl", "request", "resource", "search", "x"]).to_owned();
        entry[name] = raw(choices);
    }
    entry
}

fn resource(choices: &mut Choices<'_>) -> Value {
    let mut resource = match choices.below(5) {
        0 => json!({ "resourceType": "Patient", "active": true }),
        1 => json!({ "resourceType": "Basic", "code": { "text": "a" } }),
        2 => json!({ "resourceType": "Encounter", "status": "finished", "class": { "code": "AMB" } }),
        _ => json!({
            "resourceType": "Observation", "status": "final", "code": { "text": "a" },
            "category": [{ "coding": [{ "code": choices.one(&["survey", "laboratory"]) }] }],
        }),
    };
    if resource["resourceType"] != "Patient" && !choices.once_in(4) {
        resource["subject"] = json!({ "reference": part(&REFERENCES, choices) });
    }
    if choices.once_in(3) {
        resource["id"] = json!(part(&["p1", "new-1", "o1", "new-2", "b1", "..", "a/b"], choices));
    }
    if resource["resourceType"] == "Patient" && choices.once_in(2) {
        resource["identifier"] = json!([{ "system": "http://a", "value": choices.one(&["1", "2", "3"]) }]);
    }
    if choices.once_in(6) {
        let href = part(&REFERENCES, choices).replace(['<', '>', '"', '\'', '&'], "");
        let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"{href}\">a</a></div>");
        resource["text"] = json!({ "status": "generated", "div": div });
    }
    if choices.once_in(10) {
        let name =
            choices.one(&["resourceType", "status", "id", "meta", "contained", "extension", "subject"]).to_owned();
        resource[name] = raw(choices);
    }
    resource
}

/// One of these texts, or a raw one.
fn part(of: &[&str], choices: &mut Choices<'_>) -> String {
    if choices.once_in(16) { choices.text() } else { choices.one(of).to_owned() }
}

fn raw(choices: &mut Choices<'_>) -> Value {
    match choices.below(6) {
        0 => Value::Null,
        1 => json!([]),
        2 => json!({}),
        3 => json!(choices.text()),
        4 => json!([{ "reference": "urn:uuid:x" }, null, 1.5]),
        _ => json!(i64::from(choices.byte())),
    }
}
