//! AuditEvent out of the log: read by name ([`names`]), searched from the newest back. No index rows: the
//! facts of each record are tested by the matcher, as any resource's values are.
//!
//! An entry is one event or more ([`Facet`]). A search that is about some patients reads the blocks that name them
//! alone; any other reads from the end, and is bounded.
//!
//! Who may see the events about one patient alone (the patient, a caregiver) sees of each that it was, when, who did
//! it, why and of which patient; not what was searched for, which resources of the record it touched, what counted in
//! the decision and what labels left: some of it can be withheld from them, and the events must not tell of it. What
//! was looked at in plain words: [`crate::Snapshot::accesses`].
//!
//! Order is newest first, whatever `_sort` says beside `date` and `_lastUpdated` in either
//! direction; that is refused. SPEC: R4 auditevent.html#search; rows F20 to F22.

mod accesses;
pub(crate) mod names;

pub use accesses::Seen;

use crate::{
    Found, Page, ReadError,
    engine::{
        audit_files::{
            AuditFiles, Backwards, Forwards,
            patients::{self, Key},
        },
        record::Damaged,
    },
    limits,
    page::Method,
    plan::{Budget, Position},
    reader::{Covers, Reader},
};
use audit::{
    Entry,
    balp::{self, Facet, Server},
    facts::{Fact, facts_for_search},
    frame::Record,
    report::DISORDER_MS,
};
use fhir::{Instant, LogicalId, ResourceType, VersionId};
use names::EventNames;
use policy::{Access, Need};
use search::{
    IndexValue, IndexValues, ParameterId, ParameterKind, Predicate, Query, Registry, Test,
    matcher::{Alone, Subject, matches},
    predicate::{Prefix, ReferenceTest},
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

/// An event with what a search may ask of it.
struct Event {
    id: LogicalId,
    facet: Facet,
    /// As far as the reader may know it.
    entry: Entry,
    values: IndexValues,
}

impl Event {
    fn subject(&self, kind: ResourceType) -> Subject<'_> {
        Subject { resource_type: kind, id: &self.id, last_updated: self.entry.recorded, values: &self.values }
    }
}

/// How much of an event a reader may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    /// The events about one patient, without what can be withheld of the record.
    OfOnePatient,
    /// For somebody from whom something is withheld: without why.
    WithoutGrounds,
}

impl Part {
    fn of(access: &Access) -> Self {
        match access {
            Access::Where(grant) if is_of_one_patient(grant) => Self::OfOnePatient,
            Access::Where(_) => Self::WithoutGrounds,
            Access::Everything | Access::Nothing => Self::Whole,
        }
    }

    fn cut(self, mut entry: Entry) -> Entry {
        if self == Self::OfOnePatient {
            entry.query = None;
            entry.touched.retain(|touched| touched.resource_type.name() == "Patient");
        }
        if self != Self::Whole {
            if let Some(grounds) = &mut entry.grounds {
                grounds.counted.clear();
                grounds.labels.clear();
            }
            entry = entry.settled();
        }
        entry
    }
}

impl Events {
    /// Whether this type lives in the log.
    pub(crate) fn are(kind: ResourceType) -> bool {
        kind.name() == "AuditEvent"
    }

    fn event(
        &self,
        registry: &Registry,
        kind: ResourceType,
        sequence: u64,
        entry: &Entry,
        facet: Facet,
    ) -> Result<Event, ReadError> {
        let id = self.names.id(sequence, facet)?;
        let facts = facts_for_search(&balp::event_of(facet, entry, &id, &self.server));
        let values = values(registry, kind, facts);
        Ok(Event { id, facet, entry: entry.clone(), values })
    }

    fn found(&self, kind: ResourceType, event: &Event) -> Found {
        let rendered = balp::event_of(event.facet, &event.entry, &event.id, &self.server);
        Found {
            resource_type: kind,
            id: event.id.clone(),
            version: VersionId::FIRST,
            last_updated: event.entry.recorded,
            json: bytes::Bytes::from(rendered.to_json()).into(),
            patients: named(&event.entry),
            method: Method::Create,
        }
    }

