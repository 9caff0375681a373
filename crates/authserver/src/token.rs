//! The access token itself: made of 32 random bytes, known to this server by its SHA-256 only. SPEC: RFC 6750 section
//! 5.2; row C10. A secret: no Debug, Display or Serialize.

use crate::random::{self, NoRandomness};
use aws_lc_rs::digest;
use oauth::secret::Secret;

/// A new token, on its way to the client.
pub(crate) fn new() -> Result<Secret, NoRandomness> {
    random::secret().map(Secret::new)
}

/// What the server keeps of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    /// Of a token as presented.
    pub(crate) fn of(token: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
        Self(hash)
    }

    /// As a table's key has it.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes.
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The token's name for logs: the first 16 hex digits, of which nobody gets back to the token.
    pub(crate) fn name(&self) -> String {
        random::hex(self.0.first_chunk::<8>().unwrap_or(&[0; 8]))
    }
}
