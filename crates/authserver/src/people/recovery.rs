//! Recovery codes and invitations: random secrets of 80 bits and more that people type, kept as SHA-256, used once.
//! SPEC: NIST SP 800-63B-4 section 3.1.2 (look-up secrets); row B26.

use super::credentials::{self, Hash};
use crate::{limits::people as limits, random};

/// Crockford's alphabet: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Bytes of a code: 80 bits, 16 characters.
const CODE_BYTES: usize = 10;

/// New codes as they are shown: 16 letters and digits in four groups.
pub(crate) fn codes() -> Result<Vec<String>, random::NoRandomness> {
    (0..limits::RECOVERY_CODES).map(|_| Ok(shown(&random::bytes::<CODE_BYTES>()?))).collect()
}

/// A new invitation as it is sent.
pub(crate) fn invitation() -> Result<String, random::NoRandomness> {
    random::secret()
}

/// What is kept of a code of this account, however it was typed.
pub(crate) fn hash(account: &str, typed: &str) -> Hash {
    let normal: String = typed
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    // With the account, so that equal codes of two people are no equal hashes.
    credentials::hash(&format!("{account} {normal}"))
}

fn shown(bytes: &[u8]) -> String {
    let text = base32(bytes, ALPHABET);
    let fours: Vec<&str> = (0..text.len()).step_by(4).filter_map(|at| text.get(at..at + 4)).collect();
    fours.join("-")
}

/// Bytes, five at a time as eight characters; of no other length here.
pub(super) fn base32(bytes: &[u8], alphabet: &[u8; 32]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5);
    for five in bytes.chunks(5) {
        let number = five.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            let digit = usize::try_from(number >> (place * 5) & 31).unwrap_or_default();
            text.push(alphabet.get(digit).copied().map_or('0', char::from));
        }
    }
    text
}

#[cfg(test)]
mod tests;
