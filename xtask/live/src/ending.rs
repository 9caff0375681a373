//! How a long run ends: by its exit code.
#![expect(clippy::print_stdout, reason = "a run speaks to a terminal")]

use std::{fmt::Display, process::ExitCode};

/// The exit code of a run: whether all held that it looks at, or why it could not look.
#[must_use]
pub fn ended<E: Display>(name: &str, outcome: Result<bool, E>) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            println!("{name}: {why}");
            ExitCode::FAILURE
        }
    }
}
