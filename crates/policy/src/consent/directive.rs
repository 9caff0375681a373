//! One Consent, and all of one patient. SPEC: R4 consent.html; rows G1, G2.
//!
//! - **status** `active` alone counts.
//! - **scope** `patient-privacy` alone governs who may see. `research`, `treatment` and `adr` (advance directives) say
//!   other things: their Consents are left out. Any other scope, or a text, may mean privacy: what such a Consent denies
//!   is denied, what it permits is not, and it takes no default's place.
//! - **period** of the root provision: outside of it the Consent does not count.
//! - **verification**: where there is one and none says `verified`, the Consent permits nothing; what it denies counts.
//! - A Consent that cannot be read at all, or is deeper or longer than [`super::limits`] say, denies everything.

use super::{
    combine::{self, Standing},
    implicit::{self, Base},
    limits::{CONSENTS_MAX, ITEMS_MAX},
    provision::{Kind, Provision},
    read::{Coded, Period, concept, is_modified},
};
use fhir::{
    json::{Tree, Value},
    primitive::date_time::DateTime,
};
use std::sync::Arc;

const SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";

/// The scopes of R4 that say nothing of who may see.
const OTHER_SCOPES: [&str; 3] = ["adr", "research", "treatment"];

/// A current version of a Consent.
#[derive(Debug, Clone, Copy)]
pub struct ConsentSource<'a> {
    /// Its logical id.
    pub id: &'a str,
    /// Its version.
    pub version: u32,
    /// Its JSON.
    pub json: &'a [u8],
}

/// Why a Consent does not count, whatever it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ignored {
    /// Its status is not `active`.
    NotActive,
    /// Its scope is another than privacy.
    OtherScope,
}

/// Why a Consent in force does not count at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idle {
    /// Its period has not begun or is over.
    OutOfPeriod,
    /// This newer one about the same policy took its place.
    Superseded(Arc<str>),
}

/// What all Consents of one patient say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Directives {
    pub(crate) directives: Vec<Directive>,
    /// Those that do not count: id, version, why.
    pub(crate) ignored: Vec<(Arc<str>, u32, Ignored)>,
}

/// One Consent that counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Directive {
    pub(crate) id: Arc<str>,
    pub(crate) version: u32,
    /// `dateTime` as `[low, high)`.
    pub(crate) dated: Option<(i64, i64)>,
    /// Which policy it is about; equal texts are the same policy. `None`: none is named.
    pub(crate) policy: Option<Arc<str>>,
    /// It permits nothing: something in it must be understood and is not, or nobody verified it.
    pub(crate) doubtful: bool,
    /// It is about privacy for sure.
    pub(crate) is_privacy: bool,
    /// What the root is by its policies and categories; [`Base::Permit`] where its type says it.
    pub(crate) base: Base,
    pub(crate) root: Provision,
}

impl Directives {
    /// What these Consents say. Never fails: what cannot be read denies.
    #[must_use]
    pub fn read(sources: &[ConsentSource<'_>]) -> Self {
        let mut all = Self::default();
        for source in sources {
            match Directive::read(source) {
                Ok(directive) => all.directives.push(directive),
                Err(why) => all.ignored.push((source.id.into(), source.version, why)),
            }
        }
        all.bounded()
    }

    /// What is too much denies.
    fn bounded(mut self) -> Self {
        if self.directives.len() > CONSENTS_MAX {
            self.directives.truncate(CONSENTS_MAX);
            self.directives.push(Directive::unreadable("", 0));
        }
        if self.directives.iter().map(|one| one.root.items()).sum::<usize>() > ITEMS_MAX {
            self.directives = vec![Directive::unreadable("", 0)];
        }
        self
    }

    /// Of a patient whose Consents cannot be told: all is denied.
    #[must_use]
    pub fn unreadable() -> Self {
        Self { directives: vec![Directive::unreadable("", 0)], ignored: Vec::new() }
    }

    /// Whether they change nothing for anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.directives.is_empty()
    }

    /// The same with this Consent in place of its other version, or beside them.
    #[must_use]
    pub fn with(&self, source: &ConsentSource<'_>) -> Self {
        let mut all = self.without(source.id);
        match Directive::read(source) {
            Ok(directive) => all.directives.push(directive),
            Err(why) => all.ignored.push((source.id.into(), source.version, why)),
        }
        all.bounded()
    }

    /// Those that do not count at this moment although they are active, each with what it is.
    #[must_use]
    pub fn idle(&self, now: fhir::Instant) -> Vec<(Arc<str>, Idle)> {
        let idle = |(one, standing): (&Directive, Standing<'_>)| match standing {
            Standing::Counts => None,
            Standing::OutOfPeriod => Some((Arc::clone(&one.id), Idle::OutOfPeriod)),
            Standing::Superseded(by) => Some((Arc::clone(&one.id), Idle::Superseded(by.into()))),
        };
        combine::standings(self, now.unix_millis()).into_iter().filter_map(idle).collect()
    }

