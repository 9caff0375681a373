//! The key under which people's secrets are kept, and tags that only this server can make. Kept in the table of keys;
//! made at first start. AES-256-GCM bound to the account, so that one person's secret in another's row opens nothing.

use crate::{
    random,
    tables::{Table, Unavailable},
};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hmac,
};

/// The row of the table of keys.
const ROW: &[u8] = b"people";

/// The key. No Debug.
pub(crate) struct Seal {
    key: [u8; 32],
}

impl Seal {
    /// Reads the key, or makes it.
    pub(crate) fn open(table: &dyn Table) -> Result<Self, Unavailable> {
        let malformed = || Unavailable("the key of people's secrets is malformed".into());
        let key = match table.value(ROW)? {
            Some(row) => row.try_into().map_err(|_| malformed())?,
            None => {
                let key: [u8; 32] = random::bytes().map_err(|_| Unavailable("no randomness".into()))?;
                table.put(ROW, &key)?;
                key
            }
        };
        Ok(Self { key })
    }

    /// A tag over these parts for this purpose.
    pub(crate) fn tag(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.subkey("tag")));
        for part in [purpose.as_bytes()].iter().chain(parts) {
            // With its length before it, so that no two lists of parts have the same bytes.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        array(context.sign().as_ref())
    }

    /// Encrypts for this owner.
    pub(crate) fn seal(&self, owner: &str, plain: &[u8]) -> Result<Vec<u8>, random::NoRandomness> {
        let mut sealed = plain.to_vec();
        let nonce = self
            .cipher()
            .and_then(|cipher| cipher.seal_in_place_append_tag(Aad::from(owner.as_bytes()), &mut sealed).ok())
            .ok_or(random::NoRandomness)?;
        sealed.extend_from_slice(nonce.as_ref());
        Ok(sealed)
    }

    /// Decrypts what was sealed for this owner.
    pub(crate) fn unseal(&self, owner: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (text, nonce) = sealed.split_at_checked(sealed.len().checked_sub(NONCE_LEN)?)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let plain = self.cipher()?.open_in_place(nonce, Aad::from(owner.as_bytes()), &mut text).ok()?;
        Some(plain.to_vec())
    }

    fn cipher(&self) -> Option<RandomizedNonceKey> {
        RandomizedNonceKey::new(&AES_256_GCM, &self.subkey("seal")).ok()
    }

    /// A key for one use alone.
    fn subkey(&self, label: &str) -> [u8; 32] {
        array(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.key), label.as_bytes()).as_ref())
    }
}

fn array(bytes: &[u8]) -> [u8; 32] {
    bytes.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
