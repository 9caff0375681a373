//! What one validation shares among its walks: its options, its budgets, what was fetched, what was asked
//! before.

use crate::limits;
use crate::options::Options;
use crate::profile::discriminator::Verdict;
use fhir::element::Element;
use fhir::json::{Tree, Value};
use fhir::schema::Schema;
use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;

/// One validation.
pub(crate) struct Session<'s> {
    pub(crate) options: Options<'s>,
    /// Profiles, extensions, bindings and references are looked at; else base R4 alone.
    pub(crate) is_full: bool,
    /// Steps that invariants may still take.
    pub(crate) steps_left: Cell<u64>,
    /// Questions "does this meet that profile?" that may still be asked.
    questions_left: Cell<u32>,
    fetched: Fetched,
    answers: RefCell<HashMap<(usize, u32, usize), Answer>>,
}

/// Whether an element meets a profile, and the first fault that keeps it from that.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    pub(crate) why: Option<Cow<'static, str>>,
}

impl From<Verdict> for Answer {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, why: None }
    }
}

impl<'s> Session<'s> {
    pub(crate) fn new(options: Options<'s>, is_full: bool) -> Self {
        Self {
            options,
            is_full,
            steps_left: Cell::new(limits::RESOURCE_STEPS_MAX),
            questions_left: Cell::new(limits::QUESTIONS_MAX),
            fetched: Fetched::default(),
            answers: RefCell::default(),
        }
    }

    /// Counts one question; whether it may be asked.
    pub(crate) fn may_ask(&self) -> bool {
        let left = self.questions_left.get();
        self.questions_left.set(left.saturating_sub(1));
        left > 0
    }

    /// The answer to "does this element meet that profile?", asked once. `profile`: its address.
    pub(crate) fn answer(&self, value: Value<'_>, profile: usize, ask: impl FnOnce() -> Answer) -> Verdict {
        let key = (std::ptr::from_ref(value.tree()).addr(), value.index(), profile);
        if let Some(known) = self.answers.borrow().get(&key) {
            return known.verdict;
        }
        if !self.may_ask() {
            return Verdict::Unknown;
        }
        let answer = ask();
        let verdict = answer.verdict;
        self.answers.borrow_mut().insert(key, answer);
        verdict
    }

    /// Why the answer to a question was no.
    pub(crate) fn why(&self, value: Value<'_>, profile: usize) -> Option<Cow<'static, str>> {
        let key = (std::ptr::from_ref(value.tree()).addr(), value.index(), profile);
        self.answers.borrow().get(&key).and_then(|answer| answer.why.clone())
    }

    /// Takes steps for work that grows faster than the body; whether there are enough left for it.
    pub(crate) fn charge(&self, steps: usize) -> bool {
        let left = self.steps_left.get();
        let steps = steps as u64;
        self.steps_left.set(left.saturating_sub(steps));
        left >= steps
    }

    /// What a literal reference points at beyond this body, when the caller lets us have it.
    pub(crate) fn fetch<'x>(&'x self, reference: &str, schema: &'x Schema) -> Option<Element<'x>> {
        let resolver = self.options.resolver?;
        let tree = self.fetched.get(reference, || resolver.resource(reference))?;
        Element::resource(tree, schema)
    }

    /// The definition that a canonical names, when the caller lets us have it.
    pub(crate) fn fetch_canonical<'x>(&'x self, canonical: &str, schema: &'x Schema) -> Option<Element<'x>> {
        let resolver = self.options.resolver?;
        let tree = self.fetched.get(canonical, || resolver.canonical(canonical))?;
        Element::resource(tree, schema)
    }
}

/// What was fetched, by reference: a chain that only grows, so that what it holds can be borrowed from it.
#[derive(Default)]
struct Fetched(OnceCell<Box<Link>>);

struct Link {
    name: Box<str>,
    tree: Option<Tree>,
    next: Fetched,
}

impl Fetched {
    fn get(&self, name: &str, fetch: impl FnOnce() -> Option<Tree>) -> Option<&Tree> {
        let mut at = self;
        for _ in 0..limits::FETCHES_MAX {
            match at.0.get() {
                Some(link) if *link.name == *name => return link.tree.as_ref(),
                Some(link) => at = &link.next,
                None => {
                    let link = Link { name: name.into(), tree: fetch(), next: Self::default() };
                    return at.0.get_or_init(|| Box::new(link)).tree.as_ref();
                }
            }
        }
        None
    }
}
