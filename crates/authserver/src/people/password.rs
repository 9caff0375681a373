//! Passwords: argon2id at its full cost, a few at once, and the same work for a person who does not exist. SPEC: RFC
//! 9106; NIST SP 800-63B-4 section 3.1.1; row B26.
//!
//! A hash takes its memory and time wherever it is asked for: [`Hasher`] lets so many run that half of the cores stay
//! free, lets so many wait, and refuses the rest. A password is compared in its NFKC form, as NIST asks: an é is an é
//! however the keyboard makes it.

use crate::{limits::people as limits, random};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

/// A password as typed. No Debug, no Display.
#[derive(Clone)]
pub(crate) struct Password(String);

impl Password {
    /// In its normal form; `None` when it is over the limit.
    pub(crate) fn typed(text: &str) -> Option<Self> {
        (text.len() <= limits::PASSWORD_BYTES_MAX).then(|| Self(text.nfkc().collect()))
    }

    /// The text, for the rules and the list of breached ones.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

/// A hash with its salt and parameters, in the PHC string form.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PasswordHash {
    cost: Cost,
    salt: [u8; limits::ARGON2_SALT_BYTES],
    output: [u8; limits::ARGON2_OUTPUT_BYTES],
}

/// What a hash costs. Kept with each, so that a later program may ask for more.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

const COST: Cost =
    Cost { memory_kib: limits::ARGON2_MEMORY_KIB, passes: limits::ARGON2_PASSES, lanes: limits::ARGON2_LANES };

impl Cost {
    fn run(self, password: &Password, salt: &[u8]) -> Option<[u8; limits::ARGON2_OUTPUT_BYTES]> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(limits::ARGON2_OUTPUT_BYTES)).ok()?;
        let mut output = [0; limits::ARGON2_OUTPUT_BYTES];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into(password.0.as_bytes(), salt, &mut output).ok()?;
        Some(output)
    }
}

impl PasswordHash {
    /// Of a new password. Takes its time.
    pub(crate) fn new(password: &Password) -> Option<Self> {
        let salt = random::bytes().ok()?;
        Some(Self { cost: COST, salt, output: COST.run(password, &salt)? })
    }

    /// Whether it is this one. Takes its time.
    pub(crate) fn is_of(&self, password: &Password) -> bool {
        self.cost.run(password, &self.salt).is_some_and(|output| verify_slices_are_equal(&output, &self.output).is_ok())
    }

    /// Whether it should be made anew with today's parameters.
    pub(crate) fn is_of_old(&self) -> bool {
        self.cost != COST
    }

    /// One that costs the same and that no password has: for accounts that do not exist or have none.
    fn of_nobody() -> Self {
        Self { cost: COST, salt: random::bytes().unwrap_or_default(), output: random::bytes().unwrap_or_default() }
    }

    /// As it is kept.
    pub(crate) fn encode(&self) -> String {
        let Cost { memory_kib, passes, lanes } = self.cost;
        let (salt, output) = (STANDARD_NO_PAD.encode(self.salt), STANDARD_NO_PAD.encode(self.output));
        format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${output}")
    }

    /// Reads [`PasswordHash::encode`].
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let mut costs = parts.next()?.split(',');
        let mut cost = |name: &str| costs.next()?.strip_prefix(name)?.parse::<u32>().ok();
        let cost = Cost { memory_kib: cost("m=")?, passes: cost("t=")?, lanes: cost("p=")? };
        let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?.try_into().ok()?;
        let output = STANDARD_NO_PAD.decode(parts.next()?).ok()?.try_into().ok()?;
        parts.next().is_none().then_some(Self { cost, salt, output })
    }
}

/// Nothing was hashed: too many wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

/// The one way to a hash for requests.
pub(crate) struct Hasher {
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    nobody: Arc<PasswordHash>,
}

/// Counts one that waits.
struct Waits<'a>(&'a AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Hasher {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let at_once = (cores / limits::CORES_A_HASH).clamp(1, limits::HASHES_AT_ONCE_MAX);
        Self {
            running: Arc::new(Semaphore::new(at_once)),
            waiting: AtomicUsize::new(0),
            nobody: Arc::new(PasswordHash::of_nobody()),
        }
    }

    /// Whether the password is that of this hash; `None` costs the same and is never right.
    pub(crate) async fn verify(&self, hash: Option<PasswordHash>, password: Password) -> Result<bool, Busy> {
        let nobody = Arc::clone(&self.nobody);
        self.run(move || match hash {
            Some(hash) => hash.is_of(&password),
            None => {
                let _ = nobody.is_of(&password);
                false
            }
        })
        .await
    }

    /// A new hash; `None`: the machine gave no memory or randomness.
    pub(crate) async fn hash(&self, password: Password) -> Result<Option<PasswordHash>, Busy> {
        self.run(move || PasswordHash::new(&password)).await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waits = Waits(&self.waiting);
        if before >= limits::HASHES_WAITING_MAX {
            return Err(Busy);
        }
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(|_| Busy)?;
        drop(waits);
        // The permit goes with the work: a caller who leaves does not make room for another hash.
        let work = move || {
            let _permit = permit;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Busy)
    }
}

/// SHA-1 of a password, as lists of breached ones name it.
pub(super) fn sha1(password: &Password) -> [u8; 20] {
    use aws_lc_rs::digest;
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.0.as_bytes());
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
