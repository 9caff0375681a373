//! The way back in for who has lost a password or a phone: a recovery code, then a new password. SPEC: row B26.
//!
//! Says nothing of whether a name is known. Who has no codes left is sent to the facility's people, who can invite anew.

use super::{
    invitation::{NewPasswordProblem, Troubles, new_password},
    second_factor::{CodeProblem, CodeWay},
};
use crate::{
    Secret, Text, fields,
    html::{Address, Fragment},
    parts::{self, Field, actions, fill, hint, primary},
    paths,
    render::{Context, Render},
};

/// The way back in.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// Form token.
    pub csrf: Secret,
    /// What comes after; `None`: the security page.
    pub continuation: Option<Secret>,
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
        problem: Option<CodeProblem>,
    },
    /// The code was right: asks for a new password.
    NewPassword {
        /// Handle of this recovery.
        recovery: Secret,
        /// Sign-in name, for the browser's password keeper.
        user: Text,
        /// Fewest characters of a password.
        password_characters_min: u32,
        /// What was wrong.
        problem: Option<NewPasswordProblem>,
    },
}

impl Render for Recovery {
    fn title(&self, cx: Context<'_>) -> String {
        let title = match self.step {
            RecoveryStep::Code { .. } => cx.t.recovery_title,
            RecoveryStep::NewPassword { .. } => cx.t.recovery_new_title,
        };
        title.to_owned()
    }

    fn here(&self) -> Address {
        let handle = self.continuation.as_ref().map(Secret::as_str);
        let address = Address::of(paths::RECOVERY).with_some(fields::CONTINUATION, handle);
        match &self.step {
            RecoveryStep::Code { .. } => address,
            RecoveryStep::NewPassword { recovery, .. } => address.with(fields::RECOVERY, recovery.as_str()),
        }
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let form = parts::form(paths::RECOVERY, &self.csrf).add(self.continuation.as_ref().map(parts::continuation));
        match &self.step {
            RecoveryStep::Code { user, problem } => {
                let way = CodeWay::RecoveryCode;
                let form = form
                    .add(Field::user(t.user, "username").value(user.as_ref().map(Text::as_str)).element(t))
                    .add(way.field(t).element(t))
                    .add(actions(primary(t.go_on)));
                let help = match &self.help {
                    Some(help) => fill(t.recovery_no_codes, &[("help", help.into())]),
                    None => fill(t.recovery_no_codes_at, &[("facility", (&cx.frame.facility).into())]),
                };
                Fragment::all([
                    parts::lead(t.recovery_lead).into(),
                    Fragment::from(problem.map(|problem| problem.notice(way, t))),
                    form.into(),
                    hint(help).into(),
                ])
            }
            RecoveryStep::NewPassword { recovery, user, password_characters_min, problem } => {
                let troubles = Troubles::new(*problem, *password_characters_min, t.recovery_code_wrong, t);
                let form = form
                    .add(parts::hidden(fields::RECOVERY, recovery.as_str()))
                    .add(parts::whose_password(user))
                    .add(new_password(&troubles, *password_characters_min, t))
                    .add(actions(primary(t.save_password)));
                Fragment::all([
                    parts::lead(t.recovery_new_lead).into(),
                    Fragment::from(troubles.notice(t)),
                    form.into(),
                ])
            }
        }
    }
}
