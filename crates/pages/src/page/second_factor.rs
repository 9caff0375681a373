//! The second step of a sign-in: a code, or a passkey. SPEC: row B26; RFC 6238 for codes of an app.

use super::passkey;
use crate::{
    Secret, Text, fields,
    html::{Address, Element, Fragment, el},
    parts::{self, Field, Tone, actions, fill, hint, primary, secondary},
    paths,
    render::{Context, Render},
    texts::Texts,
};

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

impl CodeWay {
    /// Value of the field [`fields::WAY`].
    #[must_use]
    pub const fn value(self) -> &'static str {
        match self {
            Self::Authenticator => fields::AUTHENTICATOR,
            Self::RecoveryCode => fields::RECOVERY_CODE,
        }
    }

    /// From a form's or a query's value; anything else is the authenticator.
    #[must_use]
    pub fn from_value(value: &str) -> Self {
        if value == fields::RECOVERY_CODE { Self::RecoveryCode } else { Self::Authenticator }
    }

    /// The field for such a code.
    pub(super) fn field(self, t: &'static Texts) -> Field<'static> {
        match self {
            Self::Authenticator => Field::code(t.code_label).set("inputmode", "numeric").set("maxlength", "7"),
            Self::RecoveryCode => Field::code(t.recovery_code_label).set("maxlength", "40"),
        }
    }
}

impl CodeProblem {
    pub(super) fn notice(self, way: CodeWay, t: &Texts) -> Element {
        let words = match (self, way) {
            (Self::Wrong, CodeWay::Authenticator) => t.code_wrong.to_owned(),
            (Self::Wrong, CodeWay::RecoveryCode) => t.recovery_code_wrong.to_owned(),
            (Self::TooMany(minutes), _) => parts::too_many(minutes, t),
            (Self::PasskeyFailed, _) => t.passkey_failed.to_owned(),
        };
        parts::notice(Tone::Trouble, el("p").add(words), t)
    }
}

impl SecondFactor {
    fn address(&self, way: CodeWay) -> Address {
        let address = Address::of(paths::SECOND_FACTOR).with(fields::CONTINUATION, self.continuation.as_str());
        address.with_some(fields::WAY, (way == CodeWay::RecoveryCode).then_some(way.value()))
    }
}

impl Render for SecondFactor {
    fn title(&self, cx: Context<'_>) -> String {
        let title = match self.way {
            CodeWay::Authenticator => cx.t.code_title,
            CodeWay::RecoveryCode => cx.t.recovery_code_title,
        };
        title.to_owned()
    }

    fn here(&self) -> Address {
        self.address(self.way)
    }

    fn has_script(&self) -> bool {
        self.passkey.is_some()
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let (lead, other, other_text) = match self.way {
            CodeWay::Authenticator => {
                let lead = fill(t.code_lead, &[("facility", (&cx.frame.facility).into())]);
                (lead, CodeWay::RecoveryCode, t.code_other_way)
            }
            CodeWay::RecoveryCode => (t.recovery_code_lead.into(), CodeWay::Authenticator, t.recovery_code_other_way),
        };
        let start = |path| parts::form(path, &self.csrf).add(parts::continuation(&self.continuation));
        let form = start(paths::SECOND_FACTOR)
            .add(parts::hidden(fields::WAY, self.way.value()))
            .add(self.way.field(t).element(t))
            .add(actions(primary(t.go_on)));
        let passkey = self.passkey.as_ref().map(|options| {
            let form = passkey::script_form(start(paths::PASSKEY_SIGN_IN), "get", options, t.passkey_failed);
            form.add(passkey::button(secondary(Fragment::default()), t.use_passkey))
        });
        let other =
            self.has_other_way.then(|| el("p").add(el("a").class("quiet").href(&self.address(other)).add(other_text)));
        Fragment::all([
            parts::lead(lead).into(),
            self.problem.map(|problem| problem.notice(self.way, t)).into(),
            form.into(),
            Fragment::from(passkey),
            other.into(),
            hint(fill(t.signing_in_as, &[("user", (&self.user).into())])).into(),
        ])
    }
}
