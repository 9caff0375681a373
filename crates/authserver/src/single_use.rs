//! What is given out once and may come back once, soon: authorization codes, pushed requests, launch handles. SPEC: RFC
//! 6749 section 4.1.2, RFC 9126 section 2.2; rows B22, B23, B29.
//!
//! Only a hash of what is given out is kept. It is on stable storage before anyone hears of it, and that it was used is
//! on stable storage before anyone gains by it: after a crash nothing works twice, and nothing that was given out is lost.
//! For a while after its use a value is remembered, so that a second use is known for what it is.

use crate::{
    limits, random,
    tables::{Table, Unavailable},
    token::TokenHash,
};
use oauth::secret::Secret;
use serde_json::{Value, json};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many may be taken at once; those of different shards share a sync of the disk.
const SHARDS: usize = 64;

/// Why nothing was given out.
#[derive(Debug)]
pub(crate) enum GiveError {
    /// Too many are out.
    Full,
    /// No randomness, or the table does not take it; the text is for the log.
    Unavailable(String),
}

impl From<Unavailable> for GiveError {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error.0)
    }
}

/// What came of presenting something.
#[derive(Debug, PartialEq)]
pub(crate) enum Taken {
    /// For the first time and in time: what was kept with it.
    First(Value),
    /// Not for the first time: the note of its first use.
    Again(String),
    /// Never given out, long past, or past its end without having been used.
    Unknown,
}

/// The values of one kind.
pub(crate) struct SingleUse {
    table: Arc<dyn Table>,
    /// INVARIANT: one taker at a time for each value: the lock spans look and mark.
    shards: [Mutex<()>; SHARDS],
    /// When each row may be forgotten.
    ends: Mutex<Ends>,
    life_s: i64,
}

#[derive(Default)]
struct Ends {
    by_end: BTreeSet<(i64, TokenHash)>,
    by_hash: HashMap<TokenHash, i64>,
}

impl Ends {
    fn set(&mut self, hash: TokenHash, ends_s: i64) {
        if let Some(before) = self.by_hash.insert(hash, ends_s) {
            self.by_end.remove(&(before, hash));
        }
        self.by_end.insert((ends_s, hash));
    }

    fn remove(&mut self, hash: &TokenHash) {
        if let Some(before) = self.by_hash.remove(hash) {
            self.by_end.remove(&(before, *hash));
        }
    }
}

impl SingleUse {
    /// Reads the table. What is given out lives for so many seconds.
    pub(crate) fn open(table: Arc<dyn Table>, life_s: i64) -> Result<Self, Unavailable> {
        let mut ends = Ends::default();
        for (key, row) in table.all()? {
            let hash = TokenHash::from_bytes(&key).ok_or_else(malformed)?;
            ends.set(hash, forgotten_s(&read(&row)?)?);
        }
        Ok(Self { table, shards: std::array::from_fn(|_| Mutex::new(())), ends: Mutex::new(ends), life_s })
    }

    /// Gives out a new one for this value. Blocks on the disk.
    pub(crate) fn give(&self, value: &Value, now_s: i64) -> Result<Secret, GiveError> {
        if self.ends().by_hash.len() >= limits::SINGLE_USE_MAX {
            return Err(GiveError::Full);
        }
        let secret = random::secret().map_err(|_| GiveError::Unavailable("no randomness".into()))?;
        let hash = TokenHash::of(&secret);
        let ends_s = now_s + self.life_s;
        let row = json!({ "ends_s": ends_s, "value": value });
        self.ends().set(hash, ends_s);
        if let Err(why) = self.table.put(hash.as_bytes(), row.to_string().as_bytes()) {
            self.ends().remove(&hash);
            return Err(why.into());
        }
        Ok(Secret::new(secret))
    }

    /// Takes it: the first one who comes gets the value, everyone after them the note of that. Blocks on the disk.
    pub(crate) fn take(&self, presented: &str, now_s: i64, note: &str) -> Result<Taken, Unavailable> {
        if presented.len() > oauth::limits::TOKEN_BYTES_MAX {
            return Ok(Taken::Unknown);
        }
        let hash = TokenHash::of(presented);
        let shard = self.shards.get(usize::from(hash.as_bytes()[0]) % SHARDS);
        let _guard = shard.map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(row) = self.row(&hash)? else { return Ok(Taken::Unknown) };
        if let Some(note) = row.get("used") {
            return Ok(Taken::Again(note.as_str().ok_or_else(malformed)?.to_owned()));
        }
        let Some(value) = fresh(&row, now_s) else { return Ok(Taken::Unknown) };
        let until_s = now_s + limits::USED_MEMORY_S;
        // The value is not needed any more, and may name a person.
        let used = json!({ "used": note, "until_s": until_s });
        self.table.put(hash.as_bytes(), used.to_string().as_bytes())?;
        self.ends().set(hash, until_s);
        Ok(Taken::First(value.clone()))
    }

    /// Forgets what is past its end.
    pub(crate) fn sweep(&self, now_s: i64) -> Result<(), Unavailable> {
        let past: Vec<TokenHash> = {
            let ends = self.ends();
            ends.by_end.iter().take_while(|(ends_s, _)| *ends_s <= now_s).map(|(_, hash)| *hash).collect()
        };
        let mut keys = Vec::new();
        for hash in past {
            let shard = self.shards.get(usize::from(hash.as_bytes()[0]) % SHARDS);
            let _guard = shard.map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner));
            let mut ends = self.ends();
            // Taken in the meantime: it is remembered for longer.
            if ends.by_hash.get(&hash).is_some_and(|ends_s| *ends_s <= now_s) {
                ends.remove(&hash);
                keys.push(hash.as_bytes().to_vec());
            }
        }
        if keys.is_empty() { Ok(()) } else { self.table.remove_all(&keys) }
    }

    fn row(&self, hash: &TokenHash) -> Result<Option<Value>, Unavailable> {
        self.table.value(hash.as_bytes())?.map(|row| read(&row)).transpose()
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fresh(row: &Value, now_s: i64) -> Option<&Value> {
    let ends_s = row.get("ends_s")?.as_i64()?;
    row.get("value").filter(|_| row.get("used").is_none() && now_s < ends_s)
}

fn forgotten_s(row: &Value) -> Result<i64, Unavailable> {
    let end = row.get("until_s").or_else(|| row.get("ends_s"));
    end.and_then(Value::as_i64).ok_or_else(malformed)
}

fn read(row: &[u8]) -> Result<Value, Unavailable> {
    serde_json::from_slice(row).map_err(|_| malformed())
}

fn malformed() -> Unavailable {
    Unavailable("a row of what is used once is malformed".into())
}

#[cfg(test)]
mod tests;
