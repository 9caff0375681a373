//! What comes out: versions, pages of a search, pages of a history.

use bytes::Bytes;
use fhir::{Instant, LogicalId, ResourceType, VersionId};

/// One version of a resource.
#[derive(Debug, Clone)]
pub struct Found {
    /// Type.
    pub resource_type: ResourceType,
    /// Id.
    pub id: LogicalId,
    /// Version.
    pub version: VersionId,
    /// `meta.lastUpdated`.
    pub last_updated: Instant,
    /// The stored JSON; empty for a deletion in a history.
    pub bytes: Bytes,
    /// Patients in whose compartment it lies (for the audit entry).
    pub patients: Vec<LogicalId>,
    /// How this version came to be.
    pub method: Method,
}

/// How a version came to be. SPEC: Bundle.entry.request.method in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the methods' meanings")]
pub enum Method {
    Create,
    Update,
    Delete,
}

/// A page of a search.
#[derive(Debug, Default)]
pub struct Page {
    /// Matches, in order.
    pub matches: Vec<Found>,
    /// Included resources, each once, none of them also a match.
    pub included: Vec<Found>,
    /// Number of matches over all pages, when asked for and counted.
    pub total: Option<u64>,
    /// Cursor of the next page, when there is one: opaque, bound to search and caller, URL-safe.
    pub next: Option<String>,
}

/// A page of an instance's history, newest first.
#[derive(Debug, Default)]
pub struct HistoryPage {
    /// Versions.
    pub versions: Vec<Found>,
    /// Number of versions over all pages that the permit covers.
    pub total: u64,
    /// Cursor of the next page.
    pub next: Option<String>,
}
