//! Paths: how one part of a predicate can be found in the index. A path gives at least what its
//! part means; `exact` says that it gives no more.

use super::{
    Budget, run,
    source::{Posting, Source},
};
use crate::{
    ReadError,
    engine::{
        Space,
        key::{self, Row},
        record::Damaged,
    },
    limits,
    reader::{Reader, is_relation},
    writer::prepare::in_compartment,
};
use fhir::{LogicalId, ResourceType};
use search::{
    ParameterId, Predicate, Test,
    encoded::EncodedValues,
    index_key::{self, KeyRange},
    predicate::{DateTest, Prefix, ReferenceTest},
};

/// How a part can be found.
#[derive(Debug)]
pub(crate) enum Path {
    /// Rows in ascending order, at once.
    Stream(Source, bool),
    /// Keys between bounds: rows come out of order and have to be gathered.
    Ranges(Vec<Span>, bool),
    /// Over another type: rows have to be gathered there.
    Join,
    /// Not by an index.
    None,
}

/// Whole keys `from <= key < to`.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) space: Space,
    from: Vec<u8>,
    to: Vec<u8>,
}

/// Where paths are looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) kind: ResourceType,
    /// A patient in whose compartment all rows meant must lie.
    pub(crate) patient: Option<&'a LogicalId>,
    pub(crate) budget: &'a Budget,
}

