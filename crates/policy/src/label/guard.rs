//! The label part of a caller's guard: what of each type the caller is cleared for. Rows F41, F44, F47, H34.
//!
//! A clearance is found by who calls: a person's role, a registered system, an organization's purposes of use. What is
//! said of the very client or Organization takes its place for systems, and narrows it for people's apps.

use super::{ACT_REASON, CONFIDENTIALITY, Clearance, Confidentiality, Labels, Lift, codes::with_above, labels::Who};
use crate::{consent::View, permit::Access};
use fhir::{LogicalId, ResourceType};
use oauth::{
    Caller,
    caller::{CallerKind, Role},
    udap::purpose::Purpose,
};
use search::{
    Predicate, Registry, Test,
    predicate::{TokenSet, TokenTest},
};
use std::sync::Arc;

/// Under which rules a caller sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Under {
    /// As everywhere.
    Law,
    /// The glass is broken for one patient (row F49): very restricted stays shut unless the operator says otherwise.
    BrokenGlass,
}

/// Not given to patients and who cares for them, though it be in their own record.
const NOT_TO_PATIENTS: &[&str] = &["NOPAT"];

/// Not given to other organizations: nothing that this server knows lifts them, a clearance that names them does.
const NOT_TO_OTHERS: &[&str] = &["NOAUTH", "NODSCLCD", "NODSCLCDS", "NOLIST", "NOMOU", "NOORGPOL", "NORDSCLW", "ORCON"];

/// What a caller is cleared for, made once for all types.
#[derive(Debug)]
pub struct Guard<'l> {
    labels: &'l Labels,
    clearance: Clearance,
    /// `None`: no label restricts.
    tokens: Option<Arc<TokenSet>>,
}

impl<'l> Guard<'l> {
    /// Of this caller.
    #[must_use]
    pub fn new(labels: &'l Labels, caller: &Caller, under: Under) -> Self {
        let is_free = !labels.enforced || caller.kind() == CallerKind::Operator || caller.grant().is_custodian();
        let clearance = if is_free { Clearance::EVERYTHING } else { clearance(labels, caller, under) };
        let tokens = (!clearance.is_everything()).then(|| {
            let mut tokens = TokenSet::default();
            let mut add = |system: &str, code: &str| {
                tokens.codes.entry(system.to_owned()).or_default().insert(code.to_owned());
            };
            for (system, code) in clearance.labels(refrains(caller), &purposes(caller), labels.hides_test_data) {
                add(system, code);
            }
            labels.unrestricted.iter().for_each(|(system, code)| add(system, code));
            tokens.systems.clone_from(&labels.unrestricted_systems);
            Arc::new(tokens)
        });
        Self { labels, clearance, tokens }
    }

    /// What of a type they are cleared for.
    #[must_use]
    pub fn of_type(&self, registry: &Registry, kind: ResourceType) -> Access {
        let Some(tokens) = &self.tokens else { return Access::Everything };
        // They are the server's own, lie in no index, and are read by those who look after them (row F22).
        if crate::grants::is_audit_event(kind) {
            return Access::Everything;
        }
        let Some(parameter) = registry.parameter(kind, "_security").map(|parameter| parameter.id) else {
            return Access::Nothing;
        };
        let mut all = vec![Arc::new(Predicate::Only { parameter, tokens: Arc::clone(tokens) })];
        if self.labels.default_of(kind) > self.clearance.level() {
            // What says nothing is too confidential: only what says that it is less.
            let says = Test::Token(TokenTest::System(CONFIDENTIALITY.to_owned()));
            all.push(Arc::new(Predicate::Value { parameter, test: says }));
        }
        if kind.name() == "Provenance" {
            all.extend(self.of_targets(registry, kind));
        }
        Access::Where(match (all.pop(), all.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                all.extend(last);
                Arc::new(Predicate::And(all))
            }
        })
    }

    /// What a patient's consents lift beside that, for the caller as consents see them; `None`: labels withhold nothing.
    pub(crate) fn lift(&self, registry: &Registry, kind: ResourceType, view: &Arc<View>) -> Option<Arc<Lift>> {
        Some(Arc::new(Lift {
            view: Arc::clone(view),
            kind,
            parameter: registry.parameter(kind, "_security")?.id,
            cleared: Arc::clone(self.tokens.as_ref()?),
            silence_is_shut: self.labels.default_of(kind) > Confidentiality::Restricted,
        }))
    }

    /// A Provenance tells of its targets: of one that is withheld, it is withheld too.
    fn of_targets(&self, registry: &Registry, provenance: ResourceType) -> Vec<Arc<Predicate>> {
        let Some(parameter) = registry.parameter(provenance, "target").map(|parameter| parameter.id) else {
            return Vec::new();
        };
        let types = ResourceType::all().filter(|kind| *kind != provenance && !crate::grants::is_audit_event(*kind));
        let withheld = types.filter_map(|target| match self.of_type(registry, target) {
            Access::Where(cleared) => Some((target, Arc::new(Predicate::Not(cleared)))),
            Access::Everything | Access::Nothing => None,
        });
        let tells = withheld.map(|(target, predicate)| Predicate::Chain { parameter, target, predicate });
        tells.map(|tells| Arc::new(Predicate::Not(Arc::new(tells)))).collect()
    }
}

