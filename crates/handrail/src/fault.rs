//! What a command ends with when it cannot do its work: what is wrong, and what to do about it.

use std::fmt::{self, Display};

/// A failed command. Both texts are for the person at the keyboard.
#[derive(Debug)]
pub(crate) struct Fault {
    what: String,
    fix: Option<String>,
}

impl Fault {
    /// What is wrong.
    pub(crate) fn new(what: impl Display) -> Self {
        Self { what: what.to_string(), fix: None }
    }

    /// What is wrong, after where: `where: what`.
    pub(crate) fn at(place: impl Display, what: impl Display) -> Self {
        Self::new(format_args!("{place}: {what}"))
    }

    /// What is wrong, and what to do about it, for a report of several.
    pub(crate) fn into_parts(self) -> (String, Option<String>) {
        (self.what, self.fix)
    }

    /// The same, with one line on what to do.
    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        match &self.fix {
            Some(fix) => write!(f, "\n  fix: {fix}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
