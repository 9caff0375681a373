//! A search as asked: predicate, order, page, includes. SPEC: R4 search.html.

use crate::{predicate::Predicate, registry::ParameterId};
use fhir::{ResourceType, issue::Issue};
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
