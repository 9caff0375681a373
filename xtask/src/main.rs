//! Development tasks, run as `cargo xtask COMMAND`. Left out: anything that a user of the server runs.

mod conformance;
mod definitions;
mod fuzz;
mod live;
mod matrix;
mod tidy;

use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// Development tasks of handrail.
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Write the tables of facts under crates/fhir/definitions from the FHIR packages in DIR.
    Definitions {
        /// Folder with the FHIR packages (*.tgz).
        packages: PathBuf,
        /// Only compare with what is committed; fail when a table is stale.
        #[arg(long)]
        check: bool,
    },
    /// Run the checks that need files from outside the repository; a missing file fails.
    Conformance {
        /// Folder with `packages/` and `fhirpath/`.
        directory: PathBuf,
        /// Only the checks whose name holds this text.
        #[arg(long, value_name = "TEXT")]
        only: Option<String>,
        /// Try every mutant of the examples, not a sample of each kind: many minutes, better with `--release`.
        #[arg(long)]
        all: bool,
    },
    /// Write docs/matrix.txt: what policy says to each form of grant, interaction and type.
    Matrix {
        /// Only compare with what is committed; fail when it is stale.
        #[arg(long)]
        check: bool,
    },
    /// Measure the release binary beside its references, in one run (see --help of the bench itself).
    Bench {
        /// Passed on to the bench: --sizes N,M, --only read,search, --profile, --closed-only (docs/bench.md).
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// Other engines at the work of the bench's engines, for orientation (docs/bench.md). DIR as for conformance.
    Peers {
        /// Folder with `packages/`.
        directory: PathBuf,
    },
    /// Mixed load at a fixed rate for a while: memory flat, no stall (docs/bench.md).
    Soak {
        /// Passed on: --minutes N, --rate N, --resources N, --seed S.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// `kill -9` at random moments under writing clients; a checker outside holds the store to what was acknowledged.
    Kill {
        /// Passed on: --kills N, --seed S, --clients N, --per-store N, --load-ms N.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// `kill -9` under apps that redeem, refresh and revoke; a checker outside holds codes and tokens to what was answered.
    KillApps {
        /// Passed on: --kills N, --seed S, --clients N, --per-store N, --load-ms N.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// `kill -9` under clients of every kind; a checker outside holds the audit log to every answer, and it to the log.
    AuditComplete {
        /// Passed on: --rounds N, --seed S, --clients N, --per-store N, --load-ms N, --tamperings N, --blind N.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// Sign people in and exchange tokens beside reads and searches of others, on the release binary.
    SignIns {
        /// Passed on: --seconds N, --people N, --sign-ins N, --exchanges N, --rate N, --print-only.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// Attack the release binary over the network, and watch what others get meanwhile.
    Siege {
        /// Passed on: --only NAME, --seconds N, --idle N, --rate N, --print-only.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// Random sequences against two stores that differ only in what the caller may not see.
    Twin {
        /// Passed on: --sequences N, --seed S, --replay SEED.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// Random Consents, callers and resources: the engine of consents against a slow decider of another making.
    Decide {
        /// Passed on: --cases N, --seed S.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// Hostile input for one target, guided by coverage: json, xml, fhirpath, profile, package,
    /// snapshot, value_set, code_system_file, search, scope, jwt, dpop, authorize, credentials,
    /// certificate, registration, udap, bundle, head, signature.
    Fuzz {
        /// The target.
        target: String,
        /// How long.
        #[arg(long, default_value_t = 10)]
        minutes: u32,
        /// Bytes of one input at most.
        #[arg(long, default_value_t = 4096)]
        bytes: u32,
    },
    /// Random queries of random stores, against the matcher: the property of the store's tests, run long.
    Oracle {
        /// Queries in all.
        #[arg(long, default_value_t = 10_000)]
        queries: u64,
        /// Seed of the first store; each further one has the next.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Only the store of this seed.
        #[arg(long)]
        replay: Option<u64>,
    },
    /// Crash a store at every point of a workload, as a simulated disk sees it (needs `strace`).
    Crash {
        /// Passed on: --commits N, --seed S, --strict, --every N, --point N.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// Check crate edges, file heads and lengths, banned calls, manifests.
    Tidy,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Definitions { packages, check } => definitions::run(&packages, check),
        Task::Conformance { directory, only, all } => conformance::run(&directory, only.as_deref(), all),
        Task::Matrix { check } => matrix::run(check),
        Task::Bench { arguments } => live::bench(&arguments),
        Task::Peers { directory } => live::peers(&directory),
        Task::Soak { arguments } => live::on_release("soak", &arguments),
        Task::Kill { arguments } => live::on_release("kill", &arguments),
        Task::KillApps { arguments } => live::on_release("kill_apps", &arguments),
        Task::AuditComplete { arguments } => live::on_release("audit_complete", &arguments),
        Task::SignIns { arguments } => live::on_release("sign_ins", &arguments),
        Task::Siege { arguments } => live::on_release("siege", &arguments),
        Task::Twin { arguments } => live::twin(&arguments),
        Task::Decide { arguments } => live::decide(&arguments),
        Task::Fuzz { target, minutes, bytes } => fuzz::run(&target, minutes, bytes),
        Task::Oracle { queries, seed, replay } => live::oracle(queries, seed, replay),
        Task::Crash { arguments } => live::crash(&arguments),
        Task::Tidy => tidy::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The top of the repository.
fn repository() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.clone(), std::path::Path::to_path_buf)
}
