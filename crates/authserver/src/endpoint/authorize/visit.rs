//! Which visit: the picker, when an app that was not opened from here asks for one. SPEC: SMART App Launch 2.2
//! `launch/encounter`; row B51. Visits are those of the patient in context that the person may see; to go on without one
//! is a choice too, and the app is not given the scope then.

use super::{Reply, Visitor, going_on::Due, pending::PickedVisit};
use crate::{event::Event, outcome::page::Sent, page, people::session::Session, records::VisitRecord};
use oauth::{error::ErrorCode, form::Form, launch_context::FhirContext};
use pages::{PickVisit, ProblemWhat, Secret, Text, fields, paths};
use std::sync::Arc;

impl Visitor<'_> {
    /// The picker, for the patient in context.
    pub(super) async fn visit_page(&self, due: &Due, patient: &Arc<str>) -> Reply {
        let Some(facts) = self.patient_facts(due, patient).await else {
            return self.given_up(due, ErrorCode::AccessDenied, "the patient's record is not there");
        };
        let Some(visits) = self.visits_of(due, patient).await else {
            return self.problem(ProblemWhat::Unavailable, Sent::Unavailable);
        };
        let view = PickVisit {
            csrf: Secret::new(self.inner.people.csrf(&due.session.hash, paths::VISIT)),
            continuation: Secret::new(due.handle.clone()),
            app: Text::new(&due.client.name),
            patient: facts,
            visits: visits.iter().map(page::facts::visit).collect(),
        };
        let reply = self.page(view, Sent::Shown, &[due.request().redirect.as_str()]);
        let query = format!("Encounter?patient={patient}");
        reply.did(Event::looked("search-type", Some(query), &due.user, &[Arc::clone(patient)]))
    }

    async fn visits_of(&self, due: &Due, patient: &Arc<str>) -> Option<Vec<VisitRecord>> {
        let (records, user, patient) = (Arc::clone(&self.inner.records), Arc::clone(&due.user), Arc::clone(patient));
        tokio::task::spawn_blocking(move || records.visits(&user, &patient)).await.ok().flatten()
    }

    /// The form of the picker: a visit, or to go on without.
    pub(super) async fn visit_picked(&self, handle: String, form: &Form, session: &Session) -> Reply {
        let due = match self.due(handle).await {
            Ok(due) => due,
            Err(reply) => return *reply,
        };
        if form.value(fields::DECISION) == Some(fields::DENY) {
            return self.given_up(&due, ErrorCode::AccessDenied, "the person chose to share nothing");
        }
        // A page of before the patient was picked decides nothing.
        let Some(patient) = due.patient().filter(|_| due.needs_visit()) else {
            return self.gone_on(due.handle).await;
        };
        let now_s = self.inner.now().unix_seconds();
        let picked = match (form.value(fields::DECISION), form.value(fields::ENCOUNTER)) {
            (Some(fields::WITHOUT), None) => Some(PickedVisit::Without { patient }),
            (None, Some(id)) => self.visit(&due, patient, id).await,
            _ => None,
        };
        let is_kept =
            picked.is_some_and(|picked| self.inner.pending.pick_visit(&due.handle, &session.hash, picked, now_s));
        if !is_kept {
            let event = super::refusal_event(Some(&due.client.id));
            let reply = self.problem(ProblemWhat::NotAllowed, Sent::Refused);
            return reply.failed(event, "the visit is not one that this person may pick", "authorization");
        }
        self.gone_on(due.handle).await
    }

    /// A visit of this patient that the person may see, with what is in context there.
    async fn visit(&self, due: &Due, patient: Arc<str>, id: &str) -> Option<PickedVisit> {
        let visits = self.visits_of(due, &patient).await?;
        let id = visits.into_iter().find(|visit| *visit.id == *id)?.id;
        let (records, user) = (Arc::clone(&self.inner.records), Arc::clone(&due.user));
        let looked = tokio::task::spawn_blocking(move || {
            let around = records.around(&user, &patient, &id)?;
            let around = around.iter().filter_map(|one| FhirContext::reference(one, None).ok()).collect();
            Some(PickedVisit::Visit { patient, id, around })
        });
        looked.await.ok().flatten()
    }
}
