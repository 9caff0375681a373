//! Token buckets: how often an address may ask and a client may have a token. SPEC: row F66. Limits in
//! [`crate::limits`].

use crate::limits;
use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

/// Too many: come again after so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limited {
    /// Whole seconds, at least 1.
    pub(crate) retry_after_s: u64,
    /// Whether this is the first refusal since the last request that was let through: that one is recorded, a flood of
    /// the same does not fill the audit log.
    pub(crate) first: bool,
}

struct Bucket {
    left: f64,
    at_ms: i64,
    refused: bool,
}

/// Buckets of one kind, one for each key.
pub(crate) struct Buckets<K> {
    per_s: f64,
    burst: f64,
    state: Mutex<State<K>>,
}

struct State<K> {
    /// `None`: all those for whom there was no room.
    buckets: HashMap<Option<K>, Bucket>,
    pruned_at_ms: i64,
}

impl<K: Hash + Eq> Buckets<K> {
    /// `rate` is (per second, at once).
    pub(crate) fn new(rate: (f64, f64)) -> Self {
        let state = State { buckets: HashMap::new(), pruned_at_ms: i64::MIN };
        Self { per_s: rate.0, burst: rate.1, state: Mutex::new(state) }
    }

    /// Takes one from the key's bucket.
    pub(crate) fn take(&self, key: K, now_ms: i64) -> Result<(), Limited> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = Some(key);
        if state.buckets.len() >= limits::RATE_ENTRIES_MAX && !state.buckets.contains_key(&key) {
            // Not at each request: pruning walks all buckets.
            if now_ms.saturating_sub(state.pruned_at_ms) >= 1000 {
                state.pruned_at_ms = now_ms;
                state.buckets.retain(|_, bucket| self.level(bucket, now_ms) < self.burst);
            }
            if state.buckets.len() >= limits::RATE_ENTRIES_MAX {
                key = None;
            }
        }
        let bucket = state.buckets.entry(key).or_insert(Bucket { left: self.burst, at_ms: now_ms, refused: false });
        bucket.left = self.level(bucket, now_ms);
        bucket.at_ms = now_ms;
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            bucket.refused = false;
            return Ok(());
        }
        let first = !std::mem::replace(&mut bucket.refused, true);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small positive number of seconds"
        )]
        let retry_after_s = ((1.0 - bucket.left) / self.per_s).ceil().max(1.0) as u64;
        Err(Limited { retry_after_s, first })
    }

    /// Puts back what [`Buckets::take`] took: it should not have counted.
    pub(crate) fn give_back(&self, key: &K)
    where
        K: Copy,
    {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let key = if state.buckets.contains_key(&Some(*key)) { Some(*key) } else { None };
        if let Some(bucket) = state.buckets.get_mut(&key) {
            bucket.left = (bucket.left + 1.0).min(self.burst);
        }
    }

    /// What is in the bucket now. A clock that went back adds nothing.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds between two requests")]
    fn level(&self, bucket: &Bucket, now_ms: i64) -> f64 {
        let elapsed_s = now_ms.saturating_sub(bucket.at_ms).max(0) as f64 / 1000.0;
        (bucket.left + elapsed_s * self.per_s).min(self.burst)
    }
}

/// What counts as one address: an IPv4 address, or the /64 of an IPv6 address, which one host can have to itself.
pub(crate) fn address_key(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6) | u128::from(u64::MAX),
    }
}

#[cfg(test)]
mod tests;
