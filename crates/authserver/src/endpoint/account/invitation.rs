//! Behind the link of an invitation. SPEC: row B26.
//!
//! The secret of the link goes from the address into the visit with the first request, and the browser on to the same
//! page without it: it stands in no page and no later address.

use super::{CHARACTERS_MIN, Reply, SIGN_IN_FORM, Visitor, literal, new_password, next, password::problem_of};
use crate::{event::Event, outcome::page::Sent, people::sign_in::SignInError, people::visit_of};
use audit::entry::{Action, Person};
use oauth::{caller::Role, form::Form};
use pages::{Invitation, InvitationRole, NewPasswordProblem, ProblemWhat, RecoveryCodes, Secret, Text, fields, paths};

/// What stands in the page instead of the link's secret.
const OPEN: &str = "open";

impl Visitor<'_> {
    pub(super) fn invitation_page(&self) -> Reply {
        match self.head.query(fields::INVITATION).filter(|handle| *handle != OPEN) {
            None => self.invitation_again(None, None, Sent::Shown),
            Some(secret) => {
                let event = Event::new("invitation-refused", Action::Execute);
                match self.inner.people.follow_invitation(&self.asking(), secret) {
                    Ok(cookie) => self.on(paths::INVITATION, cookie.into_iter().collect()),
                    Err(SignInError::Expired) => {
                        self.invitation_gone().failed(event, "no such invitation", &Sent::NotFound)
                    }
                    Err(error) => self.not_in(&error, event, |_, sent| self.problem(ProblemWhat::TooMany(1), sent)),
                }
            }
        }
    }

    fn invitation_gone(&self) -> Reply {
        self.problem(ProblemWhat::InvitationGone, Sent::NotFound)
    }

    fn invitation_again(&self, user: Option<&str>, problem: Option<NewPasswordProblem>, sent: Sent) -> Reply {
        let visit = visit_of(&self.head.headers);
        let record = visit.and_then(|visit| self.inner.people.in_invitation(&visit));
        let Some(record) = record else { return self.invitation_gone() };
        let account = &record.account;
        let (csrf, cookies) = self.csrf(SIGN_IN_FORM);
        let view = Invitation {
            csrf: Secret::new(csrf),
            invitation: Secret::new(OPEN),
            name: Text::new(&account.name),
            invited_by: None,
            role: match account.role {
                Role::Patient => InvitationRole::Patient,
                Role::Caregiver => InvitationRole::Caregiver(Vec::new()),
                Role::Clinician => InvitationRole::Clinician,
                Role::PrivacyOfficer => InvitationRole::PrivacyOfficer,
                Role::Administrator => InvitationRole::Administrator,
            },
            needs_code: false,
            user: Some(literal(user.unwrap_or(&account.login))),
            password_characters_min: CHARACTERS_MIN,
            problem,
            providers: self.providers(),
            outside_failed: self.was_outside_in_vain(),
        };
        self.page(view, sent, cookies)
    }

    pub(super) async fn invitation(&self, form: &Form) -> Reply {
        let Some(visit) = visit_of(&self.head.headers) else { return self.invitation_gone() };
        let user = form.value(fields::USER).unwrap_or_default();
        let password = match new_password(form) {
            Ok(password) => password,
            Err(problem) => return self.invitation_again(Some(user), Some(problem), Sent::NotTaken),
        };
        let event = Event::new("invitation-refused", Action::Execute);
        let accepted = self.inner.people.accept_invitation(self.asking(), visit, user, password).await;
        match accepted.map_err(problem_of) {
            Ok(enrolled) => {
                let mut event = Event::new("invitation-accepted", Action::Update);
                let session = enrolled.begun.session;
                event.person = self.inner.people.account(&session.account).map(|account| Person::of(&account.user()));
                event.detail("session", &session.name());
                let to_second = (!session.is_complete).then_some(next::TO_SECURITY);
                let view = RecoveryCodes {
                    codes: enrolled.codes.into_iter().map(Secret::new).collect(),
                    continuation: to_second.map(Secret::new),
                };
                let visitor = Visitor { session: Some(session), head: self.head.again(), waiting: None, ..*self };
                visitor.page(view, Sent::Shown, enrolled.begun.cookies).did(event)
            }
            Err(Ok(problem)) => self.invitation_again(Some(user), Some(problem), Sent::NotTaken),
            Err(Err(SignInError::Expired)) => {
                self.invitation_gone().failed(event, "no such invitation", &Sent::NotFound)
            }
            Err(Err(error)) => self.not_in(&error, event, |_, sent| self.invitation_again(Some(user), None, sent)),
        }
    }
}
