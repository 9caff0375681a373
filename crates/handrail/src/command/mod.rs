//! The commands, one file each, and the help that a newcomer reads first.

mod audit;
mod client;
mod data;
mod demo;
mod load;
mod remote;
mod serve;
mod token;

use crate::{fault::Fault, limits, print};
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

Log lines go to standard error; HANDRAIL_LOG=debug shows more of them."
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
    /// Register, list and remove the systems that may call
    Client(client::Client),
    /// Get an access token (SMART Backend Services) and print it
    Token(token::Token),
    /// Load resources, Bundles, NDJSON, folders and FHIR packages
    Load(load::Load),
    /// Look after the audit log
    Audit(audit::Audit),
}

/// Runs the command of this process.
pub(crate) fn run() -> ExitCode {
    let line = Line::parse();
    let level = match &line.command {
        Command::Serve(_) => "info",
        _ => "warn",
    };
    crate::log::start(level);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores + limits::THREADS_BESIDE_CORES;
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return failed(&Fault::new(why)),
    };
    let ended = runtime.block_on(async {
        match line.command {
            Command::Demo(demo) => demo.run().await,
            Command::Serve(serve) => serve.run().await,
            Command::Client(client) => client.run().await,
            Command::Token(token) => token.run().await,
            Command::Load(load) => load.run().await,
            Command::Audit(audit) => audit.run(),
        }
    });
    match ended {
        Ok(code) => code,
        Err(fault) => failed(&fault),
    }
}

fn failed(fault: &Fault) -> ExitCode {
    print::note(fault);
    ExitCode::FAILURE
}
