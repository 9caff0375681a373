//! Secrets of confidential symmetric clients. SPEC: RFC 6749 section 2.3.1; row B12: made by the server with 256 random
//! bits, shown once, kept as an HMAC under a key of this server, compared in constant time, two at most.
//!
//! A slow hash protects what people think up; these are random, so that a guess costs 2^256 whatever the hash. The key
//! (the pepper) makes a row of the table alone worth nothing.

use crate::{
    random::{self, NoRandomness},
    tables::{Table, Unavailable},
};
use aws_lc_rs::hmac;
use fhir::Instant;
use std::fmt;

/// Live secrets of a client: one, and while it is changed, two.
pub(crate) const SECRETS_MAX: usize = 2;

/// A secret on its way to whoever registers the client. No Debug, Display or Serialize.
pub struct NewSecret(String);

impl NewSecret {
    /// A new one.
    pub(crate) fn new() -> Result<Self, NoRandomness> {
        random::secret().map(Self)
    }

    /// Its text, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewSecret(…)")
    }
}

/// What is kept of a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    pub(crate) hash: [u8; 32],
    /// When it was made.
    pub created: Instant,
    /// When it was used last, to the day: `None` for never.
    pub last_used: Option<Instant>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret(… of {})", self.created)
    }
}

const ROW: &[u8] = b"pepper";

/// The server's own key under which it keeps secrets. It lies in the table of private keys.
pub(crate) struct Pepper(hmac::Key);

impl Pepper {
    /// Reads it, or makes it.
    pub(crate) fn open(table: &dyn Table) -> Result<Self, Unavailable> {
        let bytes = match table.value(ROW)? {
            Some(bytes) if bytes.len() == 32 => bytes,
            Some(_) => return Err(Unavailable("the row of the pepper is malformed".into())),
            None => {
                let bytes = random::bytes::<32>().map_err(|_| Unavailable("no randomness".into()))?.to_vec();
                table.put(ROW, &bytes)?;
                bytes
            }
        };
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// What is kept of this text. `purpose` keeps values of different kinds apart; it holds no zero byte.
    pub(crate) fn of(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.signed(purpose, parts).as_ref());
        hash
    }

    fn signed(&self, purpose: &str, parts: &[&[u8]]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.as_bytes());
        for part in parts {
            // The length keeps parts apart.
            context.update(&[0]);
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.sign()
    }

    /// What is kept of a client's secret.
    pub(crate) fn of_secret(&self, client_id: &str, secret: &str) -> [u8; 32] {
        self.of("client-secret", &[client_id.as_bytes(), secret.as_bytes()])
    }

    /// Which of the secrets it is. Takes the same time for any number of them and whichever it is.
    pub(crate) fn position(&self, client_id: &str, presented: &str, secrets: &[Secret]) -> Option<usize> {
        let hash = self.of_secret(client_id, presented);
        let mut found = None;
        for at in 0..SECRETS_MAX {
            let kept = secrets.get(at).map_or([0; 32], |secret| secret.hash);
            let equal = aws_lc_rs::constant_time::verify_slices_are_equal(&hash, &kept).is_ok();
            if equal && at < secrets.len() {
                found = Some(at);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
