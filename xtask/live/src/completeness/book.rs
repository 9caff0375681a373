//! What was asked and what came back, as the one who asked knows it.
#![expect(clippy::indexing_slicing, reason = "what a JSON value does not have is null; a chance is below its end")]

use serde_json::Value;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
    time::{SystemTime, UNIX_EPOCH},
};

/// Who asks, and how the log has to call them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asker {
    /// Its access token; none for somebody unknown.
    pub(crate) token: Option<String>,
    /// Id of the client.
    pub(crate) client: Option<String>,
    /// Role and resource of the person.
    pub(crate) person: Option<(&'static str, &'static str)>,
}

/// Whoever asks in one round, from one start of the server to its kill.
pub(crate) struct Round {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<rustls::ClientConfig>,
    pub(crate) askers: Arc<[Asker]>,
    /// Set just before the kill.
    pub(crate) killed: AtomicBool,
}

/// A request, from the moment in which its first byte was sent.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Its name in the log: ours at the API, the server's at the pages (known with the answer).
    pub(crate) id: Option<String>,
    /// For counts and for messages.
    pub(crate) name: &'static str,
    /// Its line, for messages.
    pub(crate) line: String,
    /// Place in [`Round::askers`].
    pub(crate) who: usize,
    /// What the log has to call it.
    pub(crate) code: &'static str,
    /// The query that the log has to hold; not looked at when there is none.
    pub(crate) query: Option<String>,
    /// Resource that it names: type and id.
    pub(crate) target: Option<(String, String)>,
    /// The patient whose record a page shows.
    pub(crate) patient: Option<String>,
    /// It was marked as an emergency.
    pub(crate) marked: bool,
    /// At the pages, which name their requests themselves.
    pub(crate) at_page: bool,
    pub(crate) sent_ms: i64,
    /// Of a Bundle: what each entry is.
    pub(crate) parts: Vec<&'static str>,
    pub(crate) answer: Option<Seen>,
}

/// What came back, as far as the log has to tell of it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) at_ms: i64,
    /// Resources of the body: type, id, version.
    pub(crate) resources: BTreeSet<Touched>,
    /// Patients that the body speaks of.
    pub(crate) patients: BTreeSet<String>,
    /// Of a Bundle's answer: what each entry of it did.
    pub(crate) parts: Vec<Part>,
    /// Address of the next page, when there is one.
    pub(crate) next: Option<String>,
}

/// Type, id and version; version 0: not known.
pub(crate) type Touched = (String, String, u32);

/// One entry of the answer to a batch or transaction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    pub(crate) code: &'static str,
    pub(crate) is_success: bool,
    pub(crate) resources: Vec<Touched>,
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// Every patient has an id that stands in all that is about them and nowhere else: `zq3p`.
pub(crate) fn marks(text: &str, found: &mut BTreeSet<String>) {
    for (at, _) in text.match_indices("zq") {
        let rest = text.get(at + 2..).unwrap_or_default();
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        if !digits.is_empty() && rest[digits.len()..].starts_with('p') {
            found.insert(format!("zq{digits}p"));
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A resource with its version. Outcomes and Bundles are none.
fn touched(resource: &Value) -> Option<Touched> {
    let (kind, id) = (text(resource, "resourceType"), text(resource, "id"));
    let version = resource.get("meta").map_or("", |meta| text(meta, "versionId")).parse().unwrap_or(0);
    let is_one = !id.is_empty() && !matches!(kind, "Bundle" | "OperationOutcome" | "Parameters");
    is_one.then(|| (kind.to_owned(), id.to_owned(), version))
}

/// `Type/id/_history/version` at the end of an address.
fn located(location: &str) -> Option<Touched> {
    let (rest, version) = location.rsplit_once("/_history/")?;
    let (rest, id) = rest.rsplit_once('/')?;
    Some((rest.rsplit('/').next()?.to_owned(), id.to_owned(), version.parse().ok()?))
}

impl Seen {
    /// Of an answer of the API. `codes`: what each entry of a Bundle was, in order.
    pub(crate) fn of_api(status: u16, body: &[u8], codes: &[&'static str]) -> Self {
        let mut seen = Self { status, at_ms: now_ms(), ..Self::default() };
        let Ok(body) = serde_json::from_slice::<Value>(body) else { return seen };
        if status >= 400 {
            // What it says of the request is the request's.
            return seen;
        }
        let entries = body.get("entry").and_then(Value::as_array);
        match text(&body, "resourceType") {
            "Bundle" if text(&body, "type").ends_with("-response") => {
                for (entry, code) in entries.into_iter().flatten().zip(codes) {
                    seen.part(entry, code);
                }
            }
            "Bundle" => {
                for entry in entries.into_iter().flatten() {
                    seen.tells(&entry["resource"]);
                    let of_delete =
                        entry["response"]["status"].as_str().is_some_and(|status| status.starts_with("204"));
                    if of_delete {
                        let (kind, id) = text(&entry["request"], "url").split_once('/').unwrap_or_default();
                        let tag = text(&entry["response"], "etag");
                        let version = tag.trim_start_matches("W/").trim_matches('"').parse().unwrap_or(0);
                        seen.resources.insert((kind.to_owned(), id.to_owned(), version));
                    }
                }
                let links = body.get("link").and_then(Value::as_array).into_iter().flatten();
                let next = links.filter(|link| text(link, "relation") == "next").map(|link| text(link, "url"));
                seen.next =
                    next.filter_map(|url| url.find("/fhir").and_then(|at| url.get(at..))).next().map(str::to_owned);
            }
            _ => seen.tells(&body),
        }
        seen
    }

    fn tells(&mut self, resource: &Value) {
        if text(resource, "resourceType") == "OperationOutcome" {
            return;
        }
        self.resources.extend(touched(resource));
        marks(&resource.to_string(), &mut self.patients);
    }

    fn part(&mut self, entry: &Value, code: &'static str) {
        let status = text(&entry["response"], "status");
        let mut resources = BTreeSet::new();
        let resource = &entry["resource"];
        if text(resource, "resourceType") == "Bundle" {
            let entries = resource.get("entry").and_then(Value::as_array);
            for found in entries.into_iter().flatten() {
                resources.extend(touched(&found["resource"]));
                marks(&found["resource"].to_string(), &mut self.patients);
            }
        } else {
            resources.extend(touched(resource).or_else(|| located(text(&entry["response"], "location"))));
            if text(resource, "resourceType") != "OperationOutcome" {
                marks(&resource.to_string(), &mut self.patients);
            }
        }
        let is_success = status.starts_with(['2', '3']);
        self.parts.push(Part { code, is_success, resources: resources.into_iter().collect() });
    }

    /// Of a page: whoever's name stands on it.
    pub(crate) fn of_page(status: u16, text: &str) -> Self {
        let mut seen = Self { status, at_ms: now_ms(), ..Self::default() };
        if status < 400 {
            let mut names = BTreeSet::new();
            // A page may say an id again that was asked for; a name it has from the record.
            marks(&text.replace("Family-zq", "\u{1}").replace("zq", "-").replace('\u{1}', "zq"), &mut names);
            seen.patients = names;
        }
        seen
    }
}
