//! What a search did, in the planner's own terms: for `handrail explain`, and for the property that
//! wants to have seen every [`Shape`].
//!
//! Counters run always, since they cost nothing to speak of; steps are kept only when asked for.
//! INVARIANT: a step holds what the search itself says and numbers of rows, never a stored value.

use super::{path::Path, source::Source};
use crate::engine::Space;
use fhir::ResourceType;
use search::Predicate;
use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

macro_rules! shapes {
    ($($(#[doc = $doc:literal])+ $name:ident $words:literal,)+) => {
        /// A way that a search can go, at one of its decisions.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Shape { $($(#[doc = $doc])+ $name,)+ }

        impl Shape {
            /// Every way that there is.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The way in plain words.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)+ }
            }
        }
    };
}

shapes! {
    // How one part can be found.
    /// Ids.
    PathIds "found by id",
    /// One index key.
    PathKey "found by one key of the index",
    /// Several index keys.
    PathKeys "found by several keys of the index",
    /// No index key.
    PathNoKey "not in the index: nothing has it",
    /// Index keys between bounds.
    PathRange "found by a range of the index, out of order",
    /// One key of a patient's compartment.
    PathKeyWithin "found by one key within the patient's compartment",
    /// Keys between bounds within a patient's compartment.
    PathRangeWithin "found by a range within the patient's compartment, out of order",
    /// A patient's compartment.
    PathCompartment "found by the patient's compartment",
    /// The index of times.
    PathTimes "found by a range of the times of last update, out of order",
    /// Alternatives, each in order.
    PathEither "found by the keys of each alternative",
    /// Alternatives between bounds.
    PathEitherRange "found by the ranges of all alternatives, out of order",
    /// Alternatives of which one is not in the index.
    PathEitherNone "one alternative is not in the index: tested",
    /// One alternative goes over other resources.
    PathEitherJoin "one alternative is found over other resources",
    /// A chain.
    PathChain "found over what it refers to",
    /// `_has`.
    PathHas "found over what refers to it",
    /// Not in the index.
    PathNone "not in the index: tested",

    // Joins and ranges, when they are tried.
    /// A chain was followed.
    ChainGathered "the join was followed",
    /// A chain reaches too many.
    ChainTooWide "the join reaches too many: tested on each candidate instead",
    /// `_has` was followed.
    HasGathered "the join back was followed",
    /// `_has` reaches too many.
    HasTooWide "the join back reaches too many: tested on each candidate instead",
    /// A join was not tried.
    JoinTested "the join seems to reach more than another list gives: tested on each of that list instead",
    /// A range was gathered.
    RangeGathered "the range was gathered and put in order",
    /// No range is short.
    RangeTooWide "no range is much shorter than the type: tested on each candidate instead",

    // What gives the candidates.
    /// Nothing does.
    PlanNothing "no candidates: nothing can be meant",
    /// A folder.
    PlanFolder "what the patient's record holds of the type is kept in memory, and is looked through there",
    /// A short posting, the rest tested.
    PlanDriven "a short list gives the candidates; the rest is tested on each",
    /// A short posting that is all that was asked.
    PlanDrivenAlone "a short list is the answer",
    /// One posting.
    PlanOne "one list gives the candidates; the rest is tested on each",
    /// One posting that is all that was asked.
    PlanOneAlone "one list is the answer",
    /// Several postings.
    PlanIntersected "several lists are intersected; the rest is tested on each candidate",
    /// Several postings that are all that was asked.
    PlanIntersectedAlone "several lists are intersected: that is the answer",
    /// All rows of the type.
    PlanScan "every resource of the type is a candidate and tested",
    /// All rows of the type are meant.
    PlanWhole "every resource of the type is meant",

    // In which order, and from where.
    /// No order asked: rows, from the first.
    RowsFirst "in the order of creation, first page",
    /// Rows, from a cursor.
    RowsAfter "in the order of creation, going on after a cursor",
    /// Sorted, first page.
    SortedFirst "all matches are read and sorted, first page",
    /// Sorted, from a cursor.
    SortedAfter "all matches are read and sorted, going on after a cursor",
    /// By time upwards.
    TimesUpFirst "by the index of times, oldest first",
    /// By time upwards, from a cursor.
    TimesUpAfter "by the index of times, oldest first, going on after a cursor",
    /// By time downwards.
    TimesDownFirst "by the index of times, newest first",
    /// By time downwards, from a cursor.
    TimesDownAfter "by the index of times, newest first, going on after a cursor",

    // The total.
    /// Told by the page.
    TotalOfPage "the total is that of the page, which is all",
    /// Told by sorting.
    TotalOfSorting "the total was counted while sorting",
    /// The type's counter.
    TotalOfType "the total is the counter of the type",
    /// Counted.
    TotalCounted "the total was counted",
    /// Counted by the way.
    TotalByTheWay "the total was counted in the index, since that was cheap",
    /// Not counted by the way.
    TotalNotByTheWay "the total was not counted: not cheap, and nobody asked",
    /// Not told.
    TotalNotTold "no total over several pages: a part of the types is hidden, and nobody asked",

    // What goes along.
    /// `_include`.
    IncludedTargets "what the matches refer to goes along",
    /// `_revinclude`.
    IncludedReferrers "what refers to the matches goes along",

    // Elsewhere.
    /// AuditEvent.
    AuditLog "the audit log is read from its newest end and each event tested",
}

/// One decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// How many joins deep.
    pub depth: u8,
    /// The type whose resources are looked for.
    pub of: ResourceType,
    /// Which way.
    pub shape: Shape,
    /// The part of the search that it is about.
    pub part: Option<Arc<Predicate>>,
    /// Rows that are known to be in it.
    pub rows: Option<u64>,
}

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Index keys.
    pub keys: u64,
    /// Stored versions.
    pub versions: u64,
    /// Candidates tested on their stored values.
    pub tested: u64,
}

