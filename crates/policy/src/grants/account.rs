//! A decision on one resource, part by part: which scope, which reach, which rule, consent and label had which part in
//! it. Row G18.
//!
//! The verdict is the decision's own: the predicate of the caller's [`Grants`], which the store holds every road
//! against. The parts are made by the very functions that the predicate is composed of, each asked alone; whether they
//! come to the verdict is said too ([`Trace::adds_up`]), and `account::tests` holds them equal. Names ids, scopes, codes
//! and names of rules, never what is in the resource.

use super::{Grants, both, criteria, in_context, is_audit_event, letter, letters_of};
use crate::{
    House,
    consent::{Directives, Implicit, Ruling, Verdict},
    guard::{Given, Guard, Withholds},
    organization::{Organization, Reached},
    permit::{Access, Need},
    person::{Person, Reach, Reaching},
    rules::Named,
};
use fhir::{LogicalId, ResourceType};
use oauth::{
    Caller,
    caller::CallerKind,
    scope::{Scope, ScopeContext},
};
use search::{
    Predicate, Registry, ValueRef, describe,
    matcher::{Related, Subject, matches},
};
use std::{fmt::Write, sync::Arc};

#[cfg(test)]
mod tests;

/// What a part of a decision is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// A scope of the token.
    Scope,
    /// What the caller reaches by who they are: role, relation, purpose.
    Reach,
    /// A rule of the facility's.
    Rule,
    /// The consents of a patient, all together, or one of them.
    Consent,
    /// Security labels.
    Label,
    /// A glass that the caller broke.
    Glass,
}

impl Source {
    /// As a code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Reach => "reach",
            Self::Rule => "rule",
            Self::Consent => "consent",
            Self::Label => "label",
            Self::Glass => "break-glass",
        }
    }
}

/// What it does in the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It gives the resource.
    Gives,
    /// It could, and does not give this one.
    GivesNot,
    /// It could withhold it, and lets it through.
    Lets,
    /// It withholds it.
    Withholds,
    /// It has no say.
    Silent,
}

impl Effect {
    /// As a code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gives => "gives",
            Self::GivesNot => "gives-not",
            Self::Lets => "lets-through",
            Self::Withholds => "withholds",
            Self::Silent => "silent",
        }
    }
}

/// A part of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub source: Source,
    /// Its name: the scope as granted, the rule's name, `Consent/ID`.
    pub name: String,
    /// What it does.
    pub effect: Effect,
    /// Why, in words.
    pub why: String,
}

/// A decision with its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Whether the caller may.
    pub may: bool,
    /// Whether the parts come to that.
    pub adds_up: bool,
    /// In the order in which they are composed.
    pub parts: Vec<Part>,
}

/// What a resource is looked at with.
pub struct Looked<'a> {
    /// The resource.
    pub subject: Subject<'a>,
    /// The others of that moment.
    pub related: &'a dyn Related,
    /// What the consents of a patient say.
    pub said: &'a dyn Fn(&LogicalId) -> Option<Arc<Directives>>,
}

impl std::fmt::Debug for Looked<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Looked({}/{})", self.subject.resource_type, self.subject.id)
    }
}

/// What a decision is explained of.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    /// Whose.
    pub caller: &'a Caller,
    /// Search parameters.
    pub registry: &'a Registry,
    /// What the facility decided.
    pub house: &'a House,
    /// What they would do.
    pub need: Need,
    /// Whether the consents of every patient are told. Else those of the caller's own record alone: what is about several
    /// patients tells nobody what the others said.
    pub whole: bool,
}

/// Explains whether the caller may, and by what.
#[must_use]
pub fn account(decision: Decision<'_>, looked: &Looked<'_>) -> Trace {
    of(decision, &Grants::compile(decision.caller, decision.registry, decision.house), looked)
}

