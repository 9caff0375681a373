//! The only mapping of failures (and successes) to HTTP status and OperationOutcome (invariant 9).
//!
//! Every match is exhaustive; `docs/status-codes.md` is this table, kept equal by a test. Texts are
//! public: no PHI, no secret, no path of the machine, and constant where a hidden resource must
//! look like an absent one (invariant 5). SPEC: R4 http.html#Status-Codes, rows B63, F13 to F15.

use crate::{council::CouncilError, failure::Failure, limits, wire::Method};
use fhir::issue::{self, Issue, IssueType};
use http::StatusCode;
use oauth::bearer::BearerError;
use policy::Denied;
use std::borrow::Cow;
use terminology::OperationError;

/// How a request was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Success {
    /// Answered, updated, or found instead of created.
    Ok,
    /// A first version was made.
    Created,
    /// Deleted, or nothing was there to delete.
    Deleted,
    /// The client's copy is the current version.
    NotModified,
}

impl Success {
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::Ok => StatusCode::OK,
            Self::Created => StatusCode::CREATED,
            Self::Deleted => StatusCode::NO_CONTENT,
            Self::NotModified => StatusCode::NOT_MODIFIED,
        }
    }
}

/// A status as `Bundle.entry.response.status` writes it: `201 Created`.
pub(crate) fn status_line(status: StatusCode) -> String {
    format!("{} {}", status.as_str(), status.canonical_reason().unwrap_or_default())
}

/// What the `WWW-Authenticate` header says. SPEC: RFC 6750 section 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// No token was sent.
    Bare,
    /// The token is not valid.
    InvalidToken,
    /// The DPoP proof must have the nonce that comes with the answer. SPEC: RFC 9449 section 9.
    DpopNonce,
    /// The person has to sign in anew. SPEC: RFC 9470 section 3.
    StepUp,
    /// The token is valid and its scopes do not reach.
    InsufficientScope,
}

/// A failure as the client sees it.
#[derive(Debug)]
pub(crate) struct Mapped {
    pub(crate) status: StatusCode,
    pub(crate) issues: Vec<Issue>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) dpop_nonce: Option<String>,
    pub(crate) allow: Vec<Method>,
    pub(crate) retry_after_s: Option<u32>,
}

impl Mapped {
    fn new(status: StatusCode, code: IssueType, text: impl Into<Cow<'static, str>>) -> Self {
        Self::issues(status, vec![Issue::error(code, text)])
    }

    fn issues(status: StatusCode, issues: Vec<Issue>) -> Self {
        Self { status, issues, challenge: None, dpop_nonce: None, allow: Vec::new(), retry_after_s: None }
    }

    /// The same, with the place in the request that it is about.
    fn at(mut self, place: &'static str) -> Self {
        for issue in &mut self.issues {
            issue.expression = Some(place.to_owned());
        }
        self
    }

    fn challenge(self, challenge: Challenge) -> Self {
        Self { challenge: Some(challenge), ..self }
    }

    fn retry(self) -> Self {
        Self { retry_after_s: Some(limits::RETRY_AFTER_S), ..self }
    }

    /// The first issue's text: the reason for the audit record.
    pub(crate) fn reason(&self) -> &str {
        self.issues.first().map_or("", |issue| &issue.diagnostics)
    }
}

