//! What references of a body point at, for validation: entries of the same transaction, and what the caller
//! may read in the store. What is hidden is not found, as what is absent (invariant 5).

use super::{Call, canonical};
use bytes::Bytes;
use fhir::{LogicalId, ResourceType, VersionId, json::Tree, reference::Reference};
use std::{
    cell::{Cell, OnceCell},
    collections::HashMap,
};
use store::Snapshot;
use validation::Resolver;

/// Resources that a transaction writes, by `Patient/1`.
pub(super) type Entries = HashMap<String, Bytes>;

/// Finds targets for one caller.
pub(super) struct Targets<'a> {
    call: &'a Call<'a>,
    entries: Option<&'a Entries>,
    snapshot: OnceCell<Snapshot>,
    missed: Cell<bool>,
}

impl<'a> Targets<'a> {
    pub(super) fn new(call: &'a Call<'a>, entries: Option<&'a Entries>) -> Self {
        Self { call, entries, snapshot: OnceCell::new(), missed: Cell::new(false) }
    }

    /// Whether something was looked for in the store and not found: absent or hidden, which the time must not
    /// tell ([`crate::held`]).
    pub(super) fn missed(&self) -> bool {
        self.missed.get()
    }

    /// The one snapshot of the call.
    pub(super) fn snapshot(&self) -> &Snapshot {
        self.snapshot.get_or_init(|| self.call.service.snapshot())
    }

    fn stored(&self, kind: ResourceType, id: &LogicalId, version: Option<VersionId>) -> Option<Tree> {
        let permit = &self.call.permit;
        let found = match version {
            None => self.snapshot().read(permit, kind, id),
            Some(version) => self.snapshot().vread(permit, kind, id, version),
        };
        canonical::tree(found.ok()?)
    }
}

impl Resolver for Targets<'_> {
    fn resource(&self, reference: &str) -> Option<Tree> {
        let base_url = self.call.service.base_url();
        let Some(Reference::Relative(kind, id, version)) = Reference::parse(reference, Some(base_url)) else {
            return None;
        };
        let entry = || self.entries?.get(&format!("{kind}/{id}")).cloned();
        if version.is_none()
            && let Some(bytes) = entry()
        {
            return Tree::parse(bytes).ok();
        }
        if let Some(found) = self.stored(kind, &id, version) {
            return Some(found);
        }
        self.missed.set(true);
        entry().and_then(|bytes| Tree::parse(bytes).ok())
    }

    fn canonical(&self, canonical: &str) -> Option<Tree> {
        let kind = ResourceType::parse("Questionnaire").ok()?;
        let found = canonical::stored(self.call, self.snapshot(), kind, canonical).and_then(canonical::tree);
        self.missed.set(self.missed.get() || found.is_none());
        found
    }
}
