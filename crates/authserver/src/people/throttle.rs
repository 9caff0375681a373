//! Tries: how often somebody may guess, and how nobody else is kept out by it. SPEC: rows B26, F66; NIST SP 800-63B-4
//! section 3.2.2.
//!
//! A try is counted before it is looked at, so that a thousand at once are a thousand, and given back when it was right.
//!
//! | lane | who shares it | what it bounds |
//! |---|---|---|
//! | (user name, address) | strangers at one address | guessing one password; waits double |
//! | address | all tries from one address | guessing one password at many accounts |
//! | user name | strangers at all addresses | guessing by a crowd |
//! | (user name, device) | one browser that signed in there before | guessing on a stolen device |
//!
//! A known device has a lane of its own: whatever strangers do, its owner gets in. Passkeys and recovery codes have no
//! lane by name at all, for they cannot be guessed: the way in for a person on a new device while somebody attacks. A
//! user name that nobody has goes through the same lanes. The lanes live in memory: a restart forgets them.

use super::credentials::Hash;
use crate::{
    limits::{self, people as own},
    rate::{Buckets, Limited},
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

/// Whose try it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Try {
    /// Hash of the user name, whether anybody has it or not.
    pub(crate) login: Hash,
    /// Where it comes from.
    pub(crate) address: IpAddr,
    /// The device, when it signed in at this account before.
    pub(crate) device: Option<Hash>,
}

#[derive(Clone, Copy)]
struct Lane {
    tries: u32,
    at_s: i64,
    until_s: i64,
    refused: bool,
}

type Key = (Hash, [u8; 32]);

/// The lanes.
pub(crate) struct Throttle {
    lanes: Mutex<HashMap<Key, Lane>>,
    addresses: Buckets<u128>,
    accounts: Buckets<Hash>,
    codes: Buckets<Hash>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self {
            lanes: Mutex::new(HashMap::new()),
            addresses: Buckets::new(own::ADDRESS_TRIES),
            accounts: Buckets::new(own::ACCOUNT_TRIES),
            codes: Buckets::new(own::CODE_TRIES),
        }
    }

    /// Counts a try with a password. It may go on when none of its lanes is full; a refused one counts in none.
    pub(crate) fn password(&self, attempt: &Try, now_ms: i64) -> Result<(), Limited> {
        let address = crate::rate::address_key(attempt.address);
        self.addresses.take(address, now_ms)?;
        let taken = match attempt.device {
            Some(device) => self.lane((attempt.login, device), own::DEVICE_TRIES, now_ms),
            None => self.accounts.take(attempt.login, now_ms).and_then(|()| {
                self.lane(pair(attempt), own::PAIR_TRIES, now_ms)
                    .inspect_err(|_| self.accounts.give_back(&attempt.login))
            }),
        };
        taken.inspect_err(|_| self.addresses.give_back(&address))
    }

    /// The password was right.
    pub(crate) fn was_right(&self, attempt: &Try) {
        let key = self.shares_given_back(attempt);
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }

    /// The password was not looked at: the try does not count, but what was counted before it does, and its wait stays.
    pub(crate) fn give_back(&self, attempt: &Try) {
        let key = self.shares_given_back(attempt);
        if let Some(lane) = self.lanes.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&key) {
            lane.tries = lane.tries.saturating_sub(1);
        }
    }

    /// Puts back what the try took of its address and its account; the lane that it took too.
    fn shares_given_back(&self, attempt: &Try) -> Key {
        self.addresses.give_back(&crate::rate::address_key(attempt.address));
        match attempt.device {
            Some(device) => (attempt.login, device),
            None => {
                self.accounts.give_back(&attempt.login);
                pair(attempt)
            }
        }
    }

    /// Counts a try with a code by somebody who gave the right password. On a known device its own lane counts.
    pub(crate) fn code(&self, attempt: &Try, now_ms: i64) -> Result<(), Limited> {
        match attempt.device {
            Some(device) => self.lane((attempt.login, code_lane(device)), own::DEVICE_TRIES, now_ms),
            None => self.codes.take(attempt.login, now_ms),
        }
    }

    /// The code was right.
    pub(crate) fn code_was_right(&self, attempt: &Try) {
        match attempt.device {
            Some(device) => {
                let key = (attempt.login, code_lane(device));
                self.lanes.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            }
            None => self.codes.give_back(&attempt.login),
        }
    }

    /// Counts a try from an address with something that cannot be guessed (an invitation, a recovery code, a passkey):
    /// no name is in it, only the work is bounded.
    pub(crate) fn unguessable(&self, address: IpAddr, now_ms: i64) -> Result<(), Limited> {
        self.addresses.take(crate::rate::address_key(address), now_ms)
    }

    /// It was right.
    pub(crate) fn unguessable_was_right(&self, address: IpAddr) {
        self.addresses.give_back(&crate::rate::address_key(address));
    }

    /// A lane whose wait doubles: (tries that are free, seconds of the longest wait).
    fn lane(&self, key: Key, (free, longest_s): (u32, i64), now_ms: i64) -> Result<(), Limited> {
        let now_s = now_ms.div_euclid(1000);
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.len() >= limits::RATE_ENTRIES_MAX && !lanes.contains_key(&key) {
            lanes.retain(|_, lane| now_s < lane.at_s + own::TRIES_FORGOTTEN_S && lane.until_s > now_s);
            if lanes.len() >= limits::RATE_ENTRIES_MAX {
                // So many addresses wait at once: the lane of the account bounds them all.
                return Ok(());
            }
        }
        let fresh = Lane { tries: 0, at_s: now_s, until_s: now_s, refused: false };
        let lane = lanes.entry(key).or_insert(fresh);
        if now_s >= lane.at_s + own::TRIES_FORGOTTEN_S {
            *lane = fresh;
        }
        if now_s < lane.until_s {
            let first = !std::mem::replace(&mut lane.refused, true);
            return Err(Limited { retry_after_s: u64::try_from(lane.until_s - now_s).unwrap_or(1).max(1), first });
        }
        lane.tries = lane.tries.saturating_add(1);
        lane.at_s = now_s;
        lane.refused = false;
        if let Some(beyond) = lane.tries.checked_sub(free) {
            lane.until_s = now_s + 1_i64.checked_shl(beyond + 1).unwrap_or(longest_s).clamp(2, longest_s);
        }
        Ok(())
    }
}

/// Lane of strangers at one address.
fn pair(attempt: &Try) -> Key {
    let mut address = [0; 32];
    let key = crate::rate::address_key(attempt.address).to_be_bytes();
    if let Some(start) = address.first_chunk_mut::<16>() {
        *start = key;
    }
    (attempt.login, address)
}

/// Codes on a known device have another lane than passwords.
fn code_lane(mut device: Hash) -> [u8; 32] {
    for byte in &mut device {
        *byte = !*byte;
    }
    device
}

#[cfg(test)]
mod tests;
