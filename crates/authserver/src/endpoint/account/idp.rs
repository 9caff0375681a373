//! Off to the identity provider that an app named, and back from it. SPEC: HL7 FHIR UDAP Security 2.0 section 6; UDAP Tiered
//! OAuth; rows D35 to D38.
//!
//! A page says where one is sent and who vouches for that place, and one goes by its link: what counts is begun on a page of
//! ours, in this browser. What goes wrong is told to the app, as the standard asks: `invalid_idp` when the place is not
//! trusted or does not say who the person is, `access_denied` when it or the person said no, or when nobody here is bound
//! to who it vouches for; `server_error` when the answer's state is not the one that was sent. Left out: offering another
//! provider in place of `invalid_idp`.

use super::{Reply, Visitor, next};
use crate::{
    endpoint::authorize::pending::Vouching,
    event::Event,
    outcome::page::Sent,
    page,
    people::{
        cookie,
        outside::{Errand, Errant},
        sign_in::{SignInError, Step},
    },
    rate::address_key,
    udap::{
        idps::{Ready, TieredError},
        trust::Distrust,
    },
};
use audit::entry::Action;
use http::{HeaderValue, header};
use oauth::{
    authorization_request::AuthorizationRequest,
    authorization_response,
    error::ErrorCode,
    openid_provider::{Person, ProviderError},
    secret::Secret,
    udap::tiered::IdpError,
};
use pages::{ProblemWhat, SentBack, SentOn, Text, fields, paths};
use std::sync::Arc;

/// A request that waits for somebody to come by a provider.
struct Due {
    handle: String,
    request: Arc<AuthorizationRequest>,
    /// The provider's base URL.
    idp: String,
}

