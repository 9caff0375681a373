//! A search explained to the operator of this machine: which way the planner goes and what it reads.
//!
//! The search runs once, its first page, and is recorded as any other; nothing of what it found is
//! said but numbers. INVARIANT: only [`Caller::operator`] and what it may narrow itself to
//! ([`Caller::operator_within`]) come here.

use crate::{
    failure::Failure,
    interaction::{View, explain_to_operator, explained_query},
    outcome,
    service::Service,
    trail::Trail,
    wire::Accepted,
};
use fhir::{
    LogicalId, ResourceType,
    issue::{Issue, IssueType},
};
use oauth::Caller;
use policy::Interaction;
use search::describe;
use std::{fmt::Write, time::Instant};
use store::{Explanation, Page, ReadError};

impl Service {
    /// Explains `Type?parameters`, as the caller given would search. The text has lines for people.
    ///
    /// # Errors
    /// Why it cannot be explained, for the operator.
    pub fn explain(&self, peer: Accepted, caller: &Caller, search: &str) -> Result<String, String> {
        let mut trail = Trail::begin(self.now(), &peer, self.new_id().as_str().into());
        trail.caller(caller, self.accounting().disclosures);
        let explained = self.explained(caller, search, &mut trail);
        let (entry, explained) = match explained {
            Ok(text) => (trail.done(), Ok(text)),
            Err(failure) => {
                let mapped = outcome::map(failure);
                let why = mapped.issues.iter().map(|issue| issue.diagnostics.to_string()).collect::<Vec<_>>();
                (trail.failed(&mapped, || "search-type"), Err(why.join("; ")))
            }
        };
        match self.parts.store.log().record(&entry) {
            Ok(_) => explained,
            Err(_) => Err("the audit log cannot be written".into()),
        }
    }

    /// Explains to the operator why the one whose view it is may see `Type/id`, or why not (row G18).
    ///
    /// # Errors
    /// Why it cannot be explained, for the operator.
    pub fn explain_access(
        &self,
        peer: Accepted,
        command: &str,
        resource: &str,
        need: Option<&str>,
        view: &View<'_>,
    ) -> Result<String, String> {
        let operator = Caller::operator(command);
        let mut trail = Trail::begin(self.now(), &peer, self.new_id().as_str().into());
        trail.caller(&operator, self.accounting().disclosures);
        let named = resource
            .split_once('/')
            .and_then(|(kind, id)| Some((ResourceType::parse(kind).ok()?, LogicalId::parse(id).ok()?)));
        let (kind, id) = named.ok_or_else(|| format!("'{resource}' is not of the form Type/id"))?;
        let (entry, explained) = match explain_to_operator(self, &operator, (kind, &id), (need, view), &mut trail) {
            Ok(text) => (trail.done(), Ok(text)),
            Err(failure) => {
                let mapped = outcome::map(failure);
                let why = mapped.issues.iter().map(|issue| issue.diagnostics.to_string()).collect::<Vec<_>>();
                (trail.failed(&mapped, || "operation"), Err(why.join("; ")))
            }
        };
        match self.parts.store.log().record(&entry) {
            Ok(_) => explained,
            Err(_) => Err("the audit log cannot be written".into()),
        }
    }

    fn explained(&self, caller: &Caller, search: &str, trail: &mut Trail) -> Result<String, Failure> {
        let (kind, text) = search.split_once('?').unwrap_or((search, ""));
        let kind = ResourceType::parse(kind)
            .map_err(|_| Failure::request(Issue::error(IssueType::Value, "there is no such resource type in R4")))?;
        let interaction = Interaction::SearchType(kind);
        trail.interaction(&interaction);
        trail.query(kind, text);
        let permit = self.decide(caller, &interaction)?;
        let query = explained_query(self, kind, text)?;
        let snapshot = self.snapshot();
        let started = Instant::now();
        let (page, explanation) = snapshot.explain(&permit, &query);
        let micros = started.elapsed().as_micros();
        if let Ok(page) = &page {
            trail.found_all(page.matches.iter().chain(&page.included));
        }
        let mut out = String::new();
        let registry = &self.parts.store.registry();
        let _ = writeln!(out, "search       {kind}?{}", query.applied);
        let _ = writeln!(out, "asks for     {}", describe::predicate(registry, &query.predicate));
        if !query.sort.is_empty() {
            let _ = writeln!(out, "sorted by    {}", describe::sort(registry, &query.sort));
        }
        let scope = &caller.grant().scope_text;
        let _ = writeln!(out, "as           {}", scope.as_ref());
        let _ = writeln!(out, "\nthe way");
        steps(&mut out, registry, &explanation);
        let _ = writeln!(out, "\nread         {}", read(&explanation));
        let _ = writeln!(out, "result       {}", result(&page));
        let _ = write!(out, "time         {}.{:03} ms", micros / 1000, micros % 1000);
        Ok(out)
    }
}

fn steps(out: &mut String, registry: &search::Registry, explanation: &Explanation) {
    for step in &explanation.steps {
        let indent = "  ".repeat(usize::from(step.depth) + 1);
        let of = if step.depth > 0 { format!("{}: ", step.of) } else { String::new() };
        let part = step.part.as_ref().map(|part| format!("{}: ", describe::predicate(registry, part)));
        let rows = step.rows.map(|rows| format!(" ({rows})")).unwrap_or_default();
        let _ = writeln!(out, "{indent}{of}{}{}{rows}", part.unwrap_or_default(), step.shape.words());
    }
}

fn read(explanation: &Explanation) -> String {
    let counts = explanation.counts;
    format!("{} index keys, {} stored versions; {} candidates tested", counts.keys, counts.versions, counts.tested)
}

fn result(page: &Result<Page, ReadError>) -> String {
    match page {
        Ok(page) => {
            let more = if page.next.is_some() { "more follow" } else { "all there are" };
            let included = match page.included.len() {
                0 => String::new(),
                count => format!(", and {count} that go along"),
            };
            let total = page.total.map_or_else(|| "not counted".to_owned(), |total| total.to_string());
            format!("{} on the first page{included}, {more}; total {total}", page.matches.len())
        }
        Err(ReadError::TooCostly(what)) => format!("refused as too costly: {what}"),
        Err(ReadError::NotIndexed(what)) => format!("refused: {what}"),
        Err(ReadError::Busy) => "refused: enough costly searches run already".into(),
        Err(why) => format!("failed: {why}"),
    }
}
