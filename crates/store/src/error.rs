//! What can go wrong in the store, without a word of HTTP.

use fhir::{LogicalId, ResourceType, VersionId};
use std::fmt;

/// Why a read found nothing to give.
#[derive(Debug)]
pub enum ReadError {
    /// Absent, or not visible under the permit: the same to the caller (invariant 5).
    NotFound,
    /// Deleted, and the permit covered its last version.
    Gone,
    /// The search asks for more than the limits allow; the text names the part.
    TooCostly(&'static str),
    /// A page cursor that this server did not make, or not for this caller and search.
    Cursor,
    /// It is costly, and enough costly searches run already: later there is room.
    Busy,
    /// A search parameter that it asks for, or that the permit is written in, is not indexed yet or
    /// no more; the text is public.
    NotIndexed(String),
    /// The caller sees it without some of its parts, and what would be made of it would drop these.
    Redacted,
    /// The engine failed or its data is damaged; the text is for the log.
    Unavailable(String),
}

/// Why a transaction was not committed. Nothing of it was.
#[derive(Debug)]
pub enum CommitError {
    /// The change at this place names a resource that is absent or not visible.
    NotFound(usize),
    /// The change at this place updates or deletes something whose permit denies it, or would make
    /// a resource that the permit does not cover.
    Denied(usize, ResourceType),
    /// `If-Match` at this place names another version than the current one.
    Version(usize, Option<VersionId>),
    /// A condition at this place was met by one resource: its id.
    Exists(usize, ResourceType, LogicalId, VersionId),
    /// A condition at this place was met by several resources.
    MultipleMatches(usize),
    /// Two changes of the transaction name the same resource; the second is at this place.
    Duplicate(usize),
    /// The conditional reference at this place of [`crate::Transaction::resolved`] no longer means the
    /// resource it was resolved to: resolve again and try again.
    Moved(usize),
    /// The new version loses or lowers a security label of the one before.
    Labels(usize),
    /// The change at this place takes the place of something of which the caller does not see all.
    Redacted(usize),
    /// A condition asks for more than the limits of a search allow; the text names the part.
    TooCostly(&'static str),
    /// More writes wait than the queue holds: later there is room.
    Busy,
    /// A search parameter of a condition, or that the permit is written in, is not indexed yet or no
    /// more; the text is public.
    NotIndexed(String),
    /// The store cannot take writes now; the text is for the log.
    Unavailable(String),
}

/// Why a store does not open. Each says what an operator can do.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has it open.
    Locked,
    /// The engine or file system failed.
    Engine(String),
    /// A file is not what was written: which, below the data directory, and what is wrong with it.
    Damaged(String, String),
    /// Writes were acknowledged that are not there; what shows it.
    Lost(String),
    /// The chain of commits has a gap or does not verify, at this commit.
    Chain(u64, String),
    /// The audit log lacks records that were on stable storage; the first missing or bad sequence.
    AuditLog(u64, String),
    /// The format is of another version of this program.
    Format(String),
}

const LEFT: &str = "What was found is kept: copy the data directory before anything else";
const RESTORE: &str = "then restore the last backup into a new directory (`handrail restore`)";
const ALL: &str = "`handrail doctor --data DIR` lists all that is wrong, and changes nothing";

macro_rules! text {
    ($name:ident, $self:ident, $f:ident, $body:expr) => {
        impl fmt::Display for $name {
            fn fmt(&$self, $f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $body
            }
        }
        impl std::error::Error for $name {}
    };
}

text!(
    ReadError,
    self,
    f,
    match self {
        Self::NotFound => f.write_str("no such resource"),
        Self::Gone => f.write_str("the resource was deleted"),
        Self::TooCostly(what) => write!(f, "too costly: {what}"),
        Self::Busy => f.write_str("too many costly searches run"),
        Self::NotIndexed(what) => f.write_str(what),
        Self::Cursor => f.write_str("not a page of this search"),
        Self::Redacted => f.write_str("not all of it is visible"),
        Self::Unavailable(_) => f.write_str("the store is unavailable"),
    }
);
text!(
    CommitError,
    self,
    f,
    match self {
        Self::NotFound(_) => f.write_str("no such resource"),
        Self::Denied(_, kind) => write!(f, "not permitted on {kind}"),
        Self::Version(..) => f.write_str("the resource has another version now"),
        Self::Exists(..) => f.write_str("a resource that meets the condition exists"),
        Self::MultipleMatches(_) => f.write_str("several resources meet the condition"),
        Self::Duplicate(_) => f.write_str("the transaction changes a resource twice"),
        Self::TooCostly(what) => write!(f, "too costly: {what}"),
        Self::Moved(_) => f.write_str("a conditional reference means another resource now"),
        Self::Labels(_) => f.write_str("the new version loses a security label"),
        Self::Redacted(_) => f.write_str("not all of what it changes is visible"),
        Self::Busy => f.write_str("too many writes wait"),
        Self::NotIndexed(what) => f.write_str(what),
        Self::Unavailable(_) => f.write_str("the store is unavailable"),
    }
);
text!(
    OpenError,
    self,
    f,
    match self {
        Self::Locked => f.write_str("another process has this data directory open; stop it or use its server"),
        Self::Engine(why) => write!(
            f,
            "the data directory cannot be opened: {why}. If the disk is full or fails, mend that and start again; \
             {ALL}"
        ),
        Self::Damaged(file, what) => write!(f, "{file} is damaged: {what}. {LEFT}; {RESTORE}; {ALL}"),
        Self::Lost(what) => write!(
            f,
            "acknowledged writes are missing: {what}. A disk that lies about its syncs, or files put back from \
             different times, do this. {LEFT}; {RESTORE}; {ALL}"
        ),
        Self::Chain(at, why) =>
            write!(f, "the chain of commits is broken at commit {at}: {why}. {LEFT}; {RESTORE}; {ALL}"),
        Self::AuditLog(at, why) => write!(
            f,
            "the audit log is broken at record {at}: {why}. It is left as it was found: keep a copy as evidence; \
             {RESTORE}; `handrail audit verify --data DIR` reads the whole log"
        ),
        Self::Format(why) => write!(
            f,
            "the data directory has another format: {why}. Open it with the program that made it, or begin a new one"
        ),
    }
);
