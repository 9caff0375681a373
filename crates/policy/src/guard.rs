//! What is withheld, whatever gave it, and what consents give. Rows F41, G4, G7, G10, G16.
//!
//! Three things withhold, each a predicate of its own, and all of them must let a resource through: the consents of
//! each patient whom it is about, its security labels, and the operator's rules that deny or limit. They hold for
//! reading, searching, and for changing what is there: who may not see it may not change it. To **create** is bound by
//! the operator's rules alone: who treats somebody may write down what they may not read back.
//!
//! **Whom consents bind**: every person and every system, but
//! - the operator;
//! - the facility's own record system (`client add --custodian`);
//! - privacy officers and administrators, who see no patient's data;
//! - patients in their own record ([`consent::Ruling`] knows which that is), which is also why the events about them do
//!   not vanish by their own consent.
//!
//! **Whom a resource is about**, the table of [`crate::record`] says, and here besides: whom a Group has as members, a
//! Person links to, an AuditEvent names. A Provenance is withheld with any of its targets. A message without a subject
//! is about its ends. A resource that names nobody is withheld from nobody. Left out: a Binary and a Bundle, in which
//! no parameter says whom they are about.

use crate::{
    consent::{Ruling, View},
    grants::is_audit_event,
    house::House,
    identity::Identity,
    label::{self, Under},
    permit::{Access, Need},
    record::{self, Whose},
    relation::Of,
    rules::{Bound, Facts, Named},
};
use fhir::{LogicalId, ResourceType};
use oauth::{
    Caller,
    caller::{CallerKind, Role, User},
    udap::purpose::Purpose,
};
use search::{
    ParameterId, Predicate, Registry, Test,
    predicate::{ReferenceTest, Ruled, TokenTest},
};
use std::sync::Arc;

/// All of a caller that decides what is withheld from them and what consents and rules give, beside scopes, person and
/// organization: two callers who are equal in all of these may the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asker {
    /// Who and why, for those whom consents bind.
    bound: Option<(Identity, Vec<Purpose>)>,
    /// Labels bind it no more than consents do.
    is_custodian: bool,
    /// Patients whose glass is broken, and whether the request says that it comes by that.
    glasses: Vec<Arc<str>>,
    is_break_glass: bool,
    labels: Option<Arc<str>>,
    rules: Option<Facts>,
}

impl Asker {
    /// Of a caller, in this house.
    #[must_use]
    pub fn of(caller: &Caller, house: &House) -> Self {
        Self {
            bound: is_bound(caller, house).then(|| (Identity::of(caller), caller.purposes().to_vec())),
            is_custodian: caller.grant().is_custodian(),
            glasses: caller.glasses().iter().map(|glass| Arc::clone(&glass.patient)).collect(),
            is_break_glass: caller.is_break_glass(),
            labels: house.labels.key(caller),
            rules: house.rules.ruled(caller),
        }
    }

    /// What the operator's rules look at.
    pub(crate) fn facts(&self) -> Option<&Facts> {
        self.rules.as_ref()
    }
}

/// What can withhold a resource.
pub(crate) enum Withholds {
    /// A rule of the facility's.
    Rule(Named),
    /// Security labels.
    Labels,
    /// Consents of patients, by this ruling; `None`: they do not bind the caller.
    Consents(Option<Arc<Ruling>>),
    /// Whose act a Consent is that would be written (row G9).
    Performer,
}

/// What is withheld from one caller.
pub(crate) struct Guard<'a> {
    registry: &'a Registry,
    /// `None`: consents do not bind them.
    consents: Option<Arc<View>>,
    labels: label::Guard<'a>,
    rules: &'a Bound<'a>,
    user: Option<Arc<User>>,
}

impl<'a> Guard<'a> {
    pub(crate) fn of(caller: &Caller, registry: &'a Registry, house: &'a House, rules: &'a Bound<'a>) -> Self {
        Self {
            registry,
            consents: bound(caller, house, registry),
            labels: label::Guard::new(&house.labels, caller, Under::Law),
            rules,
            user: caller.user().cloned(),
        }
    }

    /// Of a caller under a broken glass, whose purpose is that (row F49).
    pub(crate) fn under_glass(caller: &Caller, registry: &'a Registry, house: &'a House, rules: &'a Bound<'a>) -> Self {
        let labels = label::Guard::new(&house.labels, caller, Under::BrokenGlass);
        Self { labels, ..Self::of(caller, registry, house, rules) }
    }

    /// What is left of a type for a need: all of these.
    pub(crate) fn of_type(&self, kind: ResourceType, need: Need) -> Vec<Access> {
        self.parts(kind, need).into_iter().map(|(_, left)| left).collect()
    }

