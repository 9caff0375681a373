//! A search as asked: predicate, order, page, includes. SPEC: R4 search.html.

use crate::{
    predicate::Predicate,
    registry::{ParameterId, Registry},
};
use fhir::{Instant, LogicalId, ResourceType, issue::Issue};
use std::sync::Arc;

/// One sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// By a parameter's values.
    Parameter(ParameterId, Direction),
    /// By `_lastUpdated`.
    LastUpdated(Direction),
    /// By `_id`.
    Id(Direction),
}

/// Direction of a sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Direction {
    Ascending,
    Descending,
}

/// `_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the codes")]
pub enum Total {
    /// Not asked: given when the plan knows it anyway (all matches on one page), else left out.
    WhenKnown,
    None,
    Estimate,
    Accurate,
}

/// `_include` or `_revinclude`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// Type that holds the reference.
    pub source: ResourceType,
    /// The reference parameter.
    pub parameter: ParameterId,
    /// Only targets of this type.
    pub target: Option<ResourceType>,
}

/// How an unknown parameter is treated. SPEC: R4 search.html#errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// It is an error (the default here).
    Strict,
    /// It is ignored, and the answer says so.
    Lenient,
}

/// A parsed search on one type.
#[derive(Debug, Clone)]
pub struct Query {
    /// The type searched.
    pub resource_type: ResourceType,
    /// Which resources.
    pub predicate: Arc<Predicate>,
    /// Order; empty: the store's own stable order (newest row last).
    pub sort: Vec<SortKey>,
    /// Page size; already within limits. 0: only the total.
    pub count: usize,
    /// `_total`.
    pub total: Total,
    /// `_include`.
    pub includes: Vec<Include>,
    /// `_revinclude`.
    pub revincludes: Vec<Include>,
    /// Parameters as applied, percent-encoded, for the self link: `code=x&_count=20`.
    pub applied: String,
    /// What was ignored (lenient) or is worth saying.
    pub warnings: Vec<Issue>,
}

/// What a query is parsed with.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// How unknown parameters are treated.
    pub handling: Handling,
    /// Our own FHIR base URL without trailing slash.
    pub base_url: &'a str,
    /// Now, for `ap` on dates.
    pub now: Instant,
    /// Search within this patient's compartment (`Patient/{id}/{type}`).
    pub compartment: Option<LogicalId>,
}

/// Parses the parameters of a search, already percent-decoded.
///
/// # Errors
/// All issues; each names its parameter in `expression`.
pub fn parse(
    registry: &Registry,
    resource_type: ResourceType,
    pairs: &[(String, String)],
    context: &Context<'_>,
) -> Result<Query, Vec<Issue>> {
    let _ = (registry, resource_type, pairs, context);
    Err(Vec::new())
}

/// Parses parameters that only filter: those of a granular scope.
///
/// # Errors
/// As [`parse`].
pub fn compile_criteria(
    registry: &Registry,
    resource_type: ResourceType,
    pairs: &[(String, String)],
) -> Result<Predicate, Vec<Issue>> {
    let _ = (registry, resource_type, pairs);
    Err(Vec::new())
}
