//! What an operator should know about a server and its data directory, in plain words.
//!
//! [`machine`] looks at what is around the store: certificate, clock, disk, limits, permissions;
//! [`clients`] at the anchors and revocation lists of clients, [`communities`] at trust communities, [`glass`] at who is
//! told of emergencies. The
//! store and its audit log are [`store::doctor`]'s. Nothing is changed. Row A5 (certificates), F23
//! (the audit log), and invariant 11: paths, names and numbers are told, never what is in a resource.

pub(crate) mod clients;
pub(crate) mod communities;
pub(crate) mod glass;
pub(crate) mod machine;
pub(crate) mod people;

use crate::print::many;
use std::path::Path;
use store::doctor::{Report, Severity};

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// As it should be.
    Well,
    /// Good to know.
    Note,
    /// Will become a problem, or could not be looked at.
    Warning,
    /// Something is wrong.
    Problem,
}

impl Weight {
    /// The word at the beginning of the line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "PROBLEM",
        }
    }
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// How serious.
    pub(crate) weight: Weight,
    /// What was looked at: `certificate`, `disk`.
    pub(crate) subject: &'static str,
    /// What was found.
    pub(crate) found: String,
    /// What to do about it.
    pub(crate) advice: Option<String>,
}

impl Line {
    /// All is well.
    pub(crate) fn well(subject: &'static str, found: impl Into<String>) -> Self {
        Self { weight: Weight::Well, subject, found: found.into(), advice: None }
    }

    /// Good to know.
    pub(crate) fn note(subject: &'static str, found: impl Into<String>) -> Self {
        Self { weight: Weight::Note, ..Self::well(subject, found) }
    }

    /// Worth acting on soon.
    pub(crate) fn warning(subject: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { weight: Weight::Warning, advice: Some(advice.into()), ..Self::well(subject, found) }
    }

    /// Wrong.
    pub(crate) fn problem(subject: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { weight: Weight::Problem, advice: Some(advice.into()), ..Self::well(subject, found) }
    }
}

/// The store's findings as lines.
pub(crate) fn of_store(report: &Report) -> Vec<Line> {
    let facts = report.facts;
    let mut lines: Vec<Line> = report
        .findings
        .iter()
        .map(|finding| Line {
            weight: match finding.severity {
                Severity::Note => Weight::Note,
                Severity::Warning => Weight::Warning,
                Severity::Damage => Weight::Problem,
            },
            subject: "store",
            found: format!("{}: {}", finding.place, finding.what),
            advice: Some(finding.advice.to_owned()),
        })
        .collect();
    if report.is_sound() {
        lines.push(Line::well(
            "store",
            format!(
                "{}, {}, {} and {} agree with one another",
                many(facts.commits, "commit"),
                many(facts.resources, "resource"),
                many(facts.versions, "version"),
                many(facts.index_rows, "index row")
            ),
        ));
    }
    lines
}

/// The verified audit log as a line.
pub(crate) fn of_audit(verified: &Result<audit::verify::Report, audit::verify::Broken>, directory: &Path) -> Line {
    match verified {
        Ok(report) => Line::well(
            "audit log",
            format!(
                "{} as they were recorded, {} signed, {} newest not signed yet",
                many(report.last.saturating_sub(report.first.saturating_sub(1)), "record"),
                many(report.checkpoints, "checkpoint"),
                report.uncovered()
            ),
        ),
        Err(broken) => Line::problem(
            "audit log",
            match store::audit_segment_of(directory, broken) {
                Some(segment) => format!("{broken} (segment {}, record {})", segment.display(), broken.sequence),
                None => broken.to_string(),
            },
            "keep a copy as evidence and tell the privacy officer; 'handrail audit verify' says more",
        ),
    }
}

#[cfg(test)]
mod tests;
