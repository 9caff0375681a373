//! A clock that moves only when told to.

use fhir::Instant;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// Milliseconds of 2026-01-01T00:00:00Z, where every test begins.
const START_MS: i64 = 1_767_225_600_000;

/// A clock; clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock(Arc<AtomicI64>);

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(START_MS)))
    }
}

impl Clock {
    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::from_unix_millis(self.0.load(Ordering::SeqCst))
    }

    /// Lets this many seconds pass.
    pub fn advance_s(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Sets it to this many seconds after the beginning.
    pub fn set_s(&self, seconds: i64) {
        self.0.store(START_MS + seconds * 1000, Ordering::SeqCst);
    }
}
