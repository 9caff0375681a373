//! What an operator may know of an answered request: for log lines and metrics, beside the response.
//!
//! No URL, no id of a resource, no search value (invariant 11): the kind of request, the client and
//! one word on how it ended. The audit entry of the same request id has the rest.

use crate::{council::CouncilError, failure::Failure};
use fhir::ResourceType;
use oauth::bearer::BearerError;
use policy::Denied;
use std::sync::Arc;
use terminology::OperationError;

/// An extension of every response that [`crate::Service`] makes.
#[derive(Debug, Clone)]
pub struct Answered {
    /// As in `X-Request-Id` and in the audit entry.
    pub request_id: Arc<str>,
    /// The client, when its token was live.
    pub client_id: Option<Arc<str>>,
    /// Code of the interaction; `unknown` when the request names none.
    pub interaction: &'static str,
    /// The resource type that the interaction names.
    pub resource_type: Option<ResourceType>,
    /// Why it was refused, as one word of [`WORDS`].
    pub refused: Option<&'static str>,
}

/// Every word that [`Answered::refused`] can be.
pub const WORDS: [&str; 24] = [
    "token-missing",
    "token-malformed",
    "token-unknown",
    "token-expired",
    "token-unproven",
    "scope",
    "forbidden",
    "not-found",
    "request",
    "media-type",
    "too-long",
    "body-broken",
    "too-slow",
    "invalid",
    "too-costly",
    "precondition",
    "purpose",
    "conflict",
    "throttled",
    "busy",
    "not-indexed",
    "store-unavailable",
    "audit-unavailable",
    "fault",
];

/// The word for a failure.
pub(crate) fn word(failure: &Failure) -> &'static str {
    match failure {
        Failure::Unauthenticated(BearerError::Missing) => "token-missing",
        Failure::Unauthenticated(BearerError::Malformed) => "token-malformed",
        Failure::Unauthenticated(BearerError::Unknown) => "token-unknown",
        Failure::Unauthenticated(BearerError::Expired) => "token-expired",
        Failure::Unauthenticated(BearerError::Unproven) | Failure::DpopNonce(_) => "token-unproven",
        Failure::Denied(Denied::Scope { .. } | Denied::ResultOutsideScope(_)) => "scope",
        Failure::Denied(Denied::Purpose { .. }) | Failure::Purpose(_) | Failure::Glass(_) => "purpose",
        Failure::Denied(
            Denied::Authority(_)
            | Denied::AuditIsReadOnly
            | Denied::Deidentified
            | Denied::PeopleAlone
            | Denied::Unexplained
            | Denied::Administrators
            | Denied::GrantsOfAnother,
        ) => "forbidden",
        Failure::StepUp | Failure::Council(CouncilError::SamePerson) => "forbidden",
        Failure::Council(_) => "conflict",
        Failure::NotFound | Failure::Gone => "not-found",
        Failure::UnknownPath | Failure::Method(_) | Failure::Request(_) | Failure::Cursor | Failure::Id => "request",
        Failure::NotAcceptable | Failure::MediaType => "media-type",
        Failure::TooLong(_) | Failure::TooManyEntries(_) => "too-long",
        Failure::BodyBroken => "body-broken",
        Failure::BodySlow => "too-slow",
        Failure::Json(_) | Failure::Content(_) | Failure::Invalid(_) | Failure::Duplicate => "invalid",
        Failure::TooCostly(_) | Failure::Terminology(OperationError::TooCostly(_)) => "too-costly",
        Failure::Terminology(OperationError::NotFound(_) | OperationError::NoSuchCode(_)) => "not-found",
        Failure::Terminology(OperationError::Invalid(_)) => "request",
        Failure::Terminology(_) => "invalid",
        Failure::VersionMismatch(_) | Failure::Exists | Failure::MultipleMatches | Failure::NoMatch => "precondition",
        Failure::Conflict => "conflict",
        Failure::Throttled => "throttled",
        Failure::Busy => "busy",
        Failure::NotIndexed(_) => "not-indexed",
        Failure::Store(_) => "store-unavailable",
        Failure::Audit => "audit-unavailable",
        Failure::Fault => "fault",
        Failure::Entry(_, inner) => word(inner),
    }
}
