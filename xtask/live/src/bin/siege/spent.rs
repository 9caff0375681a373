//! Who took the processors: the server, the siege, or somebody else. A p99 speaks of the server only
//! where the machine was theirs alone, and the server's own time shows what an attack costs it even
//! where the machine was not.

use live::subject::{machine_time, processor_time};
use std::time::{Duration, Instant};

/// Processor time until a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    server_process: u32,
    at: Instant,
    server: Duration,
    machine: Duration,
    siege: Duration,
}

/// Shares of one core since then.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shares {
    pub(crate) server: f64,
    pub(crate) others: f64,
}

impl Spent {
    /// Until now.
    pub(crate) fn until_now(server_process: u32) -> Self {
        Self {
            server_process,
            at: Instant::now(),
            server: processor_time(server_process),
            machine: machine_time(),
            siege: processor_time(std::process::id()),
        }
    }

    /// Who took how much since then.
    pub(crate) fn since(self) -> Shares {
        let now = Self::until_now(self.server_process);
        let time = (now.at - self.at).as_secs_f64().max(1e-3);
        let server = now.server.saturating_sub(self.server);
        let siege = now.siege.saturating_sub(self.siege);
        let others = now.machine.saturating_sub(self.machine).saturating_sub(server + siege);
        Shares { server: server.as_secs_f64() / time, others: others.as_secs_f64() / time }
    }
}
