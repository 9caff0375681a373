//! Signing in through an outside provider: what is begun and comes back, and whose account a subject is. SPEC: OpenID
//! Connect Core section 3.1.2; RFC 6749 section 10.12; issue 5 item 2.
//!
//! A provider vouches for a subject, never for an account: the operator binds one to the other, or whoever holds the
//! account's invitation does. An e-mail address binds nothing. What is begun is not kept: `state` is random and has a tag
//! over the browser (its visit or session) and the handle of what waits, which stands in a cookie; nonce and verifier are
//! made from it. It is good for one browser, for minutes and once.

use super::{
    People,
    account::{Account, AccountError, State},
    cookie,
    credentials::{Credentials, Hash, OutsideIdentity},
    enrol::NewPasswordError,
    session::Method,
    sign_in::{Asking, Begun, SignInError, Step, blocking},
    visit::Stage,
};
use crate::{limits::people as limits, random};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};
use oauth::{
    openid_provider::{self, Person},
    secret::Secret,
};
use std::sync::Arc;

/// Random bytes of a state; its end and its kind follow, then the tag.
const NONCE: usize = 16;

/// The word by which a provider says that it asked for two factors. SPEC: RFC 8176.
const MFA: &str = "mfa";

/// What somebody went to the provider for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    /// To sign in.
    SignIn,
    /// To prove again who they are.
    Again,
    /// To take up the account that the visit is invited to.
    Invitation,
    /// To sign in, at a provider that an app named (UDAP).
    Tiered,
}

impl Errand {
    const ALL: [Self; 4] = [Self::SignIn, Self::Again, Self::Invitation, Self::Tiered];

    const fn byte(self) -> u8 {
        match self {
            Self::SignIn => 0,
            Self::Again => 1,
            Self::Invitation => 2,
            Self::Tiered => 3,
        }
    }
}

/// Somebody on the way to the provider and back.
pub(crate) struct Errant {
    /// What the provider's answer is held against.
    pub(crate) begun: openid_provider::Begun,
    /// What for.
    pub(crate) errand: Errand,
    /// Where they go then.
    pub(crate) handle: Option<String>,
    /// Seconds since they left.
    pub(crate) away_s: i64,
}

impl People {
    /// Sends somebody off: what goes to the provider, and the cookie that says where they go then.
    pub(crate) fn go_outside(
        &self,
        browser: &Hash,
        errand: Errand,
        handle: Option<&str>,
        issuer: &str,
    ) -> Option<(openid_provider::Begun, Option<HeaderValue>)> {
        let handle = handle.unwrap_or_default();
        let mut state = random::bytes::<NONCE>().ok()?.to_vec();
        state.extend((self.now_s() + limits::SIGN_IN_S).to_be_bytes());
        state.push(errand.byte());
        state.extend(self.seal.tag("outside state", &[browser, &state, handle.as_bytes()]));
        let cookie =
            if handle.is_empty() { cookie::gone(cookie::OUTSIDE) } else { cookie::of_session(cookie::OUTSIDE, handle) };
        Some((self.begun_of(browser, &state, issuer), cookie))
    }

    /// Whoever comes back with this state, when it was this browser that left with it. It counts once.
    pub(crate) fn back_from_outside(&self, headers: &HeaderMap, state: &str, issuer: &str) -> Option<Errant> {
        let browser = self.browser_of(headers)?;
        let state = URL_SAFE_NO_PAD.decode(state).ok()?;
        let (told, tag) = state.split_at_checked(NONCE + 8 + 1)?;
        let handle = cookie::value(headers, cookie::OUTSIDE).unwrap_or_default();
        let expected = self.seal.tag("outside state", &[&browser, told, handle.as_bytes()]);
        verify_slices_are_equal(&expected, tag).ok()?;
        let ends_s = i64::from_be_bytes(*told.get(NONCE..)?.first_chunk::<8>()?);
        let now_s = self.now_s();
        if ends_s <= now_s || !self.errands.use_once(&state, now_s) {
            return None;
        }
        let errand = Errand::ALL.into_iter().find(|errand| told.last() == Some(&errand.byte()))?;
        Some(Errant {
            begun: self.begun_of(&browser, &state, issuer),
            errand,
            handle: (!handle.is_empty()).then(|| handle.to_owned()),
            away_s: now_s - (ends_s - limits::SIGN_IN_S),
        })
    }

    fn begun_of(&self, browser: &Hash, state: &[u8], issuer: &str) -> openid_provider::Begun {
        let made = |purpose| Secret::new(URL_SAFE_NO_PAD.encode(self.seal.tag(purpose, &[browser, state])));
        openid_provider::Begun {
            issuer: issuer.to_owned(),
            state: Secret::new(URL_SAFE_NO_PAD.encode(state)),
            nonce: made("outside nonce"),
            verifier: made("outside verifier"),
        }
    }

