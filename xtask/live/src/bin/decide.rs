//! Random Consents, callers and resources: the engine of consents against the slow decider of `testkit` (rows G4 to G7).
//!
//! `cargo xtask decide [--cases N] [--seed S]`. Ends at the first difference, made as small as it can be.

use clap::Parser;
use std::{process::ExitCode, time::Instant};

/// What to compare.
#[derive(Debug, Parser)]
struct Arguments {
    /// Decisions to compare.
    #[arg(long, default_value_t = 10_000_000)]
    cases: u64,
    /// Seed of the first set of Consents; each further one has the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let started = Instant::now();
    let run = testkit::reference::run(arguments.cases, arguments.seed, |seen| {
        if seen.consents % 65_536 == 0 {
            eprintln!("{} decisions, {} s", seen.cases, started.elapsed().as_secs());
        }
    });
    match run {
        Ok(seen) => {
            eprintln!(
                "{} decisions over {} sets of Consents agree ({} permitted, {} given, {} too large) in {} s",
                seen.cases,
                seen.consents,
                seen.permitted,
                seen.given,
                seen.too_large,
                started.elapsed().as_secs()
            );
            ExitCode::SUCCESS
        }
        Err(difference) => {
            eprintln!("{difference}");
            ExitCode::FAILURE
        }
    }
}
