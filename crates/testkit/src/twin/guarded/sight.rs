//! What a caller may see, by the words of docs/access.md on plain JSON: slow, and without any of the code under test.
//!
//! A difference between worlds is hidden when this says so of both. Consents are decided by [`crate::reference`].

use super::caller::{Kind, LEFT, Rule, Scope, Who};
use crate::reference::{
    self, Outcome,
    decider::{coding, codings, list, name, span, target},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// 2026-01-01T01:00:00Z, when callers begin to ask.
pub(super) const NOW_MS: i64 = 1_767_225_600_000 + 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// The directory, as far as worlds have it.
const DIRECTORY: [&str; 3] = ["Practitioner", "PractitionerRole", "Organization"];

/// One caller before one world as it is now.
pub(super) struct Sight<'a> {
    who: &'a Who,
    /// What is there now.
    world: reference::World,
    /// Consents, by patient.
    consents: BTreeMap<String, Vec<Value>>,
    /// Patients whom the caller has to do with.
    related: Vec<String>,
}

impl<'a> Sight<'a> {
    pub(super) fn new(who: &'a Who, resources: Vec<Value>) -> Self {
        let mut consents: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for consent in resources.iter().filter(|one| one["resourceType"] == "Consent") {
            if let Some(patient) = target(&consent["patient"]) {
                consents.entry(patient).or_default().push(consent.clone());
            }
        }
        let world = reference::World { resources, now: NOW_MS };
        let mut sight = Self { who, world, consents, related: Vec::new() };
        let patients: Vec<String> = sight.of_type("Patient").map(name).collect();
        sight.related = patients.into_iter().filter(|patient| sight.relates(patient)).collect();
        sight
    }

    /// Patients whom the caller has to do with, whatever is withheld.
    pub(super) fn related(&self) -> &[String] {
        &self.related
    }

    fn of_type(&self, kind: &'static str) -> impl Iterator<Item = &Value> {
        self.world.resources.iter().filter(move |one| one["resourceType"] == kind)
    }

    fn find(&self, reference: &str) -> Option<&Value> {
        let (kind, id) = reference.split_once('/')?;
        self.world.resources.iter().find(|one| one["id"] == *id && one["resourceType"] == *kind)
    }

    /// Whether the caller sees this version.
    pub(super) fn sees(&self, one: &Value) -> bool {
        let kind = one["resourceType"].as_str().unwrap_or_default();
        let scopes = self.who.scopes.iter().filter(|scope| scope.kind.is_none_or(|own| own == kind));
        let scopes: Vec<&Scope> = scopes.filter(|scope| covers(scope, one)).collect();
        if self.who.kind == Kind::Nobody || scopes.is_empty() {
            return false;
        }
        let usual = scopes.iter().any(|scope| self.reaches(scope, kind, one)) && self.left(one, false);
        usual || self.opened(&scopes, kind, one)
    }

    /// What is reached with a scope: by who they are, by a consent that names them, by a rule.
    fn reaches(&self, scope: &Scope, kind: &str, one: &Value) -> bool {
        let record = self.record(kind, one);
        if !self.who.is_person() && !self.who.is_organization() {
            return true;
        }
        if DIRECTORY.contains(&kind) {
            return scope.context != "patient" || self.context().is_some_and(|patient| self.is_theirs(&patient));
        }
        let in_context = |patient: &String| scope.context != "patient" || self.context().as_ref() == Some(patient);
        let own = record.iter().any(|patient| in_context(patient) && self.is_theirs(patient));
        let own = own && (self.who.kind != Kind::Payer || self.is_paid(kind, one));
        if own || (scope.context != "patient" && self.is_given(kind, one)) {
            return true;
        }
        self.is_allowed(kind, one) && record.iter().any(in_context)
    }

    fn context(&self) -> Option<String> {
        self.who.context.map(|id| format!("Patient/{id}"))
    }

    fn is_theirs(&self, patient: &str) -> bool {
        if self.who.kind == Kind::Patient {
            return self.is_listed(patient);
        }
        let narrowed = self.who.kind == Kind::Caregiver && !self.who.patients.is_empty();
        self.related.iter().any(|one| one == patient) && (!narrowed || self.is_listed(patient))
    }

