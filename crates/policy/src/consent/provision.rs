//! A provision: a rule and its exceptions. SPEC: R4 consent.html (`Consent.provision`); IHE PCF; rows G4, G5.
//!
//! - A provision **matches** when all of its populated elements are met, each by one of its repeats.
//! - What is below it is an **exception** to it: looked at when it matches, and deciding when one of these matches.
//! - Side by side, **deny wins**.
//! - An exception of the **same type** as the provision is none: it adds to it. That is how PCF gives one practitioner
//!   restricted data beside the normal data that all get. Such a one is looked at also for resources that the provision
//!   above does not mean; for its caller, purpose, action and time it stays within it.
//!
//! In doubt ([`super::algebra`]) the stricter of the two outcomes counts, at each level: deny is stricter than silence,
//! silence than permit.

use super::{
    action::{self, Action},
    actor::{self, Actor},
    algebra::{Answer, Criterion, Sides, and, everything, not, nothing, or},
    class::{self, Class},
    code::{self, Code},
    data::{self, Data},
    data_period, implicit,
    limits::{DEPTH_MAX, PROVISIONS_MAX},
    purpose,
    read::{self, Period, coding, concept, criterion, is_modified},
    security_label::{self, Label},
    view::View,
};
use fhir::{ResourceType, json::Value};
use search::{Predicate, matcher::Related};
use std::sync::Arc;

/// `provision.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are R4's codes")]
pub enum Kind {
    Permit,
    Deny,
    /// A root without a type, in a Consent that does not say opt-in or opt-out either.
    Silent,
}

/// A provision, as far as it could be read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Provision {
    pub(crate) kind: Kind,
    /// It cannot be told whether it matches: something in it must be understood and is not.
    pub(crate) doubtful: bool,
    pub(crate) period: Period,
    pub(crate) actors: Criterion<Actor>,
    pub(crate) actions: Criterion<Action>,
    pub(crate) labels: Criterion<Label>,
    pub(crate) purposes: Criterion<purpose::Named>,
    pub(crate) classes: Criterion<Class>,
    pub(crate) codes: Criterion<Code>,
    pub(crate) data_period: Period,
    pub(crate) data: Criterion<Data>,
    pub(crate) below: Vec<Provision>,
}

/// Why a Consent cannot be read: it is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMuch;

impl Provision {
    /// One that says nothing: it matches all.
    pub(crate) fn empty(kind: Kind) -> Self {
        Self {
            kind,
            doubtful: false,
            period: Period::None,
            actors: Criterion::default(),
            actions: Criterion::default(),
            labels: Criterion::default(),
            purposes: Criterion::default(),
            classes: Criterion::default(),
            codes: Criterion::default(),
            data_period: Period::None,
            data: Criterion::default(),
            below: Vec::new(),
        }
    }

    /// Reads a root provision; `kind` says what it is when it has no type.
    pub(crate) fn root(value: Value<'_>, kind: Kind) -> Result<Self, TooMuch> {
        Self::read(value, Some(kind), 0, &mut 0)
    }

    fn read(value: Value<'_>, kind: Option<Kind>, depth: usize, seen: &mut usize) -> Result<Self, TooMuch> {
        *seen += 1;
        if depth > DEPTH_MAX || *seen > PROVISIONS_MAX {
            return Err(TooMuch);
        }
        let written = value.get("type").and_then(Value::as_str);
        let kind = match (written.as_deref(), kind) {
            (Some("permit"), _) => Kind::Permit,
            (Some("deny"), _) => Kind::Deny,
            (None, Some(kind)) if value.get("type").is_none() && value.get("_type").is_none() => kind,
            // An exception of a type that nobody knows: at worst it forbids.
            _ => Kind::Deny,
        };
        let mut below = Vec::new();
        if let Some(list) = value.get("provision") {
            for one in list.items_or_self() {
                below.push(Self::read(one, None, depth + 1, seen)?);
            }
        }
        Ok(Self {
            kind,
            doubtful: is_modified(value),
            period: read::period(value.get("period")),
            actors: criterion(value, "actor", actor::read),
            actions: criterion(value, "action", |one| Action::read(&concept(one))),
            labels: criterion(value, "securityLabel", |one| coding(one).and_then(security_label::read)),
            purposes: criterion(value, "purpose", |one| coding(one).and_then(|code| purpose::read(&code))),
            classes: criterion(value, "class", |one| coding(one).and_then(class::read)),
            codes: criterion(value, "code", |one| Some(concept(one)).filter(|codes| !codes.is_empty()).map(Code)),
            data_period: read::period(value.get("dataPeriod")),
            data: criterion(value, "data", data::read),
            below,
        })
    }

    /// Repeats and codes in it and below it. How deep that goes [`DEPTH_MAX`] bounds.
    pub(crate) fn items(&self) -> usize {
        let own = [
            self.actors.repeats.len(),
            self.actions.repeats.len(),
            self.labels.repeats.len(),
            self.purposes.repeats.len(),
            self.classes.repeats.len(),
            self.codes.repeats.iter().map(|code| code.0.len()).sum(),
            self.data.repeats.len(),
        ];
        own.into_iter().sum::<usize>() + self.below.iter().map(Self::items).sum::<usize>()
    }