/// The same with the caller's grants.
fn of(decision: Decision<'_>, grants: &Grants, looked: &Looked<'_>) -> Trace {
    let Decision { caller, registry, house, need, whole } = decision;
    let kind = looked.subject.resource_type;
    let mut account = Account { registry, looked, whole, parts: Vec::new() };
    let may = account.holds(grants.access(kind, need));
    if caller.kind() == CallerKind::Operator {
        account.say(Source::Reach, "operator", Effect::Gives, "the operator of the machine is ruled by nothing");
        return Trace { may, adds_up: may, parts: account.parts };
    }
    let rules = house.rules.bound(grants.asker.facts(), registry);
    let given = Given::of(caller, registry, house);
    let given =
        given.as_ref().filter(|_| matches!(need, Need::Read | Need::Search)).and_then(|given| given.of_type(kind));
    let adds = rules.adds(kind, need);
    let person = Person::of(caller);
    let organization =
        Organization::of(caller).map(|organization| Reached::new(&organization, registry, house).of_type(kind));
    let reaching = person.as_ref().map(|person| Reaching::new(person, registry, house));
    let mut is_given = false;
    for scope in caller.grant().scopes.iter() {
        let Some(criteria) = account.scope(scope, kind, need, person.is_some()) else { continue };
        let reach = match &reaching {
            Some(reaching) => Reach::of(reaching, scope, kind).access(need).clone(),
            None => Access::Everything,
        };
        let reach = match &organization {
            Some(reached) if matches!(need, Need::Read | Need::Search) => meet(&reach, reached),
            Some(_) => Access::Nothing,
            None => reach,
        };
        let mut is_reached = account.reach(caller, scope, &reach);
        let within = |added: &Arc<Predicate>| match &person {
            Some(person) => in_context(added, person, scope, kind, registry),
            None => Some(Arc::clone(added)),
        };
        // A system that is no organization reaches all: nothing is added to that.
        if reach != Access::Everything {
            for Named { rule, predicate, .. } in &adds {
                is_reached |= account.added(Source::Rule, rule, within(predicate));
            }
            if let Some(given) = &given {
                is_reached |= account.added(Source::Consent, "a consent that names the caller", within(given));
            }
        }
        is_given |= criteria && is_reached;
    }
    if need == Need::Read
        && let Some((own, id)) = person.as_ref().and_then(Person::itself)
        && (own, &id) == (kind, looked.subject.id)
        && organization.as_ref().is_none_or(|reached| account.holds(reached))
    {
        account.say(Source::Reach, "fhirUser", Effect::Gives, "it stands for the person themselves");
        is_given = true;
    }
    if is_audit_event(kind) && !matches!(need, Need::Read | Need::Search) {
        is_given = false;
    }
    let guard = Guard::of(caller, registry, house, &rules);
    let mut is_left = true;
    for (withholds, access) in guard.parts(kind, need) {
        is_left &= account.left(&withholds, &access);
    }
    let by_parts = is_given && is_left;
    let mut adds_up = may == by_parts;
    if may && !by_parts && !caller.glasses().is_empty() {
        account.say(Source::Glass, "break-glass", Effect::Gives, "the caller broke the glass of this patient's record");
        adds_up = true;
    }
    if !may && by_parts && caller.is_break_glass() {
        let why = "the request comes by a broken glass, and reaches the records of its patients alone";
        account.say(Source::Glass, "break-glass", Effect::Withholds, why);
        adds_up = true;
    }
    Trace { may, adds_up, parts: account.parts }
}

struct Account<'a> {
    registry: &'a Registry,
    looked: &'a Looked<'a>,
    whole: bool,
    parts: Vec<Part>,
}

