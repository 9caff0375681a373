//! Whose record: the picker, for who may see several. SPEC: SMART App Launch 2.2 `launch/patient`; row B25: a caregiver
//! picks one of those whom the account is bound to, a clinician one of those whom they may see. Each look into a record is
//! made as that person, and recorded as theirs.

use super::{Reply, Visitor, going_on::Due};
use crate::{
    event::Event,
    outcome::page::Sent,
    page,
    people::session::Session,
    records::{PatientRecord, Patients},
};
use oauth::{caller::Role, error::ErrorCode, form::Form};
use pages::{PatientFacts, PickPatient, ProblemWhat, Relation, Secret, Text, fields, paths};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;

impl Visitor<'_> {
    /// The picker.
    pub(super) async fn patient_page(&self, due: &Due) -> Reply {
        let filter = self.head.query(fields::FILTER).map(str::trim).filter(|filter| !filter.is_empty());
        let Some((patients, has_more)) = self.to_pick_from(due, filter).await else {
            return self.problem(ProblemWhat::Unavailable, Sent::Unavailable);
        };
        let shown: Vec<Arc<str>> = patients.iter().map(|patient| patient.id.as_str().into()).collect();
        let view = PickPatient {
            csrf: Secret::new(self.inner.people.csrf(&due.session.hash, paths::PATIENT)),
            continuation: Secret::new(due.handle.clone()),
            app: Text::new(&due.client.name),
            patients,
            has_more,
            filter: filter.map(Text::new),
        };
        let reply = self.page(view, Sent::Shown, &[due.request().redirect.as_str()]);
        let query = filter.map(|words| format!("Patient?name={}", utf8_percent_encode(words, NON_ALPHANUMERIC)));
        // A search is recorded with what was looked for, found or not.
        if shown.is_empty() && query.is_none() {
            return reply;
        }
        reply.did(Event::looked("search-type", query.or_else(|| Some("Patient".into())), &due.user, &shown))
    }

    /// Those whom the person may pick, and whether there are more; `None`: the store does not answer. A clinician says
    /// first whom they look for.
    async fn to_pick_from(&self, due: &Due, filter: Option<&str>) -> Option<(Vec<PatientFacts>, bool)> {
        if due.user.role != Role::Clinician {
            let mut patients = Vec::new();
            for id in due.own.iter() {
                patients.extend(self.patient_facts(due, id).await);
            }
            return Some((patients, false));
        }
        let Some(words) = filter.map(str::to_owned) else { return Some((Vec::new(), true)) };
        let (records, user) = (Arc::clone(&self.inner.records), Arc::clone(&due.user));
        let looked = tokio::task::spawn_blocking(move || records.patients(&user, &words)).await;
        let Patients { found, has_more } = looked.ok().flatten()?;
        Some((found.iter().map(|patient| facts(due, patient)).collect(), has_more))
    }

    /// The form of the picker.
    pub(super) async fn patient_picked(&self, handle: String, form: &Form, session: &Session) -> Reply {
        let due = match self.due(handle).await {
            Ok(due) => due,
            Err(reply) => return *reply,
        };
        if form.value(fields::DECISION) == Some(fields::DENY) {
            return self.given_up(&due, ErrorCode::AccessDenied, "the person chose to share nothing");
        }
        let picked: Arc<str> = form.value(fields::PATIENT).unwrap_or_default().into();
        let is_bound = due.user.role == Role::Clinician || due.own.contains(&picked);
        // Held against what the person may see once more: the form is theirs to change.
        let is_there = is_bound && self.patient_facts(&due, &picked).await.is_some();
        let now_s = self.inner.now().unix_seconds();
        if !is_there || !self.inner.pending.pick(&due.handle, &session.hash, &picked, now_s) {
            let event = super::refusal_event(Some(&due.client.id));
            let reply = self.problem(ProblemWhat::NotAllowed, Sent::Refused);
            return reply.failed(event, "the patient is not one that this person may pick", "authorization");
        }
        self.gone_on(due.handle).await
    }

    /// What tells a patient from another one, for who may see them; `None` for who may not, or when there is none.
    pub(super) async fn patient_facts(&self, due: &Due, id: &Arc<str>) -> Option<PatientFacts> {
        let (records, user, id) = (Arc::clone(&self.inner.records), Arc::clone(&due.user), Arc::clone(id));
        let looked = tokio::task::spawn_blocking(move || records.patient(&user, &id)).await;
        looked.ok().flatten().map(|patient| facts(due, &patient))
    }
}

fn facts(due: &Due, patient: &PatientRecord) -> PatientFacts {
    let relation = match due.user.role {
        Role::Patient => Some(Relation::Oneself),
        Role::Caregiver => Some(Relation::Caregiver),
        Role::Clinician | Role::PrivacyOfficer | Role::Administrator => None,
    };
    page::facts::patient(patient, relation)
}
