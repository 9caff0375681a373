//! AuditEvent out of the log: read by name ([`names`]), searched from the newest back. No index rows: the
//! facts of each record are tested by the matcher, as any resource's values are.
//!
//! Order is newest first, whatever `_sort` says beside `date` and `_lastUpdated` in either
//! direction; that is refused. Left out: summaries of whole segments, so that a scan can pass over
//! them; a scan is bounded instead. SPEC: R4 auditevent.html#search; row F22.

pub(crate) mod names;

use crate::{
    Found, Page, ReadError,
    engine::{
        audit_files::{AuditFiles, Backwards, Forwards},
        record::Damaged,
    },
    limits,
    page::Method,
    plan::{Budget, Position},
    reader::{Covers, Reader},
};
use audit::{
    Entry,
    balp::{self, Server},
    facts::{Fact, facts_for_search},
    frame::Record,
};
use fhir::{Instant, LogicalId, ResourceType, VersionId};
use names::EventNames;
use policy::{Access, Need};
use search::{
    IndexValue, IndexValues, ParameterKind, Predicate, Query, Registry,
    matcher::{Alone, Subject, matches},
    query::{Direction, SortKey, Total},
};
use std::sync::Arc;

/// The events of one snapshot: those up to a record.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    pub(crate) files: AuditFiles,
    pub(crate) last: u64,
    pub(crate) server: Arc<Server>,
    pub(crate) names: Arc<EventNames>,
    /// Records that one search tests at most.
    pub(crate) records_max: usize,
}

/// A record with what a search may ask of it.
struct Event {
    id: LogicalId,
    entry: Entry,
    values: IndexValues,
}

impl Event {
    fn subject(&self, kind: ResourceType) -> Subject<'_> {
        Subject { resource_type: kind, id: &self.id, last_updated: self.entry.recorded, values: &self.values }
    }
}

impl Events {
    /// Whether this type lives in the log.
    pub(crate) fn are(kind: ResourceType) -> bool {
        kind.name() == "AuditEvent"
    }

    fn event(&self, registry: &Registry, kind: ResourceType, record: &Record) -> Result<Event, ReadError> {
        let entry = Entry::decode(&record.entry).map_err(|_| Damaged("audit entry"))?;
        let id = self.names.id(record.sequence)?;
        let facts = facts_for_search(&balp::event(&entry, &id, &self.server));
        let values = values(registry, kind, facts);
        Ok(Event { id, entry, values })
    }

    /// What somebody searched for may name others than it found: a reader of one patient's events does not learn it.
    fn found(&self, kind: ResourceType, event: &Event, access: &Access) -> Found {
        let less;
        let entry = match access {
            Access::Where(grant) if event.entry.query.is_some() && is_of_one_patient(grant) => {
                less = Entry { query: None, ..event.entry.clone() };
                &less
            }
            _ => &event.entry,
        };
        let rendered = balp::event(entry, &event.id, &self.server);
        Found {
            resource_type: kind,
            id: event.id.clone(),
            version: VersionId::FIRST,
            last_updated: event.entry.recorded,
            json: bytes::Bytes::from(rendered.to_json()).into(),
            patients: event.entry.patients.clone(),
            method: Method::Create,
        }
    }

    /// The event with this id.
    pub(crate) fn read(&self, reader: &Reader, permit: &dyn Covers, id: &LogicalId) -> Result<Found, ReadError> {
        let kind = ResourceType::parse("AuditEvent").map_err(|_| ReadError::NotFound)?;
        let sequence = self.names.sequence(id).filter(|sequence| *sequence <= self.last).ok_or(ReadError::NotFound)?;
        let record = self.files.record(sequence)?.ok_or(ReadError::NotFound)?;
        let event = self.event(&reader.registry, kind, &record)?;
        let access = permit.access(kind, Need::Read);
        let covered = match access {
            Access::Nothing => false,
            Access::Everything => true,
            Access::Where(grant) => reader.means(grant, event.subject(kind))?,
        };
        if covered { Ok(self.found(kind, &event, access)) } else { Err(ReadError::NotFound) }
    }

