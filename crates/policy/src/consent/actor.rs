//! `provision.actor`: who. SPEC: R4 consent.html; rows G4, G16.
//!
//! An actor is the caller when the resource that it refers to stands for the caller ([`crate::identity`]): the person
//! themselves, a PractitionerRole of theirs, an Organization that they work for or that theirs is part of, a CareTeam or
//! Group that they are in. Where one on the way is inactive or over it is the caller in doubt: a denial counts, a
//! permission does not. A **Device** may be any system's: it meets none for sure and every system perhaps.
//!
//! `actor.role` says what somebody is to the data. Recipients and agents of them (IRCP, PRCP, …) and most others are
//! read by their reference alone. A **custodian** (CST, CUST) is who keeps the data, and an **author** (AUT) who wrote
//! it: they are no recipients, and such an actor names nobody who asks. Beside other actors it is left out; alone it
//! leaves the provision to everybody, as without actors. For a permit that would be a gift that nobody meant, so there
//! it meets only whom its reference stands for.

use super::{
    algebra::{Answer, Criterion},
    provision::Kind,
    read::{Coded, concept, reference},
    view::View,
};
use fhir::{LogicalId, ResourceType, json::Value};
use search::matcher::Related;

/// One actor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Actor {
    pub(crate) kind: ResourceType,
    pub(crate) id: LogicalId,
    /// The role says that this is who keeps or wrote the data.
    pub(crate) is_keeper: bool,
}

const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const ROLE_CLASS: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleClass";

fn is_keeper(role: &[Coded]) -> bool {
    !role.is_empty()
        && role
            .iter()
            .all(|one| one.is(PARTICIPATION, "CST") || one.is(PARTICIPATION, "AUT") || one.is(ROLE_CLASS, "CUST"))
}

pub(crate) fn read(value: Value<'_>) -> Option<Actor> {
    if super::read::is_modified(value) {
        return None;
    }
    let (kind, id) = reference(value.get("reference")?)?;
    let role = value.get("role").map(concept).unwrap_or_default();
    Some(Actor { kind, id, is_keeper: is_keeper(&role) })
}

/// Whether the caller is one of the actors; of a provision of this type.
pub(crate) fn answer(criterion: &Criterion<Actor>, kind: Kind, view: &View, related: &dyn Related) -> Answer {
    let only_keepers = !criterion.doubtful && criterion.repeats.iter().all(|actor| actor.is_keeper);
    if only_keepers && kind != Kind::Permit {
        return Answer::YES;
    }
    criterion.answer(|actor| {
        if actor.is_keeper && !only_keepers {
            return Answer::NO;
        }
        match view.stands_for(actor.kind, &actor.id, related) {
            Answer::NO if view.is_system && actor.kind.name() == "Device" => Answer::DOUBTFUL,
            answer => answer,
        }
    })
}
