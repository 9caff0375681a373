//! What a choice would do, before it is made: what each of those whom it may touch would no longer see, or see anew, by
//! the decision itself ([`policy::Foresight`]). SPEC: rows G7, G9, G16.
//!
//! Bounded: so many people, so many entries; what was not looked at is said. Who looks only in an emergency, systems,
//! and people who have nothing to do with the patient today, are not foreseen; the choice counts for them all the same.

use super::{Accounts, Entry, Party, Room};
use aws_lc_rs::digest::{Context, SHA256};
use fhir::LogicalId;
use oauth::{
    Caller,
    caller::{Role, User},
    udap::purpose::Purpose,
};
use policy::{
    Foresight, Looked,
    consent::{Directives, preview::Change},
};
use std::sync::Arc;

/// People and organizations whose view is foreseen.
const WATCHERS_MAX: usize = 20;

/// What a choice would do.
pub(crate) struct Foreseen {
    /// Those for whom something changes, and those whom the choice names.
    pub(crate) watched: Vec<Watched>,
    /// How many others were looked at, for whom nothing changes.
    pub(crate) unchanged: usize,
    /// Not everybody, or not all entries, were looked at.
    pub(crate) is_part: bool,
    /// Who acts for the patient would themselves no longer see something.
    pub(crate) hides_own: bool,
}

/// What changes for one of them.
pub(crate) struct Watched {
    pub(crate) party: Party,
    /// They have no way to look: no account here.
    pub(crate) is_outside: bool,
    pub(crate) hides: Vec<Entry>,
    pub(crate) shows: Vec<Entry>,
}

impl Room<'_> {
    /// What becomes of the record when its consents say `after`. `parties`: who has to do with it, and whether there are
    /// more; `named`: who is told of in any case; `ended`: the Consent that ends.
    pub(crate) fn foresee(
        &self,
        patient: &LogicalId,
        (parties, has_more): (&[Party], bool),
        (named, ended): (&[String], Option<&str>),
        (before, after): (&Arc<Directives>, &Arc<Directives>),
        accounts: &Accounts,
    ) -> Option<Foreseen> {
        let (mut entries, mut is_part) = self.entries(patient)?;
        // What ends is no thing of the record to anybody.
        entries.retain(|entry| entry.kind.name() != "Consent" || Some(entry.id.as_str()) != ended);
        let is_named = |party: &&Party| named.contains(&party.reference);
        let mut order: Vec<&Party> = parties.iter().filter(is_named).collect();
        order.extend(parties.iter().filter(|party| !is_named(party)));
        // A team is its members, who stand in the list themselves or are added here.
        let mut watchers: Vec<(Party, bool)> = Vec::new();
        for party in order {
            let mut put = |party: Party, is_named: bool| {
                if watchers.iter().all(|(known, _)| known.reference != party.reference) {
                    watchers.push((party, is_named));
                }
            };
            if party.reference.starts_with("CareTeam/") {
                for member in self.members(&party.reference) {
                    if let Some(name) = self.name(&member) {
                        put(Party { reference: member, name, is_carer: true, pays: false }, false);
                    }
                }
            } else {
                put(party.clone(), is_named(&party));
            }
        }
        let (users, more_users) = self.users(accounts);
        is_part |= has_more || more_users || watchers.len() > WATCHERS_MAX;
        watchers.truncate(WATCHERS_MAX);
        let foresee = |caller: Caller| {
            let said = (Arc::clone(before), Arc::clone(after));
            Foresight::new(caller, &self.registry, &self.house, patient.clone(), said)
        };
        let of_one = |(party, is_named): (Party, bool)| {
            let callers = callers(&party, &users);
            let is_outside = callers.is_empty();
            let foresights: Vec<Foresight<'_>> = callers.into_iter().map(&foresee).collect();
            (Watched { party, is_outside, hides: Vec::new(), shows: Vec::new() }, is_named, foresights)
        };
        let mut watchers: Vec<_> = watchers.into_iter().map(of_one).collect();
        // Patients are not bound in their own record; who acts for them is.
        let own =
            Caller::at_page(Arc::clone(self.user), super::READS).ok().filter(|_| self.user.role == Role::Caregiver);
        let own = own.map(foresee);
        let mut hides_own = false;
        for entry in &entries {
            let look = |looked: &Looked<'_>| {
                let change = |one: &Foresight<'_>| one.change(looked.subject, looked.related);
                let of_one = |(_, _, foresights): &(_, _, Vec<Foresight<'_>>)| foresights.iter().map(change).collect();
                (watchers.iter().map(of_one).collect::<Vec<Vec<Change>>>(), own.as_ref().map(change))
            };
            let (changes, of_own) = self.snapshot.look(&self.permit, entry.kind, &entry.id, look).ok()?;
            hides_own |= of_own == Some(Change::Hides);
            for ((of_one, ..), changes) in watchers.iter_mut().zip(changes) {
                // Several accounts or purposes: what one of them sees, they see.
                let sees_before = changes.iter().any(|one| matches!(one, Change::Stays | Change::Hides));
                let sees_after = changes.iter().any(|one| matches!(one, Change::Stays | Change::Shows));
                match (sees_before, sees_after) {
                    (true, false) => of_one.hides.push(entry.clone()),
                    (false, true) => of_one.shows.push(entry.clone()),
                    _ => {}
                }
            }
        }
        let is_told =
            |(one, is_named, _): &(Watched, bool, _)| *is_named || !one.hides.is_empty() || !one.shows.is_empty();
        let all = watchers.len();
        let watched: Vec<Watched> = watchers.into_iter().filter(is_told).map(|(one, ..)| one).collect();
        Some(Foreseen { unchanged: all - watched.len(), watched, is_part, hides_own })
    }
}

/// As whom somebody would look. `users`: people, by what stands for them.
fn callers(party: &Party, users: &[(String, Arc<User>)]) -> Vec<Caller> {
    if party.reference.starts_with("Organization/") {
        let payment = Purpose::parse("HPAYMT").into_iter();
        let each = std::iter::once(Purpose::TREATMENT).chain(payment);
        return each.map(|purpose| Caller::foreseen_organization(&party.reference, &[purpose])).collect();
    }
    let of_party = users.iter().filter(|(reference, _)| *reference == party.reference);
    of_party.filter_map(|(_, user)| Caller::at_page(Arc::clone(user), super::READS).ok()).collect()
}

impl Foreseen {
    /// A name for what was shown: who, what of them, and on which consents it rests. Another one is another preview.
    pub(crate) fn name(&self, choice: &str, kept: &[super::Kept]) -> String {
        let mut hash = Context::new(&SHA256);
        let mut put = |text: &str| {
            hash.update(&(text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        put(choice);
        put(&super::as_they_stand(kept));
        for one in &self.watched {
            put(&format!("{} {}", one.party.reference, one.is_outside));
            for (what, entries) in [("hides", &one.hides), ("shows", &one.shows)] {
                put(&format!("{what} {}", entries.len()));
                for entry in entries {
                    put(&format!("{}/{}", entry.kind, entry.id));
                }
            }
        }
        put(&format!("{} {}", self.unchanged, self.is_part));
        crate::random::hex(hash.finish().as_ref())
    }
}