    /// Signs in whoever the provider vouched for, when an account is bound to that subject. A second factor of the account
    /// itself is due all the same, unless the provider says that it asked for two.
    pub(crate) async fn by_outside(self: &Arc<Self>, asking: Asking, person: Person) -> Result<Step, SignInError> {
        let people = Arc::clone(self);
        blocking(move || {
            let record = people.accounts.of_outside(&person.issuer, &person.subject);
            let id = record.as_ref().map(|record| Arc::clone(&record.account.id));
            let record = record.filter(|record| record.account.state == State::Active);
            let record = record.ok_or_else(|| {
                SignInError::Wrong("no account in use is bound to this subject of the OpenID provider".into(), id)
            })?;
            let method = method_of(&person);
            if method == Method::Outside && record.credentials.has_second_factor() {
                return people.after_first(&asking, &record, method);
            }
            let authenticated_at_s = person.authenticated_at_s.min(people.now_s());
            Ok(Step::In(people.begin_at(&asking, &record, vec![method], authenticated_at_s)?))
        })
        .await
    }

    /// Takes an account up: the subject is what it is signed in with, and nothing that was there before. Uses the
    /// invitation up.
    pub(crate) async fn accept_invitation_outside(
        self: &Arc<Self>,
        asking: Asking,
        visit: Hash,
        person: Person,
    ) -> Result<Begun, NewPasswordError> {
        let people = Arc::clone(self);
        blocking(move || {
            let Some(pending) = people.visits.take(&visit) else { return Err(SignInError::Expired.into()) };
            let Stage::Invitation { invitation } = pending.stage.clone() else {
                return Err(SignInError::Expired.into());
            };
            let id = Arc::clone(&pending.account);
            let now_s = people.now_s();
            let taken = people.accounts.change(&id, |row| {
                // Of two that hold the link, one has it.
                let open = row.credentials.invitation.filter(|open| open.hash == invitation && open.ends_s > now_s);
                if open.is_none() || row.account.state == State::Disabled {
                    return Err(NewPasswordError::from(SignInError::Expired));
                }
                row.credentials = Credentials { outside: vec![identity(&person, now_s)], ..Default::default() };
                row.set_state(State::Active);
                Ok(row.clone())
            });
            let row = match taken {
                Ok(row) => row,
                Err(error) => {
                    // Somebody else's subject: the page may be tried again otherwise.
                    people.visits.begin(visit, pending.account, pending.stage, now_s);
                    return Err(error);
                }
            };
            people.sessions.end_all(&id, None)?;
            let authenticated_at_s = person.authenticated_at_s.min(now_s);
            Ok(people.begin_at(&asking, &row, vec![method_of(&person)], authenticated_at_s)?)
        })
        .await
    }

    /// Binds a subject to an account, as the operator says. An account that nobody had taken up is in use then, and its
    /// invitation void. `record` writes the audit entry.
    pub(crate) fn bind_outside(
        &self,
        id: &str,
        issuer: &str,
        subject: &str,
        record: &mut dyn FnMut(&Account) -> Result<(), AccountError>,
    ) -> Result<(), AccountError> {
        let is_issuer = issuer.starts_with("https://") && issuer.len() <= limits::OUTSIDE_BYTES_MAX;
        let is_subject = !subject.trim().is_empty() && subject.len() <= limits::OUTSIDE_BYTES_MAX;
        if !is_issuer || !is_subject || [issuer, subject].iter().any(|text| text.contains(char::is_control)) {
            return Err(AccountError::Invalid("an issuer is an https URL, a subject 1 to 255 bytes".into()));
        }
        let since_s = self.now_s();
        self.accounts.change(id, |row| {
            if row.account.state == State::Disabled {
                return Err(AccountError::Invalid("the account is disabled; enable it first".into()));
            }
            let outside = &mut row.credentials.outside;
            if outside.iter().any(|known| &*known.issuer == issuer && &*known.subject == subject) {
                return Err(AccountError::Invalid("the account is bound to this subject already".into()));
            }
            if outside.len() >= limits::ACCOUNT_OUTSIDE_MAX {
                return Err(AccountError::Invalid("an account is bound to 5 subjects at most".into()));
            }
            outside.push(OutsideIdentity { issuer: issuer.into(), subject: subject.into(), since_s });
            record(&row.account)?;
            if row.account.state == State::Invited {
                row.credentials.invitation = None;
                row.set_state(State::Active);
            }
            Ok(())
        })
    }

    /// Takes all subjects from an account, and ends its sessions; how many there were.
    pub(crate) fn unbind_outside(
        &self,
        id: &str,
        record: &mut dyn FnMut(&Account) -> Result<(), AccountError>,
    ) -> Result<usize, AccountError> {
        let count = self.accounts.change(id, |row| {
            record(&row.account)?;
            let count = row.credentials.outside.len();
            row.credentials.outside.clear();
            if row.account.state == State::Active && row.credentials.is_empty() {
                row.set_state(State::Invited);
            }
            Ok::<_, AccountError>(count)
        })?;
        self.sessions.end_all(id, None)?;
        Ok(count)
    }
}

fn identity(person: &Person, since_s: i64) -> OutsideIdentity {
    OutsideIdentity { issuer: person.issuer.as_str().into(), subject: person.subject.as_str().into(), since_s }
}

fn method_of(person: &Person) -> Method {
    if person.amr.iter().any(|word| word == MFA) { Method::OutsideTwoFactors } else { Method::Outside }
}
