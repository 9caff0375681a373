//! Something does not go: what, why, and what to do. SPEC: row B19 (a wrong redirect address is told here, never there).
//!
//! Tells nothing of the server's insides. The status code is the caller's choice (invariant 9).

use crate::Literal;

/// Something does not go.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What.
    pub what: ProblemWhat,
    /// Id of the request, to be told to whom one asks for help.
    pub reference: Option<Literal>,
}

/// What does not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemWhat {
    /// No such app here, or it was stopped (row B19).
    UnknownApp,
    /// The address to go back to is not the app's (row B19).
    WrongReturnAddress,
    /// The app asked in a way that cannot be answered and gave no address to go back to.
    WrongRequest,
    /// It took too long, or was done already.
    Expired,
    /// The form was not sent from our page, or cookies are off (row A18).
    FormExpired,
    /// An invitation that was used, called back, or is too old.
    InvitationGone,
    /// A launch that was used, is too old, or is another's (row B23).
    LaunchGone,
    /// The account has no record to share.
    NoPatient,
    /// The account is stopped.
    AccountDisabled,
    /// This account may not do this.
    NotAllowed,
    /// No such page.
    NotFound,
    /// Too many requests; minutes to wait, at least 1.
    TooMany(u32),
    /// The server cannot just now.
    Unavailable,
    /// The server made a mistake.
    Fault,
}
