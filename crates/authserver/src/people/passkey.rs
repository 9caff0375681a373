//! Passkeys: WebAuthn, verified here. SPEC: WebAuthn level 3 sections 6.1, 7.1, 7.2; RFC 9052, 9053; row B26.
//!
//! - [`key`]: COSE keys: ES256, RS256, EdDSA over Ed25519. [`client_data`]: what the browser signed for.
//! - [`authenticator_data`]: what the authenticator says. [`registration`], [`assertion`]: the two ceremonies.
//!
//! The person must be verified by the device (PIN, finger, face), so that a passkey is two factors in one. Attestation
//! is neither asked for nor believed: any maker's authenticator will do. No extension is used.

pub(crate) mod assertion;
pub(crate) mod authenticator_data;
pub(crate) mod client_data;
pub(crate) mod key;
pub(crate) mod registration;
#[cfg(test)]
pub(crate) mod testing;

use key::PublicKey;
use std::{fmt, sync::Arc};

/// A passkey of an account. Nothing of it is a secret.
#[derive(Clone)]
pub(crate) struct Passkey {
    /// The credential's id.
    pub(crate) id: Vec<u8>,
    /// Its public key.
    pub(crate) key: PublicKey,
    /// The last counter that it showed; 0 when it counts nothing.
    pub(crate) counter: u32,
    /// The person's name for it.
    pub(crate) name: Arc<str>,
    /// When it was registered, seconds since the epoch.
    pub(crate) created_s: i64,
    /// When it was last used.
    pub(crate) used_s: Option<i64>,
    /// Its counter went back, as that of a copy does: it does not sign anybody in any more.
    pub(crate) suspended: bool,
}

impl Passkey {
    /// A name that tells nothing and fits into a form.
    pub(crate) fn handle(&self) -> String {
        crate::random::hex(
            super::credentials::hash(&crate::random::hex(&self.id)).first_chunk::<8>().unwrap_or(&[0; 8]),
        )
    }
}

/// Whom the ceremonies are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RelyingParty {
    /// Our origin: scheme, host and port, as browsers write it.
    pub(crate) origin: String,
    /// The host.
    pub(crate) id: String,
}

impl RelyingParty {
    /// Of our issuer, `https://HOST[:PORT]`.
    pub(crate) fn of_issuer(issuer: &str) -> Self {
        let host = issuer.strip_prefix("https://").unwrap_or(issuer);
        let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let id = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name);
        Self { origin: issuer.to_ascii_lowercase(), id: id.to_ascii_lowercase() }
    }
}

/// Why a ceremony failed; for the log and the audit entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PasskeyError {
    /// Not base64url, JSON or CBOR, or without what must be in it.
    Malformed,
    /// Another ceremony's.
    Type,
    /// Not the challenge that was given.
    Challenge,
    /// Made for another site, or inside a frame of one.
    Origin,
    /// Made for another relying party.
    RelyingParty,
    /// Nobody was there.
    NotPresent,
    /// The device did not verify the person.
    NotVerified,
    /// Flags that contradict each other.
    Flags,
    /// A key of a kind that was not asked for, or no key at all.
    Key,
    /// The signature is not the key's.
    Signature,
    /// The counter did not go on: there is a copy.
    Counter,
}

impl fmt::Display for PasskeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the passkey's answer is malformed",
            Self::Type => "the passkey's answer is of another ceremony",
            Self::Challenge => "the passkey's answer is to another challenge",
            Self::Origin => "the passkey's answer was made at another site",
            Self::RelyingParty => "the passkey's answer is for another relying party",
            Self::NotPresent => "nobody touched the authenticator",
            Self::NotVerified => "the authenticator did not verify the person",
            Self::Flags => "the authenticator's flags contradict each other",
            Self::Key => "the passkey's key is of no kind that was asked for",
            Self::Signature => "the passkey's signature is wrong",
            Self::Counter => "the passkey's counter did not go on: there may be a copy",
        })
    }
}

/// A CBOR value from the front of these bytes, and what follows it. Bounded in depth; in size by the request.
fn cbor(bytes: &[u8]) -> Result<(ciborium::Value, &[u8]), PasskeyError> {
    const DEPTH_MAX: usize = 8;
    let mut rest = bytes;
    let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEPTH_MAX);
    Ok((value.map_err(|_| PasskeyError::Malformed)?, rest))
}

/// The value of a member that stands once.
fn member<'a>(
    map: &'a [(ciborium::Value, ciborium::Value)],
    wanted: &ciborium::Value,
) -> Result<Option<&'a ciborium::Value>, PasskeyError> {
    let mut found = map.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value);
    match (found.next(), found.next()) {
        (one, None) => Ok(one),
        _ => Err(PasskeyError::Malformed),
    }
}

#[cfg(test)]
mod tests;
