//! Behind the link of an invitation: who invites, to what, and the choice of a name and a password. SPEC: row B26.

use super::sign_in;
use crate::{
    Literal, Provider, Secret, Text, fields,
    html::{Address, Element, Fragment, el},
    parts::{self, Field, Tone, actions, fill, fill_plain, hint, primary},
    paths,
    render::{Context, Render},
    texts::Texts,
    words,
};

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
    /// Outside providers that the account can be signed in to through.
    pub providers: Vec<Provider>,
    /// The outside provider did not vouch for them, or for somebody who has an account already.
    pub outside_failed: bool,
}

/// What an account is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvitationRole {
    /// To see one's own record.
    Patient,
    /// To see the records of these people, by name; empty when their names are not known here.
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
    /// Anybody would guess it: common words, runs, repetitions, the person's own names.
    Common,
    /// Two fields that had to be the same were not.
    Different,
    /// The sign-in name is taken, or has letters that it may not have.
    UserTaken,
    /// The code, or the current password, is wrong.
    WrongCode,
    /// Too many attempts; minutes to wait, at least 1.
    TooMany(u32),
}

impl NewPasswordProblem {
    /// Which field it is about, and what is wrong. `code` is what to say of a wrong code.
    fn words(self, characters_min: u32, code: &str, t: &Texts) -> (Option<&'static str>, String) {
        let password = Some(fields::PASSWORD);
        match self {
            Self::Short => (password, counted(t.password_short, characters_min)),
            Self::Breached => (password, t.password_breached.to_owned()),
            Self::Common => (password, t.password_common.to_owned()),
            Self::Different => (Some(fields::AGAIN), t.password_different.to_owned()),
            Self::UserTaken => (Some(fields::USER), t.user_taken.to_owned()),
            Self::WrongCode => (Some(fields::CODE), code.to_owned()),
            Self::TooMany(minutes) => (None, parts::too_many(minutes, t)),
        }
    }
}

fn counted(text: &str, count: u32) -> String {
    fill_plain(text, &[("count", &count.to_string())])
}

/// What was wrong: said at the field that it is about, or above when it is about none.
pub(super) struct Troubles {
    found: Option<(Option<&'static str>, String)>,
}

impl Troubles {
    pub(super) fn new(problem: Option<NewPasswordProblem>, characters_min: u32, code: &str, t: &Texts) -> Self {
        Self { found: problem.map(|problem| problem.words(characters_min, code, t)) }
    }

    pub(super) fn notice(&self, t: &Texts) -> Option<Element> {
        let above = self.found.as_ref().filter(|(about, _)| about.is_none());
        above.map(|(_, words)| parts::notice(Tone::Trouble, el("p").add(words.as_str()), t))
    }

    pub(super) fn at(&self, field: &str) -> Option<String> {
        self.found.as_ref().filter(|(about, _)| *about == Some(field)).map(|(_, words)| words.clone())
    }
}

/// The two fields of a new password.
pub(super) fn new_password(troubles: &Troubles, characters_min: u32, t: &Texts) -> Fragment {
    let first = Field::password(fields::PASSWORD, t.new_password, "new-password")
        .set("minlength", &characters_min.to_string())
        .hint(counted(t.new_password_hint, characters_min))
        .problem(troubles.at(fields::PASSWORD));
    let again =
        Field::password(fields::AGAIN, t.new_password_again, "new-password").problem(troubles.at(fields::AGAIN));
    Fragment::all([first.element(t), again.element(t)])
}

impl Render for Invitation {
    fn title(&self, cx: Context<'_>) -> String {
        fill_plain(cx.t.welcome, &[("name", self.name.as_str())])
    }

    fn heading(&self, cx: Context<'_>) -> Fragment {
        fill(cx.t.welcome, &[("name", (&self.name).into())])
    }

    fn here(&self) -> Address {
        Address::of(paths::INVITATION).with(fields::INVITATION, self.invitation.as_str())
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let facility = || ("facility", Fragment::from(&cx.frame.facility));
        let lead = match &self.role {
            InvitationRole::Patient => fill(t.invited_patient, &[facility()]),
            InvitationRole::Caregiver(names) if names.is_empty() => fill(t.invited_caregiver_of_some, &[facility()]),
            InvitationRole::Caregiver(names) => {
                let names = words::list(names.iter().map(Text::as_str), t);
                fill(t.invited_caregiver, &[facility(), ("patients", names.into())])
            }
            InvitationRole::Clinician => fill(t.invited_clinician, &[facility()]),
            InvitationRole::PrivacyOfficer => fill(t.invited_privacy_officer, &[facility()]),
            InvitationRole::Administrator => fill(t.invited_administrator, &[facility()]),
        };
        let by = self.invited_by.as_ref().map(|person| hint(fill(t.invited_by, &[("person", person.into())])));
        let troubles = Troubles::new(self.problem, self.password_characters_min, t.letter_code_wrong, t);
        let code = self.needs_code.then(|| {
            let field = Field::code(t.invitation_code).hint(t.invitation_code_hint).set("maxlength", "40");
            field.problem(troubles.at(fields::CODE)).element(t)
        });
        let user = Field::user(t.user, "username").hint(t.new_user_hint).value(self.user.as_ref().map(Literal::as_str));
        let form = parts::form(paths::INVITATION, &self.csrf)
            .add(parts::hidden(fields::INVITATION, self.invitation.as_str()))
            .add(code)
            .add(user.problem(troubles.at(fields::USER)).element(t))
            .add(new_password(&troubles, self.password_characters_min, t))
            .add(actions(primary(t.make_account)));
        let providers = sign_in::links(&self.providers, (fields::INVITATION, self.invitation.as_str()), t);
        let outside = self.outside_failed.then(|| parts::notice(Tone::Trouble, el("p").add(t.outside_failed), t));
        Fragment::all([
            parts::lead(lead).into(),
            Fragment::from(by),
            outside.into(),
            troubles.notice(t).into(),
            el("p").add(t.invitation_steps).into(),
            form.into(),
            providers.into(),
        ])
    }
}