    /// Whether it speaks of this caller, purpose, action and moment.
    pub(crate) fn addresses(&self, asked: &Asked<'_>) -> Answer {
        if self.doubtful {
            return Answer::DOUBTFUL.and(self.addresses_as_read(asked));
        }
        self.addresses_as_read(asked)
    }

    fn addresses_as_read(&self, asked: &Asked<'_>) -> Answer {
        let period = match self.period {
            Period::None => Answer::YES,
            Period::Span(span) => Answer::is(span.holds(asked.related)),
            Period::Unreadable => Answer::DOUBTFUL,
        };
        let mut answer = period;
        if answer.maybe {
            answer = answer.and(action::answer(&self.actions, asked.view));
        }
        if answer.maybe {
            answer = answer.and(purpose::answer(&self.purposes, asked.view));
        }
        // Last: this one asks the store.
        if answer.maybe {
            answer = answer.and(actor::answer(&self.actors, self.kind, asked.view, asked.related));
        }
        answer
    }

    /// Which resources of the type it speaks of.
    pub(crate) fn means(&self, kind: ResourceType) -> Sides {
        Sides::all(vec![
            class::sides(&self.classes, kind),
            data_period::sides(self.data_period, kind, self.kind),
            security_label::sides(&self.labels, kind, self.kind),
            code::sides(&self.codes, kind),
            data::sides(&self.data, kind),
        ])
    }
}

/// Who asks, and in which world.
pub(crate) struct Asked<'a> {
    pub(crate) view: &'a View,
    pub(crate) kind: ResourceType,
    pub(crate) related: &'a dyn Related,
}

/// What a provision, or a whole Consent, says of resources of a type.
#[derive(Debug, Clone)]
pub(crate) struct Says {
    /// Those that it forbids, or may forbid.
    pub(crate) denied: Arc<Predicate>,
    /// Those that it surely permits.
    pub(crate) permitted: Arc<Predicate>,
    /// Of these, those that a permit for actors permits: it names the caller.
    pub(crate) given: Arc<Predicate>,
}

impl Says {
    pub(crate) fn nothing() -> Self {
        Self { denied: nothing(), permitted: nothing(), given: nothing() }
    }

    /// What several side by side say together.
    fn together(all: &[&Self]) -> Self {
        // What one forbids it does not permit.
        if let [only] = all {
            return (*only).clone();
        }
        let denied = or(all.iter().map(|one| Arc::clone(&one.denied)));
        let permitted = or(all.iter().map(|one| Arc::clone(&one.permitted)));
        let given = or(all.iter().map(|one| Arc::clone(&one.given)));
        let allowed = not(&denied);
        Self { permitted: and([permitted, Arc::clone(&allowed)]), given: and([given, allowed]), denied }
    }
}

/// What a provision says, with all that is below it. `base`: what the root is by the policy that it comes from.
pub(crate) fn says(provision: &Provision, base: implicit::Base, asked: &Asked<'_>) -> Says {
    let addressed = provision.addresses(asked).and(base.answer(asked.view));
    if !addressed.maybe {
        return Says::nothing();
    }
    // A denial in general does not count under a glass that overrides; what is below it does: it may name emergencies.
    let is_general = provision.kind == Kind::Deny && !provision.purposes.is_populated();
    let own = if is_general && asked.view.overrides() { Kind::Silent } else { provision.kind };
    let means = provision.means(asked.kind);
    let below: Vec<(Kind, Says)> =
        provision.below.iter().map(|one| (one.kind, says(one, implicit::Base::Permit, asked))).collect();
    let exceptions = Says::together(&below.iter().map(|(_, one)| one).collect::<Vec<_>>());
    let same: Vec<&Says> = below.iter().filter(|(kind, _)| *kind == provision.kind).map(|(_, one)| one).collect();
    let only_additions = same.len() == below.len();
    let additions = if only_additions { exceptions.clone() } else { Says::together(&same) };

    // Where it matches: the exceptions, else its own type.
    let (denied, permitted) = match own {
        Kind::Permit => (Arc::clone(&exceptions.denied), not(&exceptions.denied)),
        Kind::Deny => (not(&exceptions.permitted), Arc::clone(&exceptions.permitted)),
        Kind::Silent => (Arc::clone(&exceptions.denied), Arc::clone(&exceptions.permitted)),
    };
    let names = provision.kind == Kind::Permit && provision.actors.is_populated();
    let (given, added) = if names { (everything(), everything()) } else { (exceptions.given, additions.given) };

    // Where it may match and where it may not is everywhere: what is the same in both needs no test of either.
    let matches = |then: Arc<Predicate>| or([not(&means.maybe), then]);
    let outside = |then: Arc<Predicate>| or([Arc::clone(&means.surely), then]);
    let denied = if Arc::ptr_eq(&denied, &additions.denied) {
        denied
    } else {
        or([and([Arc::clone(&means.maybe), denied]), and([not(&means.surely), additions.denied])])
    };
    // What may match is permitted when it would be either way, and given likewise.
    let permitted = if Arc::ptr_eq(&permitted, &additions.permitted) {
        permitted
    } else {
        and([matches(permitted), outside(additions.permitted)])
    };
    let permitted = if addressed.surely { permitted } else { nothing() };
    let given = if Arc::ptr_eq(&given, &added) { given } else { and([matches(given), outside(added)]) };
    Says { given: and([Arc::clone(&permitted), given]), denied, permitted }
}
