//! Findings while a resource is walked: an issue, and the byte it is about. Lines and columns are counted
//! once at the end, in one pass over the body.

use crate::limits;
use fhir::issue::{Issue, IssueType, Severity};
use fhir::json::Tree;
use std::borrow::Cow;

/// The place of an element: a chain of names on the stack, made text only when an issue needs it.
#[derive(Clone, Copy)]
pub(crate) struct Place<'p> {
    pub(crate) parent: Option<&'p Place<'p>>,
    /// Name of the element, without `[x]` or type; the type of a resource at the root.
    pub(crate) name: &'p str,
    /// Its number, when the element may repeat.
    pub(crate) index: Option<usize>,
}

impl Place<'_> {
    /// The type of the resource at the root.
    pub(crate) fn root(&self) -> &str {
        self.parent.map_or(self.name, Place::root)
    }

    /// `Observation.component[0].code`.
    pub(crate) fn expression(&self) -> String {
        let mut out = self.parent.map_or_else(String::new, Place::expression);
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(self.name);
        if let Some(index) = self.index {
            out.push_str(&format!("[{index}]"));
        }
        out
    }
}

/// What was found so far.
pub(crate) struct Findings {
    found: Vec<(usize, Issue)>,
    /// Some were left out.
    overflow: bool,
    /// Only errors are counted, for the answer to a question.
    counts: Option<usize>,
    /// The first of them, in words.
    first: Option<Cow<'static, str>>,
}

impl Findings {
    pub(crate) fn new() -> Self {
        Self { found: Vec::new(), overflow: false, counts: None, first: None }
    }

    /// Findings of which only the number of errors matters.
    pub(crate) fn counting() -> Self {
        Self { counts: Some(0), ..Self::new() }
    }

    /// The first error that was counted.
    pub(crate) fn first_error(self) -> Option<Cow<'static, str>> {
        self.first
    }

    /// Errors counted so far.
    pub(crate) fn errors(&self) -> usize {
        self.counts.unwrap_or(0)
    }

    pub(crate) fn add_at_root(&mut self, issue: Issue, offset: usize) {
        self.add(issue, offset);
    }

    /// Adds an issue about the element at `place`, whose value begins at `offset`.
    pub(crate) fn add_at(&mut self, issue: Issue, place: &Place<'_>, offset: usize) {
        if self.counts.is_some() {
            return self.add(issue, offset);
        }
        let issue = if self.found.len() < limits::ISSUES_MAX { issue.at(place.expression()) } else { issue };
        self.add(issue, offset);
    }

    fn add(&mut self, issue: Issue, offset: usize) {
        if let Some(errors) = &mut self.counts {
            if issue.severity >= Severity::Error {
                *errors += 1;
                self.first.get_or_insert(issue.diagnostics);
            }
            return;
        }
        if self.found.len() < limits::ISSUES_MAX {
            self.found.push((offset, issue));
            return;
        }
        self.overflow = true;
        // INVARIANT: an error is never lost to a limit filled with warnings.
        if issue.severity >= Severity::Error
            && let Some(last) = self.found.last_mut()
            && last.1.severity < Severity::Error
        {
            *last = (offset, issue);
        }
    }

    /// The issues in the order of the body, with line and column.
    pub(crate) fn into_issues(mut self, tree: &Tree) -> Vec<Issue> {
        if self.found.is_empty() {
            return Vec::new();
        }
        self.found.sort_by_key(|(offset, _)| *offset);
        let offsets: Vec<usize> = self.found.iter().map(|(offset, _)| *offset).collect();
        let positions = tree.positions(&offsets);
        let mut issues: Vec<Issue> =
            self.found.into_iter().zip(positions).map(|((_, issue), position)| issue.on(position)).collect();
        if self.overflow {
            let text = format!("more than {} issues were found: the others are not listed", limits::ISSUES_MAX);
            let severity = issues.iter().map(|issue| issue.severity).max().unwrap_or(Severity::Error);
            issues.push(Issue { severity, ..Issue::error(IssueType::TooLong, text) });
        }
        issues
    }
}
