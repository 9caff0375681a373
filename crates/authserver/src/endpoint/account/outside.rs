//! Off to an outside OpenID provider, and back from it. SPEC: OpenID Connect Core section 3.1.2; RFC 9207; row B26.
//!
//! One goes by a link, not by a form: a browser holds the redirects that follow a form against the page's `form-action`,
//! and who knows to which of its hosts a provider sends people on. The link counts from our own pages alone. Whatever goes
//! wrong is said on the sign-in page, where the other ways stand; the operator finds the reason in the audit log.

use super::{Reply, Visitor, next};
use crate::{
    event::Event,
    outcome::page::Sent,
    outside::OutsideProvider,
    page,
    people::{
        cookie,
        credentials::OutsideIdentity,
        enrol::NewPasswordError,
        outside::{Errand, Errant},
        sign_in::{SignInError, Step},
        visit_of,
    },
    rate::address_key,
};
use audit::entry::Action;
use oauth::openid_provider::Person;
use pages::{Date, OutsideFacts, ProblemWhat, Provider, Text, fields, paths};

/// The provider's id on our pages: there is one.
const ID: &str = "outside";
/// What the sign-in page is told when it did not work (a parameter, [`NOTICE`]).
const FAILED: &str = "outside";
/// The query parameter that says what happened before.
pub(super) const NOTICE: &str = "notice";