    fn is_listed(&self, patient: &str) -> bool {
        self.who.patients.iter().any(|id| patient.strip_prefix("Patient/") == Some(*id))
    }

    /// Patients whose record it is in.
    fn record(&self, kind: &str, one: &Value) -> Vec<String> {
        match kind {
            "Patient" => vec![name(one)],
            "Provenance" => {
                let targets = list(&one["target"]).into_iter().filter_map(target).collect::<Vec<_>>();
                let found = targets.iter().filter_map(|target| self.find(target));
                found.flat_map(|one| self.record(one["resourceType"].as_str().unwrap_or_default(), one)).collect()
            }
            "Person" | "Group" => Vec::new(),
            _ if DIRECTORY.contains(&kind) => Vec::new(),
            _ => subject(one).into_iter().collect(),
        }
    }

    // Relations.

    fn relates(&self, patient: &str) -> bool {
        let own = self.who.own.first().copied().unwrap_or_default();
        match self.who.kind {
            Kind::Caregiver => self.cares(own, patient),
            Kind::Clinician => self.treats(patient),
            Kind::Payer => self.counting(patient).next().is_some(),
            Kind::Hospital => self.has_in_care(own, patient),
            _ => false,
        }
    }

    fn cares(&self, own: &str, patient: &str) -> bool {
        let Some(itself) = self.find(own) else { return false };
        if itself["resourceType"] == "RelatedPerson" {
            return is_standing(itself) && points(&itself["patient"], patient);
        }
        let links = || list(&itself["link"]).into_iter().filter_map(|link| target(&link["target"]));
        let relations =
            || links().filter_map(|link| self.find(&link).filter(|one| one["resourceType"] == "RelatedPerson"));
        itself["active"] != false
            && (links().any(|link| link == patient)
                || relations().any(|one| is_standing(one) && points(&one["patient"], patient)))
    }

    fn held_roles(&self) -> Vec<&Value> {
        let own = self.who.own.first().copied().unwrap_or_default();
        let held = |role: &&Value| {
            let behind = target(&role["practitioner"]).and_then(|who| self.find(&who));
            role["active"] != false && holds(&role["period"]) && behind.is_none_or(|one| one["active"] != false)
        };
        let mine = |role: &&Value| points(&role["practitioner"], own) || name(role) == own;
        self.of_type("PractitionerRole").filter(mine).filter(held).collect()
    }

    /// References that name a clinician.
    fn names(&self) -> Vec<String> {
        let own = self.who.own.first().copied().unwrap_or_default();
        let roles = self.held_roles();
        let mut names = vec![own.to_owned()];
        if own.starts_with("PractitionerRole/") {
            names.extend(roles.iter().filter_map(|role| target(&role["practitioner"])));
        } else {
            names.extend(roles.iter().map(|role| name(role)));
        }
        names
    }

    fn employers(&self) -> Vec<String> {
        let of = self.held_roles().into_iter().filter_map(|role| target(&role["organization"]));
        of.filter(|house| self.find(house).is_some_and(|one| one["active"] != false)).collect()
    }

