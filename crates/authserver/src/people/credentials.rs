//! What proves that it is them, as kept: hashes, public keys, one sealed seed. A secret as a whole: no Debug.

use super::{passkey::Passkey, password::PasswordHash};
use aws_lc_rs::digest;

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

    /// Whether this device signed in here before.
    pub(crate) fn knows_device(&self, device: &Hash, now_s: i64) -> bool {
        self.devices.iter().any(|known| known.hash == *device && known.ends_s > now_s)
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
