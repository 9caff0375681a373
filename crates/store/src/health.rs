//! Whether the store can serve: what `/readyz` asks.

use crate::Store;

impl Store {
    /// Whether commits and audit records are taken: no failed disk, no stopped writer. Cheap; asks no disk.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.queue.is_running() && self.log().is_usable()
    }
}
