//! Who asks, why, and under which decisions of the facility: one caller as consents see them.

use super::{action::Action, algebra::Answer, combine::Combine, implicit::Implicit};
use crate::identity::{ENDING, Identity, Reading, stands_for};
use fhir::{LogicalId, ResourceType};
use oauth::{
    Caller,
    caller::{CallerKind, Role},
    udap::purpose::Purpose,
};
use search::{Predicate, Registry, matcher::Related};
use std::sync::Arc;

/// What the facility decided on consents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Settings {
    /// What holds where no Consent speaks (row G3).
    pub default: Implicit,
    /// Which of several Consents counts (row G6).
    pub combine: Combine,
    /// What a broken glass does to Consents (row F49).
    pub glass: Glass,
}

/// What a denial is to somebody who breaks the glass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Glass {
    /// It stands, unless the patient permits the purpose `BTG`, or one above it, as an exception.
    #[default]
    AsConsented,
    /// It counts only where it names a purpose that breaking the glass lies within: a denial in general is not meant for
    /// emergencies, one for emergencies is.
    Overrides,
}

/// A caller as consents see them. Two that are equal are told the same.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    pub(crate) identity: Identity,
    /// Which resources stand for them.
    standing: Vec<(ResourceType, Arc<Predicate>)>,
    /// Which of them are in use.
    in_use: Vec<(ResourceType, Arc<Predicate>)>,
    /// Patients who they are themselves: their own record is theirs.
    own: Vec<LogicalId>,
    pub(crate) purposes: Vec<Purpose>,
    pub(crate) actions: Vec<Action>,
    pub(crate) is_clinician: bool,
    pub(crate) is_system: bool,
    pub(crate) settings: Settings,
}

impl View {
    /// A caller, with the purposes of their request.
    #[must_use]
    pub fn of(caller: &Caller, settings: Settings, registry: &Registry) -> Self {
        let role = caller.user().map(|user| user.role);
        let patients = caller.user().filter(|user| user.role == Role::Patient).map(|user| Arc::clone(&user.patients));
        let own = patients.iter().flat_map(|ids| ids.iter()).filter_map(|id| LogicalId::parse(id).ok()).collect();
        let kind = match (caller.kind(), role) {
            (CallerKind::Person, Some(Role::Clinician)) => Asking::Clinician,
            (CallerKind::Person, _) => Asking::Person,
            _ if caller.acting().is_some() => Asking::Organization,
            _ => Asking::System,
        };
        Self { own, ..Self::new(kind, Identity::of(caller), caller.purposes(), settings, registry) }
    }

    /// Somebody of this kind, for previews and tests.
    #[must_use]
    pub fn new(
        kind: Asking,
        identity: Identity,
        purposes: &[Purpose],
        settings: Settings,
        registry: &Registry,
    ) -> Self {
        let mut actions = vec![Action::Access, Action::Use];
        if kind != Asking::Clinician {
            actions.push(Action::Disclose);
        }
        Self {
            standing: identity.standing(registry, Reading::Wide),
            in_use: identity.standing(registry, Reading::InUse),
            identity,
            own: Vec::new(),
            purposes: purposes.to_vec(),
            actions,
            is_clinician: kind == Asking::Clinician,
            is_system: kind == Asking::System,
            settings,
        }
    }

    /// Who they are.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether this is their own record.
    #[must_use]
    pub fn is_own(&self, patient: &LogicalId) -> bool {
        self.own.contains(patient)
    }

    /// Whether a denial in general does not count: the glass is broken, and the facility lets that override.
    pub(crate) fn overrides(&self) -> bool {
        let broken = |purpose: &Purpose| Purpose::parse("BTG") == Some(*purpose);
        self.settings.glass == Glass::Overrides && !self.purposes.is_empty() && self.purposes.iter().all(broken)
    }

    /// Whether that resource stands for them: surely, while it is in use; perhaps, when it is theirs.
    pub(crate) fn stands_for(&self, kind: ResourceType, id: &LogicalId, related: &dyn Related) -> Answer {
        let is_own = self.identity.is(kind, id);
        if !is_own && !stands_for(&self.standing, kind, id, related) {
            return Answer::NO;
        }
        let ends = ENDING.contains(&kind.name());
        let surely = (is_own && !ends) || stands_for(&self.in_use, kind, id, related);
        Answer { surely, maybe: true }
    }

    /// Whether all that they ask for is this purpose, and whether any of it is.
    pub(crate) fn asks_for(&self, is_met: impl Fn(Purpose) -> bool) -> Answer {
        let mut met = self.purposes.iter().map(|purpose| is_met(*purpose));
        let maybe = self.purposes.iter().any(|purpose| is_met(*purpose));
        Answer { surely: maybe && met.all(|met| met), maybe }
    }
}

/// What kind of caller somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asking {
    /// A clinician of the facility.
    Clinician,
    /// Another person: a caregiver, somebody whom a Consent names.
    Person,
    /// An organization that came by a certificate.
    Organization,
    /// A client that acts for itself.
    System,
}
