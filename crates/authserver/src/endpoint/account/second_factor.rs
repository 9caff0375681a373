//! The second factor: a code of an authenticator app, a recovery code, or a passkey. SPEC: row B26.

use super::{Reply, SIGN_IN_FORM, Visitor, next};
use crate::{event::Event, outcome::page::Sent};
use audit::entry::Action;
use oauth::form::Form;
use pages::{CodeProblem, CodeWay, SecondFactor, Secret, Text, fields};

impl Visitor<'_> {
    pub(super) fn second_factor_page(&self) -> Reply {
        let handle = next::handle(self.head.query(fields::CONTINUATION));
        let way = CodeWay::from_value(self.head.query(fields::WAY).unwrap_or_default());
        self.second_factor_again(handle, way, None, Sent::Shown)
    }

    /// The page, with what was wrong.
    pub(super) fn second_factor_again(
        &self,
        handle: Option<&str>,
        way: CodeWay,
        problem: Option<CodeProblem>,
        sent: Sent,
    ) -> Reply {
        let visit = self.visit_in_second_factor();
        let found = visit.and_then(|visit| Some((visit, self.inner.people.in_second_factor(&visit)?.0)));
        let Some((visit, record)) = found else { return self.on(next::to_sign_in(handle), Vec::new()) };
        let credentials = &record.credentials;
        let has_codes = !credentials.recovery.is_empty() && !credentials.recovered;
        let way = match way {
            CodeWay::Authenticator if credentials.totp.is_none() && has_codes => CodeWay::RecoveryCode,
            way => way,
        };
        let has_other_way = match way {
            CodeWay::Authenticator => has_codes,
            CodeWay::RecoveryCode => credentials.totp.is_some(),
        };
        let ids: Vec<&[u8]> =
            credentials.passkeys.iter().filter(|key| !key.suspended).map(|key| key.id.as_slice()).collect();
        let passkey = if ids.is_empty() { None } else { self.passkey_options(&visit, &ids) };
        let (csrf, cookies) = self.csrf(SIGN_IN_FORM);
        let view = SecondFactor {
            csrf: Secret::new(csrf),
            continuation: Secret::new(handle.unwrap_or_default()),
            user: Text::new(&record.account.login),
            way,
            has_other_way,
            passkey,
            problem,
        };
        self.page(view, sent, cookies)
    }

    pub(super) async fn second_factor(&self, form: &Form) -> Reply {
        let handle = next::handle(form.value(fields::CONTINUATION));
        let way = CodeWay::from_value(form.value(fields::WAY).unwrap_or_default());
        let Some(visit) = self.visit_in_second_factor() else { return self.on(next::to_sign_in(handle), Vec::new()) };
        let is_recovery = way == CodeWay::RecoveryCode;
        let code = form.value(fields::CODE).unwrap_or_default();
        let mut event = Event::new("sign-in-failed", Action::Execute);
        event.detail("method", if is_recovery { "recovery-code" } else { "totp" });
        match self.inner.people.by_code(self.asking(), visit, is_recovery, code).await {
            Ok(begun) => self.signed_in(begun, handle),
            Err(error) => self.not_in(&error, event, |failed, sent| {
                self.second_factor_again(handle, way, Some(failed.of_code()), sent)
            }),
        }
    }
}
