//! Random names and secrets, from the operating system by way of `aws-lc-rs`.

use aws_lc_rs::rand;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The machine gives no randomness: nothing can be issued.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoRandomness;

/// Random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// 32 random bytes as base64url: an access token. Never begins with a dash, as [`name`].
pub(crate) fn secret() -> Result<String, NoRandomness> {
    loop {
        let secret = URL_SAFE_NO_PAD.encode(bytes::<32>()?);
        if !secret.starts_with('-') {
            return Ok(secret);
        }
    }
}

/// 16 random bytes in hex: a client id or request id. Never begins with a dash, so it pastes into a command line.
pub(crate) fn name() -> Result<String, NoRandomness> {
    Ok(hex(&bytes::<16>()?))
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        text
    })
}

/// Reads [`hex`] of so many bytes.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| char::from(*pair.get(at)?).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    /// What begins with a dash is an option to whoever pastes it into a command line.
    #[test]
    fn nothing_begins_with_a_dash() {
        for _ in 0..2000 {
            assert!(!super::secret().unwrap().starts_with('-'));
        }
    }
}
