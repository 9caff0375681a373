//! `GET [base]/[type]/[id]/_history`, newest first, in pages. SPEC: R4 http.html#history; row F5.
//! Left out: `_since`, `_at`, history of a type or of the system.

use super::{Answer, Call, resource};
use crate::{
    failure::Failure,
    labels::Mark,
    limits,
    outcome::{Success, status_line},
    service::Service,
    trail::Trail,
    wire::{Reply, decode, etag},
};
use fhir::{
    LogicalId, ResourceType,
    issue::{Issue, IssueType},
    json::Writer,
};
use store::{Found, HistoryPage, ReadError, page::Method};

/// The versions that the permit covers.
pub(super) fn perform(
    call: &Call<'_>,
    kind: ResourceType,
    id: &LogicalId,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    let count = count(call)?;
    let cursor = call.asked.cursor.as_deref();
    if cursor.is_some_and(|cursor| cursor.len() > limits::CURSOR_CHARS_MAX) {
        return Err(Failure::Cursor);
    }
    let page = call.service.snapshot().history(&call.permit, kind, id, count, cursor)?;
    trail.found_all(&page.versions);
    Ok(Answer::read(Reply::document(bundle(call.service, kind, id, count, &page)?)))
}

fn count(call: &Call<'_>) -> Result<usize, Failure> {
    let mut count = limits::HISTORY_COUNT;
    let mut wrong = Vec::new();
    for pair in call.asked.query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if name != "_count" {
            wrong.push(resource::unknown_parameter(name));
        } else if let Some(number) =
            decode(value).and_then(|value| value.parse::<usize>().ok()).filter(|number| *number > 0)
        {
            count = number.min(limits::HISTORY_COUNT_MAX);
        } else {
            wrong.push(Issue::error(IssueType::Value, "_count is a positive number").at("_count"));
        }
    }
    if wrong.is_empty() || call.asked.prefer.lenient { Ok(count) } else { Err(Failure::Request(wrong)) }
}

fn bundle(
    service: &Service,
    kind: ResourceType,
    id: &LogicalId,
    count: usize,
    page: &HistoryPage,
) -> Result<Vec<u8>, ReadError> {
    let base_url = service.base_url();
    let house = service.parts.store.house();
    let mut mark = Mark::new(&house.labels);
    let bytes: usize = page.versions.iter().map(|found| found.json.len() + 400).sum();
    let mut w = Writer::with_capacity(bytes + 400);
    let url = format!("{base_url}/{kind}/{id}/_history?_count={count}");
    let mut written = Ok(());
    w.object(|w| {
        w.member("resourceType", "Bundle");
        w.member("type", "history");
        w.key("total");
        w.integer(i64::try_from(page.total).unwrap_or(i64::MAX));
        w.key("link");
        w.array(|w| {
            super::searchset::link(w, "self", &url);
            if let Some(cursor) = &page.next {
                super::searchset::link(w, "next", &format!("{url}&_cursor={cursor}"));
            }
        });
        if !page.versions.is_empty() {
            w.key("entry");
            w.array(|w| written = page.versions.iter().try_for_each(|found| entry(w, base_url, found, &mut mark)));
        }
    });
    written.map(|()| mark.put(w.into_bytes()))
}

fn entry(w: &mut Writer, base_url: &str, found: &Found, mark: &mut Mark<'_>) -> Result<(), ReadError> {
    let (kind, id) = (found.resource_type, &found.id);
    let (method, url, success) = match found.method {
        Method::Create => ("POST", kind.name().to_owned(), Success::Created),
        Method::Update => ("PUT", format!("{kind}/{id}"), Success::Ok),
        Method::Delete => ("DELETE", format!("{kind}/{id}"), Success::Deleted),
    };
    let mut json = Ok(());
    w.object(|w| {
        w.member("fullUrl", &format!("{base_url}/{kind}/{id}"));
        if !found.json.is_empty() {
            w.key("resource");
            json = w.raw_by(|out| {
                let at = out.len();
                found.json.append_to(out)?;
                mark.take_found(found, out.get(at..).unwrap_or_default());
                Ok(())
            });
        }
        w.key("request");
        w.object(|w| {
            w.member("method", method);
            w.member("url", &url);
        });
        w.key("response");
        w.object(|w| {
            w.member("status", &status_line(success.status()));
            w.member("etag", &etag(found.version));
            w.member("lastModified", &found.last_updated.to_string());
        });
    });
    json
}