    /// A page, newest first unless the oldest are asked for first.
    pub(crate) fn search(
        &self,
        reader: &Reader,
        permit: &dyn Covers,
        query: &Query,
        after: Option<&Position>,
        budget: &Budget,
    ) -> Result<(Page, Option<Position>), ReadError> {
        let kind = query.resource_type;
        let access = permit.access(kind, Need::Search);
        let grant = match access {
            Access::Nothing => return Ok((Page { total: Some(0), ..Page::default() }, None)),
            Access::Everything => None,
            Access::Where(grant) => Some(grant),
        };
        let ascending = self.order(reader, query)?;
        if has_join(&query.predicate) {
            return Err(ReadError::TooCostly("audit events are not joined with other resources"));
        }
        let after = match after {
            None => None,
            Some(Position::Row(sequence)) => Some(*sequence),
            Some(Position::Key(..)) => return Err(ReadError::Cursor),
        };
        // The total is over all pages, so it needs a walk from the start; a page alone does not.
        let counts = query.total == Total::Accurate || query.count == 0;
        let mut walk = Walk::new(self, if counts { None } else { after }, ascending);
        let mut page = Page::default();
        let (mut total, mut tested, mut next) = (0u64, 0usize, None);
        let mut whole = true;
        while let Some(record) = walk.next()? {
            tested += 1;
            if tested > limits::LIGHT_AUDIT_RECORDS {
                budget.be_heavy()?;
            }
            if tested > self.records_max {
                return Err(ReadError::TooCostly("it looks at too many audit events; narrow it by a date or page on"));
            }
            let event = self.event(&reader.registry, kind, &record)?;
            let subject = event.subject(kind);
            if !matches(&reader.registry, &query.predicate, subject, &Alone) {
                continue;
            }
            if let Some(grant) = grant
                && !reader.means(grant, subject)?
            {
                continue;
            }
            total += 1;
            let past =
                after.is_none_or(|after| if ascending { record.sequence > after } else { record.sequence < after });
            if !past {
                continue;
            }
            if page.matches.len() < query.count {
                page.matches.push(self.found(kind, &event, access));
                next = Some(Position::Row(record.sequence));
            } else {
                whole = false;
                if !counts {
                    break;
                }
            }
        }
        if counts || (whole && after.is_none()) {
            page.total = Some(total);
        }
        Ok((page, next.filter(|_| !whole && query.count > 0)))
    }

    /// Whether the oldest come first.
    fn order(&self, reader: &Reader, query: &Query) -> Result<bool, ReadError> {
        let direction = match query.sort.as_slice() {
            [] => return Ok(false),
            [SortKey::LastUpdated(direction)] => direction,
            [SortKey::Parameter(parameter, direction)]
                if reader.registry.by_id(*parameter).is_some_and(|parameter| parameter.code == "date") =>
            {
                direction
            }
            _ => return Err(ReadError::TooCostly("audit events sort by date alone")),
        };
        Ok(*direction == Direction::Ascending)
    }
}

/// Records in one direction.
enum Walk {
    Back(Backwards),
    On(Forwards),
}

impl Walk {
    fn new(events: &Events, after: Option<u64>, ascending: bool) -> Self {
        if ascending {
            Self::On(events.files.forwards(after.map_or(1, |after| after.saturating_add(1)), events.last))
        } else {
            Self::Back(events.files.backwards(after.map_or(events.last, |after| after.saturating_sub(1))))
        }
    }

    fn next(&mut self) -> Result<Option<Record>, ReadError> {
        Ok(match self {
            Self::Back(records) => records.next_record()?,
            Self::On(records) => records.next_record()?,
        })
    }
}

/// Whether a grant is of the events about one patient alone.
fn is_of_one_patient(grant: &Predicate) -> bool {
    match grant {
        Predicate::NoOtherPatient(_) => true,
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().any(|part| is_of_one_patient(part)),
        _ => false,
    }
}

fn has_join(predicate: &Predicate) -> bool {
    let mut types = Vec::new();
    crate::transaction::joined_types(predicate, &mut types);
    !types.is_empty()
}

/// Facts as index values of the registry's parameters.
fn values(registry: &Registry, kind: ResourceType, facts: Vec<(&'static str, Fact)>) -> IndexValues {
    let mut values: Vec<_> = facts
        .into_iter()
        .filter_map(|(code, fact)| {
            let parameter = registry.parameter(kind, code)?;
            Some((parameter.id, value(parameter.kind, fact)))
        })
        .collect();
    values.sort_by_key(|(parameter, _)| *parameter);
    IndexValues(values)
}

fn value(kind: ParameterKind, fact: Fact) -> IndexValue {
    match fact {
        Fact::Token(system, code) => IndexValue::Token { system, code, text: None },
        Fact::Text(text) if kind == ParameterKind::Uri => IndexValue::Uri(text),
        Fact::Text(text) => IndexValue::String { folded: search::fold::fold(&text), original: text },
        Fact::Reference(kind, id) => IndexValue::Reference { target: Some((kind, id)), url: None, identifier: None },
        Fact::Identifier(system, value) => {
            IndexValue::Reference { target: None, url: None, identifier: Some((system, value)) }
        }
        Fact::Date(instant) => date(instant),
    }
}

fn date(instant: Instant) -> IndexValue {
    let low = instant.unix_millis();
    IndexValue::Date { low, high: low.saturating_add(1) }
}
