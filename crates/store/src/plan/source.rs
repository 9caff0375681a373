//! Sources: rows in ascending order. Each answers one question: which is your first row that is
//! not below this one? Questions ascend, so an intersection leaps over what another side lacks.

use super::Budget;
use crate::{
    ReadError,
    engine::{
        Pairs, Space, Value, View,
        key::{self, Row},
        record::Damaged,
    },
};

/// Keys that a posting steps over before it seeks: a step costs a fraction of a seek.
const STEPS_MAX: usize = 24;

/// Rows in ascending order.
#[derive(Debug)]
pub(crate) enum Source {
    /// These rows.
    List(List),
    /// The rows of one index key, or all rows of a type.
    Posting(Posting),
    /// The rows of at least one.
    Union(Vec<Source>),
    /// The rows of all.
    Both(Vec<Source>),
}

/// Rows that were gathered.
#[derive(Debug, Default)]
pub(crate) struct List {
    rows: Vec<Row>,
    at: usize,
}

impl List {
    /// How many rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    fn seek(&mut self, at_least: Row) -> Option<Row> {
        let rest = self.rows.get(self.at..).unwrap_or_default();
        self.at += match rest.first() {
            Some(row) if *row >= at_least => 0,
            _ => rest.partition_point(|row| *row < at_least),
        };
        self.rows.get(self.at).copied()
    }
}

/// The rows of one index key: keys that begin with `prefix`, then the row.
#[derive(Debug)]
pub(crate) struct Posting {
    view: View,
    pub(crate) space: Space,
    prefix: Vec<u8>,
    pairs: Option<Pairs>,
    head: Option<Row>,
    ended: bool,
    /// The stored version of the head, when this is a scan of versions.
    value: Option<Value>,
}

impl Posting {
    pub(crate) fn new(view: &View, space: Space, prefix: Vec<u8>) -> Self {
        Self { view: view.clone(), space, prefix, pairs: None, head: None, ended: false, value: None }
    }

    fn seek(&mut self, at_least: Row, budget: &Budget) -> Result<Option<Row>, ReadError> {
        if let Some(head) = self.head.filter(|head| *head >= at_least) {
            return Ok(Some(head));
        }
        let mut steps = 0;
        while !self.ended {
            let pairs = match &mut self.pairs {
                Some(pairs) if steps < STEPS_MAX => pairs,
                pairs => {
                    steps = 0;
                    let from = key::with_row(&self.prefix, at_least);
                    let opened = match key::after_prefix(&self.prefix) {
                        Some(end) => self.view.range(self.space, &from, &end)?,
                        None => self.view.from(self.space, &from)?,
                    };
                    pairs.insert(opened)
                }
            };
            budget.key()?;
            let found = if self.space == Space::Current {
                pairs.next_pair()?.map(|(key, value)| (key, Some(value)))
            } else {
                pairs.next_key()?.map(|key| (key, None))
            };
            let Some((key, value)) = found else {
                self.ended = true;
                break;
            };
            let row = key::row_of(&key).ok_or(Damaged("index key"))?;
            if row >= at_least {
                (self.head, self.value) = (Some(row), value);
                return Ok(Some(row));
            }
            steps += 1;
        }
        self.head = None;
        Ok(None)
    }
}

impl Source {
    /// No rows.
    pub(crate) fn empty() -> Self {
        Self::List(List::default())
    }

    /// These rows, ascending already.
    pub(crate) fn ascending(rows: Vec<Row>) -> Self {
        Self::List(List { rows, at: 0 })
    }

    /// These rows, in any order.
    pub(crate) fn list(mut rows: Vec<Row>) -> Self {
        rows.sort_unstable();
        rows.dedup();
        Self::List(List { rows, at: 0 })
    }

    /// The first row that is not below `at_least`; asked with rows that never descend.
    pub(crate) fn seek(&mut self, at_least: Row, budget: &Budget) -> Result<Option<Row>, ReadError> {
        match self {
            Self::List(list) => Ok(list.seek(at_least)),
            Self::Posting(posting) => posting.seek(at_least, budget),
            Self::Union(parts) => {
                let mut least: Option<Row> = None;
                for part in parts {
                    if let Some(row) = part.seek(at_least, budget)? {
                        least = Some(least.map_or(row, |least| least.min(row)));
                    }
                }
                Ok(least)
            }
            Self::Both(parts) => {
                let mut wanted = at_least;
                let mut agreed = 0;
                for at in (0..parts.len()).cycle() {
                    let Some(part) = parts.get_mut(at) else { break };
                    let Some(row) = part.seek(wanted, budget)? else { return Ok(None) };
                    agreed = if row == wanted { agreed + 1 } else { 1 };
                    wanted = row;
                    if agreed >= parts.len() {
                        return Ok(Some(row));
                    }
                }
                Ok(None)
            }
        }
    }

    /// Questions may start from the beginning again.
    pub(crate) fn rewind(&mut self) {
        match self {
            Self::List(list) => list.at = 0,
            Self::Posting(posting) => (posting.pairs, posting.head, posting.ended) = (None, None, false),
            Self::Union(parts) | Self::Both(parts) => parts.iter_mut().for_each(Self::rewind),
        }
    }

    /// The stored version of the row found last, when this source has it at hand.
    pub(crate) fn value(&mut self) -> Option<Value> {
        match self {
            Self::Posting(posting) => posting.value.take(),
            _ => None,
        }
    }

    /// All rows, when they are no more than `max`.
    pub(crate) fn drain(&mut self, max: usize, budget: &Budget) -> Result<Option<Vec<Row>>, ReadError> {
        let mut rows = Vec::new();
        let mut next = 0;
        while let Some(row) = self.seek(next, budget)? {
            if rows.len() >= max {
                return Ok(None);
            }
            rows.push(row);
            let Some(after) = row.checked_add(1) else { break };
            next = after;
        }
        Ok(Some(rows))
    }
}
