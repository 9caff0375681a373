//! The security page: what somebody signs in with, and where they are signed in. SPEC: row B26.

use super::{Reply, SECURITY_FORM, Visitor, literal, next};
use crate::outcome::page::Sent;
use audit::entry::Action;
use oauth::form::Form;
use pages::{Date, Moment, PasskeyFacts, Secret, Security, SecurityNotice, SessionFacts, Text, fields, limits, paths};

/// The query parameter that says what has just been done.
const NOTICE: &str = "notice";

fn notice(word: &str) -> Option<SecurityNotice> {
    Some(match word {
        "passkey-added" => SecurityNotice::PasskeyAdded,
        "passkey-removed" => SecurityNotice::PasskeyRemoved,
        "password-changed" => SecurityNotice::PasswordChanged,
        "authenticator-added" => SecurityNotice::AuthenticatorAdded,
        "authenticator-removed" => SecurityNotice::AuthenticatorRemoved,
        "sessions-ended" => SecurityNotice::SessionsEnded,
        "last-way-in" => SecurityNotice::LastWayIn,
        _ => return None,
    })
}

impl Visitor<'_> {
    /// On to the security page, which says what has just been done.
    pub(super) fn noticed(&self, word: &'static str) -> Reply {
        let path =
            if word.is_empty() { paths::SECURITY.to_owned() } else { format!("{}?{NOTICE}={word}", paths::SECURITY) };
        self.on(path, Vec::new())
    }

    pub(super) fn security_page(&self) -> Reply {
        let people = &self.inner.people;
        let found = self.session.as_ref().and_then(|session| Some((session, people.record(session)?)));
        let Some((session, record)) = found else {
            return self.on(next::to_sign_in(Some(next::TO_SECURITY)), Vec::new());
        };
        if !session.is_complete {
            return self.on(next::after(self.inner, session, Some(next::TO_SECURITY)), Vec::new());
        }
        let credentials = &record.credentials;
        let passkeys = credentials.passkeys.iter().map(|passkey| PasskeyFacts {
            id: literal(&passkey.handle()),
            name: Text::new(&passkey.name),
            since: Date::from_unix(passkey.created_s),
            last_used: passkey.used_s.map(|used_s| Moment::from_unix(used_s, 0)),
        });
        let mut sessions: Vec<SessionFacts> = people
            .sessions_of(&session.account)
            .into_iter()
            .map(|listed| SessionFacts {
                id: literal(&listed.session.name()),
                device: listed.session.device.as_deref().map(Text::new),
                began: Moment::from_unix(listed.session.began_s, 0),
                last_used: Moment::from_unix(listed.seen_s, 0),
                is_this: listed.session.hash == session.hash,
            })
            .take(limits::ROWS_MAX)
            .collect();
        sessions.sort_by_key(|session| !session.is_this);
        let (csrf, _) = self.csrf(SECURITY_FORM);
        let view = Security {
            csrf: Secret::new(csrf),
            user: Text::new(&record.account.login),
            passkeys: passkeys.collect(),
            password_since: credentials.password.as_ref().map(|_| Date::from_unix(credentials.password_since_s)),
            authenticator_since: credentials.totp.as_ref().map(|totp| Date::from_unix(totp.since_s)),
            outside: self.outside_facts(&credentials.outside),
            recovery_codes_left: u32::try_from(credentials.recovery.len()).unwrap_or(u32::MAX),
            sessions,
            notice: self.head.query(NOTICE).and_then(notice),
        };
        self.place(view, Sent::Shown)
    }

    pub(super) async fn session_end(&self, form: &Form) -> Reply {
        let Some(session) = self.session.clone() else {
            return self.on(next::to_sign_in(Some(next::TO_SECURITY)), Vec::new());
        };
        let mut event = self.event("sessions-ended", Action::Update, &session.account);
        let name = form.value(fields::SESSION).filter(|name| *name != fields::OTHERS).map(str::to_owned);
        event.detail("session", name.as_deref().unwrap_or("others"));
        match self.inner.people.end_sessions(session, name).await {
            Ok(count) => {
                event.detail("count", &count.to_string());
                self.noticed("sessions-ended").did(event)
            }
            Err(error) => self.not_changed(error, event),
        }
    }
}
