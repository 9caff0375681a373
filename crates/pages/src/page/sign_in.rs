//! Sign-in: by passkey, by name and password, or through an outside provider. SPEC: row B26, RFC 6749 section 10.12.
//!
//! Says the same of an unknown name and a wrong password. Also the page that asks somebody who is signed in to prove
//! it again (step-up, `prompt=login`, `max_age`).

use crate::{Literal, Secret, Text};

/// The sign-in page.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Form token.
    pub csrf: Secret,
    /// What comes after.
    pub continuation: Secret,
    /// The app that sent the person here, when one did.
    pub app: Option<Text>,
    /// Sign-in name to start with: what was typed before.
    pub user: Option<Text>,
    /// Why the page is shown (again).
    pub reason: Option<SignInReason>,
    /// `PublicKeyCredentialRequestOptionsJSON` for a passkey; `None`: no passkeys here.
    pub passkey: Option<Secret>,
    /// Outside providers.
    pub providers: Vec<Provider>,
}

/// Somewhere else to sign in.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its id here.
    pub id: Literal,
    /// What people call it.
    pub name: Text,
}

/// Why somebody sees the sign-in page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInReason {
    /// Name or password is wrong; never which.
    Wrong,
    /// Too many attempts; minutes to wait, at least 1.
    TooMany(u32),
    /// The session ended by itself.
    Ended,
    /// They are signed in, but what comes next needs fresh proof.
    ProveAgain,
    /// The passkey was not accepted.
    PasskeyFailed,
    /// The outside provider did not vouch for them, or for nobody known here.
    OutsideFailed,
}
