//! Who somebody is among the resources of the store: what a Consent's actor must refer to in order to mean them.
//!
//! Nothing is copied: "stands for the caller" is a predicate per type, asked of the store at the moment of the question,
//! so that a role that ended is over at once (row G17).
//!
//! | type | stands for the caller when |
//! |---|---|
//! | the type of their own resource | it is that resource |
//! | Practitioner | it is the one of their own PractitionerRole |
//! | Patient, Practitioner, RelatedPerson | their own Person links to it |
//! | PractitionerRole | it is theirs or their Practitioner's, not inactive, its period holds |
//! | Organization | it is theirs, or that of such a role, or one that such an Organization is part of ([`PART_OF_MAX`] levels) |
//! | CareTeam | one of these is its member; its status is not proposed, suspended, inactive or an error; its period holds |
//! | Group | one of these, or such a CareTeam, is a member of it who is not inactive; it is not inactive itself |
//!
//! That is the wide reading, for what denies: whom a denial means it means though their Practitioner has become inactive.
//! What gives needs the narrow one ([`Reading::InUse`]): each Person, RelatedPerson, Practitioner, PractitionerRole and
//! Organization on the way, the caller's own too, is there, is not `active: false`, and its period holds (row G16).
//!
//! SPEC: R4 consent.html (`provision.actor`); rows G4, G12 to G16. Left out: Device (a client is known by its
//! registration, not by a resource), OrganizationAffiliation, periods of members of a Group.

use crate::{consent::limits::PART_OF_MAX, relation::Of};
use fhir::{LogicalId, ResourceType};
use oauth::{Caller, caller::Role};
use search::{
    ParameterId, Predicate, Registry, Test,
    matcher::Related,
    predicate::{ReferenceTest, TokenTest},
};
use std::sync::Arc;

/// The resources that are a caller: the one that stands for their account, their own Patient, the Organization that
/// came by a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Identity {
    own: Vec<(ResourceType, LogicalId)>,
}

/// Which resources stand for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// All that are theirs: for what denies.
    Wide,
    /// Those that are in use: for what gives.
    InUse,
}

