//! One moment of the store: everything a request reads comes from one snapshot (invariant 8).

use crate::{
    Found, HistoryPage, Page, ReadError,
    audit_event::Events,
    cursor::{Mark, Secret},
    engine::{
        Space, key,
        record::{Damaged, Place},
    },
    limits,
    page::Method,
    plan::{
        self, Budget, Position,
        account::{Explanation, Shape},
    },
    reader::{Covers, Reader, Stored},
    redaction,
    transaction::Labels,
};
use fhir::{LogicalId, ResourceType, VersionId};
use policy::{Access, Looked, Need, Permit};
use search::Query;
use std::{cell::RefCell, sync::Arc};

/// A consistent view. Keep it no longer than a request: the engine keeps old data for it.
#[derive(Debug)]
pub struct Snapshot {
    pub(crate) reader: Reader,
    pub(crate) secret: Arc<Secret>,
    pub(crate) events: Events,
}

impl Snapshot {
    /// The current version.
    ///
    /// # Errors
    /// `NotFound` when absent or not visible, `Gone` when deleted.
    pub fn read(&self, permit: &Permit, resource_type: ResourceType, id: &LogicalId) -> Result<Found, ReadError> {
        self.read_under(permit, resource_type, id)
    }

    /// The Consents in force that withhold a live resource from this permit; none when it is not there, or withheld by
    /// something else. For the record of a refusal (row F20): whoever asked is not told.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub fn withheld_by(
        &self,
        permit: &Permit,
        resource_type: ResourceType,
        id: &LogicalId,
    ) -> Result<Vec<LogicalId>, ReadError> {
        let Access::Where(grant) = permit.access(resource_type, Need::Read) else { return Ok(Vec::new()) };
        if Events::are(resource_type) {
            return Ok(Vec::new());
        }
        let place = self.reader.place(resource_type, id.as_str())?.filter(|place| !place.deleted);
        let stored = place.map(|place| self.reader.current(resource_type, place.row)).transpose()?.flatten();
        Ok(stored.map(|stored| self.reader.withholding(grant, &stored)).transpose()?.unwrap_or_default())
    }

    pub(crate) fn read_under(
        &self,
        permit: &dyn Covers,
        kind: ResourceType,
        id: &LogicalId,
    ) -> Result<Found, ReadError> {
        self.reader.parameters.holds(permit, kind, Need::Read)?;
        if Events::are(kind) {
            return self.events.read(&self.reader, permit, id);
        }
        let place = self.reader.place(kind, id.as_str())?.ok_or(ReadError::NotFound)?;
        let stored = self.newest(kind, place)?;
        self.visible(permit, &stored, place.deleted)
    }

    /// The current version, when the permit covers it to be changed so: what a new version carries on of it. `None`:
    /// absent, deleted or not visible, which the commit tells apart as far as the caller may know.
    ///
    /// # Errors
    /// [`ReadError::Redacted`]: the caller does not see all of it; [`ReadError::NotIndexed`], [`ReadError::Unavailable`].
    pub fn to_change(
        &self,
        permit: &Permit,
        resource_type: ResourceType,
        id: &LogicalId,
        labels: Labels,
    ) -> Result<Option<Found>, ReadError> {
        let need = labels.need();
        self.reader.parameters.holds(permit, resource_type, need)?;
        let place = self.reader.place(resource_type, id.as_str())?;
        let Some(place) = place.filter(|place| !place.deleted && !Events::are(resource_type)) else {
            return Ok(None);
        };
        let stored = self.newest(resource_type, place)?;
        let covered = self.reader.covers(permit.access(resource_type, need), &stored)?;
        if !covered {
            return Ok(None);
        }
        if labels == Labels::Kept && !redaction::sees_all(&self.reader, permit, &[need, Need::Read], &stored)? {
            return Err(ReadError::Redacted);
        }
        Ok(self.reader.whole(std::slice::from_ref(&stored))?.pop())
    }

    /// The newest version, be it a deletion.
    fn newest(&self, kind: ResourceType, place: Place) -> Result<Stored, ReadError> {
        let stored = if place.deleted {
            self.reader.past(kind, place.row, place.version)?
        } else {
            self.reader.current(kind, place.row)?
        };
        Ok(stored.ok_or(Damaged("place of a resource"))?)
    }

    fn visible(&self, permit: &dyn Covers, stored: &Stored, deleted: bool) -> Result<Found, ReadError> {
        if !self.reader.covers(permit.access(stored.kind, Need::Read), stored)? {
            return Err(ReadError::NotFound);
        }
        if deleted { Err(ReadError::Gone) } else { Ok(self.reader.found(stored, permit, Need::Read)?) }
    }

    /// Lets somebody look at the current version who explains a decision on it: its values and the resources around it,
    /// no content (row G18). A permit that does not explain all has to cover the resource.
    ///
    /// # Errors
    /// As [`Snapshot::read`]. Audit events are not explained: `NotFound`.
    pub fn look<T>(
        &self,
        permit: &Permit,
        resource_type: ResourceType,
        id: &LogicalId,
        make: impl FnOnce(&Looked<'_>) -> T,
    ) -> Result<T, ReadError> {
        if Events::are(resource_type) {
            return Err(ReadError::NotFound);
        }
        let place = self.reader.place(resource_type, id.as_str())?.ok_or(ReadError::NotFound)?;
        let stored = self.newest(resource_type, place)?;
        if !permit.explains_all() {
            self.visible(permit, &stored, place.deleted)?;
        } else if place.deleted {
            return Err(ReadError::Gone);
        }
        let fault = RefCell::new(None);
        let said = |patient: &LogicalId| match self.reader.said(patient) {
            Ok(said) => said,
            Err(why) => {
                fault.borrow_mut().get_or_insert(why);
                None
            }
        };
        let made = stored
            .subject(|subject| self.reader.with_related(|related| make(&Looked { subject, related, said: &said })))??;
        match fault.into_inner() {
            Some(why) => Err(why.into()),
            None => Ok(made),
        }
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
        self.vread_under(permit, resource_type, id, version)
    }

    pub(crate) fn vread_under(
        &self,
        permit: &dyn Covers,
        kind: ResourceType,
        id: &LogicalId,
        version: VersionId,
    ) -> Result<Found, ReadError> {
        self.reader.parameters.holds(permit, kind, Need::Read)?;
        if Events::are(kind) {
            let found = self.events.read(&self.reader, permit, id)?;
            return if version == found.version { Ok(found) } else { Err(ReadError::NotFound) };
        }
        let place = self.reader.place(kind, id.as_str())?.ok_or(ReadError::NotFound)?;
        let stored = if place.version == version.number() {
            self.newest(kind, place)?
        } else {
            self.reader.past(kind, place.row, version.number())?.ok_or(ReadError::NotFound)?
        };
        let deleted = stored.head()?.method == Method::Delete;
        self.visible(permit, &stored, deleted)
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
        self.history_under(permit, resource_type, id, count, cursor)
    }

    pub(crate) fn history_under(
        &self,
        permit: &dyn Covers,
        kind: ResourceType,
        id: &LogicalId,
        count: usize,
        cursor: Option<&str>,
    ) -> Result<HistoryPage, ReadError> {
        self.reader.parameters.holds(permit, kind, Need::Read)?;
        let bound_to = ["history", kind.name(), id.as_str()];
        let before = match cursor.map(|cursor| self.secret.mark(cursor, &bound_to)).transpose()? {
            None => u64::MAX,
            Some(Mark::Number(version, _)) => version,
            Some(Mark::Match(..)) => return Err(ReadError::Cursor),
        };
        if Events::are(kind) {
            let found = self.events.read(&self.reader, permit, id)?;
            return Ok(HistoryPage { versions: vec![found], total: 1, next: None });
        }
        let count = count.min(limits::HISTORY_COUNT_MAX);
        let place = self.reader.place(kind, id.as_str())?.ok_or(ReadError::NotFound)?;
        let access = permit.access(kind, Need::Read);
        let mut page = HistoryPage::default();
        let mut more = false;
        let mut take = |stored: Stored| -> Result<(), ReadError> {
            if !self.reader.covers(access, &stored)? {
                return Ok(());
            }
            page.total += 1;
            if u64::from(stored.head()?.version) < before {
                if page.versions.len() < count {
                    page.versions.push(self.reader.found(&stored, permit, Need::Read)?);
                } else {
                    more = true;
                }
            }
            Ok(())
        };
        if !place.deleted {
            take(self.newest(kind, place)?)?;
        }
        let prefix = key::current(self.reader.types.number(kind), place.row);
        let mut past = self.reader.view.prefix(Space::History, &prefix)?;
        while let Some((_, value)) = past.next_pair()? {
            take(Reader::stored_past(kind, place.row, value))?;
        }
        if page.total == 0 {
            return Err(ReadError::NotFound);
        }
        if let Some(last) = page.versions.last().filter(|_| more) {
            let mark = Mark::Number(u64::from(last.version.number()), Vec::new());
            page.next = Some(self.secret.cursor(&mark, &bound_to)?);
        }
        Ok(page)
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
        self.search_under(permit, query, cursor, caller_key)
    }

    /// The first page of a search, or why there is none, and which way the search went.
    pub fn explain(&self, permit: &Permit, query: &Query) -> (Result<Page, ReadError>, Explanation) {
        self.explain_under(permit, query, None, "")
    }

    pub(crate) fn explain_under(
        &self,
        permit: &dyn Covers,
        query: &Query,
        cursor: Option<&str>,
        caller_key: &str,
    ) -> (Result<Page, ReadError>, Explanation) {
        let budget = Budget::accounted(&self.reader.search, &self.reader.heavy);
        let page = self.search_with(permit, query, cursor, caller_key, &budget);
        (page, budget.explanation())
    }

    pub(crate) fn search_under(
        &self,
        permit: &dyn Covers,
        query: &Query,
        cursor: Option<&str>,
        caller_key: &str,
    ) -> Result<Page, ReadError> {
        self.search_with(permit, query, cursor, caller_key, &Budget::new(&self.reader.search, &self.reader.heavy))
    }

    fn search_with(
        &self,
        permit: &dyn Covers,
        query: &Query,
        cursor: Option<&str>,
        caller_key: &str,
        budget: &Budget,
    ) -> Result<Page, ReadError> {
        self.reader.parameters.answers_query(permit, query)?;
        let sort = if query.sort.is_empty() { "[]".to_owned() } else { format!("{:?}", query.sort) };
        let bound_to = ["search", query.resource_type.name(), &query.applied, &sort, caller_key];
        let mark = cursor.map(|cursor| self.secret.mark(cursor, &bound_to)).transpose()?;
        if Events::are(query.resource_type) {
            budget.account.note(query.resource_type, Shape::AuditLog);
            let after = match mark {
                None => None,
                Some(Mark::Number(sequence, key)) => Some(position(sequence, key)),
                Some(Mark::Match(..)) => return Err(ReadError::Cursor),
            };
            let (mut page, next) = self.events.search(&self.reader, permit, query, after.as_ref(), budget)?;
            page.next = next
                .map(|next| {
                    let (Position::Row(sequence) | Position::Key(_, sequence)) = next;
                    self.secret.cursor(&Mark::Number(sequence, next.into_key()), &bound_to)
                })
                .transpose()?;
            return Ok(page);
        }
        let after = match mark {
            None => None,
            // A row outlives its resource: a match that was deleted since still has its place.
            Some(Mark::Match(id, key)) => {
                let place = self.reader.place(query.resource_type, &id)?.ok_or(ReadError::Cursor)?;
                Some(position(place.row, key))
            }
            Some(Mark::Number(..)) => return Err(ReadError::Cursor),
        };
        let outcome = plan::search(&self.reader, permit, query, after.as_ref(), budget)?;
        let included = plan::include::included(&self.reader, permit, query, &outcome.matches, budget)?;
        let matches = self.reader.found_all(&outcome.matches, permit, Need::Search)?;
        let next = match (outcome.next, matches.last()) {
            (Some(next), Some(last)) => {
                Some(self.secret.cursor(&Mark::Match(last.id.as_str().to_owned(), next.into_key()), &bound_to)?)
            }
            _ => None,
        };
        let included = self.reader.found_all(&included, permit, Need::Read)?;
        Ok(Page { matches, included, total: outcome.total, next })
    }
}

fn position(row: key::Row, sort_key: Vec<u8>) -> Position {
    if sort_key.is_empty() { Position::Row(row) } else { Position::Key(sort_key, row) }
}
