//! What an evaluation may know besides its focus. SPEC: R4 fhirpath.html#vars.

use crate::item::Item;
use crate::limits;
use fhir::Instant;
use fhir::element::Element;
use std::fmt;

/// Finds referenced resources; the caller decides what may be seen.
pub trait Resolve {
    /// The resource that a reference's text points at; `None` when it is not to be had.
    fn resolve(&self, reference: &str) -> Option<Element<'_>>;
}

/// The environment of one evaluation.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// `%resource`: the resource that holds the focus. Without one, a focus that is a resource itself.
    pub resource: Option<Element<'a>>,
    /// `%rootResource`: the container when `%resource` is contained. Without one, `%resource`.
    pub root_resource: Option<Element<'a>>,
    /// `now()`, `today()` and `timeOfDay()`, in UTC; without it these fail.
    pub now: Option<Instant>,
    /// How `resolve()` finds what is not contained.
    pub resolver: Option<&'a dyn Resolve>,
    /// Further `%names`.
    pub variables: &'a [(&'a str, Item<'a>)],
    /// `htmlChecks()`: whether XHTML text is acceptable; without it the function fails.
    pub html_checks: Option<fn(&str) -> bool>,
    /// Steps before the evaluation is given up.
    pub steps_max: u64,
}

impl Default for Context<'_> {
    fn default() -> Self {
        Self {
            resource: None,
            root_resource: None,
            now: None,
            resolver: None,
            variables: &[],
            html_checks: None,
            steps_max: limits::STEPS_MAX,
        }
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("now", &self.now).field("steps_max", &self.steps_max).finish_non_exhaustive()
    }
}
