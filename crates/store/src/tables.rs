//! Small durable tables for the authorization server: clients, tokens, used assertion ids, keys.
//!
//! Changes go through the store's writer and share its syncs; reads go to the engine at once and
//! see every change whose call has returned.

use crate::{
    CommitError,
    engine::TableSpace,
    limits,
    writer::{Queue, TableAction, TableChange},
};
use std::{fmt, sync::Arc};

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// A named table of byte keys and values. Every change is on stable storage when the call returns.
///
/// Calls that change something wait for a sync (milliseconds).
#[derive(Clone)]
pub struct Table {
    space: TableSpace,
    queue: Arc<Queue>,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({})", self.space.name())
    }
}

impl Table {
    pub(crate) fn new(space: TableSpace, queue: Arc<Queue>) -> Self {
        Self { space, queue }
    }

    fn change(&self, key: &[u8], action: TableAction) -> Result<bool, CommitError> {
        self.queue.table(TableChange { table: self.space.clone(), key: key.to_vec(), action })
    }

    /// The value of a key.
    ///
    /// # Errors
    /// [`CommitError::Unavailable`].
    pub fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, CommitError> {
        let value = self.space.value(key).map_err(|fault| CommitError::Unavailable(fault.0))?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// Sets a key.
    ///
    /// # Errors
    /// [`CommitError::Unavailable`].
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<(), CommitError> {
        self.change(key, TableAction::Put(value.to_vec())).map(|_| ())
    }

    /// Sets a key that has no value yet; `false` when it has one. Atomic among all callers.
    ///
    /// # Errors
    /// [`CommitError::Unavailable`].
    pub fn insert_new(&self, key: &[u8], value: &[u8]) -> Result<bool, CommitError> {
        self.change(key, TableAction::InsertNew(value.to_vec())).map(|had| !had)
    }

    /// Removes a key; `false` when it had no value.
    ///
    /// # Errors
    /// [`CommitError::Unavailable`].
    pub fn remove(&self, key: &[u8]) -> Result<bool, CommitError> {
        self.change(key, TableAction::Remove)
    }

    /// Removes keys, those without a value too; many share a sync. Not atomic: after an error some are gone.
    ///
    /// # Errors
    /// [`CommitError::Unavailable`].
    pub fn remove_all(&self, keys: &[Vec<u8>]) -> Result<(), CommitError> {
        let change =
            |key: &Vec<u8>| TableChange { table: self.space.clone(), key: key.clone(), action: TableAction::Remove };
        keys.chunks(limits::TABLE_REMOVALS_AT_ONCE).try_for_each(|some| self.queue.table_all(some.iter().map(change)))
    }

    /// All pairs in key order.
    ///
    /// # Errors
    /// [`CommitError::Unavailable`].
    pub fn all(&self) -> Result<Vec<Pair>, CommitError> {
        self.space.all().map_err(|fault| CommitError::Unavailable(fault.0))
    }
}