/// Types of whom, or of which, somebody says when they are over.
pub(crate) const ENDING: &[&str] = &["Person", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization"];

/// Types that can have a caller behind them, in an order in which each needs only earlier ones.
const TYPES: &[&str] = &[
    "Person",
    "Patient",
    "RelatedPerson",
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Device",
    "CareTeam",
    "Group",
];

impl Identity {
    /// Who a caller is. A client that acts for itself and came by no certificate is nobody among the resources.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        let user = caller.user();
        let itself = user.and_then(|user| user.fhir_user.as_deref().map(str::to_owned));
        let patients = user.filter(|user| user.role == Role::Patient).map(|user| Arc::clone(&user.patients));
        let patients = patients.iter().flat_map(|ids| ids.iter()).map(|id| format!("Patient/{id}"));
        let organization = caller.acting().and_then(|acting| acting.organization.as_deref().map(str::to_owned));
        Self::new(itself.into_iter().chain(organization).chain(patients))
    }

    /// Of relative references (`Practitioner/1`); what is none is left out.
    #[must_use]
    pub fn new<T: AsRef<str>>(references: impl IntoIterator<Item = T>) -> Self {
        let mut own: Vec<(ResourceType, LogicalId)> = Vec::new();
        for reference in references {
            if let Some((kind, id)) = reference.as_ref().split_once('/')
                && let (Ok(kind), Ok(id)) = (ResourceType::parse(kind), LogicalId::parse(id))
                && !own.contains(&(kind, id.clone()))
            {
                own.push((kind, id));
            }
        }
        Self { own }
    }

    /// Whether nobody is known to be the caller.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        self.own.is_empty()
    }

    /// Whether it is one of their own resources.
    #[must_use]
    pub fn is(&self, kind: ResourceType, id: &LogicalId) -> bool {
        self.own.iter().any(|(own, other)| *own == kind && other == id)
    }

    /// Which resources of each type stand for them; types of which none can are left out.
    #[must_use]
    pub fn standing(&self, registry: &Registry, reading: Reading) -> Vec<(ResourceType, Arc<Predicate>)> {
        let mut known = Standing { registry, reading, found: Vec::new() };
        for name in TYPES {
            let Ok(kind) = ResourceType::parse(name) else { continue };
            if let Some(predicate) = self.of_type(kind, &known) {
                known.found.push((kind, predicate));
            }
        }
        known.found
    }

    /// Resources that name them by this reference parameter; `None` when none can.
    #[must_use]
    pub fn named_in(&self, registry: &Registry, parameter: ParameterId) -> Option<Arc<Predicate>> {
        any(self
            .standing(registry, Reading::Wide)
            .into_iter()
            .map(|(kind, predicate)| points_at(parameter, kind, &predicate))
            .collect())
    }

    fn of_type(&self, kind: ResourceType, known: &Standing<'_>) -> Option<Arc<Predicate>> {
        let mut ways = Vec::new();
        let ids: Vec<LogicalId> = self.own.iter().filter(|(own, _)| *own == kind).map(|(_, id)| id.clone()).collect();
        if !ids.is_empty() {
            ways.push(known.in_use(kind, Arc::new(Predicate::Id(ids)))?);
        }
        match kind.name() {
            "Patient" | "RelatedPerson" => {
                let linked = known.referred("Person", "link");
                ways.extend(linked.and_then(|linked| known.in_use(kind, linked)));
            }
            "Practitioner" => {
                let linked = known.referred("Person", "link");
                ways.extend(linked.and_then(|linked| known.in_use(kind, linked)));
                // Only their own role leads back to the Practitioner; the others are found through it.
                let role = ResourceType::parse("PractitionerRole").ok()?;
                let own: Vec<LogicalId> =
                    self.own.iter().filter(|(own, _)| *own == role).map(|(_, id)| id.clone()).collect();
                if !own.is_empty() {
                    let parameter = known.registry.parameter(role, "practitioner")?.id;
                    let predicate = known.in_use(role, Arc::new(Predicate::Id(own)))?;
                    let of_role = Arc::new(Predicate::Has { source: role, parameter, predicate });
                    ways.push(known.in_use(kind, of_role)?);
                }
            }
            "PractitionerRole" => {
                let practitioner = known.points("PractitionerRole", "practitioner", &["Practitioner"]);
                let role = any(ways.drain(..).chain(practitioner).collect())?;
                let registry = known.registry;
                let ended = is(registry, kind, "active", &["false"])?;
                let period = registry.parameter(kind, "date")?.id;
                let parts = vec![role, Arc::new(Predicate::Not(ended)), Arc::new(Predicate::InForce(period))];
                ways.push(known.in_use(kind, Arc::new(Predicate::And(parts)))?);
            }
            "Organization" => {
                let employs = known.referred("PractitionerRole", "organization");
                ways.extend(employs.and_then(|employs| known.in_use(kind, employs)));
                let mut level = any(ways.clone())?;
                let part_of = known.registry.parameter(kind, "partof")?.id;
                for _ in 0..PART_OF_MAX {
                    let above = Arc::new(Predicate::Has { source: kind, parameter: part_of, predicate: level });
                    level = known.in_use(kind, above)?;
                    ways.push(Arc::clone(&level));
                }
            }
            "CareTeam" => {
                let member = known.points("CareTeam", "participant", TYPES);
                let over = ["proposed", "suspended", "inactive", "entered-in-error"];
                let over = is(known.registry, kind, "status", &over)?;
                let period = known.registry.parameter(kind, "date")?.id;
                ways.extend(member.map(|member| {
                    let parts = vec![member, Arc::new(Predicate::Not(over)), Arc::new(Predicate::InForce(period))];
                    Arc::new(Predicate::And(parts))
                }));
            }
            "Group" => {
                let parameter = known.registry.of_server(kind, "current-member")?.id;
                ways.extend(known.pointing(parameter, TYPES));
            }
            _ => {}
        }
        any(ways)
    }
}

