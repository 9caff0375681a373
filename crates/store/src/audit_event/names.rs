//! Names of audit events: the logical id of an event is its sequence in the log, enciphered.
//!
//! A sequence counts all records, so the gaps between those that a caller may see would tell how
//! much others do (row F4; invariant 5). One block of AES-256 over the sequence and eight zero
//! bytes tells nothing of either, and a text that was not made here deciphers to no zeros.
//! Left out: an order. Names do not sort as the events do.

use crate::{ReadError, cursor::derive};
use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey};
use fhir::LogicalId;
use std::fmt;

const BLOCK_BYTES: usize = 16;

/// The key that names the events of a store.
pub(crate) struct EventNames {
    key: [u8; 32],
}

impl fmt::Debug for EventNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventNames(…)")
    }
}

impl EventNames {
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self { key: derive(secret, "audit event names") }
    }

    /// The logical id of the event with this sequence.
    ///
    /// # Errors
    /// `Unavailable` when the cipher fails.
    pub(crate) fn id(&self, sequence: u64) -> Result<LogicalId, ReadError> {
        let broken = || ReadError::Unavailable("the cipher of event names failed".into());
        let mut block = [0; BLOCK_BYTES];
        block.iter_mut().zip(sequence.to_be_bytes()).for_each(|(to, from)| *to = from);
        let key = UnboundCipherKey::new(&AES_256, &self.key).and_then(EncryptingKey::ecb).map_err(|_| broken())?;
        key.encrypt(&mut block).map_err(|_| broken())?;
        LogicalId::parse(&format!("{:032x}", u128::from_be_bytes(block))).map_err(|_| broken())
    }

    /// The sequence of the event with this id; `None` when no event can have it.
    pub(crate) fn sequence(&self, id: &LogicalId) -> Option<u64> {
        let text = id.as_str();
        let plain = text.len() == 2 * BLOCK_BYTES && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let mut block = u128::from_str_radix(text, 16).ok().filter(|_| plain)?.to_be_bytes();
        let key = UnboundCipherKey::new(&AES_256, &self.key).and_then(DecryptingKey::ecb).ok()?;
        key.decrypt(&mut block, DecryptionContext::None).ok()?;
        let (sequence, zeros) = block.split_first_chunk::<8>()?;
        zeros.iter().all(|byte| *byte == 0).then(|| u64::from_be_bytes(*sequence)).filter(|sequence| *sequence > 0)
    }
}

#[cfg(test)]
mod tests;
