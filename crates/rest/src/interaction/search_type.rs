//! `GET [base]/[type]?…` and `POST [base]/[type]/_search`. SPEC: R4 search.html, http.html#search.
//!
//! The store answers under the permit: matches, includes, totals and sort keys alike (rows F1 to F4).

use super::{Answer, Call, criteria, deidentified, searchset};
use crate::{body::Content, failure::Failure, limits, route::Exchange, trail::Trail, wire::Reply};
use fhir::{LogicalId, ResourceType};
use search::Query;
use store::Page;

/// A page that is yet to be written.
pub(super) struct Found {
    url: String,
    query: Query,
    page: Page,
}

/// One page. `patient`: only within this patient's compartment.
pub(super) fn perform(
    call: &Call<'_>,
    kind: ResourceType,
    patient: Option<LogicalId>,
    content: Content,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    write(call, &find(call, kind, patient, content, trail)?)
}

/// What the page has. All that looks at what the caller may not see is done then.
pub(super) fn find(
    call: &Call<'_>,
    kind: ResourceType,
    patient: Option<LogicalId>,
    content: Content,
    trail: &mut Trail,
) -> Result<Found, Failure> {
    let (query, cursor) = merged(call, content);
    trail.query(kind, &query);
    if cursor.as_ref().is_some_and(|cursor| cursor.len() > limits::CURSOR_CHARS_MAX) {
        return Err(Failure::Cursor);
    }
    let path = match &patient {
        Some(patient) => format!("Patient/{patient}/{kind}"),
        None => kind.name().to_owned(),
    };
    let is_deidentified = deidentified::is_for(call);
    if is_deidentified {
        deidentified::check(kind, &query)?;
    }
    let query = criteria::query(call.service, kind, patient, &query, call.asked.prefer.lenient)?;
    let grant = call.caller.grant();
    let user = grant.user.as_ref().map_or("", |user| &*user.id);
    let context = grant.launch.patient.as_deref().unwrap_or_default();
    let caller_key = [&*grant.client_id, " ", user, " ", context, " ", &grant.scope_text].concat();
    let page = call.service.snapshot().search(&call.permit, &query, cursor.as_deref(), &caller_key)?;
    trail.found_all(page.matches.iter().chain(&page.included));
    let page = if is_deidentified { deidentified::page(call, page)? } else { page };
    let url = format!("{}/{path}", call.service.base_url());
    Ok(Found { url, query, page })
}

/// The page as it leaves.
pub(super) fn write(call: &Call<'_>, found: &Found) -> Result<Answer, Failure> {
    let labels = &call.service.parts.store.house().labels;
    let Found { url, query, page } = found;
    Ok(Answer::read(Reply::document(searchset::write(call.service.base_url(), url, query, page, labels)?)))
}

/// The parameters of URL and form together: R4 search.html asks a server to take both at once.
fn merged(call: &Call<'_>, content: Content) -> (String, Option<String>) {
    let mut query = call.asked.query.clone();
    let mut cursor = call.asked.cursor.clone();
    if let Content::Form(form) = content {
        let form = Exchange::of(&form);
        if !query.is_empty() && !form.query.is_empty() {
            query.push('&');
        }
        query.push_str(&form.query);
        cursor = cursor.or(form.cursor);
    }
    (query, cursor)
}
