//! The authorization endpoint: an app asks, a person signs in, picks a patient, and says what the app may have. SPEC: RFC
//! 6749 section 4.1, RFC 9126, RFC 9207; SMART App Launch 2.2; OpenID Connect Core section 3.1.2; rows A17, A18, B16 to
//! B28, F61.
//!
//! A request is checked when it comes, put aside, and known by a handle from then on: the browser goes on with
//! `/oauth/authorize?continuation=HANDLE`, which shows whatever is due. A posted request comes from another site, so the
//! session's cookie is not with it; that is why each one, posted or not, goes on with a redirect to ourselves.
//!
//! `going_on`: what is due. `consent`, `patient`, `visit`: their pages and forms; `remembered`: when no page is needed. `pending`:
//! what waits. `way_back`: the redirect to the app. `pushed`: requests that were left here before.

mod consent;
mod going_on;
mod patient;
pub(crate) mod pending;
pub(crate) mod pushed;
mod remembered;
mod visit;
mod way_back;

use crate::{
    client::{Client, Udap},
    door,
    event::Event,
    outcome::{Refusal, page::Sent},
    page::{self, Head, Sending},
    people::session::Session,
    rate::{Limited, address_key},
    service::Inner,
    udap,
};
use audit::{
    Audited,
    entry::{Action, Outcome},
};
use bytes::Bytes;
use http::{Method, Request, Response};
use oauth::{
    authorization_request::{AuthorizationRequest, ClientRules, Local, Refused, UdapRules, Unchecked, Way},
    fapi2::Profile,
};
use pages::{Problem, ProblemWhat, View, fields, paths};
use pending::Waiting;
use std::{net::IpAddr, sync::Arc};

/// Where apps send people.
pub(crate) const PATH: &str = "/oauth/authorize";

/// Whether a path is answered here.
pub(crate) fn owns(path: &str) -> bool {
    [PATH, paths::PATIENT, paths::VISIT, paths::CONSENT].contains(&path)
}

/// Somebody at a browser.
struct Visitor<'a> {
    inner: &'a Arc<Inner>,
    address: IpAddr,
    head: Head,
    /// Signed in, with all that their account asks for.
    session: Option<Arc<Session>>,
}

/// An answer, and what happened.
struct Reply {
    response: Response<Bytes>,
    happened: Option<(Event, Outcome, Option<&'static str>)>,
}

impl Reply {
    /// An answer to what changed nothing and told nothing.
    fn of(response: Response<Bytes>) -> Self {
        Self { response, happened: None }
    }

    /// With this event, which went well.
    fn did(self, event: Event) -> Self {
        Self { happened: Some((event, Outcome::Success, None)), ..self }
    }

    /// With this event, which did not.
    fn failed(self, mut event: Event, why: &str, word: &'static str) -> Self {
        event.reason = Some(why.to_owned());
        let is_fault = self.response.status().is_server_error();
        let outcome = if is_fault { Outcome::SeriousFailure } else { Outcome::MinorFailure };
        Self { happened: Some((event, outcome, Some(word))), ..self }
    }
}

/// Answers a request of a path that [`owns`] says yes to.
pub(crate) async fn answer(inner: &Arc<Inner>, address: IpAddr, request: Request<Bytes>) -> Audited<Response<Bytes>> {
    let mut head = Head::of(&request);
    if let Some(waiting) = super::account::waiting(inner, &head, &request) {
        head.wish(waiting.ui_locales.as_deref());
    }
    let session = inner.people.session_of(&head.headers);
    let visitor = Visitor { inner, address, head, session };
    let reply = visitor.answered(&request).await;
    drop(inner.sweep_when_due());
    inner.told_of(reply.response, reply.happened, address)
}

impl Visitor<'_> {
    /// By path and method.
    async fn answered(&self, request: &Request<Bytes>) -> Reply {
        let path = request.uri().path();
        let is_get = *request.method() == Method::GET;
        if !is_get && *request.method() != Method::POST {
            return self.problem(ProblemWhat::NotFound, Sent::Method("GET, POST"));
        }
        if let Err(limited) = self.inner.address_rate.take(address_key(self.address), self.inner.now().unix_millis()) {
            return self.too_many(limited);
        }
        let handle = self.head.query(fields::CONTINUATION).map(str::to_owned);
        match (path, is_get, handle) {
            (PATH, true, None) => self.begun(request.uri().query().unwrap_or_default().as_bytes().to_vec()).await,
            (_, true, Some(handle)) => self.gone_on(handle).await,
            (_, true, None) => self.problem(ProblemWhat::Expired, Sent::NotFound),
            (PATH, false, _) => match door::read_choices(request) {
                Ok(_) => self.begun(request.body().to_vec()).await,
                Err(refusal) => self.unreadable(refusal),
            },
            (path, false, _) => match door::read_choices(request) {
                Ok(form) => self.posted(path, &form).await,
                Err(refusal) => self.unreadable(refusal),
            },
        }
    }

