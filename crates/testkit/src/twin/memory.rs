//! What a caller has learned from answers so far: ids that the server made, names of audit events, the next page.

use super::ask::{Ask, Plain};
use crate::{Reply, Server};

/// What one caller knows of one world.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The last `next` link.
    next: Option<String>,
    /// Ids that the server made, as answers told them.
    made: Vec<String>,
    /// Names of audit events, as answers told them.
    events: Vec<String>,
}

impl Memory {
    /// The request with ids, names and cursors that are known by now; `None` when there is no page to go on to.
    pub(super) fn filled(&mut self, ask: &Ask) -> Option<Plain> {
        let plain = match ask {
            Ask::Next => return Some(Plain::get(self.next.take()?)),
            Ask::Send(plain) => plain,
        };
        let fill = |text: &str| {
            let text = numbered(text, "made-", &self.made);
            let text = numbered(&text, "event-", &self.events);
            let cursor = self.next.as_deref().and_then(|next| next.split("_cursor=").nth(1)).unwrap_or("AAAA");
            text.replace("CURSOR", cursor)
        };
        Some(Plain {
            method: plain.method,
            path: fill(plain.path.trim_start_matches(Server::BASE_URL).trim_start_matches('/')),
            headers: plain.headers.iter().map(|(name, value)| (*name, fill(value))).collect(),
            body: plain.body.as_ref().map(|(media_type, body)| (*media_type, fill(body))),
        })
    }

    /// Takes in what an answer tells.
    pub(super) fn learn(&mut self, reply: &Reply) {
        let id = |location: &str| location.split("/_history/").next()?.rsplit('/').next().map(str::to_owned);
        if reply.status == 201 {
            self.made.extend(reply.header("location").and_then(id));
        }
        if reply.status != 200 || reply.header("content-type").is_none() || reply.body.is_empty() {
            return;
        }
        let body = reply.json();
        for entry in body["entry"].as_array().into_iter().flatten() {
            let response = &entry["response"];
            if response["status"].as_str().is_some_and(|status| status.starts_with("201")) {
                self.made.extend(response["location"].as_str().and_then(id));
            }
            if entry["resource"]["resourceType"] == "AuditEvent" {
                self.events.extend(entry["resource"]["id"].as_str().map(str::to_owned));
            }
        }
        if let Some(next) = reply.link("next") {
            self.next = Some(next.trim_start_matches(Server::BASE_URL).trim_start_matches('/').to_owned());
        }
    }
}

/// `made-3` becomes the third that is known, counted around; as it stands when none is.
fn numbered(text: &str, prefix: &str, known: &[String]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(prefix).filter(|_| !known.is_empty()) {
        let (before, after) = rest.split_at(at);
        let digits = &after[prefix.len()..];
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let (number, after) = digits.split_at(end);
        out.push_str(before);
        match number.parse::<usize>() {
            Ok(number) => out.push_str(&known[number % known.len()]),
            Err(_) => out.push_str(prefix),
        }
        rest = after;
    }
    out + rest
}