    /// The same without this Consent.
    #[must_use]
    pub fn without(&self, id: &str) -> Self {
        let mut all = self.clone();
        all.directives.retain(|one| &*one.id != id);
        all.ignored.retain(|(other, ..)| &**other != id);
        all
    }
}

impl Directive {
    fn unreadable(id: &str, version: u32) -> Self {
        Self {
            id: id.into(),
            version,
            // The newest of all: no other takes its place.
            dated: Some((i64::MAX, i64::MAX)),
            policy: None,
            doubtful: true,
            is_privacy: true,
            base: Base::Deny,
            root: Provision::empty(Kind::Deny),
        }
    }

    fn read(source: &ConsentSource<'_>) -> Result<Self, Ignored> {
        let unreadable = || Self::unreadable(source.id, source.version);
        let Ok(tree) = Tree::parse(source.json.to_vec()) else { return Ok(unreadable()) };
        let consent = tree.root();
        if consent.kind() != fhir::json::Kind::Object {
            return Ok(unreadable());
        }
        let status = consent.get("status").and_then(Value::as_str);
        if status.as_deref().is_some_and(|status| status != "active") {
            return Err(Ignored::NotActive);
        }
        let scope = consent.get("scope").map(concept).unwrap_or_default();
        let is_privacy = scope.iter().any(|code| code.is(SCOPE, "patient-privacy"));
        let is_other = |code: &Coded| &*code.system == SCOPE && OTHER_SCOPES.contains(&&*code.code);
        if !is_privacy && scope.iter().any(is_other) {
            return Err(Ignored::OtherScope);
        }
        let root = consent.get("provision");
        let has_type = root.is_some_and(|root| root.get("type").is_some() || root.get("_type").is_some());
        let base = if has_type { Base::Permit } else { implicit::base(consent) };
        let kind = match base {
            Base::Permit | Base::Policy(_) => Kind::Permit,
            Base::Deny => Kind::Deny,
            Base::Silent => Kind::Silent,
        };
        let root = match root.map_or(Ok(Provision::empty(kind)), |root| Provision::root(root, kind)) {
            Ok(root) => root,
            Err(_) => return Ok(unreadable()),
        };
        let is_whole =
            status.is_some() && is_privacy && !is_modified(consent) && consent.get("implicitRules").is_none();
        let dated = consent.get("dateTime").and_then(Value::as_str).and_then(|text| DateTime::parse(&text));
        Ok(Self {
            id: source.id.into(),
            version: source.version,
            dated: dated.map(|date| (date.low, date.high)),
            policy: policy(consent, &scope),
            doubtful: !is_whole || is_refuted(consent),
            is_privacy,
            base,
            root,
        })
    }

    /// Whether it counts at the moment of the question, by its period. One that cannot be read may.
    pub(crate) fn is_in_force(&self, holds: &dyn Fn(i64, i64) -> bool) -> bool {
        match self.root.period {
            Period::Span(span) => holds(span.low, span.high),
            Period::None | Period::Unreadable => true,
        }
    }
}

/// Whether there are verifications and none says that it is verified.
fn is_refuted(consent: Value<'_>) -> bool {
    let Some(list) = consent.get("verification") else { return false };
    !list.items_or_self().any(|one| one.get("verified").and_then(Value::as_bool) == Some(true))
}

/// Which policy it is about: its policies and policy rule, with scope and category, each in a fixed order (row G6).
/// A Consent that names no policy is about none.
fn policy(consent: Value<'_>, scope: &[Coded]) -> Option<Arc<str>> {
    let text = |value: Value<'_>, name: &str| value.get(name).and_then(Value::as_str).map(|text| text.into_owned());
    let mut named: Vec<String> = Vec::new();
    for policy in consent.get("policy").into_iter().flat_map(Value::items_or_self) {
        named.extend(text(policy, "uri").map(|uri| format!("uri {uri}")));
    }
    let rule = consent.get("policyRule").map(concept).unwrap_or_default();
    named.extend(rule.iter().map(|code| format!("rule {}|{}", code.system, code.code)));
    if named.is_empty() {
        return None;
    }
    let categories = consent.get("category").into_iter().flat_map(Value::items_or_self).flat_map(concept);
    named.extend(categories.map(|code| format!("category {}|{}", code.system, code.code)));
    named.extend(scope.iter().map(|code| format!("scope {}|{}", code.system, code.code)));
    named.sort();
    named.dedup();
    Some(named.join("\n").into())
}
