//! Plans: which rows a predicate means, found over the indices.
//!
//! - [`bind`]: the permit is ANDed in, joined types included; from there on there is one predicate.
//! - [`path`]: how one part of it can be found in the index; [`choose`]: which path drives, which are
//!   intersected, and what is left to be tested on the stored values.
//! - [`source`]: rows in ascending order from postings, their unions and intersections.
//! - [`heavy`]: how many searches may be costly at once.
//! - [`run`]: candidates tested, counted, sorted, cut into pages; [`include`]: what goes along.
//! - [`account`]: which way a search went and what it read.
//!
//! INVARIANT: a plan yields exactly what [`search::matcher`] means; the property of
//! `tests/oracle.rs` holds it so. A path may yield more than its part means, never less.
//!
//! Left out: statistics kept on disk; a plan looks at the first rows of each posting instead.

pub(crate) mod account;
mod bind;
mod choose;
mod heavy;
pub(crate) mod include;
mod path;
mod run;
mod source;

pub(crate) use heavy::Heavy;
pub(crate) use run::{Position, search};

use crate::{
    ReadError,
    engine::{Fault, key::Row},
    limits,
    reader::{Covers, Reader, Stored},
};
use account::{Account, Counts, Explanation};
use fhir::ResourceType;
use policy::Need;
use search::Predicate;
use std::{cell::Cell, sync::Arc};

impl From<Fault> for ReadError {
    fn from(fault: Fault) -> Self {
        Self::Unavailable(fault.0)
    }
}

impl From<crate::engine::record::Damaged> for ReadError {
    fn from(damaged: crate::engine::record::Damaged) -> Self {
        Fault::from(damaged).into()
    }
}

/// What one search may still cost (row F58). Most need little; one that needs more must be one of a
/// few ([`Heavy`]) that may, or is told to come back.
#[derive(Debug)]
pub(crate) struct Budget {
    keys: Cell<usize>,
    loads: Cell<usize>,
    /// What is added when it turns out heavy.
    more_keys: Cell<usize>,
    more_loads: Cell<usize>,
    heavy: Arc<Heavy>,
    is_heavy: Cell<bool>,
    /// What it could cost at first.
    all: (usize, usize),
    /// Index keys that were read and not counted above.
    uncounted: Cell<usize>,
    casual_keys: usize,
    pub(crate) account: Account,
}

impl Budget {
    pub(crate) fn new(limits: &limits::Search, heavy: &Arc<Heavy>) -> Self {
        Self::with(limits, heavy, Account::default())
    }

    /// One that keeps an account of the way.
    pub(crate) fn accounted(limits: &limits::Search, heavy: &Arc<Heavy>) -> Self {
        Self::with(limits, heavy, Account::keeping())
    }

    fn with(limits: &limits::Search, heavy: &Arc<Heavy>, account: Account) -> Self {
        let (keys, loads) = (limits.keys_max.min(limits::LIGHT_KEYS), limits.loads_max.min(limits::LIGHT_LOADS));
        Self {
            keys: Cell::new(keys),
            loads: Cell::new(loads),
            more_keys: Cell::new(limits.keys_max - keys),
            more_loads: Cell::new(limits.loads_max - loads),
            heavy: Arc::clone(heavy),
            is_heavy: Cell::new(false),
            all: (limits.keys_max, limits.loads_max),
            uncounted: Cell::new(0),
            casual_keys: limits.casual_keys,
            account,
        }
    }

    /// What a condition of a commit may cost: the writer, and with it every write, waits for it.
    fn of_condition(limits: &limits::Search, heavy: &Arc<Heavy>) -> Self {
        let budget = Self::new(limits, heavy);
        budget.more_keys.set(0);
        budget.more_loads.set(0);
        budget
    }

    /// Goes on as a heavy search.
    ///
    /// # Errors
    /// [`ReadError::Busy`] when there are enough of them.
    pub(crate) fn be_heavy(&self) -> Result<(), ReadError> {
        if !self.is_heavy.get() {
            self.heavy.enter()?;
            self.is_heavy.set(true);
        }
        Ok(())
    }