    fn treats(&self, patient: &str) -> bool {
        let own = self.who.own.first().copied().unwrap_or_default();
        let in_use = match own.starts_with("PractitionerRole/") {
            true => self.held_roles().iter().any(|role| name(role) == own),
            false => self.find(own).is_some_and(|one| one["active"] != false),
        };
        let Some(itself) = self.find(patient).filter(|_| in_use) else { return false };
        let (names, employers) = (self.names(), self.employers());
        let mut houses = employers.clone();
        for _ in 0..2 {
            let parts = self.of_type("Organization").filter(|one| houses.iter().any(|of| points(&one["partOf"], of)));
            let parts: Vec<String> = parts.map(name).collect();
            houses.extend(parts);
        }
        let is_in = |reference: &Value, of: &[String]| of.iter().any(|one| points(reference, one));
        let practitioners = list(&itself["generalPractitioner"]);
        if practitioners.iter().any(|one| is_in(one, &names) || is_in(one, &houses))
            || is_in(&itself["managingOrganization"], &houses)
        {
            return true;
        }
        let teams =
            self.of_type("CareTeam").filter(|one| points(&one["subject"], patient) && one["status"] == "active");
        let of_team = |team: &Value| {
            list(&team["participant"])
                .iter()
                .any(|one| is_in(&one["member"], &names) || is_in(&one["member"], &employers))
        };
        if teams.filter(|team| holds(&team["period"])).any(of_team) {
            return true;
        }
        let open = |one: &Value| {
            matches!(one["status"].as_str(), Some("planned" | "arrived" | "triaged" | "in-progress" | "onleave"))
        };
        let lately = |one: &Value| {
            let near = |(low, high): (i64, i64)| high < i64::MAX && low <= NOW_MS && NOW_MS - 30 * DAY_MS < high;
            one["status"] == "finished" && span(&one["period"]).is_some_and(near)
        };
        let stays = self.of_type("Encounter").filter(|one| points(&one["subject"], patient));
        let of_stay = |stay: &Value| {
            let took_part = list(&stay["participant"]).iter().any(|one| is_in(&one["individual"], &names));
            (took_part && (open(stay) || lately(stay))) || (is_in(&stay["serviceProvider"], &houses) && open(stay))
        };
        if stays.into_iter().any(of_stay) {
            return true;
        }
        self.of_type("ServiceRequest").filter(|one| points(&one["subject"], patient) && one["status"] == "active").any(
            |order| {
                is_in(&order["requester"], &names) || list(&order["performer"]).iter().any(|one| is_in(one, &names))
            },
        )
    }

    fn has_in_care(&self, own: &str, patient: &str) -> bool {
        let Some(itself) = self.find(patient) else { return false };
        let team = |one: &&Value| {
            points(&one["subject"], patient) && one["status"] == "active" && holds(&one["period"]) && {
                list(&one["participant"]).iter().any(|one| points(&one["member"], own))
                    || list(&one["managingOrganization"]).iter().any(|one| points(one, own))
            }
        };
        list(&itself["generalPractitioner"]).iter().any(|one| points(one, own))
            || points(&itself["managingOrganization"], own)
            || self.of_type("CareTeam").any(|one| team(&one))
    }

    // Payment.

    /// Coverages of this payer that count for the patient.
    fn counting(&self, patient: &str) -> impl Iterator<Item = &Value> {
        let own = self.who.own.first().copied().unwrap_or_default();
        let counts = |one: &&Value| {
            let near = |(low, high): (i64, i64)| high < i64::MAX && low <= NOW_MS && NOW_MS - 365 * DAY_MS < high;
            one["status"] == "active" && (holds(&one["period"]) || span(&one["period"]).is_some_and(near))
        };
        let patient = patient.to_owned();
        let of = move |one: &&Value| {
            list(&one["payor"]).iter().any(|payor| points(payor, own)) && points(&one["beneficiary"], &patient)
        };
        self.of_type("Coverage").filter(of).filter(counts)
    }

    fn is_covered(&self, patient: &str, date: Option<(i64, i64)>, undated: bool) -> bool {
        self.counting(patient).any(|coverage| match (span(&coverage["period"]), date) {
            (None, _) => true,
            (Some(_), None) => undated,
            (Some((from, to)), Some((low, high))) => low < to && from < high,
        })
    }

    fn is_paid(&self, kind: &str, one: &Value) -> bool {
        let own = self.who.own.first().copied().unwrap_or_default();
        let Some(patient) = subject(one) else { return kind == "Patient" };
        let date = |name: &str| one[name].as_str().and_then(reference::decider::date);
        let claimed = |date: Option<(i64, i64)>| self.is_claimed(one) && self.is_covered(&patient, date, true);
        match kind {
            "Patient" => true,
            "Encounter" => self.is_covered(&patient, span(&one["period"]), false),
            "Coverage" => list(&one["payor"]).iter().any(|payor| points(payor, own)),
            "Claim" => points(&one["insurer"], own),
            "Condition" => claimed(date("recordedDate")),
            "Observation" => claimed(date("effectiveDateTime")),
            "QuestionnaireResponse" => claimed(date("authored")),
            "ServiceRequest" => claimed(date("authoredOn")),
            _ => false,
        }
    }

