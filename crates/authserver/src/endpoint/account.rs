//! Pages of somebody's own account: signing in and out, invitations, the way back in, security. SPEC: rows A17, A18,
//! A20, B26, F66.
//!
//! One file for each page or two. A form is taken when it comes from a page of ours by two signs (`people::forgery`),
//! and its answer leaves when its entry stands in the audit log. Where one goes after signing in is a handle that the
//! server made ([`next`]), never an address from the request.

mod apps;
mod authenticator;
mod cases;
mod choices;
mod clients;
mod emergency;
mod idp;
mod invitation;
mod launch;
mod next;
mod outside;
mod partners;
mod passkey;
mod password;
mod privacy;
mod recovery;
mod second_factor;
mod security;
mod seen;
mod sign_in;
mod ways;

use crate::{
    door::{self, Answered},
    event::Event,
    logos,
    outcome::{Refusal, page::Sent},
    page::{self, Head, Sending},
    people::{
        cookie,
        session::Session,
        sign_in::{Asking, SignInError},
        visit_of,
    },
    random,
    rate::{Limited, address_key},
    registering::Recorded,
    service::Inner,
};
use audit::{
    Audited,
    entry::{Action, Outcome, Person},
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use oauth::{authorization_request::AuthorizationRequest, caller::User, form::Form};
use pages::{CodeProblem, Literal, NewPasswordProblem, Problem, ProblemWhat, View, fields};
use std::{net::IpAddr, sync::Arc};
use ways::{Act, Link, Page, Takes};

/// Form token of all forms before somebody is signed in.
const SIGN_IN_FORM: &str = "sign-in";
/// Form token of all forms of the security pages.
const SECURITY_FORM: &str = "security";
/// Form token of the forms of my apps.
const APPS_FORM: &str = "apps";
/// Form token of the form that opens an app.
const LAUNCH_FORM: &str = "launch";

/// Form token of the forms of the page of emergencies.
const EMERGENCY_FORM: &str = "emergency";
/// Form token of the form that judges one.
const CASES_FORM: &str = "cases";

/// Form token of the forms of an administrator.
const CLIENTS_FORM: &str = "clients";

/// Whether a path is one of these pages or their static files.
pub(crate) fn owns(path: &str) -> bool {
    ways::takes(path).is_some() || path.starts_with(logos::PATH) || path.starts_with("/assets/")
}

/// A request of somebody at a browser.
struct Visitor<'a> {
    inner: &'a Arc<Inner>,
    address: IpAddr,
    head: Head,
    /// The session, complete or not.
    session: Option<Arc<Session>>,
    /// The app's request that waits behind these pages.
    waiting: Option<Arc<AuthorizationRequest>>,
}

/// An answer, and what happened.
struct Reply {
    response: Response<Bytes>,
    happened: Option<Happened>,
    /// Its entry stands already.
    recorded: Option<Recorded>,
}

struct Happened {
    event: Event,
    outcome: Outcome,
    word: Option<&'static str>,
}

impl Reply {
    /// An answer to something that changed nothing and told nothing.
    fn of(response: Response<Bytes>) -> Self {
        Self { response, happened: None, recorded: None }
    }

    /// To something whose entry stands.
    fn recorded(self, recorded: Recorded) -> Self {
        Self { recorded: Some(recorded), ..self }
    }

    /// With this event, which went well.
    fn did(self, event: Event) -> Self {
        Self { happened: Some(Happened { event, outcome: Outcome::Success, word: None }), ..self }
    }

    /// With this event, which did not.
    fn failed(self, mut event: Event, why: &str, sent: &Sent) -> Self {
        event.reason = Some(why.to_owned());
        let outcome = match sent {
            Sent::Unavailable => Outcome::SeriousFailure,
            _ => Outcome::MinorFailure,
        };
        Self { happened: Some(Happened { event, outcome, word: sent.word() }), ..self }
    }
}

