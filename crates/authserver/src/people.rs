//! People: accounts, what proves that it is them, sessions. SPEC: rows A18, A20, B26, F66; NIST SP 800-63B-4.
//!
//! - [`account`], `accounts`, `record`: who may sign in, and the table of them. `credentials`: what is kept of secrets.
//! - `password`, [`breached`]: argon2id and what is too common. `passkey`, `challenge`: WebAuthn. `totp`, `recovery`.
//! - `outside`: who is vouched for by an outside OpenID provider.
//! - [`session`]: who is signed in. `visit`: who is about to. `sign_in`, `enrol`, `change`: the ways between.
//! - `throttle`: how often somebody may guess. `seal`: the key of it all. `cookie`, `forgery`: the browser's side.
//!
//! Nothing here knows HTML: `endpoint::account` shows pages and reads forms. Calls that change something block on the
//! disk, and what they changed is on stable storage when they return.

pub mod account;
mod accounts;
pub mod breached;
mod challenge;
pub(crate) mod change;
pub(crate) mod cookie;
pub(crate) mod credentials;
pub(crate) mod enrol;
mod forgery;
mod operator;
pub(crate) mod outside;
mod passkey;
mod password;
mod record;
mod recovery;
mod seal;
pub mod session;
pub(crate) mod sign_in;
mod throttle;
mod totp;
mod visit;

use crate::{
    limits::people as limits,
    tables::{Tables, Unavailable},
};
use account::{Account, State};
use accounts::Accounts;
use breached::{ReadAt, Rules};
use challenge::Challenges;
use credentials::Hash;
use fhir::Instant;
use http::HeaderMap;
use oauth::caller::User;
use passkey::RelyingParty;
use password::Hasher;
pub(crate) use password::Password;
use seal::Seal;
use session::{Session, Sessions};
use std::sync::Arc;
use throttle::Throttle;
use visit::Visits;

/// The people of this server.
pub struct People {
    accounts: Accounts,
    sessions: Sessions,
    seal: Seal,
    hasher: Hasher,
    rules: Rules,
    throttle: Throttle,
    challenges: Challenges,
    /// States of outside sign-ins that came back.
    errands: Challenges,
    visits: Visits,
    party: RelyingParty,
    clock: Arc<dyn Fn() -> Instant + Send + Sync>,
}

impl People {
    /// Reads the tables. `issuer`: our origin; `breached`: the operator's list.
    pub(crate) fn open(
        tables: &Tables,
        issuer: &str,
        clock: Arc<dyn Fn() -> Instant + Send + Sync>,
        breached: Option<Arc<dyn ReadAt>>,
    ) -> Result<Self, Unavailable> {
        let accounts = Accounts::open(Arc::clone(&tables.accounts))?;
        let now_s = clock().unix_seconds();
        Ok(Self {
            sessions: Sessions::open(Arc::clone(&tables.sessions), now_s, |id| accounts.works(id))?,
            accounts,
            seal: Seal::open(&*tables.keys)?,
            hasher: Hasher::new(),
            rules: Rules::new(breached),
            throttle: Throttle::new(),
            challenges: Challenges::default(),
            errands: Challenges::default(),
            visits: Visits::default(),
            party: RelyingParty::of_issuer(issuer),
            clock,
        })
    }

    /// The account of this id.
    pub(crate) fn account(&self, id: &str) -> Option<Arc<Account>> {
        self.accounts.get(id).map(|record| Arc::clone(&record.account))
    }

    /// Whether the account may sign in and act: asked at each use of what was given to it.
    pub(crate) fn works(&self, id: &str) -> bool {
        self.accounts.works(id)
    }

    /// The person of this `sub` as they are now; `None` when there is no such account or it is disabled.
    #[must_use]
    pub fn user(&self, sub: &str) -> Option<Arc<User>> {
        let record = self.accounts.get(sub).filter(|record| record.account.state == State::Active)?;
        Some(Arc::new(record.account.user()))
    }

    /// People with an account that works, oldest first; at most so many.
    pub(crate) fn some_users(&self, most: usize) -> Vec<Arc<User>> {
        let active = self.accounts.all().into_iter().filter(|account| account.state == State::Active);
        active.take(most).map(|account| Arc::new(account.user())).collect()
    }

    /// Whether the session of this name ([`Session::name`]) has not ended.
    #[must_use]
    pub fn is_live(&self, session: &str) -> bool {
        self.sessions.is_live(session, self.now_s())
    }

    /// Who is signed in, with all that their account asks for. The FHIR API never asks this (row A20).
    #[must_use]
    pub fn session_of(&self, headers: &HeaderMap) -> Option<Arc<Session>> {
        self.any_session_of(headers).filter(|session| session.is_complete)
    }

    /// As [`People::session_of`], and those who have still to set up a second factor: for the pages that do that.
    pub(crate) fn any_session_of(&self, headers: &HeaderMap) -> Option<Arc<Session>> {
        let value = cookie::value(headers, cookie::SESSION)?;
        let session = self.sessions.of_cookie(value, self.now_s())?;
        self.works(&session.account).then_some(session)
    }

    /// The browser, as forms know it: its session, or else its visit.
    pub(crate) fn browser_of(&self, headers: &HeaderMap) -> Option<Hash> {
        self.any_session_of(headers).map(|session| session.hash).or_else(|| visit_of(headers))
    }

    /// A new visit: its cookie's value, and its hash.
    pub(crate) fn new_visit(&self) -> Option<(String, Hash)> {
        visit::new().ok()
    }

    /// Whether the person proved who they are just now (step-up for dangerous acts).
    pub(crate) fn is_fresh(&self, session: &Session) -> bool {
        session.is_fresh(limits::STEP_UP_S, self.now_s())
    }

    /// Forgets what ended. Blocks on the disk.
    pub(crate) fn sweep(&self, now_s: i64) -> Result<(), Unavailable> {
        self.visits.sweep(now_s);
        self.sessions.sweep(now_s)
    }

    pub(crate) fn now_s(&self) -> i64 {
        (self.clock)().unix_seconds()
    }

    fn now_ms(&self) -> i64 {
        (self.clock)().unix_millis()
    }
}

/// The algorithms that a new passkey may have, as COSE numbers, the preferred one first.
pub(crate) fn passkey_algorithms() -> [i64; 3] {
    passkey::key::ALGORITHMS
}

/// The visit that a request's cookie names; it need not be under way.
pub(crate) fn visit_of(headers: &HeaderMap) -> Option<Hash> {
    cookie::value(headers, cookie::VISIT).map(credentials::hash)
}

#[cfg(test)]
pub(crate) mod tests;
