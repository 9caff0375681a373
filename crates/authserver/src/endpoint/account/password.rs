//! A new password for somebody who is signed in. SPEC: row B26.

use super::{CHARACTERS_MIN, Reply, SECURITY_FORM, Visitor, minutes, new_password, next};
use crate::{
    outcome::page::Sent,
    people::{enrol::NewPasswordError, sign_in::SignInError},
};
use audit::entry::Action;
use oauth::form::Form;
use pages::{ChangePassword, NewPasswordProblem, Secret, Text};

/// What a page says of a password that was not taken; the error itself when it is of another kind.
pub(super) fn problem_of(error: NewPasswordError) -> Result<NewPasswordProblem, SignInError> {
    match error {
        NewPasswordError::Short => Ok(NewPasswordProblem::Short),
        NewPasswordError::Common => Ok(NewPasswordProblem::Common),
        NewPasswordError::Breached => Ok(NewPasswordProblem::Breached),
        NewPasswordError::User => Ok(NewPasswordProblem::UserTaken),
        NewPasswordError::SignIn(SignInError::TooMany(limited)) => Ok(NewPasswordProblem::TooMany(minutes(limited))),
        NewPasswordError::SignIn(error) => Err(error),
    }
}

impl Visitor<'_> {
    pub(super) fn password_page(&self) -> Reply {
        self.password_again(None, Sent::Shown)
    }

    fn password_again(&self, problem: Option<NewPasswordProblem>, sent: Sent) -> Reply {
        let session = match self.fresh(next::TO_PASSWORD) {
            Ok(session) => session,
            Err(reply) => return *reply,
        };
        let Some(record) = self.inner.people.record(&session) else { return self.unavailable("no account") };
        let (csrf, cookies) = self.csrf(SECURITY_FORM);
        let view = ChangePassword {
            csrf: Secret::new(csrf),
            user: Text::new(&record.account.login),
            needs_current: false,
            password_characters_min: CHARACTERS_MIN,
            problem,
        };
        self.page(view, sent, cookies)
    }

    pub(super) async fn password(&self, form: &Form) -> Reply {
        let session = match self.fresh(next::TO_PASSWORD) {
            Ok(session) => session,
            Err(reply) => return *reply,
        };
        let password = match new_password(form) {
            Ok(password) => password,
            Err(problem) => return self.password_again(Some(problem), Sent::NotTaken),
        };
        let event = self.event("password-changed", Action::Update, &session.account);
        match self.inner.people.change_password(session, password).await.map_err(problem_of) {
            Ok(()) => self.noticed("password-changed").did(event),
            Err(Ok(problem)) => self.password_again(Some(problem), Sent::NotTaken),
            Err(Err(error)) => self.not_in(&error, event, |_, sent| self.password_again(None, sent)),
        }
    }
}
