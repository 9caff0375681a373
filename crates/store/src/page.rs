//! What comes out: versions, pages of a search, pages of a history.

use crate::{
    ReadError,
    engine::{key::TypeNumber, memory::Memory, packed::Packed},
};
use bytes::Bytes;
use fhir::{Instant, LogicalId, ResourceType, VersionId};
use std::{fmt, sync::Arc};

/// The JSON of a version: as it was read, or as memory keeps it. It is unpacked where it goes.
#[derive(Clone)]
pub struct Json(Form);

#[derive(Clone)]
enum Form {
    Plain(Bytes),
    Packed { packed: Packed, kind: TypeNumber, memory: Arc<Memory> },
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({} bytes)", self.len())
    }
}

impl From<Bytes> for Json {
    fn from(bytes: Bytes) -> Self {
        Self(Form::Plain(bytes))
    }
}

impl Json {
    pub(crate) fn packed(packed: Packed, kind: TypeNumber, memory: Arc<Memory>) -> Self {
        Self(Form::Packed { packed, kind, memory })
    }

    /// Bytes that it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Plain(bytes) => bytes.len(),
            Form::Packed { packed, .. } => packed.json_bytes(),
        }
    }

    /// Whether there is none: a deletion.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends it.
    ///
    /// # Errors
    /// `Unavailable` when memory is not what it was.
    pub fn append_to(&self, out: &mut Vec<u8>) -> Result<(), ReadError> {
        match &self.0 {
            Form::Plain(bytes) => out.extend_from_slice(bytes),
            Form::Packed { packed, kind, memory } => memory.dictionaries.append_json(kind.0, packed, out)?,
        }
        Ok(())
    }

    /// Its bytes.
    ///
    /// # Errors
    /// As [`Json::append_to`].
    pub fn into_bytes(self) -> Result<Bytes, ReadError> {
        if let Form::Plain(bytes) = self.0 {
            return Ok(bytes);
        }
        let mut out = Vec::with_capacity(self.len());
        self.append_to(&mut out)?;
        Ok(out.into())
    }
}

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
    pub json: Json,
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
