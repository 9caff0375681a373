//! Small durable tables for the authorization server: clients, tokens, used assertion ids, keys.

use crate::CommitError;

/// A named table of byte keys and values. Every change is on stable storage when the call returns.
#[derive(Debug, Clone)]
pub struct Table {}

impl Table {
    /// The value of a key.
    ///
    /// # Errors
    /// [`CommitError::Unavailable`].
    pub fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, CommitError> {
        let _ = key;
        Ok(None)
    }

    /// Sets a key.
    ///
    /// # Errors
    /// [`CommitError::Unavailable`].
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<(), CommitError> {
        let _ = (key, value);
        Ok(())
    }

    /// Sets a key that has no value yet; `false` when it has one. Atomic among all callers.
    ///
    /// # Errors
    /// [`CommitError::Unavailable`].
    pub fn insert_new(&self, key: &[u8], value: &[u8]) -> Result<bool, CommitError> {
        let _ = (key, value);
        Ok(true)
    }

    /// Removes a key; `false` when it had no value.
    ///
    /// # Errors
    /// [`CommitError::Unavailable`].
    pub fn remove(&self, key: &[u8]) -> Result<bool, CommitError> {
        let _ = key;
        Ok(false)
    }

    /// All pairs in key order.
    ///
    /// # Errors
    /// [`CommitError::Unavailable`].
    pub fn all(&self) -> Result<Vec<(Vec<u8>, Vec<u8>)>, CommitError> {
        Ok(Vec::new())
    }
}
