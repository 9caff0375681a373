//! Invariants: FHIRPath conditions of the tables. SPEC: R4 conformance-rules.html#constraints.
//!
//! An invariant is violated when it is false. Empty means that it cannot be told (a date that is too coarse
//! to compare) and is no violation. One that fails to evaluate is reported as a warning, never as an error.

use crate::finding::Place;
use crate::limits;
use crate::narrative;
use crate::profile::conformance::Asked;
use crate::walk::{Inside, Walk};
use fhir::element::Element;
use fhir::issue::{Issue, IssueType, Severity};
use fhir::schema::Constraint;
use fhirpath::{Context, EvaluateError, Expression, evaluate_condition};

/// Invariants of the R4 tables that are not evaluated, with the reason.
pub const SKIPPED: &[(&str, &str)] = &[(
    "que-7",
    "asks `answer is Boolean`, the System type, of an answer that is a FHIR boolean: no answer could satisfy it",
)];

/// Invariants that this crate checks by itself, in the walk: faster, and with better places.
const BUILT_IN: &[&str] = &["dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "ele-1", "ext-1", "ref-1", "txt-1", "txt-2"];

/// A compiled invariant.
#[derive(Debug)]
pub(crate) struct Invariant {
    key: &'static str,
    is_error: bool,
    expression: Expression,
}

impl Invariant {
    /// Whether it asks the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.key == other.key && self.expression.text() == other.expression.text()
    }
}

/// Compiles what is neither built in nor skipped. The tables are ours: a test holds that all parse.
pub(crate) fn compiled(constraints: &[Constraint]) -> Vec<Invariant> {
    let wanted = constraints
        .iter()
        .filter(|one| !BUILT_IN.contains(&one.key) && !SKIPPED.iter().any(|(key, _)| *key == one.key));
    let compile = |one: &Constraint| {
        let expression = Expression::parse(one.expression).ok()?;
        Some(Invariant { key: one.key, is_error: one.is_error, expression })
    };
    wanted.filter_map(compile).collect()
}

impl<'t> Walk<'t> {
    /// Evaluates invariants on one element.
    pub(crate) fn invariants(
        &mut self,
        invariants: &[Invariant],
        element: Element<'_>,
        inside: &Inside<'_, '_>,
        place: &Place<'_>,
    ) {
        for invariant in invariants {
            self.invariant(invariant, None, element, inside, place);
        }
    }

    /// Evaluates one invariant; `profile`: who asks for it, when it is not base R4.
    pub(crate) fn invariant(
        &mut self,
        invariant: &Invariant,
        profile: Option<&str>,
        element: Element<'_>,
        inside: &Inside<'_, '_>,
        place: &Place<'_>,
    ) {
        let asked = Asked { validator: self.validator, session: self.session, inside, depth: self.depth };
        let is_full = self.session.is_full;
        let steps_left = self.session.steps_left.get();
        let context = Context {
            resource: Some(inside.resource),
            root_resource: Some(inside.container.resource),
            html_checks: Some(|text| narrative::check(text).is_ok()),
            steps_max: limits::INVARIANT_STEPS_MAX.min(steps_left),
            resolver: is_full.then_some(&asked as &dyn fhirpath::Resolve),
            terminology: is_full.then_some(&asked as &dyn fhirpath::Terminology),
            conformance: is_full.then_some(&asked as &dyn fhirpath::Conformance),
            ..Context::default()
        };
        let (outcome, steps) = evaluate_condition(&invariant.expression, element, &context);
        self.session.steps_left.set(self.session.steps_left.get().saturating_sub(steps));
        let offset = element.value.or(element.companion).map_or(0, |value| value.span().start);
        let by = |text: String| match profile {
            Some(profile) => format!("{text} ({profile})"),
            None => text,
        };
        match outcome {
            Ok(Some(false)) => {
                let text = by(format!("invariant {} does not hold: {}", invariant.key, invariant.expression));
                let issue = Issue::error(IssueType::Invariant, text);
                let severity = if invariant.is_error { Severity::Error } else { Severity::Warning };
                self.findings.add_at(Issue { severity, ..issue }, place, offset);
            }
            Ok(_) => {}
            Err(error) => {
                let text = by(format!("invariant {} could not be checked: {error}", invariant.key));
                let code = if error == EvaluateError::TooCostly { IssueType::TooCostly } else { IssueType::Incomplete };
                self.findings.add_at(Issue::warning(code, text), place, offset);
            }
        }
    }
}