/// Answers a request of a path that [`owns`] says yes to.
pub(crate) async fn answer(inner: &Arc<Inner>, address: IpAddr, request: Request<Bytes>) -> Audited<Response<Bytes>> {
    let path = request.uri().path().to_owned();
    let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_head = request.method() == Method::HEAD;
    if path.starts_with("/assets/") || path.starts_with(logos::PATH) {
        let file = match path.strip_prefix(logos::PATH) {
            Some(id) => inner.logo(id, request.headers()),
            None => page::asset(&path),
        };
        let file = match file {
            None => page::empty(&Sent::NotFound),
            Some(_) if !is_get => page::empty(&Sent::Method("GET, HEAD")),
            Some(file) => file,
        };
        return Audited::public(if is_head { file.map(|_| Bytes::new()) } else { file });
    }
    let mut head = Head::of(&request);
    let session = inner.people.any_session_of(&head.headers);
    let waiting = waiting(inner, &head, &request);
    head.wish(waiting.as_ref().and_then(|request| request.ui_locales.as_deref()));
    let visitor = Visitor { inner, address, head, session, waiting };
    let reply = match (request.method(), ways::takes(&path)) {
        (&Method::GET, Some(Takes::Link(Link::Outside))) => visitor.go_outside().await,
        (&Method::GET, Some(Takes::Link(Link::Back))) => {
            visitor.back_from_outside(request.uri().query().unwrap_or_default()).await
        }
        (&Method::GET, Some(Takes::Link(Link::Idp))) => visitor.go_to_idp().await,
        (&Method::GET, Some(Takes::Link(Link::IdpBack))) => {
            visitor.back_from_idp(request.uri().query().unwrap_or_default()).await
        }
        (&Method::GET | &Method::HEAD, Some(Takes::Page(page) | Takes::Both(page, _))) => visitor.shown(page).await,
        (&Method::POST, Some(Takes::Act(act) | Takes::Both(_, act))) => visitor.posted(act, &request).await,
        (_, Some(takes)) => visitor.problem(ProblemWhat::NotFound, Sent::Method(takes.allow())),
        (_, None) => visitor.problem(ProblemWhat::NotFound, Sent::NotFound),
    };
    drop(inner.sweep_when_due());
    let answered = inner.told(reply, address);
    if is_head { answered.map(|response| response.map(|_| Bytes::new())) } else { answered }
}

/// The app's request that a page's handle is of, when it is of one.
pub(crate) fn waiting(inner: &Inner, head: &Head, request: &Request<Bytes>) -> Option<Arc<AuthorizationRequest>> {
    let form = (*request.method() == Method::POST).then(|| door::read_choices(request).ok()).flatten();
    let of_form = form.as_ref().and_then(|form| form.value(fields::CONTINUATION));
    let handle = next::handle(of_form.or_else(|| head.query(fields::CONTINUATION)))?;
    inner.pending.request(handle, inner.now().unix_seconds())
}

impl Inner {
    /// The answer, once its entry stands; without the record there is none (row F25).
    fn told(&self, reply: Reply, address: IpAddr) -> Audited<Response<Bytes>> {
        let Reply { mut response, happened, recorded } = reply;
        if let Some(Recorded { receipt, request_id }) = recorded {
            if let Ok(value) = HeaderValue::from_str(&request_id) {
                response.headers_mut().insert("x-request-id", value);
            }
            response.extensions_mut().insert(Answered { request_id, client_id: None, refused: None });
            return Audited::new(response, receipt);
        }
        let happened = happened.map(|Happened { event, outcome, word }| (event, outcome, word));
        self.told_of(response, happened, address)
    }

    /// A page's answer, once the entry of what happened stands: event, outcome, and a refusal as one word.
    pub(crate) fn told_of(
        &self,
        response: Response<Bytes>,
        happened: Option<(Event, Outcome, Option<&'static str>)>,
        address: IpAddr,
    ) -> Audited<Response<Bytes>> {
        let Some((event, outcome, word)) = happened else { return Audited::public(response) };
        let request_id: Arc<str> = random::name().unwrap_or_default().into();
        let entry = event.ended(outcome, self.now(), Some(address), Arc::clone(&request_id));
        let answered = Answered { request_id, client_id: None, refused: word };
        self.once_recorded(&entry, response, answered, || page::empty(&Sent::Unavailable))
    }
}

impl Visitor<'_> {
    async fn shown(&self, page: Page) -> Reply {
        match page {
            Page::SignIn => self.sign_in_page(),
            Page::Idp => self.idp_page().await,
            Page::SecondFactor => self.second_factor_page(),
            Page::PasskeyAdd => self.passkey_page(),
            Page::Invitation => self.invitation_page(),
            Page::Recovery => self.recovery_page(),
            Page::Security => self.security_page(),
            Page::Password => self.password_page(),
            Page::Authenticator => self.authenticator_page(),
            Page::Apps => self.apps_page().await,
            Page::App => self.app_page().await,
            Page::Launch => self.launch_page().await,
            Page::Emergency => self.emergency_page(),
            Page::Cases => self.cases_page(),
            Page::Case => self.case_page().await,
            Page::Clients => self.clients_page(),
            Page::ClientNew => self.client_new_page(),
            Page::Client => self.client_page(),
            Page::Partners => self.partners_page(),
            Page::Seen => self.seen_page().await,
            Page::SeenTable => self.seen_table().await,
            Page::Choices => self.choices_page().await,
            Page::ChoiceNew => self.choice_new_page().await,
            Page::ChoiceEnd => self.choice_end_page().await,
            Page::Officer => self.officer_page(),
            Page::Events => self.events_page().await,
            Page::Event => self.event_page().await,
            Page::Unusual => self.unusual_page().await,
            Page::UnusualOne => self.unusual_one_page().await,
        }
    }

