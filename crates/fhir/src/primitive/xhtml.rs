//! Whether the text of a Narrative is one well-formed `<div>`: tags match, attributes are quoted.
//!
//! SPEC: R4 narrative.html. Left out: which elements and attributes are allowed (txt-1, txt-2),
//! entities; that is validation's work. Declarations, processing instructions and CDATA are refused.

use crate::limits;

/// One pass; nesting is bounded by [`limits::XHTML_DEPTH_MAX`].
pub(super) fn is_well_formed(text: &str) -> bool {
    let text = text.trim();
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    loop {
        let Some(at) = rest.find('<') else { return false };
        // Text outside of the div is no part of it.
        if open.is_empty() && at > 0 {
            return false;
        }
        let Some(tag) = rest.get(at + 1..) else { return false };
        if let Some(comment) = tag.strip_prefix("!--") {
            let Some((_, after)) = comment.split_once("-->") else { return false };
            rest = after;
            continue;
        }
        if let Some(closing) = tag.strip_prefix('/') {
            let Some((name, after)) = closing.split_once('>') else { return false };
            if open.pop() != Some(name.trim_end()) {
                return false;
            }
            if open.is_empty() {
                return after.is_empty();
            }
            rest = after;
            continue;
        }
        let Some((name, empty, after)) = opening(tag) else { return false };
        if open.is_empty() && name != "div" {
            return false;
        }
        rest = after;
        if empty {
            if open.is_empty() {
                return rest.is_empty();
            }
        } else {
            if open.len() >= limits::XHTML_DEPTH_MAX {
                return false;
            }
            open.push(name);
        }
    }
}

/// An opening tag after its `<`: name, whether it closes itself, what follows.
fn opening(tag: &str) -> Option<(&str, bool, &str)> {
    let end = tag.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == ':' || letter == '-'))?;
    let (name, mut rest) = tag.split_at(end);
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return None;
    }
    loop {
        let trimmed = rest.trim_start();
        if let Some(after) = trimmed.strip_prefix('>') {
            return Some((name, false, after));
        }
        if let Some(after) = trimmed.strip_prefix("/>") {
            return Some((name, true, after));
        }
        if trimmed.len() == rest.len() {
            return None;
        }
        let (attribute, value) = trimmed.split_once('=')?;
        let attribute = attribute.trim_end();
        if attribute.is_empty()
            || attribute.contains(|letter: char| letter.is_whitespace() || "<>\"'/".contains(letter))
        {
            return None;
        }
        let value = value.trim_start();
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (inner, after) = value.get(1..)?.split_once(quote)?;
        if inner.contains('<') {
            return None;
        }
        rest = after;
    }
}
