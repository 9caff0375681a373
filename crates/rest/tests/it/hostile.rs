//! Hostile requests: what `docs/threats.md` says of the FHIR side, shown. Rows F55 to F65.

use crate::{
    batches::{entry, send, statuses},
    world::{create, get, observation, patient, put, server},
};
use bytes::Bytes;
use http_body::{Body, Frame};
use rest::wire::Accepted;
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};
use testkit::{Reply, Server};

/// A body that tells whether anyone looked at it.
struct Watched {
    bytes: Option<Bytes>,
    looked: Arc<AtomicBool>,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.looked.store(true, Ordering::SeqCst);
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// The status of a request with these headers, and whether its body was looked at.
fn status_unread(server: &Server, token: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, bool) {
    let looked = Arc::new(AtomicBool::new(false));
    let body =
        Watched { bytes: Some(Bytes::from_static(b"{\"resourceType\":\"Patient\"}")), looked: Arc::clone(&looked) };
    let mut request = http::Request::builder().method(method).uri(format!("/fhir/{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.header("authorization", format!("Bearer {token}")).body(body).unwrap();
    let peer = Accepted::new(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let status = server.block_on(async { server.service().answer(peer, request).await.into_inner().status().as_u16() });
    (status, looked.load(Ordering::SeqCst))
}

/// What no answer here takes, on however busy a machine: work that grows with a number's size would take hours.
const SLOW: Duration = Duration::from_secs(60);

const JSON: &str = "application/fhir+json";

/// F55: until XML is built there is nothing that could resolve an entity or a DTD.
#[test]
fn xml_is_refused_before_its_first_byte() {
    let (server, token) = server();
    for media_type in [
        "application/fhir+xml",
        "application/fhir+xml; charset=utf-7",
        "application/xml; charset=utf-16",
        "text/xml",
        "application/xhtml+xml",
        "application/fhir+json+xml",
    ] {
        for (method, path) in [("POST", "Patient"), ("PUT", "Patient/a"), ("POST", "")] {
            let answer = status_unread(&server, &token, method, path, &[("content-type", media_type)]);
            assert_eq!(answer, (415, false), "{media_type} {method} {path}");
        }
    }
    for (path, accept) in
        [("Patient?_format=xml", "*/*"), ("Patient?_format=application/fhir%2Bxml", "*/*"), ("Patient", "text/xml")]
    {
        let _ = server.request("GET", path).token(&token).header("accept", accept).send().expect(406);
    }
}

/// F57: nothing is unpacked, so there is no bomb to go off.
#[test]
fn packed_bodies_are_refused_before_their_first_byte() {
    let (server, token) = server();
    let typed = ("content-type", JSON);
    for encoding in
        ["gzip", "deflate", "br", "zstd", "x-gzip", "gzip, gzip", "identity, gzip", "IDENTITY", "aes128gcm", ""]
    {
        let answer = status_unread(&server, &token, "POST", "Patient", &[typed, ("content-encoding", encoding)]);
        assert_eq!(answer, (415, false), "{encoding:?}");
    }
    let two = [typed, ("content-encoding", "identity"), ("content-encoding", "gzip")];
    assert_eq!(status_unread(&server, &token, "POST", "Patient", &two), (415, false));
    let form = [("content-type", "application/x-www-form-urlencoded"), ("content-encoding", "gzip")];
    assert_eq!(status_unread(&server, &token, "POST", "Patient/_search", &form), (415, false));
    let plain = [typed, ("content-encoding", "identity")];
    assert_eq!(status_unread(&server, &token, "POST", "Patient", &plain), (201, true));
}

/// F65: what is neither FHIR JSON nor a search form is refused by its head.
#[test]
fn other_media_types_are_refused_before_their_first_byte() {
    let (server, token) = server();
    for media_type in [
        "text/html",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "application/fhir+ndjson",
        "application/json-patch+json",
        "application/fhir+json; charset=utf-16",
        "application/fhir+json, text/html",
        "application/fhir+turtle",
        "*/*",
        "",
    ] {
        let answer = status_unread(&server, &token, "POST", "Patient", &[("content-type", media_type)]);
        assert_eq!(answer, (415, false), "{media_type:?}");
    }
    assert_eq!(status_unread(&server, &token, "POST", "Patient", &[]), (415, false));
    let twice = [("content-type", JSON), ("content-type", JSON)];
    assert_eq!(status_unread(&server, &token, "POST", "Patient", &twice), (415, false));
    assert_eq!(status_unread(&server, &token, "POST", "Patient/_search", &[("content-type", JSON)]), (415, false));
    let long = [("content-type", JSON), ("content-length", "99999999")];
    assert_eq!(status_unread(&server, &token, "POST", "Patient", &long), (413, false));
}

/// F62: a patch does nothing that an update of the same content would not, and tests nothing that is hidden.
#[test]
fn f62_a_patch_does_no_more_than_an_update() {
    let (server, token) = server();
    let _ = put(&server, &token, "a", patient("A")).expect(201);
    for media_type in ["application/xml-patch+xml", "application/merge-patch+json", "text/plain", ""] {
        let answer = status_unread(&server, &token, "PATCH", "Patient/a", &[("content-type", media_type)]);
        assert_eq!(answer, (415, false), "{media_type}");
    }
    let send_as = |token: &str, place: &str, operation: serde_json::Value| {
        let body = serde_json::json!([operation]).to_string();
        server.request("PATCH", place).token(token).body("application/json-patch+json", body).send()
    };
    let add = |path: &str, value: serde_json::Value| serde_json::json!({"op": "add", "path": path, "value": value});
    // What identifies it stays, and what the server says of it.
    let _ = send_as(&token, "Patient/a", add("/id", "b".into())).expect(400);
    let _ = send_as(&token, "Patient/a", add("/resourceType", "Group".into())).expect(400);
    let _ = send_as(&token, "Patient/a", add("/meta/versionId", "77".into())).expect(200);
    let after = get(&server, &token, "Patient/a").json();
    assert_eq!((&after["id"], &after["meta"]["versionId"]), (&serde_json::json!("a"), &serde_json::json!("2")));
    // A label is not lowered, and none is taken away.
    let label = serde_json::json!({"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"});
    let _ = send_as(&token, "Patient/a", add("/meta/security", serde_json::json!([label]))).expect(200);
    let taken = send_as(&token, "Patient/a", serde_json::json!({"op": "remove", "path": "/meta/security"})).expect(200);
    assert_eq!(taken.json()["meta"]["security"][0]["code"], "R");
    // What may not be read is not tested.
    let blind = server.token_for("system/Patient.u");
    let right = serde_json::json!({"op": "test", "path": "/name/0/family", "value": "A"});
    let wrong = serde_json::json!({"op": "test", "path": "/name/0/family", "value": "B"});
    let answers = [right, wrong].map(|test| send_as(&blind, "Patient/a", test).expect(403).json()["issue"].clone());
    assert_eq!(answers[0], answers[1]);
    let _ = send_as(&token, "AuditEvent/a", add("/outcome", "0".into())).expect(403);
}

/// The status of a resource sent as this text, and how long the answer took.
fn post(server: &Server, token: &str, kind: &str, text: String) -> (Reply, Duration) {
    let started = Instant::now();
    (server.request("POST", kind).token(token).body(JSON, text).send(), started.elapsed())
}

/// F56: what readers of JSON disagree about is refused, with its place.
#[test]
fn json_that_readers_disagree_about_is_refused() {
    let (server, token) = server();
    for text in [
        r#"{"resourceType":"Patient","active":true,"active":false}"#,
        r#"{"resourceType":"Patient","\u0061ctive":true}"#,
        r#"{"resourceType":"Patient","id":"\u0000"}"#,
        r#"{"resourceType":"Patient","name":[{"family":"\ud800"}]}"#,
        r#"{"resourceType":"Patient"}{"resourceType":"Patient"}"#,
        r#"{"resourceType":"Patient"},"#,
        "\u{feff}{\"resourceType\":\"Patient\"}",
        "{'resourceType':'Patient'}",
        "{\"resourceType\":\"Patient\" /* a */}",
        "{\"resourceType\":\"Patient\",}",
        "{\"resourceType\":\"Patient\",\"x\":NaN}",
        "{\"resourceType\":\"Patient\",\"x\":01}",
        "{\"resourceType\":\"Patient\",\"name\":\"a\nb\"}",
    ] {
        let (refused, _) = post(&server, &token, "Patient", text.to_owned());
        assert_eq!(refused.status, 400, "{text}: {}", refused.text());
        assert!(refused.json()["issue"][0]["location"][0].as_str().unwrap().starts_with("line "), "{text}");
    }
    assert_eq!(get(&server, &token, "Patient?_summary=count").json()["total"], 0);
}

/// F56: depth, breadth and length are bounded, and none of them costs much to refuse.
#[test]
fn json_that_is_too_much_is_refused_quickly() {
    let (server, token) = server();
    let wide: Vec<String> = (0..1000).map(|at| format!("\"n{at}\":0")).collect();
    let texts = [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        format!("{{\"resourceType\":\"Patient\",\"x\":{}0{}}}", "[".repeat(80), "]".repeat(80)),
        format!("{{\"resourceType\":\"Patient\",{}}}", wide.join(",")),
        format!("{{\"resourceType\":\"Patient\",\"{}\":0}}", "a".repeat(70_000)),
    ];
    for text in texts {
        let start: String = text.chars().take(40).collect();
        let (refused, took) = post(&server, &token, "Patient", text);
        assert_eq!(refused.status, 400, "{start}: {}", refused.text());
        assert!(took < SLOW, "{start}: {took:?}");
    }
    // SPEC: R4 datatypes.html#string: at most 1,048,576 characters.
    let long = |letters: usize| {
        format!("{{\"resourceType\":\"Patient\",\"name\":[{{\"family\":\"{}\"}}]}}", "é".repeat(letters))
    };
    let _ = post(&server, &token, "Patient", long(1024 * 1024)).0.expect(201);
    let refused = post(&server, &token, "Patient", long(1024 * 1024 + 1)).0.expect(422);
    assert_eq!(refused.issue().2, "Patient.name[0].family");
}

/// F56: a number keeps the digits that it was sent with; one that other readers of JSON cannot hold would
/// spoil every page that it is on, and is refused.
#[test]
fn numbers_keep_their_digits_or_are_refused() {
    let (server, token) = server();
    let send = |number: &str| {
        let text = observation("p", "survey", "12345.5").to_string().replace("12345.5", number);
        let (reply, took) = post(&server, &token, "Observation", text);
        assert!(took < SLOW, "{number}: {took:?}");
        reply
    };
    for number in ["1e999999999", "-1e309", "1e2147483648", "1e99999999999999999999"] {
        let refused = send(number).expect(422);
        assert!(refused.issue().2.starts_with("Observation.value"), "{number}: {}", refused.text());
    }
    for number in [
        "0.10",
        "-0.00",
        "1e-2147483648",
        "1e-99999999999999999999",
        "1.7e308",
        "1.00000000000000000000000000000000000000000001",
        "100000000000000000000000000000000000000000000.5",
    ] {
        let id = send(number).expect(201).id();
        let stored = get(&server, &token, &format!("Observation/{id}")).expect(200).text();
        assert!(stored.contains(&format!("\"value\":{number},")), "{stored}");
    }
    let page = get(&server, &token, "Observation?value-quantity=gt-1&_sort=value-quantity").expect(200);
    assert!(!page.entries("match").is_empty());
}

/// F58: a search that asks for too much is refused before it is done, and names what is too much.
#[test]
fn searches_that_ask_for_too_much_are_refused() {
    let (server, token) = server();
    let ids: Vec<String> = (0..500).map(|at| format!("id-{at}")).collect();
    for (query, place) in [
        (vec!["_id=a"; 101].join("&"), "_id"),
        (format!("_id={}", ids.join(",")), "_id"),
        (format!("name={}", "a".repeat(9000)), "name"),
        (
            "general-practitioner:Organization.partof:Organization.name=a".to_owned(),
            "general-practitioner:Organization.partof:Organization.name",
        ),
        (
            "_has:Observation:subject:_has:Provenance:target:agent=a".to_owned(),
            "_has:Observation:subject:_has:Provenance:target:agent",
        ),
        ("_sort=_id,-_id,_id,-_id,_id,-_id".to_owned(), "_sort"),
        (revincludes(), "_revinclude"),
        ("_include:iterate=Patient:link".to_owned(), "_include:iterate"),
        ("_count=-1".to_owned(), "_count"),
        ("_count=1e9".to_owned(), "_count"),
        ("_count=99999999999999999999".to_owned(), "_count"),
        ("birthdate=2020-13".to_owned(), "birthdate"),
        ("birthdate=99999-01-01".to_owned(), "birthdate"),
        ("_lastUpdated=9999-12-31T23:59:59.999999999999999999999999-99:99".to_owned(), "_lastUpdated"),
        ("_filter=name%20co%20a".to_owned(), "_filter"),
        ("_query=a".to_owned(), "_query"),
        // A name that may hold anything is not sent back.
        ("Mrs%20Lovelace=a".to_owned(), "http.url"),
    ] {
        let refused = get(&server, &token, &format!("Patient?{query}"));
        assert_eq!(refused.status, 400, "{place}: {}", refused.text());
        assert_eq!(refused.issue().2, place, "{}", refused.text());
        assert!(!refused.text().contains("Lovelace"));
    }
    // The largest page is a limit, not an error: the self link says what was done.
    let page = get(&server, &token, "Patient?_count=1000000").expect(200);
    assert!(page.link("self").unwrap().ends_with("_count=1000"), "{}", page.text());
}

/// More `_revinclude`s than there may be, each another.
fn revincludes() -> String {
    let registry = search::registry();
    let known = fhir::ResourceType::all().filter(|kind| registry.parameter(*kind, "patient").is_some());
    let all: Vec<String> = known.map(|kind| format!("_revinclude={kind}:patient")).collect();
    assert!(all.len() > 30);
    all.join("&")
}

/// F58: exponents and the ends of time are values like others, or wrong values.
#[test]
fn numbers_and_dates_at_their_ends_cost_nothing() {
    let (server, token) = server();
    create(&server, &token, &observation("p", "survey", "5"));
    for query in [
        "value-quantity=1e400000000",
        "value-quantity=lt-1e-400000000",
        "value-quantity=1e-2147483648",
        "value-quantity=0.0000000000000000000000000000000000000000000000000000000000001",
        "value-quantity=ap1e999",
        "date=ge9999-12-31T23:59:59.999Z",
        "date=lt0001-01-01",
        "date=ap0001",
        "date=ap9999-12-31",
        "date=0000",
        "_lastUpdated=gt9999-12-31T23:59:59Z",
    ] {
        let started = Instant::now();
        let reply = get(&server, &token, &format!("Observation?{query}"));
        assert!(matches!(reply.status, 200 | 400), "{query}: {}", reply.text());
        assert!(started.elapsed() < SLOW, "{query}");
    }
}

/// F58: text is compared folded, whatever its Unicode form; wild cards of other languages are letters.
#[test]
fn search_text_is_text() {
    let (server, token) = server();
    create(&server, &token, &patient("\u{41}\u{30a}ngstro\u{308}m")); // decomposed
    let found = |query: &str| get(&server, &token, &format!("Patient?{query}")).expect(200).entries("match").len();
    for name in ["%C3%85ngstr%C3%B6m", "angstrom", "%E2%84%ABngstr%C3%B6m", "A%CC%8Angstro%CC%88m"] {
        assert_eq!(found(&format!("family={name}")), 1, "{name}");
    }
    // Punctuation does not count in a string search; what is left of these is nothing, or nobody's name.
    for name in ["%25", "_", "%25x", ".*", "*", "angx%00", "%27%20OR%201%3D1%20--", "angstromx%5C%5C"] {
        assert_eq!(found(&format!("family={name}")), 0, "{name}");
        assert_eq!(found(&format!("family:contains={name}")), 0, "{name}");
    }
}

/// F59: an id is what its rule says, in URLs, bodies and entries; nothing else is a path.
#[test]
fn paths_lead_nowhere_else() {
    let (server, token) = server();
    let _ = put(&server, &token, "a", patient("A")).expect(201);
    let over_long = "a".repeat(65);
    for path in [
        "Patient/..",
        "Patient/../Patient/a",
        "Patient/%2e%2e",
        "Patient/%2e%2e/Patient/a",
        "Patient/%2e%2e%2fPatient%2fa",
        "Patient/a%2f_history",
        "Patient/a%00",
        "Patient/%61",
        "Patient/a%0d%0aX-Evil:%201",
        "Patient/a;b",
        "Patient//a",
        "Patient/a//_history",
        "Patient/a/_history/../_history/1",
        "Patient/a/_history/%31",
        "Patient/a/_history/1e0",
        "Patient/a/_history/99999999999999999999",
        "Patient%2fa",
        "%50atient/a",
        "patient/a",
        "Patient/a/b/c/d",
        over_long.as_str(),
    ] {
        let path = if path == over_long { format!("Patient/{path}") } else { path.to_owned() };
        let refused = get(&server, &token, &path);
        assert_eq!(refused.status, 404, "{path}: {}", refused.text());
        // `.` and `..` are within the rule of an id, as R4 has it; they are names, not ways.
        let refused = server.request("DELETE", &path).token(&token).send();
        assert!(matches!(refused.status, 204 | 404 | 405), "{path}: {}", refused.text());
    }
    let _ = get(&server, &token, "Patient/a").expect(200);
    for id in ["a/b", "a_b", "a b", "", "%61", "ä", &over_long] {
        let mut body = patient("A");
        body["id"] = json!(id);
        let path = format!("Patient/{}", id.replace('/', "%2F").replace("ä", "%C3%A4"));
        let refused = server.request("PUT", &path).token(&token).json(&body).send();
        assert!(matches!(refused.status, 400 | 404 | 405 | 422), "{id}: {}", refused.text());
    }
    // The id of the body is that of the URL; that of a create is not the client's to choose.
    let mut body = patient("A");
    body["id"] = json!("b");
    let refused = server.request("PUT", "Patient/a").token(&token).json(&body).send().expect(400);
    assert_eq!(refused.issue().2, "Patient.id");
    assert_ne!(create(&server, &token, &body).id(), "b");
}

/// F59: in a Bundle too; and `fullUrl` gives no other way to an id.
#[test]
fn paths_of_entries_lead_nowhere_else() {
    let (server, token) = server();
    let _ = put(&server, &token, "a", patient("A")).expect(201);
    for url in [
        "../Patient/a",
        "Patient/%61",
        "Patient/a/../a",
        "https://elsewhere.test/fhir/Patient/a",
        "https://handrail.test/fhirPatient/a",
        "https://handrail.test/fhir@elsewhere.test/Patient/a",
        "//Patient/a/",
        "file:///etc/passwd",
        "Patient/a\r\nX-Evil: 1",
        "/oauth/token",
    ] {
        let reply = send(&server, &token, "batch", &[entry("GET", url, None)]).expect(200);
        assert_eq!(statuses(&reply), ["404 Not Found"], "{url}");
    }
    let mut named = entry("POST", "Patient", Some(patient("B")));
    named["fullUrl"] = json!("https://handrail.test/fhir/Patient/a");
    let reply = send(&server, &token, "transaction", &[named]).expect(200);
    assert_eq!(statuses(&reply), ["201 Created"]);
    assert_eq!(get(&server, &token, "Patient/a").header("etag"), Some("W/\"1\""), "a create changes nobody else");
}

/// F61: what a client sends comes back in no header, and within texts only as text.
#[test]
fn nothing_that_is_sent_becomes_a_header() {
    let (server, token) = server();
    create(&server, &token, &patient("A"));
    let evil = "a%0d%0aSet-Cookie:%20x=1%0d%0a%0d%0a%3Cscript%3E";
    for path in [
        format!("Patient?family={evil}"),
        format!("Patient?{evil}=1"),
        format!("Patient?_sort={evil}"),
        format!("Patient?_format={evil}"),
        format!("Patient?_cursor={evil}"),
        format!("Patient/{evil}"),
        evil.to_owned(),
    ] {
        let reply = get(&server, &token, &path);
        for (name, value) in &reply.headers {
            assert!(name != "set-cookie" && !value.contains("Set-Cookie"), "{path}: {name}: {value}");
            assert!(value.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{path}: {name}: {value:?}");
        }
        assert!(!reply.text().contains(['\r', '\n']), "{path}: {}", reply.text());
        assert_eq!(reply.header("content-type"), Some("application/fhir+json; charset=utf-8"));
    }
    for id in ["a b", "a\tb", "\u{e9}", &"a".repeat(65), "<script>", "${jndi:ldap://a}"] {
        let reply = server.request("GET", "Patient").token(&token).header("x-request-id", id).send().expect(200);
        assert_ne!(reply.header("x-request-id"), Some(id));
    }
}

/// F63: the Bundle is bounded before its first entry is looked at.
#[test]
fn a_bundle_of_too_many_entries_is_refused_whole() {
    let (server, token) = server();
    let one = entry("POST", "Basic", Some(json!({"resourceType": "Basic", "code": {"text": "a"}})));
    let entries: Vec<Value> = vec![one; rest::limits::ENTRIES_MAX + 1];
    for kind in ["batch", "transaction"] {
        let refused = send(&server, &token, kind, &entries).expect(413);
        assert_eq!(refused.issue().0, "too-costly");
    }
    assert_eq!(get(&server, &token, "Basic?_summary=count").json()["total"], 0);
}

/// F63: a conditional reference is a search of the caller's own: the hidden is not found, and a condition
/// that is none is an error.
#[test]
fn a_conditional_reference_finds_only_what_its_caller_may() {
    let (server, all) = server();
    create(&server, &all, &patient("secret"));
    create(&server, &all, &patient("open"));
    let narrow = server.token_for("system/Patient.rs?family=open system/Observation.cru");
    let write_only = server.token_for("system/Observation.cru");
    let refer = |token: &str, text: &str| {
        let mut body = observation("x", "survey", "1");
        body["subject"]["reference"] = json!(text);
        send(&server, token, "transaction", &[entry("POST", "Observation", Some(body))])
    };
    let _ = refer(&narrow, "Patient?identifier=urn:test:mrn|open").expect(200);
    let hidden = refer(&narrow, "Patient?identifier=urn:test:mrn|secret").expect(412);
    let absent = refer(&narrow, "Patient?identifier=urn:test:mrn|nobody").expect(412);
    assert_eq!(hidden.body, absent.body);
    let _ = refer(&write_only, "Patient?identifier=urn:test:mrn|open").expect(403);
    for wrong in ["Patient?", "Patient?nonsense=1", "Patient?_count=1", "Patient?identifier", "Patient?_include=*"] {
        let refused = refer(&narrow, wrong).expect(400);
        assert!(refused.issue().2.starts_with("Bundle.entry[0]"), "{wrong}: {}", refused.text());
    }
}

/// F63: outside of a transaction nobody resolves a condition: stored as sent it would lead nowhere.
#[test]
fn a_conditional_reference_is_for_transactions_alone() {
    let (server, token) = server();
    create(&server, &token, &patient("open"));
    let mut body = observation("x", "survey", "1");
    body["subject"]["reference"] = json!("Patient?identifier=urn:test:mrn|open");
    let refused = server.request("POST", "Observation").token(&token).json(&body).send().expect(422);
    assert_eq!(refused.issue().2, "Observation.subject");
    let reply = send(&server, &token, "batch", &[entry("POST", "Observation", Some(body.clone()))]).expect(200);
    assert_eq!(statuses(&reply), ["422 Unprocessable Entity"]);
    // A Bundle that is kept as a document keeps its own references.
    let kept = json!({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": body}]});
    let _ = server.request("POST", "Bundle").token(&token).json(&kept).send().expect(201);
}