impl Place<'_> {
    /// The path of a part.
    pub(crate) fn path(&self, part: &Predicate) -> Result<Path, ReadError> {
        Ok(match part {
            Predicate::Nothing => Path::Stream(Source::empty(), true),
            Predicate::Id(ids) => Path::Stream(self.ids(ids)?, true),
            Predicate::Value { parameter, .. } if !self.reader.registry.is_listed(*parameter) => Path::None,
            Predicate::Value { parameter, test } => self.value(*parameter, test)?,
            Predicate::LastUpdated(test) => self.last_updated(*test),
            Predicate::PatientCompartment(patient) => Path::Stream(self.membership(patient), true),
            Predicate::Or(parts) => self.either(parts)?,
            Predicate::And(parts) => self.any_of(parts)?,
            // The index has current versions alone.
            Predicate::Now(part) => self.path(part)?,
            Predicate::Chain { .. } | Predicate::Has { .. } => Path::Join,
            Predicate::All
            | Predicate::Not(_)
            | Predicate::Missing { .. }
            | Predicate::NoOtherPatient(_)
            | Predicate::InForce(_)
            | Predicate::Only { .. }
            | Predicate::Ruled(_)
            | Predicate::Near { .. }
            | Predicate::NoPatientBut(_)
            | Predicate::During(_) => Path::None,
            Predicate::FromNow(from) => self.path(&from.at(self.reader.at))?,
            Predicate::While { target, id, predicate } => {
                let holds = self.reader.target_means(*target, id, predicate)?;
                if holds { Path::None } else { Path::Stream(Source::empty(), true) }
            }
        })
    }

    fn ids(&self, ids: &[LogicalId]) -> Result<Source, ReadError> {
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids {
            self.budget.key()?;
            if let Some(place) = self.reader.place(self.kind, id.as_str())?.filter(|place| !place.deleted) {
                rows.push(place.row);
            }
        }
        Ok(Source::list(rows))
    }

    fn membership(&self, patient: &LogicalId) -> Source {
        let number = self.reader.types.number(self.kind);
        let prefix = key::compartment(patient.as_str(), number, key::MEMBERSHIP, &[]);
        Source::Posting(Posting::new(&self.reader.view, Space::Compartment, prefix))
    }

    fn span(&self, parameter: ParameterId, range: &KeyRange) -> Span {
        let number = self.reader.types.number(self.kind);
        match self.patient.filter(|_| in_compartment(&self.reader.registry, parameter)) {
            Some(patient) => Span {
                space: Space::Compartment,
                from: key::compartment(patient.as_str(), number, parameter, &range.start),
                to: key::compartment(patient.as_str(), number, parameter, &range.end),
            },
            None => Span {
                space: Space::Index,
                from: key::index(number, parameter, &range.start),
                to: key::index(number, parameter, &range.end),
            },
        }
    }

    fn value(&self, parameter: ParameterId, test: &Test) -> Result<Path, ReadError> {
        let ranges = index_key::ranges(test);
        let spans: Vec<Span> = ranges.ranges.iter().map(|range| self.span(parameter, range)).collect();
        let mut postings = Vec::with_capacity(spans.len());
        for span in &spans {
            match self.as_posting(span)? {
                Some(posting) => postings.extend(posting),
                None => return Ok(Path::Ranges(spans, ranges.exact)),
            }
        }
        Ok(Path::Stream(merged(postings), ranges.exact))
    }

    /// The span as the posting of one key: `None` when it has several keys, nothing in it when it
    /// is empty. No key begins another, so a first key of exactly this length is the only one.
    fn as_posting(&self, span: &Span) -> Result<Option<Option<Source>>, ReadError> {
        if key::after_prefix(&span.from).as_ref() != Some(&span.to) {
            return Ok(None);
        }
        self.budget.key()?;
        let first = self.reader.view.range(span.space, &span.from, &span.to)?.next_key()?;
        Ok(match first {
            None => Some(None),
            Some(key) if key.len() == span.from.len() + 8 => {
                Some(Some(Source::Posting(Posting::new(&self.reader.view, span.space, span.from.clone()))))
            }
            Some(_) => None,
        })
    }

    /// A moment lies within the span that a test names, give or take the ends.
    fn last_updated(&self, test: DateTest) -> Path {
        let number = self.reader.types.number(self.kind);
        let (from, to) = match test.prefix {
            Prefix::Eq | Prefix::Ap => (test.low.saturating_sub(1), test.high.saturating_add(1)),
            Prefix::Gt | Prefix::Ge | Prefix::Sa => (test.low.saturating_sub(1), i64::MAX),
            Prefix::Lt | Prefix::Le | Prefix::Eb => (i64::MIN, test.high.saturating_add(1)),
            Prefix::Ne => return Path::None,
        };
        let from = key::last_updated(number, from).to_vec();
        let to = key::with_row(&key::last_updated(number, to), Row::MAX);
        Path::Ranges(vec![Span { space: Space::LastUpdated, from, to }], false)
    }

    /// Every part must have a path; ranges among them make it all ranges, a join makes it all a join.
    fn either(&self, parts: &[std::sync::Arc<Predicate>]) -> Result<Path, ReadError> {
        let (mut streams, mut spans, mut all_exact, mut joins) = (Vec::new(), Vec::new(), true, false);
        for part in parts {
            match self.path(part)? {
                Path::Stream(source, exact) => {
                    streams.push(source);
                    all_exact &= exact;
                }
                Path::Ranges(more, exact) => {
                    spans.extend(more);
                    all_exact &= exact;
                }
                Path::Join => joins = true,
                Path::None => return Ok(Path::None),
            }
        }
        if joins {
            return Ok(Path::Join);
        }
        if spans.is_empty() {
            return Ok(Path::Stream(merged(streams), all_exact));
        }
        if streams.is_empty() {
            return Ok(Path::Ranges(spans, all_exact));
        }
        match self.gather(&spans, self.reader.search.join_rows_max)? {
            Some(rows) => {
                streams.push(Source::list(rows));
                Ok(Path::Stream(merged(streams), all_exact))
            }
            None => Ok(Path::None),
        }
    }

    /// The best path of one of several parts that must all hold: within an `Or`.
    fn any_of(&self, parts: &[std::sync::Arc<Predicate>]) -> Result<Path, ReadError> {
        let whole = parts.len() == 1;
        let mut ranges = Path::None;
        for part in parts {
            match self.path(part)? {
                Path::Stream(source, exact) => return Ok(Path::Stream(source, exact && whole)),
                Path::Ranges(spans, exact) => ranges = Path::Ranges(spans, exact && whole),
                Path::Join | Path::None => {}
            }
        }
        Ok(ranges)
    }

    /// The rows of spans, when they have no more than `max` keys.
    pub(crate) fn gather(&self, spans: &[Span], max: usize) -> Result<Option<Vec<Row>>, ReadError> {
        let mut rows = Vec::new();
        for span in spans {
            let mut keys = self.reader.view.range(span.space, &span.from, &span.to)?;
            while let Some(key) = keys.next_key()? {
                self.budget.key()?;
                if rows.len() >= max {
                    return Ok(None);
                }
                rows.push(key::row_of(&key).ok_or(Damaged("index key"))?);
            }
        }
        Ok(Some(rows))
    }

    /// The rows of a chain or `_has`, or of alternatives with such among them, when each joins over no more than `max`
    /// resources.
    pub(crate) fn join(&self, part: &Predicate, max: usize) -> Result<Option<Vec<Row>>, ReadError> {
        match part {
            // Those whom too many have to do with are not looked for through each of them.
            Predicate::Chain { target, predicate, .. }
                if is_relation(predicate)
                    && self.reader.members(*target, predicate)?.is_none_or(|all| all.len() > max) =>
            {
                Ok(None)
            }
            Predicate::Chain { parameter, target, predicate } => {
                let mut rows = Vec::new();
                let mut targets = run::Matches::new(self.reader, *target, predicate, self.budget)?;
                let (mut next, mut count) = (0, 0);
                while let Some(row) = targets.next(next)? {
                    count += 1;
                    if count > max {
                        return Ok(None);
                    }
                    next = row + 1;
                    let stored = targets.take(row)?;
                    let id = LogicalId::parse(stored.head()?.id).map_err(|_| Damaged("id"))?;
                    let test = Test::Reference(ReferenceTest::Target(*target, id));
                    let spans: Vec<Span> =
                        index_key::ranges(&test).ranges.iter().map(|range| self.wide_span(*parameter, range)).collect();
                    match self.gather(&spans, limits::SEARCH_ROWS_MAX.saturating_sub(rows.len()))? {
                        Some(more) => rows.extend(more),
                        None => return Ok(None),
                    }
                }
                Ok(Some(rows))
            }
            Predicate::Has { source, parameter, predicate } => {
                let mut ids = std::collections::BTreeSet::new();
                let mut sources = run::Matches::new(self.reader, *source, predicate, self.budget)?;
                let (mut next, mut count) = (0, 0);
                while let Some(row) = sources.next(next)? {
                    count += 1;
                    if count > max {
                        return Ok(None);
                    }
                    next = row + 1;
                    let stored = sources.take(row)?;
                    let values = EncodedValues::new(stored.values()?);
                    search::Values::any(&values, *parameter, &mut |value| {
                        if let search::ValueRef::Reference { target: Some((kind, id)), .. } = value
                            && kind == self.kind
                            && let Ok(id) = LogicalId::parse(id)
                        {
                            ids.insert(id);
                        }
                        false
                    });
                }
                let ids: Vec<_> = ids.into_iter().collect();
                let mut source = self.ids(&ids)?;
                source.drain(usize::MAX, self.budget)
            }
            Predicate::Or(parts) => {
                let mut rows = Vec::new();
                for part in parts {
                    let more = match self.path(part)? {
                        Path::Stream(mut source, true) => source.drain(max, self.budget)?,
                        Path::Join => self.join(part, max)?,
                        Path::Stream(_, false) | Path::Ranges(..) | Path::None => None,
                    };
                    match more {
                        Some(more) if rows.len() + more.len() <= limits::SEARCH_ROWS_MAX => rows.extend(more),
                        _ => return Ok(None),
                    }
                }
                Ok(Some(rows))
            }
            Predicate::Now(part) => self.join(part, max),
            _ => Ok(None),
        }
    }

    /// Whether a join seems to go over more than `max` resources, by the lengths of lists alone: what these lists
    /// do not say counts as wide.
    pub(crate) fn is_wider(&self, part: &Predicate, max: usize) -> Result<bool, ReadError> {
        Ok(match part {
            Predicate::Chain { target, predicate, .. } if is_relation(predicate) => {
                self.reader.members(*target, predicate)?.is_none_or(|all| all.len() > max)
            }
            Predicate::Chain { target: kind, predicate, .. } | Predicate::Has { source: kind, predicate, .. } => {
                Place { kind: *kind, patient: None, ..*self }.is_wider(predicate, max)?
            }
            Predicate::Now(part) => self.is_wider(part, max)?,
            Predicate::And(parts) => {
                for part in parts {
                    if !self.is_wider(part, max)? {
                        return Ok(false);
                    }
                }
                true
            }
            Predicate::Or(parts) => {
                for part in parts {
                    if self.is_wider(part, max)? {
                        return Ok(true);
                    }
                }
                false
            }
            part => match self.path(part)? {
                Path::Stream(mut source, _) => source.drain(max, self.budget)?.is_none(),
                Path::Ranges(..) | Path::Join | Path::None => true,
            },
        })
    }

    fn wide_span(&self, parameter: ParameterId, range: &KeyRange) -> Span {
        Place { patient: None, ..*self }.span(parameter, range)
    }
}

fn merged(mut sources: Vec<Source>) -> Source {
    match sources.len() {
        0 => Source::empty(),
        1 => sources.swap_remove(0),
        _ => Source::Union(sources),
    }
}
