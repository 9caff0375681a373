//! Shrinking: first the requests, then the moments of the worlds, as long as the answers differ
//! and the worlds still look the same.

use super::{Case, Tally, script};

/// The smallest case found that still shows a difference.
pub(super) fn smallest(case: &Case) -> Case {
    let mut best = case.clone();
    if let Some(difference) = best.run(&mut Tally::default()) {
        best.asks.truncate(difference.at + 1);
    }
    loop {
        let before = (best.asks.len(), best.moments.len());
        without(&mut best, |case| &mut case.asks);
        without(&mut best, |case| &mut case.moments);
        if (best.asks.len(), best.moments.len()) == before {
            return best;
        }
    }
}

/// Leaves out pieces of a list, large ones first.
fn without<T: Clone>(best: &mut Case, list: impl Fn(&mut Case) -> &mut Vec<T>) {
    let mut size = list(best).len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < list(best).len() {
            let mut less = best.clone();
            let all = list(&mut less);
            let end = (at + size).min(all.len());
            all.drain(at..end);
            if script::is_fair(&less.lens, &less.moments) && less.run(&mut Tally::default()).is_some() {
                *best = less;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
}