    /// A form: limits, what it is, whether it is ours, then what it is for.
    async fn posted(&self, act: Act, request: &Request<Bytes>) -> Reply {
        if let Err(limited) = self.inner.address_rate.take(address_key(self.address), self.inner.now().unix_millis()) {
            let event = Event::new("sign-in-failed", Action::Execute);
            return self.too_many(limited, event);
        }
        // A choice about sharing has lists in it.
        let form = match act {
            Act::ChoiceNew => door::read_choices(request),
            _ => door::read(request).map(|posted| posted.form),
        };
        let form = match form {
            Ok(form) => form,
            Err(Refusal::TooLarge) => return self.problem(ProblemWhat::WrongRequest, Sent::TooLarge),
            Err(Refusal::MediaType) => return self.problem(ProblemWhat::WrongRequest, Sent::MediaType),
            Err(_) => return self.problem(ProblemWhat::WrongRequest, Sent::NotTaken),
        };
        let people = &self.inner.people;
        let browser = people.browser_of(&self.head.headers);
        let is_ours = people.is_from_our_page(&self.head.headers)
            && browser.is_some_and(|browser| people.is_csrf(&browser, act.label(), form.value(fields::CSRF)));
        if !is_ours {
            let mut event = Event::new("form-refused", Action::Execute);
            event.detail("form", request.uri().path());
            let reply = self.problem(ProblemWhat::FormExpired, Sent::Refused);
            return reply.failed(event, "the form is not from a page of ours for this browser", &Sent::Refused);
        }
        match act {
            Act::SignIn => self.sign_in(&form).await,
            Act::SecondFactor => self.second_factor(&form).await,
            Act::PasskeySignIn => self.passkey_sign_in(&form).await,
            Act::PasskeyAdd => self.passkey_add(&form).await,
            Act::PasskeyRemove => self.passkey_remove(&form).await,
            Act::SignOut => self.sign_out().await,
            Act::Invitation => self.invitation(&form).await,
            Act::Recovery => self.recovery(&form).await,
            Act::Password => self.password(&form).await,
            Act::Authenticator => self.authenticator(&form).await,
            Act::RecoveryCodes => self.recovery_codes().await,
            Act::SessionEnd => self.session_end(&form).await,
            Act::Apps => self.apps_ended(&form).await,
            Act::App => self.app_ended(&form).await,
            Act::Launch => self.launched(&form).await,
            Act::Emergency => self.emergency(&form).await,
            Act::Case => self.case_judged(&form).await,
            Act::ClientNew => self.client_registered(&form).await,
            Act::Client => self.client_changed(&form).await,
            Act::Partners => self.partner_changed(&form).await,
            Act::ChoiceNew => self.choice_new(&form).await,
            Act::ChoiceEnd => self.choice_end(&form).await,
            Act::UnusualOne => self.unusual_reviewed(&form).await,
        }
    }

    fn asking(&self) -> Asking {
        Asking::of(&self.inner.people, self.address, &self.head.headers)
    }

    /// The token of a form, for this browser; and the cookie that makes it one, when it has none yet.
    fn csrf(&self, label: &str) -> (String, Vec<HeaderValue>) {
        let people = &self.inner.people;
        if let Some(browser) = people.browser_of(&self.head.headers) {
            return (people.csrf(&browser, label), Vec::new());
        }
        match people.new_visit() {
            Some((value, browser)) => {
                let cookie = cookie::of_session(cookie::VISIT, &value);
                (people.csrf(&browser, label), cookie.into_iter().collect())
            }
            None => (String::new(), Vec::new()),
        }
    }

    /// A page in the middle of something.
    fn page(&self, view: impl Into<View>, sent: Sent, cookies: Vec<HeaderValue>) -> Reply {
        self.sent(view.into(), sent, cookies, false)
    }

    /// A page of somebody who is signed in, with its head.
    fn place(&self, view: impl Into<View>, sent: Sent) -> Reply {
        self.sent(view.into(), sent, Vec::new(), true)
    }

    fn sent(&self, view: View, sent: Sent, cookies: Vec<HeaderValue>, has_places: bool) -> Reply {
        let session = self.session.as_deref();
        // What follows a form may lead back to the app at once, and browsers hold that against the form's page (A18).
        let redirect_uris: Vec<&str> = self.waiting.iter().map(|request| request.redirect.as_str()).collect();
        let sending = Sending { view, sent, session, has_places, redirect_uris: &redirect_uris, cookies };
        Reply::of(self.inner.page(&self.head, sending))
    }

