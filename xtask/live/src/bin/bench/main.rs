//! Measures handrail beside its references, in one run on one machine: `cargo xtask bench`.
//!
//! Every rate is a ratio: subject and reference take turns, and the medians are compared. Durable
//! writes, TLS, token, permit, validation and audit are on for the subject, always; every answer is
//! checked. How to read what it prints: `docs/bench.md`.

mod engine;
mod engines;
mod guarded;
mod indexing;
mod load;
mod measure;
mod profile;
mod reference;
mod report;
mod stage;
mod works;

use bytes::Bytes;
use clap::Parser;
use std::{io, path::PathBuf, process::ExitCode};

/// What to measure and how long.
#[derive(Debug, Parser)]
struct Arguments {
    /// The handrail binary, built with --release.
    #[arg(long, default_value = "target/release/handrail")]
    handrail: PathBuf,
    /// Resources in the stores before the work begins; with several, the largest is also told
    /// beside the smallest.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000])]
    sizes: Vec<usize>,
    /// Seconds of each turn.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Turns of subject and reference.
    #[arg(long, default_value_t = 3)]
    turns: usize,
    /// Clients of the read and search rows.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Clients of the guarded rows: enough that a server at work is measured, and not the step at which a held answer
    /// leaves.
    #[arg(long, default_value_t = 64)]
    guarded_clients: usize,
    /// Only these: read, search, guarded, create, claim, indexing, transaction, demo, validate, engines. Start, memory and
    /// disk are always told, but with `engines` alone, which needs no server.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// No open loop.
    #[arg(long)]
    closed_only: bool,
    /// Rates of the open loop, in per cent of the closed loop's.
    #[arg(long, value_delimiter = ',', default_values_t = [25, 50, 75, 90])]
    rates: Vec<u32>,
    /// Also profile one turn of each row with `perf`; the functions go to bench-profile.txt beside
    /// the JSON file.
    #[arg(long)]
    profile: bool,
    /// Exit with 0 also when a row misses what it must reach at least.
    #[arg(long)]
    report_only: bool,
    /// Folder with `packages/`: the engines' Bundle is then that of the PFE examples.
    #[arg(long)]
    guides: Option<PathBuf>,
    /// Where the inputs of the engines' rows go, for `cargo xtask peers`.
    #[arg(long)]
    work: Option<PathBuf>,
    /// Where the machine-readable table goes.
    #[arg(long, default_value = "target/bench.json")]
    json: PathBuf,
    /// Serve as the reference: the bytes of this file, on a free port; the certificate goes to --certificate.
    #[arg(long, hide = true)]
    reference: Option<PathBuf>,
    /// See --reference.
    #[arg(long, hide = true)]
    certificate: Option<PathBuf>,
}

impl Arguments {
    fn does(&self, row: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == row)
    }
}

#[expect(clippy::print_stdout, reason = "the bench speaks to a terminal")]
fn say(text: &str) {
    println!("{text}");
}

fn main() -> ExitCode {
    live::ended("bench", run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> io::Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    if let (Some(body), Some(certificate)) = (&arguments.reference, &arguments.certificate) {
        let body = Bytes::from(std::fs::read(body)?);
        runtime.block_on(reference::serve(body, certificate, |port| say(&port.to_string())))?;
        return Ok(true);
    }
    if arguments.profile {
        profile::available()?;
    }
    let (rows, profiles) = runtime.block_on(measure::all(arguments))?;
    say("");
    say(&report::table(&rows));
    if !arguments.closed_only {
        say(&report::open_loops(&rows));
    }
    if arguments.profile {
        say(&profile::table(&profiles));
        std::fs::write(arguments.json.with_file_name("bench-profile.txt"), profile::text(&profiles))?;
    }
    let shares: serde_json::Value = profiles
        .iter()
        .map(|(work, profile)| (work.clone(), profile.shares()))
        .map(|(work, shares)| serde_json::json!({ "work": work, "shares": shares }))
        .collect();
    std::fs::write(&arguments.json, report::json(&rows, shares).to_string())?;
    let short = rows.iter().filter(|row| row.is_short()).count();
    if short > 0 {
        say(&format!("{short} rows are short of what they must reach at least"));
    }
    Ok(short == 0 || arguments.report_only)
}
