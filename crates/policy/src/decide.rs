//! The decision. SPEC: SMART App Launch 2.2 scopes; rows B30 to B46, F13.
//!
//! Here a request is refused before any data is touched (row B44): when the caller's scopes give
//! nothing on the type for what the interaction needs. Which resources of the type are meant is the
//! permit's business, and the store asks it on every road (rows F1 to F6).

use crate::{
    deidentified,
    denied::Denied,
    grants::{Grants, is_audit_event},
    interaction::{Interaction, RulesAct},
    permit::{Access, Need, Permit},
};
use oauth::{
    Caller,
    caller::{CallerKind, Role, Standing},
    scope::{Permissions, Scope, ScopeContext},
};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// May this caller do this? `grants` must be compiled from the caller's own scopes; other ones are denied.
///
/// A batch or transaction as such needs any grant at all; each of its entries is decided again (row B31).
///
/// # Errors
/// [`Denied`] with its reason.
pub fn decide(caller: &Caller, grants: &Arc<Grants>, interaction: &Interaction) -> Result<Permit, Denied> {
    if !grants.belong_to(caller) {
        return Err(Denied::GrantsOfAnother);
    }
    // Who saw a record is for people: the patient, a caregiver, the privacy officer (row F21).
    if matches!(interaction, Interaction::AccessReport(_)) && caller.kind() == CallerKind::System {
        return Err(Denied::PeopleAlone);
    }
    if caller.grant().standing == Standing::Deidentified && !is_for_deidentified(interaction) {
        return Err(Denied::Deidentified);
    }
    if let Interaction::ExplainAccess(kind, _) = interaction {
        let is_patient = caller.user().is_some_and(|user| user.role == Role::Patient);
        let sees = is_patient && *grants.access(*kind, Need::Read) != Access::Nothing;
        let may = !is_audit_event(*kind) && (grants.explain_all() || sees);
        return if may { Ok(Permit::new(Arc::clone(grants))) } else { Err(Denied::Unexplained) };
    }
    if let Interaction::Rules(act) = interaction {
        return if may_keep_rules(caller, *act) {
            Ok(Permit::new(Arc::clone(grants)))
        } else {
            Err(Denied::Administrators)
        };
    }
    let needs = interaction.needs();
    match interaction.resource_type() {
        Some(resource_type) => {
            let writes =
                !interaction.needs_one() && needs.iter().any(|need| !matches!(need, Need::Read | Need::Search));
            if writes && is_audit_event(resource_type) {
                return Err(Denied::AuditIsReadOnly);
            }
            let missing = |need: &&Need| *grants.access(resource_type, **need) == Access::Nothing;
            let missing: Vec<Need> = needs.iter().filter(missing).copied().collect();
            let suffices = interaction.needs_one() && missing.len() < needs.len();
            if !missing.is_empty() && !suffices {
                let is_for_authority = missing == [Need::Relabel];
                if is_for_authority && *grants.access(resource_type, Need::Update) != Access::Nothing {
                    return Err(Denied::Authority(resource_type));
                }
                let needs = letters(&missing);
                return Err(if grants.are_of_organization() {
                    Denied::Purpose { resource_type, needs }
                } else {
                    Denied::Scope { resource_type: Some(resource_type), needs }
                });
            }
        }
        None => {
            let open = matches!(interaction, Interaction::Capabilities);
            if !open && !grants.any() {
                return Err(Denied::Scope { resource_type: None, needs: "cruds" });
            }
        }
    }
    Ok(Permit::new(Arc::clone(grants)))
}

/// Who changes the facility's rules, by an app that was given that in so many words: a scope for everything is none for
/// this. The rules themselves have no say in it, so that no rule can shut out who could mend it. What is counted over the
/// data is the operator's (row G16).
fn may_keep_rules(caller: &Caller, act: RulesAct) -> bool {
    let letter = match act {
        RulesAct::Try => return caller.kind() == CallerKind::Operator,
        RulesAct::Propose => Permissions::CREATE,
        RulesAct::Approve | RulesAct::Withdraw => Permissions::UPDATE,
        RulesAct::History => Permissions::READ,
    };
    let role = caller.user().filter(|_| caller.kind() == CallerKind::Person).map(|user| user.role);
    let is_theirs = match role {
        Some(Role::Administrator) => true,
        Some(Role::PrivacyOfficer) => act == RulesAct::History,
        _ => false,
    };
    let names_it = |scope: &Scope| {
        scope.context == ScopeContext::User
            && scope.resource_type.as_deref() == Some("Library")
            && scope.query.is_empty()
            && scope.permissions.contains(letter)
    };
    is_theirs && caller.grant().scopes.iter().any(names_it)
}

/// What a client may do that gets de-identified data alone: whatever else it did would tell of whom they are (row F68).
/// Exhaustive by what is allowed, so that a new interaction is refused.
fn is_for_deidentified(interaction: &Interaction) -> bool {
    match interaction {
        Interaction::Capabilities => true,
        Interaction::SearchType(kind) | Interaction::KAnonymity(kind) => deidentified::is_offered(*kind),
        _ => false,
    }
}

/// The scope letters of these needs: one, create and search, or one of three.
fn letters(needs: &[Need]) -> &'static str {
    match needs {
        [Need::Read] => "r",
        [Need::Search] => "s",
        [Need::Create] => "c",
        [Need::Update] | [Need::Relabel] => "u",
        [Need::Delete] => "d",
        [Need::Create, Need::Search] => "cs",
        [Need::Create, Need::Read, Need::Update] => "c, r or u",
        _ => "cruds",
    }
}