impl Account<'_> {
    fn say(&mut self, source: Source, name: impl Into<String>, effect: Effect, why: impl Into<String>) {
        let part = Part { source, name: name.into(), effect, why: why.into() };
        if !self.parts.contains(&part) {
            self.parts.push(part);
        }
    }

    fn means(&self, predicate: &Predicate) -> bool {
        matches(self.registry, predicate, self.looked.subject, self.looked.related)
    }

    fn holds(&self, access: &Access) -> bool {
        access.covers(self.registry, self.looked.subject, self.looked.related)
    }

    /// Whether the scope means the resource; `None`: it is not about this at all.
    fn scope(&mut self, scope: &Scope, kind: ResourceType, need: Need, is_person: bool) -> Option<bool> {
        let name = scope.text.to_string();
        let not = |this: &mut Self, why: String| {
            this.say(Source::Scope, name.clone(), Effect::Silent, why);
            None
        };
        if (scope.context == ScopeContext::System) == is_person {
            return not(self, "it is of another kind than the caller".into());
        }
        if scope.resource_type.as_deref().is_some_and(|own| own != kind.name()) {
            return not(self, format!("it is not about {kind}"));
        }
        if !scope.permissions.contains(letter(need)) {
            return not(self, format!("it does not have the letter '{}'", letters_of(need)));
        }
        if scope.query.is_empty() {
            self.say(Source::Scope, name, Effect::Gives, format!("it is about every {kind} that the caller reaches"));
            return Some(true);
        }
        let Ok(criteria) = criteria::compile(self.registry, kind, &scope.query) else {
            return not(self, format!("{kind} is not searched by its criteria"));
        };
        let means = self.means(&criteria);
        let effect = if means { Effect::Gives } else { Effect::GivesNot };
        self.say(Source::Scope, name, effect, "its criteria are a search of their own");
        Some(means)
    }

    /// What the caller reaches by who they are: as a whole, and each way that holds.
    fn reach(&mut self, caller: &Caller, scope: &Scope, reach: &Access) -> bool {
        let who = match (caller.user(), caller.acting()) {
            (Some(user), _) => format!("role {}, with {}/", user.role.as_str(), scope.context.as_str()),
            (None, Some(acting)) => {
                let purposes: Vec<&str> = caller.purposes().iter().map(|purpose| purpose.code()).collect();
                format!("organization {}, for {}", acting.uri, purposes.join(" "))
            }
            (None, None) => "system".to_owned(),
        };
        let holds = self.holds(reach);
        let why = match reach {
            Access::Everything => "all resources of this type".to_owned(),
            Access::Nothing => "no resource of this type".to_owned(),
            Access::Where(predicate) => self.ways(predicate, holds),
        };
        self.say(Source::Reach, who, if holds { Effect::Gives } else { Effect::GivesNot }, why);
        holds
    }

    /// The ways of a reach that lead here; when none does, all there are.
    fn ways(&self, predicate: &Predicate, holds: bool) -> String {
        const SHOWN_MAX: usize = 5;
        let all = match predicate {
            Predicate::Or(parts) => parts.iter().map(Arc::as_ref).collect(),
            one => vec![one],
        };
        let ways: Vec<&Predicate> = all.into_iter().filter(|way| !holds || self.means(way)).collect();
        let mut text = String::from(if holds { "by: " } else { "none of its ways leads here: " });
        for (at, way) in ways.iter().take(SHOWN_MAX).enumerate() {
            let _ = write!(text, "{}{}", if at > 0 { "; " } else { "" }, describe::predicate(self.registry, way));
        }
        if ways.len() > SHOWN_MAX {
            let _ = write!(text, "; and {} more", ways.len() - SHOWN_MAX);
        }
        text
    }

    /// What a rule or consent adds.
    fn added(&mut self, source: Source, name: &str, added: Option<Arc<Predicate>>) -> bool {
        let holds = added.as_ref().is_some_and(|added| self.means(added));
        let (effect, why) = if holds {
            (Effect::Gives, "it is added to what the caller reaches")
        } else {
            (Effect::GivesNot, "it adds others to what the caller reaches, not this one")
        };
        self.say(source, name, effect, why);
        holds
    }

    /// What withholds.
    fn left(&mut self, withholds: &Withholds, access: &Access) -> bool {
        let holds = self.holds(access);
        let effect = if holds { Effect::Lets } else { Effect::Withholds };
        match withholds {
            Withholds::Rule(named) => {
                let why = match (named.verb, holds) {
                    (crate::rules::Verb::Limit, false) => "it limits the caller to others",
                    (_, false) => "it denies this one",
                    (_, true) => "it is about the caller, and not about this one",
                };
                self.say(Source::Rule, named.rule.as_ref(), effect, why);
            }
            Withholds::Labels => {
                if *access != Access::Everything {
                    self.labels(access, holds, effect);
                }
            }
            Withholds::Performer => {
                if *access != Access::Everything {
                    let why = "a Consent in force is the act of its performer; what is no more than drawn up is free";
                    self.say(Source::Consent, "who writes a Consent", effect, why);
                }
            }
            Withholds::Consents(ruling) => {
                if let (Some(ruling), true) = (ruling, *access != Access::Everything) {
                    let name = "consents";
                    let why = if holds { "they let it through" } else { "they withhold it" };
                    self.say(Source::Consent, name, effect, why);
                    self.consents(ruling, access);
                }
            }
        }
        holds
    }

    fn labels(&mut self, access: &Access, holds: bool, effect: Effect) {
        let mut barred = Vec::new();
        if let Access::Where(predicate) = access {
            only(predicate, &mut |parameter, tokens| {
                self.looked.subject.values.any(parameter, &mut |value| {
                    if let ValueRef::Token { system, code, .. } = value
                        && !tokens.has(system, code)
                    {
                        let label = format!("{}|{code}", system.unwrap_or_default());
                        if !barred.contains(&label) {
                            barred.push(label);
                        }
                    }
                    false
                });
            });
        }
        let why = match (holds, barred.is_empty()) {
            (true, _) => "the caller is cleared for all of its labels".to_owned(),
            (false, false) => format!("the caller is not cleared for {}", barred.join(", ")),
            (false, true) => {
                "a resource of this type without a label is more confidential than the caller may see".into()
            }
        };
        self.say(Source::Label, "security labels", effect, why);
    }

    /// Each consent of each patient whom the resource is about, as far as it is told.
    fn consents(&mut self, ruling: &Ruling, access: &Access) {
        for patient in self.patients(access) {
            if !self.whole && !ruling.view.is_own(&patient) {
                continue;
            }
            let said = (self.looked.said)(&patient);
            let trace = ruling.explain(&patient, said.as_deref(), self.looked.subject, self.looked.related);
            let of = format!("of Patient/{patient}");
            if trace.own_record {
                self.say(Source::Consent, of, Effect::Lets, "it is the caller's own record");
                continue;
            }
            for one in &trace.consents {
                let (effect, why) = match &one.verdict {
                    Verdict::Silent => (Effect::Silent, "it says nothing of this".to_owned()),
                    Verdict::Permits => (Effect::Lets, "it permits this".to_owned()),
                    Verdict::Denies => (Effect::Withholds, "it denies this".to_owned()),
                    Verdict::OutOfPeriod => (Effect::Silent, "its period has not begun or is over".to_owned()),
                    Verdict::Superseded(by) => (Effect::Silent, format!("Consent/{by} took its place")),
                    Verdict::Ignored(_) => (
                        Effect::Silent,
                        "it does not count: not active, not about privacy, or not understood".to_owned(),
                    ),
                };
                let mut why = why;
                if one.doubtful {
                    why.push_str("; something in it is in doubt");
                }
                for step in one.steps.iter().filter(|step| !step.elements.is_empty()) {
                    let path: Vec<String> = step.path.iter().map(ToString::to_string).collect();
                    let elements: Vec<String> = step
                        .elements
                        .iter()
                        .map(|(element, met)| format!("{} {}", element.as_str(), word(*met)))
                        .collect();
                    let place =
                        if path.is_empty() { "provision".to_owned() } else { format!("provision {}", path.join(".")) };
                    let _ = write!(why, "; {place}: {}", elements.join(", "));
                }
                self.say(Source::Consent, format!("Consent/{} version {}", one.id, one.version), effect, why);
            }
            if trace.by_default {
                let effect = if trace.permitted { Effect::Lets } else { Effect::Withholds };
                let default: Implicit = trace.default;
                self.say(
                    Source::Consent,
                    of,
                    effect,
                    format!("no consent decides: the facility's default is {}", default.as_str()),
                );
            }
        }
    }

    /// The patients whose rules the predicate asks for.
    fn patients(&self, access: &Access) -> Vec<LogicalId> {
        let mut found = Vec::new();
        if self.registry.is_patient(self.looked.subject.resource_type) {
            found.push(self.looked.subject.id.clone());
        }
        if let Access::Where(predicate) = access {
            ruled(predicate, &mut |parameter| {
                self.looked.subject.values.any(parameter, &mut |value| {
                    if let ValueRef::Reference { target: Some((kind, id)), .. } = value
                        && self.registry.is_patient(kind)
                        && let Ok(id) = LogicalId::parse(id)
                    {
                        found.push(id);
                    }
                    false
                });
            });
        }
        found.sort();
        found.dedup();
        found
    }
}

