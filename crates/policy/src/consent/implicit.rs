//! What holds where no Consent speaks: IHE PCF's implicit policies, one of which a facility chooses; and what a Consent
//! means that names one of them, or says opt-in or opt-out, instead of a type at its root. SPEC: IHE PCF 1.1 volume 1;
//! rows G2, G3.
//!
//! "Normal" data is what a caller's clearance for labels lets through: these policies say for whom and for what, the
//! labels' rules say how confidential (docs/access.md).

use super::{
    algebra::Answer,
    read::{Coded, concept},
    view::View,
};
use fhir::json::Value;
use oauth::udap::purpose::Purpose;

/// An implicit policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Implicit {
    /// All authorized uses.
    #[default]
    AllNormal,
    /// Treatment: clinicians of the facility, and others who ask for treatment.
    BasicNormal,
    /// Breaking the glass.
    BreakGlassOnly,
    /// Nothing.
    Deny,
}

const POLICIES: &str = "https://profiles.ihe.net/ITI/PCF/Policy-";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const CONSENT_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/consentcategorycodes";
const CONSENT_POLICY: &str = "http://terminology.hl7.org/CodeSystem/consentpolicycodes";

impl Implicit {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::AllNormal, Self::BasicNormal, Self::BreakGlassOnly, Self::Deny];

    /// As PCF and the setting write it: `all-normal`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllNormal => "all-normal",
            Self::BasicNormal => "basic-normal",
            Self::BreakGlassOnly => "break-glass-only",
            Self::Deny => "deny",
        }
    }

    /// Reads [`Implicit::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text)
    }

    /// Its canonical, of PCF.
    fn of_uri(uri: &str) -> Option<Self> {
        let name = uri.split('|').next()?.strip_prefix(POLICIES)?;
        Self::parse(name)
    }

    /// Whether it lets this caller see.
    pub(crate) fn permits(self, view: &View) -> bool {
        self.answer(view).surely
    }

    /// The same, where some of what the caller asks for is in doubt: who asks for treatment and something else.
    fn answer(self, view: &View) -> Answer {
        match self {
            Self::AllNormal => Answer::YES,
            Self::BasicNormal if view.is_clinician && view.purposes.is_empty() => Answer::YES,
            Self::BasicNormal => view.asks_for(Purpose::is_treatment),
            Self::BreakGlassOnly => view.asks_for(|one| one.is_a(Purpose::BREAK_GLASS)),
            Self::Deny => Answer::NO,
        }
    }
}

/// What a Consent says at its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    /// `provision.type`, or opt-in.
    Permit,
    /// `provision.type`, or opt-out.
    Deny,
    /// A policy of PCF: permits what it permits.
    Policy(Implicit),
    /// Nothing by itself: the facility's default, with the exceptions below.
    Silent,
}

impl Base {
    /// Whom a root permit is for, by the policy that it comes from.
    pub(crate) fn answer(self, view: &View) -> Answer {
        match self {
            Self::Policy(policy) => policy.answer(view),
            Self::Permit | Self::Deny | Self::Silent => Answer::YES,
        }
    }
}

/// The root rule of a Consent whose root has no type: from the policies that it names, then from its categories, else
/// the default (row G2). Where several are named, the strictest counts.
pub(crate) fn base(consent: Value<'_>) -> Base {
    let policies = consent.get("policy").into_iter().flat_map(Value::items_or_self);
    let uris = policies.filter_map(|policy| policy.get("uri").and_then(Value::as_str));
    let rule = consent.get("policyRule").map(concept).unwrap_or_default();
    let named = uris.filter_map(|uri| Implicit::of_uri(&uri).map(of_policy)).chain(rule.iter().filter_map(of_code));
    let categories = consent.get("category").into_iter().flat_map(Value::items_or_self).flat_map(concept);
    let categories: Vec<Base> = categories.filter_map(|code| of_code(&code)).collect();
    strictest(named).or_else(|| strictest(categories)).unwrap_or(Base::Silent)
}

fn of_policy(policy: Implicit) -> Base {
    match policy {
        Implicit::Deny => Base::Deny,
        other => Base::Policy(other),
    }
}

fn of_code(code: &Coded) -> Option<Base> {
    match (&*code.system, &*code.code) {
        (ACT_CODE, "OPTIN" | "OPTINR") => Some(Base::Permit),
        (ACT_CODE, "OPTOUT" | "OPTOUTE") => Some(Base::Deny),
        (CONSENT_CATEGORY, "emrgonly") => Some(Base::Policy(Implicit::BreakGlassOnly)),
        (CONSENT_POLICY, "hipaa-restrictions") => Some(Base::Deny),
        _ => None,
    }
}

fn strictest(bases: impl IntoIterator<Item = Base>) -> Option<Base> {
    let rank = |base: &Base| match base {
        Base::Permit | Base::Policy(Implicit::AllNormal) => 0,
        Base::Policy(Implicit::BasicNormal) => 1,
        Base::Policy(Implicit::BreakGlassOnly) => 2,
        Base::Deny | Base::Policy(Implicit::Deny) => 3,
        Base::Silent => 4,
    };
    bases.into_iter().max_by_key(rank)
}
