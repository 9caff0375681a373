//! Log lines of the program, on standard error: for people on a terminal, JSON otherwise.
//!
//! Never in a line: health data, tokens, keys, bodies, queries of URLs (invariant 11). Paths may be:
//! they hold types and ids. `HANDRAIL_LOG` sets the level, as in `debug` or `handrail=debug,store=info`.

use std::io::{IsTerminal, stderr};
use tracing_subscriber::EnvFilter;

/// Starts logging. `default` is the level when the environment says nothing.
pub(crate) fn start(default: &str) {
    let filter = std::env::var("HANDRAIL_LOG").ok().and_then(|text| EnvFilter::try_new(text).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    // A second start in one process (tests) keeps the first.
    let _ = if stderr().is_terminal() {
        builder.with_target(false).compact().try_init()
    } else {
        builder.with_ansi(false).json().flatten_event(true).try_init()
    };
    // A panic's own text may quote data; its place is what helps.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a task panicked; this is a fault in handrail, please report it");
    }));
}