    /// The same, with what leaves it so (row G18).
    pub(crate) fn parts(&self, kind: ResourceType, need: Need) -> Vec<(Withholds, Access)> {
        let by_rule = |named: Named| {
            let left = Access::Where(Arc::clone(&named.predicate));
            (Withholds::Rule(named), left)
        };
        let mut left: Vec<(Withholds, Access)> = self.rules.leaves(kind, need).into_iter().map(by_rule).collect();
        if need != Need::Create {
            left.push((Withholds::Labels, self.by_labels_of_now(kind, need)));
            let ruling = self.consents.as_ref().map(|view| Arc::new(Ruling::guard(view, kind)));
            left.push((Withholds::Consents(ruling), self.by_consents(kind)));
        }
        if matches!(need, Need::Create | Need::Update | Need::Delete) && kind.name() == "Consent" {
            left.push((Withholds::Performer, self.consents_of_theirs()));
        }
        left
    }

    /// What of Consents somebody may write in their own name (row G9). What is no more than drawn up, or over, changes
    /// nothing for anybody; one in force is the act of its performer. Who keeps records writes down what others decided:
    /// that is bound by scopes alone.
    fn consents_of_theirs(&self) -> Access {
        let Some(user) = &self.user else { return Access::Everything };
        let whose = match user.role {
            Role::Patient => consents_of(self.registry, user.patients.iter().map(|id| ("Patient", &**id)), None),
            Role::Caregiver => {
                let own = user.fhir_user.as_deref().and_then(|own| own.strip_prefix("RelatedPerson/"));
                own.and_then(|own| {
                    let acts_for = patients_of_representative(self.registry, own)?;
                    consents_of(self.registry, [("RelatedPerson", own)].into_iter(), Some(&acts_for))
                })
            }
            Role::Clinician | Role::PrivacyOfficer | Role::Administrator => return Access::Everything,
        };
        let Some(in_force) = Of::new(self.registry, "Consent").and_then(|consent| consent.is("status", "active"))
        else {
            return Access::Nothing;
        };
        let idle = Arc::new(Predicate::Not(in_force));
        Access::Where(Arc::new(Predicate::Or([Some(idle), whose].into_iter().flatten().collect())))
    }

    /// The same held against past versions too: a label that was given later is of what was written before it. So a past
    /// version is withheld by its own labels and by those of the current one. What is searched or changed is current.
    fn by_labels_of_now(&self, kind: ResourceType, need: Need) -> Access {
        let cleared = self.by_labels(kind);
        let Access::Where(own) = &cleared else { return cleared };
        if need != Need::Read || is_audit_event(kind) {
            return cleared;
        }
        let not = |part: Arc<Predicate>| Arc::new(Predicate::Not(part));
        let now = not(Arc::new(Predicate::Now(not(Arc::clone(own)))));
        Access::Where(Arc::new(Predicate::And(vec![Arc::clone(own), now])))
    }

    /// What the caller is cleared for, and what the consents of its patient lift: of resources that are about a patient,
    /// by the one parameter that says so.
    fn by_labels(&self, kind: ResourceType) -> Access {
        let cleared = self.labels.of_type(self.registry, kind);
        let (Access::Where(own), Some(view)) = (&cleared, &self.consents) else { return cleared };
        let Some(lift) = self.labels.lift(self.registry, kind, view) else { return cleared };
        let ruled = |about: Arc<[ParameterId]>| Arc::new(Predicate::Ruled(Ruled { ruling: lift, about }));
        let lifted = if self.registry.is_patient(kind) {
            ruled(Arc::new([]))
        } else {
            let about = record::about(kind.name()).and_then(|code| self.registry.parameter(kind, code));
            let (Some(about), Ok(patient)) = (about.map(|about| about.id), ResourceType::parse("Patient")) else {
                return cleared;
            };
            // What is about nobody is lifted by nobody.
            let all = Arc::new(Predicate::All);
            let is_about = Predicate::Chain { parameter: about, target: patient, predicate: all };
            // The rule first: it mostly lifts nothing, and then nobody looks for the patient.
            Arc::new(Predicate::And(vec![ruled(Arc::new([about])), Arc::new(is_about)]))
        };
        Access::Where(Arc::new(Predicate::Or(vec![Arc::clone(own), lifted])))
    }

    fn by_consents(&self, kind: ResourceType) -> Access {
        let Some(view) = &self.consents else { return Access::Everything };
        let left = withheld(self.registry, kind, &mut |kind| Arc::new(Ruling::guard(view, kind)));
        let Some(left) = left else { return Access::Everything };
        match self.performed(kind) {
            Some(own) => Access::Where(Arc::new(Predicate::Or(vec![left, own]))),
            None => Access::Where(left),
        }
    }

