//! What a canonical names among the stored resources that the caller may see.

use super::{Call, criteria};
use crate::failure::Failure;
use fhir::{ResourceType, json::Tree};
use search::Query;
use store::{Found, Snapshot};

/// The one resource of this type and canonical (`http://example.org/a|1`) that the caller may search and read.
/// Without a version: of several none is meant.
pub(super) fn stored(call: &Call<'_>, snapshot: &Snapshot, kind: ResourceType, canonical: &str) -> Option<Found> {
    let (url, version) = canonical.split_once('|').unwrap_or((canonical, ""));
    let mut text = format!("url={}", escaped(url));
    if !version.is_empty() {
        text.push_str(&format!("&version={}", escaped(version)));
    }
    let query = criteria::condition(call.service, kind, &text).ok()?;
    let page = snapshot.search(&call.permit, &query, None, &call.caller.grant().client_id).ok()?;
    let mut matches = page.matches.into_iter();
    let found = matches.next().filter(|_| matches.next().is_none())?;
    // To be found needs search; to be looked into needs read.
    snapshot.read(&call.permit, kind, &found.id).ok()
}

/// All resources of this type that a condition finds and that the caller may search and read; `None`: more than
/// `count` are found.
///
/// # Errors
/// The search is not answered.
pub(super) fn matching(
    call: &Call<'_>,
    snapshot: &Snapshot,
    kind: ResourceType,
    condition: &str,
    count: usize,
) -> Result<Option<Vec<Found>>, Failure> {
    let query = Query { count: count + 1, ..criteria::condition(call.service, kind, condition)? };
    let page = snapshot.search(&call.permit, &query, None, &call.caller.grant().client_id)?;
    if page.matches.len() > count {
        return Ok(None);
    }
    let read = page.matches.iter().map(|found| snapshot.read(&call.permit, kind, &found.id));
    // What may be searched and not read is left out.
    Ok(Some(read.filter_map(Result::ok).collect()))
}

/// A stored version as a tree.
pub(super) fn tree(found: Found) -> Option<Tree> {
    Tree::parse(found.json.into_bytes().ok()?).ok()
}

/// A value for a query string: what search itself gives a meaning to is escaped for it, then all for the URL.
pub(super) fn escaped(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, ',' | '$' | '|' | '\\') {
            plain.push('\\');
        }
        plain.push(c);
    }
    percent_encoding::utf8_percent_encode(&plain, percent_encoding::NON_ALPHANUMERIC).to_string()
}
