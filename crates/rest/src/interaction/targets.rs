//! What references of a body point at, for validation: entries of the same transaction, and what the caller
//! may read in the store. What is hidden is not found, as what is absent (invariant 5).

use super::{Call, criteria};
use bytes::Bytes;
use fhir::{LogicalId, ResourceType, VersionId, json::Tree, reference::Reference};
use std::{
    cell::{Cell, OnceCell},
    collections::HashMap,
};
use store::{Found, Snapshot};
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

    fn snapshot(&self) -> &Snapshot {
        self.snapshot.get_or_init(|| self.call.service.parts.store.snapshot())
    }

    fn stored(&self, kind: ResourceType, id: &LogicalId, version: Option<VersionId>) -> Option<Tree> {
        let permit = &self.call.permit;
        let found = match version {
            None => self.snapshot().read(permit, kind, id),
            Some(version) => self.snapshot().vread(permit, kind, id, version),
        };
        tree(found.ok()?)
    }

    fn searched(&self, canonical: &str) -> Option<Tree> {
        let (url, version) = canonical.split_once('|').unwrap_or((canonical, ""));
        let mut text = format!("url={}", escaped(url));
        if !version.is_empty() {
            text.push_str(&format!("&version={}", escaped(version)));
        }
        let kind = ResourceType::parse("Questionnaire").ok()?;
        let query = criteria::condition(self.call.service, kind, &text).ok()?;
        let client = &self.call.caller.grant().client_id;
        let page = self.snapshot().search(&self.call.permit, &query, None, client).ok()?;
        // Two of one name: neither is meant.
        let mut matches = page.matches.into_iter();
        let found = matches.next().filter(|_| matches.next().is_none())?;
        // To be found needs search; to be looked into needs read.
        self.stored(kind, &found.id, None)
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
        let found = self.searched(canonical);
        self.missed.set(self.missed.get() || found.is_none());
        found
    }
}

fn tree(found: Found) -> Option<Tree> {
    Tree::parse(found.json.into_bytes().ok()?).ok()
}

/// A value for a query string: what search itself gives a meaning to is escaped for it, then all for the URL.
fn escaped(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, ',' | '$' | '|' | '\\') {
            plain.push('\\');
        }
        plain.push(c);
    }
    percent_encoding::utf8_percent_encode(&plain, percent_encoding::NON_ALPHANUMERIC).to_string()
}
