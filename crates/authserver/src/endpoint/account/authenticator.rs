//! Setting up an authenticator app, and taking it away. SPEC: RFC 6238; row B26.

use super::{Reply, SECURITY_FORM, Visitor, next};
use crate::{
    outcome::page::Sent,
    people::{change::ChangeError, sign_in::Begun},
};
use audit::entry::Action;
use oauth::form::Form;
use pages::{AuthenticatorSetup, CodeProblem, Secret, fields};

impl Visitor<'_> {
    pub(super) fn authenticator_page(&self) -> Reply {
        self.authenticator_again(None, Sent::Shown)
    }

    fn authenticator_again(&self, problem: Option<CodeProblem>, sent: Sent) -> Reply {
        let session = match self.fresh(next::TO_AUTHENTICATOR) {
            Ok(session) => session,
            Err(reply) => return *reply,
        };
        let Some(setup) = self.inner.people.begin_authenticator(&session) else {
            return self.unavailable("no seed for an authenticator app");
        };
        let (csrf, cookies) = self.csrf(SECURITY_FORM);
        let view = AuthenticatorSetup {
            csrf: Secret::new(csrf),
            uri: Secret::new(setup.uri),
            key: Secret::new(setup.key),
            problem,
        };
        self.page(view, sent, cookies)
    }

    pub(super) async fn authenticator(&self, form: &Form) -> Reply {
        let session = match self.fresh(next::TO_AUTHENTICATOR) {
            Ok(session) => session,
            Err(reply) => return *reply,
        };
        let people = &self.inner.people;
        if form.value(fields::DECISION) == Some(fields::REMOVE) {
            let event = self.event("authenticator-removed", Action::Update, &session.account);
            return match people.remove_authenticator(session).await {
                Ok(()) => self.noticed("authenticator-removed").did(event),
                Err(error) => self.not_changed(error, event),
            };
        }
        let event = self.event("authenticator-added", Action::Update, &session.account);
        let code = form.value(fields::CODE).unwrap_or_default().to_owned();
        match people.finish_authenticator(self.asking(), session, code).await {
            Ok(begun) => self.set_up(begun, None, "authenticator-added").did(event),
            Err(ChangeError::Wrong(why)) => {
                let reply = self.authenticator_again(Some(CodeProblem::Wrong), Sent::NotTaken);
                reply.failed(event, &why, &Sent::NotTaken)
            }
            Err(ChangeError::Gone) => self.authenticator_again(None, Sent::Shown),
            Err(error) => self.not_changed(error, event),
        }
    }

    /// A second factor was set up: on with the session that has it, or back to the security page.
    pub(super) fn set_up(&self, begun: Option<Begun>, handle: Option<&str>, notice: &'static str) -> Reply {
        match (begun, handle) {
            (Some(begun), handle) => self.on(next::after(self.inner, &begun.session, handle), begun.cookies),
            (None, Some(handle)) => match &self.session {
                Some(session) => self.on(next::after(self.inner, session, Some(handle)), Vec::new()),
                None => self.noticed(notice),
            },
            (None, None) => self.noticed(notice),
        }
    }
}
