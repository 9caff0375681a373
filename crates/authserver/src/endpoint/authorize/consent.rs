//! What the app may have: the consent page, its form, and the code that comes of it. SPEC: SMART App Launch 2.2; rows B22,
//! B27, B28, B57, B59, E2, E3.
//!
//! What was not on the page cannot be granted: the form's scopes are held against the offer, which is made anew from the
//! registration. When no page is needed: `remembered`.

use super::{Reply, Visitor, going_on::Due, pending::PickedVisit, way_back};
use crate::{
    codes::Code, event::Event, families::Lasting, limits, outcome::page::Sent, page::facts, people::session::Session,
    single_use::GiveError,
};
use audit::entry::{Action, Person};
use oauth::{
    caller::Role,
    error::ErrorCode,
    form::Form,
    launch_context::LaunchContext,
    scope::{narrow::Granted, offer::Line, request::Special},
};
use pages::{
    AppFacts, Consent, Lasts, PatientFacts, ProblemWhat, Secret, Text, fields, paths,
    words::{self, Ask, UserReach},
};
use std::sync::Arc;

const DAY_S: i64 = 24 * 3600;

impl Visitor<'_> {
    /// The page; `was_empty`: nothing was chosen the time before.
    pub(super) async fn consent_page(&self, due: &Due, was_empty: bool) -> Reply {
        let patient = match due.patient().filter(|_| due.needs_patient()) {
            None => None,
            Some(id) => match self.patient_facts(due, &id).await {
                Some(facts) => Some(facts),
                // The account or the launch names a record that is not there for this person.
                None => return self.given_up(due, ErrorCode::AccessDenied, "the patient's record is not there"),
            },
        };
        let shown: Vec<Arc<str>> = patient.iter().map(|patient| patient.id.as_str().into()).collect();
        let view = self.view(due, patient, was_empty);
        let sent = if was_empty { Sent::NotTaken } else { Sent::Shown };
        let reply = self.page(view, sent, &[due.request().redirect.as_str()]);
        if shown.is_empty() { reply } else { reply.did(Event::looked("read", None, &due.user, &shown)) }
    }

    fn view(&self, due: &Due, patient: Option<PatientFacts>, was_empty: bool) -> Consent {
        let client = &due.client;
        let lasts = lasts(due);
        Consent {
            csrf: Secret::new(self.inner.people.csrf(&due.session.hash, paths::CONSENT)),
            continuation: Secret::new(due.handle.clone()),
            app: AppFacts {
                // Where this answer goes, which may be another one of its addresses.
                returns_to: Some(Text::new(facts::host(due.request().redirect.as_str()))),
                ..self.inner.app_facts(client)
            },
            patient,
            asks: asks(due),
            reach: reach(due),
            lasts_chosen: lasts.get(1).or(lasts.first()).copied().unwrap_or(Lasts::Now),
            lasts,
            was_empty,
            vouched: due.waiting.vouching.as_ref().map(|from| (Text::new(&from.place), Text::new(&from.community))),
        }
    }

    /// The form: what the person decided.
    pub(super) async fn consented(&self, handle: String, form: &Form, session: &Session) -> Reply {
        let due = match self.due(handle).await {
            Ok(due) => due,
            Err(reply) => return *reply,
        };
        match form.value(fields::DECISION) {
            Some(fields::DENY) => return self.given_up(&due, ErrorCode::AccessDenied, "the person said no"),
            Some(fields::SHARE) => {}
            _ => return self.problem(ProblemWhat::WrongRequest, Sent::NotTaken),
        }
        // A page of before the patient or the visit was picked decides nothing.
        let lacks_patient = due.needs_patient() && due.patient().is_none();
        let lacks_visit = due.needs_visit() && due.visit().is_none();
        if due.waiting.session != Some(session.hash) || lacks_patient || lacks_visit {
            return self.gone_on(due.handle).await;
        }
        let lasts = Lasts::among(&lasts(&due), form.value(fields::LASTS).unwrap_or_default());
        let granted = lasts.and_then(|lasts| Some((lasts, chosen(&due, form, lasts)?)));
        let Some((lasts, granted)) = granted else {
            return self.problem(ProblemWhat::WrongRequest, Sent::NotTaken);
        };
        let tells_who = ["openid", "fhirUser", "profile"].iter().any(|text| granted.has(text));
        if granted.is_empty() && !tells_who {
            return self.consent_page(&due, true).await;
        }
        self.code_given(&due, lasts, &granted, false).await
    }

    /// A code without asking: the person agreed to the same before ([`Visitor::remembered`]).
    pub(super) async fn let_in_again(&self, due: &Due, granted: &Granted) -> Reply {
        self.code_given(due, Lasts::Now, granted, true).await
    }

    /// A code for what was granted; of several forms for one request the first has it.
    async fn code_given(&self, due: &Due, lasts: Lasts, granted: &Granted, is_remembered: bool) -> Reply {
        let inner = Arc::clone(self.inner);
        let now_s = inner.now().unix_seconds();
        if inner.pending.take(&due.handle).is_none() {
            return self.problem(ProblemWhat::Expired, Sent::NotFound);
        }
        let patient = due.patient().filter(|_| due.needs_patient() || due.waiting.launched.is_some());
        let code = kept(due, lasts, granted, patient.clone(), now_s);
        let mut event = Event::new("authorization-granted", Action::Execute);
        event.person = Some(Person::of(&due.user));
        event.detail("client_id", &due.client.id);
        event.detail("granted", &granted.text);
        event.detail("lasts", &lasts.value());
        if is_remembered {
            event.detail("remembered", "yes");
        }
        if let Some(idp) = &due.request().idp {
            event.detail("idp", idp);
        }
        event.about(patient.as_slice());
        let kept = code.to_kept();
        match tokio::task::spawn_blocking(move || inner.codes.give(&kept, now_s)).await {
            Ok(Ok(code)) => way_back::granted(self.inner, due.request(), &code).did(event),
            failed => {
                let why = match failed {
                    Ok(Err(GiveError::Unavailable(why))) => why,
                    Ok(_) => "too many codes are out".into(),
                    Err(why) => why.to_string(),
                };
                tracing::error!(why, "no code could be given out");
                self.given_up(due, ErrorCode::TemporarilyUnavailable, "the server cannot do this at the moment")
            }
        }
    }
}

