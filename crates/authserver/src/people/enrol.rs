//! Getting in for the first time, or again: invitations and the way back with a recovery code. SPEC: row B26; NIST SP
//! 800-63B-4 section 4.2.

use super::{
    People, account,
    account::{AccountError, Record, State},
    breached::Weak,
    cookie,
    credentials::{self, Hash},
    password::{Busy, Password},
    recovery,
    session::Method,
    sign_in::{Asking, Begun, SignInError, blocking},
    visit::{self, Stage},
};
use http::HeaderValue;
use std::sync::Arc;

/// Why a new password, or what goes with it, was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NewPasswordError {
    /// Too few characters.
    Short,
    /// What anybody would guess, or over the limit.
    Common,
    /// On the operator's list.
    Breached,
    /// The user name is another's, or is none.
    User,
    /// As when signing in.
    SignIn(SignInError),
}

impl<E: Into<SignInError>> From<E> for NewPasswordError {
    fn from(error: E) -> Self {
        Self::SignIn(error.into())
    }
}

impl From<Weak> for NewPasswordError {
    fn from(weak: Weak) -> Self {
        match weak {
            Weak::Short => Self::Short,
            Weak::Common => Self::Common,
            Weak::Breached => Self::Breached,
        }
    }
}

/// An account that was just taken up.
pub(crate) struct Enrolled {
    /// Signed in.
    pub(crate) begun: Begun,
    /// Recovery codes, to be shown once.
    pub(crate) codes: Vec<String>,
}

impl People {
    /// The link of an invitation was followed: remembered for this visit, whose cookie comes back, so that the link's
    /// secret need not stand in the page. The invitation is not used up yet: programs that look at mails follow links.
    pub(crate) fn follow_invitation(&self, asking: &Asking, secret: &str) -> Result<Option<HeaderValue>, SignInError> {
        self.throttle.unguessable(asking.address, self.now_ms())?;
        let invitation = credentials::hash(secret);
        let record = self.invited(&invitation).ok_or(SignInError::Expired)?;
        self.throttle.unguessable_was_right(asking.address);
        self.begin_visit(Arc::clone(&record.account.id), Stage::Invitation { invitation })
    }

    /// Whom the invitation of this visit is for.
    pub(crate) fn in_invitation(&self, visit: &Hash) -> Option<Arc<Record>> {
        let pending = self.visits.get(visit, self.now_s())?;
        let Stage::Invitation { invitation } = pending.stage else { return None };
        self.invited(&invitation).filter(|record| record.account.id == pending.account)
    }

    fn invited(&self, invitation: &Hash) -> Option<Arc<Record>> {
        let record = self.accounts.of_invitation(invitation)?;
        let open = record.credentials.invitation.as_ref()?;
        (open.ends_s > self.now_s() && record.account.state != State::Disabled).then_some(record)
    }

    /// Takes the account up: with this user name and password, and nothing that was there before. Uses the invitation up.
    pub(crate) async fn accept_invitation(
        self: &Arc<Self>,
        asking: Asking,
        visit: Hash,
        typed_login: &str,
        password: Option<Password>,
    ) -> Result<Enrolled, NewPasswordError> {
        let record = self.in_invitation(&visit).ok_or(SignInError::Expired)?;
        let login = account::login(typed_login).ok_or(NewPasswordError::User)?;
        let names = [login.as_str(), &record.account.login, &record.account.name, &self.party.id];
        let hash = self.hashed(password, &names).await?;
        let codes = recovery::codes().map_err(|_| SignInError::Unavailable("no randomness".into()))?;
        let people = Arc::clone(self);
        blocking(move || {
            let Some(pending) = people.visits.take(&visit) else { return Err(SignInError::Expired.into()) };
            let Stage::Invitation { invitation } = pending.stage.clone() else {
                return Err(SignInError::Expired.into());
            };
            let id = Arc::clone(&record.account.id);
            let now_s = people.now_s();
            let taken = people.accounts.change(&id, |row| {
                // Of two that hold the link, one has it.
                let open = row.credentials.invitation.filter(|open| open.hash == invitation && open.ends_s > now_s);
                if open.is_none() || row.account.state == State::Disabled {
                    return Err(NewPasswordError::from(SignInError::Expired));
                }
                let hashes = codes.iter().map(|code| recovery::hash(&id, code));
                row.credentials = credentials::Credentials {
                    password: Some(hash),
                    password_since_s: now_s,
                    recovery: hashes.collect(),
                    ..Default::default()
                };
                row.set_login(&login);
                row.set_state(State::Active);
                Ok(row.clone())
            });
            let row = match taken {
                Ok(row) => row,
                Err(error) => {
                    // The page may be tried again with another name.
                    let is_taken = matches!(&error, NewPasswordError::SignIn(SignInError::Wrong(why, _))
                        if *why == AccountError::Taken.to_string());
                    if is_taken && people.visits.begin(visit, pending.account, pending.stage, now_s) {
                        return Err(NewPasswordError::User);
                    }
                    return Err(error);
                }
            };
            people.sessions.end_all(&id, None)?;
            let begun = people.begin(&asking, &row, vec![Method::Password])?;
            Ok(Enrolled { begun, codes })
        })
        .await
    }

