//! `Audited<T>`: a response whose record is in the log.
//!
//! Review target: made from a [`Receipt`] only, and receipts come from the log alone.

use crate::log::Receipt;

/// A value that may leave, because the record of it stands.
#[derive(Debug)]
pub struct Audited<T>(T);

impl<T> Audited<T> {
    /// Joins a response with the proof of its record.
    #[must_use]
    pub fn new(response: T, receipt: Receipt) -> Self {
        let _ = receipt;
        Self(response)
    }

    /// A response that no rule asks a record of: it tells nothing of a person, and no caller stands
    /// behind it (capability statement, discovery, health, a request that HTTP itself refuses).
    #[must_use]
    pub fn public(response: T) -> Self {
        Self(response)
    }

    /// The same response in another form (its body wrapped for the socket); the record stays its own.
    #[must_use]
    pub fn map<U>(self, form: impl FnOnce(T) -> U) -> Audited<U> {
        Audited(form(self.0))
    }

    /// The response, for the socket writer.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}
