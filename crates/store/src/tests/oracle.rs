//! The oracle: what the store answers is what the matcher means, over random stores that change
//! and random questions, under permits with predicates; and every way of the planner was gone.
//!
//! The property of `cargo test` runs some cases of fixed seeds. `cargo xtask oracle` runs this same
//! test for as many queries as it is told, from any seed, and replays one (`ORACLE_QUERIES`,
//! `ORACLE_SEED`, `ORACLE_REPLAY`). A difference is shrunk and printed with its seed.
//!
//! Left out: what is said in URLs (the `search` crate's own tests), and values that extraction draws
//! out of JSON (likewise): values are made here, by its laws.

mod case;
mod check;
mod coverage;
mod dice;
mod model;
mod queries;
mod shrink;
mod values;

use case::Case;
use coverage::Coverage;
use std::{io::Write, time::Instant};

/// Cases of `cargo test`: enough for every way at the top of a search.
const CASES: u64 = 24;

/// Their first seed: some ways are rare.
const FIRST: u64 = 201;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// To whoever waits for a long run.
fn say(what: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout(), "{what}");
}

/// Runs the case of a seed; a difference ends the test.
fn run(seed: u64) -> (Case, Coverage) {
    let (case, mut coverage) = (Case::new(seed), Coverage::default());
    if let Err(difference) = check::check(&case, &mut coverage) {
        let what = difference.what.clone();
        say(format_args!("seed {seed}: store and model differ: {what}\nshrinking"));
        let shrunk = shrink::shrunk(&case, difference);
        let (case, difference) = (shrunk.case, shrunk.difference);
        panic!(
            "seed {seed} (cargo xtask oracle --replay {seed}): store and model differ: {what}\nshrunk: {}\n{case:#?}",
            difference.what
        );
    }
    (case, coverage)
}

#[test]
fn a_search_finds_what_the_matcher_means() {
    if let Some(seed) = number("ORACLE_REPLAY") {
        let (_, coverage) = run(seed);
        say(format_args!("seed {seed}: no difference\n{coverage}"));
        return;
    }
    let (wanted, first) = (number("ORACLE_QUERIES"), number("ORACLE_SEED").unwrap_or(FIRST));
    let started = Instant::now();
    let (mut whole, mut stores, mut queries) = (Coverage::default(), 0, 0);
    while wanted.map_or(stores < CASES, |wanted| queries < wanted) {
        let (case, coverage) = run(first.wrapping_add(stores));
        whole.add(&coverage);
        stores += 1;
        queries += case.queries();
        if wanted.is_some() && stores % 100 == 0 {
            say(format_args!("{queries} queries of {stores} stores, {} s", started.elapsed().as_secs()));
        }
    }
    if wanted.is_some() {
        say(format_args!(
            "{whole}{queries} queries of {stores} stores, no difference, {} s",
            started.elapsed().as_secs()
        ));
    }
    let missing = whole.missing(wanted.is_some());
    assert!(missing.is_empty(), "never seen in {queries} queries of {stores} stores: {missing:?}");
}
