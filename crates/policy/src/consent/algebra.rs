//! Predicates put together, and the two sides of what may be in doubt.

use search::Predicate;
use std::sync::{Arc, LazyLock};

static ALL: LazyLock<Arc<Predicate>> = LazyLock::new(|| Arc::new(Predicate::All));
static NOTHING: LazyLock<Arc<Predicate>> = LazyLock::new(|| Arc::new(Predicate::Nothing));

/// Every resource.
pub(crate) fn everything() -> Arc<Predicate> {
    Arc::clone(&ALL)
}

/// None.
pub(crate) fn nothing() -> Arc<Predicate> {
    Arc::clone(&NOTHING)
}

/// Every resource or none.
pub(crate) fn whether(all: bool) -> Arc<Predicate> {
    if all { everything() } else { nothing() }
}

/// What all of them mean.
pub(crate) fn and(parts: impl IntoIterator<Item = Arc<Predicate>>) -> Arc<Predicate> {
    let mut kept: Vec<Arc<Predicate>> = Vec::new();
    for part in parts {
        match *part {
            Predicate::All => {}
            Predicate::Nothing => return nothing(),
            _ if kept.iter().any(|other| Arc::ptr_eq(other, &part)) => {}
            _ => kept.push(part),
        }
    }
    match kept.pop() {
        None => everything(),
        Some(only) if kept.is_empty() => only,
        Some(last) => {
            kept.push(last);
            Arc::new(Predicate::And(kept))
        }
    }
}

/// What any of them means.
pub(crate) fn or(parts: impl IntoIterator<Item = Arc<Predicate>>) -> Arc<Predicate> {
    let mut kept: Vec<Arc<Predicate>> = Vec::new();
    for part in parts {
        match *part {
            Predicate::Nothing => {}
            Predicate::All => return everything(),
            _ if kept.iter().any(|other| Arc::ptr_eq(other, &part)) => {}
            _ => kept.push(part),
        }
    }
    match kept.pop() {
        None => nothing(),
        Some(only) if kept.is_empty() => only,
        Some(last) => {
            kept.push(last);
            Arc::new(Predicate::Or(kept))
        }
    }
}

/// What it does not mean.
pub(crate) fn not(part: &Arc<Predicate>) -> Arc<Predicate> {
    match &**part {
        Predicate::All => nothing(),
        Predicate::Nothing => everything(),
        Predicate::Not(inner) => Arc::clone(inner),
        _ => Arc::new(Predicate::Not(Arc::clone(part))),
    }
}

/// Whether a predicate has at most so many parts, as the matcher would go through them.
pub(crate) fn is_within(predicate: &Predicate, parts_max: usize) -> bool {
    fn count(predicate: &Predicate, left: &mut usize) -> bool {
        let Some(rest) = left.checked_sub(1) else { return false };
        *left = rest;
        match predicate {
            Predicate::And(parts) | Predicate::Or(parts) => parts.iter().all(|part| count(part, left)),
            Predicate::Not(part) | Predicate::Now(part) => count(part, left),
            Predicate::Chain { predicate, .. } | Predicate::Has { predicate, .. } => count(predicate, left),
            _ => true,
        }
    }
    let mut left = parts_max;
    count(predicate, &mut left)
}

/// What surely meets a criterion, and what may meet it; the former is within the latter.
#[derive(Debug, Clone)]
pub(crate) struct Sides {
    /// What surely meets it: a permission counts for this.
    pub(crate) surely: Arc<Predicate>,
    /// What may meet it: a denial counts for this.
    pub(crate) maybe: Arc<Predicate>,
}

impl Sides {
    /// Nothing is in doubt.
    pub(crate) fn exact(predicate: Arc<Predicate>) -> Self {
        Self { surely: Arc::clone(&predicate), maybe: predicate }
    }

    /// All is met.
    pub(crate) fn met() -> Self {
        Self::exact(everything())
    }

    /// Nobody can say.
    pub(crate) fn doubtful() -> Self {
        Self { surely: nothing(), maybe: everything() }
    }

    /// All of them are met.
    pub(crate) fn all(parts: Vec<Self>) -> Self {
        let (surely, maybe): (Vec<_>, Vec<_>) = parts.into_iter().map(|one| (one.surely, one.maybe)).unzip();
        Self { surely: and(surely), maybe: and(maybe) }
    }

    /// Any of them is met.
    pub(crate) fn any(parts: Vec<Self>) -> Self {
        let (surely, maybe): (Vec<_>, Vec<_>) = parts.into_iter().map(|one| (one.surely, one.maybe)).unzip();
        Self { surely: or(surely), maybe: or(maybe) }
    }
}

/// The same of a question that has one answer for all resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) surely: bool,
    pub(crate) maybe: bool,
}

impl Answer {
    pub(crate) const YES: Self = Self { surely: true, maybe: true };
    pub(crate) const NO: Self = Self { surely: false, maybe: false };
    pub(crate) const DOUBTFUL: Self = Self { surely: false, maybe: true };

    pub(crate) const fn is(yes: bool) -> Self {
        Self { surely: yes, maybe: yes }
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self { surely: self.surely && other.surely, maybe: self.maybe && other.maybe }
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self { surely: self.surely || other.surely, maybe: self.maybe || other.maybe }
    }
}

/// An element of a provision: its repeats, as far as they could be read. Nothing in it: it is not populated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Criterion<T> {
    pub(crate) repeats: Vec<T>,
    /// A repeat that could not be read.
    pub(crate) doubtful: bool,
}

impl<T> Default for Criterion<T> {
    fn default() -> Self {
        Self { repeats: Vec::new(), doubtful: false }
    }
}

impl<T> Criterion<T> {
    /// Whether it says anything.
    pub(crate) fn is_populated(&self) -> bool {
        self.doubtful || !self.repeats.is_empty()
    }

    /// OR within repeats; what is not populated is met (row G4).
    pub(crate) fn sides(&self, of: impl FnMut(&T) -> Sides) -> Sides {
        if !self.is_populated() {
            return Sides::met();
        }
        let mut parts: Vec<Sides> = self.repeats.iter().map(of).collect();
        parts.extend(self.doubtful.then(Sides::doubtful));
        Sides::any(parts)
    }

    /// The same for a question with one answer.
    pub(crate) fn answer(&self, mut of: impl FnMut(&T) -> Answer) -> Answer {
        if !self.is_populated() {
            return Answer::YES;
        }
        let doubt = if self.doubtful { Answer::DOUBTFUL } else { Answer::NO };
        let mut answer = doubt;
        for repeat in &self.repeats {
            if answer.surely {
                break;
            }
            answer = answer.or(of(repeat));
        }
        answer
    }
}
