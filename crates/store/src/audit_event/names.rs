//! Names of audit events: the logical id of an event is its sequence in the log, and which event of that entry it is,
//! enciphered.
//!
//! A sequence counts all records, so the gaps between those that a caller may see would tell how
//! much others do (row F4; invariant 5). One block of AES-256 over the sequence, seven zero
//! bytes and the facet tells nothing of either, and a text that was not made here deciphers to no zeros.
//! Left out: an order. Names do not sort as the events do.

use crate::{ReadError, cursor::derive};
use audit::balp::Facet;
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

    /// The logical id of this event of the entry with this sequence.
    ///
    /// # Errors
    /// `Unavailable` when the cipher fails.
    pub(crate) fn id(&self, sequence: u64, facet: Facet) -> Result<LogicalId, ReadError> {
        let broken = || ReadError::Unavailable("the cipher of event names failed".into());
        let mut block = (u128::from(sequence) << 64 | u128::from(facet.number())).to_be_bytes();
        let key = UnboundCipherKey::new(&AES_256, &self.key).and_then(EncryptingKey::ecb).map_err(|_| broken())?;
        key.encrypt(&mut block).map_err(|_| broken())?;
        LogicalId::parse(&format!("{:032x}", u128::from_be_bytes(block))).map_err(|_| broken())
    }

    /// Which event has this id; `None` when none can have it.
    pub(crate) fn event(&self, id: &LogicalId) -> Option<(u64, Facet)> {
        let text = id.as_str();
        let plain = text.len() == 2 * BLOCK_BYTES && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let mut block = u128::from_str_radix(text, 16).ok().filter(|_| plain)?.to_be_bytes();
        let key = UnboundCipherKey::new(&AES_256, &self.key).and_then(DecryptingKey::ecb).ok()?;
        key.decrypt(&mut block, DecryptionContext::None).ok()?;
        let (sequence, facet) = block.split_first_chunk::<8>()?;
        let facet = u64::from_be_bytes(*facet.first_chunk::<8>()?);
        let facet = Facet::ALL.into_iter().find(|known| u64::from(known.number()) == facet)?;
        Some((u64::from_be_bytes(*sequence), facet)).filter(|(sequence, _)| *sequence > 0)
    }
}

#[cfg(test)]
impl EventNames {
    /// The entry of the event with this id.
    pub(crate) fn sequence(&self, id: &LogicalId) -> Option<u64> {
        self.event(id).map(|(sequence, _)| sequence)
    }
}

#[cfg(test)]
mod tests;
