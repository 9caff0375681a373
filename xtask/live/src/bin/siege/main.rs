//! A siege: `cargo xtask siege`. The real binary serves a steady caller while peers misbehave as
//! rows A21 and F55 to F66 know it: idle connections by the thousand, slow readers and writers,
//! oversized heads, HTTP/2 floods, smuggled requests, deep and compressed bodies, costly searches.
//!
//! It shows for each attack what became of it, how the steady caller's p99 compares with the one
//! just before, the processor time of the server in both, and the most memory that it held. It fails
//! when an attack was answered as it must not be, when p99 more than doubled, or when memory passed
//! its bound. Where others took the processors meanwhile, whatever the figures, it measures again.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

mod attack;
mod peer;
mod spent;

use attack::{ATTACKS, Attack, Target};
use clap::Parser;
use live::{
    steady::{self, Steady},
    subject::Subject,
};
use spent::{Shares, Spent};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

/// Attacks the real binary and watches what others get meanwhile.
#[derive(Debug, Parser)]
struct Arguments {
    /// The binary.
    #[arg(long)]
    handrail: PathBuf,
    /// Seconds of each attack, and of the quiet time before it.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Only attacks whose name has this in it.
    #[arg(long)]
    only: Option<String>,
    /// Idle connections.
    #[arg(long, default_value_t = 10_000)]
    idle: usize,
    /// Requests a second of the steady caller.
    #[arg(long, default_value_t = 400)]
    rate: u32,
    /// Only print; do not fail for figures.
    #[arg(long)]
    print_only: bool,
}

/// Times the quiet p99 that is allowed. Below [`FLOOR_US`] a ratio speaks of the scheduler alone.
const RATIO_MAX: f64 = 2.0;

/// Microseconds of p99 under which no ratio is held against an attack.
const FLOOR_US: f64 = 5_000.0;

/// Bytes that the server may hold under any attack but the one with room for all connections.
const RESIDENT_MAX: u64 = 400 * 1024 * 1024;

/// Share of one core that others may take while we measure.
const OTHERS_MAX: f64 = 0.15;

/// Times that an attack is measured, at most, until the machine was quiet.
const TRIES: usize = 4;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    live::ended("siege", run(&Arguments::parse()).await)
}

/// A data directory with a story, and the configuration of a phase.
async fn start(binary: &Path, data: &Path, connections: usize) -> std::io::Result<Subject> {
    let config = data.join("siege.toml");
    std::fs::write(&config, format!("[limits]\nconnections = {connections}\n"))?;
    Subject::start_with(binary, data, &["--config", &config.to_string_lossy()]).await
}

async fn run(arguments: &Arguments) -> std::io::Result<bool> {
    let data = tempfile::tempdir()?;
    let time = Duration::from_secs(arguments.seconds);
    let mut held = true;
    let mut subject = start(&arguments.handrail, data.path(), 1024).await?;
    let client = subject.register("system/*.cruds")?;
    let mut target = Arc::new(Target {
        address: subject.address,
        tls: Arc::clone(&subject.tls),
        token: subject.token(&client)?,
        idle: arguments.idle,
    });
    steady::load(&target.place()).await?;
    println!(
        "{:34} {:>9} {:>9} {:>6} {:>9} {:>7} {:>6} {:>8} {:>7}  what became of it",
        "attack", "quiet p99", "p99", "ratio", "quiet CPU", "CPU", "others", "RSS MiB", "failed"
    );
    for attack in ATTACKS {
        if arguments.only.as_ref().is_some_and(|only| !attack.name.contains(only.as_str())) {
            continue;
        }
        if attack.connections != 1024 {
            subject.stop()?;
            subject = start(&arguments.handrail, data.path(), attack.connections).await?;
        }
        let mut tries = 0;
        let seen = loop {
            // A token lives five minutes.
            target = Arc::new(Target { token: subject.token(&client)?, address: subject.address, ..(*target).clone() });
            let seen = one(attack, &target, &subject, time, arguments).await?;
            tries += 1;
            if seen.others() <= OTHERS_MAX || tries == TRIES {
                break seen;
            }
            println!("{:34} measured again: others took {:.0} % of a core", attack.name, seen.others() * 100.0);
        };
        held &= seen.judge(attack);
        if attack.connections != 1024 {
            subject.stop()?;
            subject = start(&arguments.handrail, data.path(), 1024).await?;
        }
    }
    subject.stop()?;
    Ok(held || arguments.print_only)
}

/// What was seen of one attack.
struct Seen {
    quiet: Steady,
    during: Steady,
    quiet_shares: Shares,
    shares: Shares,
    verdict: attack::Verdict,
}

async fn one(
    attack: &Attack,
    target: &Arc<Target>,
    subject: &Subject,
    time: Duration,
    arguments: &Arguments,
) -> std::io::Result<Seen> {
    let spent = Spent::until_now(subject.process());
    let place = Arc::new(target.place());
    let quiet = steady::steady(&place, arguments.rate, time, || 0).await?;
    let quiet_shares = spent.since();
    let siege = (attack.begin)(Arc::clone(target)).await?;
    let spent = Spent::until_now(subject.process());
    let during = steady::steady(&place, arguments.rate, time, || subject.resident_bytes()).await?;
    let shares = spent.since();
    Ok(Seen { quiet, during, quiet_shares, shares, verdict: siege.end().await })
}

impl Seen {
    /// The most that others took of a core.
    fn others(&self) -> f64 {
        self.quiet_shares.others.max(self.shares.others)
    }

    /// Prints it; whether the house held.
    fn judge(self, attack: &Attack) -> bool {
        let others = self.others();
        let Self { quiet, during, .. } = self;
        let ratio = during.p99_us / quiet.p99_us.max(1.0);
        let (said, answered) = match self.verdict {
            Ok(said) => (said, true),
            Err(said) => (format!("WRONG: {said}"), false),
        };
        let slow = ratio > RATIO_MAX && during.p99_us > FLOOR_US;
        let fat = attack.connections == 1024 && during.resident_max > RESIDENT_MAX;
        println!(
            "{:34} {:>6.2} ms {:>6.2} ms {ratio:>6.2} {:>7.0} % {:>5.0} % {:>4.0} % {:>8} {:>7}  {said}{}{}",
            attack.name,
            quiet.p99_us / 1000.0,
            during.p99_us / 1000.0,
            self.quiet_shares.server * 100.0,
            self.shares.server * 100.0,
            others * 100.0,
            during.resident_max / 1_048_576,
            during.failed,
            if slow { " [SLOW]" } else { "" },
            if fat { " [MEMORY]" } else { "" },
        );
        answered && !slow && !fat && during.failed == 0
    }
}
