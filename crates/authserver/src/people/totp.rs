//! Codes of an authenticator app. SPEC: RFC 6238 with SHA-1, six digits and 30 seconds (what every app does), RFC 4226
//! section 5.3; row B26. A code is used once: its step and those before it are spent (RFC 6238 section 5.2).

use crate::{limits::people as limits, random};
use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Bytes of a seed. SPEC: RFC 4226 section 4: 160 bits.
const SEED_BYTES: usize = 20;

/// A new seed.
pub(crate) fn seed() -> Result<Vec<u8>, random::NoRandomness> {
    Ok(random::bytes::<SEED_BYTES>()?.to_vec())
}

/// The step that a typed code is of: around now, and after `last_step`. Blanks in it do not count.
pub(crate) fn step_of(seed: &[u8], typed: &str, now_s: i64, last_step: i64) -> Option<i64> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let now = now_s.div_euclid(limits::TOTP_STEP_S);
    let steps = now - limits::TOTP_STEPS_AROUND..=now + limits::TOTP_STEPS_AROUND;
    // Each is looked at, so that time does not tell which was near.
    let found = steps.filter(|step| verify_slices_are_equal(code(seed, *step).as_bytes(), typed.as_bytes()).is_ok());
    found.max().filter(|step| *step > last_step)
}

/// The code of a step. SPEC: RFC 4226 section 5.3.
pub(crate) fn code(seed: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().copied().unwrap_or_default() & 15);
    let four = tag.get(offset..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
    let number = u32::from_be_bytes(four) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// A seed as people type it: base32.
pub(crate) fn base32(seed: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    super::recovery::base32(seed, ALPHABET)
}

/// What an authenticator app reads: `otpauth://totp/…`.
pub(crate) fn uri(seed: &[u8], host: &str, login: &str) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let (issuer, login, secret) = (encoded(host), encoded(login), base32(seed));
    format!("otpauth://totp/{issuer}:{login}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30")
}

#[cfg(test)]
mod tests;
