//! Query strings into searches and conditions: the one place where this crate asks `search` to parse.

use crate::{failure::Failure, service::Service, wire::decode};
use fhir::{
    LogicalId, ResourceType,
    issue::{Issue, IssueType},
};
use search::{
    Predicate, Query,
    query::{Context, Handling, Total},
};

/// The search that a query string asks for. Unknown parameters are errors that name them, or
/// warnings under `Prefer: handling=lenient`.
pub(super) fn query(
    service: &Service,
    kind: ResourceType,
    compartment: Option<LogicalId>,
    text: &str,
    lenient: bool,
) -> Result<Query, Failure> {
    let handling = if lenient { Handling::Lenient } else { Handling::Strict };
    let context = Context { handling, base_url: service.base_url(), now: service.now(), compartment };
    search::query::parse(&service.parts.registry, kind, &pairs(text)?, &context).map_err(Failure::Request)
}

/// The pairs of a query string, decoded.
fn pairs(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let parts = text.split('&').filter(|pair| !pair.is_empty());
    let decoded = parts.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (decode(name), decode(value)) {
            (Some(name), Some(value)) => Ok((name, value)),
            _ => Err(Failure::request(Issue::error(IssueType::Value, "a parameter is not UTF-8 when decoded"))),
        }
    });
    decoded.collect()
}

/// The condition of `If-None-Exist` or a conditional reference: criteria alone, always strict. One
/// that would mean every resource is refused. SPEC: R4 http.html#ccreate, #trules.
pub(super) fn condition(service: &Service, kind: ResourceType, text: &str) -> Result<Query, Failure> {
    let text = text.strip_prefix('?').unwrap_or(text);
    let mut query = query(service, kind, None, text, false)?;
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
