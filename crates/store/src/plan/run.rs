//! Running a plan: candidates are tested, counted, sorted, and cut into pages.
//! SPEC: R4 search.html#sort, #total, #paging.

use super::{
    Budget,
    account::Shape,
    bind,
    choose::{self, Plan},
};
use crate::{
    ReadError,
    engine::{
        Space,
        key::{self, Row},
        record::Damaged,
    },
    reader::{Covers, Reader, Stored},
    transaction::joined_types,
};
use fhir::ResourceType;
use policy::{Access, Need};
use search::{
    Predicate, Query,
    order::sort_key,
    query::{Direction, SortKey, Total},
};
use std::{collections::BinaryHeap, sync::Arc};

/// Rows that a predicate means, in ascending order.
pub(crate) struct Matches<'a> {
    reader: &'a Reader,
    kind: ResourceType,
    plan: Plan,
    budget: &'a Budget,
    /// The version of the row given last, when it was loaded.
    loaded: Option<Stored>,
}

impl<'a> Matches<'a> {
    pub(crate) fn new(
        reader: &'a Reader,
        kind: ResourceType,
        predicate: &Arc<Predicate>,
        budget: &'a Budget,
    ) -> Result<Self, ReadError> {
        Self::planned(reader, kind, predicate, true, budget)
    }

    /// `use_folders`: else what it costs does not depend on what is kept in memory.
    fn planned(
        reader: &'a Reader,
        kind: ResourceType,
        predicate: &Arc<Predicate>,
        use_folders: bool,
        budget: &'a Budget,
    ) -> Result<Self, ReadError> {
        let plan = choose::plan(reader, kind, predicate, use_folders, budget)?;
        Ok(Self { reader, kind, plan, budget, loaded: None })
    }

    /// The first row meant that is not below `at_least`; ask with rows that ascend.
    pub(crate) fn next(&mut self, at_least: Row) -> Result<Option<Row>, ReadError> {
        let mut wanted = at_least;
        loop {
            self.loaded = None;
            let Some(row) = self.plan.source.seek(wanted, self.budget)? else { return Ok(None) };
            if let Some(value) = self.plan.source.value() {
                self.loaded = Some(Reader::stored(self.kind, row, value));
            }
            if let Some(packed) = self.plan.folder.as_ref().and_then(|folder| folder.version(row)) {
                self.loaded = Some(self.reader.unpacking(self.kind, row, packed.clone()));
            }
            let Some(residual) = &self.plan.residual else { return Ok(Some(row)) };
            self.budget.load()?;
            self.budget.account.tested();
            let stored = match self.loaded.take() {
                Some(stored) => Some(stored),
                None => self.reader.current(self.kind, row)?,
            };
            if let Some(stored) = stored
                && self.reader.grants(residual, &stored)?
            {
                self.loaded = Some(stored);
                return Ok(Some(row));
            }
            let Some(after) = row.checked_add(1) else { return Ok(None) };
            wanted = after;
        }
    }

    /// The version of the row given last.
    pub(crate) fn take(&mut self, row: Row) -> Result<Stored, ReadError> {
        match self.loaded.take() {
            Some(stored) => Ok(stored),
            None => {
                self.budget.load()?;
                let stored = self.reader.current(self.kind, row)?;
                stored.ok_or_else(|| ReadError::Unavailable("an index names a row that is not there".into()))
            }
        }
    }

    fn is_whole_type(&self) -> bool {
        self.plan.whole_type
    }
}

/// Where a page begins: after this.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Position {
    /// After this row.
    Row(Row),
    /// After this sort key and row.
    Key(Vec<u8>, Row),
}

impl Position {
    /// The sort key; empty when there is none.
    pub(crate) fn into_key(self) -> Vec<u8> {
        match self {
            Self::Row(_) => Vec::new(),
            Self::Key(key, _) => key,
        }
    }
}

/// One page of matches.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) matches: Vec<Stored>,
    /// The position of its last match, when more follow.
    pub(crate) next: Option<Position>,
    pub(crate) total: Option<u64>,
    /// The index did not answer all: versions had to be tested.
    tested: bool,
    /// The index of times gave the order.
    by_time: bool,
}

