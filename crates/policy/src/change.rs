//! What other rules of the facility would change for one caller: for a dry run, and for who approves them. Row G16.
//!
//! Which rules differ is read off the rules; what comes of it is asked of the grants that would decide, those of today
//! and those of then. Rules that say the same under another name change nothing.

use crate::{
    grants::{Grants, NEEDS, is_audit_event},
    house::House,
    permit::{Access, Need},
    rules::{Rule, Verb},
};
use fhir::ResourceType;
use oauth::Caller;
use search::{Predicate, Registry};
use std::sync::Arc;

/// Which way something changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// What they may grows, or stays.
    More,
    /// It shrinks, or stays.
    Less,
    /// It may do either.
    Other,
}

impl Way {
    /// In a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::More => "more",
            Self::Less => "less",
            Self::Other => "other",
        }
    }
}

/// A change of what one caller may do with one type.
#[derive(Debug, Clone)]
pub struct Shift {
    /// The type.
    pub kind: ResourceType,
    /// What they may do.
    pub need: Need,
    /// Which way, as far as the rules tell: their data may hold nothing that it concerns.
    pub way: Way,
    /// What they may then and not now.
    pub gained: Arc<Predicate>,
    /// What they may now and not then.
    pub lost: Arc<Predicate>,
}

/// What it changes for a caller when the rules of one house are replaced by those of another.
#[must_use]
pub fn shifts(caller: &Caller, registry: &Registry, now: &House, then: &House) -> Vec<Shift> {
    let (before, after) = (about(now, caller), about(then, caller));
    let differing = differing(&before, &after);
    if differing.is_empty() {
        return Vec::new();
    }
    let (old, new) = (Grants::compile(caller, registry, now), Grants::compile(caller, registry, then));
    let mut shifts = Vec::new();
    for kind in ResourceType::all().filter(|kind| !is_audit_event(*kind)) {
        for need in NEEDS.into_iter().filter(|need| *need != Need::Relabel) {
            let ways = differing.iter().filter(|(rule, _)| rule.touches(kind, need));
            let way = ways.map(|(rule, comes)| way(rule.verb(), *comes));
            let way = way.reduce(|one, other| if one == other { one } else { Way::Other });
            let (before, after) = (old.access(kind, need), new.access(kind, need));
            if let Some(way) = way.filter(|_| before != after) {
                shifts.push(Shift { kind, need, way, gained: but(after, before), lost: but(before, after) });
            }
        }
    }
    shifts
}

fn about<'h>(house: &'h House, caller: &Caller) -> Vec<&'h Rule> {
    let Some(facts) = house.rules.ruled(caller) else { return Vec::new() };
    house.rules.rules().iter().filter(|rule| rule.is_about(&facts)).collect()
}

/// The rules of one side that the other lacks, and whether each comes: the first side's go.
pub(crate) fn differing<'r>(before: &[&'r Rule], after: &[&'r Rule]) -> Vec<(&'r Rule, bool)> {
    let lacks = |rules: &[&Rule], rule: &Rule| !rules.iter().any(|other| other.says_as(rule));
    let gone = before.iter().filter(|rule| lacks(after, rule)).map(|rule| (*rule, false));
    gone.chain(after.iter().filter(|rule| lacks(before, rule)).map(|rule| (*rule, true))).collect()
}

/// Which way a rule changes something by coming or going.
pub(crate) fn way(verb: Verb, comes: bool) -> Way {
    if (verb == Verb::Allow) == comes { Way::More } else { Way::Less }
}

/// What the one covers and the other does not.
fn but(one: &Access, other: &Access) -> Arc<Predicate> {
    let meant = |access: &Access| match access {
        Access::Nothing => None,
        Access::Everything => Some(Arc::new(Predicate::All)),
        Access::Where(these) => Some(Arc::clone(these)),
    };
    match (meant(one), other) {
        (None, _) | (_, Access::Everything) => Arc::new(Predicate::Nothing),
        (Some(one), Access::Nothing) => one,
        (Some(one), Access::Where(other)) => {
            Arc::new(Predicate::And(vec![one, Arc::new(Predicate::Not(Arc::clone(other)))]))
        }
    }
}

#[cfg(test)]
mod tests;