impl Labels {
    /// What of a caller decides their guard beside role and kind; `None`: nothing. Callers who are equal in it, in role
    /// and in kind are cleared for the same.
    #[must_use]
    pub fn key(&self, caller: &Caller) -> Option<Arc<str>> {
        let client = &caller.grant().client_id;
        let named = self.names_client(client).then(|| client.as_ref());
        let usual = caller.user().map_or(&[Purpose::TREATMENT][..], |user| user.role.purposes());
        let is_custodian = caller.grant().is_custodian();
        if named.is_none() && !is_custodian && caller.acting().is_none() && caller.purposes() == usual {
            return None;
        }
        Some(
            [if is_custodian { "custodian " } else { "" }, named.unwrap_or_default(), " ", &purposes(caller).join(" ")]
                .concat()
                .into(),
        )
    }
}

/// What the caller comes for.
fn purposes(caller: &Caller) -> Vec<&'static str> {
    caller.purposes().iter().map(|purpose| purpose.code()).collect()
}

fn clearance(labels: &Labels, caller: &Caller, under: Under) -> Clearance {
    let said = |who: &Who| labels.clearances.get(who).cloned();
    let of_client = said(&Who::Client(caller.grant().client_id.as_ref().to_owned()));
    if let Some(user) = caller.user() {
        let own = said(&Who::Role(user.role)).unwrap_or(Clearance::NOTHING);
        let own = match under {
            Under::Law => own,
            Under::BrokenGlass => own.or(&said(&Who::BrokenGlass).unwrap_or(Clearance::NOTHING)),
        };
        return of_client.map_or_else(|| own.clone(), |client| own.and(&client));
    }
    if let Some(of_client) = of_client {
        return of_client;
    }
    let Some(acting) = caller.acting() else { return said(&Who::System).unwrap_or(Clearance::NOTHING) };
    let id = acting.organization.as_deref().and_then(|reference| reference.strip_prefix("Organization/"));
    let of_organization = id.and_then(|id| LogicalId::parse(id).ok()).and_then(|id| said(&Who::Organization(id)));
    of_organization.unwrap_or_else(|| {
        // What each of several purposes is cleared for, as for what is reached.
        let each = purposes(caller).into_iter().map(|purpose| of_purpose(labels, purpose));
        each.reduce(|all, one| all.and(&one)).unwrap_or(Clearance::NOTHING)
    })
}

/// Of the purpose itself, or of the nearest above it.
fn of_purpose(labels: &Labels, purpose: &str) -> Clearance {
    let said = |code: &str| labels.clearances.get(&Who::Purpose(code.to_owned()));
    let named = with_above(ACT_REASON, purpose).into_iter().find_map(said);
    named.or_else(|| labels.clearances.get(&Who::AnyOrganization)).cloned().unwrap_or(Clearance::NOTHING)
}

fn refrains(caller: &Caller) -> &'static [&'static str] {
    match (caller.user().map(|user| user.role), caller.acting()) {
        (Some(Role::Patient | Role::Caregiver), _) => NOT_TO_PATIENTS,
        (None, Some(_)) => NOT_TO_OTHERS,
        _ => &[],
    }
}

/// Whether this caller may change labels of this type (row F45).
#[must_use]
pub fn may_relabel(labels: &Labels, caller: &Caller, kind: ResourceType) -> bool {
    let is_it = |who: &Who| match who {
        Who::Role(role) => caller.user().is_some_and(|user| user.role == *role),
        Who::Client(id) => **id == *caller.grant().client_id,
        _ => false,
    };
    caller.kind() == CallerKind::Operator
        || labels
            .authorities
            .iter()
            .any(|authority| is_it(&authority.who) && (authority.types.is_empty() || authority.types.contains(&kind)))
}

#[cfg(test)]
mod tests;
