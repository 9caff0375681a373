//! What proves that it is them, as kept: hashes, public keys, one sealed seed. A secret as a whole: no Debug.

use super::{passkey::Passkey, password::PasswordHash};
use aws_lc_rs::digest;
use std::sync::Arc;

/// SHA-256 of something with 80 random bits or more: such a thing needs no slow hash.
pub(crate) type Hash = [u8; 32];

/// The hash of a random secret as shown.
pub(crate) fn hash(secret: &str) -> Hash {
    digest::digest(&digest::SHA256, secret.as_bytes()).as_ref().first_chunk().copied().unwrap_or_default()
}

/// All of one account.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    /// The password.
    pub(crate) password: Option<PasswordHash>,
    /// When it was set, seconds since the epoch.
    pub(crate) password_since_s: i64,
    /// The seed of codes.
    pub(crate) totp: Option<Totp>,
    /// Passkeys, oldest first.
    pub(crate) passkeys: Vec<Passkey>,
    /// Recovery codes that were not used.
    pub(crate) recovery: Vec<Hash>,
    /// A recovery code gave the password back, and nothing else was shown since: no code is a second factor then.
    pub(crate) recovered: bool,
    /// Who they are at outside OpenID providers.
    pub(crate) outside: Vec<OutsideIdentity>,
    /// The invitation that is open.
    pub(crate) invitation: Option<Until>,
    /// Devices where they signed in, oldest first.
    pub(crate) devices: Vec<Until>,
}

impl Credentials {
    /// Whether there is a second factor, or a passkey, which is two in one.
    pub(crate) fn has_second_factor(&self) -> bool {
        self.totp.is_some() || self.passkeys.iter().any(|passkey| !passkey.suspended)
    }

    /// Whether there is nothing to sign in with.
    pub(crate) fn is_empty(&self) -> bool {
        self.password.is_none() && self.passkeys.is_empty() && self.outside.is_empty()
    }

    /// Whether this device signed in here before.
    pub(crate) fn knows_device(&self, device: &Hash, now_s: i64) -> bool {
        self.devices.iter().any(|known| known.hash == *device && known.ends_s > now_s)
    }
}

/// Somebody at an outside OpenID provider: a subject means something only beside its issuer.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct OutsideIdentity {
    pub(crate) issuer: Arc<str>,
    pub(crate) subject: Arc<str>,
    /// When it was bound, seconds since the epoch.
    pub(crate) since_s: i64,
}

impl OutsideIdentity {
    /// What it is found by.
    pub(crate) fn key(&self) -> (Arc<str>, Arc<str>) {
        (Arc::clone(&self.issuer), Arc::clone(&self.subject))
    }
}

/// The hash of something that ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Until {
    pub(crate) hash: Hash,
    pub(crate) ends_s: i64,
}

/// The seed of an authenticator app.
#[derive(Clone)]
pub(crate) struct Totp {
    /// The seed, sealed for the account.
    pub(crate) sealed: Vec<u8>,
    /// The last step whose code was used: it and those before never again.
    pub(crate) last_step: i64,
    /// When it was set up, seconds since the epoch.
    pub(crate) since_s: i64,
}
