//! Versions, history, indices, plans and commits.
//!
//! - [`Store::snapshot`] → [`Snapshot`]: read, vread, history, search; every call takes a [`policy::Permit`].
//! - [`Store::commit`]: a [`transaction::Transaction`] of validated changes with their audit entries, one atomic batch.
//! - [`tables::Table`]: small key-value tables for the authorization server.
//! - [`doctor::examine`]: what is wrong with a directory at rest.
//! - [`backup`]: a moment of a running store as bytes, and a directory made of them.
//! - [`Store::set_parameters`]: search parameters that packages add, indexed in the background.
//! - [`Store::log`]: the audit log, on the store's own append-only files.
//!
//! One module knows engine files: `engine`. Keys and values byte by byte: `docs/store.md`.

pub mod backup;
pub mod doctor;
pub mod error;
pub mod limits;
pub mod page;
pub mod snapshot;
pub mod stats;
pub mod tables;
pub mod transaction;

mod audit_event;
mod cursor;
mod engine;
mod folder;
mod health;
mod indexer;
mod open;
mod parameters;
mod plan;
mod pseudonym;
mod reader;
mod rebuild;
mod redaction;
mod said;
mod store;
mod types;
mod verify_audit;
mod watched;
mod writer;

pub use audit_event::Seen;
pub use backup::BackupError;
pub use error::{CommitError, OpenError, ReadError};
pub use page::{Found, HistoryPage, Json, Method, Page};
pub use parameters::{Indexed, ParameterStatus};
pub use plan::account::{Counts, Explanation, Shape, Step};
pub use pseudonym::Pseudonyms;
pub use snapshot::Snapshot;
pub use store::{Given, Options, Store};
pub use transaction::{Change, Committed, Done, Labels, Transaction};
pub use verify_audit::{audit_segment_of, verify_audit};

#[cfg(test)]
mod tests;
