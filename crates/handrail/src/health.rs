//! Liveness (`/livez`: the process answers) and readiness (`/readyz`: requests are taken).
//!
//! Neither tells anything of the data, the version or the machine.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Asks whether the store and its audit log can serve.
pub(crate) type Probe = Box<dyn Fn() -> bool + Send + Sync>;

/// The state that the health endpoints tell.
pub(crate) struct Health {
    probe: Probe,
    stopping: Arc<AtomicBool>,
}

impl Health {
    /// `stopping` turns true when the server begins to stop: load balancers then look elsewhere.
    pub(crate) fn new(probe: Probe, stopping: Arc<AtomicBool>) -> Self {
        Self { probe, stopping }
    }

    /// Whether requests are taken.
    pub(crate) fn is_ready(&self) -> bool {
        !self.stopping.load(Ordering::Relaxed) && (self.probe)()
    }
}
