//! What a person who is signed in changes of what they sign in with. SPEC: row B26; NIST SP 800-63B-4 section 4.
//!
//! Whoever calls has seen to it that the session is fresh. The last way in stays, and so does the second factor of an
//! account that needs two.

use super::{
    People,
    account::{AccountError, Record},
    challenge::{self, Purpose},
    credentials::{Hash, Totp},
    enrol::NewPasswordError,
    passkey::{Passkey, PasskeyError, registration},
    password::Password,
    recovery,
    session::{Listed, Method, Session},
    sign_in::{Asking, Begun, SignInError, blocking},
    totp,
    visit::Stage,
};
use crate::limits::people as limits;
use std::sync::Arc;

/// Why something was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChangeError {
    /// It is the last way in, or the second factor of an account that needs two.
    LastWayIn,
    /// There are as many as there may be.
    TooMany,
    /// A wrong code or answer; why, for the audit entry.
    Wrong(String),
    /// What was begun took too long, or there is no such thing.
    Gone,
    /// A table fails; for the log.
    Unavailable(String),
}

impl From<AccountError> for ChangeError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Unavailable(why) => Self::Unavailable(why),
            other => Self::Wrong(other.to_string()),
        }
    }
}

impl From<crate::tables::Unavailable> for ChangeError {
    fn from(error: crate::tables::Unavailable) -> Self {
        Self::Unavailable(error.0)
    }
}

impl From<SignInError> for ChangeError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Wrong(why, _) => Self::Wrong(why),
            SignInError::Expired => Self::Gone,
            SignInError::TooMany(_) | SignInError::Busy => Self::Unavailable("too many at once".into()),
            SignInError::Unavailable(why) => Self::Unavailable(why),
        }
    }
}

/// What an authenticator app is to be told, shown while it is set up.
pub(crate) struct Setup {
    /// `otpauth://…`.
    pub(crate) uri: String,
    /// The seed in base32.
    pub(crate) key: String,
}

impl People {
    /// All of an account, for its own page.
    pub(crate) fn record(&self, session: &Session) -> Option<Arc<Record>> {
        self.accounts.get(&session.account)
    }

    /// Where somebody is signed in, the last used first.
    pub(crate) fn sessions_of(&self, account: &str) -> Vec<Listed> {
        self.sessions.of_account(account, self.now_s())
    }

    /// Ends one session of this account by its name, or all but this one; how many.
    pub(crate) async fn end_sessions(
        self: &Arc<Self>,
        session: Arc<Session>,
        name: Option<String>,
    ) -> Result<usize, ChangeError> {
        let people = Arc::clone(self);
        blocking(move || {
            let Some(name) = name else { return Ok(people.sessions.end_all(&session.account, Some(&session.hash))?) };
            let own = people.sessions_of(&session.account);
            let found = own.iter().find(|listed| listed.session.name() == name).ok_or(ChangeError::Gone)?;
            people.sessions.end(&found.session.hash)?;
            Ok(1)
        })
        .await
    }

    /// Ends the session in hand: it is signed out.
    pub(crate) async fn sign_out(self: &Arc<Self>, hash: Hash) -> Result<(), ChangeError> {
        let people = Arc::clone(self);
        blocking(move || Ok(people.sessions.end(&hash)?)).await
    }

    /// Sets a new password; all other sessions end, and other devices are no longer known.
    pub(crate) async fn change_password(
        self: &Arc<Self>,
        session: Arc<Session>,
        password: Option<Password>,
    ) -> Result<(), NewPasswordError> {
        let record = self.record(&session).ok_or(SignInError::Expired)?;
        let hash = self.hashed(password, &[&record.account.login, &record.account.name, &self.party.id]).await?;
        let people = Arc::clone(self);
        blocking(move || {
            let now_s = people.now_s();
            people.accounts.change(&session.account, |row| {
                row.credentials.password = Some(hash);
                row.credentials.password_since_s = now_s;
                row.credentials.devices.clear();
                Ok::<_, SignInError>(())
            })?;
            people.sessions.end_all(&session.account, Some(&session.hash))?;
            Ok(())
        })
        .await
    }

    /// A challenge for adding a passkey in this session.
    pub(crate) fn passkey_add_challenge(&self, session: &Session) -> Option<Vec<u8>> {
        challenge::new(&self.seal, Purpose::Add, &session.hash, self.now_s()).ok()
    }

    /// Adds a passkey. A session that was not complete is replaced by one that is: making a passkey shows it.
    pub(crate) async fn add_passkey(
        self: &Arc<Self>,
        asking: Asking,
        session: Arc<Session>,
        client_data: Vec<u8>,
        attestation_object: Vec<u8>,
        name: &str,
    ) -> Result<Option<Begun>, ChangeError> {
        let name: String = name.trim().chars().filter(|c| !c.is_control()).collect();
        if name.len() > limits::PASSKEY_NAME_BYTES_MAX {
            return Err(ChangeError::Wrong("the name is too long".into()));
        }
        let name: Arc<str> = if name.is_empty() { "Passkey".into() } else { name.into() };
        let people = Arc::clone(self);
        blocking(move || {
            let now_s = people.now_s();
            let wrong = |why: PasskeyError| ChangeError::Wrong(why.to_string());
            let challenge = challenge::named_in(&client_data, &people.seal, Purpose::Add, &session.hash, now_s)
                .ok_or_else(|| wrong(PasskeyError::Challenge))?;
            let answer = registration::Answer { client_data: &client_data, attestation_object: &attestation_object };
            let passkey = registration::verify(&answer, &challenge, &people.party, name, now_s).map_err(wrong)?;
            if !people.challenges.use_once(&challenge, now_s) {
                return Err(wrong(PasskeyError::Challenge));
            }
            let row = people.accounts.change(&session.account, |row| {
                let passkeys = &mut row.credentials.passkeys;
                if passkeys.len() >= limits::ACCOUNT_PASSKEYS_MAX {
                    return Err(ChangeError::TooMany);
                }
                if passkeys.iter().any(|known| known.id == passkey.id) {
                    return Err(ChangeError::Wrong("the passkey is there already".into()));
                }
                passkeys.push(passkey);
                Ok(row.clone())
            })?;
            people.completed(&asking, &session, &row, Method::Passkey)
        })
        .await
    }