    /// What the search did.
    pub(crate) fn explanation(self) -> Explanation {
        let used = |all: usize, left: [&Cell<usize>; 2]| {
            u64::try_from(all.saturating_sub(left.map(Cell::get).iter().sum())).unwrap_or(u64::MAX)
        };
        let counts = Counts {
            keys: used(self.all.0, [&self.keys, &self.more_keys])
                .saturating_add(u64::try_from(self.uncounted.get()).unwrap_or(u64::MAX)),
            versions: used(self.all.1, [&self.loads, &self.more_loads]),
            tested: self.account.tested_so_far(),
        };
        Explanation { steps: self.account.take_steps(), counts }
    }

    /// Does something for a few index keys and no loads; `None` when that is not enough. What is left
    /// after is as before.
    pub(crate) fn little<T>(&self, work: impl FnOnce() -> Result<T, ReadError>) -> Result<Option<T>, ReadError> {
        let all = [&self.keys, &self.loads, &self.more_keys, &self.more_loads];
        let before = all.map(|cell| cell.replace(0));
        let few = before[0].min(self.casual_keys);
        self.keys.set(few);
        let outcome = work();
        self.uncounted.set(self.uncounted.get() + few.saturating_sub(self.keys.get()));
        for (cell, before) in all.into_iter().zip(before) {
            cell.set(before);
        }
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(ReadError::TooCostly(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn take(&self, from: &Cell<usize>, more: &Cell<usize>, what: &'static str) -> Result<(), ReadError> {
        if from.get() == 0 && more.get() > 0 {
            self.be_heavy()?;
            from.set(more.take());
        }
        from.set(from.get().checked_sub(1).ok_or(ReadError::TooCostly(what))?);
        Ok(())
    }

    /// One index key is read.
    pub(crate) fn key(&self) -> Result<(), ReadError> {
        let what = "it looks at too many index entries; narrow it by a patient, a code or a date";
        self.take(&self.keys, &self.more_keys, what)
    }

    /// One version is loaded.
    pub(crate) fn load(&self) -> Result<(), ReadError> {
        let what = "it tests too many resources one by one; narrow it by a patient, a code or a date";
        self.take(&self.loads, &self.more_loads, what)
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        if self.is_heavy.get() {
            self.heavy.leave();
        }
    }
}

/// The rows that a relation ([`crate::reader::is_relation`]) means, ascending, for little; `None` when that is not enough.
pub(crate) fn members(reader: &Reader, kind: ResourceType, relation: &Predicate) -> Result<Option<Vec<Row>>, Fault> {
    let Predicate::Now(inner) = relation else { return Ok(None) };
    let Predicate::Or(ways) = inner.as_ref() else { return Ok(None) };
    let budget = Budget::of_condition(&reader.search, &reader.heavy);
    let place = path::Place { reader, kind, patient: None, budget: &budget };
    let mut rows = Vec::new();
    for way in ways {
        let more = place.join(&Predicate::Or(vec![Arc::clone(way)]), limits::MEMBERS_MAX);
        match more {
            Ok(Some(more)) => rows.extend(more),
            Ok(None) | Err(ReadError::TooCostly(_) | ReadError::Busy) => return Ok(None),
            Err(ReadError::Unavailable(why)) => return Err(Fault(why)),
            Err(other) => return Err(Fault(other.to_string())),
        }
        if rows.len() > limits::MEMBERS_MAX {
            return Ok(None);
        }
    }
    rows.sort_unstable();
    rows.dedup();
    Ok(Some(rows))
}

/// The first resources that a predicate means and a search under this permit sees: for a condition.
pub(crate) fn first(
    reader: &Reader,
    permit: &dyn Covers,
    kind: ResourceType,
    predicate: &Arc<Predicate>,
    count: usize,
) -> Result<Vec<Stored>, ReadError> {
    let budget = Budget::of_condition(&reader.search, &reader.heavy);
    let predicate = bind::under(permit, kind, Need::Search, predicate);
    let mut matches = run::Matches::new(reader, kind, &predicate, &budget)?;
    let mut found = Vec::new();
    let mut next = 0;
    while found.len() < count {
        let Some(row) = matches.next(next)? else { break };
        found.push(matches.take(row)?);
        next = row.saturating_add(1);
    }
    Ok(found)
}