/// A search explained: the decisions in the order in which they were taken, and what was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Explanation {
    /// Decisions.
    pub steps: Vec<Step>,
    /// What was read.
    pub counts: Counts,
}

/// Kept beside the budget of one search.
#[derive(Debug, Default)]
pub(crate) struct Account {
    steps: Option<RefCell<Vec<Step>>>,
    depth: Cell<u8>,
    tested: Cell<u32>,
}

impl Account {
    /// One that keeps steps.
    pub(crate) fn keeping() -> Self {
        Self { steps: Some(RefCell::default()), ..Self::default() }
    }

    /// A candidate is tested.
    pub(crate) fn tested(&self) {
        self.tested.set(self.tested.get().saturating_add(1));
    }

    pub(crate) fn tested_so_far(&self) -> u64 {
        self.tested.get().into()
    }

    /// A decision.
    pub(crate) fn note(&self, of: ResourceType, shape: Shape) {
        self.note_on(of, shape, None, None);
    }

    /// A decision about a part.
    pub(crate) fn note_on(&self, of: ResourceType, shape: Shape, part: Option<&Arc<Predicate>>, rows: Option<usize>) {
        if let Some(steps) = &self.steps {
            let rows = rows.and_then(|rows| u64::try_from(rows).ok());
            steps.borrow_mut().push(Step { depth: self.depth.get(), of, shape, part: part.cloned(), rows });
        }
    }

    /// How a part can be found.
    pub(crate) fn path(&self, of: ResourceType, part: &Arc<Predicate>, path: &Path) {
        if self.steps.is_some() {
            self.note_on(of, shape_of(part, path), Some(part), rows_of(path));
        }
    }

    /// What is done here belongs to a join.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let depth = self.depth.get();
        self.depth.set(depth.saturating_add(1));
        let done = work();
        self.depth.set(depth);
        done
    }

    pub(crate) fn take_steps(&self) -> Vec<Step> {
        self.steps.as_ref().map(RefCell::take).unwrap_or_default()
    }
}

/// The shape of a path. Exhaustive on purpose: a new kind of path or source needs its shape.
fn shape_of(part: &Predicate, path: &Path) -> Shape {
    match (part, path) {
        (Predicate::Now(part), path) => shape_of(part, path),
        // The shape does not depend on the moment.
        (Predicate::FromNow(from), path) => shape_of(&from.at(fhir::Instant::from_unix_millis(0)), path),
        (Predicate::Nothing, _) | (Predicate::While { .. }, Path::Stream(..)) => Shape::PathNoKey,
        (Predicate::While { .. }, _) => Shape::PathNone,
        (Predicate::Id(_), _) => Shape::PathIds,
        (Predicate::PatientCompartment(_), _) => Shape::PathCompartment,
        (Predicate::Or(_) | Predicate::And(_), Path::Stream(..)) => Shape::PathEither,
        (Predicate::Or(_) | Predicate::And(_), Path::Ranges(..)) => Shape::PathEitherRange,
        (Predicate::Or(_) | Predicate::And(_), Path::Join) => Shape::PathEitherJoin,
        (Predicate::Or(_) | Predicate::And(_), Path::None) => Shape::PathEitherNone,
        (Predicate::Chain { .. }, _) => Shape::PathChain,
        (Predicate::Has { .. }, _) => Shape::PathHas,
        (Predicate::LastUpdated(_), Path::Ranges(..)) => Shape::PathTimes,
        (
            Predicate::All
            | Predicate::Not(_)
            | Predicate::Missing { .. }
            | Predicate::LastUpdated(_)
            | Predicate::NoOtherPatient(_)
            | Predicate::InForce(_)
            | Predicate::Only { .. }
            | Predicate::Ruled(_)
            | Predicate::Near { .. }
            | Predicate::NoPatientBut(_)
            | Predicate::During(_),
            _,
        )
        | (Predicate::Value { .. }, Path::Join | Path::None) => Shape::PathNone,
        (Predicate::Value { .. }, Path::Stream(source, _)) => match (source, within(source)) {
            (Source::List(_), _) => Shape::PathNoKey,
            (Source::Posting(_), false) => Shape::PathKey,
            (Source::Posting(_), true) => Shape::PathKeyWithin,
            (Source::Union(_) | Source::Both(_), _) => Shape::PathKeys,
        },
        (Predicate::Value { .. }, Path::Ranges(spans, _)) => {
            let within = spans.iter().any(|span| span.space == Space::Compartment);
            if within { Shape::PathRangeWithin } else { Shape::PathRange }
        }
    }
}

/// Whether a source reads a compartment's index.
fn within(source: &Source) -> bool {
    match source {
        Source::List(_) => false,
        Source::Posting(posting) => posting.space == Space::Compartment,
        Source::Union(parts) | Source::Both(parts) => parts.iter().any(within),
    }
}

fn rows_of(path: &Path) -> Option<usize> {
    match path {
        Path::Stream(Source::List(list), _) => Some(list.rows()),
        Path::Stream(..) | Path::Ranges(..) | Path::Join | Path::None => None,
    }
}
