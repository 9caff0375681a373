//! The commands, one file each, and the help that a newcomer reads first.

mod audit;
mod backup;
mod client;
mod config;
mod data;
mod demo;
mod doctor;
mod explain;
mod fhirpath;
mod keys;
mod labels;
mod load;
mod package;
mod pki;
mod policy;
mod remote;
mod serve;
mod settings;
mod sign;
mod terminology;
mod token;
mod udap;
mod user;
mod validate;
mod verify;

use crate::{fault::Fault, limits, log::Settings, print};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A secure FHIR R4 server for post-acute care, in one binary.
#[derive(Debug, Parser)]
#[command(
    name = "handrail",
    version,
    max_term_width = 100,
    after_help = "First steps:
  handrail demo                        a server with made-up patients, and lines to paste
  handrail serve --data ./data         an empty server
  handrail client add lab --data ./data --scope 'system/*.rs' --generate-key lab.jwk
  handrail token --server https://127.0.0.1:8443/fhir --client ID --key lab.jwk \\
      --ca ./data/tls/ca.pem

Log lines go to standard error; HANDRAIL_LOG_LEVEL=debug shows more of them."
)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a server with a made-up post-acute story in it, for trying out
    Demo(demo::Demo),
    /// Start a server on a data directory
    Serve(serve::Serve),
    /// Show every setting, its value and where it comes from
    Config(config::Config),
    /// Register, list and remove the systems and apps that may call
    Client(client::Client),
    /// Check a file on security labels, and label what is stored anew
    Labels(labels::Labels),
    /// Look after the keys that the server signs with
    Keys(keys::Keys),
    /// Make a private CA and certificates of clients and servers, and revoke them
    Pki(pki::Pki),
    /// Look after trust communities (UDAP), look at partners' servers, and join one
    Udap(udap::Udap),
    /// Add, invite, list and disable the people who may sign in
    User(user::User),
    /// Get an access token (SMART Backend Services) and print it
    Token(token::Token),
    /// Load resources, Bundles, NDJSON, folders and FHIR packages
    Load(load::Load),
    /// Load code systems from their official files, list and remove them
    Terminology(terminology::Terminology),
    /// Add FHIR packages with their profiles, codes and search parameters, list and remove them
    Package(package::Package),
    /// Check, test and reload the rules on who may see what
    Policy(policy::Policy),
    /// Show which way a search goes and what it reads
    Explain(explain::Explain),
    /// Validate files against R4 and profiles, without a server
    Validate(validate::Validate),
    /// Evaluate a FHIRPath expression on a file
    Fhirpath(fhirpath::Fhirpath),
    /// Sign a resource in a file
    Sign(sign::Sign),
    /// Verify the signatures of a resource in a file
    Verify(verify::Verify),
    /// Look after the audit log
    Audit(audit::Audit),
    /// Write a backup, also while the server runs
    Backup(backup::Backup),
    /// Make a new data directory of a backup
    Restore(backup::Restore),
    /// Say in plain words what is wrong with a server and its data directory
    Doctor(doctor::Doctor),
}

/// Runs the command of this process.
pub(crate) fn run() -> ExitCode {
    let command = Line::parse().command;
    if let Command::Demo(_) | Command::Serve(_) = command {
        crate::allocator::settle();
    }
    match command {
        Command::Demo(demo) => in_runtime(Settings::of_command(), true, demo.run()),
        Command::Serve(serve) => match serve.read() {
            Ok(config) => in_runtime(Ok(config.log), true, serve::run(config)),
            Err(fault) => failed(&fault),
        },
        Command::Config(config) => ended(config.run()),
        Command::Client(client) => in_runtime(Settings::of_command(), false, client.run()),
        Command::Labels(labels) => in_runtime(Settings::of_command(), false, labels.run()),
        Command::Keys(keys) => in_runtime(Settings::of_command(), false, keys.run()),
        Command::Pki(pki) => in_runtime(Settings::of_command(), false, pki.run()),
        Command::Udap(udap) => in_runtime(Settings::of_command(), false, udap.run()),
        Command::User(user) => in_runtime(Settings::of_command(), false, user.run()),
        Command::Token(token) => in_runtime(Settings::of_command(), false, token.run()),
        Command::Load(load) => in_runtime(Settings::of_command(), false, load.run()),
        Command::Backup(backup) => in_runtime(Settings::of_command(), false, backup.run()),
        Command::Restore(restore) => in_runtime(Settings::of_command(), false, async { restore.run() }),
        Command::Doctor(doctor) => match doctor.read() {
            Ok(examination) => in_runtime(Settings::of_command(), false, examination.run()),
            Err(fault) => failed(&fault),
        },
        Command::Terminology(terminology) => ended(terminology.run()),
        Command::Package(package) => in_runtime(Settings::of_command(), false, package.run()),
        Command::Policy(policy) => in_runtime(Settings::of_command(), false, policy.run()),
        Command::Explain(explain) => in_runtime(Settings::of_command(), false, explain.run()),
        Command::Validate(validate) => validate.run(),
        Command::Fhirpath(fhirpath) => ended(fhirpath.run()),
        Command::Sign(sign) => ended(sign.run()),
        Command::Verify(verify) => in_runtime(Settings::of_command(), false, verify.run()),
        Command::Audit(audit) => in_runtime(Settings::of_command(), false, async { audit.run() }),
    }
}

/// Does the work with log lines and a runtime; `server` when it goes on until a signal.
fn in_runtime(
    log: Result<Settings, Fault>,
    server: bool,
    work: impl Future<Output = Result<ExitCode, Fault>>,
) -> ExitCode {
    let logging = match log {
        Ok(settings) => crate::log::start(settings, server),
        Err(fault) => return failed(&fault),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores + limits::THREADS_BESIDE_CORES;
    let outcome = match tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(why) => Err(Fault::new(why)),
    };
    // The log first, then the reason of the end below it.
    drop(logging);
    ended(outcome)
}

fn ended(outcome: Result<ExitCode, Fault>) -> ExitCode {
    outcome.unwrap_or_else(|fault| failed(&fault))
}

fn failed(fault: &Fault) -> ExitCode {
    print::note(fault);
    ExitCode::FAILURE
}
