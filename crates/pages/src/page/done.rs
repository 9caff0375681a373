//! What has been done, and where to go from there.

use crate::{Secret, Text};

/// Something was done.
#[derive(Clone, Debug)]
pub struct Done {
    /// What.
    pub what: DoneWhat,
    /// What comes after.
    pub next: Next,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DoneWhat {
    /// Signed out.
    SignedOut,
    /// The account of an invitation is there.
    AccountMade,
    /// A new password is set.
    PasswordChanged,
    /// Nothing was shared with this app, which has no address to go back to.
    NotShared(Text),
}

/// What comes after.
#[derive(Clone, Debug)]
pub enum Next {
    /// Sign in, with a continuation or without.
    SignIn(Option<Secret>),
    /// My apps.
    Apps,
    /// Security.
    Security,
    /// The window can be closed.
    Close,
}