    /// Whoever is the performer of a Consent sees it, whatever it denies: to withdraw it (row G9).
    fn performed(&self, kind: ResourceType) -> Option<Arc<Predicate>> {
        let own = self.user.as_ref().filter(|_| kind.name() == "Consent")?.fhir_user.as_deref()?;
        let (own_kind, id) = own.split_once('/')?;
        Of::new(self.registry, "Consent")?.refers("consentor", own_kind, &LogicalId::parse(id).ok()?)
    }
}

/// Consents whose performer is one of these, or of whom no performer is named; of these patients.
fn consents_of<'a>(
    registry: &Registry,
    performers: impl Iterator<Item = (&'static str, &'a str)>,
    patients: Option<&Arc<Predicate>>,
) -> Option<Arc<Predicate>> {
    let consent = Of::new(registry, "Consent")?;
    let mut named: Vec<Arc<Predicate>> =
        performers.filter_map(|(kind, id)| consent.refers("consentor", kind, &LogicalId::parse(id).ok()?)).collect();
    // A patient's consent needs no further word that it is the patient's; that of somebody for them does.
    let Some(patients) = patients else {
        let consentor = registry.parameter(ResourceType::parse("Consent").ok()?, "consentor")?.id;
        named.push(Arc::new(Predicate::Missing { parameter: consentor, missing: true }));
        return Some(Arc::new(Predicate::Or(named)));
    };
    let of_these = consent.refers_where("patient", "Patient", patients)?;
    Some(Arc::new(Predicate::And(vec![of_these, Arc::new(Predicate::Or(named))])))
}

/// Codes of `RelatedPerson.relationship` that say that somebody may act for a patient. SPEC: HL7 v3-RoleCode:
/// guardian, responsible party, powers of attorney.
const REPRESENTATIVE: &[&str] = &["GUARD", "RESPRSN", "POWATT", "DPOWATT", "HPOWATT", "SPOWATT"];

/// Patients for whom this RelatedPerson may act, now.
fn patients_of_representative(registry: &Registry, id: &str) -> Option<Arc<Predicate>> {
    let related = Of::new(registry, "RelatedPerson")?;
    let kind = ResourceType::parse("RelatedPerson").ok()?;
    let relationship = registry.parameter(kind, "relationship")?.id;
    let code = |code: &&str| {
        let test = Test::Token(TokenTest::SystemCode(ROLE_CODE.to_owned(), (*code).to_owned()));
        Arc::new(Predicate::Value { parameter: relationship, test })
    };
    let acts = Arc::new(Predicate::And(vec![
        Arc::new(Predicate::Id(vec![LogicalId::parse(id).ok()?])),
        Arc::new(Predicate::Or(REPRESENTATIVE.iter().map(code).collect())),
        related.in_use()?,
        related.in_force("period")?,
    ]));
    related.refers_to_these("patient", &acts)
}

/// Patients in whose name somebody may write Consents that count, as a predicate on Patient (row G9): their own, or of
/// those for whom they may act by what their RelatedPerson says. `None`: nobody.
#[must_use]
pub fn acted_for(user: &User, registry: &Registry) -> Option<Arc<Predicate>> {
    match user.role {
        Role::Patient => {
            let own = user.patients.iter().filter_map(|id| LogicalId::parse(id).ok());
            Some(Arc::new(Predicate::Id(own.collect())))
        }
        Role::Caregiver => {
            patients_of_representative(registry, user.fhir_user.as_deref()?.strip_prefix("RelatedPerson/")?)
        }
        Role::Clinician | Role::PrivacyOfficer | Role::Administrator => None,
    }
}

/// v3-RoleCode.
const ROLE_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";

/// Whether consents bind a caller.
fn is_bound(caller: &Caller, house: &House) -> bool {
    house.consents.is_some()
        && match caller.kind() {
            CallerKind::Operator => false,
            CallerKind::System => !caller.grant().is_custodian(),
            CallerKind::Person => sees_patients(caller),
        }
}

/// A caller as consents see them, when they are bound by them.
pub(crate) fn bound(caller: &Caller, house: &House, registry: &Registry) -> Option<Arc<View>> {
    let settings = house.consents.filter(|_| is_bound(caller, house))?;
    Some(Arc::new(View::of(caller, settings, registry)))
}

fn sees_patients(caller: &Caller) -> bool {
    !matches!(caller.user().map(|user| user.role), None | Some(Role::PrivacyOfficer | Role::Administrator))
}

/// Makes the ruling of a type.
type Rulings<'a> = dyn FnMut(ResourceType) -> Arc<Ruling> + 'a;

