//! What is asked, at random: every kind of interaction by everyone, and the pages that show something of a patient.
#![expect(clippy::indexing_slicing, reason = "what a JSON value does not have is null; a chance is below its end")]

use super::{
    book::{Asked, Round, Seen, now_ms},
    broke,
    facility::{
        CLINICIAN, CLINICIAN_AT_PAGE, IN_EMERGENCY, NOBODY, OFFICER_AT_PAGE, OWN, PARTNER, PATIENT, PATIENT_AT_PAGE,
        PATIENTS, Person, observation, patient,
    },
};
use crate::{client::Connection, seeded::Seeded};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// A request before it is sent.
struct Question {
    asked: Asked,
    bytes: Vec<u8>,
}

/// SPEC: R4 security labels in HTTP headers; `docs/break-glass.md`.
const EMERGENCY: &str =
    "http://terminology.hl7.org/CodeSystem/v3-ActReason#BTG; scheme=\"http://hl7.org/fhir/tag/security\"";

const FHIR: &str = "application/fhir+json";

/// A request by parts, to be finished by [`Draft::by`].
struct Draft {
    name: &'static str,
    code: &'static str,
    method: &'static str,
    path: String,
    fields: Vec<(&'static str, String)>,
    body: Option<(&'static str, String)>,
    query: Option<String>,
    target: Option<(String, String)>,
    codes: Vec<&'static str>,
}

impl Draft {
    fn get(name: &'static str, code: &'static str, path: String) -> Self {
        let query =
            path.split_once('?').map(|(kind, query)| format!("{}?{query}", kind.rsplit('/').next().unwrap_or("")));
        Self { name, code, method: "GET", path, fields: Vec::new(), body: None, query, target: None, codes: Vec::new() }
    }

    fn write(name: &'static str, code: &'static str, method: &'static str, path: String, body: Option<Value>) -> Self {
        let body = body.map(|body| (FHIR, body.to_string()));
        Self { method, body, query: None, ..Self::get(name, code, path) }
    }

    fn of(mut self, kind: &str, id: &str) -> Self {
        self.target = Some((kind.to_owned(), id.to_owned()));
        self
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    fn by(self, round: &Round, who: usize, id: String) -> Question {
        let mut head = format!(
            "{} /fhir/{} HTTP/1.1\r\nhost: localhost\r\naccept: {FHIR}\r\nx-request-id: {id}\r\n",
            self.method, self.path
        )
        .replace("/fhir/ ", "/fhir ");
        if let Some(token) = round.askers.get(who).and_then(|asker| asker.token.as_ref()) {
            head.push_str(&format!("authorization: Bearer {token}\r\n"));
        }
        for (name, value) in &self.fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let marked = self.fields.iter().any(|(name, _)| *name == "category");
        let mut line = format!("{} {}", self.method, self.path);
        if let Some((kind, body)) = &self.body {
            head.push_str(&format!("content-type: {kind}\r\ncontent-length: {}\r\n", body.len()));
            line.push_str(&format!(" {}", body.chars().take(300).collect::<String>()));
        }
        head.push_str("\r\n");
        head.push_str(self.body.as_ref().map_or("", |(_, body)| body));
        let asked = Asked {
            id: Some(id),
            name: self.name,
            line,
            who,
            code: self.code,
            query: self.query,
            target: self.target,
            patient: None,
            marked,
            at_page: false,
            sent_ms: now_ms(),
            parts: self.codes,
            answer: None,
        };
        Question { asked, bytes: head.into_bytes() }
    }
}

/// Asks one thing after the other until the connection breaks.
pub(crate) async fn client(round: Arc<Round>, mut chance: Seeded) -> (Vec<Asked>, Result<(), String>) {
    let mut all = Vec::new();
    let mut connection = match Connection::open(round.address, &round.tls).await {
        Ok(connection) => connection,
        Err(error) => return (all, broke(&round, &error)),
    };
    let mut next: Option<(usize, String)> = None;
    loop {
        let id = format!("c-{:016x}", chance.next());
        let (who, draft) = match next.take().filter(|_| chance.below(3) > 0) {
            Some((who, path)) => {
                let path = path.trim_start_matches("/fhir/").to_owned();
                let code = if path.contains("/_history") { "history-instance" } else { "search-type" };
                (who, Draft { query: None, ..Draft::get("page", code, path) })
            }
            None => draft(&mut chance, &id),
        };
        let question = draft.by(&round, who, id);
        let mut asked = question.asked;
        asked.sent_ms = now_ms();
        match connection.exchange(&question.bytes).await {
            Ok(reply) => {
                let seen = Seen::of_api(reply.status, reply.body, &asked.parts);
                let named = reply.header("x-request-id").map(str::to_owned);
                next = seen.next.clone().map(|path| (who, path));
                asked.answer = Some(seen);
                if named != asked.id {
                    let line = asked.line.clone();
                    all.push(asked);
                    return (all, Err(format!("{line}: the answer has the request id {named:?}")));
                }
                all.push(asked);
            }
            Err(error) => {
                all.push(asked);
                return (all, broke(&round, &error));
            }
        }
    }
}

/// An id of an Observation that is there, or was, or will be.
fn some(chance: &mut Seeded) -> (String, String) {
    let number = chance.below(PATIENTS);
    (patient(number), format!("o{number}-{}", chance.below(8)))
}

fn draft(chance: &mut Seeded, unique: &str) -> (usize, Draft) {
    let (whose, id) = some(chance);
    let reader = [OWN, PARTNER, PARTNER, CLINICIAN, CLINICIAN, PATIENT][chance.below(6)];
    let value = chance.below(10_000);
    let search = |name, path: String| (reader, Draft::get(name, "search-type", path));
    match chance.below(34) {
        0..4 => (reader, Draft::get("read", "read", format!("Observation/{id}")).of("Observation", &id)),
        4..6 => (reader, Draft::get("read", "read", format!("Patient/{whose}")).of("Patient", &whose)),
        6 => {
            let draft = Draft::get("read unchanged", "read", format!("Observation/{id}")).of("Observation", &id);
            (reader, draft.with("if-none-match", format!("W/\"{}\"", chance.below(3) + 1)))
        }
        7 => (reader, Draft::get("vread", "vread", format!("Observation/{id}/_history/{}", chance.below(3) + 1))),
        8 => {
            let path = format!("Observation/{id}/_history?_count=2");
            (reader, Draft { query: None, ..Draft::get("history", "history-instance", path) })
        }
        9..12 => search("search", format!("Observation?patient={whose}&_count=3")),
        12 => search("search all", "Observation?_count=5&_sort=-date".into()),
        13 => search("include", format!("Observation?patient={whose}&_include=Observation:subject&_count=4")),
        14 => search("revinclude", format!("Patient?_id={whose}&_revinclude=Observation:subject")),
        15 => search("has", "Patient?_has:Observation:patient:code=83254-3".into()),
        16 => (
            reader,
            Draft {
                query: None,
                ..Draft::get("compartment", "search-type", format!("Patient/{whose}/Observation?_count=3"))
            },
        ),
        17 => {
            let body = format!("patient={whose}&_count=2");
            let query = format!("Observation?{body}");
            let draft = Draft::get("search by form", "search-type", "Observation/_search".into());
            let body = Some(("application/x-www-form-urlencoded", body));
            (reader, Draft { method: "POST", body, query: Some(query), ..draft })
        }
        18 => search("refused search", format!("Observation?colour={whose}")),
        19 => (PARTNER, Draft::get("forbidden by consent", "read", "Goal/g5".into()).of("Goal", "g5")),
        20 => {
            // Marked as an emergency: the one whose glass is broken, or somebody else.
            let number = if chance.below(3) == 0 { PATIENTS - 1 } else { IN_EMERGENCY };
            let id = format!("o{number}-{}", chance.below(4));
            let draft = Draft::get("emergency", "read", format!("Observation/{id}")).of("Observation", &id);
            (CLINICIAN, draft.with("category", EMERGENCY))
        }
        21 => (NOBODY, Draft::get("nobody", "read", format!("Patient/{whose}")).of("Patient", &whose)),
        22 => (
            PATIENT,
            Draft { query: None, ..Draft::get("access report", "operation", "Patient/zq0p/$access-report".into()) },
        ),
        23 => (
            [OWN, PATIENT][chance.below(2)],
            Draft::get("audit events", "search-type", "AuditEvent?patient=Patient/zq0p&_count=3".into()),
        ),
        24 => {
            let body = json!({ "resourceType": "Parameters", "parameter": [{ "name": "resource",
                "resource": observation(None, &whose, value) }] });
            (OWN, Draft::write("validate", "operation", "POST", "Observation/$validate".into(), Some(body)))
        }
        25..27 => {
            let body = observation(Some(&id), &whose, value);
            (
                OWN,
                Draft::write("update", "update", "PUT", format!("Observation/{id}"), Some(body)).of("Observation", &id),
            )
        }
        27 => (
            OWN,
            Draft::write("create", "create", "POST", "Observation".into(), Some(observation(None, &whose, value))),
        ),
        28 => {
            let mut body = observation(None, &whose, value);
            body["identifier"] = json!([{ "system": "urn:example:once", "value": format!("{}", value % 20) }]);
            let draft = Draft::write("create once", "create", "POST", "Observation".into(), Some(body));
            (OWN, draft.with("if-none-exist", format!("identifier=urn:example:once|{}", value % 20)))
        }
        29 => {
            (OWN, Draft::write("delete", "delete", "DELETE", format!("Observation/{id}"), None).of("Observation", &id))
        }
        30 => {
            let body = observation(Some(&id), &whose, value);
            let draft = Draft::write("refused write", "update", "PUT", format!("Observation/{id}"), Some(body));
            ([PARTNER, CLINICIAN, PATIENT][chance.below(3)], draft.of("Observation", &id))
        }
        31 => bundle(chance, "batch", unique),
        _ => bundle(chance, "transaction", unique),
    }
}

/// A batch or a transaction of writes and reads; some transactions fail.
fn bundle(chance: &mut Seeded, kind: &'static str, unique: &str) -> (usize, Draft) {
    let (mut entries, mut codes) = (Vec::new(), Vec::new());
    for n in 0..1 + chance.below(4) {
        // Each patient's resources once in one bundle: a transaction refuses the same twice.
        let number = n % PATIENTS;
        let (whose, id) = (patient(number), format!("o{number}-{}", chance.below(8)));
        let value = chance.below(10_000);
        let (code, method, url, resource) = match chance.below(5) {
            0 => ("create", "POST", "Observation".to_owned(), Some(observation(None, &whose, value))),
            1 => ("update", "PUT", format!("Observation/{id}"), Some(observation(Some(&id), &whose, value))),
            2 => ("delete", "DELETE", format!("Observation/{id}"), None),
            3 => ("search-type", "GET", format!("Observation?patient={whose}&_count=2"), None),
            _ => ("read", "GET", format!("Patient/{whose}"), None),
        };
        let mut entry = json!({ "request": { "method": method, "url": url } });
        if let Some(resource) = resource {
            entry["resource"] = resource;
        }
        entries.push(entry);
        codes.push(code);
    }
    if chance.below(8) == 0 {
        entries.push(json!({ "request": { "method": "PUT", "url": format!("Observation/x-{unique}") },
            "resource": { "resourceType": "Observation", "status": "nonsense" } }));
        codes.push("update");
    }
    let body = json!({ "resourceType": "Bundle", "type": kind, "entry": entries });
    let who = if chance.below(6) == 0 { PARTNER } else { OWN };
    let draft =
        Draft::write(if kind == "batch" { "batch" } else { "transaction" }, kind, "POST", String::new(), Some(body));
    (who, Draft { codes, ..draft })
}

/// Pause of somebody at a page: the server limits how often one asks.
const LOOKS: Duration = Duration::from_millis(25);

/// Looks at pages until the connection breaks.
pub(crate) async fn person(
    round: Arc<Round>,
    mut person: Person,
    mut chance: Seeded,
) -> (Person, Vec<Asked>, Result<(), String>) {
    let mut all = Vec::new();
    loop {
        let (name, code, path, query, patient) = page(person.who, &mut chance);
        let mut asked = Asked {
            id: None,
            name,
            line: format!("GET {path}"),
            who: person.who,
            code,
            query,
            target: None,
            patient,
            marked: false,
            at_page: true,
            sent_ms: now_ms(),
            parts: Vec::new(),
            answer: None,
        };
        match person.visitor.page(&path).await {
            Ok(page) => {
                asked.id = Some(page.request_id.clone()).filter(|id| !id.is_empty());
                asked.answer = Some(Seen::of_page(page.status, page.text()));
                all.push(asked);
            }
            Err(error) => {
                all.push(asked);
                return (person, all, broke(&round, &error));
            }
        }
        tokio::time::sleep(LOOKS).await;
    }
}

type Look = (&'static str, &'static str, String, Option<String>, Option<String>);

fn page(who: usize, chance: &mut Seeded) -> Look {
    let whose = patient(chance.below(3));
    match who {
        CLINICIAN_AT_PAGE => match chance.below(3) {
            0 => ("page of emergencies", "read", "/account/emergency".into(), None, Some(patient(IN_EMERGENCY))),
            1 => {
                let path = format!("/account/launch?filter=Family-{whose}");
                ("page that finds patients", "search-type", path, None, None)
            }
            _ => ("page of a patient", "read", format!("/account/launch?patient={whose}"), None, Some(whose)),
        },
        PATIENT_AT_PAGE => {
            let query = Some("Patient/zq0p/$access-report".to_owned());
            let (name, path) = match chance.below(2) {
                0 => ("page of who saw", "/account/seen"),
                _ => ("table of who saw", "/account/seen/table"),
            };
            (name, "operation", path.into(), query, Some(patient(0)))
        }
        OFFICER_AT_PAGE => match chance.below(2) {
            0 => {
                let path = format!("/account/privacy/events?patient={whose}");
                ("page of events", "search-type", path, None, None)
            }
            _ => ("page of cases", "break-glass-shown", "/account/cases".into(), None, Some(patient(IN_EMERGENCY))),
        },
        _ => ("", "", String::new(), None, None),
    }
}