    /// The event with this id.
    pub(crate) fn read(&self, reader: &Reader, permit: &dyn Covers, id: &LogicalId) -> Result<Found, ReadError> {
        let kind = ResourceType::parse("AuditEvent").map_err(|_| ReadError::NotFound)?;
        let named = self.names.event(id).filter(|(sequence, _)| *sequence <= self.last);
        let (sequence, facet) = named.ok_or(ReadError::NotFound)?;
        let record = self.files.record(sequence)?.ok_or(ReadError::NotFound)?;
        let access = permit.access(kind, Need::Read);
        let entry = Part::of(access).cut(decoded(&record)?);
        if !facet.is_of(&entry) {
            return Err(ReadError::NotFound);
        }
        let event = self.event(&reader.registry, kind, sequence, &entry, facet)?;
        let covered = match access {
            Access::Nothing => false,
            Access::Everything => true,
            Access::Where(grant) => reader.means(grant, event.subject(kind))?,
        };
        if covered { Ok(self.found(kind, &event)) } else { Err(ReadError::NotFound) }
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
            Some(Position::Row(place)) => Some(*place),
            Some(Position::Key(..)) => return Err(ReadError::Cursor),
        };
        let part = Part::of(access);
        let about = About::new(&reader.registry, kind);
        let keys = walked(grant.and_then(|grant| about.keys(grant)), about.keys(&query.predicate));
        // What names somebody else is read for nothing, and there is little of it.
        let records_max = if keys.is_some() { self.records_max * ABOUT_SOMEBODY } else { self.records_max };
        // The total is over all pages, so it needs a walk from the start; a page alone does not.
        let counts = query.total == Total::Accurate || query.count == 0;
        let (from, to) = self.span(&about, query, grant)?;
        let mut walk = Walk::new(self, if counts { None } else { after }, ascending, keys.as_deref(), (from, to));
        let mut page = Page::default();
        let (mut total, mut tested, mut next) = (0u64, 0usize, None);
        let mut whole = true;
        while let Some(record) = walk.next()?.filter(|record| (from..=to).contains(&record.sequence)) {
            tested += 1;
            if tested > limits::LIGHT_AUDIT_RECORDS {
                budget.be_heavy()?;
            }
            if tested > records_max {
                return Err(ReadError::TooCostly("it looks at too many audit events; narrow it by a date or page on"));
            }
            let entry = part.cut(decoded(&record)?);
            let mut facets: Vec<Facet> = Facet::ALL.into_iter().filter(|facet| facet.is_of(&entry)).collect();
            if !ascending {
                facets.reverse();
            }
            for facet in facets {
                let event = self.event(&reader.registry, kind, record.sequence, &entry, facet)?;
                let subject = event.subject(kind);
                let meant = |predicate: &Predicate| matches(&reader.registry, predicate, subject, &Alone);
                if !meant(&query.predicate) {
                    continue;
                }
                // What is granted can hang on what other resources say of the reader.
                if let Some(grant) = grant
                    && !reader.means(grant, subject)?
                {
                    continue;
                }
                total += 1;
                let place = place(record.sequence, facet);
                let past = after.is_none_or(|after| if ascending { place > after } else { place < after });
                if !past {
                    continue;
                }
                if page.matches.len() < query.count {
                    page.matches.push(self.found(kind, &event));
                    next = Some(Position::Row(place));
                } else {
                    whole = false;
                }
            }
            if !whole && !counts {
                break;
            }
        }
        if counts || (whole && after.is_none()) {
            page.total = Some(total);
        }
        Ok((page, next.filter(|_| !whole && query.count > 0)))
    }

    /// First and last record that the dates of the search leave.
    fn span(&self, about: &About, query: &Query, grant: Option<&Arc<Predicate>>) -> Result<(u64, u64), ReadError> {
        let (mut low, mut high) = about.times(&query.predicate);
        if let Some((least, most)) = grant.map(|grant| about.times(grant)) {
            (low, high) = (low.max(least), high.min(most));
        }
        let from = if low == i64::MIN { 0 } else { self.before(low.saturating_sub(DISORDER_MS))? };
        let to = if high == i64::MAX { self.last } else { self.before(high.saturating_add(DISORDER_MS))? };
        Ok((from.saturating_add(1).max(self.files.first()), to.min(self.last)))
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
    /// From the entry of this place on, for it can be more than one event.
    fn new(events: &Events, after: Option<u64>, ascending: bool, keys: Option<&[Key]>, (from, to): (u64, u64)) -> Self {
        let sequence = after.map(|place| place / FACETS);
        if ascending {
            let records = events.files.forwards(sequence.unwrap_or(0).max(from), to);
            Self::On(match keys {
                Some(keys) => records.about(keys.into()),
                None => records,
            })
        } else {
            let records = events.files.backwards(sequence.unwrap_or(to).min(to));
            Self::Back(match keys {
                Some(keys) => records.about(keys.into()),
                None => records,
            })
        }
    }

    fn next(&mut self) -> Result<Option<Record>, ReadError> {
        Ok(match self {
            Self::Back(records) => records.next_record()?,
            Self::On(records) => records.next_record()?,
        })
    }
}

