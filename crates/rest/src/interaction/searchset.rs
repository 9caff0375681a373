//! The Bundle of a search, written straight from the stored bytes. SPEC: R4 search.html, bundle.html.

use crate::labels::Mark;
use fhir::{
    issue::{Severity, write_operation_outcome},
    json::Writer,
};
use policy::label::Labels;
use search::Query;
use store::{Found, Page, ReadError};

/// One page as a searchset. `url`: of the search, without parameters.
///
/// # Errors
/// When a resource cannot be taken out of memory.
pub(super) fn write(
    base_url: &str,
    url: &str,
    query: &Query,
    page: &Page,
    labels: &Labels,
) -> Result<Vec<u8>, ReadError> {
    let mut written = Ok(());
    let mut mark = Mark::new(labels);
    let entries = || page.matches.iter().chain(&page.included);
    let bytes: usize = entries().map(|found| found.json.len() + base_url.len() + 160).sum();
    let mut w = Writer::with_capacity(bytes + 1024);
    let self_url = if query.applied.is_empty() { url.to_owned() } else { format!("{url}?{}", query.applied) };
    w.object(|w| {
        w.member("resourceType", "Bundle");
        w.member("type", "searchset");
        if let Some(total) = page.total {
            w.key("total");
            w.integer(i64::try_from(total).unwrap_or(i64::MAX));
        }
        w.key("link");
        w.array(|w| {
            link(w, "self", &self_url);
            if let Some(cursor) = &page.next {
                let join = if query.applied.is_empty() { '?' } else { '&' };
                link(w, "next", &format!("{self_url}{join}_cursor={cursor}"));
            }
        });
        if entries().next().is_some() || !query.warnings.is_empty() {
            w.key("entry");
            w.array(|w| {
                let begin = begin(base_url);
                let matches = page.matches.iter().map(|found| (found, MATCH));
                let mut all = matches.chain(page.included.iter().map(|found| (found, INCLUDE)));
                written = all.try_for_each(|(found, end)| entry(w, &begin, found, end, &mut mark));
                warnings(w, query);
            });
        }
    });
    written.map(|()| mark.put(w.into_bytes()))
}

const MATCH: &[u8] = br#","search":{"mode":"match"}}"#;
const INCLUDE: &[u8] = br#","search":{"mode":"include"}}"#;

/// The begin of every entry: its `fullUrl` up to the type.
fn begin(base_url: &str) -> Vec<u8> {
    let mut url = Writer::new();
    url.string(base_url);
    let mut begin = br#"{"fullUrl":"#.to_vec();
    begin.extend_from_slice(url.into_bytes().strip_suffix(b"\"").unwrap_or_default());
    begin.push(b'/');
    begin
}

/// An entry in one go: a page has up to a thousand. Names of types and ids need no escapes.
fn entry(w: &mut Writer, begin: &[u8], found: &Found, end: &[u8], mark: &mut Mark<'_>) -> Result<(), ReadError> {
    let (kind, id) = (found.resource_type.name().as_bytes(), found.id.as_str().as_bytes());
    w.raw_by(|out| {
        for part in [begin, kind, b"/", id, br#"","resource":"#] {
            out.extend_from_slice(part);
        }
        let at = out.len();
        found.json.append_to(out)?;
        mark.take_found(found, out.get(at..).unwrap_or_default());
        out.extend_from_slice(end);
        Ok(())
    })
}

/// What was ignored, as an entry of its own. SPEC: R4 search.html#errors.
fn warnings(w: &mut Writer, query: &Query) {
    let issues: Vec<_> = query
        .warnings
        .iter()
        .cloned()
        .map(|mut issue| {
            issue.severity = issue.severity.min(Severity::Warning);
            issue
        })
        .collect();
    if !issues.is_empty() {
        w.object(|w| {
            w.key("resource");
            write_operation_outcome(w, &issues);
            w.key("search");
            w.object(|w| w.member("mode", "outcome"));
        });
    }
}

pub(super) fn link(w: &mut Writer, relation: &str, url: &str) {
    w.object(|w| {
        w.member("relation", relation);
        w.member("url", url);
    });
}
