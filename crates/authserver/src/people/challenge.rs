//! Passkey challenges: given out without being kept, good for one browser, one purpose and once. SPEC: WebAuthn section
//! 13.4.3; row B26.
//!
//! A challenge is 16 random bytes, its end, and a tag over both with what it is for. Strangers may ask for any number:
//! only those that were answered rightly are remembered, until their end.

use super::{credentials::Hash, seal::Seal};
use crate::{limits::people as limits, random};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

const NONCE: usize = 16;

/// What a challenge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To sign in, or as a second factor.
    SignIn,
    /// To add a passkey.
    Add,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::SignIn => "passkey sign-in",
            Self::Add => "passkey add",
        }
    }
}

/// Those that were used, with their ends.
#[derive(Default)]
pub(crate) struct Challenges {
    used: Mutex<BTreeSet<(i64, [u8; NONCE])>>,
}

/// A new one for this browser (its visit or session).
pub(crate) fn new(seal: &Seal, purpose: Purpose, browser: &Hash, now_s: i64) -> Result<Vec<u8>, random::NoRandomness> {
    let mut challenge = random::bytes::<NONCE>()?.to_vec();
    challenge.extend((now_s + limits::CHALLENGE_LIFE_S).to_be_bytes());
    let tag = seal.tag(purpose.label(), &[browser, &challenge]);
    challenge.extend(tag);
    Ok(challenge)
}

/// The challenge that client data name, when it is one of ours for this browser and has not ended. Whether it was used
/// is asked last, by [`Challenges::use_once`].
pub(crate) fn named_in(
    client_data: &[u8],
    seal: &Seal,
    purpose: Purpose,
    browser: &Hash,
    now_s: i64,
) -> Option<Vec<u8>> {
    let data: serde_json::Value = serde_json::from_slice(client_data).ok()?;
    let challenge = URL_SAFE_NO_PAD.decode(data.get("challenge")?.as_str()?).ok()?;
    let (told, tag) = challenge.split_at_checked(NONCE + 8)?;
    verify_slices_are_equal(&seal.tag(purpose.label(), &[browser, told]), tag).ok()?;
    (ends_s(&challenge)? > now_s).then_some(challenge)
}

fn ends_s(challenge: &[u8]) -> Option<i64> {
    challenge.get(NONCE..)?.first_chunk::<8>().map(|bytes| i64::from_be_bytes(*bytes))
}

impl Challenges {
    /// Whether it was used.
    pub(crate) fn was_used(&self, challenge: &[u8]) -> bool {
        let (Some(ends_s), Some(nonce)) = (ends_s(challenge), challenge.first_chunk()) else { return true };
        self.used.lock().unwrap_or_else(PoisonError::into_inner).contains(&(ends_s, *nonce))
    }

    /// Marks it as used; false when it was.
    pub(crate) fn use_once(&self, challenge: &[u8], now_s: i64) -> bool {
        let (Some(ends_s), Some(nonce)) = (ends_s(challenge), challenge.first_chunk()) else { return false };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = used.split_off(&(now_s, [0; NONCE]));
        used.insert((ends_s, *nonce))
    }
}

#[cfg(test)]
mod tests;
