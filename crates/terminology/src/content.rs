//! What a value set holds, compiled: per code system ranges of concepts, listed codes, and a rule for the
//! rest; each code is in, is not, or cannot be checked.

use crate::{
    Coding, Membership, Unknown,
    code_system::CodeSystem,
    grammar::{Grammar, Rest},
    limits,
    ranges::Ranges,
    truth::{Join, Truth},
};
use std::sync::Arc;

/// Why something cannot be checked, as kept. See [`Unknown`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    ValueSet(Box<str>),
    System(Box<str>),
    Version(Box<str>),
    Part(Box<str>),
    Filter(Box<str>),
    Unsupported(Box<str>),
    Circular(Box<str>),
    TooCostly(Box<str>),
}

impl Why {
    pub(crate) fn unknown(&self) -> Unknown<'_> {
        match self {
            Self::ValueSet(url) => Unknown::ValueSet(url),
            Self::System(url) => Unknown::System(url),
            Self::Version(url) => Unknown::Version(url),
            Self::Part(url) => Unknown::Part(url),
            Self::Filter(text) => Unknown::Filter(text),
            Self::Unsupported(what) => Unknown::Unsupported(what),
            Self::Circular(url) => Unknown::Circular(url),
            Self::TooCostly(url) => Unknown::TooCostly(url),
        }
    }
}

/// A code that its system does not have here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) code: Box<str>,
    pub(crate) display: Box<str>,
    pub(crate) truth: Truth,
}

/// What a value set holds of one code system.
#[derive(Debug, Clone)]
pub(crate) struct Codes {
    pub(crate) url: Box<str>,
    /// The version that the value set names; empty: any.
    pub(crate) version: Box<str>,
    /// Its concepts, when they are here.
    pub(crate) system: Option<Arc<CodeSystem>>,
    pub(crate) yes: Ranges,
    /// Apart from `yes`.
    pub(crate) unsure: Ranges,
    /// Sorted by code; none is a concept of `system`.
    pub(crate) listed: Vec<Listed>,
    pub(crate) rest: Rest,
    /// Why any of it is unsure.
    pub(crate) why: Option<Why>,
    /// Displays that the value set gives to concepts of `system`, sorted.
    pub(crate) shown: Vec<(u32, Box<str>)>,
}

/// Too much work for one value set.
#[derive(Debug)]
pub(crate) struct Exhausted;

/// What compiling one value set may still produce.
#[derive(Debug)]
pub(crate) struct Budget(pub(crate) usize);

impl Budget {
    pub(crate) const fn new() -> Self {
        Self(limits::COMPILED_MAX)
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<(), Exhausted> {
        self.0 = self.0.checked_sub(count).ok_or(Exhausted)?;
        Ok(())
    }
}

impl Codes {
    pub(crate) fn none(url: &str, version: &str, system: Option<Arc<CodeSystem>>) -> Self {
        Self {
            url: url.into(),
            version: version.into(),
            system,
            yes: Ranges::none(),
            unsure: Ranges::none(),
            listed: Vec::new(),
            rest: Rest::NONE,
            why: None,
            shown: Vec::new(),
        }
    }

    /// Whether this code is in it. Nothing is allocated.
    pub(crate) fn truth(&self, code: &str) -> Truth {
        match self.system.as_ref().and_then(|system| system.find(code)) {
            Some(concept) if self.yes.contains(concept) => Truth::Yes,
            Some(concept) if self.unsure.contains(concept) => Truth::Unsure,
            Some(_) => Truth::No,
            None => self.outside(code),
        }
    }

    /// As [`Self::truth`], of a code that `system` does not have.
    fn outside(&self, code: &str) -> Truth {
        match self.listed.binary_search_by(|one| one.code.as_ref().cmp(code)) {
            Ok(at) => self.listed.get(at).map_or(Truth::No, |one| one.truth),
            Err(_) => self.rest.check(code),
        }
    }

    fn maybe(&self) -> Ranges {
        self.yes.union(&self.unsure)
    }

    pub(crate) fn is_same_system(&self, other: &Self) -> bool {
        match (&self.system, &other.system) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        }
    }

    pub(crate) fn size(&self) -> usize {
        1 + self.yes.ranges().len() + self.unsure.ranges().len() + self.listed.len() + self.shown.len()
    }

