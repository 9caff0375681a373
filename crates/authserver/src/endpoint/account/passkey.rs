//! Passkeys: signing in with one, adding one, taking one away. SPEC: WebAuthn level 3 section 5; row B26.

use super::{Failed, Reply, SECURITY_FORM, Visitor, literal, next};
use crate::{
    event::Event,
    outcome::page::Sent,
    people::{change::ChangeError, passkey_algorithms, sign_in::PasskeyAnswer},
};
use audit::entry::Action;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth::form::Form;
use pages::{CodeProblem, CodeWay, Passkey, ProblemWhat, Secret, SignInReason, Text, fields, paths};
use serde_json::{Value, json};

/// A part of the credential that the script sends, decoded.
fn part(credential: &Value, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(credential.pointer(name)?.as_str()?).ok()
}

fn answer(text: Option<&str>) -> Option<PasskeyAnswer> {
    let credential: Value = serde_json::from_str(text?).ok()?;
    Some(PasskeyAnswer {
        id: part(&credential, "/rawId")?,
        client_data: part(&credential, "/response/clientDataJSON")?,
        authenticator_data: part(&credential, "/response/authenticatorData")?,
        signature: part(&credential, "/response/signature")?,
        user_handle: part(&credential, "/response/userHandle"),
    })
}