/// Runs a search.
pub(crate) fn search(
    reader: &Reader,
    permit: &dyn Covers,
    query: &Query,
    after: Option<&Position>,
    budget: &Budget,
) -> Result<Outcome, ReadError> {
    let kind = query.resource_type;
    let predicate = bind::under(permit, kind, Need::Search, &query.predicate);
    let note = |shape| budget.account.note(kind, shape);
    let mut outcome = match (query.sort.as_slice(), after) {
        ([], None) => by_row(reader, kind, &predicate, query, 0, budget)?,
        ([], Some(Position::Row(row))) => by_row(reader, kind, &predicate, query, row.saturating_add(1), budget)?,
        ([], Some(Position::Key(..))) | (_, Some(Position::Row(_))) => return Err(ReadError::Cursor),
        (keys, after) => {
            let after = match after {
                Some(Position::Key(key, row)) => Some((key.as_slice(), *row)),
                _ => None,
            };
            by_key(reader, kind, &predicate, query, keys, after, budget)?
        }
    };
    if query.count == 0 {
        (outcome.matches, outcome.next) = (Vec::new(), None);
    }
    if query.count > 0 && matches!(query.total, Total::None | Total::WhenKnown) && is_narrowed(permit, query) {
        // INVARIANT 5: how a plan goes depends on hidden rows too, and whether a total that nobody
        // asked for comes by the way would tell of them. So it is told when the page is the whole.
        let is_whole = after.is_none() && outcome.next.is_none();
        note(if is_whole { Shape::TotalOfPage } else { Shape::TotalNotTold });
        outcome.total = is_whole.then_some(outcome.matches.len() as u64);
        return Ok(outcome);
    }
    if outcome.total.is_some() {
        note(if query.sort.is_empty() || outcome.by_time { Shape::TotalOfPage } else { Shape::TotalOfSorting });
    } else {
        let count = |use_folders| count(reader, kind, &predicate, use_folders, budget);
        outcome.total = match query.total {
            Total::None if query.count > 0 => None,
            // Over several pages a total is known when the index alone tells it, and soon.
            Total::WhenKnown if query.count > 0 && !outcome.tested => {
                let total = budget.little(|| count(false))?;
                note(if total.is_some() { Shape::TotalByTheWay } else { Shape::TotalNotByTheWay });
                total
            }
            Total::WhenKnown if query.count > 0 => None,
            Total::Estimate if query.count > 0 => match count(true) {
                Err(ReadError::TooCostly(_)) => None,
                other => Some(other?),
            },
            _ => Some(count(true)?),
        };
    }
    Ok(outcome)
}

/// Whether the permit hides a part of any type that the search looks at.
fn is_narrowed(permit: &dyn Covers, query: &Query) -> bool {
    let mut types = vec![query.resource_type];
    joined_types(&query.predicate, &mut types);
    types.into_iter().any(|kind| *permit.access(kind, Need::Search) != Access::Everything)
}

/// All that is meant, counted; versions are loaded only for what the index does not answer.
fn count(
    reader: &Reader,
    kind: ResourceType,
    predicate: &Arc<Predicate>,
    use_folders: bool,
    budget: &Budget,
) -> Result<u64, ReadError> {
    let mut matches = Matches::planned(reader, kind, predicate, use_folders, budget)?;
    if matches.is_whole_type() && matches.plan.residual.is_none() {
        budget.account.note(kind, Shape::TotalOfType);
        return Ok(reader.live(kind)?);
    }
    budget.account.note(kind, Shape::TotalCounted);
    let (mut total, mut next) = (0, 0);
    while let Some(row) = matches.next(next)? {
        total += 1;
        next = row.saturating_add(1);
    }
    Ok(total)
}

fn by_row(
    reader: &Reader,
    kind: ResourceType,
    predicate: &Arc<Predicate>,
    query: &Query,
    from: Row,
    budget: &Budget,
) -> Result<Outcome, ReadError> {
    let mut outcome = Outcome::default();
    let mut matches = Matches::new(reader, kind, predicate, budget)?;
    budget.account.note(kind, if from == 0 { Shape::RowsFirst } else { Shape::RowsAfter });
    outcome.tested = !matches.plan.tells_total();
    let mut next = from;
    while let Some(row) = matches.next(next)? {
        if outcome.matches.len() >= query.count {
            outcome.next = outcome.matches.last().map(|stored| Position::Row(stored.row));
            break;
        }
        outcome.matches.push(matches.take(row)?);
        next = row.saturating_add(1);
    }
    if from == 0 && outcome.next.is_none() && query.count > 0 {
        outcome.total = Some(outcome.matches.len() as u64);
    }
    Ok(outcome)
}

/// A match with its place in the order. Compared by place alone.
struct Placed {
    key: Vec<u8>,
    row: Row,
    stored: Stored,
}

impl Placed {
    fn place(&self) -> (&[u8], Row) {
        (&self.key, self.row)
    }
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Placed {}

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Placed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place().cmp(&other.place())
    }
}

