//! Shrinking: first the requests, then the moments of the worlds, then parts of each request, as
//! long as the answers differ and the worlds still look the same.

use super::{Case, Tally, ask::Ask, script};
use std::cell::Cell;

/// Cases that shrinking runs at most. A run takes some 50 ms in a release build, ten times that in a debug one.
pub(super) const RUNS_MAX: usize = 3_000;

/// The smallest case found within so many runs that still shows a difference.
pub(super) fn smallest(case: &Case, runs: usize) -> Case {
    let left = Cell::new(runs);
    let shows = |case: &Case| {
        let may = left.get() > 0;
        left.set(left.get().saturating_sub(1));
        may && shows(case)
    };
    let mut best = case.clone();
    if let Some(difference) = best.run(&mut Tally::default()) {
        best.asks.truncate(difference.at + 1);
    }
    loop {
        let before = (best.asks.len(), best.plan.moments.len());
        without(&mut best, &shows, |case| &mut case.asks);
        without(&mut best, &shows, |case| &mut case.plan.moments);
        let simpler = simplify(&mut best, &shows);
        if !simpler && (best.asks.len(), best.plan.moments.len()) == before {
            return best;
        }
    }
}

fn shows(case: &Case) -> bool {
    script::is_fair(&case.lens, &case.plan.moments) && case.run(&mut Tally::default()).is_some()
}

/// Leaves out parts of single requests; whether any could go.
fn simplify(best: &mut Case, shows: &impl Fn(&Case) -> bool) -> bool {
    let mut any = false;
    for at in 0..best.asks.len() {
        while let Some(Ask::Send(plain)) = best.asks.get(at) {
            let shorter = plain.simpler().into_iter().map(|simpler| {
                let mut less = best.clone();
                less.asks[at] = Ask::Send(simpler);
                less
            });
            let Some(shorter) = shorter.into_iter().find(|less| shows(less)) else { break };
            *best = shorter;
            any = true;
        }
    }
    any
}

/// Leaves out pieces of a list, large ones first.
fn without<T: Clone>(best: &mut Case, shows: &impl Fn(&Case) -> bool, list: impl Fn(&mut Case) -> &mut Vec<T>) {
    let mut size = list(best).len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < list(best).len() {
            let mut less = best.clone();
            let all = list(&mut less);
            let end = (at + size).min(all.len());
            all.drain(at..end);
            if shows(&less) {
                *best = less;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
}
