//! `$verify-signature` over the wire (rows F29 to F34): what is valid, every attack of F33, versions, hidden targets,
//! and that what was signed is never altered when it is stored.

use crate::world::{ALL, category_scope, create, get, observation, patient, put};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use fhir::{
    canonical::{Form, Notation, canonical},
    json::Tree,
};
use oauth::{
    jws::{Algorithm, detached},
    sign::PrivateKey,
    x509::{Anchors, Chain},
};
use rest::signature::{Standing, Standings, Trust};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use testkit::{
    Reply, Server,
    pki::{Authority, DAY_S, Held, Key, Wanted},
};

/// The clock of every test server begins here.
const NOW: &str = "2026-01-01T00:00:00Z";

/// Believes one authority, and knows what it says of certificates by their subjects.
struct Lab {
    root: Authority,
    revoked: Mutex<HashMap<String, i64>>,
    is_silent: bool,
}

impl Trust for Lab {
    fn anchors(&self) -> Vec<Anchors> {
        vec![Anchors::new(&[self.root.der()]).unwrap()]
    }

    fn standings<'a>(&'a self, chain: &'a Chain) -> Standings<'a> {
        let revoked = self.revoked.lock().unwrap();
        let of = |whose: String| match revoked.get(&whose) {
            _ if self.is_silent => Standing::Unavailable("the responder does not answer".into()),
            Some(since_s) => Standing::Revoked { since_s: *since_s },
            None => Standing::Good,
        };
        let all =
            chain.issued().map(|(one, _)| of(one.subject().common_name().unwrap_or_default().to_owned())).collect();
        Box::pin(std::future::ready(all))
    }
}

struct World {
    server: Server,
    token: String,
    lab: Arc<Lab>,
    now_s: i64,
    signer: Held,
    who: String,
}

impl World {
    fn new() -> Self {
        Self::with(false)
    }

    fn with(is_silent: bool) -> Self {
        let now_s = Server::new().clock().now().unix_seconds();
        let lab = Lab { root: Authority::root("Lab", now_s - 400 * DAY_S), revoked: Mutex::default(), is_silent };
        let lab = Arc::new(lab);
        let server = Server::new();
        server.service().believe(Arc::clone(&lab) as Arc<_>);
        let token = server.token_for(ALL);
        let signer = lab.root.issue(&Wanted::leaf("Ada Example", "urn:oid:1.2.3", now_s));
        let ada = json!({"resourceType": "Practitioner", "name": [{"family": "Example", "given": ["Ada"]}],
            "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"}]});
        let who = format!("Practitioner/{}", create(&server, &token, &ada).id());
        Self { server, token, lab, now_s, signer, who }
    }

    fn time(&self, before_s: i64) -> String {
        fhir::Instant::from_unix_millis((self.now_s - before_s) * 1000).to_string().replace(".000", "")
    }

    /// A Signature with this JWS.
    fn datatype(&self, jws: &str, canonicalization: &str, when: &str) -> Value {
        json!({
            "type": [{"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.1"}],
            "when": when,
            "who": {"reference": self.who},
            "targetFormat": format!("application/fhir+json;canonicalization={canonicalization}"),
            "sigFormat": "application/jose",
            "data": STANDARD.encode(jws)
        })
    }

    fn provenance(&self, target: &str, signature: Value) -> Value {
        json!({"resourceType": "Provenance", "target": [{"reference": target}], "recorded": self.time(0),
            "agent": [{"who": {"reference": self.who}}], "signature": [signature]})
    }

    /// Signs as the lab's signer did an hour ago.
    fn sign(&self, payload: &[u8]) -> String {
        detached::sign(&key(&self.signer), &self.signer.chain, &self.time(3600), payload).unwrap()
    }

    /// A Provenance of this version of an observation, signed over `#static`, and its id.
    fn signed(&self, jws: impl FnOnce(&[u8]) -> String) -> (String, String) {
        let id = create(&self.server, &self.token, &observation("p", "survey", "70")).id();
        let made = get(&self.server, &self.token, &format!("Observation/{id}")).expect(200);
        let jws = jws(&payload(&made.body, Form::Static));
        let signature = self.datatype(&jws, Form::Static.url(), &self.time(3600));
        let provenance = self.provenance(&format!("Observation/{id}/_history/1"), signature);
        (create(&self.server, &self.token, &provenance).id(), id)
    }

    fn verify(&self, path: &str) -> Found {
        let reply = self.server.request("GET", &format!("{path}/$verify-signature")).token(&self.token).send();
        Found::of(&reply.expect(200))
    }

    /// What comes of a Provenance whose signature is made so.
    fn attacked(&self, jws: impl FnOnce(&[u8]) -> String) -> Found {
        let (id, _) = self.signed(jws);
        self.verify(&format!("Provenance/{id}"))
    }
}

