//! Random requests of the caller, as data that can be sent to either world and printed.

use super::{
    dice::Dice,
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

const JSON: &str = "application/fhir+json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Rolls requests for a caller.
pub(super) struct Asker {
    /// Types, those that the caller has a scope for more often.
    pub(super) types: Vec<Type>,
    /// Resources with something hidden, which are asked for more often.
    pub(super) marked: Vec<(Type, String)>,
    /// There are crowds to page through.
    pub(super) crowded: bool,
}

impl Asker {
    fn kind(&self, dice: &mut Dice) -> Type {
        if self.types.is_empty() || dice.chance(15) { *dice.pick(&TYPES) } else { *dice.pick(&self.types) }
    }

    pub(super) fn roll(&self, dice: &mut Dice) -> Ask {
        if self.crowded && dice.chance(50) {
            let kind = if dice.chance(80) { Type::Observation } else { Type::Condition };
            let path = format!("{}?{}", kind.name(), query::paging(dice, kind));
            return Ask::Send(Plain { method: "GET", path, headers: Vec::new(), body: None });
        }
        match dice.below(100) {
            0..12 => Ask::Next,
            12..18 => Ask::Send(bundle(dice, self, "batch")),
            18..27 => Ask::Send(bundle(dice, self, "transaction")),
            27..30 => Ask::Send(self.broken(dice)),
            _ => Ask::Send(self.one(dice)),
        }
    }

    /// A single interaction.
    fn one(&self, dice: &mut Dice) -> Plain {
        let (kind, id) = if !self.marked.is_empty() && dice.chance(35) {
            dice.pick(&self.marked).clone()
        } else {
            let kind = self.kind(dice);
            (kind, query::id(dice, kind))
        };
        let name = kind.name();
        let mut ask = Plain { method: "GET", path: String::new(), headers: Vec::new(), body: None };
        match dice.below(100) {
            0..9 => {
                ask.path = format!("{name}/{id}");
                if dice.chance(15) {
                    ask.method = "HEAD";
                }
                self.caching(dice, &mut ask);
            }
            9..15 => {
                ask.path = format!("{name}/{id}/_history/{}", dice.word(&["1", "1", "2", "2", "3", "4", "0", "x"]));
                self.caching(dice, &mut ask);
            }
            15..21 => {
                let count = dice.word(&["", "", "?_count=1", "?_count=2", "?_count=0", "?_since=2026"]);
                ask.path = format!("{name}/{id}/_history{count}");
            }
            21..57 => ask.path = format!("{name}?{}", query::search(dice, kind)),
            57..61 => {
                ask.method = "POST";
                ask.path = format!("{name}/_search");
                ask.body = Some((FORM, query::search(dice, kind)));
                if dice.chance(30) {
                    ask.path = format!("{}?{}", ask.path, query::search(dice, kind));
                }
            }
            61..67 => {
                let patient = query::id(dice, Type::Patient);
                ask.path = format!("Patient/{patient}/{name}?{}", query::search(dice, kind));
            }
            67..78 => {
                ask.method = "POST";
                ask.path = name.to_owned();
                if dice.chance(60) {
                    ask.headers.push(("if-none-exist", query::condition(dice, kind)));
                }
                let mut body = body(dice, kind, &id);
                if dice.chance(80) {
                    body.as_object_mut().map(|body| body.remove("id"));
                }
                ask.body = Some((JSON, body.to_string()));
            }
            78..92 => {
                ask.method = "PUT";
                ask.path = format!("{name}/{id}");
                ask.body = Some((JSON, body(dice, kind, &id).to_string()));
                self.guard(dice, &mut ask);
            }
            _ => {
                ask.method = "DELETE";
                ask.path = format!("{name}/{id}");
                self.guard(dice, &mut ask);
            }
        }
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

    fn caching(&self, dice: &mut Dice, ask: &mut Plain) {
        match dice.below(10) {
            0 | 1 => ask.headers.push(("if-none-match", dice.word(&["W/\"1\"", "W/\"2\"", "*", "\"x\""]).to_owned())),
            2 => ask.headers.push(("if-modified-since", "Thu, 01 Jan 2026 00:00:10 GMT".to_owned())),
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
        let kind = self.kind(dice);
        let id = query::id(dice, kind);
        let mut ask = self.one(dice);
        match dice.below(9) {
            0 => ask.path = format!("{}/{id}/$everything", kind.name()),
            1 => ask.method = "PATCH",
            2 => ask.path = format!("Nothing/{id}"),
            3 => ask.headers.push(("accept", "application/fhir+xml".to_owned())),
            4 => ask.body = Some((JSON, "{\"resourceType\":".to_owned())),
            5 => ask.body = Some(("text/plain", "x".to_owned())),
            6 => ask.path = format!("{}?_cursor=AAAA", kind.name()),
            7 => ask.path = format!("{}/{id}/_history?_cursor=AAAA", kind.name()),
            _ => ask.body = Some((JSON, json!({"resourceType": kind.name(), "id": id, "bogus": [1]}).to_string())),
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

fn bundle(dice: &mut Dice, asker: &Asker, kind: &str) -> Plain {
    let count = 1 + dice.below(4);
    let mut named = Vec::new();
    let entries: Vec<Value> = (0..count)
        .map(|at| {
            let mut one = asker.one(dice);
            while one.method == "HEAD" {
                one = asker.one(dice);
            }
            let mut request = json!({"method": one.method, "url": one.path});
            for (name, value) in &one.headers {
                let member = match *name {
                    "if-match" => "ifMatch",
                    "if-none-match" => "ifNoneMatch",
                    "if-none-exist" => "ifNoneExist",
                    _ => continue,
                };
                request[member] = json!(value);
            }
            let mut entry = json!({"request": request});
            if let Some((JSON, body)) = &one.body {
                let mut resource: Value = serde_json::from_str(body).unwrap_or_default();
                link(dice, &mut resource, &named);
                entry["resource"] = resource;
                let name = format!("urn:uuid:00000000-0000-4000-8000-00000000000{at}");
                entry["fullUrl"] = json!(name);
                named.push(name);
            }
            entry
        })
        .collect();
    let body = json!({"resourceType": "Bundle", "type": kind, "entry": entries});
    let headers = match dice.below(4) {
        0 => vec![("prefer", "return=representation".to_owned())],
        _ => Vec::new(),
    };
    Plain { method: "POST", path: String::new(), headers, body: Some((JSON, body.to_string())) }
}

/// Makes the subject a link to another entry, or a conditional reference.
fn link(dice: &mut Dice, resource: &mut Value, named: &[String]) {
    if resource["subject"].is_null() {
        return;
    }
    if !named.is_empty() && dice.chance(30) {
        resource["subject"]["reference"] = json!(dice.pick(named));
    } else if dice.chance(35) {
        resource["subject"]["reference"] = json!(format!("Patient?{}", query::condition(dice, Type::Patient)));
    }
}