impl Visitor<'_> {
    /// Outside providers, for pages.
    pub(super) fn providers(&self) -> Vec<Provider> {
        let provider = self.inner.outside.as_ref();
        provider
            .map(|outside| Provider { id: super::literal(ID), name: Text::new(outside.name()) })
            .into_iter()
            .collect()
    }

    /// Who vouches for somebody, for their own page.
    pub(super) fn outside_facts(&self, identities: &[OutsideIdentity]) -> Vec<OutsideFacts> {
        let configured = self.inner.outside.as_ref();
        let name = |issuer: &str| match configured.filter(|outside| outside.issuer() == issuer) {
            Some(outside) => Text::new(outside.name()),
            None => Text::new(issuer.trim_start_matches("https://")),
        };
        let fact =
            |one: &OutsideIdentity| OutsideFacts { name: name(&one.issuer), since: Date::from_unix(one.since_s) };
        identities.iter().map(fact).collect()
    }

    /// Whether somebody has just come back in vain.
    pub(super) fn was_outside_in_vain(&self) -> bool {
        self.head.query(NOTICE) == Some(FAILED)
    }

    /// Off to the provider.
    pub(super) async fn go_outside(&self) -> Reply {
        let Some(outside) = self.inner.outside.as_ref().filter(|_| self.head.query(fields::PROVIDER) == Some(ID))
        else {
            return self.problem(ProblemWhat::NotFound, Sent::NotFound);
        };
        let people = &self.inner.people;
        let handle = next::handle(self.head.query(fields::CONTINUATION));
        let browser = people.browser_of(&self.head.headers);
        let Some(browser) = browser.filter(|_| people.is_from_our_page(&self.head.headers)) else {
            // Not from a page of ours, which would have made a cookie: begin there.
            return self.on(next::to_sign_in(handle), Vec::new());
        };
        if let Err(limited) = self.inner.address_rate.take(address_key(self.address), self.inner.now().unix_millis()) {
            return self.too_many(limited, failed());
        }
        let is_invited = self.head.query(fields::INVITATION).is_some();
        let errand = match (&self.session, is_invited) {
            (_, true) => Errand::Invitation,
            (Some(_), false) => Errand::Again,
            (None, false) => Errand::SignIn,
        };
        let provider = match outside.provider().await {
            Ok(provider) => provider,
            Err(why) => return self.in_vain(errand, handle, &why, failed()),
        };
        match people.go_outside(&browser, errand, handle, outside.issuer()) {
            Some((begun, cookie)) => {
                let to = outside.url(&provider, &begun, errand == Errand::Again);
                Reply::of(page::see_other(to, cookie.into_iter().collect()))
            }
            None => self.unavailable("no randomness"),
        }
    }

    /// Back from the provider; `query` is the URL's.
    pub(super) async fn back_from_outside(&self, query: &str) -> Reply {
        let Some(outside) = &self.inner.outside else {
            return self.problem(ProblemWhat::NotFound, Sent::NotFound);
        };
        let people = &self.inner.people;
        if let Err(limited) = self.inner.address_rate.take(address_key(self.address), self.inner.now().unix_millis()) {
            return self.too_many(limited, failed());
        }
        let state = self.head.query("state").unwrap_or_default();
        let errant = people.back_from_outside(&self.head.headers, state, outside.issuer());
        // One that left for a provider that an app named comes back elsewhere.
        let Some(errant) = errant.filter(|errant| errant.errand != Errand::Tiered) else {
            // The cookie stays: a link from elsewhere ends nothing that is under way.
            let reply = self.on(to_sign_in_again(None), Vec::new());
            let why = "OpenID provider: the state is not one of this browser, or was used, or has ended";
            return reply.failed(failed(), why, &Sent::Refused);
        };
        let Errant { begun, errand, handle, away_s } = errant;
        let handle = handle.as_deref();
        // They proved it after they left.
        let max_age_s = (errand == Errand::Again).then(|| u32::try_from(away_s).unwrap_or(u32::MAX));
        let person = outside.person(&self.inner.sources, &begun, query.as_bytes(), max_age_s).await;
        match person {
            Ok(person) => self.vouched_for(outside, person, errand, handle).await,
            Err(why) => self.in_vain(errand, handle, &why, failed()),
        }
    }

    async fn vouched_for(
        &self,
        outside: &OutsideProvider,
        person: Person,
        errand: Errand,
        handle: Option<&str>,
    ) -> Reply {
        let mut event = failed();
        event.detail("issuer", outside.issuer());
        event.detail("subject", &person.subject);
        let people = &self.inner.people;
        if errand == Errand::Invitation {
            let Some(visit) = visit_of(&self.head.headers) else { return self.on(paths::INVITATION, Vec::new()) };
            let subject = person.subject.clone();
            return match people.accept_invitation_outside(self.asking(), visit, person).await {
                Ok(mut begun) => {
                    begun.cookies.extend(cookie::gone(cookie::OUTSIDE));
                    let mut event = self.event("invitation-accepted", Action::Update, &begun.session.account);
                    event.detail("session", &begun.session.name());
                    event.detail("issuer", outside.issuer());
                    event.detail("subject", &subject);
                    self.on(next::after(self.inner, &begun.session, None), begun.cookies).did(event)
                }
                Err(NewPasswordError::SignIn(why)) => self.in_vain(errand, handle, &Told(&why), event),
                Err(why) => self.in_vain(errand, handle, &format!("{why:?}"), event),
            };
        }
        match people.by_outside(self.asking(), person).await {
            Ok(Step::In(mut begun)) => {
                begun.cookies.extend(cookie::gone(cookie::OUTSIDE));
                self.signed_in(begun, handle)
            }
            Ok(Step::SecondFactor { account, cookie }) => {
                let mut event = self.event("sign-in-begun", Action::Execute, &account);
                event.detail("method", "outside");
                self.on(next::with_handle(paths::SECOND_FACTOR, handle), cookie.into_iter().collect()).did(event)
            }
            Err(SignInError::Wrong(why, account)) => {
                if let Some(account) = account {
                    event.detail("user", &account);
                }
                self.in_vain(errand, handle, &why, event)
            }
            Err(error) => self.not_in(&error, event, |_, _| self.on(to_sign_in_again(handle), Vec::new())),
        }
    }

    /// Back to where they came from, which says that it did not work.
    fn in_vain(&self, errand: Errand, handle: Option<&str>, why: &dyn std::fmt::Display, event: Event) -> Reply {
        let to = match errand {
            Errand::Invitation => format!("{}?{NOTICE}={FAILED}", paths::INVITATION),
            Errand::SignIn | Errand::Again | Errand::Tiered => to_sign_in_again(handle),
        };
        let cookies = cookie::gone(cookie::OUTSIDE).into_iter().collect();
        self.on(to, cookies).failed(event, &why.to_string(), &Sent::Refused)
    }
}

/// A reason that has no words of its own.
struct Told<'a>(&'a SignInError);

impl std::fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            SignInError::Wrong(why, _) | SignInError::Unavailable(why) => f.write_str(why),
            SignInError::TooMany(_) | SignInError::Busy => f.write_str("too many at once"),
            SignInError::Expired => f.write_str("no such invitation"),
        }
    }
}

fn failed() -> Event {
    let mut event = Event::new("sign-in-failed", Action::Execute);
    event.detail("method", "outside");
    event
}

fn to_sign_in_again(handle: Option<&str>) -> String {
    let path = next::to_sign_in(handle);
    let divider = if path.contains('?') { '&' } else { '?' };
    format!("{path}{divider}{NOTICE}={FAILED}")
}