    /// Whether a claim to this payer is for its Encounter.
    fn is_claimed(&self, one: &Value) -> bool {
        let own = self.who.own.first().copied().unwrap_or_default();
        let Some(stay) = target(&one["encounter"]).and_then(|stay| self.find(&stay)) else { return false };
        let claims =
            || self.of_type("Claim").filter(|claim| claim["status"] == "active" && points(&claim["insurer"], own));
        let is_named = |stay: &str| {
            claims().any(|claim| {
                list(&claim["item"]).iter().any(|item| list(&item["encounter"]).iter().any(|one| points(one, stay)))
            })
        };
        let whole = target(&stay["partOf"]).filter(|whole| self.find(whole).is_some());
        let patient = subject(stay).unwrap_or_default();
        (is_named(&name(stay)) || whole.is_some_and(|whole| is_named(&whole)))
            && self.is_covered(&patient, span(&stay["period"]), false)
    }

    // What is withheld, and given.

    fn left(&self, one: &Value, broken: bool) -> bool {
        if self.is_denied(one) {
            return false;
        }
        let mut about = vec![one];
        if one["resourceType"] == "Provenance" {
            about.extend(list(&one["target"]).into_iter().filter_map(target).filter_map(|target| self.find(&target)));
        }
        // A label that came later is of the past too (docs/labels.md).
        let now = self.find(&name(one));
        about.iter().copied().chain(now).all(|one| self.is_cleared(one))
            && about.iter().all(|one| self.outcome(one, broken).is_none_or(|said| said >= Outcome::Permitted))
    }

    /// What consents say; `None`: nobody's bind the caller here.
    fn outcome(&self, one: &Value, broken: bool) -> Option<Outcome> {
        let kind = one["resourceType"].as_str().unwrap_or_default();
        let patient = if kind == "Patient" { name(one) } else { subject(one)? };
        if self.who.kind == Kind::Patient && self.is_listed(&patient) {
            return None;
        }
        let performs = |one: &&Value| self.who.own.iter().any(|own| points(one, own));
        if self.who.is_person() && kind == "Consent" && list(&one["performer"]).iter().any(performs) {
            return None;
        }
        let caller = reference::Caller {
            kind: match self.who.kind {
                Kind::Patient | Kind::Caregiver => reference::Kind::Person,
                Kind::Clinician => reference::Kind::Clinician,
                Kind::Payer | Kind::Hospital => reference::Kind::Organization,
                Kind::System | Kind::Deidentified | Kind::Nobody => reference::Kind::System,
            },
            own: self.who.own.clone(),
            purposes: if broken { vec!["BTG"] } else { self.who.purposes.clone() },
        };
        let consents = self.consents.get(&patient).map_or(&[][..], Vec::as_slice);
        Some(reference::decide(consents, &caller, &self.who.consents, one, &self.world))
    }

    fn is_given(&self, kind: &str, one: &Value) -> bool {
        let could = self.who.is_organization() || self.who.is_person();
        let record = self.record(kind, one);
        let is_there = record.iter().any(|patient| self.find(patient).is_some());
        let kept = kind != "Provenance" && is_there;
        could && kept && {
            let own = self.who.kind == Kind::Patient && record.iter().any(|patient| self.is_listed(patient));
            !own && self.decided(one) == Outcome::Given
        }
    }

    /// What consents say, though the caller performed one.
    fn decided(&self, one: &Value) -> Outcome {
        let mut plain = one.clone();
        if let Some(members) = plain.as_object_mut() {
            members.remove("performer");
        }
        let one = if one["resourceType"] == "Consent" { &plain } else { one };
        self.outcome(one, false).unwrap_or(Outcome::Silent)
    }

