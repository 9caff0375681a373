//! Adding a passkey. SPEC: WebAuthn Level 3; the browser's part is `assets/passkey.js`.
//!
//! The one page that needs JavaScript, because browsers give passkeys no other door; it says so without it.

use crate::{Secret, Text};

/// The page that adds a passkey.
#[derive(Clone, Debug)]
pub struct Passkey {
    /// Form token.
    pub csrf: Secret,
    /// What comes after; `None`: the security page.
    pub continuation: Option<Secret>,
    /// `PublicKeyCredentialCreationOptionsJSON`.
    pub options: Secret,
    /// A name to start with: `Rosa's phone`.
    pub name: Option<Text>,
    /// It did not work the last time.
    pub has_failed: bool,
}
