//! The built binary as its users meet it: real processes, real sockets on loopback, real files.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy.toml exempts functions marked as tests, and a black-box test binary is nothing else"
)]

mod audit_complete;
mod audit_verify;
mod authorize;
mod backup;
mod canary;
mod clients;
mod commands;
mod cors;
mod demo;
mod dpop;
mod explain;
mod fhirpath;
mod four_eyes;
mod glass;
mod labels;
mod launch;
mod load;
mod logs;
mod metrics;
mod mtls;
mod outside;
mod package;
mod policy;
mod real_clients;
mod registration;
mod scenarios;
mod settings;
mod shutdown;
mod signatures;
mod support;
mod terminology;
mod tls;
mod udap;
mod users;
mod validate;
mod wire;
