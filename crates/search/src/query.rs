//! A search as asked: predicate, order, page, includes.
//!
//! Choices where R4 leaves room:
//! - A parameter with an empty value is an error in strict handling; in lenient handling it is left
//!   out with a warning. An empty alternative (`a,,b`) and a wrong value are always errors.
//! - An unsupported modifier is always an error, as R4 demands; an unknown or unsupported parameter
//!   only in strict handling.
//! - `_count` above the limit is lowered to it; 0 asks for the total alone, as `_summary=count` does.
//! - A backslash before any other character than `,` `|` `$` `\\` stands for itself.
//! - A blank in a date is read as the `+` of its offset, which form decoding turned into a blank.
//!
//! SPEC: R4 search.html.

mod escape;
mod filter;
mod link;
mod result;
mod value;

pub use link::parameter_name;

use crate::{
    limits,
    predicate::Predicate,
    registry::{ParameterId, Registry},
};
use fhir::{
    Instant, LogicalId, ResourceType,
    issue::{self, Issue, IssueType},
};
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

/// Why a parameter cannot be applied.
#[derive(Debug)]
enum Refusal {
    /// Unknown, unsupported or empty: lenient handling leaves it out.
    Ignorable(Issue),
    /// Wrong: no handling helps.
    Wrong(Issue),
}

impl Refusal {
    fn unknown(code: IssueType, text: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self::Ignorable(Issue::error(code, text))
    }

    fn wrong(text: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self::Wrong(Issue::error(IssueType::Invalid, text))
    }

    fn costly(text: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self::Wrong(Issue::error(IssueType::TooCostly, text))
    }
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
    let mut issues = Vec::new();
    let mut warnings = Vec::new();
    let mut filters = filter::Filters::new(registry, context.base_url, Some(context.now));
    let mut results = result::Results::default();
    let mut parts = Vec::new();
    let mut applied = link::Applied::default();
    if let Some((first_over, _)) = pairs.get(limits::PARAMETERS_MAX) {
        let text = format!("at most {} parameters", limits::PARAMETERS_MAX);
        return Err(vec![named(Issue::error(IssueType::TooCostly, text), first_over)]);
    }
    if let Some(patient) = &context.compartment {
        if registry.is_patient(resource_type) || !registry.patient_compartment(resource_type).is_empty() {
            parts.push(Arc::new(Predicate::PatientCompartment(patient.clone())));
        } else {
            let text = format!("{resource_type} is not in the compartment of a patient");
            issues.push(Issue::error(IssueType::NotSupported, text).at(issue::URL));
        }
    }
    for (name, value) in pairs {
        let outcome = if result::is_known(name) {
            results.take(registry, resource_type, name, value).map(|()| None)
        } else {
            filters.parse(resource_type, name, value).map(Some)
        };
        match outcome {
            Ok(part) => {
                parts.extend(part.map(Arc::new));
                applied.add(name, value);
            }
            Err(Refusal::Ignorable(issue)) if context.handling == Handling::Lenient => {
                let issue = Issue { severity: fhir::issue::Severity::Warning, ..issue };
                warnings.push(named(issue, name));
            }
            Err(Refusal::Ignorable(issue) | Refusal::Wrong(issue)) => issues.push(named(issue, name)),
        }
    }
    if !issues.is_empty() {
        return Err(issues);
    }
    let count = results.count.unwrap_or(limits::COUNT_DEFAULT);
    let total = results.total();
    Ok(Query {
        resource_type,
        predicate: all_of(parts),
        sort: results.sort,
        count: if results.is_count_only { 0 } else { count },
        total,
        includes: results.includes,
        revincludes: results.revincludes,
        applied: applied.finish(count),
        warnings,
    })
}

/// Parses parameters that only filter: those of a granular scope (row B35). Always strict;
/// references are read without a base URL of our own, and `ap` on dates, which would make a grant
/// depend on the clock, is an error.
///
/// # Errors
/// As [`parse`].
pub fn compile_criteria(
    registry: &Registry,
    resource_type: ResourceType,
    pairs: &[(String, String)],
) -> Result<Predicate, Vec<Issue>> {
    criteria(filter::Filters::new(registry, "", None), resource_type, pairs)
}

/// Parses the criteria of a conditional interaction: only filters, always strict; the context's
/// handling and compartment do not count. SPEC: R4 http.html#cond-update.
///
/// # Errors
/// As [`parse`].
pub fn compile_condition(
    registry: &Registry,
    resource_type: ResourceType,
    pairs: &[(String, String)],
    context: &Context<'_>,
) -> Result<Predicate, Vec<Issue>> {
    criteria(filter::Filters::new(registry, context.base_url, Some(context.now)), resource_type, pairs)
}

fn criteria(
    mut filters: filter::Filters<'_>,
    resource_type: ResourceType,
    pairs: &[(String, String)],
) -> Result<Predicate, Vec<Issue>> {
    let (mut parts, mut issues) = (Vec::new(), Vec::new());
    if pairs.is_empty() || pairs.len() > limits::PARAMETERS_MAX {
        let text = format!("criteria are 1 to {} parameters", limits::PARAMETERS_MAX);
        return Err(vec![Issue::error(IssueType::Invalid, text).at(issue::URL)]);
    }
    for (name, value) in pairs {
        let outcome = if result::is_known(name) {
            Err(Refusal::wrong("criteria hold only parameters that filter"))
        } else {
            filters.parse(resource_type, name, value)
        };
        match outcome {
            Ok(part) => parts.push(Arc::new(part)),
            Err(Refusal::Ignorable(issue) | Refusal::Wrong(issue)) => issues.push(named(issue, name)),
        }
    }
    if issues.is_empty() { Ok(Predicate::clone(&all_of(parts))) } else { Err(issues) }
}

/// The issue with the parameter's name in its text and as its expression.
fn named(issue: Issue, name: &str) -> Issue {
    let diagnostics = format!("{}: {}", link::printable(name), issue.diagnostics).into();
    Issue { diagnostics, ..issue }.at(parameter_name(name).unwrap_or(issue::URL))
}

fn all_of(mut parts: Vec<Arc<Predicate>>) -> Arc<Predicate> {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, Some(last)) => {
            parts.push(last);
            Arc::new(Predicate::And(parts))
        }
        (_, None) => Arc::new(Predicate::All),
    }
}

#[cfg(test)]
mod tests;