/// What is found so far.
struct Standing<'r> {
    registry: &'r Registry,
    reading: Reading,
    found: Vec<(ResourceType, Arc<Predicate>)>,
}

impl Standing<'_> {
    /// Those of these that are in use, where that is asked for. A role ends with its Practitioner, too.
    fn in_use(&self, kind: ResourceType, these: Arc<Predicate>) -> Option<Arc<Predicate>> {
        if self.reading == Reading::Wide || !ENDING.contains(&kind.name()) {
            return Some(these);
        }
        let of = Of::new(self.registry, kind.name())?;
        let mut parts = vec![these, of.in_use()?];
        match kind.name() {
            "RelatedPerson" => parts.push(of.in_force("period")?),
            "PractitionerRole" => {
                let over = Of::new(self.registry, "Practitioner")?.in_use()?;
                let left = of.refers_where("practitioner", "Practitioner", &Arc::new(Predicate::Not(over)))?;
                parts.extend([of.in_force("date")?, Arc::new(Predicate::Not(left))]);
            }
            _ => {}
        }
        Some(Arc::new(Predicate::And(parts)))
    }

    /// Resources that one of these points at by its parameter.
    fn referred(&self, source: &str, code: &str) -> Option<Arc<Predicate>> {
        let (source, predicate) = self.found.iter().find(|(kind, _)| kind.name() == source)?;
        let parameter = self.registry.parameter(*source, code)?.id;
        Some(Arc::new(Predicate::Has { source: *source, parameter, predicate: Arc::clone(predicate) }))
    }

    /// Resources of this type that point by the parameter at one who stands for them.
    fn points(&self, kind: &str, code: &str, targets: &[&str]) -> Option<Arc<Predicate>> {
        let parameter = self.registry.parameter(ResourceType::parse(kind).ok()?, code)?.id;
        self.pointing(parameter, targets)
    }

    fn pointing(&self, parameter: ParameterId, targets: &[&str]) -> Option<Arc<Predicate>> {
        let found = self.found.iter().filter(|(kind, _)| targets.contains(&kind.name()));
        any(found.map(|(kind, predicate)| points_at(parameter, *kind, predicate)).collect())
    }
}

/// Those that point at one of these; by its id alone where that is all there is to know.
fn points_at(parameter: ParameterId, target: ResourceType, predicate: &Arc<Predicate>) -> Arc<Predicate> {
    if let Predicate::Id(ids) = &**predicate {
        let value = |id: &LogicalId| {
            let test = Test::Reference(ReferenceTest::Target(target, id.clone()));
            Arc::new(Predicate::Value { parameter, test })
        };
        if let Some(any) = any(ids.iter().map(value).collect()) {
            return any;
        }
    }
    Arc::new(Predicate::Chain { parameter, target, predicate: Arc::clone(predicate) })
}

fn is(registry: &Registry, kind: ResourceType, code: &str, values: &[&str]) -> Option<Arc<Predicate>> {
    let parameter = registry.parameter(kind, code)?.id;
    let value = |value: &&str| {
        let test = Test::Token(TokenTest::Code((*value).to_owned()));
        Arc::new(Predicate::Value { parameter, test })
    };
    any(values.iter().map(value).collect())
}

fn any(mut ways: Vec<Arc<Predicate>>) -> Option<Arc<Predicate>> {
    match ways.pop() {
        None => None,
        Some(only) if ways.is_empty() => Some(only),
        Some(last) => {
            ways.push(last);
            Some(Arc::new(Predicate::Or(ways)))
        }
    }
}

/// Whether this resource stands for whoever these were made for.
pub(crate) fn stands_for(
    standing: &[(ResourceType, Arc<Predicate>)],
    kind: ResourceType,
    id: &LogicalId,
    related: &dyn Related,
) -> bool {
    standing.iter().any(|(own, predicate)| *own == kind && related.target_matches(kind, id, predicate))
}

#[cfg(test)]
mod tests;
