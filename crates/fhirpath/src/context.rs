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

/// A code with where it comes from, as `memberOf()` and `subsumes()` ask about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code<'c> {
    /// The code system; `None` for a bare `code` or string.
    pub system: Option<&'c str>,
    /// Version of the code system, when the Coding names one.
    pub version: Option<&'c str>,
    /// The code.
    pub code: &'c str,
}

/// Knows code systems and value sets. SPEC: R4 fhirpath.html#txapi.
pub trait Terminology {
    /// Whether a value set (canonical, perhaps with `|version`) holds a code; `None` when it cannot be told.
    fn member_of(&self, value_set: &str, code: Code<'_>) -> Option<bool>;

    /// Whether `general` is `special` or one of its ancestors; `None` when it cannot be told.
    fn subsumes(&self, general: Code<'_>, special: Code<'_>) -> Option<bool>;
}

/// Knows profiles. SPEC: R4 fhirpath.html#functions (`conformsTo`, `slice`).
pub trait Conformance {
    /// Whether an element meets a profile (canonical); `None` when the profile is unknown.
    fn conforms_to(&self, element: Element<'_>, profile: &str) -> Option<bool>;

    /// Whether an element belongs to a slice that a profile names; `None` when either is unknown.
    fn is_in_slice(&self, element: Element<'_>, profile: &str, slice: &str) -> Option<bool> {
        let _ = (element, profile, slice);
        None
    }
}

/// Where `trace()` writes. What is traced may be personal data: the taker decides who sees it.
pub trait Trace {
    /// The items that passed a `trace(name)`, or what its projection made of them.
    fn trace(&self, name: &str, items: &[Item<'_>]);
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
    /// `memberOf()`, `subsumes()`, `subsumedBy()`; without it only the value sets of the tables are known.
    pub terminology: Option<&'a dyn Terminology>,
    /// `conformsTo()` and `slice()`; without it only the types of FHIR are known.
    pub conformance: Option<&'a dyn Conformance>,
    /// Where `trace()` writes; without it nowhere.
    pub trace: Option<&'a dyn Trace>,
    /// Further `%names`.
    pub variables: &'a [(&'a str, Item<'a>)],
    /// `htmlChecks()`: whether XHTML text is acceptable; without it the function fails.
    pub html_checks: Option<fn(&str) -> bool>,
    /// To the letter of FHIRPath: `as` on several items is an error. R4's own search parameters and invariants
    /// use it as a filter, which is what it is without this.
    pub strict: bool,
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
            terminology: None,
            conformance: None,
            trace: None,
            variables: &[],
            html_checks: None,
            strict: false,
            steps_max: limits::STEPS_MAX,
        }
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("now", &self.now).field("steps_max", &self.steps_max).finish_non_exhaustive()
    }
}
