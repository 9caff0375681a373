//! The one place of this program that reads the wall clock (row A22: one time source).
//!
//! Everything below the binary takes time as an argument or asks the [`Clock`] it was given.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// A source of the time of day, as the crates below take it.
pub(crate) type Clock = Arc<dyn Fn() -> fhir::Instant + Send + Sync>;

/// Now, from the system's clock, in milliseconds since the epoch. A clock before 1970 reads as 1970.
pub(crate) fn now() -> fhir::Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    fhir::Instant::from_unix_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The system's clock as a value.
pub(crate) fn system() -> Clock {
    Arc::new(now)
}
