//! A case: a store that changes, round by round, and what is asked of it between the changes.

use super::{
    dice::Dice,
    queries::{self, Asked},
    values::{self, KINDS, any_id},
};
use crate::{limits, tests::world::Table};
use fhir::LogicalId;
use search::IndexValues;
use std::sync::Arc;

/// A change: which resource, what it becomes (`None`: deleted).
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) of: &'static str,
    pub(super) id: LogicalId,
    pub(super) becomes: Option<IndexValues>,
}

/// A resource whose newest version, versions and history are read under a permit.
#[derive(Debug, Clone)]
pub(super) struct Looked {
    pub(super) of: &'static str,
    pub(super) id: LogicalId,
    pub(super) permit: Arc<Table>,
    pub(super) count: usize,
}

/// Changes, and what is asked after them.
#[derive(Debug, Clone, Default)]
pub(super) struct Round {
    /// The store is closed and opened before.
    pub(super) reopens: bool,
    pub(super) changes: Vec<Change>,
    pub(super) asked: Vec<Asked>,
    pub(super) looked: Vec<Looked>,
}

#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) limits: limits::Search,
    pub(super) rounds: Vec<Round>,
}

impl Case {
    /// The case of a seed.
    pub(super) fn new(seed: u64) -> Self {
        let dice = &mut Dice::new(seed);
        let limits = limits(dice);
        let rounds = 1 + dice.below(4);
        let rounds = (0..rounds).map(|at| round(dice, at)).collect();
        Self { limits, rounds }
    }

    pub(super) fn queries(&self) -> u64 {
        self.rounds.iter().map(|round| round.asked.len() as u64).sum()
    }
}

/// Thresholds around the number of rows, so that every plan is the best one somewhere. Sometimes
/// so little may be read that searches are refused.
fn limits(dice: &mut Dice) -> limits::Search {
    let usual = limits::Search {
        probe_rows: dice.pick(&[1, 2, 3, 64]),
        gather_keys: dice.pick(&[1, 2, 5, 1024]),
        small_join_rows: dice.pick(&[0, 2, 8, 2000]),
        join_rows_max: dice.pick(&[0, 1, 3, 50_000]),
        casual_keys: dice.pick(&[0, 3, 8, 256]),
        ..limits::Search::default()
    };
    if dice.percent(10) {
        let (keys_max, loads_max) = (30 + dice.below(100), 5 + dice.below(60));
        return limits::Search { keys_max, loads_max, ..usual };
    }
    usual
}

fn round(dice: &mut Dice, at: usize) -> Round {
    let size = if dice.percent(10) { 1 } else { 60 };
    Round {
        reopens: at > 0 && dice.percent(10),
        changes: dice.list(0, size, |dice| {
            let of = dice.pick(&KINDS);
            let becomes = (!dice.percent(12)).then(|| values::values(dice, of));
            Change { of, id: any_id(dice), becomes }
        }),
        asked: dice.list(10, 40, queries::asked),
        looked: dice.list(0, 6, |dice| Looked {
            of: dice.pick(&KINDS),
            id: any_id(dice),
            permit: queries::permit(dice),
            count: 1 + dice.below(4),
        }),
    }
}