    /// Removes a passkey by its handle.
    pub(crate) async fn remove_passkey(
        self: &Arc<Self>,
        session: Arc<Session>,
        handle: String,
    ) -> Result<Arc<str>, ChangeError> {
        let people = Arc::clone(self);
        blocking(move || {
            people.accounts.change(&session.account, |row| {
                let passkeys = &mut row.credentials.passkeys;
                let at = passkeys.iter().position(|passkey| passkey.handle() == handle).ok_or(ChangeError::Gone)?;
                let Passkey { name, .. } = passkeys.remove(at);
                may_go(row).map(|()| name)
            })
        })
        .await
    }

    /// Begins to set up an authenticator app: the same seed until it is done or took too long.
    pub(crate) fn begin_authenticator(&self, session: &Session) -> Option<Setup> {
        let now_s = self.now_s();
        let (account, record) = (&session.account, self.record(session)?);
        let under_way = self.visits.get(&session.hash, now_s).and_then(|pending| match pending.stage {
            Stage::Authenticator { sealed } => self.seal.unseal(account, &sealed),
            _ => None,
        });
        let seed = match under_way {
            Some(seed) => seed,
            None => {
                let seed = totp::seed().ok()?;
                let sealed = self.seal.seal(account, &seed).ok()?;
                let stage = Stage::Authenticator { sealed };
                self.visits.begin(session.hash, Arc::clone(account), stage, now_s).then_some(seed)?
            }
        };
        Some(Setup { uri: totp::uri(&seed, &self.party.id, &record.account.login), key: totp::base32(&seed) })
    }

    /// The first code of an authenticator app: from now on it is the second factor, and its seed is never shown again.
    pub(crate) async fn finish_authenticator(
        self: &Arc<Self>,
        asking: Asking,
        session: Arc<Session>,
        typed: String,
    ) -> Result<Option<Begun>, ChangeError> {
        let people = Arc::clone(self);
        blocking(move || {
            let now_s = people.now_s();
            let pending = people.visits.get(&session.hash, now_s).ok_or(ChangeError::Gone)?;
            let Stage::Authenticator { sealed } = pending.stage else { return Err(ChangeError::Gone) };
            let seed = people.seal.unseal(&session.account, &sealed).ok_or(ChangeError::Gone)?;
            let step = totp::step_of(&seed, &typed, now_s, 0);
            let last_step = step.ok_or_else(|| ChangeError::Wrong("a wrong code".into()))?;
            people.visits.take(&session.hash);
            let row = people.accounts.change(&session.account, |row| {
                row.credentials.totp = Some(Totp { sealed, last_step, since_s: now_s });
                Ok::<_, ChangeError>(row.clone())
            })?;
            people.completed(&asking, &session, &row, Method::Totp)
        })
        .await
    }

    /// Removes the authenticator app.
    pub(crate) async fn remove_authenticator(self: &Arc<Self>, session: Arc<Session>) -> Result<(), ChangeError> {
        let people = Arc::clone(self);
        blocking(move || {
            people.accounts.change(&session.account, |row| {
                row.credentials.totp.take().ok_or(ChangeError::Gone)?;
                may_go(row)
            })
        })
        .await
    }

    /// New recovery codes; the old ones are void.
    pub(crate) async fn new_recovery_codes(
        self: &Arc<Self>,
        session: Arc<Session>,
    ) -> Result<Vec<String>, ChangeError> {
        let people = Arc::clone(self);
        blocking(move || {
            let codes = recovery::codes().map_err(|_| ChangeError::Unavailable("no randomness".into()))?;
            people.accounts.change(&session.account, |row| {
                row.credentials.recovery = codes.iter().map(|code| recovery::hash(&session.account, code)).collect();
                Ok::<_, ChangeError>(())
            })?;
            Ok(codes)
        })
        .await
    }

    /// A session that lacked a second factor becomes one that has it, under a new cookie.
    fn completed(
        &self,
        asking: &Asking,
        session: &Session,
        row: &Record,
        method: Method,
    ) -> Result<Option<Begun>, ChangeError> {
        if session.is_complete {
            return Ok(None);
        }
        let methods = session.methods.iter().copied().chain([method]).collect();
        Ok(Some(self.begin(asking, row, methods)?))
    }
}

/// Whether an account as it would be is still one that its person gets into.
fn may_go(row: &Record) -> Result<(), ChangeError> {
    let credentials = &row.credentials;
    let has_passkey = credentials.passkeys.iter().any(|passkey| !passkey.suspended);
    let gets_in = credentials.password.is_some() || has_passkey || !credentials.outside.is_empty();
    let is_enough = !row.account.needs_two_factors() || credentials.has_second_factor();
    if gets_in && is_enough { Ok(()) } else { Err(ChangeError::LastWayIn) }
}
