//! The way back in with a recovery code, and new codes for who is in. SPEC: row B26.

use super::{CHARACTERS_MIN, Reply, SIGN_IN_FORM, Visitor, new_password, next, password::problem_of};
use crate::{event::Event, outcome::page::Sent, people::sign_in::SignInError, people::visit_of};
use audit::entry::Action;
use http::HeaderValue;
use oauth::form::Form;
use pages::{
    CodeProblem, Done, DoneWhat, NewPasswordProblem, Next, Recovery, RecoveryCodes, RecoveryStep, Secret, Text, fields,
    paths,
};

/// What stands in the page for the visit in which a new password may be set.
const OPEN: &str = "open";

impl Visitor<'_> {
    pub(super) fn recovery_page(&self) -> Reply {
        if self.head.query(fields::RECOVERY) == Some(OPEN) {
            return self.new_password_again(next::handle(self.head.query(fields::CONTINUATION)), None, Sent::Shown);
        }
        self.recovery_again(next::handle(self.head.query(fields::CONTINUATION)), None, None, Sent::Shown)
    }

    fn recovery_again(
        &self,
        handle: Option<&str>,
        user: Option<&str>,
        problem: Option<CodeProblem>,
        sent: Sent,
    ) -> Reply {
        self.recovery_step(handle, RecoveryStep::Code { user: user.map(Text::new), problem }, sent)
    }

    fn new_password_again(&self, handle: Option<&str>, problem: Option<NewPasswordProblem>, sent: Sent) -> Reply {
        let visit = visit_of(&self.head.headers);
        let Some(record) = visit.and_then(|visit| self.inner.people.in_recovery(&visit)) else {
            return self.recovery_again(handle, None, None, sent);
        };
        let (recovery, user) = (Secret::new(OPEN), Text::new(&record.account.login));
        let step = RecoveryStep::NewPassword { recovery, user, password_characters_min: CHARACTERS_MIN, problem };
        self.recovery_step(handle, step, sent)
    }

    fn recovery_step(&self, handle: Option<&str>, step: RecoveryStep, sent: Sent) -> Reply {
        let (csrf, cookies) = self.csrf(SIGN_IN_FORM);
        let view = Recovery { csrf: Secret::new(csrf), continuation: handle.map(Secret::new), step, help: None };
        self.page(view, sent, cookies)
    }

    pub(super) async fn recovery(&self, form: &Form) -> Reply {
        let handle = next::handle(form.value(fields::CONTINUATION));
        if form.value(fields::RECOVERY).is_some() {
            return self.finish_recovery(form, handle).await;
        }
        let (user, code) = (form.value(fields::USER), form.value(fields::CODE).unwrap_or_default());
        let event = Event::new("recovery-failed", Action::Execute);
        match self.inner.people.recover(&self.asking(), user.unwrap_or_default(), code) {
            Ok(cookie) => {
                let path = format!("{}?{}={OPEN}", paths::RECOVERY, fields::RECOVERY);
                let rest = handle.map(|handle| format!("&{}={handle}", fields::CONTINUATION)).unwrap_or_default();
                let cookies: Vec<HeaderValue> = cookie.into_iter().collect();
                self.on(path + &rest, cookies).did(Event::new("recovery-begun", Action::Execute))
            }
            Err(error) => self
                .not_in(&error, event, |failed, sent| self.recovery_again(handle, user, Some(failed.of_code()), sent)),
        }
    }

    async fn finish_recovery(&self, form: &Form, handle: Option<&str>) -> Reply {
        let Some(visit) = visit_of(&self.head.headers) else {
            return self.recovery_again(handle, None, None, Sent::Shown);
        };
        let password = match new_password(form) {
            Ok(password) => password,
            Err(problem) => return self.new_password_again(handle, Some(problem), Sent::NotTaken),
        };
        let event = Event::new("recovery-failed", Action::Execute);
        match self.inner.people.finish_recovery(visit, password).await.map_err(problem_of) {
            Ok(account) => {
                let event = self.event("password-recovered", Action::Update, &account);
                let next = Next::SignIn(handle.map(Secret::new));
                self.page(Done { what: DoneWhat::PasswordChanged, next }, Sent::Shown, Vec::new()).did(event)
            }
            Err(Ok(problem)) => self.new_password_again(handle, Some(problem), Sent::NotTaken),
            Err(Err(SignInError::Expired)) => self.recovery_again(handle, None, None, Sent::NotTaken),
            Err(Err(error)) => self.not_in(&error, event, |_, sent| self.new_password_again(handle, None, sent)),
        }
    }

    /// New recovery codes, shown once.
    pub(super) async fn recovery_codes(&self) -> Reply {
        let session = match self.fresh(next::TO_SECURITY) {
            Ok(session) => session,
            Err(reply) => return *reply,
        };
        let event = self.event("recovery-codes-made", Action::Update, &session.account);
        match self.inner.people.new_recovery_codes(session).await {
            Ok(codes) => {
                let codes = codes.into_iter().map(Secret::new).collect();
                self.page(RecoveryCodes { codes, continuation: None }, Sent::Shown, Vec::new()).did(event)
            }
            Err(error) => self.not_changed(error, event),
        }
    }
}
