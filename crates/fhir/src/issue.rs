//! Issues: what is wrong, where, in the words of OperationOutcome. No status codes here.
//!
//! SPEC: R4 operationoutcome.html, valueset-issue-severity.html, valueset-issue-type.html.

use crate::json::Writer;
use std::borrow::Cow;

/// The place of what is wrong with a request's URL as a whole, for [`Issue::at`]. SPEC: R4
/// operationoutcome.html, `issue.location`: "http." before what is no element.
pub const URL: &str = "http.url";

/// `OperationOutcome.issue.severity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Of no consequence for the outcome.
    Information,
    /// Done, but look at this.
    Warning,
    /// Not done because of this.
    Error,
    /// Not done, and nothing further was checked.
    Fatal,
}

impl Severity {
    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

/// `OperationOutcome.issue.code` (IssueType), as far as this server speaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the codes of the R4 value set issue-type")]
pub enum IssueType {
    Invalid,
    Structure,
    Required,
    Value,
    Invariant,
    Security,
    Login,
    Unknown,
    Expired,
    Forbidden,
    Suppressed,
    Processing,
    NotSupported,
    Duplicate,
    MultipleMatches,
    NotFound,
    Deleted,
    TooLong,
    CodeInvalid,
    Extension,
    TooCostly,
    BusinessRule,
    Conflict,
    Transient,
    LockError,
    NoStore,
    Exception,
    Timeout,
    Incomplete,
    Throttled,
    Informational,
}

impl IssueType {
    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Structure => "structure",
            Self::Required => "required",
            Self::Value => "value",
            Self::Invariant => "invariant",
            Self::Security => "security",
            Self::Login => "login",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Forbidden => "forbidden",
            Self::Suppressed => "suppressed",
            Self::Processing => "processing",
            Self::NotSupported => "not-supported",
            Self::Duplicate => "duplicate",
            Self::MultipleMatches => "multiple-matches",
            Self::NotFound => "not-found",
            Self::Deleted => "deleted",
            Self::TooLong => "too-long",
            Self::CodeInvalid => "code-invalid",
            Self::Extension => "extension",
            Self::TooCostly => "too-costly",
            Self::BusinessRule => "business-rule",
            Self::Conflict => "conflict",
            Self::Transient => "transient",
            Self::LockError => "lock-error",
            Self::NoStore => "no-store",
            Self::Exception => "exception",
            Self::Timeout => "timeout",
            Self::Incomplete => "incomplete",
            Self::Throttled => "throttled",
            Self::Informational => "informational",
        }
    }
}

/// One finding. `diagnostics` is public text: no PHI, no secret, no path of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How bad.
    pub severity: Severity,
    /// What kind.
    pub code: IssueType,
    /// What was expected and what was found, for people.
    pub diagnostics: Cow<'static, str>,
    /// FHIRPath of the element (`Observation.code`), or the name of the search parameter.
    pub expression: Option<String>,
    /// Line and column in the body, both from 1.
    pub position: Option<(u32, u32)>,
}

impl Issue {
    /// An error of this kind.
    #[must_use]
    pub fn error(code: IssueType, diagnostics: impl Into<Cow<'static, str>>) -> Self {
        Self { severity: Severity::Error, code, diagnostics: diagnostics.into(), expression: None, position: None }
    }

    /// A warning of this kind.
    #[must_use]
    pub fn warning(code: IssueType, diagnostics: impl Into<Cow<'static, str>>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, diagnostics) }
    }

    /// The same issue, at this FHIRPath expression.
    #[must_use]
    pub fn at(mut self, expression: impl Into<String>) -> Self {
        self.expression = Some(expression.into());
        self
    }

    /// The same issue, at this line and column.
    #[must_use]
    pub fn on(mut self, (line, column): (u32, u32)) -> Self {
        self.position = Some((line, column));
        self
    }
}

/// Writes an OperationOutcome.
#[must_use]
pub fn operation_outcome(issues: &[Issue]) -> Vec<u8> {
    let mut w = Writer::new();
    write_operation_outcome(&mut w, issues);
    w.into_bytes()
}

/// Writes an OperationOutcome as the next value of `w` (a Bundle entry needs one inside).
pub fn write_operation_outcome(w: &mut Writer, issues: &[Issue]) {
    w.object(|w| {
        w.member("resourceType", "OperationOutcome");
        w.key("issue");
        w.array(|w| {
            for issue in issues {
                w.object(|w| {
                    w.member("severity", issue.severity.code());
                    w.member("code", issue.code.code());
                    w.member("diagnostics", &issue.diagnostics);
                    if let Some((line, column)) = issue.position {
                        w.key("location");
                        w.array(|w| w.string(&format!("line {line}, column {column}")));
                    }
                    if let Some(expression) = &issue.expression {
                        w.key("expression");
                        w.array(|w| w.string(expression));
                    }
                });
            }
        });
    });
}