impl Visitor<'_> {
    pub(super) async fn passkey_sign_in(&self, form: &Form) -> Reply {
        let handle = next::handle(form.value(fields::CONTINUATION));
        let second = self.visit_in_second_factor();
        let people = &self.inner.people;
        let mut event = Event::new("sign-in-failed", Action::Execute);
        event.detail("method", "passkey");
        let again = |failed: Failed, sent: Sent| match (second, failed) {
            (Some(_), Failed::Wrong) => {
                self.second_factor_again(handle, CodeWay::Authenticator, Some(CodeProblem::PasskeyFailed), sent)
            }
            (Some(_), failed) => self.second_factor_again(handle, CodeWay::Authenticator, Some(failed.of_code()), sent),
            (None, Failed::Wrong) => self.sign_in_again(handle, None, Some(SignInReason::PasskeyFailed), sent),
            (None, Failed::TooMany(minutes)) => {
                self.sign_in_again(handle, None, Some(SignInReason::TooMany(minutes)), sent)
            }
        };
        let browser = second.or_else(|| people.browser_of(&self.head.headers));
        let (Some(answer), Some(browser)) = (answer(form.value(fields::CREDENTIAL)), browser) else {
            let reply = again(Failed::Wrong, Sent::Refused);
            return reply.failed(event, "the passkey's answer is malformed", &Sent::Refused);
        };
        match people.by_passkey(self.asking(), browser, answer).await {
            Ok(begun) => self.signed_in(begun, handle),
            Err(error) => self.not_in(&error, event, again),
        }
    }

    pub(super) fn passkey_page(&self) -> Reply {
        self.passkey_again(next::handle(self.head.query(fields::CONTINUATION)), false, Sent::Shown)
    }

    fn passkey_again(&self, handle: Option<&str>, has_failed: bool, sent: Sent) -> Reply {
        let session = match self.fresh(next::TO_PASSKEY) {
            Ok(session) => session,
            Err(reply) => return *reply,
        };
        let people = &self.inner.people;
        let (Some(record), Some(challenge)) = (people.record(&session), people.passkey_add_challenge(&session)) else {
            return self.unavailable("no challenge for a passkey");
        };
        let host = people.passkey_host();
        let known = record.credentials.passkeys.iter();
        let options = json!({
            "rp": { "id": host, "name": self.inner.facility },
            "user": {
                "id": URL_SAFE_NO_PAD.encode(record.account.id.as_bytes()),
                "name": &*record.account.login,
                "displayName": &*record.account.name,
            },
            "challenge": URL_SAFE_NO_PAD.encode(challenge),
            "pubKeyCredParams": passkey_algorithms().map(|alg| json!({ "type": "public-key", "alg": alg })),
            "excludeCredentials": known
                .map(|key| json!({ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(&key.id) }))
                .collect::<Vec<_>>(),
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": true,
                "userVerification": "required",
            },
            "attestation": "none",
            "timeout": crate::limits::people::CHALLENGE_LIFE_S * 1000,
        });
        let (csrf, cookies) = self.csrf(SECURITY_FORM);
        let view = Passkey {
            csrf: Secret::new(csrf),
            continuation: handle.map(Secret::new),
            options: Secret::new(options.to_string()),
            name: session.device.as_deref().map(Text::new),
            has_failed,
        };
        self.page(view, sent, cookies)
    }

    pub(super) async fn passkey_add(&self, form: &Form) -> Reply {
        let handle = next::handle(form.value(fields::CONTINUATION));
        let session = match self.fresh(next::TO_PASSKEY) {
            Ok(session) => session,
            Err(reply) => return *reply,
        };
        if form.value(fields::DECISION) == Some(fields::LATER) {
            // Who needs a second factor sets up the other one.
            let on = match (session.is_complete, handle) {
                (false, handle) => next::with_handle(paths::AUTHENTICATOR, handle),
                (true, None) => paths::SECURITY.to_owned(),
                (true, handle) => next::after(self.inner, &session, handle),
            };
            return self.on(on, Vec::new());
        }
        let event = self.event("passkey-added", Action::Update, &session.account);
        let credential: Option<Value> = form.value(fields::CREDENTIAL).and_then(|text| serde_json::from_str(text).ok());
        let parts = credential.and_then(|credential| {
            Some((part(&credential, "/response/clientDataJSON")?, part(&credential, "/response/attestationObject")?))
        });
        let Some((client_data, object)) = parts else {
            let reply = self.passkey_again(handle, true, Sent::NotTaken);
            return reply.failed(event, "the passkey's answer is malformed", &Sent::NotTaken);
        };
        let name = form.value(fields::NAME).unwrap_or_default();
        let people = &self.inner.people;
        match people.add_passkey(self.asking(), session, client_data, object, name).await {
            Ok(begun) => self.set_up(begun, handle, "passkey-added").did(event),
            Err(ChangeError::Unavailable(why)) => {
                self.unavailable(&why).failed(event, "unavailable", &Sent::Unavailable)
            }
            Err(why) => {
                let reply = self.passkey_again(handle, true, Sent::NotTaken);
                reply.failed(event, &format!("{why:?}"), &Sent::NotTaken)
            }
        }
    }

    pub(super) async fn passkey_remove(&self, form: &Form) -> Reply {
        let session = match self.fresh(next::TO_SECURITY) {
            Ok(session) => session,
            Err(reply) => return *reply,
        };
        let mut event = self.event("passkey-removed", Action::Update, &session.account);
        let handle = literal(form.value(fields::PASSKEY).unwrap_or_default());
        match self.inner.people.remove_passkey(session, handle.as_str().to_owned()).await {
            Ok(name) => {
                event.detail("name", &name);
                self.noticed("passkey-removed").did(event)
            }
            Err(error) => self.not_changed(error, event),
        }
    }

    /// Why something was not changed, on the security page.
    pub(super) fn not_changed(&self, error: ChangeError, event: Event) -> Reply {
        match error {
            ChangeError::LastWayIn => {
                self.noticed("last-way-in").failed(event, "it is the last way in", &Sent::NotTaken)
            }
            ChangeError::Gone => self.noticed(""),
            ChangeError::Unavailable(why) => self.unavailable(&why).failed(event, "unavailable", &Sent::Unavailable),
            ChangeError::TooMany => {
                let reply = self.problem(ProblemWhat::NotAllowed, Sent::NotTaken);
                reply.failed(event, "as many as there may be", &Sent::NotTaken)
            }
            ChangeError::Wrong(why) => {
                let reply = self.problem(ProblemWhat::NotAllowed, Sent::NotTaken);
                reply.failed(event, &why, &Sent::NotTaken)
            }
        }
    }
}