    /// The same over the concepts of another version of the system, or over none.
    fn over(&self, system: Option<&Arc<CodeSystem>>, budget: &mut Budget) -> Result<Self, Exhausted> {
        let mut held = Self::none(&self.url, &self.version, system.cloned());
        held.why.clone_from(&self.why);
        held.rest = self.rest.clone();
        let (mut yes, mut unsure) = (Vec::new(), Vec::new());
        if let Some(system) = system {
            budget.take(system.len() as usize)?;
            for concept in 0..system.len() {
                match self.truth(system.code(concept)) {
                    Truth::Yes => yes.push(concept),
                    Truth::Unsure => unsure.push(concept),
                    Truth::No => {}
                }
            }
        }
        (held.yes, held.unsure) = (Ranges::of_positions(yes), Ranges::of_positions(unsure));
        let is_new = |code: &str| system.is_none_or(|system| system.find(code).is_none());
        held.listed.extend(self.listed.iter().filter(|one| is_new(&one.code)).cloned());
        if let Some(own) = &self.system {
            budget.take(own.len() as usize)?;
            let concepts = (0..own.len()).map(|concept| (own.code(concept), own.display(concept)));
            let new = concepts.filter(|(code, _)| is_new(code));
            held.listed.extend(new.map(|(code, display)| Listed {
                code: code.into(),
                display: display.into(),
                truth: self.truth(code),
            }));
            held.listed.sort_by(|a, b| a.code.cmp(&b.code));
            held.listed.dedup_by(|a, b| a.code == b.code);
        }
        Ok(held)
    }

    /// Both, put together; of one system.
    pub(crate) fn join(&self, join: Join, other: &Self, budget: &mut Budget) -> Result<Self, Exhausted> {
        let rebased;
        let other = if self.is_same_system(other) {
            other
        } else {
            rebased = other.over(self.system.as_ref(), budget)?;
            &rebased
        };
        let (own_maybe, other_maybe) = (self.maybe(), other.maybe());
        let (yes, maybe) = match join {
            Join::Or => (self.yes.union(&other.yes), own_maybe.union(&other_maybe)),
            Join::And => (self.yes.intersection(&other.yes), own_maybe.intersection(&other_maybe)),
            Join::Without => (self.yes.minus(&other_maybe), own_maybe.minus(&other.yes)),
        };
        let mut held = Self {
            url: self.url.clone(),
            version: if self.version.is_empty() { other.version.clone() } else { self.version.clone() },
            system: self.system.clone(),
            unsure: maybe.minus(&yes),
            yes,
            listed: Vec::new(),
            rest: self.rest.join(join, &other.rest),
            why: self.why.clone().or_else(|| other.why.clone()),
            shown: self.shown.clone(),
        };
        let (mut one, mut two) = (self.listed.iter().peekable(), other.listed.iter().peekable());
        while let Some(next) = match (one.peek(), two.peek()) {
            (Some(a), Some(b)) if b.code < a.code => two.next(),
            (Some(a), Some(b)) => {
                if a.code == b.code {
                    two.next();
                }
                one.next()
            }
            (Some(_), None) => one.next(),
            (None, _) => two.next(),
        } {
            let truth = join.of(self.outside(&next.code), other.outside(&next.code));
            held.listed.push(Listed { truth, ..next.clone() });
        }
        if join != Join::Without {
            held.shown.extend(other.shown.iter().cloned());
            held.shown.sort_by_key(|(concept, _)| *concept);
            held.shown.dedup_by_key(|(concept, _)| *concept);
        }
        budget.take(held.size())?;
        Ok(held)
    }

    /// What was in it cannot be checked any more.
    fn weakened(&self, why: Option<&Why>) -> Self {
        let mut held = self.clone();
        held.unsure = self.maybe();
        held.yes = Ranges::none();
        held.listed.iter_mut().for_each(|one| one.truth = one.truth.and(Truth::Unsure));
        held.rest = self.rest.weakened();
        held.why = held.why.or_else(|| why.cloned());
        held
    }

    fn is_nothing(&self) -> bool {
        self.yes.is_empty()
            && self.unsure.is_empty()
            && self.rest == Rest::NONE
            && self.listed.iter().all(|one| one.truth == Truth::No)
    }
}

/// What a value set holds. A code is in it when any of its parts says so.
#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    pub(crate) parts: Vec<Codes>,
    /// Codes of further systems may be in it: why that cannot be checked.
    pub(crate) others: Option<Why>,
}

/// Codes of several systems, or of several versions of one, in one value set.
const PARTS_MAX: usize = 4096;

impl Content {
    pub(crate) fn of(codes: Codes) -> Self {
        Self { parts: vec![codes], others: None }
    }

    pub(crate) fn unknown(why: Why) -> Self {
        Self { parts: Vec::new(), others: Some(why) }
    }

    pub(crate) fn size(&self) -> usize {
        1 + self.parts.iter().map(Codes::size).sum::<usize>()
    }

