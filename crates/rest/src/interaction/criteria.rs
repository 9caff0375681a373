//! Query strings into searches and conditions: the one place where this crate asks `search` to parse.

use crate::{failure::Failure, service::Service};
use fhir::{
    ResourceType,
    issue::{Issue, IssueType},
};
use search::{
    Predicate, Query,
    query::{Handling, Total},
};

/// The search that a query string asks for. Unknown parameters are errors that name them, or
/// warnings under `Prefer: handling=lenient`.
pub(super) fn query(service: &Service, kind: ResourceType, text: &str, lenient: bool) -> Result<Query, Failure> {
    let handling = if lenient { Handling::Lenient } else { Handling::Strict };
    let parts = &service.parts;
    Query::parse(&parts.registry, kind, text, handling, &parts.base_url, service.now()).map_err(Failure::Request)
}

/// The condition of `If-None-Exist` or a conditional reference: criteria alone, always strict. One
/// that would mean every resource is refused. SPEC: R4 http.html#ccreate, #trules.
pub(super) fn condition(service: &Service, kind: ResourceType, text: &str) -> Result<Query, Failure> {
    let text = text.strip_prefix('?').unwrap_or(text);
    let mut query = query(service, kind, text, false)?;
    if *query.predicate == Predicate::All {
        let issue = Issue::error(IssueType::Required, "the condition names no search parameter");
        return Err(Failure::request(issue));
    }
    // Two are enough to see that it is not one; nothing else of a search applies.
    (query.count, query.total) = (2, Total::None);
    query.sort.clear();
    query.includes.clear();
    query.revincludes.clear();
    Ok(query)
}
