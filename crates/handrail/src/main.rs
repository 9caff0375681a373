//! `handrail`: the command line, configuration, TLS and sockets of a secure FHIR R4 server.
//!
//! The only crate that knows sockets, TLS, the clock and the environment (invariant 2). Begin at
//! [`command`]; a running server is [`server`], and what leaves it goes through [`router`].

mod allocator;
mod answered;
mod assembly;
mod clock;
mod command;
mod communities;
mod config;
mod control;
mod cors;
mod desk;
mod doctor;
mod egress;
mod fault;
mod forwarded;
mod glasses;
mod health;
mod household;
mod http_client;
mod keeping;
mod knowledge;
mod library;
mod limits;
mod listen;
mod listener;
mod log;
mod metrics;
mod open_files;
mod outcome;
mod packages;
mod partner;
mod pki;
mod plain_http;
mod print;
mod router;
mod security_headers;
mod server;
mod signatures;
mod terminologies;
mod tls;
mod users;
mod zip;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Whatever this program makes holds health data or keys, also what the storage engine makes by itself.
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    command::run()
}
