//! What the flows ask of the part that knows people: who somebody is now, and whether a session is live.

use crate::people::People;
use oauth::caller::User;
use std::sync::Arc;

/// Those who may sign in.
pub(crate) trait Persons: Send + Sync {
    /// The person of this `sub` as they are now; `None` when there is no such account or it is disabled.
    fn user(&self, sub: &str) -> Option<Arc<User>>;
    /// Whether the session of this name has not ended.
    fn is_live(&self, session: &str) -> bool;
}

impl Persons for People {
    fn user(&self, sub: &str) -> Option<Arc<User>> {
        Self::user(self, sub)
    }

    fn is_live(&self, session: &str) -> bool {
        Self::is_live(self, session)
    }
}
