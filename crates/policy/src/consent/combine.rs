//! Several Consents of one patient, and the default. SPEC: rows G3, G6; IHE PCF.
//!
//! 1. Those count that are in force at this moment.
//! 2. Of those about **the same policy** (the same policies, policy rule, categories and scope), one whose `dateTime`
//!    surely is before that of another is **superseded** by it. A Consent without a date, or that is in doubt, neither
//!    supersedes nor is superseded.
//! 3. The others: **deny wins** by default. With `newest` the newest one that says anything of the resource wins; of
//!    the same date, deny.
//! 4. Where none says anything, the facility's default holds, unless a permit that may address the caller took its
//!    place: it bounds what they see; whoever it does not speak of keeps the default.

use super::{
    algebra::{and, everything, not, nothing, or, whether},
    directive::{Directive, Directives},
    provision::{self, Asked, Kind, Says},
};
use search::Predicate;
use std::sync::Arc;

/// Which of several Consents counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Combine {
    /// What denies.
    #[default]
    DenyOverrides,
    /// The newest that says anything.
    Newest,
}

impl Combine {
    /// As the setting writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DenyOverrides => "deny-overrides",
            Self::Newest => "newest",
        }
    }

    /// Reads [`Combine::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::DenyOverrides, Self::Newest].into_iter().find(|one| one.as_str() == text)
    }
}

/// What a Consent is at a moment, beside the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing<'a> {
    /// It counts.
    Counts,
    /// Its period has not begun or is over.
    OutOfPeriod,
    /// A newer one about the same policy took its place.
    Superseded(&'a str),
}

/// Each Consent with what it is at this moment.
pub(crate) fn standings(directives: &Directives, now: i64) -> Vec<(&Directive, Standing<'_>)> {
    standings_by(directives, &|low, high| low <= now && now < high)
}

/// The same at the moment that lies in what holds.
pub(crate) fn standings_by<'d>(
    directives: &'d Directives,
    holds: &dyn Fn(i64, i64) -> bool,
) -> Vec<(&'d Directive, Standing<'d>)> {
    let in_force: Vec<&Directive> = directives.directives.iter().filter(|one| one.is_in_force(holds)).collect();
    let newer = |old: &Directive| {
        let (policy, (_, high)) = (old.policy.as_ref()?, old.dated?);
        if old.doubtful {
            return None;
        }
        let found = in_force.iter().find(|one| {
            !one.doubtful && one.policy.as_ref() == Some(policy) && one.dated.is_some_and(|(low, _)| low >= high)
        });
        found.map(|one| &*one.id)
    };
    let standing = |one: &Directive| match one.is_in_force(holds) {
        false => Standing::OutOfPeriod,
        true => newer(one).map_or(Standing::Counts, Standing::Superseded),
    };
    directives.directives.iter().map(|one| (one, standing(one))).collect()
}

/// What one Consent says.
pub(crate) fn says(directive: &Directive, asked: &Asked<'_>) -> Says {
    let mut says = provision::says(&directive.root, directive.base, asked);
    if directive.doubtful {
        (says.permitted, says.given) = (nothing(), nothing());
    }
    says
}

/// Whether a Consent takes the default's place for this caller.
pub(crate) fn replaces(directive: &Directive, asked: &Asked<'_>) -> bool {
    directive.is_privacy
        && !asked.view.overrides()
        && directive.root.kind == Kind::Permit
        && directive.root.addresses(asked).maybe
}

/// What all of them leave a caller of what they reach otherwise.
pub(crate) fn left(directives: &Directives, asked: &Asked<'_>) -> Arc<Predicate> {
    let counting = counting(directives, asked);
    let is_replaced = counting.iter().any(|one| replaces(one, asked));
    let default = whether(!is_replaced && asked.view.settings.default.permits(asked.view));
    fold(&counting, asked, default, false)
}

/// What they give a caller whom they name.
pub(crate) fn given(directives: &Directives, asked: &Asked<'_>) -> Arc<Predicate> {
    fold(&counting(directives, asked), asked, nothing(), true)
}

fn counting<'d>(directives: &'d Directives, asked: &Asked<'_>) -> Vec<&'d Directive> {
    let standings = standings_by(directives, &|low, high| asked.related.holds(low, high));
    standings.into_iter().filter(|(_, standing)| *standing == Standing::Counts).map(|(one, _)| one).collect()
}

/// `gives`: what names the caller counts alone; and what an older one gave, a newer permit for all does not give.
fn fold(directives: &[&Directive], asked: &Asked<'_>, default: Arc<Predicate>, gives: bool) -> Arc<Predicate> {
    let together = |group: &[&Directive], rest: Arc<Predicate>| {
        let said: Vec<Says> = group.iter().map(|one| says(one, asked)).collect();
        let denied = or(said.iter().map(|one| Arc::clone(&one.denied)));
        let permitted = or(said.iter().map(|one| Arc::clone(&one.permitted)));
        let rest = if gives { and([not(&permitted), rest]) } else { rest };
        let counts = if gives { or(said.iter().map(|one| Arc::clone(&one.given))) } else { permitted };
        and([not(&denied), or([counts, rest])])
    };
    match asked.view.settings.combine {
        Combine::DenyOverrides => together(directives, default),
        Combine::Newest => {
            let date = |one: &&Directive| one.dated.map_or(i64::MIN, |(low, _)| low);
            let mut sorted = directives.to_vec();
            sorted.sort_by_key(date);
            sorted.chunk_by(|a, b| date(a) == date(b)).fold(default, |rest, group| together(group, rest))
        }
    }
}

/// Whether the default alone decides for everybody.
pub(crate) fn of_default(asked: &super::view::View) -> Arc<Predicate> {
    if asked.settings.default.permits(asked) { everything() } else { nothing() }
}
