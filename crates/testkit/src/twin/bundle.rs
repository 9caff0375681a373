//! Random batches and transactions: mixed entries, links between them, conditional references.

use super::{
    ask::{Asker, JSON, Plain},
    dice::Dice,
    query,
    shape::Type,
};
use serde_json::{Value, json};

pub(super) fn roll(dice: &mut Dice, asker: &Asker, kind: &str) -> Plain {
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
