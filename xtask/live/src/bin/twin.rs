//! Twin worlds, many of them: `cargo xtask twin --sequences 20000`. A difference is printed with its
//! seed, shrunk, and ends the run with a failure. What the worlds are: `testkit::twin`.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use clap::Parser;
use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};
use testkit::twin::{Case, Tally};

/// Runs random sequences of a caller against two stores that differ in what it may not see.
#[derive(Debug, Parser)]
struct Arguments {
    /// Sequences of up to 30 requests.
    #[arg(long, default_value_t = 2000)]
    sequences: u64,
    /// Seed of the first; each further one has the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this seed, printed whole.
    #[arg(long)]
    replay: Option<u64>,
    /// Only worlds with crowds: so many resources of a kind that searches go other ways. Give it
    /// with --replay too.
    #[arg(long)]
    crowded: bool,
    /// Differences after which to stop.
    #[arg(long, default_value_t = 1)]
    differences: usize,
    /// Sequences run at the same time.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// Every so many seeds one is crowded.
const CROWDED_EVERY: u64 = 8;

fn case(seed: u64, crowded: bool) -> Case {
    if crowded || seed.is_multiple_of(CROWDED_EVERY) { Case::crowded(seed) } else { Case::new(seed) }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.replay {
        return match case(seed, arguments.crowded).check() {
            Ok(tally) => {
                println!("seed {seed}: no difference; {tally:?}");
                ExitCode::SUCCESS
            }
            Err(report) => {
                println!("seed {seed}\n{report}");
                ExitCode::FAILURE
            }
        };
    }
    let started = Instant::now();
    let (next, found) = (AtomicU64::new(0), AtomicUsize::new(0));
    let whole = Mutex::new(Tally::default());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= arguments.sequences || found.load(Ordering::Relaxed) >= arguments.differences {
                break;
            }
            let seed = arguments.seed.wrapping_add(at);
            match case(seed, arguments.crowded).check() {
                Ok(tally) => {
                    let mut whole = whole.lock().unwrap_or_else(PoisonError::into_inner);
                    whole.add(&tally);
                    if whole.sequences.is_multiple_of(500) {
                        println!("{} sequences, {} s", whole.sequences, started.elapsed().as_secs());
                    }
                }
                Err(report) => {
                    found.fetch_add(1, Ordering::Relaxed);
                    println!("seed {seed} (replay: cargo xtask twin --replay {seed})\n{report}");
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
    println!("answers by status: {:?}", whole.statuses);
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
