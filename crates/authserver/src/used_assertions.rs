//! Which assertions were used: each `jti` of a client once within the life of the assertion. SPEC: RFC 7523 section 3,
//! row C4. Durable: a restart forgets none; swept: none is kept longer than it could be replayed.

use crate::tables::{Table, Unavailable};
use aws_lc_rs::digest;
use oauth::client_assertion::ClientAssertion;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

type Key = [u8; 32];

/// How many may be marked at once; those of different shards share a sync of the disk.
const SHARDS: usize = 64;

/// The marks.
pub(crate) struct UsedAssertions {
    table: Arc<dyn Table>,
    shards: [Mutex<()>; SHARDS],
    /// Until when each mark counts, for sweeping.
    ends: Mutex<BTreeMap<i64, Vec<Key>>>,
}

impl UsedAssertions {
    /// Reads the table.
    pub(crate) fn open(table: Arc<dyn Table>) -> Result<Self, Unavailable> {
        let mut ends: BTreeMap<i64, Vec<Key>> = BTreeMap::new();
        for (key, value) in table.all()? {
            let key =
                Key::try_from(key).map_err(|_| Unavailable("a used assertion has a key of wrong length".into()))?;
            ends.entry(until_s(&value)?).or_default().push(key);
        }
        Ok(Self { table, shards: std::array::from_fn(|_| Mutex::new(())), ends: Mutex::new(ends) })
    }

    /// Marks the `jti` of a software statement of this URI as used; `false` when it was already (row D12).
    pub(crate) fn use_statement_once(
        &self,
        uri: &str,
        jti: &str,
        ends_s: i64,
        now_s: i64,
    ) -> Result<bool, Unavailable> {
        // No client id is a URI: the two kinds of mark never meet.
        self.mark(key(uri, jti), ends_s, now_s)
    }

    /// Whether it was used, by a look without a mark.
    pub(crate) fn was_used(&self, assertion: &ClientAssertion, now_s: i64) -> Result<bool, Unavailable> {
        self.is_marked(&key(assertion.client_id(), assertion.jti()), now_s)
    }

    fn is_marked(&self, key: &Key, now_s: i64) -> Result<bool, Unavailable> {
        match self.table.value(key)? {
            Some(value) => Ok(until_s(&value)? > now_s),
            None => Ok(false),
        }
    }

    /// Marks it as used; `false` when it was already. On stable storage when it returns.
    pub(crate) fn use_once(&self, assertion: &ClientAssertion, now_s: i64) -> Result<bool, Unavailable> {
        self.mark(key(assertion.client_id(), assertion.jti()), assertion.replayable_until_s(), now_s)
    }

    fn mark(&self, key: Key, ends_s: i64, now_s: i64) -> Result<bool, Unavailable> {
        // INVARIANT: an old mark is replaced by one caller only; the lock spans look, removal and insertion.
        let shard = self.shards.get(usize::from(key[0]) % SHARDS);
        let _guard = shard.map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner));
        if self.is_marked(&key, now_s)? {
            return Ok(false);
        }
        if !self.table.insert_new(&key, &ends_s.to_be_bytes())? {
            // A mark past its end, which may be used again.
            self.table.put(&key, &ends_s.to_be_bytes())?;
        }
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).entry(ends_s).or_default().push(key);
        Ok(true)
    }

    /// Forgets what can no longer be replayed.
    pub(crate) fn sweep(&self, now_s: i64) -> Result<(), Unavailable> {
        let past = {
            let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
            let ahead = ends.split_off(&(now_s + 1));
            std::mem::replace(&mut *ends, ahead)
        };
        // A key that was marked anew in the meantime has a later end, and stays.
        let mut keys = Vec::new();
        for key in past.into_values().flatten() {
            if self.table.value(&key)?.is_some_and(|value| until_s(&value).is_ok_and(|until| until <= now_s)) {
                keys.push(key.to_vec());
            }
        }
        if keys.is_empty() { Ok(()) } else { self.table.remove_all(&keys) }
    }
}

/// The table's key. The zero byte keeps client id and `jti` apart: no client id has one.
fn key(issuer: &str, jti: &str) -> Key {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(issuer.as_bytes());
    context.update(&[0]);
    context.update(jti.as_bytes());
    let mut key = Key::default();
    key.copy_from_slice(context.finish().as_ref());
    key
}

fn until_s(value: &[u8]) -> Result<i64, Unavailable> {
    let bytes = value.try_into().map_err(|_| Unavailable("a used assertion has a value of wrong length".into()))?;
    Ok(i64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests;
