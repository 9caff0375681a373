//! Registering a passkey. SPEC: WebAuthn section 7.1.

use super::{
    Passkey, PasskeyError, RelyingParty, authenticator_data, cbor,
    client_data::{self, Ceremony},
    member,
};
use ciborium::Value;
use std::sync::Arc;

/// What the browser sends: the two members of `AuthenticatorAttestationResponse`, decoded.
pub(crate) struct Answer<'a> {
    pub(crate) client_data: &'a [u8],
    pub(crate) attestation_object: &'a [u8],
}

/// The new passkey, when the answer is one to this challenge.
pub(crate) fn verify(
    answer: &Answer<'_>,
    challenge: &[u8],
    party: &RelyingParty,
    name: Arc<str>,
    now_s: i64,
) -> Result<Passkey, PasskeyError> {
    client_data::check(answer.client_data, Ceremony::Create, challenge, party)?;
    let (object, rest) = cbor(answer.attestation_object)?;
    let map = object.as_map().filter(|_| rest.is_empty()).ok_or(PasskeyError::Malformed)?;
    let part = |name: &str| member(map, &Value::Text(name.into()))?.ok_or(PasskeyError::Malformed);
    let format = part("fmt")?.as_text().ok_or(PasskeyError::Malformed)?;
    let statement = part("attStmt")?.as_map().ok_or(PasskeyError::Malformed)?;
    // Section 8.7. Statements of other formats say who made the authenticator, which nobody here asks.
    if format == "none" && !statement.is_empty() {
        return Err(PasskeyError::Malformed);
    }
    let data = part("authData")?.as_bytes().ok_or(PasskeyError::Malformed)?;
    let data = authenticator_data::read(data, party)?;
    let attested = data.attested.ok_or(PasskeyError::Malformed)?;
    Ok(Passkey {
        id: attested.id,
        key: attested.key,
        counter: data.counter,
        name,
        created_s: now_s,
        used_s: None,
        suspended: false,
    })
}