/// What an app is told.
struct Told(ErrorCode, &'static str);

const NOT_TRUSTED: Told =
    Told(ErrorCode::InvalidIdp, "the identity provider is not trusted here or cannot be used now");
const NOT_SAID: Told = Told(ErrorCode::InvalidIdp, "the identity provider did not say who the person is");
const WRONG_STATE: Told = Told(ErrorCode::ServerError, "the identity provider's answer has no state or a wrong one");
const SAID_NO: Told = Told(ErrorCode::AccessDenied, "the identity provider or the person said no");
const NOBODY: Told = Told(ErrorCode::AccessDenied, "nobody here is known by this identity provider");
const BUSY: Told = Told(ErrorCode::TemporarilyUnavailable, "the server cannot do this at the moment");

impl Visitor<'_> {
    fn due_at_idp(&self, handle: Option<&str>) -> Option<Due> {
        let handle = next::handle(handle)?.to_owned();
        let request = self.inner.pending.request(&handle, self.inner.now().unix_seconds())?;
        let idp = request.idp.clone()?;
        Some(Due { handle, request, idp })
    }

    /// The provider, when it can be gone to; else what is answered.
    async fn ready_idp(&self, due: &Due) -> Result<Ready, Reply> {
        if let Err(limited) = self.inner.address_rate.take(address_key(self.address), self.inner.now().unix_millis()) {
            return Err(self.too_many(limited, failed(due)));
        }
        self.inner.idp(&due.idp).await.map_err(|why| {
            let (told, why, event) = self.not_by_idp(due, &why, NOT_TRUSTED);
            self.to_app_in_vain(due, told, &why, event)
        })
    }

    /// The page before one goes.
    pub(super) async fn idp_page(&self) -> Reply {
        let Some(due) = self.due_at_idp(self.head.query(fields::CONTINUATION)) else {
            return self.problem(ProblemWhat::Expired, Sent::NotFound);
        };
        let ready = match self.ready_idp(&due).await {
            Ok(ready) => ready,
            Err(reply) => return reply,
        };
        let client = self.inner.clients.client(&due.request.client_id);
        let (_, cookies) = self.csrf(super::SIGN_IN_FORM);
        let view = SentOn {
            continuation: pages::Secret::new(due.handle),
            app: client.map(|client| Text::new(&client.name)).unwrap_or_default(),
            place: Text::new(place(&due.idp)),
            community: Text::new(&ready.community.name),
        };
        self.page(view, Sent::Shown, cookies)
    }

    /// Off to the provider.
    pub(super) async fn go_to_idp(&self) -> Reply {
        let Some(due) = self.due_at_idp(self.head.query(fields::CONTINUATION)) else {
            return self.problem(ProblemWhat::Expired, Sent::NotFound);
        };
        let people = &self.inner.people;
        let browser = people.browser_of(&self.head.headers);
        let Some(browser) = browser.filter(|_| people.is_from_our_page(&self.head.headers)) else {
            // Not from our page, which would have made a cookie: begin there.
            return self.on(next::with_handle(paths::IDP, Some(&due.handle)), Vec::new());
        };
        let ready = match self.ready_idp(&due).await {
            Ok(ready) => ready,
            Err(reply) => return reply,
        };
        let Some((begun, cookie)) = people.go_outside(&browser, Errand::Tiered, Some(&due.handle), &due.idp) else {
            return self.unavailable("no randomness");
        };
        self.inner.pending.sent_to_idp(&due.handle, self.inner.now().unix_seconds());
        let to = self.inner.idps.url(&ready, &begun, max_age_s(&due.request));
        let mut event = Event::new("sign-in-begun", Action::Execute);
        tell(&mut event, &due);
        event.detail("community", &ready.community.uri);
        event.detail("client_id_there", &ready.client_id);
        Reply::of(page::see_other(to, cookie.into_iter().collect())).did(event)
    }

    /// Back from the provider; `query` is the URL's.
    pub(super) async fn back_from_idp(&self, query: &str) -> Reply {
        let now = self.inner.now();
        if let Err(limited) = self.inner.address_rate.take(address_key(self.address), now.unix_millis()) {
            return self.too_many(limited, Event::new("sign-in-failed", Action::Execute));
        }
        let due = self.due_at_idp(cookie::value(&self.head.headers, cookie::OUTSIDE));
        let due = due.filter(|due| self.inner.pending.was_sent_to_idp(&due.handle, now.unix_seconds()));
        let Some(due) = due else {
            return self.problem(ProblemWhat::Expired, Sent::NotFound);
        };
        let state = self.head.query("state").unwrap_or_default();
        let errant = self.inner.people.back_from_outside(&self.head.headers, state, &due.idp);
        let errant = errant.filter(|errant| errant.errand == Errand::Tiered);
        let Some(Errant { begun, away_s, .. }) = errant else {
            let why = "identity provider: the state is not one of this browser, or was used, or has ended";
            return self.back_in_vain(&due, WRONG_STATE, why, failed(&due));
        };
        // They proved it after they left, or as long before as the app allows.
        let away_s = u32::try_from(away_s).unwrap_or(u32::MAX);
        let max_age_s = max_age_s(&due.request).map(|most_s| most_s.saturating_add(away_s));
        match self.inner.person_of_idp(&begun, query.as_bytes(), max_age_s).await {
            Ok((person, ready)) => self.vouched_for_by_idp(&due, person, &ready).await,
            Err(why @ TieredError::UnknownClient)
                if self.inner.pending.begins_anew(&due.handle, now.unix_seconds()) =>
            {
                let again = self.on(next::with_handle(paths::IDP, Some(&due.handle)), Vec::new());
                again.failed(failed(&due), &why.to_string(), &Sent::Refused)
            }
            Err(why) => {
                let told = match &why {
                    TieredError::Idp(IdpError::Provider(ProviderError::Refused)) => SAID_NO,
                    TieredError::Idp(IdpError::Provider(ProviderError::State)) => WRONG_STATE,
                    _ => NOT_SAID,
                };
                let (told, why, event) = self.not_by_idp(&due, &why, told);
                self.back_in_vain(&due, told, &why, event)
            }
        }
    }

    async fn vouched_for_by_idp(&self, due: &Due, person: Person, ready: &Ready) -> Reply {
        let mut event = failed(due);
        event.detail("community", &ready.community.uri);
        event.detail("subject", &person.subject);
        let vouched = |account: &Arc<str>| {
            let vouching = Vouching {
                account: Arc::clone(account),
                place: place(&due.idp).into(),
                community: ready.community.name.as_str().into(),
            };
            self.inner.pending.vouched(&due.handle, vouching, self.inner.now().unix_seconds());
        };
        let (subject, handle) = (person.subject.clone(), Some(due.handle.as_str()));
        match self.inner.people.by_outside(self.asking(), person).await {
            Ok(Step::In(mut begun)) => {
                vouched(&begun.session.account);
                begun.cookies.extend(cookie::gone(cookie::OUTSIDE));
                let mut event = self.event("sign-in", Action::Execute, &begun.session.account);
                event.detail("session", &begun.session.name());
                for method in &begun.session.methods {
                    event.detail("method", method.as_str());
                }
                tell(&mut event, due);
                event.detail("community", &ready.community.uri);
                event.detail("subject", &subject);
                if begun.session.is_complete {
                    return self.back_here(due, begun.cookies).did(event);
                }
                self.on(next::after(self.inner, &begun.session, handle), begun.cookies).did(event)
            }
            Ok(Step::SecondFactor { account, cookie }) => {
                vouched(&account);
                let mut event = self.event("sign-in-begun", Action::Execute, &account);
                tell(&mut event, due);
                event.detail("community", &ready.community.uri);
                let cookies = cookie.into_iter().chain(cookie::gone(cookie::OUTSIDE)).collect();
                self.on(next::with_handle(paths::SECOND_FACTOR, handle), cookies).did(event)
            }
            Err(SignInError::Wrong(why, account)) => {
                if let Some(account) = account {
                    event.detail("user", &account);
                }
                self.back_in_vain(due, NOBODY, &why, event)
            }
            Err(SignInError::Unavailable(why)) => {
                tracing::error!(why, "nobody can be signed in");
                self.back_in_vain(due, BUSY, "unavailable", event)
            }
            Err(SignInError::TooMany(_) | SignInError::Busy | SignInError::Expired) => {
                self.back_in_vain(due, BUSY, "too many at once", event)
            }
        }
    }

    /// Nobody comes by this provider; what the app is told is `otherwise`, unless it is our own fault.
    fn not_by_idp(&self, due: &Due, why: &TieredError, otherwise: Told) -> (Told, String, Event) {
        let mut event = failed(due);
        let told = match why {
            TieredError::Busy | TieredError::Distrust(Distrust::Busy) => BUSY,
            TieredError::Own(why) => {
                tracing::error!(why, "no identity provider can be used");
                BUSY
            }
            TieredError::Distrust(why) => {
                event.detail("distrust", why.word());
                otherwise
            }
            TieredError::Unsaid(_) => {
                tracing::warn!(%why, idp = due.idp, "people cannot sign in at an identity provider");
                otherwise
            }
            _ => otherwise,
        };
        (told, why.to_string(), event)
    }

    /// Back here, and on by itself. Not by a redirect: the other organization's page, whose form led here, need not let its
    /// form lead to the app.
    fn back_here(&self, due: &Due, cookies: Vec<HeaderValue>) -> Reply {
        let view = SentBack { continuation: pages::Secret::new(&*due.handle) };
        let mut reply = self.page(view, Sent::Shown, cookies);
        let on = format!("0; url={}", next::with_handle(paths::AUTHORIZE, Some(&due.handle)));
        if let Ok(mut on) = HeaderValue::from_str(&on) {
            on.set_sensitive(true);
            reply.response.headers_mut().insert(header::REFRESH, on);
        }
        reply
    }

    /// The same, where the app is told why nobody comes.
    fn back_in_vain(&self, due: &Due, Told(code, description): Told, why: &str, mut event: Event) -> Reply {
        event.detail("error", code.as_str());
        self.inner.pending.refused(
            &due.handle,
            due.request.refused(code, description),
            self.inner.now().unix_seconds(),
        );
        let cookies = cookie::gone(cookie::OUTSIDE).into_iter().collect();
        self.back_here(due, cookies).failed(event, why, &Sent::Refused)
    }

    /// Ends the request; the app is told why.
    fn to_app_in_vain(&self, due: &Due, Told(code, description): Told, why: &str, mut event: Event) -> Reply {
        drop(self.inner.pending.take(&due.handle));
        event.detail("error", code.as_str());
        let refused = due.request.refused(code, description);
        let url = Secret::new(authorization_response::error(&refused, &self.inner.endpoints));
        let mut response = page::to_client(&url);
        if let Some(gone) = cookie::gone(cookie::OUTSIDE) {
            response.headers_mut().append(header::SET_COOKIE, gone);
        }
        Reply::of(response).failed(event, why, &Sent::Refused)
    }
}

/// How long ago the person may have proven who they are, seconds: what the app asks for.
fn max_age_s(request: &AuthorizationRequest) -> Option<u32> {
    if request.prompt.login || request.prompt.select_account { Some(0) } else { request.max_age_s }
}

/// Host and port, as people see them.
fn place(base_url: &str) -> &str {
    base_url.trim_start_matches("https://").split('/').next().unwrap_or_default()
}

fn tell(event: &mut Event, due: &Due) {
    event.detail("method", "identity-provider");
    event.detail("idp", &due.idp);
    event.detail("client_id", &due.request.client_id);
}

fn failed(due: &Due) -> Event {
    let mut event = Event::new("sign-in-failed", Action::Execute);
    tell(&mut event, due);
    event
}
