//! Signing in with a passkey. SPEC: WebAuthn section 7.2.

use super::{
    Passkey, PasskeyError, RelyingParty, authenticator_data,
    client_data::{self, Ceremony},
};
use aws_lc_rs::digest;

/// What the browser sends: members of `AuthenticatorAssertionResponse`, decoded.
pub(crate) struct Answer<'a> {
    pub(crate) client_data: &'a [u8],
    pub(crate) authenticator_data: &'a [u8],
    pub(crate) signature: &'a [u8],
}

/// The counter to keep, when this passkey signed for this challenge. [`PasskeyError::Counter`] is told only of an answer
/// that is right otherwise.
pub(crate) fn verify(
    answer: &Answer<'_>,
    challenge: &[u8],
    party: &RelyingParty,
    passkey: &Passkey,
) -> Result<u32, PasskeyError> {
    client_data::check(answer.client_data, Ceremony::Get, challenge, party)?;
    let data = authenticator_data::read(answer.authenticator_data, party)?;
    if data.attested.is_some() {
        return Err(PasskeyError::Flags);
    }
    let client_data_hash = digest::digest(&digest::SHA256, answer.client_data);
    let signed = [answer.authenticator_data, client_data_hash.as_ref()].concat();
    passkey.key.verify(&signed, answer.signature)?;
    // Step 22. One that counts nothing says 0 each time.
    if (data.counter != 0 || passkey.counter != 0) && data.counter <= passkey.counter {
        return Err(PasskeyError::Counter);
    }
    Ok(data.counter)
}
