//! DPoP proofs, each once. SPEC: RFC 9449 sections 8, 9 and 11.1; row A8's sibling.
//!
//! A proof must carry a nonce of this process, so that one of before a restart is refused for its nonce: what was seen
//! needs to be remembered in memory only, for minutes. A client that comes without gets one, and comes again.

use crate::{limits, random, random::NoRandomness};
use oauth::dpop::{self, DpopError, Expected, Nonces, Proof};
use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    sync::{Mutex, PoisonError},
};

/// Why a proof does not count.
#[derive(Debug)]
pub(crate) enum ProofRefusal {
    /// It is not good.
    Proof(DpopError),
    /// It was used before.
    Replayed,
    /// So many are remembered that there is no room.
    Full,
}

impl ProofRefusal {
    /// Whether the client should try again with the nonce that the answer brings.
    pub(crate) fn wants_nonce(&self) -> bool {
        matches!(self, Self::Proof(why) if why.wants_nonce())
    }
}

impl fmt::Display for ProofRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proof(why) => why.fmt(f),
            Self::Replayed => f.write_str("DPoP proof: it was used before"),
            Self::Full => f.write_str("DPoP proof: too many at the moment"),
        }
    }
}

#[derive(Default)]
struct Seen {
    keys: HashSet<[u8; 32]>,
    ends: BTreeMap<i64, Vec<[u8; 32]>>,
}

/// The proofs seen, and the nonces given out.
pub(crate) struct Proofs {
    nonces: Nonces,
    seen: Mutex<Seen>,
}

impl Proofs {
    /// With nonces of its own.
    pub(crate) fn new() -> Result<Self, NoRandomness> {
        Ok(Self { nonces: Nonces::new(&random::bytes::<32>()?), seen: Mutex::default() })
    }

    /// The nonce to give out now.
    pub(crate) fn nonce(&self, now_s: i64) -> String {
        self.nonces.current(now_s)
    }

    /// Checks the `DPoP` field of a request and takes it as used. `url` is made of our configured base.
    pub(crate) fn take(
        &self,
        header: &str,
        method: &str,
        url: &str,
        access_token: Option<&str>,
        now_s: i64,
    ) -> Result<Proof, ProofRefusal> {
        let expected = Expected { method, url, access_token, nonces: &self.nonces, requires_nonce: true, now_s };
        let proof = dpop::check(header, &expected).map_err(ProofRefusal::Proof)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead = seen.ends.split_off(&(now_s + 1));
        let past = std::mem::replace(&mut seen.ends, ahead);
        for key in past.values().flatten() {
            seen.keys.remove(key);
        }
        if seen.keys.len() >= limits::PROOFS_MAX {
            return Err(ProofRefusal::Full);
        }
        if !seen.keys.insert(*proof.replay_key()) {
            return Err(ProofRefusal::Replayed);
        }
        seen.ends.entry(proof.replayable_until_s()).or_default().push(*proof.replay_key());
        Ok(proof)
    }
}

#[cfg(test)]
mod tests;