/// Places of one entry's events.
const FACETS: u64 = 4;

/// Every patient whom an event names, each once: who reads it is told of all of them, of who was refused, too.
fn named(entry: &Entry) -> Vec<LogicalId> {
    let mut named: Vec<LogicalId> = patients::named(entry).filter_map(|id| LogicalId::parse(id).ok()).collect();
    named.sort();
    named.dedup();
    named
}

/// How many times as many records a search about some patients may test: those that name them are of use.
const ABOUT_SOMEBODY: usize = 20;

/// Where an event stands among all.
fn place(sequence: u64, facet: Facet) -> u64 {
    sequence.saturating_mul(FACETS).saturating_add(u64::from(facet.number()))
}

fn decoded(record: &Record) -> Result<Entry, ReadError> {
    Ok(Entry::decode(&record.entry).map_err(|_| Damaged("audit entry"))?)
}

/// Whom a search is about: the parameters whose values the lists of blocks know.
struct About {
    patient: Option<ParameterId>,
    entity: Option<ParameterId>,
    date: Option<ParameterId>,
}

impl About {
    fn new(registry: &Registry, kind: ResourceType) -> Self {
        let id = |code| registry.parameter(kind, code).map(|parameter| parameter.id);
        Self { patient: id("patient"), entity: id("entity"), date: id("date") }
    }

    /// First and last millisecond at which everything happened that the predicate means.
    fn times(&self, predicate: &Predicate) -> (i64, i64) {
        let test = match predicate {
            Predicate::LastUpdated(test) => test,
            Predicate::Value { parameter, test: Test::Date(test) } if Some(*parameter) == self.date => test,
            Predicate::And(parts) => {
                return parts
                    .iter()
                    .map(|part| self.times(part))
                    .fold((i64::MIN, i64::MAX), |(low, high), (least, most)| (low.max(least), high.min(most)));
            }
            _ => return (i64::MIN, i64::MAX),
        };
        match test.prefix {
            Prefix::Eq | Prefix::Ap => (test.low, test.high),
            Prefix::Gt | Prefix::Ge | Prefix::Sa => (test.low, i64::MAX),
            Prefix::Lt | Prefix::Le | Prefix::Eb => (i64::MIN, test.high),
            Prefix::Ne => (i64::MIN, i64::MAX),
        }
    }

    /// Patients, one of whom everything names that the predicate means; `None`: it can mean events that name nobody.
    fn keys(&self, predicate: &Predicate) -> Option<Vec<Key>> {
        let is_known = |parameter: &ParameterId| Some(*parameter) == self.patient || Some(*parameter) == self.entity;
        match predicate {
            Predicate::Nothing => Some(Vec::new()),
            Predicate::Value { parameter, test: Test::Reference(test) } if is_known(parameter) => match test {
                ReferenceTest::Target(kind, id) if kind.name() == "Patient" => Some(vec![patients::key(id.as_str())]),
                ReferenceTest::AnyType(id) if Some(*parameter) == self.patient => {
                    Some(vec![patients::key(id.as_str())])
                }
                _ => None,
            },
            // R4's compartment of a patient has an event by `patient`.
            Predicate::PatientCompartment(id) => Some(vec![patients::key(id.as_str())]),
            Predicate::And(parts) => parts.iter().find_map(|part| self.keys(part)),
            Predicate::Or(parts) => {
                let mut all = Vec::new();
                for part in parts {
                    all.extend(self.keys(part)?);
                }
                all.sort_unstable();
                all.dedup();
                Some(all)
            }
            _ => None,
        }
    }
}

/// Whose blocks are read. Where it is said whose events may be seen, these alone: how much there is of somebody else
/// must show neither in a time nor in a refusal.
fn walked(granted: Option<Vec<Key>>, asked: Option<Vec<Key>>) -> Option<Vec<Key>> {
    match (granted, asked) {
        (Some(granted), Some(asked)) if asked.iter().all(|key| granted.contains(key)) => Some(asked),
        (granted, asked) => granted.or(asked),
    }
}

/// Whether a grant is of the events about one patient alone.
fn is_of_one_patient(grant: &Predicate) -> bool {
    match grant {
        Predicate::NoOtherPatient(_) | Predicate::NoPatientBut(_) => true,
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