#[derive(Debug)]
struct Found {
    valid: bool,
    verdicts: Vec<String>,
    checks: Vec<(String, String, String)>,
    target: Option<String>,
}

impl Found {
    fn of(reply: &Reply) -> Self {
        let json = reply.json();
        assert_eq!(json["resourceType"], "Parameters", "{json}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let named = |list: &Value, name: &str| -> Vec<Value> {
            list.as_array().unwrap().iter().filter(|one| one["name"] == name).cloned().collect()
        };
        let signatures = named(&json["parameter"], "signature");
        let parts = |name: &str| signatures.iter().flat_map(|one| named(&one["part"], name)).collect::<Vec<_>>();
        let of = |check: &Value, name: &str, kind: &str| text(&named(&check["part"], name)[0][kind]);
        Self {
            valid: json["parameter"][0]["valueBoolean"] == true,
            verdicts: parts("verdict").iter().map(|one| text(&one["valueCode"])).collect(),
            checks: parts("check")
                .iter()
                .map(|one| {
                    (of(one, "name", "valueCode"), of(one, "result", "valueCode"), of(one, "text", "valueString"))
                })
                .collect(),
            target: parts("target").first().map(|one| text(&one["valueReference"]["reference"])),
        }
    }

    fn check(&self, name: &str) -> (&str, &str) {
        let found = self.checks.iter().find(|(own, ..)| own == name);
        found.map_or(("", ""), |(_, result, text)| (result, text))
    }

    /// It is no good, and this check says why.
    fn fails(&self, name: &str, part: &str) {
        assert_eq!((self.valid, self.verdicts.as_slice()), (false, &["invalid".to_owned()][..]), "{self:?}");
        let (result, text) = self.check(name);
        assert!(result == "failed" && text.contains(part), "{self:?}");
    }

    /// It is neither, and this check says why.
    fn is_open(&self, name: &str, part: &str) {
        assert_eq!((self.valid, self.verdicts.as_slice()), (false, &["indeterminate".to_owned()][..]), "{self:?}");
        let (result, text) = self.check(name);
        assert!(result == "not-checked" && text.contains(part), "{self:?}");
    }
}

fn key(held: &Held) -> PrivateKey {
    PrivateKey::parse(&held.key.pem(), None).unwrap()
}

fn payload(resource: &[u8], form: Form) -> Vec<u8> {
    let tree = Tree::parse(resource.to_vec()).unwrap();
    canonical(tree.root(), form, Notation::AsWritten, &[]).unwrap()
}

/// A JWS of this header over a payload, signed with whatever key.
fn headed(header: &Value, key: &PrivateKey, payload: &[u8]) -> String {
    detached::sign_with(key, header, payload).unwrap()
}

