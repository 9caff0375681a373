//! Twin worlds, many of them: `cargo xtask twin --sequences 100000`. A difference is printed with its
//! seed, shrunk, and ends the run with a failure. What the worlds are: `testkit::twin`. Most are guarded
//! worlds (`testkit::twin::Guarded`); one case of five is of scopes alone, of a person or an organization.
//!
//! `--sight` holds the reference of guarded worlds against what the service answers to reads of everything.
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
use testkit::twin::{Case, Forgets, Guarded, ORGANIZATIONS, PEOPLE, PLANTS, Plant, Tally};

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
    /// Guarded worlds alone: relations, consents, labels, rules, broken glasses.
    #[arg(long)]
    guarded: bool,
    /// Compares what is read in so many guarded worlds with the reference, instead.
    #[arg(long, value_name = "WORLDS")]
    sight: Option<u64>,
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
    match (arguments.replay, arguments.sight) {
        (Some(seed), _) => replay(seed, arguments.guarded),
        (None, Some(worlds)) => sight(&arguments, worlds),
        (None, None) => sequences(&arguments),
    }
}

/// Whether the reference of guarded worlds is right.
fn sight(arguments: &Arguments, worlds: u64) -> ExitCode {
    let (mut compared, mut seen, mut wrong) = (0, 0, 0);
    for at in 0..worlds {
        match Guarded::new(arguments.seed.wrapping_add(at)).check_sight() {
            Ok([asked, shown]) => {
                compared += asked;
                seen += shown;
            }
            Err(text) => {
                println!("{text}");
                wrong += 1;
                if wrong >= arguments.differences {
                    return ExitCode::FAILURE;
                }
            }
        }
    }
    println!(
        "{worlds} worlds: {compared} reads, {seen} of them seen, are answered as the reference says; {wrong} worlds are not"
    );
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One of the cases of a run: of five, four are guarded worlds.
fn check(arguments: &Arguments, at: u64) -> Result<Tally, String> {
    let seed = arguments.seed.wrapping_add(at);
    if arguments.people {
        return Case::new(seed).check();
    }
    if arguments.guarded || !at.is_multiple_of(5) {
        return Guarded::new(seed).check();
    }
    let kind = match at / 5 % 3 {
        0 => 0,
        1 => PEOPLE,
        _ => ORGANIZATIONS,
    };
    Case::new(seed.wrapping_add(kind)).check()
}

fn replay(seed: u64, guarded: bool) -> ExitCode {
    match if guarded { Guarded::new(seed).check() } else { Case::new(seed).check() } {
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
    let (next, found, done) = (AtomicU64::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let wanted = usize::try_from(arguments.sequences).unwrap_or(usize::MAX);
    println!("from seed {}", arguments.seed);
    let whole = Mutex::new(Tally::default());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if done.load(Ordering::Relaxed) >= wanted || found.load(Ordering::Relaxed) >= arguments.differences {
                break;
            }
            match check(arguments, at) {
                Ok(tally) => {
                    done.fetch_add(tally.sequences, Ordering::Relaxed);
                    let mut whole = whole.lock().unwrap_or_else(PoisonError::into_inner);
                    let before = whole.sequences / 1000;
                    whole.add(tally);
                    if whole.sequences / 1000 > before {
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
    println!("sequences in guarded worlds by caller: {:?}", whole.kinds);
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
    for forgets in Forgets::ALL {
        let (mut seed, mut after) = (arguments.seed, Vec::new());
        for _ in 0..times {
            let first = seed;
            let last = first.saturating_add(arguments.sequences);
            let found = (first..last).find(|seed| Guarded::new(*seed).forgetting(forgets).differs());
            seed = found.map_or(last, |found| found + 1);
            after.extend(found.map(|found| found + 1 - first));
        }
        missed.fetch_add(times - after.len(), Ordering::Relaxed);
        println!("forgets {forgets:?}: found {} of {times} times, after so many worlds: {after:?}", after.len());
    }
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