fn word(met: crate::consent::Met) -> &'static str {
    match met {
        crate::consent::Met::Yes => "met",
        crate::consent::Met::No => "not met",
        crate::consent::Met::InDoubt => "in doubt",
    }
}

/// What both give.
fn meet(one: &Access, other: &Access) -> Access {
    match one {
        Access::Nothing => Access::Nothing,
        Access::Everything => other.clone(),
        Access::Where(one) => both(one, other).map_or(Access::Nothing, Access::Where),
    }
}

/// Each set of tokens that the predicate asks for, not looking through other resources.
fn only(predicate: &Predicate, found: &mut dyn FnMut(search::ParameterId, &search::predicate::TokenSet)) {
    match predicate {
        Predicate::Only { parameter, tokens } => found(*parameter, tokens),
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().for_each(|part| only(part, found)),
        Predicate::Not(part) | Predicate::Now(part) => only(part, found),
        _ => {}
    }
}

/// Each parameter by which it asks for rules of patients.
fn ruled(predicate: &Predicate, found: &mut dyn FnMut(search::ParameterId)) {
    match predicate {
        Predicate::Ruled(ruled) => ruled.about.iter().for_each(|parameter| found(*parameter)),
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().for_each(|part| ruled(part, found)),
        Predicate::Not(part) | Predicate::Now(part) => ruled(part, found),
        _ => {}
    }
}
