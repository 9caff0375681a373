//! Authenticator data: for whom, what the person did, the counter, and at registration the new key. SPEC: WebAuthn
//! section 6.1, steps 12 to 18 of section 7.1 and 15 to 20 of section 7.2.

use super::{PasskeyError, RelyingParty, cbor, key::PublicKey};
use crate::limits::people as limits;
use aws_lc_rs::digest;

const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
const CAN_BE_BACKED_UP: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const HAS_KEY: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;

/// What was read, after its checks.
pub(crate) struct AuthenticatorData {
    /// The counter.
    pub(crate) counter: u32,
    /// The new credential, at registration alone.
    pub(crate) attested: Option<Attested>,
}

/// A new credential.
pub(crate) struct Attested {
    /// Its id.
    pub(crate) id: Vec<u8>,
    /// Its key.
    pub(crate) key: PublicKey,
}

/// Reads all of the bytes and checks relying party and flags.
pub(crate) fn read(bytes: &[u8], party: &RelyingParty) -> Result<AuthenticatorData, PasskeyError> {
    let (rp_id_hash, rest) = bytes.split_first_chunk::<32>().ok_or(PasskeyError::Malformed)?;
    let ([flags], rest) = rest.split_first_chunk::<1>().ok_or(PasskeyError::Malformed)?;
    let (counter, mut rest) = rest.split_first_chunk::<4>().ok_or(PasskeyError::Malformed)?;
    if digest::digest(&digest::SHA256, party.id.as_bytes()).as_ref() != rp_id_hash {
        return Err(PasskeyError::RelyingParty);
    }
    let has = |flag: u8| flags & flag != 0;
    if !has(PRESENT) {
        return Err(PasskeyError::NotPresent);
    }
    if !has(VERIFIED) {
        return Err(PasskeyError::NotVerified);
    }
    if has(BACKED_UP) && !has(CAN_BE_BACKED_UP) {
        return Err(PasskeyError::Flags);
    }
    let attested = if has(HAS_KEY) {
        let (_aaguid, after) = rest.split_first_chunk::<16>().ok_or(PasskeyError::Malformed)?;
        let (length, after) = after.split_first_chunk::<2>().ok_or(PasskeyError::Malformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 || length > limits::CREDENTIAL_ID_BYTES_MAX {
            return Err(PasskeyError::Malformed);
        }
        let (id, after) = after.split_at_checked(length).ok_or(PasskeyError::Malformed)?;
        let (_, beyond) = cbor(after)?;
        let key = after.get(..after.len() - beyond.len()).ok_or(PasskeyError::Malformed)?;
        rest = beyond;
        Some(Attested { id: id.to_vec(), key: PublicKey::from_cose(key)? })
    } else {
        None
    };
    if has(HAS_EXTENSIONS) {
        let (extensions, beyond) = cbor(rest)?;
        if !extensions.is_map() {
            return Err(PasskeyError::Malformed);
        }
        rest = beyond;
    }
    if !rest.is_empty() {
        return Err(PasskeyError::Malformed);
    }
    Ok(AuthenticatorData { counter: u32::from_be_bytes(*counter), attested })
}
