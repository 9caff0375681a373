//! Behind the link of an invitation: who invites, to what, and the choice of a name and a password. SPEC: row B26.

use crate::{Literal, Secret, Text};

/// Accepting an invitation.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Form token.
    pub csrf: Secret,
    /// Handle from the link.
    pub invitation: Secret,
    /// For whom the account is.
    pub name: Text,
    /// Who invites, when it is known.
    pub invited_by: Option<Text>,
    /// What the account is for.
    pub role: InvitationRole,
    /// The invitation came with a code on another way (a letter, the phone), which is asked for.
    pub needs_code: bool,
    /// Sign-in name to start with.
    pub user: Option<Literal>,
    /// Fewest characters of a password.
    pub password_characters_min: u32,
    /// What was wrong the last time.
    pub problem: Option<NewPasswordProblem>,
}

/// What an account is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvitationRole {
    /// To see one's own record.
    Patient,
    /// To see the records of these people, by name.
    Caregiver(Vec<Text>),
    /// To treat.
    Clinician,
    /// To watch over privacy.
    PrivacyOfficer,
    /// To look after the server.
    Administrator,
}

/// Why a name and a password were not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewPasswordProblem {
    /// Too short.
    Short,
    /// On a list of stolen passwords.
    Breached,
    /// Holds the name, or the name of the facility.
    LikeName,
    /// Two fields that had to be the same were not.
    Different,
    /// The sign-in name is taken, or has letters that it may not have.
    UserTaken,
    /// The code, or the current password, is wrong.
    WrongCode,
    /// Too many attempts; minutes to wait, at least 1.
    TooMany(u32),
}
