//! What was found, for people, for scripts and for build servers. All forms tell the same issues.

use super::{COULD_NOT_RUN, Format};
use crate::print::{self, Style, many};
use fhir::{
    issue::{Issue, Severity, write_operation_outcome},
    json::Writer,
};
use std::{fmt::Write as _, process::ExitCode};

/// What came of a file.
pub(super) enum Judged {
    /// It was looked at.
    Issues(Vec<Issue>),
    /// It could not be read, for this reason.
    Unread(String),
}

/// A report in the making. Text and JSON leave file by file, JUnit at the end, since it begins with totals.
pub(super) struct Report {
    format: Format,
    style: Style,
    files: u64,
    with_errors: u64,
    unread: u64,
    errors: u64,
    warnings: u64,
    cases: String,
}

impl Report {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            style: Style::of_stdout(),
            files: 0,
            with_errors: 0,
            unread: 0,
            errors: 0,
            warnings: 0,
            cases: String::new(),
        }
    }

    /// Adds a file.
    pub(super) fn file(&mut self, file: &str, judged: Judged) {
        self.files += 1;
        match judged {
            Judged::Unread(why) => {
                self.unread += 1;
                print::note(format_args!("error: {file}: {why}"));
                if self.format == Format::Junit {
                    let _ = writeln!(
                        self.cases,
                        "    <testcase classname=\"handrail.validate\" name=\"{}\"><error message=\"{}\"/></testcase>",
                        escaped(file),
                        escaped(&why)
                    );
                }
            }
            Judged::Issues(issues) => {
                let count = |wanted: fn(Severity) -> bool| {
                    u64::try_from(issues.iter().filter(|issue| wanted(issue.severity)).count()).unwrap_or(u64::MAX)
                };
                let errors = count(|severity| severity >= Severity::Error);
                self.errors += errors;
                self.warnings += count(|severity| severity == Severity::Warning);
                self.with_errors += u64::from(errors > 0);
                match self.format {
                    Format::Text => issues.iter().for_each(|issue| print::result(self.line(file, issue))),
                    Format::Json => print::result(object(file, &issues)),
                    Format::Junit => self.case(file, &issues),
                }
            }
        }
    }

    /// `FILE:LINE:COLUMN: error: what (Where.it.is)`
    fn line(&self, file: &str, issue: &Issue) -> String {
        let severity = issue.severity.code();
        let severity =
            if issue.severity >= Severity::Error { self.style.strong(severity) } else { severity.to_owned() };
        let place = issue.position.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
        let expression = issue.expression.as_ref().map(|at| self.style.faint(format_args!(" ({at})")));
        format!("{file}{place}: {severity}: {}{}", issue.diagnostics, expression.unwrap_or_default())
    }

    fn case(&mut self, file: &str, issues: &[Issue]) {
        let plain = |issue: &Issue| {
            let place = issue.position.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
            let expression = issue.expression.as_ref().map(|at| format!(" ({at})")).unwrap_or_default();
            escaped(&format!("{file}{place}: {}: {}{expression}", issue.severity.code(), issue.diagnostics))
        };
        let _ = writeln!(self.cases, "    <testcase classname=\"handrail.validate\" name=\"{}\">", escaped(file));
        for issue in issues.iter().filter(|issue| issue.severity >= Severity::Error) {
            let (kind, message) = (issue.code.code(), escaped(&issue.diagnostics));
            let _ =
                writeln!(self.cases, "      <failure type=\"{kind}\" message=\"{message}\">{}</failure>", plain(issue));
        }
        let others: Vec<String> = issues.iter().filter(|issue| issue.severity < Severity::Error).map(plain).collect();
        if !others.is_empty() {
            let _ = writeln!(self.cases, "      <system-out>{}</system-out>", others.join("\n"));
        }
        self.cases.push_str("    </testcase>\n");
    }

    /// The summary, and the exit code.
    pub(super) fn end(self) -> ExitCode {
        match self.format {
            Format::Text => {
                let valid = self.files - self.with_errors - self.unread;
                let mut text = format!("{}: {valid} valid", many(self.files, "file"));
                if self.with_errors > 0 {
                    text.push_str(&format!(", {} with errors", self.with_errors));
                }
                if self.unread > 0 {
                    text.push_str(&format!(", {} not read", self.unread));
                }
                print::result(format_args!(
                    "{text}; {}, {}",
                    many(self.errors, "error"),
                    many(self.warnings, "warning")
                ));
            }
            Format::Json => {}
            Format::Junit => {
                let counts =
                    format!("tests=\"{}\" failures=\"{}\" errors=\"{}\"", self.files, self.with_errors, self.unread);
                print::result(format_args!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"handrail validate\" {counts}>\n{}  </testsuite>\n</testsuites>",
                    self.cases
                ));
            }
        }
        match (self.unread, self.with_errors) {
            (0, 0) => ExitCode::SUCCESS,
            (0, _) => ExitCode::FAILURE,
            _ => ExitCode::from(COULD_NOT_RUN),
        }
    }
}

/// `{"file": …, "outcome": …}`
fn object(file: &str, issues: &[Issue]) -> String {
    let json = |write: &dyn Fn(&mut Writer)| {
        let mut w = Writer::new();
        write(&mut w);
        String::from_utf8(w.into_bytes()).unwrap_or_default()
    };
    let outcome = json(&|w| write_operation_outcome(w, issues));
    format!("{{\"file\": {}, \"outcome\": {outcome}}}", json(&|w| w.string(file)))
}

/// Text within XML; characters that XML does not have are replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            c if fhir::xml::forbidden_character(c.encode_utf8(&mut [0; 4])).is_some() => {
                out.push(char::REPLACEMENT_CHARACTER);
            }
            c => out.push(c),
        }
    }
    out
}