    fn is_cleared(&self, one: &Value) -> bool {
        let kind = self.who.kind;
        let passes = |(system, code): (String, String)| {
            let is_of = |table: &str| system == format!("http://terminology.hl7.org/CodeSystem/{table}");
            match code.as_str() {
                "L" | "N" if is_of("v3-Confidentiality") => true,
                "R" if is_of("v3-Confidentiality") => !self.who.is_organization(),
                "V" if is_of("v3-Confidentiality") => kind == Kind::Patient,
                "PSY" | "ETHUD" if is_of("v3-ActCode") => !self.who.is_organization(),
                "NOPAT" if is_of("v3-ActCode") => !matches!(kind, Kind::Patient | Kind::Caregiver),
                "ORCON" if is_of("v3-ActCode") => !self.who.is_organization(),
                "HTEST" if is_of("v3-ActReason") => true,
                "TREAT" | "HRESCH" if is_of("v3-ActReason") => self.who.purposes.contains(&code.as_str()),
                "PATAST" if is_of("v3-ObservationValue") => true,
                _ => false,
            }
        };
        list(&one["meta"]["security"]).into_iter().filter_map(coding).all(passes)
    }

    fn is_denied(&self, one: &Value) -> bool {
        let kind = one["resourceType"].as_str().unwrap_or_default();
        let has_code = |one: &Value| {
            kind == "Observation"
                && codings(&one["code"]).iter().any(|one| one.0.ends_with("loinc.org") && one.1 == "1")
        };
        match self.who.rule {
            Some(Rule::Deny) => has_code(one) || self.find(&name(one)).is_some_and(has_code),
            Some(Rule::Limit) => !LEFT.contains(&kind),
            _ => false,
        }
    }

    fn is_allowed(&self, kind: &str, one: &Value) -> bool {
        let may =
            self.who.rule == Some(Rule::Allow) && (self.who.kind == Kind::Clinician || self.who.is_organization());
        let of_woman = |one: &Value| {
            let patient = subject(one).and_then(|patient| self.find(&patient));
            patient.is_some_and(|patient| patient["gender"] == "female")
        };
        may && kind == "Condition" && of_woman(one) && self.find(&name(one)).is_some_and(of_woman)
    }

    /// What a broken glass opens.
    fn opened(&self, scopes: &[&Scope], kind: &str, one: &Value) -> bool {
        let Some(glass) = self.who.glass.filter(|_| self.who.kind == Kind::Clinician) else { return false };
        let patient = format!("Patient/{glass}");
        let reaches = |scope: &&Scope| scope.context == "user" || self.who.context == Some(glass);
        scopes.iter().any(reaches) && self.record(kind, one).contains(&patient) && self.left(one, true)
    }
}

/// Whether a scope covers it.
fn covers(scope: &Scope, one: &Value) -> bool {
    let is_of = |code: &str| {
        let categories = list(&one["category"]).into_iter().flat_map(codings);
        categories.into_iter().any(|(system, own)| system == super::caller::CATEGORY && own == code)
    };
    scope.category.is_none_or(is_of)
}

/// The one patient whom it is about.
pub(super) fn subject(one: &Value) -> Option<String> {
    let member = match one["resourceType"].as_str()? {
        "Coverage" => "beneficiary",
        "Claim" | "Consent" | "RelatedPerson" => "patient",
        _ => "subject",
    };
    target(&one[member]).filter(|target| target.starts_with("Patient/"))
}

fn points(reference: &Value, to: &str) -> bool {
    target(reference).as_deref() == Some(to)
}

fn holds(period: &Value) -> bool {
    span(period).is_none_or(|(low, high)| low <= NOW_MS && NOW_MS < high)
}

/// Whether a RelatedPerson stands as a relation.
fn is_standing(one: &Value) -> bool {
    let offices = [("http://terminology.hl7.org/CodeSystem/v2-0131", ["E", "F", "I", "S"])];
    let is_office = |(system, code): &(String, String)| {
        offices.iter().any(|(own, codes)| own == system && codes.contains(&code.as_str()))
    };
    let relationships = list(&one["relationship"]).into_iter().flat_map(codings);
    one["active"] != false && holds(&one["period"]) && !relationships.into_iter().any(|code| is_office(&code))
}
