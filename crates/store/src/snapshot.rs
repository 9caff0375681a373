//! One moment of the store: everything a request reads comes from one snapshot (invariant 8).

use crate::{Found, HistoryPage, Page, ReadError};
use fhir::{LogicalId, ResourceType, VersionId};
use policy::Permit;
use search::Query;

/// A consistent view.
#[derive(Debug)]
pub struct Snapshot {}

impl Snapshot {
    /// The current version.
    ///
    /// # Errors
    /// `NotFound` when absent or not visible, `Gone` when deleted.
    pub fn read(&self, permit: &Permit, resource_type: ResourceType, id: &LogicalId) -> Result<Found, ReadError> {
        let _ = (permit, resource_type, id);
        Err(ReadError::NotFound)
    }

    /// One version. A version that marks the deletion is `Gone`.
    ///
    /// # Errors
    /// As [`Snapshot::read`]; the permit is held against that version (row F5).
    pub fn vread(
        &self,
        permit: &Permit,
        resource_type: ResourceType,
        id: &LogicalId,
        version: VersionId,
    ) -> Result<Found, ReadError> {
        let _ = (permit, resource_type, id, version);
        Err(ReadError::NotFound)
    }

    /// Versions of one resource, newest first; `cursor` from the page before.
    ///
    /// # Errors
    /// `NotFound` when no version of it is visible.
    pub fn history(
        &self,
        permit: &Permit,
        resource_type: ResourceType,
        id: &LogicalId,
        count: usize,
        cursor: Option<&str>,
    ) -> Result<HistoryPage, ReadError> {
        let _ = (permit, resource_type, id, count, cursor);
        Err(ReadError::NotFound)
    }

    /// A page of a search. `caller_key` binds cursors to who asked (row F4).
    ///
    /// # Errors
    /// [`ReadError::TooCostly`], [`ReadError::Cursor`], [`ReadError::Unavailable`].
    pub fn search(
        &self,
        permit: &Permit,
        query: &Query,
        cursor: Option<&str>,
        caller_key: &str,
    ) -> Result<Page, ReadError> {
        let _ = (permit, query, cursor, caller_key);
        Ok(Page::default())
    }
}