    pub(crate) fn union(mut self, other: &Self, budget: &mut Budget) -> Result<Self, Exhausted> {
        budget.take(self.parts.len() * other.parts.len())?;
        for codes in &other.parts {
            let same =
                |one: &&mut Codes| one.url == codes.url && one.version == codes.version && one.is_same_system(codes);
            match self.parts.iter_mut().find(same) {
                Some(own) => *own = own.join(Join::Or, codes, budget)?,
                None => {
                    budget.take(codes.size())?;
                    self.parts.push(codes.clone());
                }
            }
        }
        if self.parts.len() > PARTS_MAX {
            return Err(Exhausted);
        }
        self.others = self.others.or_else(|| other.others.clone());
        Ok(self)
    }

    pub(crate) fn intersection(&self, other: &Self, budget: &mut Budget) -> Result<Self, Exhausted> {
        budget.take(self.parts.len() * other.parts.len())?;
        let mut held = Self { parts: Vec::new(), others: None };
        for one in &self.parts {
            for two in other.parts.iter().filter(|two| two.url == one.url) {
                held.parts.push(one.join(Join::And, two, budget)?);
            }
        }
        let mut weaken = |from: &Self, to: &Self| {
            if let Some(why) = &to.others {
                held.parts.extend(from.parts.iter().map(|codes| codes.weakened(Some(why))));
            }
        };
        weaken(self, other);
        weaken(other, self);
        held.parts.retain(|codes| !codes.is_nothing());
        if held.parts.len() > PARTS_MAX {
            return Err(Exhausted);
        }
        held.others = self.others.as_ref().and(other.others.as_ref()).cloned();
        Ok(held)
    }

    pub(crate) fn without(mut self, other: &Self, budget: &mut Budget) -> Result<Self, Exhausted> {
        budget.take(self.parts.len() * other.parts.len())?;
        for own in &mut self.parts {
            for taken in &other.parts {
                if taken.url == own.url {
                    *own = own.join(Join::Without, taken, budget)?;
                }
            }
            if let Some(why) = &other.others {
                *own = own.weakened(Some(why));
            }
        }
        Ok(self)
    }

    /// Whether each code is in it or not, and nothing is unknown.
    pub(crate) fn is_sure(&self) -> bool {
        let sure = |codes: &Codes| {
            codes.unsure.is_empty()
                && codes.listed.iter().all(|one| one.truth != Truth::Unsure)
                && match &codes.rest {
                    Rest::Fixed(truth) => *truth == Truth::No,
                    Rest::Rule(grammar) => *grammar != Grammar::Icf,
                    Rest::Joined(..) => false,
                }
        };
        self.others.is_none() && self.parts.iter().all(sure)
    }

    /// Takes away what is retired (`compose.inactive` is false).
    pub(crate) fn without_inactive(&mut self) {
        for codes in &mut self.parts {
            if let Some(system) = &codes.system {
                codes.yes = codes.yes.minus(system.inactive());
                codes.unsure = codes.unsure.minus(system.inactive());
            }
        }
    }

    /// Whether it holds this code. Nothing is allocated.
    pub(crate) fn membership(&self, coding: Coding<'_>) -> Membership<'_> {
        let mut unsure: Option<Unknown<'_>> = None;
        for codes in &self.parts {
            if coding.system.is_some_and(|system| system != codes.url.as_ref()) {
                continue;
            }
            match codes.truth(coding.code) {
                Truth::Yes => return Membership::In,
                Truth::Unsure => {
                    let why = codes.why.as_ref().map_or(Unknown::System(&codes.url), Why::unknown);
                    unsure = unsure.or(Some(why));
                }
                Truth::No => {
                    // Another version of the system may have what this one has not.
                    let here = codes.system.as_ref().map_or("", |system| system.about().version.as_str());
                    let other =
                        coding.version.is_some_and(|version| !here.is_empty() && !is_same_version(version, here));
                    if other && codes.system.as_ref().is_some_and(|system| system.find(coding.code).is_none()) {
                        unsure = unsure.or(Some(Unknown::Version(&codes.url)));
                    }
                }
            }
        }
        match unsure.or(self.others.as_ref().map(Why::unknown)) {
            Some(why) => Membership::Unknown(why),
            None => Membership::NotIn,
        }
    }
}

/// Whether a version that someone names is the one at hand: equal, or an edition of SNOMED CT without its
/// date. SPEC: R4 snomedct.html#versions.
pub(crate) fn is_same_version(named: &str, here: &str) -> bool {
    named == here || here.strip_prefix(named).is_some_and(|rest| rest.starts_with("/version/"))
}
