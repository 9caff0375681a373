//! Plans: which rows a predicate means, found over the indices.
//!
//! - [`bind`]: the permit is ANDed in, joined types included; from there on there is one predicate.
//! - [`path`]: how one part of it can be found in the index; [`choose`]: which path drives, which are
//!   intersected, and what is left to be tested on the stored values.
//! - [`source`]: rows in ascending order from postings, their unions and intersections.
//! - [`run`]: candidates tested, counted, sorted, cut into pages; [`include`]: what goes along.
//!
//! INVARIANT: a plan yields exactly what [`search::matcher`] means; a property test in
//! `tests/plans.rs` holds it so. A path may yield more than its part means, never less.
//!
//! Left out: statistics kept on disk; a plan looks at the first rows of each posting instead.

mod bind;
mod choose;
pub(crate) mod include;
mod path;
mod run;
mod source;

pub(crate) use run::{Position, search};

use crate::{
    ReadError,
    engine::Fault,
    limits,
    reader::{Covers, Reader, Stored},
};
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

/// What one search may still cost (row F58).
#[derive(Debug)]
pub(crate) struct Budget {
    keys: Cell<usize>,
    loads: Cell<usize>,
    casual_keys: usize,
}

impl Budget {
    pub(crate) fn new(limits: &limits::Search) -> Self {
        let (keys, loads) = (Cell::new(limits.keys_max), Cell::new(limits.loads_max));
        Self { keys, loads, casual_keys: limits.casual_keys }
    }

    /// Does something for a few index keys and no loads; `None` when that is not enough. What is left
    /// after is as before.
    pub(crate) fn little<T>(&self, work: impl FnOnce() -> Result<T, ReadError>) -> Result<Option<T>, ReadError> {
        let (keys, loads) = (self.keys.get(), self.loads.get());
        self.keys.set(keys.min(self.casual_keys));
        self.loads.set(0);
        let outcome = work();
        self.keys.set(keys);
        self.loads.set(loads);
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(ReadError::TooCostly(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn take(from: &Cell<usize>, what: &'static str) -> Result<(), ReadError> {
        from.set(from.get().checked_sub(1).ok_or(ReadError::TooCostly(what))?);
        Ok(())
    }

    /// One index key is read.
    pub(crate) fn key(&self) -> Result<(), ReadError> {
        Self::take(&self.keys, "it looks at too many index entries; narrow it by a patient, a code or a date")
    }

    /// One version is loaded.
    pub(crate) fn load(&self) -> Result<(), ReadError> {
        Self::take(&self.loads, "it tests too many resources one by one; narrow it by a patient, a code or a date")
    }
}

/// The first resources that a predicate means and a search under this permit sees.
pub(crate) fn first(
    reader: &Reader,
    permit: &dyn Covers,
    kind: ResourceType,
    predicate: &Arc<Predicate>,
    count: usize,
) -> Result<Vec<Stored>, ReadError> {
    let budget = Budget::new(&reader.search);
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
