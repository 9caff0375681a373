//! Random requests of the caller, as data that can be sent to either world and printed.
//!
//! Ids that the server made, names of audit events and cursors are not known beforehand: `made-3`,
//! `event-3` and `CURSOR` in a path or body stand for those that the answers so far have shown.

use super::{
    bundle,
    dice::Dice,
    lens::Lens,
    query,
    shape::{Shape, TYPES, Type},
};
use serde_json::{Value, json};

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// This one.
    Send(Plain),
    /// The `next` link of the last answer that had one, with that world's own cursor.
    Next,
}

/// A request whose text is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Plain {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<(&'static str, String)>,
}

pub(super) const JSON: &str = "application/fhir+json";
const FORM: &str = "application/x-www-form-urlencoded";

impl Plain {
    pub(super) fn get(path: String) -> Self {
        Self { method: "GET", path, headers: Vec::new(), body: None }
    }

    pub(super) fn has(&self, header: &str) -> bool {
        self.headers.iter().any(|(name, _)| *name == header)
    }

    /// The resource type that the path begins with.
    pub(super) fn kind(&self) -> &str {
        let name = self.path.split(['/', '?']).next().unwrap_or_default();
        match self.path.split(['/', '?']).nth(2) {
            // `Patient/p1/Observation`: a search in a compartment.
            Some(inner) if name == "Patient" && inner.starts_with(|c: char| c.is_ascii_uppercase()) => inner,
            _ => name,
        }
    }

    /// The query of a search, in URL or form; `None` when it is no search.
    pub(super) fn search(&self) -> Option<String> {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let parts: Vec<&str> = path.split('/').collect();
        let is_type = |at: usize| parts.get(at).is_some_and(|part| part.starts_with(|c: char| c.is_ascii_uppercase()));
        match self.method {
            "GET" if is_type(0) && (parts.len() == 1 || (parts.len() == 3 && is_type(2))) => Some(query.to_owned()),
            "POST" if path.ends_with("/_search") => {
                let form = self.body.as_ref().map_or("", |(_, body)| body);
                Some(format!("{query}&{form}"))
            }
            _ => None,
        }
    }

    /// `Type?name` of each parameter of a search.
    pub(super) fn forms(&self) -> Vec<String> {
        let query = self.search().unwrap_or_default();
        let names = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name);
        names.map(|name| format!("{}?{}", self.kind(), name.replace("%3A", ":"))).collect()
    }

    /// The same with one thing less, in all ways: for shrinking.
    pub(super) fn simpler(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for at in 0..self.headers.len() {
            let mut less = self.clone();
            less.headers.remove(at);
            all.push(less);
        }
        if let Some((path, query)) = self.path.split_once('?') {
            all.extend(without_pairs(query).map(|query| Self { path: format!("{path}?{query}"), ..self.clone() }));
        }
        match &self.body {
            Some((FORM, form)) => {
                all.extend(without_pairs(form).map(|form| Self { body: Some((FORM, form)), ..self.clone() }));
            }
            Some((JSON, body)) => {
                let bundle: Value = serde_json::from_str(body).unwrap_or_default();
                for at in 0..bundle["entry"].as_array().map_or(0, Vec::len) {
                    let mut less = bundle.clone();
                    less["entry"].as_array_mut().map(|entries| entries.remove(at));
                    all.push(Self { body: Some((JSON, less.to_string())), ..self.clone() });
                }
            }
            _ => {}
        }
        all
    }
}

fn without_pairs(query: &str) -> impl Iterator<Item = String> {
    let pairs: Vec<String> = query.split('&').map(str::to_owned).collect();
    (0..pairs.len()).map(move |at| {
        let kept: Vec<&str> = pairs.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, pair)| &**pair).collect();
        kept.join("&")
    })
}

/// Rolls requests for a caller.
pub(super) struct Asker {
    pub(super) lens: Lens,
    /// Resources with something hidden, which are asked for more often.
    pub(super) marked: Vec<(Type, String)>,
    /// There are crowds to page through.
    pub(super) crowded: bool,
}

impl Asker {
    /// A resource to ask for, mostly of a type on which the caller has these letters.
    pub(super) fn target(&self, dice: &mut Dice, letters: &str) -> (Type, String) {
        let types = self.lens.types(letters);
        if types.is_empty() || dice.chance(7) {
            let kind = *dice.pick(&TYPES);
            return (kind, query::id(dice, kind));
        }
        let marked: Vec<_> = self.marked.iter().filter(|(kind, _)| types.contains(kind)).collect();
        if !marked.is_empty() && dice.chance(45) {
            return (*dice.pick(&marked)).clone();
        }
        let kind = *dice.pick(&types);
        (kind, query::id(dice, kind))
    }

