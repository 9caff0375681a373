//! Rules in shadow: what other rules would have decided of what was asked, beside those in force. Row G16.
//!
//! Both decisions are [`crate::decide`]'s, the other one with other rules in the house. Here two permits are compared
//! over one resource, and the rules that make the difference are named. Nothing here gives or withholds anything.

use crate::{
    House, Need, Permit, Rules,
    change::{Way, differing, way},
    grants::account::Looked,
    rules::{Bound, Named, Rule},
};
use fhir::ResourceType;
use oauth::Caller;
use search::Registry;
use std::{fmt, sync::Arc};

/// A house with other rules, beside the one in force.
pub struct Shadow {
    live: Arc<House>,
    house: Arc<House>,
    /// What one has and the other lacks, and whether it would come.
    differing: Vec<(Rule, bool)>,
}

impl fmt::Debug for Shadow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shadow({} differ)", self.differing.len())
    }
}

impl Shadow {
    /// Of this house, if these were its rules.
    #[must_use]
    pub fn cast(live: Arc<House>, rules: Arc<Rules>) -> Self {
        let (before, after): (Vec<_>, Vec<_>) = (live.rules.rules().iter().collect(), rules.rules().iter().collect());
        let differing = differing(&before, &after).into_iter().map(|(rule, comes)| (rule.clone(), comes)).collect();
        let mut house = House::clone(&live);
        house.rules = rules;
        Self { live, house: Arc::new(house), differing }
    }

    /// The house with the other rules.
    #[must_use]
    pub fn house(&self) -> &Arc<House> {
        &self.house
    }

    /// On this caller; `None`: no rule that differs is about them, and both houses decide alike.
    #[must_use]
    pub fn on<'a>(&'a self, caller: &Caller, registry: &'a Registry) -> Option<Beside<'a>> {
        // What rules look at of a caller is the same whichever rules look.
        let facts = self.live.rules.ruled(caller).or_else(|| self.house.rules.ruled(caller))?;
        let differing: Vec<&(Rule, bool)> = self.differing.iter().filter(|(rule, _)| rule.is_about(&facts)).collect();
        let bound = |house: &'a House| house.rules.bound(Some(&facts), registry);
        (!differing.is_empty()).then(|| Beside {
            registry,
            live: bound(&self.live),
            shadow: bound(&self.house),
            differing,
        })
    }
}

/// Two decisions on one caller.
pub struct Beside<'a> {
    registry: &'a Registry,
    live: Bound<'a>,
    shadow: Bound<'a>,
    differing: Vec<&'a (Rule, bool)>,
}

impl fmt::Debug for Beside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Beside({} differ)", self.differing.len())
    }
}

/// The permits of both sides; `None`: refused.
#[derive(Debug, Clone, Copy)]
pub struct Permits<'p> {
    /// Under the rules in force.
    pub live: Option<&'p Permit>,
    /// Under those in shadow.
    pub shadow: Option<&'p Permit>,
}

/// What the rules in shadow decide otherwise of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Otherwise {
    /// Whether the caller may, by them.
    pub may: bool,
    /// The rules that make the difference, of either side.
    pub rules: Vec<Arc<str>>,
}

/// What rules do with one resource.
#[derive(Default)]
struct Say {
    gives: Vec<Arc<str>>,
    withholds: Vec<Arc<str>>,
}

impl Beside<'_> {
    /// The differing rules by which something of a type becomes more, or less.
    #[must_use]
    pub fn rules(&self, kind: ResourceType, need: Need, wanted: Way) -> Vec<Arc<str>> {
        let of = self
            .differing
            .iter()
            .filter(|(rule, comes)| rule.touches(kind, need) && way(rule.verb(), *comes) == wanted);
        once(of.map(|(rule, _)| Arc::clone(rule.name())))
    }

    /// Whether the two permits cover different resources of a type, as far as can be told without looking at any.
    #[must_use]
    pub fn differs(permits: Permits<'_>, kind: ResourceType, need: Need) -> bool {
        match (permits.live, permits.shadow) {
            (Some(live), Some(shadow)) => live.access(kind, need) != shadow.access(kind, need),
            (live, shadow) => live.is_some() != shadow.is_some(),
        }
    }

    /// What they decide otherwise of a resource; `None`: nothing.
    #[must_use]
    pub fn of_resource(&self, permits: Permits<'_>, need: Need, looked: &Looked<'_>) -> Option<Otherwise> {
        let kind = looked.subject.resource_type;
        let may = |permit: Option<&Permit>| {
            permit.is_some_and(|permit| permit.access(kind, need).covers(self.registry, looked.subject, looked.related))
        };
        let (before, after) = (may(permits.live), may(permits.shadow));
        if before == after {
            return None;
        }
        let (now, then) = (self.say(&self.live, need, looked), self.say(&self.shadow, need, looked));
        let (more, less) = if after { (then, now) } else { (now, then) };
        let lacks = |others: &[Arc<str>], rule: &Arc<str>| !others.contains(rule);
        let gives = more.gives.iter().filter(|rule| lacks(&less.gives, rule));
        let withholds = less.withholds.iter().filter(|rule| lacks(&more.withholds, rule));
        let mut rules = once(withholds.chain(gives).cloned());
        if rules.is_empty() {
            rules = self.rules(kind, need, if after { Way::More } else { Way::Less });
        }
        Some(Otherwise { may: after, rules })
    }

    fn say(&self, rules: &Bound<'_>, need: Need, looked: &Looked<'_>) -> Say {
        let (kind, mut say) = (looked.subject.resource_type, Say::default());
        let means =
            |named: &Named| search::matcher::matches(self.registry, &named.predicate, looked.subject, looked.related);
        for named in rules.adds(kind, need) {
            if means(&named) {
                say.gives.push(named.rule);
            }
        }
        for named in rules.leaves(kind, need) {
            if !means(&named) {
                say.withholds.push(named.rule);
            }
        }
        say
    }
}

fn once(rules: impl Iterator<Item = Arc<str>>) -> Vec<Arc<str>> {
    let mut all = Vec::new();
    for rule in rules {
        if !all.contains(&rule) {
            all.push(rule);
        }
    }
    all
}

#[cfg(test)]
mod tests;
