//! The server's own signing keys: RS256 and ES384, made at first start, kept in a table, rotated with overlap.
//! SPEC: rows B10, B53 (at least one RSA key), RFC 7517. Access tokens are opaque: id tokens are what is signed.
//!
//! The table's row is a secret: it holds private keys. It lies in the data directory, which only its owner may read.

use crate::{
    limits,
    tables::{Table, Unavailable},
};
use arc_swap::ArcSwap;
use fhir::Instant;
use oauth::{
    jwk::{Jwks, PublicKey},
    jws::Algorithm,
    sign::PrivateKey,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

const ROW: &[u8] = b"signing";
const ALGORITHMS: [Algorithm; 2] = [Algorithm::Rs256, Algorithm::Es384];

/// Why there are no keys.
#[derive(Debug)]
pub(crate) enum KeysError {
    /// None could be made.
    Making,
    /// The table fails, or its row is malformed.
    Table(Unavailable),
}

impl From<Unavailable> for KeysError {
    fn from(error: Unavailable) -> Self {
        Self::Table(error)
    }
}

#[derive(Clone)]
struct Held {
    key: Arc<PrivateKey>,
    created_s: i64,
    /// From when on it no longer signs.
    retired_s: Option<i64>,
}

/// The keys, newest last.
pub(crate) struct ServerKeys {
    table: Arc<dyn Table>,
    held: ArcSwap<Vec<Held>>,
    writing: Mutex<()>,
}

impl ServerKeys {
    /// Reads the keys, or makes the first ones.
    pub(crate) fn open(table: Arc<dyn Table>, now: Instant) -> Result<Self, KeysError> {
        let held = match table.value(ROW)? {
            Some(row) => decode(&row).ok_or_else(|| Unavailable("the row of signing keys is malformed".into()))?,
            None => {
                let held = made(now)?;
                table.put(ROW, &encode(&held)?)?;
                held
            }
        };
        Ok(Self { table, held: ArcSwap::from_pointee(held), writing: Mutex::new(()) })
    }

    /// The key that signs with this algorithm now.
    pub(crate) fn current(&self, algorithm: Algorithm) -> Option<Arc<PrivateKey>> {
        let held = self.held.load();
        let mut newest_first = held.iter().rev();
        newest_first
            .find(|held| held.retired_s.is_none() && held.key.algorithm() == algorithm)
            .map(|held| Arc::clone(&held.key))
    }

    /// The public keys: current ones, and retired ones within the overlap.
    pub(crate) fn published(&self, now: Instant) -> Jwks {
        let held = self.held.load();
        let published = held.iter().filter(|held| is_published(held, now));
        Jwks::new(published.map(|held| held.key.public().clone()).collect())
    }

    /// Makes new keys; the old ones stay published for the overlap. Returns the new keys' names.
    pub(crate) fn rotate(&self, now: Instant) -> Result<Vec<String>, KeysError> {
        let _guard = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = made(now)?;
        let names = fresh.iter().map(|held| held.key.kid().to_owned()).collect();
        let mut held: Vec<Held> = self.held.load().iter().filter(|held| is_published(held, now)).cloned().collect();
        for old in &mut held {
            old.retired_s.get_or_insert(now.unix_seconds());
        }
        held.extend(fresh);
        self.table.put(ROW, &encode(&held)?)?;
        self.held.store(Arc::new(held));
        Ok(names)
    }
}

fn is_published(held: &Held, now: Instant) -> bool {
    held.retired_s.is_none_or(|retired_s| now.unix_seconds() < retired_s + limits::KEY_OVERLAP_S)
}

fn made(now: Instant) -> Result<Vec<Held>, KeysError> {
    let make = |algorithm| {
        let key = PrivateKey::generate(algorithm).map_err(|_| KeysError::Making)?;
        Ok(Held { key: Arc::new(key), created_s: now.unix_seconds(), retired_s: None })
    };
    ALGORITHMS.into_iter().map(make).collect()
}

fn encode(held: &[Held]) -> Result<Vec<u8>, KeysError> {
    let row = |held: &Held| {
        let jwk = held.key.to_private_jwk().map_err(|_| KeysError::Making)?;
        Ok(json!({ "jwk": jwk, "created_s": held.created_s, "retired_s": held.retired_s }))
    };
    let rows: Vec<Value> = held.iter().map(row).collect::<Result<_, KeysError>>()?;
    Ok(Value::Array(rows).to_string().into_bytes())
}

fn decode(row: &[u8]) -> Option<Vec<Held>> {
    let rows: Vec<Value> = serde_json::from_slice(row).ok()?;
    let one = |row: &Value| {
        let key = PrivateKey::parse(row.get("jwk")?.as_str()?, None).ok()?;
        let retired_s = row.get("retired_s").and_then(Value::as_i64);
        Some(Held { key: Arc::new(key), created_s: row.get("created_s")?.as_i64()?, retired_s })
    };
    let held: Vec<Held> = rows.iter().map(one).collect::<Option<_>>()?;
    (!held.is_empty()).then_some(held)
}

/// Keys that belong to nobody: verifying with them costs what verifying with a client's costs, so that time does not
/// tell whether a client exists (row C13).
pub(crate) struct Decoys(Vec<PublicKey>);

impl Decoys {
    /// Of the server's own RSA key and fresh elliptic ones.
    pub(crate) fn new(keys: &ServerKeys) -> Result<Self, KeysError> {
        let unpinned =
            |key: &PublicKey| PublicKey::new(None, None, key.material().clone()).map_err(|_| KeysError::Making);
        let mut decoys = Vec::new();
        if let Some(rsa) = keys.current(Algorithm::Rs256) {
            decoys.push(unpinned(rsa.public())?);
        }
        for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Es512] {
            decoys.push(PrivateKey::generate(algorithm).map_err(|_| KeysError::Making)?.public().clone());
        }
        Ok(Self(decoys))
    }

    /// The one for this algorithm.
    pub(crate) fn key(&self, algorithm: Algorithm) -> Option<&PublicKey> {
        self.0.iter().find(|key| key.fits(algorithm))
    }
}

#[cfg(test)]
mod tests;
