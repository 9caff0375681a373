//! Why a request was not done, in this server's own words: no status codes, no HTTP.
//!
//! [`crate::outcome`] is the only place that turns these into a status and an OperationOutcome.

use crate::{
    council::CouncilError,
    wire::{BodyEnd, Method},
};
use audit::log::Unavailable;
use fhir::{
    LogicalId, ResourceType, VersionId,
    issue::{Issue, IssueType},
    json::JsonError,
};
use oauth::bearer::BearerError;
use policy::Denied;
use store::{CommitError, ReadError};
use terminology::OperationError;

/// Every way in which a request can fail.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No valid access token.
    Unauthenticated(BearerError),
    /// The proof of a token's key needs this nonce.
    DpopNonce(String),
    /// The caller may not.
    Denied(Denied),
    /// The request says that it is for what the caller may not act for (row F48); the issue is public.
    Purpose(Issue),
    /// Who asks has to prove who they are once more, for what this does. SPEC: RFC 9470.
    StepUp,
    /// The facility's rules were not changed.
    Council(CouncilError),
    /// A request that is marked as the use of a broken glass, and none is broken for what it asks (row F49); where to
    /// break one.
    Glass(String),
    /// No such place in this server: the path names no resource type or interaction.
    UnknownPath,
    /// The path is one of ours, the method is not; these are.
    Method(Vec<Method>),
    /// The client accepts no form that we write.
    NotAcceptable,
    /// The body is of a type that is not read here.
    MediaType,
    /// The body has more bytes than this.
    TooLong(usize),
    /// The Bundle has more entries than this.
    TooManyEntries(usize),
    /// The body broke off.
    BodyBroken,
    /// The body came too slowly.
    BodySlow,
    /// A header or parameter of the request cannot be understood; the issues name it.
    Request(Vec<Issue>),
    /// The body is not acceptable JSON.
    Json(JsonError),
    /// The JSON is not what this interaction takes (another type, another id, no Bundle).
    Content(Vec<Issue>),
    /// The resource breaks rules of R4.
    Invalid(Vec<Issue>),
    /// A client may not choose this id.
    Id,
    /// Absent, or not visible: the same (invariant 5).
    NotFound,
    /// Deleted.
    Gone,
    /// The search asks for too much.
    TooCostly(&'static str),
    /// A terminology operation has no answer.
    Terminology(OperationError),
    /// The page cursor is not of this search and caller.
    Cursor,
    /// `If-Match` names another version than the current one.
    VersionMismatch(Option<VersionId>),
    /// `If-None-Match: *`, and it exists.
    Exists,
    /// A condition means several resources.
    MultipleMatches,
    /// A conditional reference means no resource that the caller may see.
    NoMatch,
    /// Two entries of a transaction change the same resource.
    Duplicate,
    /// What the transaction was planned on changed each time before it could be committed.
    Conflict,
    /// Too many requests of this caller.
    Throttled,
    /// More is asked at once than there is room for (row F66).
    Busy,
    /// A search parameter is not indexed yet, or no more; the text is public.
    NotIndexed(String),
    /// The store cannot serve; the text is for the log.
    Store(String),
    /// The audit log cannot take the record (row F25).
    Audit,
    /// The program failed (row H42).
    Fault,
    /// The entry of a batch or transaction at this place failed.
    Entry(usize, Box<Failure>),
}

impl Failure {
    /// One issue about the request itself.
    pub(crate) fn request(issue: Issue) -> Self {
        Self::Request(vec![issue])
    }

    /// One issue about the body's content.
    pub(crate) fn content(issue: Issue) -> Self {
        Self::Content(vec![issue])
    }

    /// What the caller sees of a resource is not the whole, and must not take its place (row F46).
    pub(crate) fn redacted() -> Self {
        let text = "the resource is given to you REDACTED: what you would make of it is not the whole, and would take the \
                    place of the whole";
        Self::Invalid(vec![Issue::error(IssueType::BusinessRule, text).at("Resource.meta.security")])
    }

    /// The same failure, of this entry.
    pub(crate) fn of_entry(self, index: usize) -> Self {
        Self::Entry(index, Box::new(self))
    }
}

impl From<OperationError> for Failure {
    fn from(error: OperationError) -> Self {
        Self::Terminology(error)
    }
}

impl From<BearerError> for Failure {
    fn from(error: BearerError) -> Self {
        Self::Unauthenticated(error)
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<JsonError> for Failure {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl From<BodyEnd> for Failure {
    fn from(end: BodyEnd) -> Self {
        match end {
            BodyEnd::Slow => Self::BodySlow,
            BodyEnd::Busy => Self::Busy,
            BodyEnd::Broken => Self::BodyBroken,
        }
    }
}

impl From<Unavailable> for Failure {
    fn from(_: Unavailable) -> Self {
        Self::Audit
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotFound => Self::NotFound,
            ReadError::Gone => Self::Gone,
            ReadError::TooCostly(what) => Self::TooCostly(what),
            ReadError::Cursor => Self::Cursor,
            ReadError::Busy => Self::Busy,
            ReadError::Redacted => Self::redacted(),
            ReadError::NotIndexed(what) => Self::NotIndexed(what),
            ReadError::Unavailable(why) => Self::Store(why),
        }
    }
}

/// What stopped a commit, and the place of the change in its transaction.
pub(crate) enum Stopped {
    /// This change.
    At(usize, Failure),
    /// This change's condition is met by one resource.
    Exists(usize, ResourceType, LogicalId, VersionId),
    /// A conditional reference means another resource now, or the labels to carry on are others.
    Moved,
    /// The whole.
    Whole(Failure),
}

impl From<CommitError> for Stopped {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::NotFound(at) => Self::At(at, Failure::NotFound),
            CommitError::Denied(at, name) => Self::At(at, Failure::Denied(Denied::ResultOutsideScope(name))),
            CommitError::Version(at, current) => Self::At(at, Failure::VersionMismatch(current)),
            CommitError::Exists(at, name, id, version) => Self::Exists(at, name, id, version),
            CommitError::MultipleMatches(at) => Self::At(at, Failure::MultipleMatches),
            CommitError::Duplicate(at) => Self::At(at, Failure::Duplicate),
            CommitError::Redacted(at) => Self::At(at, Failure::redacted()),
            CommitError::Moved(_) | CommitError::Labels(_) => Self::Moved,
            CommitError::TooCostly(what) => Self::Whole(Failure::TooCostly(what)),
            CommitError::Busy => Self::Whole(Failure::Busy),
            CommitError::NotIndexed(what) => Self::Whole(Failure::NotIndexed(what)),
            CommitError::Unavailable(why) => Self::Whole(Failure::Store(why)),
        }
    }
}
