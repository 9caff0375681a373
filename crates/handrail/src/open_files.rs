//! The limit of open files: raised to what the connections need, as far as the system lets us.
//!
//! Shells and service managers start programs with 1,024; that many connections and the engine's
//! files do not fit in it, and a server that cannot accept looks broken.

use crate::limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit for this many connections; how many fit.
pub(crate) fn room_for(connections: usize) -> usize {
    let wanted = u64::try_from(connections.saturating_add(limits::OTHER_FILES)).unwrap_or(u64::MAX);
    let limit = getrlimit(Resource::Nofile);
    let Some(soft) = limit.current.filter(|soft| *soft < wanted) else { return connections };
    let raised = limit.maximum.map_or(wanted, |hard| hard.min(wanted));
    let now = match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }) {
        Ok(()) => raised,
        Err(_) => soft,
    };
    let fit = usize::try_from(now).unwrap_or(usize::MAX).saturating_sub(limits::OTHER_FILES).max(1);
    if fit < connections {
        tracing::warn!(
            open_files = now,
            connections = fit,
            "the system allows fewer open files than limits.connections needs; raise its limit (ulimit -n, LimitNOFILE)"
        );
    }
    fit.min(connections)
}
