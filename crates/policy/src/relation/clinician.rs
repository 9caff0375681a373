//! Clinicians: whom they have to do with, as the record says at the moment of the request. Row G15.
//!
//! | by | what counts |
//! |---|---|
//! | general practitioner | `Patient.generalPractitioner` |
//! | care team | a CareTeam `active` and in its period, by `participant.member` |
//! | encounter | a participant of an Encounter that is planned, has arrived, is triaged, in progress or on leave; or that finished, and its period ended not longer ago than the look-back |
//! | order | requester or performer of a ServiceRequest that is `active` |
//! | appointment | an actor of an Appointment that is booked, arrived or checked in, and not longer ago than the look-back |
//! | facility | `Patient.managingOrganization`, `Patient.generalPractitioner` or `serviceProvider` of an open Encounter is a house of theirs |
//!
//! Named is the Practitioner, or a PractitionerRole of theirs that is not inactive and in its period; in a care team
//! also the Organization of such a role. A house of theirs is that Organization, and what is part of it, two levels down.
//! An account that stands for a PractitionerRole acts in that one alone, and for its Practitioner while it holds.

use super::{Of, all, each, either, itself, not};
use crate::house::House;
use fhir::{LogicalId, ResourceType};
use search::{Predicate, Registry};
use std::sync::Arc;

/// Encounters that are not over.
const OPEN: &[&str] = &["planned", "arrived", "triaged", "in-progress", "onleave"];

/// Appointments that stand.
const BOOKED: &[&str] = &["booked", "arrived", "checked-in"];

/// Whom a clinician has to do with.
#[derive(Debug)]
pub(crate) struct Clinician {
    /// Holds while the resource that stands for them is in use: means all or nothing.
    pub(crate) in_use: Arc<Predicate>,
    /// The patients, by what the record says now.
    pub(crate) patients: Arc<Predicate>,
    /// As [`Clinician::patients`], of a Patient that is not there yet: by what it says itself.
    pub(crate) admitted: Arc<Predicate>,
}

/// The relations of the Practitioner or PractitionerRole of an account; `None`: it is neither.
pub(crate) fn clinician(
    registry: &Registry,
    house: &House,
    (kind, id): (ResourceType, &LogicalId),
) -> Option<Clinician> {
    let me = Me::new(registry, kind, id)?;
    let (patient, team) = (Of::new(registry, "Patient")?, Of::new(registry, "CareTeam")?);
    let (encounter, order) = (Of::new(registry, "Encounter")?, Of::new(registry, "ServiceRequest")?);
    let appointment = Of::new(registry, "Appointment")?;
    let near = |of: Of<'_>, ahead_ms| {
        let parameter = of.parameter("date")?;
        Some(Arc::new(Predicate::Near { parameter, back_ms: house.encounter_lookback_ms, ahead_ms }))
    };

    // What costs least to ask of a patient comes first.
    let mut any = me.named(patient, "general-practitioner")?;
    any.push(patient.refers_where("organization", "Organization", &me.houses)?);
    any.push(patient.refers_where("general-practitioner", "Organization", &me.houses)?);

    let mut members = me.named(team, "participant")?;
    members.push(team.refers_where("participant", "Organization", &me.employers)?);
    let teams = [Arc::new(Predicate::Or(members)), each(team.is("status", "active")?), team.in_force("date")?];
    any.push(team.refers_to_these("subject", &all(teams))?);

    let took_part = Arc::new(Predicate::Or(me.named(encounter, "participant")?));
    let in_house = encounter.refers_where("service-provider", "Organization", &me.houses)?;
    let open = encounter.is_any("status", OPEN)?;
    let lately = all([encounter.is("status", "finished")?, near(encounter, 0)?]);
    let mine = all([Arc::clone(&took_part), either([Arc::clone(&open), lately])]);
    let theirs = all([Arc::clone(&in_house), open]);
    let encounters = [either([took_part, in_house]), each(either([mine, theirs]))];
    any.push(encounter.refers_to_these("subject", &all(encounters))?);

    let mut orderers = me.named(order, "requester")?;
    orderers.extend(me.named(order, "performer")?);
    let orders = [Arc::new(Predicate::Or(orderers)), each(order.is("status", "active")?)];
    any.push(order.refers_to_these("subject", &all(orders))?);

    let actors = Arc::new(Predicate::Or(me.named(appointment, "actor")?));
    let booked = each(appointment.is_any("status", BOOKED)?);
    let appointments = [actors, booked, near(appointment, i64::MAX)?];
    any.push(appointment.refers_to_these("actor", &all(appointments))?);

    let admitted = Arc::new(Predicate::Or(any));
    // A past version of a Patient may name who is it no more.
    let patients = Arc::new(Predicate::Now(Arc::clone(&admitted)));
    Some(Clinician { in_use: me.in_use, patients, admitted })
}

/// How records name somebody.
struct Me {
    in_use: Arc<Predicate>,
    /// The resource that the account stands for.
    own: (&'static str, LogicalId),
    /// The other resources that stand for them: of this type, meant by this.
    others: (&'static str, Arc<Predicate>),
    /// Organizations of their roles.
    employers: Arc<Predicate>,
    /// These, and what is part of them.
    houses: Arc<Predicate>,
}

impl Me {
    fn new(registry: &Registry, kind: ResourceType, id: &LogicalId) -> Option<Self> {
        let (practitioner, role) = (Of::new(registry, "Practitioner")?, Of::new(registry, "PractitionerRole")?);
        let organization = Of::new(registry, "Organization")?;
        let left = role.refers_where("practitioner", "Practitioner", &not(practitioner.in_use()?))?;
        let held = all([role.in_use()?, role.in_force("date")?, not(left)]);
        let (own, others, roles, in_use) = match kind.name() {
            "Practitioner" => {
                let roles = all([role.refers("practitioner", "Practitioner", id)?, held]);
                ("Practitioner", ("PractitionerRole", Arc::clone(&roles)), roles, practitioner.in_use()?)
            }
            "PractitionerRole" => {
                let roles = all([itself(id), Arc::clone(&held)]);
                let behind = role.refers_to_these("practitioner", &roles);
                // `practitioner` of a role points at the Practitioner: from there, back to the role.
                ("PractitionerRole", ("Practitioner", behind?), roles, held)
            }
            _ => return None,
        };
        let employers = all([role.refers_to_these("organization", &roles)?, organization.in_use()?]);
        let part = organization.refers_where("partof", "Organization", &employers)?;
        let part_of_part = organization.refers_where("partof", "Organization", &part)?;
        let houses = either([Arc::clone(&employers), part, part_of_part]);
        let in_use = Arc::new(Predicate::While { target: kind, id: id.clone(), predicate: in_use });
        Some(Self { in_use, own: (own, id.clone()), others, employers, houses })
    }

    /// What names them by this parameter: each is one way.
    fn named(&self, of: Of<'_>, code: &str) -> Option<Vec<Arc<Predicate>>> {
        let (own, id) = &self.own;
        let (other, predicate) = &self.others;
        Some(vec![of.refers(code, own, id)?, of.refers_where(code, other, predicate)?])
    }
}
