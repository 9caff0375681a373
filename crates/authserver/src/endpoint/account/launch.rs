//! A clinician finds a patient and opens an app for them. SPEC: SMART App Launch 2.2, EHR launch; rows B23, F16, F18.
//!
//! Whom they find is `policy`'s to say. A search, a look at one patient and the opening of an app each have their entry in
//! the log, with the patients that were shown. The browser goes to the app's registered launch URL with our FHIR base and
//! a handle ([`crate::launches`]); who the patient is, the app learns when the clinician has let it in. So with what it was
//! opened for (`intent`), and what is in context with a visit that was chosen (`fhirContext`).

use super::{LAUNCH_FORM, Reply, Visitor, next};
use crate::{
    client::Client,
    event::Event,
    outcome::page::Sent,
    page::{self, Sending, facts},
    people::session::Session,
    records::{PatientRecord, Patients, VisitRecord},
    single_use::GiveError,
};
use audit::entry::Action;
use oauth::{
    caller::{Role, User},
    ehr_launch::{LaunchIntent, LaunchUrl},
    form::Form,
    launch_context::{FhirContext, LaunchContext},
    redirect_uri::RedirectUri,
};
use pages::{
    IntentFacts, Launch, LaunchStep, Literal, OpenableApp, Opening, ProblemWhat, Secret, Text, View, fields, limits,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;

/// Characters of a search.
const FILTER_CHARS_MAX: usize = 200;

/// A patient with their visits.
struct Chart {
    patient: PatientRecord,
    visits: Vec<VisitRecord>,
}

impl Visitor<'_> {
    /// The page: the way to a patient, or what can be opened for one.
    pub(super) async fn launch_page(&self) -> Reply {
        let (session, user) = match self.clinician() {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        if let Some(patient) = self.head.query(fields::PATIENT) {
            return self.patient_opened(&session, &user, patient).await;
        }
        let filter: String =
            self.head.query(fields::FILTER).unwrap_or_default().chars().take(FILTER_CHARS_MAX).collect();
        let filter = filter.trim().to_owned();
        if filter.is_empty() {
            let step = LaunchStep::Patient { filter: None, patients: Vec::new(), has_more: false };
            return self.place(Launch { step }, Sent::Shown);
        }
        let query = format!("Patient?name={}", utf8_percent_encode(&filter, NON_ALPHANUMERIC));
        let (records, asks, words) = (Arc::clone(&self.inner.records), Arc::clone(&user), filter.clone());
        let found = tokio::task::spawn_blocking(move || records.patients(&asks, &words)).await;
        let Ok(Some(Patients { found, has_more })) = found else {
            let event = Event::looked("search-type", Some(query), &user, &[]);
            return self.unavailable("no search").failed(event, "unavailable", &Sent::Unavailable);
        };
        let ids: Vec<Arc<str>> = found.iter().map(|patient| Arc::clone(&patient.id)).collect();
        let patients = found.iter().map(|record| facts::patient(record, None)).collect();
        let step = LaunchStep::Patient { filter: Some(Text::new(&filter)), patients, has_more };
        self.place(Launch { step }, Sent::Shown).did(Event::looked("search-type", Some(query), &user, &ids))
    }

    /// The patient is chosen: their visits, and the apps.
    async fn patient_opened(&self, session: &Session, user: &Arc<User>, id: &str) -> Reply {
        let Some(Chart { patient, visits }) = self.chart(user, id).await else {
            return self.no_such_patient(user, id);
        };
        let clients: Vec<Arc<Client>> = self.inner.clients.all();
        let clients: Vec<&Arc<Client>> =
            clients.iter().filter(|client| facts::can_be_launched(client)).take(limits::ROWS_MAX).collect();
        let step = LaunchStep::App {
            csrf: Secret::new(self.inner.people.csrf(&session.hash, LAUNCH_FORM)),
            patient: facts::patient(&patient, None),
            encounters: visits.iter().map(facts::visit).collect(),
            apps: clients.iter().map(|client| self.openable(client)).collect(),
        };
        // Browsers hold what follows the form against the page's policy: the app, us again, and the app (row A18).
        let leads = clients.iter().flat_map(|client| {
            client.launch_url.as_deref().into_iter().chain(client.redirect_uris.iter().map(RedirectUri::as_str))
        });
        let sending = Sending {
            view: View::from(Launch { step }),
            sent: Sent::Shown,
            session: Some(session),
            has_places: true,
            redirect_uris: &leads.collect::<Vec<_>>(),
            cookies: Vec::new(),
        };
        let reply = Reply::of(self.inner.page(&self.head, sending));
        reply.did(Event::looked("read", None, user, &[patient.id]))
    }

    /// The form: opens an app.
    pub(super) async fn launched(&self, form: &Form) -> Reply {
        let (session, user) = match self.clinician() {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let id = form.value(fields::PATIENT).unwrap_or_default();
        let Some(Chart { patient, visits }) = self.chart(&user, id).await else {
            return self.no_such_patient(&user, id);
        };
        let opening = form.value(fields::CLIENT).map(Opening::of);
        let client = opening.and_then(|opening| self.inner.clients.client(opening.client));
        let client = client.filter(|client| facts::can_be_launched(client));
        let intent = opening.and_then(|opening| opening.intent);
        let is_offered =
            |client: &Arc<Client>| intent.is_none_or(|word| client.intents.iter().any(|one| one.word() == word));
        let client = client.filter(is_offered);
        let visit = form.value(fields::ENCOUNTER).filter(|id| !id.is_empty());
        let visit = visit.map(|id| visits.iter().find(|visit| *visit.id == *id));
        let (Some(client), Some(visit)) = (client, visit.map_or(Some(None), |found| found.map(Some))) else {
            return self.problem(ProblemWhat::WrongRequest, Sent::NotTaken);
        };
        let Some(url) = client.launch_url.as_deref().and_then(|url| LaunchUrl::register(url).ok()) else {
            return self.problem(ProblemWhat::WrongRequest, Sent::NotTaken);
        };
        let mut event = self.event("app-opened", Action::Execute, &user.id);
        event.detail("client_id", &client.id);
        event.about(&[Arc::clone(&patient.id)]);
        let mut around = Vec::new();
        if let Some(visit) = visit {
            event.detail("encounter", &visit.id);
            let Some(found) = self.around(&user, &patient.id, &visit.id).await else {
                return self.unavailable("no look around a visit").failed(event, "unavailable", &Sent::Unavailable);
            };
            around = found;
        }
        if let Some(intent) = intent {
            event.detail("intent", intent);
        }
        for reference in &around {
            event.detail("context", reference);
        }
        let context = LaunchContext {
            patient: Some(patient.id),
            encounter: visit.map(|visit| Arc::clone(&visit.id)),
            intent: intent.map(Into::into),
            fhir_context: around.iter().filter_map(|one| FhirContext::reference(one, None).ok()).collect(),
            // The app has the whole window: nobody else says whose record it shows.
            need_patient_banner: Some(true),
            smart_style_url: Some(self.style_of_apps()),
            ..LaunchContext::default()
        };
        let (inner, now_s) = (Arc::clone(self.inner), self.inner.now().unix_seconds());
        let given = tokio::task::spawn_blocking(move || inner.launches.give(&context, &client.id, &session, now_s));
        let why = match given.await {
            Ok(Ok(handle)) => {
                let url = url.opening(&self.inner.endpoints.fhir_base, &handle);
                return Reply::of(page::to_client(&url)).did(event);
            }
            Ok(Err(GiveError::Unavailable(why))) => why,
            Ok(Err(GiveError::Full)) => "too many launches are under way".to_owned(),
            Err(why) => why.to_string(),
        };
        self.unavailable(&why).failed(event, "unavailable", &Sent::Unavailable)
    }

    /// Another URL when the content is another (row B50).
    fn style_of_apps(&self) -> Arc<str> {
        let style = pages::assets::STYLE_OF_APPS;
        format!("{}{}?v={}", self.inner.endpoints.issuer, style.path, style.version).into()
    }

    /// An app with what it can be opened for.
    fn openable(&self, client: &Client) -> OpenableApp {
        let intent = |intent: &LaunchIntent| IntentFacts { word: intent.word().into(), name: intent.name().into() };
        OpenableApp {
            id: Literal::from(&*client.id),
            app: self.inner.app_facts(client),
            intents: client.intents.iter().map(intent).collect(),
        }
    }

    async fn around(&self, user: &Arc<User>, patient: &Arc<str>, visit: &Arc<str>) -> Option<Vec<Arc<str>>> {
        let (records, user) = (Arc::clone(&self.inner.records), Arc::clone(user));
        let (patient, visit) = (Arc::clone(patient), Arc::clone(visit));
        tokio::task::spawn_blocking(move || records.around(&user, &patient, &visit)).await.ok().flatten()
    }

    async fn chart(&self, user: &Arc<User>, id: &str) -> Option<Chart> {
        let (records, user, id) = (Arc::clone(&self.inner.records), Arc::clone(user), id.to_owned());
        let looked = tokio::task::spawn_blocking(move || {
            let patient = records.patient(&user, &id)?;
            Some(Chart { visits: records.visits(&user, &id)?, patient })
        });
        looked.await.ok().flatten()
    }

    /// Absent and hidden are one (invariant 5); that it was asked for is recorded.
    fn no_such_patient(&self, user: &User, id: &str) -> Reply {
        let event = Event::looked("read", None, user, &[id.into()]);
        self.problem(ProblemWhat::NotFound, Sent::NotFound).failed(event, "no such patient", &Sent::NotFound)
    }

    /// The page is for clinicians alone.
    fn clinician(&self) -> Result<(Arc<Session>, Arc<User>), Box<Reply>> {
        let (session, user) = self.who(next::TO_LAUNCH)?;
        if user.role == Role::Clinician {
            return Ok((session, user));
        }
        let event = self.event("app-opened", Action::Execute, &user.id);
        let reply = self.problem(ProblemWhat::NotAllowed, Sent::Refused);
        Err(Box::new(reply.failed(event, "not a clinician", &Sent::Refused)))
    }
}

#[cfg(test)]
mod tests;