/// The table.
pub(crate) fn map(failure: Failure) -> Mapped {
    match failure {
        Failure::Unauthenticated(error) => match error {
            BearerError::Missing => {
                Mapped::new(StatusCode::UNAUTHORIZED, IssueType::Login, error.to_string()).challenge(Challenge::Bare)
            }
            BearerError::Malformed => Mapped::new(StatusCode::UNAUTHORIZED, IssueType::Login, error.to_string())
                .challenge(Challenge::InvalidToken),
            BearerError::Unknown => Mapped::new(StatusCode::UNAUTHORIZED, IssueType::Unknown, error.to_string())
                .challenge(Challenge::InvalidToken),
            BearerError::Unproven => Mapped::new(StatusCode::UNAUTHORIZED, IssueType::Security, error.to_string())
                .challenge(Challenge::InvalidToken),
            BearerError::Expired => Mapped::new(StatusCode::UNAUTHORIZED, IssueType::Expired, error.to_string())
                .challenge(Challenge::InvalidToken),
        },
        Failure::DpopNonce(nonce) => Mapped {
            dpop_nonce: Some(nonce),
            ..Mapped::new(
                StatusCode::UNAUTHORIZED,
                IssueType::Security,
                "the DPoP proof needs the nonce of this answer",
            )
            .challenge(Challenge::DpopNonce)
        },
        Failure::Denied(denied) => match denied {
            Denied::Scope { .. }
            | Denied::Purpose { .. }
            | Denied::PeopleAlone
            | Denied::Unexplained
            | Denied::Administrators
            | Denied::ResultOutsideScope(_) => {
                Mapped::new(StatusCode::FORBIDDEN, IssueType::Forbidden, denied.to_string())
                    .challenge(Challenge::InsufficientScope)
            }
            Denied::Authority(_) | Denied::AuditIsReadOnly | Denied::Deidentified | Denied::GrantsOfAnother => {
                Mapped::new(StatusCode::FORBIDDEN, IssueType::Forbidden, denied.to_string())
            }
        },
        Failure::StepUp => Mapped::new(
            StatusCode::UNAUTHORIZED,
            IssueType::Login,
            "for this the person has to have signed in within minutes: ask for a token anew, with max_age=300",
        )
        .challenge(Challenge::StepUp),
        Failure::Council(why) => {
            let (status, code, text) = match why {
                CouncilError::SamePerson => (
                    StatusCode::FORBIDDEN,
                    IssueType::Forbidden,
                    "nobody approves what they proposed themselves, by whichever account",
                ),
                CouncilError::Off => (
                    StatusCode::CONFLICT,
                    IssueType::NotSupported,
                    "the facility's rules are in the operator's file: policy.four_eyes is not set",
                ),
                CouncilError::Orphaned => (
                    StatusCode::CONFLICT,
                    IssueType::Conflict,
                    "who proposed this is no administrator any more; let somebody else propose it",
                ),
                CouncilError::Stale => (
                    StatusCode::CONFLICT,
                    IssueType::Conflict,
                    "other rules came into force since this was proposed; propose it again",
                ),
                CouncilError::Waits => (StatusCode::CONFLICT, IssueType::Duplicate, "this text waits already"),
                CouncilError::InForce => (StatusCode::CONFLICT, IssueType::Duplicate, "this text is in force already"),
                CouncilError::Full => {
                    (StatusCode::CONFLICT, IssueType::TooCostly, "too many proposals wait; withdraw one")
                }
                // `From<CouncilError>` makes other failures of these.
                CouncilError::Faulty(_) | CouncilError::Unknown | CouncilError::Unavailable(_) => {
                    (StatusCode::CONFLICT, IssueType::Conflict, "the facility's rules were not changed")
                }
            };
            Mapped::new(status, code, text)
        }
        Failure::Purpose(issue) => Mapped::issues(StatusCode::FORBIDDEN, vec![issue]),
        Failure::Glass(page) => Mapped::new(
            StatusCode::FORBIDDEN,
            IssueType::Suppressed,
            format!("no glass is broken for the record that this asks for: say at {page} whose it is and why"),
        )
        .at("http.category"),
        Failure::UnknownPath => {
            Mapped::new(StatusCode::NOT_FOUND, IssueType::NotSupported, "no resource type or interaction has this URL")
        }
        Failure::Method(allow) => Mapped {
            allow,
            ..Mapped::new(
                StatusCode::METHOD_NOT_ALLOWED,
                IssueType::NotSupported,
                "this URL does not take this method; the Allow header lists those it takes",
            )
        },
        Failure::NotAcceptable => Mapped::new(
            StatusCode::NOT_ACCEPTABLE,
            IssueType::NotSupported,
            "this server writes application/fhir+json of FHIR 4.0 only",
        ),
        Failure::MediaType => Mapped::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            IssueType::NotSupported,
            "send resources as application/fhir+json, search forms as application/x-www-form-urlencoded, in UTF-8 and not compressed",
        ),
        Failure::TooLong(bytes_max) => Mapped::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            IssueType::TooLong,
            format!("the body has more than the {bytes_max} bytes that this interaction takes"),
        ),
        Failure::TooManyEntries(entries_max) => Mapped::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            IssueType::TooCostly,
            format!("the Bundle has more than {entries_max} entries; send it in parts"),
        ),
        Failure::BodyBroken => Mapped::new(StatusCode::BAD_REQUEST, IssueType::Incomplete, "the body broke off"),
        Failure::BodySlow => Mapped::new(StatusCode::REQUEST_TIMEOUT, IssueType::Timeout, "the body came too slowly"),
        Failure::Request(issues) | Failure::Content(issues) => Mapped::issues(StatusCode::BAD_REQUEST, issues),
        Failure::Json(error) => Mapped::issues(
            StatusCode::BAD_REQUEST,
            vec![Issue::error(IssueType::Structure, error.kind.to_string()).on((error.line, error.column))],
        ),
        Failure::Invalid(mut issues) => {
            // What stopped it comes first; warnings follow, each in the order of the body.
            issues.sort_by_key(|issue| std::cmp::Reverse(issue.severity));
            Mapped::issues(StatusCode::UNPROCESSABLE_ENTITY, issues)
        }
        Failure::Id => {
            Mapped::new(StatusCode::BAD_REQUEST, IssueType::Value, "an id is 1 to 64 of the characters A-Z a-z 0-9 - .")
                .at(issue::URL)
        }
        Failure::NotFound => Mapped::new(StatusCode::NOT_FOUND, IssueType::NotFound, "no such resource"),
        Failure::Gone => Mapped::new(StatusCode::GONE, IssueType::Deleted, "the resource was deleted"),
        Failure::TooCostly(what) => {
            Mapped::new(StatusCode::BAD_REQUEST, IssueType::TooCostly, format!("the search is too costly: {what}"))
                .at(issue::URL)
        }
        Failure::Terminology(error) => {
            let (status, code) = match &error {
                OperationError::NotFound(_) => (StatusCode::NOT_FOUND, IssueType::NotFound),
                OperationError::NoSuchCode(_) => (StatusCode::NOT_FOUND, IssueType::CodeInvalid),
                OperationError::Invalid(_) => (StatusCode::BAD_REQUEST, IssueType::Invalid),
                OperationError::TooCostly(_) => (StatusCode::UNPROCESSABLE_ENTITY, IssueType::TooCostly),
                // What cannot be checked is neither right nor wrong.
                _ => (StatusCode::UNPROCESSABLE_ENTITY, IssueType::NotSupported),
            };
            Mapped::new(status, code, error.to_string()).at("Parameters")
        }
        Failure::Cursor => Mapped::new(
            StatusCode::BAD_REQUEST,
            IssueType::Invalid,
            "this page link is not of this search and caller; start the search again",
        )
        .at("_cursor"),
        Failure::VersionMismatch(current) => Mapped::new(
            StatusCode::PRECONDITION_FAILED,
            IssueType::Conflict,
            match current {
                Some(version) => format!("If-Match names another version than the current one, {version}"),
                None => "If-Match names a version that is not the current one".to_owned(),
            },
        ),
        Failure::Exists => Mapped::new(
            StatusCode::PRECONDITION_FAILED,
            IssueType::Conflict,
            "If-None-Match is *, and the resource exists",
        ),
        Failure::MultipleMatches => Mapped::new(
            StatusCode::PRECONDITION_FAILED,
            IssueType::MultipleMatches,
            "the condition means several resources",
        ),
        Failure::NoMatch => Mapped::new(
            StatusCode::PRECONDITION_FAILED,
            IssueType::NotFound,
            "the conditional reference means no resource",
        ),
        Failure::Duplicate => Mapped::new(
            StatusCode::BAD_REQUEST,
            IssueType::Duplicate,
            "another entry of this transaction changes the same resource",
        ),
        Failure::Conflict => Mapped::new(
            StatusCode::CONFLICT,
            IssueType::LockError,
            "other requests kept changing what this one depends on; send it again",
        ),
        Failure::Throttled => Mapped::new(
            StatusCode::TOO_MANY_REQUESTS,
            IssueType::Throttled,
            "too many requests; wait and send it again",
        )
        .retry(),
        Failure::Busy => Mapped::new(
            StatusCode::SERVICE_UNAVAILABLE,
            IssueType::Throttled,
            "more is asked at once than the server has room for; send it again",
        )
        .retry(),
        Failure::NotIndexed(what) => Mapped::new(StatusCode::SERVICE_UNAVAILABLE, IssueType::Transient, what).retry(),
        Failure::Store(_) => {
            Mapped::new(StatusCode::SERVICE_UNAVAILABLE, IssueType::Transient, "the store is unavailable").retry()
        }
        Failure::Audit => Mapped::new(
            StatusCode::SERVICE_UNAVAILABLE,
            IssueType::NoStore,
            "the audit log is unavailable, so nothing can be answered",
        )
        .retry(),
        Failure::Fault => Mapped::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            IssueType::Exception,
            "the server failed; its log has more under this request id",
        ),
        Failure::Entry(index, inner) => {
            let mut mapped = map(*inner);
            for issue in &mut mapped.issues {
                issue.expression = Some(match issue.expression.take() {
                    Some(inner) => within_entry(index, &inner),
                    None => format!("Bundle.entry[{index}]"),
                });
            }
            mapped
        }
    }
}

/// `Observation.status` of entry 3 is `Bundle.entry[3].resource.status`. What starts with a capital
/// is an element; `resource` is missing; anything else names a search parameter, a header or `request`.
pub(crate) fn within_entry(index: usize, expression: &str) -> String {
    if expression.starts_with("Bundle.entry[") {
        return expression.to_owned();
    }
    let resource = expression.starts_with(|first: char| first.is_ascii_uppercase());
    match (resource, expression.find(['.', '['])) {
        (false, _) if expression == "resource" => format!("Bundle.entry[{index}].resource"),
        (false, _) if expression.is_empty() => format!("Bundle.entry[{index}]"),
        (true, Some(at)) => format!("Bundle.entry[{index}].resource{}", expression.get(at..).unwrap_or_default()),
        (true, None) => format!("Bundle.entry[{index}].resource"),
        (false, _) => format!("Bundle.entry[{index}].request"),
    }
}

#[cfg(test)]
mod tests;
