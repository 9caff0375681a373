//! The refresh token itself: `base64url(family ‖ generation ‖ body ‖ mark)`. A secret; what is kept is its SHA-256.
//!
//! The body of the first is random; each successor's is derived from the whole token before it under the server's key.
//! Who has the table has hashes and cannot derive; who has the table and the key still lacks the token.

use crate::{client::secret::Pepper, random};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth::secret::Secret;
use std::sync::Arc;

const FAMILY: usize = 16;
const GENERATION: usize = 4;
const BODY: usize = 32;
const MARK: usize = 16;
const WHOLE: usize = FAMILY + GENERATION + BODY + MARK;

/// What a token of ours says.
pub(super) struct Parts {
    pub(super) family: Arc<str>,
    pub(super) generation: u32,
}

impl Parts {
    /// Reads a token; `None` when this server did not make it.
    pub(super) fn read(pepper: &Pepper, presented: &str) -> Option<Self> {
        if presented.len() != WHOLE.div_ceil(3) * 4 - (3 - WHOLE % 3) % 3 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(presented).ok()?;
        let (marked, mark) = bytes.split_last_chunk::<MARK>()?;
        let whole = pepper.of("refresh-mark", &[marked]);
        if aws_lc_rs::constant_time::verify_slices_are_equal(whole.first_chunk::<MARK>()?, mark).is_err() {
            return None;
        }
        let (family, rest) = marked.split_first_chunk::<FAMILY>()?;
        let generation = u32::from_be_bytes(*rest.first_chunk::<GENERATION>()?);
        Some(Self { family: random::hex(family).into(), generation })
    }
}

/// The first token of a family; `None` without randomness.
pub(super) fn first(pepper: &Pepper, family: &str) -> Option<Secret> {
    token(pepper, family, 0, &random::bytes::<BODY>().ok()?)
}

/// The token that takes the place of this one: always the same.
pub(super) fn successor(pepper: &Pepper, parts: &Parts, presented: &str) -> Option<Secret> {
    let body = pepper.of("refresh-next", &[presented.as_bytes()]);
    token(pepper, &parts.family, parts.generation.checked_add(1)?, &body)
}

fn token(pepper: &Pepper, family: &str, generation: u32, body: &[u8; BODY]) -> Option<Secret> {
    let mut bytes = random::from_hex::<FAMILY>(family)?.to_vec();
    bytes.extend_from_slice(&generation.to_be_bytes());
    bytes.extend_from_slice(body);
    let mark = pepper.of("refresh-mark", &[&bytes]);
    bytes.extend_from_slice(mark.first_chunk::<MARK>()?);
    Some(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}
