//! Security of one's own account: passkeys, password, authenticator, recovery codes, devices. SPEC: row B26.

use super::invitation::NewPasswordProblem;
use super::second_factor::CodeProblem;
use crate::{Date, Literal, Moment, Secret, Text};

/// The page of all of it.
#[derive(Clone, Debug)]
pub struct Security {
    /// Form token.
    pub csrf: Secret,
    /// Sign-in name.
    pub user: Text,
    /// Passkeys.
    pub passkeys: Vec<PasskeyFacts>,
    /// When the password was set; `None`: there is none.
    pub password_since: Option<Date>,
    /// When an authenticator app was set up; `None`: there is none.
    pub authenticator_since: Option<Date>,
    /// Recovery codes that are left.
    pub recovery_codes_left: u32,
    /// Where the person is signed in, this one first.
    pub sessions: Vec<SessionFacts>,
    /// What has just been done.
    pub notice: Option<SecurityNotice>,
}

/// A passkey.
#[derive(Clone, Debug)]
pub struct PasskeyFacts {
    /// Its id here.
    pub id: Literal,
    /// What its owner calls it.
    pub name: Text,
    /// When it was added.
    pub since: Date,
    /// When it last signed in.
    pub last_used: Option<Moment>,
}

/// A session.
#[derive(Clone, Debug)]
pub struct SessionFacts {
    /// Its id here; never the cookie.
    pub id: Literal,
    /// The device, as far as it can be told: `Chrome on Android`.
    pub device: Option<Text>,
    /// When it began.
    pub began: Moment,
    /// When it was last used.
    pub last_used: Moment,
    /// It is the one that looks at the page.
    pub is_this: bool,
}

/// What has just been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurityNotice {
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
    /// The password was changed.
    PasswordChanged,
    /// An authenticator app was set up.
    AuthenticatorAdded,
    /// The authenticator app was removed.
    AuthenticatorRemoved,
    /// One session or all others were ended.
    SessionsEnded,
    /// It was the last way in, so it stays.
    LastWayIn,
}

/// The form for a new password.
#[derive(Clone, Debug)]
pub struct ChangePassword {
    /// Form token.
    pub csrf: Secret,
    /// Sign-in name, for the browser's password keeper.
    pub user: Text,
    /// Asks for the current password: there is one, and the session is not fresh.
    pub needs_current: bool,
    /// Fewest characters of a password.
    pub password_characters_min: u32,
    /// What was wrong.
    pub problem: Option<NewPasswordProblem>,
}

/// Setting up an authenticator app.
#[derive(Clone, Debug)]
pub struct AuthenticatorSetup {
    /// Form token.
    pub csrf: Secret,
    /// `otpauth://totp/…`, shown as a picture to scan and a link to press.
    pub uri: Secret,
    /// The key in base32, to type by hand.
    pub key: Secret,
    /// What was wrong.
    pub problem: Option<CodeProblem>,
}

/// Recovery codes, shown once.
#[derive(Clone, Debug)]
pub struct RecoveryCodes {
    /// The codes.
    pub codes: Vec<Secret>,
    /// What comes after; `None`: the security page.
    pub continuation: Option<Secret>,
}
