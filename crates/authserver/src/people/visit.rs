//! A visit: a browser before anybody is signed in, and what it has shown so far. SPEC: rows A18, B26.
//!
//! Its cookie has 32 random bytes and is made anew when the first factor was right, so that nobody can have planted it.
//! What was shown is kept in memory, for minutes, behind the cookie's hash: a restart begins the sign-in again.

use super::{
    credentials::{self, Hash},
    session::Method,
};
use crate::{limits::people as limits, random};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What somebody is in the middle of.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The first factor was right; a second is due.
    SecondFactor {
        /// How the first was shown.
        method: Method,
        /// Wrong codes so far.
        wrong: u32,
    },
    /// The link of an invitation was right; a password is to be chosen.
    Invitation {
        /// Hash of the invitation, used up with the answer.
        invitation: Hash,
    },
    /// A recovery code was right; a new password is to be chosen.
    NewPassword {
        /// Hash of the code, used up with the answer.
        code: Hash,
    },
    /// A seed that was shown; its first code is due. `sealed` for the account.
    Authenticator {
        /// The seed.
        sealed: Vec<u8>,
    },
}

/// Who is in the middle of what.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    /// The account's id.
    pub(crate) account: Arc<str>,
    /// What was done.
    pub(crate) stage: Stage,
    /// Until when, seconds since the epoch.
    pub(crate) ends_s: i64,
}

/// Those under way, by the hash of a visit (or of a session, for what somebody who is signed in sets up).
#[derive(Default)]
pub(crate) struct Visits {
    pending: Mutex<HashMap<Hash, Pending>>,
}

/// A new cookie's value with its hash.
pub(crate) fn new() -> Result<(String, Hash), random::NoRandomness> {
    let secret = random::secret()?;
    let hash = credentials::hash(&secret);
    Ok((secret, hash))
}

impl Visits {
    /// What this one is in the middle of.
    pub(crate) fn get(&self, visit: &Hash, now_s: i64) -> Option<Pending> {
        self.lock().get(visit).filter(|pending| pending.ends_s > now_s).cloned()
    }

    /// Begins something; false when so many are under way that there is no room.
    pub(crate) fn begin(&self, visit: Hash, account: Arc<str>, stage: Stage, now_s: i64) -> bool {
        let mut all = self.lock();
        if all.len() >= limits::SIGN_INS_MAX {
            all.retain(|_, pending| pending.ends_s > now_s);
        }
        let is_room = all.len() < limits::SIGN_INS_MAX || all.contains_key(&visit);
        if is_room {
            all.insert(visit, Pending { account, stage, ends_s: now_s + limits::SIGN_IN_S });
        }
        is_room
    }

    /// Counts a wrong code; false when it was one too many, and the sign-in has ended.
    pub(crate) fn wrong_code(&self, visit: &Hash) -> bool {
        let mut all = self.lock();
        let Some(Pending { stage: Stage::SecondFactor { wrong, .. }, .. }) = all.get_mut(visit) else { return false };
        *wrong += 1;
        let goes_on = *wrong < limits::CODES_A_SIGN_IN;
        if !goes_on {
            all.remove(visit);
        }
        goes_on
    }

    /// Ends it: of several that would, one has it.
    pub(crate) fn take(&self, visit: &Hash) -> Option<Pending> {
        self.lock().remove(visit)
    }

    /// Forgets what took too long.
    pub(crate) fn sweep(&self, now_s: i64) {
        self.lock().retain(|_, pending| pending.ends_s > now_s);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
