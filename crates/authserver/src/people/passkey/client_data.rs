//! The client data: what the browser says it did, hashed into what the authenticator signs. SPEC: WebAuthn section
//! 5.8.1, steps 7 to 11 of sections 7.1 and 7.2.

use super::{PasskeyError, RelyingParty};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// Which ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ceremony {
    /// `webauthn.create`.
    Create,
    /// `webauthn.get`.
    Get,
}

/// Checks them against the challenge that was given and our origin.
pub(crate) fn check(
    json: &[u8],
    ceremony: Ceremony,
    challenge: &[u8],
    party: &RelyingParty,
) -> Result<(), PasskeyError> {
    let data: Value = serde_json::from_slice(json).map_err(|_| PasskeyError::Malformed)?;
    let text = |name: &str| data.get(name).and_then(Value::as_str).ok_or(PasskeyError::Malformed);
    let wanted = match ceremony {
        Ceremony::Create => "webauthn.create",
        Ceremony::Get => "webauthn.get",
    };
    if text("type")? != wanted {
        return Err(PasskeyError::Type);
    }
    let shown = URL_SAFE_NO_PAD.decode(text("challenge")?).map_err(|_| PasskeyError::Malformed)?;
    verify_slices_are_equal(&shown, challenge).map_err(|_| PasskeyError::Challenge)?;
    if text("origin")? != party.origin {
        return Err(PasskeyError::Origin);
    }
    // Our pages are in no frame (row A18), so an answer from within one is another site's.
    match data.get("crossOrigin") {
        None | Some(Value::Bool(false)) => {}
        Some(_) => return Err(PasskeyError::Origin),
    }
    if data.get("topOrigin").is_some() { Err(PasskeyError::Origin) } else { Ok(()) }
}
