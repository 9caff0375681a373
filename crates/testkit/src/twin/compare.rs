//! Two answers, compared to the last byte.
//!
//! Only `Date` is left out, and the characters of a cursor, whose key each store makes for itself:
//! cursors must be equally long, and are followed.

use crate::Reply;

const CURSOR: &str = "_cursor=";

/// Where two answers differ first; `None` when they do not.
pub(super) fn difference(one: &Reply, two: &Reply) -> Option<String> {
    if one.status != two.status {
        return Some(format!(
            "status {} against {}\n    {}\n    {}",
            one.status,
            two.status,
            cut(&one.text(), 0),
            cut(&two.text(), 0)
        ));
    }
    let headers = |reply: &Reply| -> Vec<String> {
        let kept = reply.headers.iter().filter(|(name, _)| name != "date");
        kept.map(|(name, value)| format!("{name}: {value}")).collect()
    };
    let (ours, theirs) = (headers(one), headers(two));
    if ours != theirs {
        let only = |list: &[String], other: &[String]| -> Vec<String> {
            list.iter().filter(|line| !other.contains(line)).cloned().collect()
        };
        return Some(format!("headers {:?} against {:?}", only(&ours, &theirs), only(&theirs, &ours)));
    }
    let (ours, theirs) = (without_cursors(&one.text()), without_cursors(&two.text()));
    if ours != theirs {
        let at = ours.bytes().zip(theirs.bytes()).take_while(|(a, b)| a == b).count();
        return Some(format!("body from byte {at}\n    {}\n    {}", cut(&ours, at), cut(&theirs, at)));
    }
    None
}

/// The text with each cursor replaced by its length.
fn without_cursors(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(CURSOR) {
        let (before, after) = rest.split_at(at + CURSOR.len());
        let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).unwrap_or(after.len());
        out.push_str(before);
        out.push_str(&format!("<{end} characters>"));
        rest = &after[end..];
    }
    out + rest
}

fn cut(text: &str, at: usize) -> String {
    let from = (0..=at.saturating_sub(60)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[from..].chars().take(240).collect()
}
