//! The Bundle of a search, written straight from the stored bytes. SPEC: R4 search.html, bundle.html.

use fhir::{
    issue::{Severity, write_operation_outcome},
    json::Writer,
};
use search::Query;
use store::{Found, Page};

/// One page as a searchset. `url`: of the search, without parameters.
pub(super) fn write(base_url: &str, url: &str, query: &Query, page: &Page) -> Vec<u8> {
    let entries = || page.matches.iter().chain(&page.included);
    let bytes: usize = entries().map(|found| found.bytes.len() + base_url.len() + 160).sum();
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
                page.matches.iter().for_each(|found| entry(w, base_url, found, "match"));
                page.included.iter().for_each(|found| entry(w, base_url, found, "include"));
                warnings(w, query);
            });
        }
    });
    w.into_bytes()
}

fn entry(w: &mut Writer, base_url: &str, found: &Found, mode: &str) {
    w.object(|w| {
        w.key("fullUrl");
        full_url(w, base_url, found);
        w.key("resource");
        w.raw(&found.bytes);
        w.key("search");
        w.object(|w| w.member("mode", mode));
    });
}

fn full_url(w: &mut Writer, base_url: &str, found: &Found) {
    let id = found.id.as_str();
    let mut url = String::with_capacity(base_url.len() + id.len() + 40);
    for part in [base_url, "/", found.resource_type.name(), "/", id] {
        url.push_str(part);
    }
    w.string(&url);
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