    /// A request of an app, as it came.
    async fn begun(&self, bytes: Vec<u8>) -> Reply {
        let inner = self.inner;
        match self.checked(bytes).await {
            Ok((request, was_pushed, length)) => {
                let waiting = Waiting::new(request, was_pushed, inner.now().unix_seconds());
                match inner.pending.put(waiting, length, address_key(self.address)) {
                    Some(handle) => Reply::of(page::see_other(continued(&handle), Vec::new())),
                    None => self.problem(ProblemWhat::Unavailable, Sent::Unavailable),
                }
            }
            Err((client_id, Refused::Redirected(refused))) => {
                let event = refusal_event(client_id.as_deref());
                let why = format!("{}: {}", refused.code, refused.description);
                way_back::refused(inner, &refused).failed(event, &why, "authorization")
            }
            Err((client_id, Refused::Local(why))) => {
                let what = match why {
                    Local::UnknownClient | Local::NoClientId => ProblemWhat::UnknownApp,
                    Local::RedirectUri | Local::NoRedirectUri => ProblemWhat::WrongReturnAddress,
                    Local::RequestUri => ProblemWhat::Expired,
                    Local::TooLong | Local::Form(_) | Local::Repeated(_) => ProblemWhat::WrongRequest,
                };
                let event = refusal_event(client_id.as_deref());
                self.problem(what, Sent::NotTaken).failed(event, &why.to_string(), "authorization")
            }
        }
    }

    /// The request, when it keeps all rules; else who it says it is from, and why not.
    async fn checked(&self, bytes: Vec<u8>) -> Result<(AuthorizationRequest, bool, usize), (Option<String>, Refused)> {
        let inner = self.inner;
        let unchecked = Unchecked::parse(&bytes).map_err(|why| (None, why.into()))?;
        let named = Some(unchecked.client_id().to_owned());
        let local = |why: Local| (named.clone(), Refused::Local(why));
        // Whoever has no client gets the same page, whatever else is wrong.
        let client = inner.clients.client(unchecked.client_id()).filter(|client| client.works());
        let client = client.ok_or_else(|| local(Local::UnknownClient))?;
        let handle = unchecked.request_uri().and_then(oauth::pushed_authorization::handle).map(str::to_owned);
        let (unchecked, way, length) = match handle {
            None => (unchecked, Way::Browser, bytes.len()),
            Some(handle) => {
                let kept = pushed::taken(inner, handle, &client.id).await.ok_or_else(|| local(Local::RequestUri))?;
                (Unchecked::parse(kept.as_bytes()).map_err(local)?, Way::Pushed, kept.len())
            }
        };
        let request =
            unchecked.check(&rules(inner, &client), way, &inner.endpoints.fhir_base).map_err(|why| (named, why))?;
        Ok((request, way == Way::Pushed, length))
    }

