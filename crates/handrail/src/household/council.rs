//! Four eyes: other rules come into force when a second administrator approved the text that a first one proposed, by
//! its hash. Row G16.
//!
//! - Nobody approves what they proposed: not by the same account, nor by another one for which the same resource stands,
//!   a PractitionerRole of the same Practitioner, or one that a Person links to the same human being. Two accounts of which nobody here knows that they are one person
//!   are two.
//! - A proposal is against the version in force; when another comes into force, it is void. It ends by itself, and with its
//!   author's being an administrator.
//! - The record of an act stands in the audit log before the act counts.
//!
//! Left out: who registers administrators. The operator of the machine does, and holds the disk: `docs/policy.md`.

use super::{Keeper, ledger, ledger::Proposal};
use crate::{clock, limits};
use audit::entry::{Action, Counts, Effect, Entry, Kind, Outcome, Person};
use authserver::people::account::{Account, State};
use fhir::{Instant, LogicalId, ResourceType};
use oauth::{
    Caller,
    caller::{Role, User},
};
use policy::{
    Grants, House, Interaction, Permit, Rules,
    rules::{Failed, Fault},
};
use rest::council::{Council, CouncilError, Draft, Hand, Ledger, Signature, Version, Waiting};
use search::{Predicate, Query, Test, predicate::ReferenceTest, query::Total};
use std::sync::{Arc, PoisonError};
use store::ReadError;

impl Council for Keeper {
    fn propose(&self, by: &Hand<'_>, draft: Draft<'_>, note: &str) -> Result<(Waiting, Arc<Rules>), CouncilError> {
        let _one = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_on()?;
        let text = match draft {
            Draft::Text(text) => text.to_owned(),
            Draft::Version(hash) => {
                let is_version = self.ledger.versions()?.iter().any(|version| version.hash == hash);
                self.ledger.text(hash)?.filter(|_| is_version).ok_or(CouncilError::Unknown)?
            }
        };
        let (rules, tests) = self.checked(&text)?;
        let hash = ledger::hash_of(&text);
        let in_force = self.ledger.in_force()?.map(|version| version.hash).unwrap_or_default();
        if hash == in_force {
            return Err(CouncilError::InForce);
        }
        let now = clock::now();
        let (over, waiting): (Vec<_>, Vec<_>) =
            self.ledger.proposals()?.into_iter().partition(|one| is_over(one, now, &in_force));
        for one in over {
            self.ledger.end(&one.waiting.hash)?;
        }
        if waiting.iter().any(|one| one.waiting.hash == hash) {
            return Err(CouncilError::Waits);
        }
        if waiting.len() >= limits::POLICY_PROPOSALS_MAX {
            return Err(CouncilError::Full);
        }
        let waiting = Waiting {
            hash,
            note: note.to_owned(),
            by: signature(by.user, now),
            ends: Instant::from_unix_millis(now.unix_millis().saturating_add(limits::POLICY_PROPOSAL_LIFE_MS)),
            replaces: in_force,
            rules: count(rules.rules().len()),
            tests,
        };
        self.record("policy-proposed", Some(by), &waiting.hash)?;
        let fhir_user = by.user.fhir_user.as_deref().map(str::to_owned);
        self.ledger.keep(&Proposal { waiting: waiting.clone(), fhir_user }, &text)?;
        Ok((waiting, rules))
    }

    fn approve(&self, by: &Hand<'_>, hash: &str) -> Result<Version, CouncilError> {
        let _one = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_on()?;
        let now = clock::now();
        let proposal = self.ledger.proposals()?.into_iter().find(|one| one.waiting.hash == hash);
        let proposal = proposal.filter(|one| one.waiting.ends > now).ok_or(CouncilError::Unknown)?;
        let in_force = self.ledger.in_force()?.map(|version| version.hash).unwrap_or_default();
        if proposal.waiting.replaces != in_force {
            return Err(CouncilError::Stale);
        }
        let accounts = self.authserver.users();
        let author = accounts.iter().find(|account| *account.id == *proposal.waiting.by.account);
        if self.are_one(by.user, &proposal, author.map(|author| &**author))? {
            return Err(CouncilError::SamePerson);
        }
        let is_good = |account: &&Arc<Account>| account.role == Role::Administrator && account.state == State::Active;
        if author.filter(is_good).is_none() {
            return Err(CouncilError::Orphaned);
        }
        let text = self.ledger.text(hash)?.ok_or(CouncilError::Unknown)?;
        // Search parameters may have gone since.
        let (rules, _) = self.checked(&text)?;
        self.record("policy-approved", Some(by), hash)?;
        let version = Version {
            number: 0,
            hash: hash.to_owned(),
            note: proposal.waiting.note,
            how: "approved".into(),
            proposed: Some(proposal.waiting.by),
            approved: Some(signature(by.user, now)),
            since: now,
            rules: count(rules.rules().len()),
        };
        let version = self.ledger.append(version, &text)?;
        let mut house = House::clone(&self.store.house());
        house.rules = rules;
        self.store.set_house(house);
        tracing::info!(version = version.number, hash, rules = version.rules, "other rules are in force");
        self.ledger.end(hash)?;
        Ok(version)
    }