/// F31: everything that can be asked was asked, and holds.
#[test]
fn f31_a_good_signature() {
    let world = World::new();
    assert_eq!(world.time(0), NOW);
    let (id, observed) = world.signed(|payload| world.sign(payload));
    let found = world.verify(&format!("Provenance/{id}"));
    assert!(found.valid && found.verdicts == ["valid"], "{found:?}");
    let names: Vec<&str> = found.checks.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["target", "format", "signature", "time", "certificate", "revocation", "signer"]);
    assert_eq!(found.target, Some(format!("Observation/{observed}/_history/1")));
    // By POST, with and without Parameters, and in a batch.
    let path = format!("Provenance/{id}/$verify-signature");
    for body in [None, Some(json!({"resourceType": "Parameters"}))] {
        let request = world.server.request("POST", &path).token(&world.token);
        let reply = body.map_or_else(
            || world.server.request("POST", &path).token(&world.token).send(),
            |body| request.json(&body).send(),
        );
        assert!(Found::of(&reply.expect(200)).valid);
    }
    let batch =
        json!({"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": path}}]});
    let reply = world.server.request("POST", "").token(&world.token).json(&batch).send().expect(200).json();
    assert_eq!(reply["entry"][0]["resource"]["parameter"][0]["valueBoolean"], true);
    let _ = world.server.request("GET", &format!("{path}?x=1")).token(&world.token).send().expect(400);
    // Somebody who may not read it.
    let other = world.server.token_for("system/Observation.rs");
    let _ = world.server.request("GET", &path).token(&other).send().expect(403);
    let absent = world.server.request("GET", "Provenance/none/$verify-signature").token(&world.token).send();
    let _ = absent.expect(404);
}

/// F31: the version that the target names, not the newest; without a version it is said which it was.
#[test]
fn f31_the_version_counts() {
    let world = World::new();
    let (id, observed) = world.signed(|payload| world.sign(payload));
    let _ = put(&world.server, &world.token, &observed, observation("p", "survey", "71")).expect(200);
    assert!(world.verify(&format!("Provenance/{id}")).valid);
    // The same signature over the version after it.
    let mut other = get(&world.server, &world.token, &format!("Provenance/{id}")).json();
    other["target"][0]["reference"] = json!(format!("Observation/{observed}/_history/2"));
    let moved = create(&world.server, &world.token, &other).id();
    world.verify(&format!("Provenance/{moved}")).fails("signature", "another version");
    other["target"][0]["reference"] = json!(format!("Observation/{observed}"));
    let unversioned = create(&world.server, &world.token, &other).id();
    let found = world.verify(&format!("Provenance/{unversioned}"));
    found.fails("signature", "");
    assert!(found.check("target").1.contains("names no version"), "{found:?}");
    other["target"] = json!([{"reference": "Observation/a"}, {"reference": "Observation/b"}]);
    let several = create(&world.server, &world.token, &other).id();
    world.verify(&format!("Provenance/{several}")).is_open("target", "several targets");
}

