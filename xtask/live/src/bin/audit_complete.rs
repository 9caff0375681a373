//! `cargo xtask audit-complete`: is the audit log complete, under load, through kills? `live::completeness` says how.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use clap::Parser;
use live::completeness::{Plan, run};
use std::{path::PathBuf, process::ExitCode, time::Instant};

/// How often to kill, and whom.
#[derive(Debug, Parser)]
struct Arguments {
    /// The handrail binary.
    #[arg(long, default_value = "target/release/handrail")]
    handrail: PathBuf,
    /// Kills under load.
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// Kills of one data directory; then its log is tampered with, and another one begins.
    #[arg(long, default_value_t = 20)]
    per_store: usize,
    /// Clients of the API.
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// Longest time of load before a kill, in milliseconds; the shortest is a fifth.
    #[arg(long, default_value_t = 900)]
    load_ms: usize,
    /// Times that each way of tampering is tried on each store's log.
    #[arg(long, default_value_t = 6)]
    tamperings: usize,
    /// Shows that the checker sees a hole: so many entries of each round are not read.
    #[arg(long, default_value_t = 0)]
    blind: usize,
    /// Seed of what is asked and when it is killed; how the server's threads run is not in it.
    #[arg(long)]
    seed: Option<u64>,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let a = Arguments::parse();
    let seed = a.seed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        now.as_secs() % 1_000_000
    });
    println!("seed {seed}");
    let plan = Plan {
        handrail: a.handrail,
        kills: a.rounds,
        per_store: a.per_store,
        clients: a.clients,
        load_ms: a.load_ms,
        tamperings: a.tamperings,
        seed,
        blind: a.blind,
    };
    let begin = Instant::now();
    let outcome = run(&plan, |sums| println!("{:.0} s: {sums}", begin.elapsed().as_secs_f64())).await;
    live::ended(
        "audit-complete",
        outcome.map(|_| println!("every answer has its entry, every entry its request")).map(|()| true),
    )
}