    pub(super) fn roll(&self, dice: &mut Dice) -> Ask {
        if self.crowded && dice.chance(50) {
            let kind = if dice.chance(80) { Type::Observation } else { Type::Condition };
            return Ask::Send(Plain::get(format!("{}?{}", kind.name(), query::paging(dice, kind))));
        }
        if dice.chance(if self.lens.sees_events() { 15 } else { 1 }) {
            return Ask::Send(self.event(dice));
        }
        match dice.below(100) {
            0..13 => Ask::Next,
            13..18 => Ask::Send(bundle::roll(dice, self, "batch")),
            18..28 => Ask::Send(bundle::roll(dice, self, "transaction")),
            28..32 => Ask::Send(self.broken(dice)),
            _ => Ask::Send(self.one(dice)),
        }
    }

    /// What leads from a patient to what names them, and back.
    pub(super) fn entangled(&self, dice: &mut Dice) -> Plain {
        let patient = query::id(dice, Type::Patient);
        let (kind, code) = *dice.pick(&[("Observation", "performer"), ("Condition", "asserter")]);
        let path = match dice.below(9) {
            0 => format!("{kind}?{code}=Patient/{patient}"),
            1 => format!("{kind}?{code}={patient}&_total=accurate"),
            2 => format!("{kind}?{code}:Patient.family=Al"),
            3 => format!("Patient?_revinclude={kind}:{code}"),
            4 => format!("Patient?_has:{kind}:{code}:code=8867-4"),
            5 => format!("{kind}?_include={kind}:{code}"),
            6 => format!("{kind}?{code}:missing=false&_summary=count"),
            7 => format!("Patient/{patient}/{kind}?_sort=-_lastUpdated"),
            _ => format!("Patient/{patient}/{kind}?{code}={patient}&_count=1"),
        };
        Plain::get(path)
    }

    /// A single interaction.
    pub(super) fn one(&self, dice: &mut Dice) -> Plain {
        let mut ask = match dice.below(100) {
            0..10 => self.read(dice),
            10..16 => {
                let (kind, id) = self.target(dice, "r");
                let version = dice.word(&["1", "1", "2", "2", "3", "4", "0", "x"]);
                let mut ask = Plain::get(format!("{}/{id}/_history/{version}", kind.name()));
                self.caching(dice, &mut ask);
                ask
            }
            16..23 => {
                let (kind, id) = self.target(dice, "r");
                let shape =
                    ["", "", "", "?_count=1", "?_count=1", "?_count=2", "?_count=0", "?_since=2026", "?_count=x"];
                Plain::get(format!("{}/{id}/_history{}", kind.name(), dice.word(&shape)))
            }
            23..66 => self.search(dice),
            66..78 => self.create(dice),
            78..92 => {
                let (kind, id) = self.target(dice, "u");
                let body = body(dice, kind, &id).to_string();
                let path = format!("{}/{id}", kind.name());
                let mut ask = Plain { method: "PUT", path, headers: Vec::new(), body: Some((JSON, body)) };
                self.guard(dice, &mut ask);
                ask
            }
            _ => {
                let (kind, id) = self.target(dice, "d");
                let mut ask = Plain { method: "DELETE", ..Plain::get(format!("{}/{id}", kind.name())) };
                self.guard(dice, &mut ask);
                ask
            }
        };
        if dice.chance(8) {
            let preference = [
                "return=minimal",
                "return=representation",
                "return=OperationOutcome",
                "handling=lenient",
                "handling=lenient, return=minimal",
            ];
            ask.headers.push(("prefer", dice.word(&preference).to_owned()));
        }
        ask
    }

    fn read(&self, dice: &mut Dice) -> Plain {
        let (kind, id) = self.target(dice, "r");
        let mut ask = Plain::get(format!("{}/{id}", kind.name()));
        if dice.chance(15) {
            ask.method = "HEAD";
        }
        if dice.chance(5) {
            ask.path.push_str(dice.word(&["?_format=json", "?_pretty=true", "?_format=xml", "?x=y", "?_summary=true"]));
        }
        self.caching(dice, &mut ask);
        ask
    }

    fn search(&self, dice: &mut Dice) -> Plain {
        let (kind, _) = self.target(dice, "s");
        let name = kind.name();
        let patient = query::id(dice, Type::Patient);
        match dice.below(12) {
            0 => {
                let form = query::search(dice, kind);
                let mut path = format!("{name}/_search");
                if dice.chance(30) {
                    path = format!("{path}?{}", query::search(dice, kind));
                }
                Plain { method: "POST", path, headers: Vec::new(), body: Some((FORM, form)) }
            }
            1 => Plain::get(format!("Patient/{patient}/{name}?{}", query::search(dice, kind))),
            2 => {
                let path = format!("Patient/{patient}/{name}/_search");
                Plain { method: "POST", path, headers: Vec::new(), body: Some((FORM, query::search(dice, kind))) }
            }
            _ => Plain::get(format!("{name}?{}", query::search(dice, kind))),
        }
    }

