//! The way back in for who has lost a password or a phone: a recovery code, then a new password. SPEC: row B26.
//!
//! Says nothing of whether a name is known. Who has no codes left is sent to the facility's people, who can invite anew.

use super::invitation::NewPasswordProblem;
use crate::{Secret, Text};

/// The way back in.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// Form token.
    pub csrf: Secret,
    /// How far it has come.
    pub step: RecoveryStep,
    /// Whom to ask for help: a phone number, an office.
    pub help: Option<Text>,
}

/// How far a recovery has come.
#[derive(Clone, Debug)]
pub enum RecoveryStep {
    /// Asks for the name and a recovery code.
    Code {
        /// What was typed before.
        user: Option<Text>,
        /// What was wrong.
        problem: Option<super::second_factor::CodeProblem>,
    },
    /// The code was right: asks for a new password.
    NewPassword {
        /// Handle of this recovery.
        recovery: Secret,
        /// Fewest characters of a password.
        password_characters_min: u32,
        /// What was wrong.
        problem: Option<NewPasswordProblem>,
    },
}
