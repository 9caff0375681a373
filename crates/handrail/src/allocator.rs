//! The memory of this program: mimalloc, told to give back what is free. `docs/adr/0014`.
//!
//! The allocator takes its settings from its environment alone, when it is used first: a server that
//! finds them missing begins once more with them. What an operator has set stays.

/// A request is read on one thread, committed on a second and written out by a third: that a thread
/// frees what another one allocated cost the system's allocator a fifth of the processor.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Pages go back to the system 10 ms after nothing is in them, and few are kept for the thread that had
/// it: else a load's memtables stay behind for as long as its threads are idle.
#[cfg(unix)]
const SETTINGS: [(&str, &str); 2] = [("MIMALLOC_PURGE_DELAY", "10"), ("MIMALLOC_PAGE_MAX_RECLAIM", "0")];

/// Begins this program once more when its allocator lacks settings. To be called before anything is
/// open; gives back only when there is nothing to do, or when the program cannot find itself.
#[cfg(unix)]
pub(crate) fn settle() {
    use std::{env, os::unix::process::CommandExt, process::Command};
    let missing = SETTINGS.into_iter().filter(|(name, _)| env::var_os(name).is_none());
    let missing: Vec<_> = missing.collect();
    if missing.is_empty() {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let mut again = Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    // A server that could not begin again serves as well; it only holds more memory.
    let fault = again.args(arguments).envs(missing).exec();
    tracing::debug!(%fault, "not begun again");
}

/// Only where a program can take its own place.
#[cfg(not(unix))]
pub(crate) fn settle() {}
