//! Twin worlds, many of them: `cargo xtask twin --sequences 20000`. A difference is printed with its
//! seed, shrunk, and ends the run with a failure. What the worlds are: `testkit::twin`.
//!
//! `--plants` runs planted leaks and says after how many sequences each is found.
//! `--timing` measures whether the time of an answer tells of hidden rows ([`timing`]).
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

mod timing;

use clap::Parser;
use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};
use testkit::twin::{Case, PEOPLE, PLANTS, Plant, Tally};

/// Runs random sequences of a caller against two stores that differ in what it may not see.
#[derive(Debug, Parser)]
struct Arguments {
    /// Sequences of up to 30 requests.
    #[arg(long, default_value_t = 2000)]
    sequences: u64,
    /// Seed of the first; each further one has the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this seed; a difference is printed whole.
    #[arg(long)]
    replay: Option<u64>,
    /// Callers are apps that act for people.
    #[arg(long)]
    people: bool,
    /// Differences after which to stop.
    #[arg(long, default_value_t = 1)]
    differences: usize,
    /// Sequences run at the same time.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Finds planted leaks instead: each of them this many times, from seeds that follow.
    #[arg(long, value_name = "TIMES")]
    plants: Option<usize>,
    /// Measures times instead, with so many samples of each question.
    #[arg(long, value_name = "SAMPLES")]
    timing: Option<usize>,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    if arguments.people {
        arguments.seed = arguments.seed.wrapping_add(PEOPLE);
    }
    if let Some(times) = arguments.plants {
        return plants(&arguments, times);
    }
    if let Some(samples) = arguments.timing {
        return if timing::run(samples.max(200), arguments.seed) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    match arguments.replay {
        Some(seed) => replay(seed),
        None => sequences(&arguments),
    }
}

fn replay(seed: u64) -> ExitCode {
    match Case::new(seed).check() {
        Ok(tally) => {
            println!("seed {seed}: no difference; {:?}", tally.statuses);
            ExitCode::SUCCESS
        }
        Err(report) => {
            println!("{report}");
            ExitCode::FAILURE
        }
    }
}

fn sequences(arguments: &Arguments) -> ExitCode {
    let started = Instant::now();
    let (next, found) = (AtomicU64::new(0), AtomicUsize::new(0));
    let whole = Mutex::new(Tally::default());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= arguments.sequences || found.load(Ordering::Relaxed) >= arguments.differences {
                break;
            }
            match Case::new(arguments.seed.wrapping_add(at)).check() {
                Ok(tally) => {
                    let mut whole = whole.lock().unwrap_or_else(PoisonError::into_inner);
                    whole.add(tally);
                    if whole.sequences.is_multiple_of(500) {
                        println!("{} sequences, {} s", whole.sequences, started.elapsed().as_secs());
                    }
                }
                Err(report) => {
                    found.fetch_add(1, Ordering::Relaxed);
                    println!("{report}");
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.max(1) {
            scope.spawn(work);
        }
    });
    let whole = whole.into_inner().unwrap_or_else(PoisonError::into_inner);
    let requests: usize = whole.statuses.values().sum();
    let (sequences, hidden, seconds) = (whole.sequences, whole.hidden, started.elapsed().as_secs());
    println!("{sequences} sequences, {requests} requests to each world, {hidden} hidden differences, {seconds} s");
    println!("answers by status: {:?}; forms of search parameters: {}", whole.statuses, whole.forms.len());
    match found.into_inner() {
        0 => {
            println!("no difference");
            ExitCode::SUCCESS
        }
        differences => {
            println!("{differences} sequences differ");
            ExitCode::FAILURE
        }
    }
}

/// After how many sequences each planted leak is found.
fn plants(arguments: &Arguments, times: usize) -> ExitCode {
    let (next, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some(plant) = PLANTS.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut after = found_after(arguments, *plant, times);
            after.sort_unstable();
            let found = after.len();
            missed.fetch_add(times - found, Ordering::Relaxed);
            println!("{plant:?}: found {found} of {times} times, after so many sequences: {after:?}");
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.max(1) {
            scope.spawn(work);
        }
    });
    if missed.into_inner() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn found_after(arguments: &Arguments, plant: Plant, times: usize) -> Vec<u64> {
    let mut seed = arguments.seed;
    let mut after = Vec::new();
    for _ in 0..times {
        let first = seed;
        while seed - first < arguments.sequences {
            seed += 1;
            if Case::new(seed - 1).with_plant(plant).differs() {
                after.push(seed - first);
                break;
            }
        }
    }
    after
}
