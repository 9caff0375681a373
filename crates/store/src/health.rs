//! Whether the store can serve: what `/readyz` asks.

use crate::Store;

impl Store {
    /// Whether commits and audit records are taken: no failed disk, no stopped writer. Cheap; asks no disk, but may
    /// wait for a sync that is under way.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.queue.is_running() && self.log().is_usable() && self.engine_is_usable()
    }
}