    /// A form of ours, sent by the person.
    async fn posted(&self, path: &str, form: &oauth::form::Form) -> Reply {
        let people = &self.inner.people;
        let handle = form.value(fields::CONTINUATION).unwrap_or_default().to_owned();
        let Some(session) = self.session.clone() else {
            // It ended while the page was open.
            return Reply::of(page::see_other(sign_in(&handle), Vec::new()));
        };
        let is_ours = people.is_from_our_page(&self.head.headers)
            && people.is_csrf(&session.hash, path, form.value(fields::CSRF));
        if !is_ours {
            let mut event = Event::new("form-refused", Action::Execute);
            event.detail("form", path);
            let reply = self.problem(ProblemWhat::FormExpired, Sent::Refused);
            return reply.failed(event, "the form is not from a page of ours for this browser", "sign-in");
        }
        match path {
            paths::PATIENT => self.patient_picked(handle, form, &session).await,
            paths::VISIT => self.visit_picked(handle, form, &session).await,
            _ => self.consented(handle, form, &session).await,
        }
    }

    fn unreadable(&self, refusal: Refusal) -> Reply {
        let sent = match refusal {
            Refusal::TooLarge => Sent::TooLarge,
            Refusal::MediaType => Sent::MediaType,
            _ => Sent::NotTaken,
        };
        self.problem(ProblemWhat::WrongRequest, sent)
    }

    /// Too many: told each time, recorded once (row F66).
    fn too_many(&self, limited: Limited) -> Reply {
        let minutes = u32::try_from(limited.retry_after_s.div_ceil(60)).unwrap_or(u32::MAX).max(1);
        let reply = self.problem(ProblemWhat::TooMany(minutes), Sent::TooMany(limited.retry_after_s));
        let why = "too many requests from this address";
        if limited.first { reply.failed(refusal_event(None), why, "throttled") } else { reply }
    }

    fn problem(&self, what: ProblemWhat, sent: Sent) -> Reply {
        self.page(Problem { what, reference: None }, sent, &[])
    }

    /// A page in the middle of something; `redirect_uris`: where its form leads in the end.
    fn page(&self, view: impl Into<View>, sent: Sent, redirect_uris: &[&str]) -> Reply {
        let session = self.session.as_deref();
        let sending =
            Sending { view: view.into(), sent, session, has_places: false, redirect_uris, cookies: Vec::new() };
        Reply::of(self.inner.page(&self.head, sending))
    }
}

/// The event of a request that gets nothing.
fn refusal_event(client_id: Option<&str>) -> Event {
    let mut event = Event::new("authorization-refused", Action::Execute);
    if let Some(client_id) = client_id {
        event.detail("client_id", client_id);
    }
    event
}

/// What the client's registration says.
pub(super) fn rules<'a>(inner: &Inner, client: &'a Client) -> ClientRules<'a> {
    // Row D24: where a community is gone, so is its leave to do without.
    let is_stu1 = |udap: &Udap| {
        inner
            .communities
            .get(&udap.community)
            .is_some_and(|community| community.profile == udap::community::Profile::Stu1)
    };
    ClientRules {
        redirect_uris: &client.redirect_uris,
        may_use_codes: client.is_app() && client.is_approved(),
        requires_pushed: client.requires_pushed,
        profile: if client.is_fapi2 { Profile::Fapi2 } else { Profile::Smart },
        udap: client
            .kind
            .udap()
            .map(|udap| UdapRules { requires_challenge: !is_stu1(udap), is_tiered: inner.is_tiered(client) }),
    }
}

/// Where a request goes on.
fn continued(handle: &str) -> String {
    format!("{PATH}?{}={handle}", fields::CONTINUATION)
}

/// The sign-in page, with the request behind it.
fn sign_in(handle: &str) -> String {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if handle.bytes().all(legal) {
        format!("{}?{}={handle}", paths::SIGN_IN, fields::CONTINUATION)
    } else {
        paths::SIGN_IN.to_owned()
    }
}

#[cfg(test)]
mod tests;
