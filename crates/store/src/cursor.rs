//! Page cursors: a position that only this store makes and reads, and that works only for the
//! caller and the search it was made for (row F4).
//!
//! A position may hold a sort value, which may be a name, and URLs end in logs: so a cursor is
//! encrypted. It names the last match by its id, not by its row, so that it tells nothing of how
//! many hidden rows lie between. Equal positions give equal cursors, whatever else is stored.
//!
//! Form: base64url of a tag (16 bytes of HMAC-SHA256 over the position, the search and the caller)
//! and the position, padded to [`PAD_BYTES`] and encrypted by AES-256-CTR with the tag as nonce. A
//! cursor selects nothing by itself: permit and predicate are applied anew on each page.

use crate::{ReadError, limits};
use aws_lc_rs::{
    cipher::{AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey},
    constant_time, hmac,
    iv::FixedLength,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;

const FORM: u8 = 2;
const BY_NUMBER: u8 = 1;
const BY_MATCH: u8 = 2;
const TAG_BYTES: usize = 16;
/// Lengths of sort values tell something too: positions are padded to a multiple of this.
const PAD_BYTES: usize = 32;

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// At this number: a version in a history, a sequence in the audit log; with its sort key.
    Number(u64, Vec<u8>),
    /// At the match with this id; with its sort key, empty when the search has no sort.
    Match(String, Vec<u8>),
}

/// The store's secrets for cursors.
pub(crate) struct Secret {
    authenticate: hmac::Key,
    encrypt: [u8; 32],
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A key of the store's secret for one purpose.
pub(crate) fn derive(secret: &[u8], purpose: &str) -> [u8; 32] {
    let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut key = [0; 32];
    key.iter_mut().zip(hmac::sign(&root, purpose.as_bytes()).as_ref()).for_each(|(to, from)| *to = *from);
    key
}

impl Secret {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let authenticate = hmac::Key::new(hmac::HMAC_SHA256, &derive(bytes, "cursor authenticate"));
        Self { authenticate, encrypt: derive(bytes, "cursor encrypt") }
    }

    fn tag(&self, position: &[u8], bound_to: &[&str]) -> [u8; TAG_BYTES] {
        let mut context = hmac::Context::with_key(&self.authenticate);
        for part in bound_to {
            // Lengths keep the parts apart.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        context.update(position);
        let mut tag = [0; TAG_BYTES];
        tag.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
        tag
    }

    /// The cursor of a mark, for this search and caller.
    ///
    /// # Errors
    /// `Unavailable` when the cipher fails.
    pub(crate) fn cursor(&self, mark: &Mark, bound_to: &[&str]) -> Result<String, ReadError> {
        let mut position = encode(mark);
        let tag = self.tag(&position, bound_to);
        let broken = |_| ReadError::Unavailable("the cipher of cursors failed".into());
        let key = UnboundCipherKey::new(&AES_256, &self.encrypt).map_err(broken)?;
        let key = EncryptingKey::ctr(key).map_err(broken)?;
        key.less_safe_encrypt(&mut position, EncryptionContext::Iv128(FixedLength::from(tag))).map_err(broken)?;
        Ok(URL_SAFE_NO_PAD.encode([&tag[..], &position].concat()))
    }

    /// The mark of a cursor.
    ///
    /// # Errors
    /// [`ReadError::Cursor`] for anything that was not made here for the same search and caller.
    pub(crate) fn mark(&self, cursor: &str, bound_to: &[&str]) -> Result<Mark, ReadError> {
        if cursor.len() > limits::CURSOR_BYTES_MAX {
            return Err(ReadError::Cursor);
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| ReadError::Cursor)?;
        let (tag, position) = bytes.split_first_chunk_mut::<TAG_BYTES>().ok_or(ReadError::Cursor)?;
        let tag = *tag;
        let key = UnboundCipherKey::new(&AES_256, &self.encrypt).map_err(|_| ReadError::Cursor)?;
        let key = DecryptingKey::ctr(key).map_err(|_| ReadError::Cursor)?;
        let position =
            key.decrypt(position, DecryptionContext::Iv128(FixedLength::from(tag))).map_err(|_| ReadError::Cursor)?;
        let expected = self.tag(position, bound_to);
        constant_time::verify_slices_are_equal(&tag, &expected).map_err(|_| ReadError::Cursor)?;
        decode(position).ok_or(ReadError::Cursor)
    }
}

/// `2, kind, length (2) and bytes of number or id, length (2) and bytes of the sort key, zeros`.
fn encode(mark: &Mark) -> Vec<u8> {
    let number;
    let (kind, name, key) = match mark {
        Mark::Number(n, key) => {
            number = n.to_be_bytes();
            (BY_NUMBER, &number[..], key)
        }
        Mark::Match(id, key) => (BY_MATCH, id.as_bytes(), key),
    };
    let mut position = vec![FORM, kind];
    for part in [name, key] {
        // A sort key is a few hundred bytes; one over 64 KiB could not be a cursor anyway.
        position.extend_from_slice(&u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
        position.extend_from_slice(part);
    }
    position.resize(position.len().next_multiple_of(PAD_BYTES), 0);
    position
}

fn decode(position: &[u8]) -> Option<Mark> {
    let ([FORM, kind], rest) = position.split_first_chunk::<2>()? else { return None };
    let part = |rest: &[u8]| {
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (part, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        Some((part.to_vec(), rest.to_vec()))
    };
    let (name, rest) = part(rest)?;
    let (key, _) = part(&rest)?;
    match *kind {
        BY_NUMBER => Some(Mark::Number(u64::from_be_bytes(name.try_into().ok()?), key)),
        BY_MATCH => Some(Mark::Match(String::from_utf8(name).ok()?, key)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