/// The choices of how long. An app that asks for nothing beyond has one.
fn lasts(due: &Due) -> Vec<Lasts> {
    let mut lasts = vec![Lasts::Now];
    if due.offer.has(&Special::OfflineAccess) {
        lasts.extend(limits::OFFLINE_DAYS.map(Lasts::Days));
    }
    lasts
}

fn reach(due: &Due) -> UserReach {
    match (due.user.role, &*due.own) {
        (Role::Patient, _) | (Role::Caregiver, [_]) => UserReach::OneRecord,
        _ => UserReach::Records,
    }
}

/// What is on the page: each scope, and the finer ones that can be chosen in its place (row B27).
fn asks(due: &Due) -> Vec<Ask> {
    let ask = |scope| Ask { scope, on: None };
    let mut asks = Vec::new();
    for line in due.offer.lines() {
        match line {
            Line::Resource(offered) => {
                asks.push(ask(facts::scope(&offered.scope)));
                asks.extend(offered.parts.iter().map(|part| ask(facts::scope(part))));
            }
            Line::Special(text, Special::OpenId | Special::FhirUser | Special::Profile) => {
                asks.push(ask(words::Scope::special(text)));
            }
            Line::Special(..) => {}
        }
    }
    asks
}

/// What the form grants; `None` when it names what was not on the page.
fn chosen(due: &Due, form: &Form, lasts: Lasts) -> Option<Granted> {
    let asks = asks(due);
    let groups: Vec<&str> = form.values(fields::GROUP).collect();
    let scopes: Vec<&str> = form.values(fields::SCOPE).collect();
    if scopes.iter().any(|text| !asks.iter().any(|ask| ask.scope.exact() == *text)) {
        return None;
    }
    let on = words::chosen(&asks, reach(due), &groups, &scopes);
    let mut texts: Vec<&str> = on.iter().map(|ask| ask.scope.exact()).collect();
    // How long is its own choice.
    for line in due.offer.lines() {
        match line {
            Line::Special(text, Special::OfflineAccess) if lasts != Lasts::Now => texts.push(text),
            Line::Special(text, Special::OnlineAccess) if lasts == Lasts::Now => texts.push(text),
            _ => {}
        }
    }
    // `openid` goes with what it is needed for, and by itself when it was chosen.
    let tells_who = texts.iter().any(|text| matches!(*text, "openid" | "fhirUser" | "profile"));
    let granted = due.offer.choose(texts).ok()?;
    if tells_who {
        return Some(granted);
    }
    let left: Vec<&str> = granted.text.split(' ').filter(|text| *text != "openid").collect();
    Some(Granted { text: left.join(" ").into(), ..granted })
}

fn kept(due: &Due, lasts: Lasts, granted: &Granted, patient: Option<Arc<str>>, now_s: i64) -> Code {
    let request = due.request();
    let (lasting, ends_s) = match lasts {
        Lasts::Days(days) => (Lasting::Offline, now_s + i64::from(days) * DAY_S),
        Lasts::Now if granted.has("online_access") => {
            (Lasting::Session(due.session.name().into()), now_s + limits::people::SESSION_LIFE_S)
        }
        // A code's life more than the token's: it is redeemed within that.
        Lasts::Now | Lasts::UntilEnded => (Lasting::Once, now_s + limits::TOKEN_LIFE_S + oauth::limits::CODE_LIFE_S),
    };
    Code {
        client_id: Arc::clone(&due.client.id),
        redirect_uri: request.redirect.as_str().into(),
        names_redirect: request.names_redirect,
        challenge: request.challenge,
        dpop_key: request.dpop_jkt,
        user: Arc::clone(&due.user.id),
        signed_in_s: due.session.authenticated_at_s,
        methods: due.session.amr().into_iter().map(Arc::from).collect(),
        scope_text: Arc::clone(&granted.text),
        launch: Arc::new(match &due.waiting.launched {
            Some(launched) => launched.context.clone(),
            None => match due.visit() {
                Some(PickedVisit::Visit { id, around, .. }) if due.needs_visit() => LaunchContext {
                    patient,
                    encounter: Some(Arc::clone(id)),
                    fhir_context: around.clone(),
                    ..LaunchContext::default()
                },
                _ => LaunchContext { patient, ..LaunchContext::default() },
            },
        }),
        nonce: request.nonce.as_deref().map(Arc::from),
        lasting,
        ends_s,
        was_pushed: due.waiting.was_pushed,
    }
}
