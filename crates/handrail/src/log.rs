//! Log lines of the program, on standard error: text on a terminal, JSON otherwise.
//!
//! Never in a line: health data, tokens, keys, bodies, URLs, ids of resources (invariant 11). Whose data a
//! request touched stands in the audit log, under the same request id. Libraries write warnings at
//! most: what they say at `trace` would be headers and keys of the engine.
//!
//! - [`lines`]: a bounded queue before standard error; a reader that stops never stops a request.
//! - [`access`]: the line of a request. [`sparing`]: events that an attacker can make many of.

pub(crate) mod access;
mod lines;
pub(crate) mod sparing;

use crate::{
    config::table::{self, Kind, Setting},
    fault::Fault,
};
pub(crate) use lines::lost;
use std::io::{IsTerminal, Write, stderr};
use tracing::Level;
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Our own crates: their lines are reviewed, so they may be verbose.
const OURS: [&str; 12] = [
    "handrail",
    "rest",
    "authserver",
    "store",
    "audit",
    "oauth",
    "policy",
    "search",
    "validation",
    "fhir",
    "fhirpath",
    "story",
];

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Lines from this severity on.
    pub(crate) level: Level,
    /// How they look.
    pub(crate) format: Format,
    /// Which requests get a line.
    pub(crate) access: access::Which,
}

impl Settings {
    /// From the words of the settings `log.level`, `log.format` and `log.access`.
    pub(crate) fn of_words(level: Option<&str>, format: Option<&str>, access: Option<&str>) -> Self {
        Self {
            level: level.and_then(|word| word.parse().ok()).unwrap_or(Level::INFO),
            format: match format {
                Some("text") => Format::Text,
                Some("json") => Format::Json,
                _ if stderr().is_terminal() => Format::Text,
                _ => Format::Json,
            },
            access: match access {
                Some("off") => access::Which::None,
                Some("all") => access::Which::All,
                _ => access::Which::Problems,
            },
        }
    }

    /// Of a command that ends by itself: warnings, unless `HANDRAIL_LOG_LEVEL` says otherwise.
    ///
    /// # Errors
    /// [`Fault`] when `HANDRAIL_LOG_LEVEL` or `HANDRAIL_LOG_FORMAT` is none of the setting's words.
    pub(crate) fn of_command() -> Result<Self, Fault> {
        let word = |setting: &Setting| match std::env::var(setting.variable) {
            Ok(word) => match setting.kind {
                Kind::OneOf(words) if !words.contains(&word.as_str()) => {
                    Err(Fault::at(setting.variable, format_args!("expected {}", setting.kind.expected())))
                }
                _ => Ok(Some(word)),
            },
            Err(_) => Ok(None),
        };
        let level = word(&table::LOG_LEVEL)?.unwrap_or_else(|| "warn".to_owned());
        Ok(Self::of_words(Some(&level), word(&table::LOG_FORMAT)?.as_deref(), Some("off")))
    }
}

/// Keeps logging going; when it is dropped, what was logged has been written.
#[must_use]
pub(crate) struct Logging {
    _lines: Option<lines::Lines>,
}

/// Starts logging. In the `background` a thread writes the lines, for a server; else each is written at once.
pub(crate) fn start(settings: Settings, background: bool) -> Logging {
    let lines = background.then(|| lines::Lines::start(settings.format)).flatten();
    let others = settings.level.min(Level::WARN);
    let filter = Targets::new().with_default(others).with_targets(OURS.map(|name| (name, settings.level)));
    let writer =
        || -> Box<dyn Write> { if lines::is_started() { Box::new(lines::Writer) } else { Box::new(stderr()) } };
    let ansi = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let layer = match settings.format {
        Format::Text => fmt::layer().with_ansi(ansi).with_target(false).compact().with_writer(writer).boxed(),
        Format::Json => fmt::layer().with_ansi(false).json().flatten_event(true).with_writer(writer).boxed(),
    };
    // A second start in one process (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
    let _ = log::set_logger(&Bridge);
    log::set_max_level(log::LevelFilter::Warn);
    // A panic's own text may quote data; its place is what helps.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a task panicked; this is a fault in handrail, please report it");
    }));
    Logging { _lines: lines }
}

/// Warnings and errors of libraries that use the `log` crate: the storage engine's are about its files.
struct Bridge;

impl log::Log for Bridge {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        let library = record.target();
        match record.level() {
            log::Level::Error => tracing::error!(library, "{}", record.args()),
            log::Level::Warn => tracing::warn!(library, "{}", record.args()),
            _ => {}
        }
    }

    fn flush(&self) {}
}