    fn withdraw(&self, by: &Hand<'_>, hash: &str) -> Result<(), CouncilError> {
        let _one = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_on()?;
        let now = clock::now();
        let is_there = |one: &Proposal| one.waiting.hash == hash && one.waiting.ends > now;
        if !self.ledger.proposals()?.iter().any(is_there) {
            return Err(CouncilError::Unknown);
        }
        self.record("policy-withdrawn", Some(by), hash)?;
        self.ledger.end(hash)
    }

    fn ledger(&self) -> Result<Ledger, CouncilError> {
        told(&self.ledger, self.files.four_eyes)
    }

    fn text(&self, hash: &str) -> Result<String, CouncilError> {
        self.ledger.text(hash)?.ok_or(CouncilError::Unknown)
    }
}

/// What waits and what was.
pub(crate) fn told(ledger: &ledger::Ledger, four_eyes: bool) -> Result<Ledger, CouncilError> {
    let mut versions = ledger.versions()?;
    versions.reverse();
    let in_force = versions.first().map(|version| version.hash.clone()).unwrap_or_default();
    versions.truncate(limits::POLICY_VERSIONS_TOLD);
    let now = clock::now();
    let waiting = ledger.proposals()?.into_iter().filter(|one| !is_over(one, now, &in_force));
    Ok(Ledger { four_eyes, waiting: waiting.map(|one| one.waiting).collect(), versions })
}

fn is_over(proposal: &Proposal, now: Instant, in_force: &str) -> bool {
    proposal.waiting.ends <= now || proposal.waiting.replaces != in_force
}

fn signature(user: &User, at: Instant) -> Signature {
    Signature { account: user.id.to_string(), name: user.name.to_string(), at }
}

pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl Keeper {
    fn is_on(&self) -> Result<(), CouncilError> {
        if self.files.four_eyes { Ok(()) } else { Err(CouncilError::Off) }
    }

    /// Rules whose tests all pass, and how many tests.
    fn checked(&self, text: &str) -> Result<(Arc<Rules>, u64), CouncilError> {
        let registry = self.store.registry();
        let faulty = |faults: &[Fault]| CouncilError::Faulty(faults.iter().map(ToString::to_string).collect());
        let rules = Arc::new(Rules::read(text, &registry).map_err(|faults| faulty(&faults))?);
        let mut house = House::default();
        house.rules = Arc::clone(&rules);
        // INVARIANT: what comes over the network names no file of this machine.
        let load = |_: &str| Err("a text that is proposed has its resources in itself".to_owned());
        let mut failed = Vec::new();
        for trial in rules.trials() {
            let lines: Vec<String> = match trial.run(&registry, &house, clock::now(), &load) {
                Ok(_) => continue,
                Err(Failed::Unfit(fault)) => vec![fault.to_string()],
                Err(Failed::Missed(missed)) => missed.iter().map(ToString::to_string).collect(),
            };
            failed.extend(lines.into_iter().map(|line| format!("test \"{}\": {line}", trial.name())));
            if failed.len() >= limits::POLICY_FAULTS_TOLD {
                break;
            }
        }
        if failed.is_empty() {
            Ok((Arc::clone(&rules), count(rules.trials().len())))
        } else {
            Err(CouncilError::Faulty(failed))
        }
    }

    /// Whether who approves is who proposed, as far as anybody here knows.
    fn are_one(&self, user: &User, proposal: &Proposal, author: Option<&Account>) -> Result<bool, CouncilError> {
        if *user.id == *proposal.waiting.by.account {
            return Ok(true);
        }
        let theirs = [proposal.fhir_user.as_deref(), author.and_then(|author| author.fhir_user.as_deref())];
        let Some(own) = user.fhir_user.as_deref() else { return Ok(false) };
        let own = self.behind(own)?;
        for other in theirs.into_iter().flatten() {
            let other = self.behind(other)?;
            if own == other || self.is_linked(&own, &other)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The Practitioner whose PractitionerRole it is; what is none stands for itself.
    fn behind(&self, reference: &str) -> Result<String, CouncilError> {
        let itself = || Ok(reference.to_owned());
        let Some(id) = reference.strip_prefix("PractitionerRole/").and_then(|id| LogicalId::parse(id).ok()) else {
            return itself();
        };
        let Ok(role) = ResourceType::parse("PractitionerRole") else { return itself() };
        let permit = self.permit(&Interaction::Read(role, id.clone()))?;
        let found = match self.store.snapshot(clock::now()).read(&permit, role, &id) {
            Ok(found) => found,
            Err(ReadError::NotFound | ReadError::Gone) => return itself(),
            Err(why) => return Err(CouncilError::Unavailable(why.to_string())),
        };
        let bytes = found.json.into_bytes().map_err(|why| CouncilError::Unavailable(format!("{why:?}")))?;
        let role: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|why| CouncilError::Unavailable(why.to_string()))?;
        let named = role.pointer("/practitioner/reference").and_then(serde_json::Value::as_str);
        Ok(named.unwrap_or(reference).to_owned())
    }

    /// What the operator may do.
    fn permit(&self, interaction: &Interaction) -> Result<Permit, CouncilError> {
        let operator = Caller::operator("handrail policy");
        let grants = Arc::new(Grants::compile(&operator, &self.store.registry(), &self.store.house()));
        policy::decide(&operator, &grants, interaction).map_err(|why| CouncilError::Unavailable(why.to_string()))
    }

    /// Whether a Person says that two resources stand for one human being. SPEC: R4 person.html.
    fn is_linked(&self, one: &str, other: &str) -> Result<bool, CouncilError> {
        let registry = self.store.registry();
        let person = ResourceType::parse("Person").ok();
        let Some((person, link)) = person.and_then(|kind| Some((kind, registry.parameter(kind, "link")?.id))) else {
            return Ok(false);
        };
        let links = |reference: &str| {
            let (kind, id) = reference.split_once('/')?;
            let (kind, id) = (ResourceType::parse(kind).ok()?, LogicalId::parse(id).ok()?);
            let test = Test::Reference(ReferenceTest::Target(kind, id.clone()));
            let linked = Arc::new(Predicate::Value { parameter: link, test });
            // It may be a Person itself that stands for somebody.
            let own = (kind == person).then(|| Arc::new(Predicate::Id(vec![id])));
            Some(Arc::new(Predicate::Or([Some(linked), own].into_iter().flatten().collect())))
        };
        let (Some(one), Some(other)) = (links(one), links(other)) else { return Ok(false) };
        let permit = self.permit(&Interaction::SearchType(person))?;
        let query = Query {
            resource_type: person,
            predicate: Arc::new(Predicate::And(vec![one, other])),
            sort: Vec::new(),
            count: 1,
            total: Total::None,
            includes: Vec::new(),
            revincludes: Vec::new(),
            applied: String::new(),
            warnings: Vec::new(),
        };
        let page = self.store.snapshot(clock::now()).search(&permit, &query, None, "");
        // Who cannot be told apart is taken for one.
        page.map(|page| !page.matches.is_empty()).map_err(|why| CouncilError::Unavailable(why.to_string()))
    }

    /// The record of an act on a text, before it counts.
    pub(super) fn record(&self, subtype: &str, by: Option<&Hand<'_>>, hash: &str) -> Result<(), CouncilError> {
        let mut entry = Entry {
            recorded: clock::now(),
            kind: Kind::Security,
            subtype: subtype.into(),
            action: Action::Execute,
            outcome: Outcome::Success,
            outcome_text: None,
            client_id: by.map(|by| by.client_id.into()),
            token_name: by.map(|by| by.token_name.into()),
            person: by.map(|by| Box::new(Person::of(by.user))),
            organization: None,
            grounds: None,
            address: by.map(|by| by.address),
            request_id: by.map_or("", |by| by.request_id).into(),
            query: None,
            touched: Vec::new(),
            patients: Vec::new(),
        };
        entry.grounds_mut().count(Counts::Rule, Effect::Permit, &format!("sha256:{hash}"));
        let recorded = self.store.log().record(&entry);
        recorded.map(drop).map_err(|why| CouncilError::Unavailable(why.to_string()))
    }
}

#[cfg(test)]
mod tests;