/// F33: every attack on the header, over the wire.
#[test]
fn f33_attacks_on_the_signature() {
    let world = World::new();
    let x5c: Value = serde_json::from_str(&world.signer.x5c()).unwrap();
    let sig_t = world.time(3600);
    let own = key(&world.signer);
    let none = |payload: &[u8]| {
        let _ = payload;
        format!("{}..", URL_SAFE_NO_PAD.encode(json!({"alg": "none", "x5c": x5c}).to_string()))
    };
    world.attacked(none).fails("format", "form header..signature");
    let unsigned = |alg: &str| format!("{}..AAAA", URL_SAFE_NO_PAD.encode(json!({"alg": alg, "x5c": x5c}).to_string()));
    for alg in ["none", "HS256", "ES256K", "RS1"] {
        world.attacked(|_| unsigned(alg)).fails("format", "alg is none of");
    }
    // The public key as the secret of an HMAC; another algorithm than the key's.
    let confused = headed(&json!({"alg": "RS256", "x5c": x5c, "sigT": sig_t}), &own, b"x");
    world.attacked(|_| confused).fails("signature", "not a signature of this key");
    // A key that comes along is not believed, with or without a certificate beside it.
    let mallory = PrivateKey::generate(Algorithm::Es256).unwrap();
    let embedded = json!({"alg": "ES256", "jwk": mallory.public().to_jwk(), "sigT": sig_t});
    world.attacked(|payload| headed(&embedded, &mallory, payload)).is_open("certificate", "not believed");
    let both = json!({"alg": "ES256", "jwk": mallory.public().to_jwk(), "x5c": x5c, "sigT": sig_t});
    world.attacked(|payload| headed(&both, &mallory, payload)).fails("signature", "");
    let critical = json!({"alg": "ES256", "crit": ["exp"], "exp": 1, "x5c": x5c, "sigT": sig_t});
    world.attacked(|payload| headed(&critical, &own, payload)).fails("format", "crit");
    let unencoded = json!({"alg": "ES256", "b64": false, "x5c": x5c, "sigT": sig_t});
    world.attacked(|payload| headed(&unencoded, &own, payload)).fails("format", "crit");
    let proper = json!({"alg": "ES256", "b64": false, "crit": ["b64"], "x5c": x5c, "sigT": sig_t});
    assert!(world.attacked(|payload| headed(&proper, &own, payload)).valid);
    let twice = format!(r#"{{"alg":"none","alg":"ES256","x5c":{x5c}}}"#);
    world.attacked(|_| format!("{}..AAAA", URL_SAFE_NO_PAD.encode(twice))).fails("format", "strict JSON");
    world
        .attacked(|payload| {
            let jws = world.sign(payload);
            jws[..jws.len() - 6].to_owned()
        })
        .fails("signature", "");
    let attached =
        |payload: &[u8]| world.sign(payload).replacen("..", &format!(".{}.", URL_SAFE_NO_PAD.encode(payload)), 1);
    world.attacked(attached).fails("format", "detached");
    // Another resource's signature.
    world.attacked(|_| world.sign(b"{}")).fails("signature", "");
}

/// F31, F33: certificates of others, of nobody, that had ended, or were revoked.
#[test]
fn f33_attacks_on_the_certificate() {
    let world = World::new();
    let now_s = world.now_s;
    let other = world.lab.root.issue(&Wanted::leaf("Mallory", "urn:oid:6.6.6", now_s));
    let sign = |held: &Held, chain: &[Vec<u8>], before_s: i64, payload: &[u8]| {
        detached::sign(&key(held), chain, &world.time(before_s), payload).unwrap()
    };
    // The signature of one, the certificate of another.
    world.attacked(|payload| sign(&other, &world.signer.chain, 3600, payload)).fails("signature", "another's");
    // A certificate of the same lab that names somebody else.
    world.attacked(|payload| sign(&other, &other.chain, 3600, payload)).fails("signer", "somebody else");
    let strange =
        Authority::root("Elsewhere", now_s - DAY_S).issue(&Wanted::leaf("Ada Example", "urn:oid:1.2.3", now_s));
    world.attacked(|payload| sign(&strange, &strange.chain, 3600, payload)).fails("certificate", "none of the anchors");
    // It had ended when it signed.
    let ended = Wanted {
        from_s: now_s - 20 * DAY_S,
        until_s: now_s - 10 * DAY_S,
        ..Wanted::leaf("Ada Example", "urn:oid:1.2.3", now_s)
    };
    let ended = world.lab.root.issue(&ended);
    world.attacked(|payload| sign(&ended, &ended.chain, 3600, payload)).fails("certificate", "has ended");
    // Not only the time beside the signature counts.
    world
        .attacked(|payload| sign(&ended, &ended.chain, 15 * DAY_S, payload))
        .fails("time", "not that of Signature.when");
    world.attacked(|payload| sign(&world.signer, &world.signer.chain, -7200, payload)).fails("time", "future");
    // Revoked before it signed; and after it signed, but before the signature came here.
    world.lab.revoked.lock().unwrap().insert("Ada Example".into(), now_s - 7200);
    world.attacked(|payload| world.sign(payload)).fails("revocation", "before it signed");
    world.lab.revoked.lock().unwrap().insert("Ada Example".into(), now_s - 60);
    world.attacked(|payload| world.sign(payload)).fails("revocation", "before the signature came here");
    // Revoked when the signature was here already: it stays what it was.
    world.lab.revoked.lock().unwrap().clear();
    let (id, _) = world.signed(|payload| world.sign(payload));
    world.lab.revoked.lock().unwrap().insert("Ada Example".into(), now_s + 10);
    world.server.clock().advance_s(60);
    assert!(world.verify(&format!("Provenance/{id}")).valid);
}

/// Nothing is claimed that was not checked.
#[test]
fn f31_what_cannot_be_checked_is_said() {
    let world = World::with(true);
    let (id, _) = world.signed(|payload| world.sign(payload));
    world.verify(&format!("Provenance/{id}")).is_open("revocation", "does not answer");
    // A server that was told of no authority.
    let plain = Server::new();
    let token = plain.token_for(ALL);
    let made = put(&plain, &token, "o", observation("p", "survey", "70")).expect(201);
    let signature =
        world.datatype(&world.sign(&payload(&made.body, Form::Static)), Form::Static.url(), &world.time(3600));
    let id = create(&plain, &token, &world.provenance("Observation/o/_history/1", signature.clone())).id();
    let verify = |id: &str| Found::of(&get(&plain, &token, &format!("Provenance/{id}/$verify-signature")).expect(200));
    verify(&id).is_open("certificate", "told of nobody");
    // F34: XML signatures and images are stored, and not called verified; nor what R4 leaves open.
    let variants = [
        ("sigFormat", json!("application/signature+xml"), "format", "XML signatures"),
        ("sigFormat", json!("image/png"), "format", "image"),
        ("sigFormat", json!("application/pkcs7-signature"), "format", "not verified here"),
        ("sigFormat", Value::Null, "format", "missing"),
        ("targetFormat", json!("application/fhir+json"), "canonicalization", "names no canonicalization"),
        (
            "targetFormat",
            json!("application/fhir+xml;canonicalization=http://hl7.org/fhir/canonicalization/json"),
            "canonicalization",
            "not application/fhir+json",
        ),
        (
            "targetFormat",
            json!("application/fhir+json;canonicalization=http://hl7.org/fhir/canonicalization/xml"),
            "canonicalization",
            "not known",
        ),
        (
            "targetFormat",
            json!("application/fhir+json;canonicalization=http://hl7.org/fhir/canonicalization/json#document"),
            "canonicalization",
            "Bundles alone",
        ),
    ];
    for (member, value, check, part) in variants {
        let mut signature = signature.clone();
        if value.is_null() {
            signature.as_object_mut().unwrap().remove(member);
        } else {
            signature[member] = value;
        }
        let id = create(&plain, &token, &world.provenance("Observation/o/_history/1", signature)).id();
        verify(&id).is_open(check, part);
    }
    let none = get(&plain, &token, "Observation/o/$verify-signature").expect(200);
    assert!(!Found::of(&none).valid && none.text().contains("has no signature"));
}

/// Invariant 5: what a signature covers and the caller may not see is not found, as what is absent is.
#[test]
fn f31_a_hidden_target_is_not_found() {
    let world = World::new();
    let (hidden, _) = world.signed(|payload| world.sign(payload));
    let mut other = get(&world.server, &world.token, &format!("Provenance/{hidden}")).json();
    other["target"][0]["reference"] = json!("Observation/absent/_history/1");
    let absent = create(&world.server, &world.token, &other).id();
    let scope = format!("system/Provenance.rs system/Practitioner.rs {}", category_scope("rs", "laboratory"));
    let narrow = world.server.token_for(&scope);
    let answers = [&hidden, &absent].map(|id| {
        let before = world.server.holds();
        let reply = get(&world.server, &narrow, &format!("Provenance/{id}/$verify-signature")).expect(200);
        assert_eq!(world.server.holds(), before + 1);
        Found::of(&reply).is_open("target", "was not found");
        crate::world::shape(&reply, id)
    });
    assert_eq!(answers[0], answers[1]);
}

/// F32: which form outlives what the server adds, and what was signed before the server gave it an id.
#[test]
fn f32_what_the_server_adds() {
    let world = World::new();
    let sent = observation("p", "survey", "70.50");
    let text = serde_json::to_string_pretty(&sent).unwrap().replace("70.5", "70.50");
    assert!(text.contains("70.50"));
    let made = || {
        let request = world.server.request("POST", "Observation").token(&world.token);
        request.body("application/fhir+json", text.clone()).send().expect(201).id()
    };
    let mut outcomes = Vec::new();
    for form in [Form::Whole, Form::Data, Form::Static, Form::Narrative] {
        let jws = world.sign(&payload(text.as_bytes(), form));
        let id = made();
        let signature = world.datatype(&jws, form.url(), &world.time(3600));
        let provenance =
            create(&world.server, &world.token, &world.provenance(&format!("Observation/{id}/_history/1"), signature))
                .id();
        let found = world.verify(&format!("Provenance/{provenance}"));
        outcomes.push(found.valid);
        if form == Form::Static {
            assert!(found.check("signature").1.contains("without its id"), "{found:?}");
        }
    }
    assert_eq!(outcomes, [false, false, true, false]);
    // RFC 8785 by the same URL, and by its own name.
    let tree = Tree::parse(text.clone().into_bytes()).unwrap();
    let jcs = canonical(tree.root(), Form::Static, Notation::Rfc8785, &[]).unwrap();
    let id = made();
    let target = format!("Observation/{id}/_history/1");
    let signature = world.datatype(&world.sign(&jcs), Form::Static.url(), &world.time(3600));
    let provenance = create(&world.server, &world.token, &world.provenance(&target, signature)).id();
    assert!(world.verify(&format!("Provenance/{provenance}")).check("signature").1.contains("RFC 8785"));
    let stored = Tree::parse(get(&world.server, &world.token, &format!("Observation/{id}")).body.to_vec()).unwrap();
    let jcs = canonical(stored.root(), Form::Whole, Notation::Rfc8785, &[]).unwrap();
    let signature = world.datatype(&world.sign(&jcs), "urn:ietf:rfc:8785", &world.time(3600));
    let provenance = create(&world.server, &world.token, &world.provenance(&target, signature)).id();
    assert!(world.verify(&format!("Provenance/{provenance}")).valid);
}

/// A document as a partner sends it, signed; its entries have marks of their own.
fn document(world: &World) -> String {
    let text = r#"{
      "resourceType": "Bundle", "id": "theirs", "meta": {"versionId": "9", "lastUpdated": "2020-01-01T00:00:00Z"},
      "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"},
      "type": "document", "timestamp": "2025-12-31T10:00:00Z",
      "entry": [
        {"fullUrl": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e1", "resource": {"resourceType": "Composition",
          "id": "c", "meta": {"versionId": "7", "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]},
          "status": "final", "type": {"text": "Note"}, "date": "2025-12-31", "title": "T\u0065st \/",
          "author": [{"display": "A"}]}},
        {"fullUrl": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e2", "resource": {"resourceType": "Observation",
          "id": "o", "status": "final", "code": {"text": "x"}, "valueQuantity": {"value": 1.50}}}
      ]
    SIGNATURE}"#;
    let payload = payload(text.replace("SIGNATURE", "").as_bytes(), Form::Document);
    let signature = world.datatype(&world.sign(&payload), Form::Document.url(), &world.time(3600));
    text.replace("SIGNATURE", &format!(", \"signature\": {signature}"))
}

