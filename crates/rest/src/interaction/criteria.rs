//! Query strings into searches and conditions: the one place where this crate asks `search` to parse.

use crate::{failure::Failure, service::Service, wire::decode};
use fhir::{
    LogicalId, ResourceType,
    issue::{self, Issue, IssueType},
};
use search::{
    Query,
    query::{Context, Handling, Total, parameter_name},
};
use std::sync::Arc;

/// The search that a query string asks for. Unknown parameters are errors that name them, or
/// warnings under `Prefer: handling=lenient`.
pub(super) fn query(
    service: &Service,
    kind: ResourceType,
    compartment: Option<LogicalId>,
    text: &str,
    lenient: bool,
) -> Result<Query, Failure> {
    let context = context(service, compartment, lenient);
    search::query::parse(&service.registry(), kind, &pairs(text)?, &context).map_err(Failure::Request)
}

/// The pairs of a query string, decoded.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let parts = text.split('&').filter(|pair| !pair.is_empty());
    let decoded = parts.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (decode(name), decode(value)) {
            (Some(name), Some(value)) => Ok((name, value)),
            _ => {
                let why = Issue::error(IssueType::Value, "a parameter is not UTF-8, percent-encoded");
                Err(Failure::request(why.at(parameter_name(name).unwrap_or(issue::URL))))
            }
        }
    });
    decoded.collect()
}

/// The condition of `If-None-Exist` or a conditional reference, as a search for two at most: enough
/// to see that it is not one. Always strict. SPEC: R4 http.html#ccreate, #trules.
pub(super) fn condition(service: &Service, kind: ResourceType, text: &str) -> Result<Query, Failure> {
    let text = text.strip_prefix('?').unwrap_or(text);
    let predicate =
        search::query::compile_condition(&service.registry(), kind, &pairs(text)?, &context(service, None, false))
            .map_err(Failure::Request)?;
    Ok(Query {
        resource_type: kind,
        predicate: Arc::new(predicate),
        sort: Vec::new(),
        count: 2,
        total: Total::None,
        includes: Vec::new(),
        revincludes: Vec::new(),
        applied: String::new(),
        warnings: Vec::new(),
    })
}

fn context(service: &Service, compartment: Option<LogicalId>, lenient: bool) -> Context<'_> {
    let handling = if lenient { Handling::Lenient } else { Handling::Strict };
    Context { handling, base_url: service.base_url(), now: service.now(), compartment }
}
