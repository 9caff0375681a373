//! Two answers, compared to the last byte; only `Date` is left out.
//!
//! The name of an audit event, and a cursor into the audit log, is a cipher of a number that counts
//! hidden events too: opaque, so the two worlds have different texts in the same places. They are
//! compared as labels: the first one met is 1 in either world, the next new one 2, and so on.

use crate::Reply;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::HashMap;

/// The labels of one world, numbered as they were met.
#[derive(Debug, Default)]
pub(super) struct Labels(HashMap<String, usize>);

/// Hexadecimal digits of the name of an audit event.
const NAME_CHARS: usize = 32;

impl Labels {
    fn number(&mut self, label: &str) -> usize {
        let next = self.0.len() + 1;
        *self.0.entry(label.to_owned()).or_insert(next)
    }

    /// The text with names of events, and with cursors into the log, as numbers.
    fn plain(&mut self, text: &str) -> String {
        let text = opened(text);
        let of_events = text.contains("/AuditEvent");
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(start) = rest.find(is_word) {
            let (before, word_on) = rest.split_at(start);
            let end = word_on.find(|c| !is_word(c)).unwrap_or(word_on.len());
            let (word, after) = word_on.split_at(end);
            let name = word.len() == NAME_CHARS && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            out.push_str(before);
            if name || (of_events && out.ends_with("_cursor=")) {
                out.push_str(&format!("<{}>", self.number(word)));
            } else {
                out.push_str(word);
            }
            rest = after;
        }
        out + rest
    }
}

/// A letter of a name or of a cursor.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// The text with the queries of audit events, which are base64, in clear.
fn opened(text: &str) -> String {
    const QUERY: &str = "\"query\":\"";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(QUERY) {
        let (before, after) = rest.split_at(at + QUERY.len());
        let end = after.find('"').unwrap_or(after.len());
        let (coded, after) = after.split_at(end);
        out.push_str(before);
        match STANDARD.decode(coded).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(clear) => out.push_str(&clear),
            None => out.push_str(coded),
        }
        rest = after;
    }
    out + rest
}

/// Where two answers differ first; `None` when they do not. A failure of the server is a difference
/// too, even when both fail: it would hide others.
pub(super) fn difference(one: &Reply, two: &Reply, labels: &mut [Labels; 2]) -> Option<String> {
    if one.status != two.status || one.status >= 500 {
        return Some(format!(
            "status {} against {}\n    {}\n    {}",
            one.status,
            two.status,
            cut(&one.text(), 0),
            cut(&two.text(), 0)
        ));
    }
    let [first, second] = labels;
    let headers = |reply: &Reply, labels: &mut Labels| -> Vec<String> {
        let kept = reply.headers.iter().filter(|(name, _)| name != "date");
        kept.map(|(name, value)| labels.plain(&format!("{name}: {value}"))).collect()
    };
    let (ours, theirs) = (headers(one, first), headers(two, second));
    if ours != theirs {
        let only = |list: &[String], other: &[String]| -> Vec<String> {
            list.iter().filter(|line| !other.contains(line)).cloned().collect()
        };
        return Some(format!("headers {:?} against {:?}", only(&ours, &theirs), only(&theirs, &ours)));
    }
    if one.body == two.body && !one.text().contains("AuditEvent") {
        return None;
    }
    let (ours, theirs) = (first.plain(&one.text()), second.plain(&two.text()));
    if ours != theirs {
        let at = ours.bytes().zip(theirs.bytes()).take_while(|(a, b)| a == b).count();
        return Some(format!("body from byte {at}\n    {}\n    {}", cut(&ours, at), cut(&theirs, at)));
    }
    None
}

fn cut(text: &str, at: usize) -> String {
    let from = (0..=at.saturating_sub(60)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[from..].chars().take(240).collect()
}