/// F32: a signed document is stored as it came, entries to the byte, and verifies under the id of this server.
#[test]
fn f32_a_signed_document_is_stored_as_it_came() {
    let world = World::new();
    let sent = document(&world);
    let made = world
        .server
        .request("POST", "Bundle")
        .token(&world.token)
        .body("application/fhir+json", sent.clone())
        .send()
        .expect(201);
    let id = made.id();
    assert_ne!(id, "theirs");
    let entries = |text: &[u8]| {
        let tree = Tree::parse(text.to_vec()).unwrap();
        let mut w = fhir::json::Writer::new();
        w.value(tree.root().get("entry").unwrap());
        String::from_utf8(w.into_bytes()).unwrap()
    };
    let stored = get(&world.server, &world.token, &format!("Bundle/{id}")).expect(200);
    assert_eq!(entries(&stored.body), entries(sent.as_bytes()));
    assert!(entries(&stored.body).contains(r#""title":"T\u0065st \/""#));
    let found = world.verify(&format!("Bundle/{id}"));
    assert!(found.valid && found.target.is_none(), "{found:?}");
    // One character of an entry, and it is no more.
    let changed = sent.replace("1.50", "1.51");
    let id = world
        .server
        .request("POST", "Bundle")
        .token(&world.token)
        .body("application/fhir+json", changed)
        .send()
        .expect(201)
        .id();
    world.verify(&format!("Bundle/{id}")).fails("signature", "content was changed");
}

/// F29: a QuestionnaireResponse that was signed as a whole; on an item R4 leaves open what is covered.
#[test]
fn f29_a_signed_questionnaire_response() {
    let world = World::new();
    let url = "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-signature";
    let response = json!({"resourceType": "QuestionnaireResponse", "status": "completed",
        "item": [{"linkId": "1", "answer": [{"valueDecimal": 1}]}]});
    let signed = world.sign(&payload(response.to_string().as_bytes(), Form::Static));
    let signature = world.datatype(&signed, Form::Static.url(), &world.time(3600));
    let extension = json!([{"url": url, "valueSignature": signature}]);
    let mut whole = response.clone();
    whole["extension"] = extension.clone();
    let id = create(&world.server, &world.token, &whole).id();
    let found = world.verify(&format!("QuestionnaireResponse/{id}"));
    assert!(found.valid, "{found:?}");
    let mut changed = whole.clone();
    changed["item"][0]["answer"][0]["valueDecimal"] = json!(2);
    let id = create(&world.server, &world.token, &changed).id();
    world.verify(&format!("QuestionnaireResponse/{id}")).fails("signature", "");
    let mut item = response;
    item["item"][0]["extension"] = extension;
    let id = create(&world.server, &world.token, &item).id();
    world.verify(&format!("QuestionnaireResponse/{id}")).is_open("target", "does not say");
}

/// F31: whom the certificate names, by URI, identifier, name, and when that is not known here.
#[test]
fn f31_who_signed() {
    let world = World::new();
    let observed = put(&world.server, &world.token, "o", observation("p", "survey", "70")).expect(201);
    let jws = world.sign(&payload(&observed.body, Form::Static));
    let of = |who: Value| {
        let mut signature = world.datatype(&jws, Form::Static.url(), &world.time(3600));
        signature["who"] = who;
        let id = create(&world.server, &world.token, &world.provenance("Observation/o/_history/1", signature)).id();
        world.verify(&format!("Provenance/{id}"))
    };
    let made = |resource: Value| json!({"reference": format!("{}/{}", resource["resourceType"].as_str().unwrap(), create(&world.server, &world.token, &resource).id())});
    let by_name =
        of(made(json!({"resourceType": "Practitioner", "name": [{"family": "EXAMPLE", "given": ["Ada", "M."]}]})));
    assert!(by_name.valid && by_name.check("signer").1.contains("same name, and nothing else"), "{by_name:?}");
    assert!(of(json!({"identifier": {"value": "urn:oid:1.2.3"}})).check("signer").1.contains("URI"));
    assert!(of(json!({"identifier": {"value": "Ada Example"}})).check("signer").1.contains("identifier"));
    of(made(patient("Ada"))).fails("signer", "somebody else");
    // Nobody's signature covers `who`: an identifier beside a reference says nothing of whom the reference means.
    let mut other = made(patient("Ada"));
    other["identifier"] = json!({"value": "Ada Example"});
    of(other).fails("signer", "somebody else");
    of(json!({"reference": "Practitioner/absent", "identifier": {"value": "Ada Example"}}))
        .is_open("signer", "not found here");
    of(json!({"reference": "Practitioner/absent"})).is_open("signer", "not found here");
    of(json!({"display": "Ada Example"})).is_open("signer", "not found here");
    // RSA works too.
    let rsa = Wanted { key: Key::rsa(), ..Wanted::leaf("Ada Example", "urn:oid:1.2.3", world.now_s) };
    let rsa = world.lab.root.issue(&rsa);
    assert!(
        world.attacked(|payload| detached::sign(&key(&rsa), &rsa.chain, &world.time(3600), payload).unwrap()).valid
    );
}