/// The resources of a type that the rule of each patient whom they are about lets through. `None`: they are about
/// nobody.
fn withheld(registry: &Registry, kind: ResourceType, rulings: &mut Rulings<'_>) -> Option<Arc<Predicate>> {
    let about = |code: &str| Some(registry.parameter(kind, code)?.id);
    let mut ruled =
        |about: &[ParameterId]| Arc::new(Predicate::Ruled(Ruled { ruling: rulings(kind), about: about.into() }));
    match kind.name() {
        "Patient" => Some(ruled(&[])),
        "AuditEvent" | "Person" => Some(ruled(&[about("patient")?])),
        "Group" => Some(ruled(&[about("member")?])),
        "Provenance" => Some(targets(registry, kind, rulings)),
        name => {
            let subject = about(record::about(name)?)?;
            let by_subject = Arc::new(Predicate::And(vec![ruled(&[subject]), known(registry, kind, subject)?]));
            if !record::is_message(name) {
                return Some(by_subject);
            }
            let has_subject = Arc::new(Predicate::Missing { parameter: subject, missing: false });
            let by_ends = ruled(registry.patient_compartment(kind));
            Some(Arc::new(Predicate::And(vec![by_subject, Arc::new(Predicate::Or(vec![has_subject, by_ends]))])))
        }
    }
}

/// Resources that are about somebody here, or say nothing of whom they are about. One that names somebody by an
/// identifier alone, or on another server, is about a person who may have denied it: nobody can say, so it is withheld.
fn known(registry: &Registry, kind: ResourceType, about: ParameterId) -> Option<Arc<Predicate>> {
    // `subject` has what `patient` leaves out: references that lead to no Patient here.
    let named = registry.parameter(kind, "subject").map_or(about, |subject| subject.id);
    let elsewhere = Predicate::Value { parameter: named, test: Test::Reference(ReferenceTest::Elsewhere) };
    let target = ResourceType::parse("Patient").ok()?;
    let here = Predicate::Chain { parameter: about, target, predicate: Arc::new(Predicate::All) };
    let unknown = Predicate::And(vec![Arc::new(elsewhere), Arc::new(Predicate::Not(Arc::new(here)))]);
    Some(Arc::new(Predicate::Not(Arc::new(unknown))))
}

/// A Provenance tells of its targets: none of them may be withheld. One that is deleted withholds nothing any more.
fn targets(registry: &Registry, provenance: ResourceType, rulings: &mut Rulings<'_>) -> Arc<Predicate> {
    let mut parts = Vec::new();
    if let Some(patient) = registry.parameter(provenance, "patient") {
        parts.push(Arc::new(Predicate::Ruled(Ruled { ruling: rulings(provenance), about: Arc::new([patient.id]) })));
    }
    if let Some(parameter) = registry.parameter(provenance, "target").map(|parameter| parameter.id) {
        let types = record::types_about_a_patient().filter(|name| !matches!(*name, "Patient" | "Provenance"));
        for target in types.filter_map(|name| ResourceType::parse(name).ok()) {
            let Some(left) = withheld(registry, target, rulings) else { continue };
            let predicate = Arc::new(Predicate::Not(left));
            let tells = Predicate::Chain { parameter, target, predicate };
            parts.push(Arc::new(Predicate::Not(Arc::new(tells))));
        }
    }
    Arc::new(Predicate::And(parts))
}

/// What the consents of patients give a caller whom they name, beside what the caller reaches (row G16).
pub(crate) struct Given<'a> {
    registry: &'a Registry,
    view: Arc<View>,
    /// Patients who have a Consent in force that names the caller somewhere: where to look, not what is given.
    named_by: Arc<Predicate>,
}

impl<'a> Given<'a> {
    /// `None`: nobody can name them, or they reach all there is.
    pub(crate) fn of(caller: &Caller, registry: &'a Registry, house: &House) -> Option<Self> {
        let is_person = caller.kind() == CallerKind::Person;
        if !is_person && caller.acting().is_none() {
            return None;
        }
        let view = bound(caller, house, registry)?;
        let consent = Of::new(registry, "Consent")?;
        let kind = ResourceType::parse("Consent").ok()?;
        let actor = registry.of_server(kind, "any-actor")?.id;
        let names = view.identity().named_in(registry, actor)?;
        let active = Arc::new(Predicate::And(vec![names, consent.is("status", "active")?]));
        let named_by = consent.refers_to_these("patient", &active)?;
        Some(Self { registry, view, named_by })
    }

    /// What is given of a type, to read and to search.
    pub(crate) fn of_type(&self, kind: ResourceType) -> Option<Arc<Predicate>> {
        if is_audit_event(kind) || kind.name() == "Provenance" {
            return None;
        }
        let where_to_look = record::record_of(self.registry, kind, Whose::These(&self.named_by))?;
        let given = withheld(self.registry, kind, &mut |kind| Arc::new(Ruling::gives(&self.view, kind)))?;
        Some(Arc::new(Predicate::And(vec![where_to_look, given])))
    }
}

#[cfg(test)]
mod tests;
