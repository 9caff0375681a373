//! The sign-in page and its form; signing out. SPEC: row B26.

use super::{Failed, Reply, SIGN_IN_FORM, Visitor, next};
use crate::{
    outcome::page::Sent,
    people::{
        Password, cookie,
        sign_in::{Begun, Step},
    },
};
use audit::entry::Action;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth::form::Form;
use pages::{Done, DoneWhat, Next, Secret, SignIn, SignInReason, Text, fields, paths};
use serde_json::json;
use std::{net::IpAddr, sync::Arc};

impl Visitor<'_> {
    pub(super) fn sign_in_page(&self) -> Reply {
        let handle = next::handle(self.head.query(fields::CONTINUATION));
        match (&self.session, handle) {
            // Nothing waits, and they are in.
            (Some(session), None) => self.on(next::after(self.inner, session, None), Vec::new()),
            _ if self.was_outside_in_vain() => {
                self.sign_in_again(handle, None, Some(SignInReason::OutsideFailed), Sent::Shown)
            }
            (Some(_), Some(_)) => self.sign_in_again(handle, None, Some(SignInReason::ProveAgain), Sent::Shown),
            (None, _) => self.sign_in_again(handle, None, None, Sent::Shown),
        }
    }

    /// The page, with what was wrong.
    pub(super) fn sign_in_again(
        &self,
        handle: Option<&str>,
        user: Option<&str>,
        reason: Option<SignInReason>,
        sent: Sent,
    ) -> Reply {
        let (csrf, browser, cookies) = self.csrf_for_sign_in();
        let view = SignIn {
            csrf: Secret::new(csrf),
            continuation: Secret::new(handle.unwrap_or_default()),
            app: self.app().as_deref().map(Text::new),
            user: user.or_else(|| self.waiting.as_ref()?.login_hint.as_deref()).map(Text::new),
            reason,
            passkey: browser.and_then(|browser| self.passkey_options(&browser, &[])),
            providers: self.providers(),
        };
        self.page(view, sent, cookies)
    }

    /// Name of the app that waits.
    fn app(&self) -> Option<Arc<str>> {
        let client = self.inner.clients.client(&self.waiting.as_ref()?.client_id)?;
        Some(Arc::clone(&client.name))
    }

    /// Form token and browser, which may begin with this page.
    fn csrf_for_sign_in(&self) -> (String, Option<[u8; 32]>, Vec<http::HeaderValue>) {
        let people = &self.inner.people;
        if let Some(browser) = people.browser_of(&self.head.headers) {
            return (people.csrf(&browser, SIGN_IN_FORM), Some(browser), Vec::new());
        }
        let Some((value, browser)) = people.new_visit() else { return (String::new(), None, Vec::new()) };
        let cookie = cookie::of_session(cookie::VISIT, &value).into_iter().collect();
        (people.csrf(&browser, SIGN_IN_FORM), Some(browser), cookie)
    }

    /// `PublicKeyCredentialRequestOptionsJSON`; `None` where passkeys cannot be: at an address without a name.
    pub(super) fn passkey_options(&self, browser: &[u8; 32], ids: &[&[u8]]) -> Option<Secret> {
        let people = &self.inner.people;
        let host = people.passkey_host();
        if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
            return None;
        }
        let challenge = URL_SAFE_NO_PAD.encode(people.passkey_challenge(browser)?);
        let allowed: Vec<_> =
            ids.iter().map(|id| json!({ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(id) })).collect();
        let options = json!({
            "challenge": challenge,
            "rpId": host,
            "allowCredentials": allowed,
            "userVerification": "required",
            "timeout": crate::limits::people::CHALLENGE_LIFE_S * 1000,
        });
        Some(Secret::new(options.to_string()))
    }

    pub(super) async fn sign_in(&self, form: &Form) -> Reply {
        let handle = next::handle(form.value(fields::CONTINUATION));
        let user = form.value(fields::USER).unwrap_or_default();
        let password = form.value(fields::PASSWORD).and_then(Password::typed);
        let mut event = crate::event::Event::new("sign-in-failed", Action::Execute);
        event.detail("method", "password");
        match self.inner.people.by_password(self.asking(), user, password).await {
            Ok(Step::In(begun)) => self.signed_in(begun, handle),
            Ok(Step::SecondFactor { account, cookie }) => {
                let mut event = self.event("sign-in-begun", Action::Execute, &account);
                event.detail("method", "password");
                let cookies = cookie.into_iter().collect();
                self.on(next::with_handle(paths::SECOND_FACTOR, handle), cookies).did(event)
            }
            Err(error) => self.not_in(&error, event, |failed, sent| {
                let reason = match failed {
                    Failed::Wrong => SignInReason::Wrong,
                    Failed::TooMany(minutes) => SignInReason::TooMany(minutes),
                };
                self.sign_in_again(handle, Some(user), Some(reason), sent)
            }),
        }
    }

    /// On, with the session's cookie.
    pub(super) fn signed_in(&self, begun: Begun, handle: Option<&str>) -> Reply {
        let mut event = self.event("sign-in", Action::Execute, &begun.session.account);
        event.detail("session", &begun.session.name());
        for method in &begun.session.methods {
            event.detail("method", method.as_str());
        }
        self.on(next::after(self.inner, &begun.session, handle), begun.cookies).did(event)
    }

    pub(super) async fn sign_out(&self) -> Reply {
        let done = || {
            let cookies = [cookie::gone(cookie::SESSION), cookie::gone(cookie::VISIT)].into_iter().flatten().collect();
            let view = Done { what: DoneWhat::SignedOut, next: Next::SignIn(None) };
            // Nobody is signed in on this page.
            let visitor = Visitor { session: None, head: self.head.again(), waiting: None, ..*self };
            visitor.page(view, Sent::Shown, cookies)
        };
        let Some(session) = &self.session else { return done() };
        let mut event = self.event("sign-out", Action::Execute, &session.account);
        event.detail("session", &session.name());
        match self.inner.people.sign_out(session.hash).await {
            Ok(()) => done().did(event),
            Err(why) => self.unavailable(&format!("{why:?}")).failed(event, "unavailable", &Sent::Unavailable),
        }
    }
}