    fn problem(&self, what: ProblemWhat, sent: Sent) -> Reply {
        self.page(Problem { what, reference: None }, sent, Vec::new())
    }

    fn unavailable(&self, why: &str) -> Reply {
        tracing::error!(why, "a page could not be answered");
        self.problem(ProblemWhat::Unavailable, Sent::Unavailable)
    }

    /// Too many: told to the person each time, recorded once (row F66).
    fn too_many(&self, limited: Limited, event: Event) -> Reply {
        let sent = Sent::TooMany(limited.retry_after_s);
        let reply = self.problem(ProblemWhat::TooMany(minutes(limited)), sent.clone());
        if limited.first { reply.failed(event, "too many tries", &sent) } else { reply }
    }

    /// On to a path.
    fn on(&self, path: impl Into<String>, cookies: Vec<HeaderValue>) -> Reply {
        Reply::of(page::see_other(path.into(), cookies))
    }

    /// An event of the person of this session.
    fn event(&self, subtype: &'static str, action: Action, account: &str) -> Event {
        let mut event = Event::new(subtype, action);
        event.person = self.inner.people.account(account).map(|account| Person::of(&account.user()));
        event
    }

    /// The session and its person, when all that their account asks for was shown; else where to do that. `what` waits
    /// there.
    fn who(&self, what: &str) -> Result<(Arc<Session>, Arc<User>), Box<Reply>> {
        let session = self.session.clone();
        let found = session.and_then(|session| Some((self.inner.people.user(&session.account)?, session)));
        match found {
            Some((user, session)) if session.is_complete => Ok((session, user)),
            Some((_, session)) => Err(Box::new(self.on(next::after(self.inner, &session, Some(what)), Vec::new()))),
            None => Err(Box::new(self.on(next::to_sign_in(Some(what)), Vec::new()))),
        }
    }

    /// The session, when the person proved just now who they are; else where to do that. `what` waits there.
    fn fresh(&self, what: &str) -> Result<Arc<Session>, Box<Reply>> {
        let sign_in = || Box::new(self.on(next::to_sign_in(Some(what)), Vec::new()));
        let session = self.session.clone().ok_or_else(sign_in)?;
        if self.inner.people.is_fresh(&session) { Ok(session) } else { Err(sign_in()) }
    }

    /// What the person has to wait for, as a failed sign-in.
    fn not_in(&self, error: &SignInError, event: Event, show: impl FnOnce(Failed, Sent) -> Reply) -> Reply {
        match error {
            SignInError::Wrong(why, account) => {
                let mut event = event;
                if let Some(account) = account {
                    event.detail("user", account);
                }
                show(Failed::Wrong, Sent::Refused).failed(event, why, &Sent::Refused)
            }
            SignInError::TooMany(limited) => {
                let sent = Sent::TooMany(limited.retry_after_s);
                let reply = show(Failed::TooMany(minutes(*limited)), sent.clone());
                if limited.first { reply.failed(event, "too many tries", &sent) } else { reply }
            }
            SignInError::Expired => self.on(next::to_sign_in(None), Vec::new()),
            SignInError::Busy => self.problem(ProblemWhat::TooMany(1), Sent::TooMany(5)),
            SignInError::Unavailable(why) => self.unavailable(why).failed(event, "unavailable", &Sent::Unavailable),
        }
    }

    /// The visit that a second factor is due in, when one is.
    fn visit_in_second_factor(&self) -> Option<[u8; 32]> {
        let visit = visit_of(&self.head.headers)?;
        self.inner.people.in_second_factor(&visit).map(|_| visit)
    }
}

/// Why a sign-in failed, as far as the person is told.
#[derive(Debug, Clone, Copy)]
enum Failed {
    Wrong,
    TooMany(u32),
}

impl Failed {
    fn of_code(self) -> CodeProblem {
        match self {
            Self::Wrong => CodeProblem::Wrong,
            Self::TooMany(minutes) => CodeProblem::TooMany(minutes),
        }
    }
}

/// Minutes to wait, rounded up.
fn minutes(limited: Limited) -> u32 {
    u32::try_from(limited.retry_after_s.div_ceil(60)).unwrap_or(u32::MAX).max(1)
}

/// The new password of a form: typed twice the same.
fn new_password(form: &Form) -> Result<Option<crate::people::Password>, NewPasswordProblem> {
    let (password, again) = (form.value(fields::PASSWORD), form.value(fields::AGAIN));
    match (password, again) {
        (Some(password), Some(again)) if password == again => Ok(crate::people::Password::typed(password)),
        _ => Err(NewPasswordProblem::Different),
    }
}

/// The password's least characters, for pages.
const CHARACTERS_MIN: u32 = 12;

/// An id of ours in a form.
fn literal(text: &str) -> Literal {
    Literal::new(text)
}

#[cfg(test)]
mod tests;
