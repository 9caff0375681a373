//! The second step of a sign-in: a code, or a passkey. SPEC: row B26; RFC 6238 for codes of an app.

use crate::{Secret, Text};

/// The second step.
#[derive(Clone, Debug)]
pub struct SecondFactor {
    /// Form token.
    pub csrf: Secret,
    /// What comes after.
    pub continuation: Secret,
    /// Whom it is about, as they typed it.
    pub user: Text,
    /// Which codes are taken here.
    pub way: CodeWay,
    /// The account has recovery codes, so a link leads to them; on that page, a link back to the authenticator.
    pub has_other_way: bool,
    /// `PublicKeyCredentialRequestOptionsJSON` when a passkey can be the second step.
    pub passkey: Option<Secret>,
    /// Why the page is shown again.
    pub problem: Option<CodeProblem>,
}

/// Which kind of code is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeWay {
    /// Six digits of an authenticator app.
    Authenticator,
    /// One of the recovery codes.
    RecoveryCode,
}

/// What was wrong with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeProblem {
    /// Wrong, used before, or no longer good.
    Wrong,
    /// Too many attempts; minutes to wait, at least 1.
    TooMany(u32),
    /// The passkey was not accepted.
    PasskeyFailed,
}