    fn create(&self, dice: &mut Dice) -> Plain {
        let conditional = dice.chance(60);
        let (kind, id) = self.target(dice, if conditional { "cs" } else { "c" });
        let mut ask = Plain { method: "POST", ..Plain::get(kind.name().to_owned()) };
        if conditional {
            ask.headers.push(("if-none-exist", query::condition(dice, kind)));
        }
        let mut body = body(dice, kind, &id);
        if dice.chance(80) {
            body.as_object_mut().map(|body| body.remove("id"));
        }
        ask.body = Some((JSON, body.to_string()));
        ask
    }

    /// Something of the audit log.
    fn event(&self, dice: &mut Dice) -> Plain {
        let id = format!("event-{}", dice.below(40));
        match dice.below(20) {
            0..4 => Plain::get(format!("AuditEvent/{id}")),
            4 => Plain::get(format!("AuditEvent/{id}/_history/1")),
            5 => Plain::get(format!("AuditEvent/{id}/_history")),
            6 => Plain { method: "DELETE", ..Plain::get(format!("AuditEvent/{id}")) },
            7 => {
                let text = ["1", "0000000000000001", "00000000000000000000000000000001", "absent"];
                Plain::get(format!("AuditEvent/{}", dice.word(&text)))
            }
            _ => Plain::get(format!("AuditEvent?{}", query::events(dice))),
        }
    }

    fn caching(&self, dice: &mut Dice, ask: &mut Plain) {
        match dice.below(10) {
            0 | 1 => ask.headers.push(("if-none-match", dice.word(&["W/\"1\"", "W/\"2\"", "*", "\"x\""]).to_owned())),
            2 => {
                let times =
                    ["Thu, 01 Jan 2026 00:00:10 GMT", "Thu, 01 Jan 2026 01:00:10 GMT", "Thu, 01 Jan 2026 02:00:00 GMT"];
                ask.headers.push(("if-modified-since", dice.word(&times).to_owned()));
            }
            _ => {}
        }
    }

    fn guard(&self, dice: &mut Dice, ask: &mut Plain) {
        match dice.below(10) {
            0..3 => {
                let tags = ["W/\"1\"", "W/\"1\"", "W/\"2\"", "W/\"3\"", "*", "\"x\"", "W/\"1\", W/\"2\""];
                ask.headers.push(("if-match", dice.word(&tags).to_owned()));
            }
            3 => ask.headers.push(("if-none-match", dice.word(&["*", "*", "W/\"1\""]).to_owned())),
            _ => {}
        }
    }

    /// A request that is wrong in itself.
    fn broken(&self, dice: &mut Dice) -> Plain {
        let (kind, id) = self.target(dice, "r");
        let name = kind.name();
        let mut ask = self.one(dice);
        match dice.below(14) {
            0 => ask.path = format!("{name}/{id}/$everything"),
            1 => ask.method = "PATCH",
            2 => ask.path = format!("Nothing/{id}"),
            3 => ask.headers.push(("accept", "application/fhir+xml".to_owned())),
            4 => ask.body = Some((JSON, "{\"resourceType\":".to_owned())),
            5 => ask.body = Some(("text/plain", "x".to_owned())),
            6 => ask.path = format!("{name}?_cursor=AAAA"),
            7 => ask.path = format!("{name}/{id}/_history?_cursor=AAAA"),
            // A cursor of another search.
            8 | 9 => return Plain::get(format!("{name}?{}&_cursor=CURSOR", query::search(dice, kind))),
            10 => return Plain::get(format!("{name}/{id}/_history?_cursor=CURSOR")),
            // Conditional update and delete, which are not served.
            11 => {
                let body = body(dice, kind, &id).to_string();
                let path = format!("{name}?{}", query::condition(dice, kind));
                return Plain { method: "PUT", path, headers: Vec::new(), body: Some((JSON, body)) };
            }
            12 => return Plain { method: "DELETE", ..Plain::get(format!("{name}?{}", query::condition(dice, kind))) },
            _ => ask.body = Some((JSON, json!({"resourceType": name, "id": id, "bogus": [1]}).to_string())),
        }
        ask
    }
}

/// A resource that is mostly valid and mostly of the worlds' own vocabulary.
fn body(dice: &mut Dice, kind: Type, id: &str) -> Value {
    let mut json = Shape::roll(dice, kind, id).json();
    match dice.below(40) {
        0 => json["id"] = json!("other"),
        1 => json["nonsense"] = json!(true),
        2 => json["resourceType"] = json!("Group"),
        _ => {}
    }
    json
}