    /// A user name and a recovery code of a person who lost the password: what comes back is the cookie of the visit in
    /// which a new one may be set. The code is used up with that.
    pub(crate) fn recover(&self, asking: &Asking, typed: &str, code: &str) -> Result<Option<HeaderValue>, SignInError> {
        self.throttle.unguessable(asking.address, self.now_ms())?;
        let record = account::login(typed).and_then(|login| self.accounts.of_login(&login));
        // The same work for nobody.
        let id = record.as_ref().map_or("", |record| &record.account.id);
        let code = recovery::hash(id, code);
        let fits = |record: &&Arc<Record>| {
            record.account.state == State::Active && record.credentials.recovery.contains(&code)
        };
        let wrong = || SignInError::Wrong("user name or recovery code is wrong".into(), None);
        let account = Arc::clone(&record.as_ref().filter(fits).ok_or_else(wrong)?.account.id);
        self.throttle.unguessable_was_right(asking.address);
        self.begin_visit(account, Stage::NewPassword { code })
    }

    /// Whose password this visit may set.
    pub(crate) fn in_recovery(&self, visit: &Hash) -> Option<Arc<Record>> {
        let pending = self.visits.get(visit, self.now_s())?;
        matches!(pending.stage, Stage::NewPassword { .. }).then(|| self.accounts.get(&pending.account))?
    }

    /// Sets the new password, uses the code up, ends all sessions. The account's id comes back; it is not signed in.
    pub(crate) async fn finish_recovery(
        self: &Arc<Self>,
        visit: Hash,
        password: Option<Password>,
    ) -> Result<Arc<str>, NewPasswordError> {
        let record = self.in_recovery(&visit).ok_or(SignInError::Expired)?;
        let hash = self.hashed(password, &[&record.account.login, &record.account.name, &self.party.id]).await?;
        let people = Arc::clone(self);
        blocking(move || {
            let pending = people.visits.take(&visit).ok_or(SignInError::Expired)?;
            let Stage::NewPassword { code } = pending.stage else { return Err(SignInError::Expired.into()) };
            let id = pending.account;
            let now_s = people.now_s();
            people.accounts.change(&id, |row| {
                let credentials = &mut row.credentials;
                let at = credentials.recovery.iter().position(|kept| *kept == code);
                let at = at.filter(|_| row.account.state == State::Active).ok_or(SignInError::Expired)?;
                credentials.recovery.remove(at);
                credentials.password = Some(hash);
                credentials.password_since_s = now_s;
                credentials.recovered = true;
                credentials.devices.clear();
                Ok::<_, NewPasswordError>(())
            })?;
            people.sessions.end_all(&id, None)?;
            Ok(id)
        })
        .await
    }

    fn begin_visit(&self, account: Arc<str>, stage: Stage) -> Result<Option<HeaderValue>, SignInError> {
        let (secret, hash) = visit::new().map_err(|_| SignInError::Unavailable("no randomness".into()))?;
        if !self.visits.begin(hash, account, stage, self.now_s()) {
            return Err(SignInError::Busy);
        }
        Ok(cookie::of_session(cookie::VISIT, &secret))
    }

    /// The hash of a new password that passes the rules.
    pub(super) async fn hashed(
        self: &Arc<Self>,
        password: Option<Password>,
        names: &[&str],
    ) -> Result<super::password::PasswordHash, NewPasswordError> {
        let password = password.ok_or(NewPasswordError::Common)?;
        let (people, looked_at) = (Arc::clone(self), password.clone());
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let fine = blocking(move || {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            Ok::<_, SignInError>(people.rules.check(&looked_at, &names))
        });
        fine.await??;
        let hash = self.hasher.hash(password).await.map_err(|Busy| SignInError::Busy)?;
        Ok(hash.ok_or_else(|| SignInError::Unavailable("a password could not be hashed".into()))?)
    }
}