fn by_key(
    reader: &Reader,
    kind: ResourceType,
    predicate: &Arc<Predicate>,
    query: &Query,
    keys: &[SortKey],
    after: Option<(&[u8], Row)>,
    budget: &Budget,
) -> Result<Outcome, ReadError> {
    let mut matches = Matches::new(reader, kind, predicate, budget)?;
    if matches.is_whole_type()
        && query.count > 0
        && let [SortKey::LastUpdated(direction)] = keys
    {
        return by_time(reader, kind, predicate, query, (keys, *direction), after, budget);
    }
    budget.account.note(kind, if after.is_none() { Shape::SortedFirst } else { Shape::SortedAfter });
    // The least `count + 1` places after the cursor's; the heap's greatest goes first.
    let mut least: BinaryHeap<Placed> = BinaryHeap::new();
    let (mut total, mut next) = (0u64, 0);
    while let Some(row) = matches.next(next)? {
        total += 1;
        next = row.saturating_add(1);
        if query.count == 0 {
            continue;
        }
        let stored = matches.take(row)?;
        let key = stored.subject(|subject| sort_key(subject, keys))?;
        if after.is_some_and(|after| (key.as_slice(), row) <= after) {
            continue;
        }
        let worse = least.peek().is_some_and(|worst| (key.as_slice(), row) >= worst.place());
        if least.len() > query.count && worse {
            continue;
        }
        least.push(Placed { key, row, stored });
        if least.len() > query.count + 1 {
            least.pop();
        }
    }
    let mut placed = least.into_sorted_vec();
    let more = placed.len() > query.count;
    placed.truncate(query.count);
    let last = placed.last().map(|last| Position::Key(last.key.clone(), last.row));
    Ok(Outcome {
        next: last.filter(|_| more),
        matches: placed.into_iter().map(|placed| placed.stored).collect(),
        total: Some(total),
        tested: true,
        by_time: false,
    })
}

/// The whole type in the order of times, which the engine keeps.
fn by_time(
    reader: &Reader,
    kind: ResourceType,
    predicate: &Arc<Predicate>,
    query: &Query,
    (keys, direction): (&[SortKey], Direction),
    after: Option<(&[u8], Row)>,
    budget: &Budget,
) -> Result<Outcome, ReadError> {
    let shape = match (direction, after) {
        (Direction::Ascending, None) => Shape::TimesUpFirst,
        (Direction::Ascending, Some(_)) => Shape::TimesUpAfter,
        (Direction::Descending, None) => Shape::TimesDownFirst,
        (Direction::Descending, Some(_)) => Shape::TimesDownAfter,
    };
    budget.account.note(kind, shape);
    let prefix = reader.types.number(kind).0.to_be_bytes();
    let mut pairs = reader.view.prefix(Space::LastUpdated, &prefix)?;
    let mut outcome = Outcome { tested: true, by_time: true, ..Outcome::default() };
    let mut last = None;
    // Rows of one millisecond are in ascending order in either direction of time.
    let mut moment: Vec<Row> = Vec::new();
    let mut moment_at = None;
    let mut ended = false;
    while !ended {
        budget.key()?;
        let key = match direction {
            Direction::Ascending => pairs.next_key()?,
            Direction::Descending => pairs.next_key_back()?,
        };
        let parsed = match &key {
            Some(key) => {
                let millis = key::millis_of(key).ok_or(Damaged("time key"))?;
                Some((millis, key::row_of(key).ok_or(Damaged("time key"))?))
            }
            None => None,
        };
        let rows = match parsed {
            Some((millis, row)) if moment_at == Some(millis) => {
                moment.push(row);
                continue;
            }
            Some((millis, row)) => {
                moment_at = Some(millis);
                std::mem::replace(&mut moment, vec![row])
            }
            None => {
                ended = true;
                std::mem::take(&mut moment)
            }
        };
        let mut rows = rows;
        rows.sort_unstable();
        for row in rows {
            budget.load()?;
            budget.account.tested();
            let Some(stored) = reader.current(kind, row)? else { continue };
            let key = stored.subject(|subject| sort_key(subject, keys))?;
            if after.is_some_and(|after| (key.as_slice(), row) <= after)
                || !reader.grants(std::slice::from_ref(predicate), &stored)?
            {
                continue;
            }
            if outcome.matches.len() >= query.count {
                outcome.next = last;
                return Ok(outcome);
            }
            last = Some(Position::Key(key, row));
            outcome.matches.push(stored);
        }
    }
    if after.is_none() {
        outcome.total = Some(outcome.matches.len() as u64);
    }
    Ok(outcome)
}
