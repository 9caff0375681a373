//! Whom a choice can be about: those who have to do with a patient, by what the record says, and those who looked at it.
//! SPEC: rows G12 to G15, F21.

use super::{Accounts, Room, kind, parsed};
use crate::ledger::Ledger;
use fhir::LogicalId;
use oauth::caller::{Role, User};
use serde_json::Value;
use std::sync::Arc;

/// Of how many a page can be: a list that somebody still reads.
const PARTIES_MAX: usize = 40;

/// Resources of a type that are looked through for names.
const LOOKED_AT: usize = 50;

/// Lines of the log that are looked through.
const LINES: usize = 100;

/// Accounts that are looked through for who stands behind a resource.
const ACCOUNTS_MAX: usize = 5_000;

/// Somebody whom a choice can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Party {
    /// Their resource, `Type/id`.
    pub(crate) reference: String,
    pub(crate) name: String,
    /// They care for the patient: of a care team, a doctor of theirs, family.
    pub(crate) is_carer: bool,
    /// An organization that pays.
    pub(crate) pays: bool,
}

impl Room<'_> {
    /// Those who have to do with this patient, carers first; whether there are more.
    pub(crate) fn parties(
        &self,
        patient: &LogicalId,
        accounts: &Accounts,
        ledger: Option<&Ledger>,
    ) -> (Vec<Party>, bool) {
        let mut all: Vec<Party> = Vec::new();
        let mut has_more = false;
        let mut add = |reference: Option<&str>, is_carer: bool, pays: bool| {
            let Some(reference) = reference.and_then(|reference| self.person_of(reference)) else { return };
            if let Some(known) = all.iter_mut().find(|party| party.reference == reference) {
                known.is_carer |= is_carer;
                known.pays |= pays;
            } else if all.len() >= PARTIES_MAX {
                has_more = true;
            } else if let Some(name) = self.name(&reference) {
                all.push(Party { reference, name, is_carer, pays });
            }
        };
        let is_cut = std::cell::Cell::new(false);
        let of = |name: &str| -> Vec<Value> {
            let found = kind(name).and_then(|kind| self.of_patient(kind, patient, LOOKED_AT));
            let (found, more) = found.unwrap_or_default();
            is_cut.set(is_cut.get() || more);
            found.iter().filter_map(crate::records::json).collect()
        };
        let text = |value: &Value, at: &str| value.pointer(at).and_then(Value::as_str).map(str::to_owned);
        let each = |value: &Value, list: &str, at: &str| -> Vec<String> {
            let items = value.get(list).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(|item| text(item, at)).collect()
        };
        if let Some(own) = self.read(&format!("Patient/{patient}")) {
            for doctor in each(&own, "generalPractitioner", "/reference") {
                add(Some(&doctor), true, false);
            }
            add(text(&own, "/managingOrganization/reference").as_deref(), false, false);
        }
        for related in of("RelatedPerson") {
            if related.get("active").and_then(Value::as_bool) != Some(false) {
                add(
                    related.get("id").and_then(Value::as_str).map(|id| format!("RelatedPerson/{id}")).as_deref(),
                    true,
                    false,
                );
            }
        }
        for team in of("CareTeam") {
            if text(&team, "/status").as_deref() == Some("active") {
                add(team.get("id").and_then(Value::as_str).map(|id| format!("CareTeam/{id}")).as_deref(), true, false);
                for member in each(&team, "participant", "/member/reference") {
                    add(Some(&member).filter(|one| !one.starts_with("Patient/")).map(String::as_str), true, false);
                }
            }
        }
        for visit in of("Encounter") {
            let goes_on = text(&visit, "/period/end").is_none();
            for one in each(&visit, "participant", "/individual/reference") {
                add(Some(&one), goes_on, false);
            }
            add(text(&visit, "/serviceProvider/reference").as_deref(), false, false);
        }
        for coverage in of("Coverage") {
            for payor in each(&coverage, "payor", "/reference") {
                add(Some(&payor).filter(|one| one.starts_with("Organization/")).map(String::as_str), false, true);
            }
        }
        // Whose name the report of the log tells.
        let report = ledger.and_then(|ledger| ledger.report(self.user, patient, None, LINES).ok().flatten());
        for line in report.iter().flat_map(|report| &report.lines) {
            if line.who.name.is_some() {
                let account = line.who.account.as_deref().and_then(|id| accounts.user(id));
                add(account.as_ref().and_then(|user| user.fhir_user.as_deref()), false, false);
            }
        }
        let own = self.user.fhir_user.as_deref();
        all.retain(|party| Some(&*party.reference) != own && !party.reference.starts_with("Patient/"));
        all.sort_by_key(|party| !party.is_carer);
        (all, has_more || is_cut.get())
    }

    /// The person behind a role; else the reference itself. `None` for what is nobody here.
    fn person_of(&self, reference: &str) -> Option<String> {
        let (kind, _) = parsed(reference)?;
        match kind.name() {
            "PractitionerRole" => {
                let role = self.read(reference)?;
                let named = ["/practitioner/reference", "/organization/reference"];
                named.into_iter().find_map(|at| role.pointer(at)).and_then(Value::as_str).map(str::to_owned)
            }
            "Practitioner" | "Organization" | "RelatedPerson" | "CareTeam" | "Person" => Some(reference.to_owned()),
            _ => None,
        }
    }

    /// What somebody is called.
    pub(crate) fn name(&self, reference: &str) -> Option<String> {
        let json = self.read(reference)?;
        match json.get("name") {
            Some(Value::String(name)) => Some(name.clone()),
            Some(_) => crate::records::name(&json),
            None => None,
        }
        .filter(|name| !name.trim().is_empty())
    }

    /// The people with an account who see records, each by all that stands for them; whether there are more.
    pub(crate) fn users(&self, accounts: &Accounts) -> (Vec<(String, Arc<User>)>, bool) {
        let mut users = accounts.some_users(ACCOUNTS_MAX + 1);
        let has_more = users.len() > ACCOUNTS_MAX;
        users.truncate(ACCOUNTS_MAX);
        let mut all = Vec::new();
        for user in users.into_iter().filter(|user| is_bound(user.role)) {
            let Some(own) = user.fhir_user.as_deref() else { continue };
            let mut stands = match own.split('/').next() {
                Some("PractitionerRole") => self.person_of(own).into_iter().collect(),
                Some("Person") => self.links(own),
                _ => Vec::new(),
            };
            stands.push(own.to_owned());
            all.extend(stands.into_iter().map(|one| (one, Arc::clone(&user))));
        }
        (all, has_more)
    }

    /// Whom a team has as members.
    pub(crate) fn members(&self, team: &str) -> Vec<String> {
        let json = self.read(team);
        let members = json.as_ref().and_then(|team| team.get("participant")?.as_array()).into_iter().flatten();
        let references = members.filter_map(|one| one.pointer("/member/reference").and_then(Value::as_str));
        references.filter_map(|one| self.person_of(one)).collect()
    }

    fn links(&self, person: &str) -> Vec<String> {
        let json = self.read(person);
        let links = json.as_ref().and_then(|person| person.get("link")?.as_array()).into_iter().flatten();
        links.filter_map(|link| link.pointer("/target/reference").and_then(Value::as_str)).map(str::to_owned).collect()
    }
}

/// Whether somebody of this role sees records.
const fn is_bound(role: Role) -> bool {
    matches!(role, Role::Caregiver | Role::Clinician)
}
