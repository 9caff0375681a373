//! Something does not go: what, why, and what to do. SPEC: row B19 (a wrong redirect address is told here, never there).
//!
//! Tells nothing of the server's insides. The status code is the caller's choice (invariant 9).

use crate::{
    Literal,
    html::{Address, Fragment, el},
    parts::{self, actions, fill, primary_link},
    paths,
    render::{Context, Render},
    texts::Texts,
};

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

impl ProblemWhat {
    fn title(self, t: &Texts) -> &'static str {
        match self {
            Self::UnknownApp => t.problem_unknown_app,
            Self::WrongReturnAddress => t.problem_return,
            Self::WrongRequest => t.problem_request,
            Self::Expired => t.problem_expired,
            Self::FormExpired => t.problem_form,
            Self::InvitationGone => t.problem_invitation,
            Self::LaunchGone => t.problem_launch,
            Self::NoPatient => t.problem_no_patient,
            Self::AccountDisabled => t.problem_disabled,
            Self::NotAllowed => t.problem_not_allowed,
            Self::NotFound => t.problem_not_found,
            Self::TooMany(_) => t.problem_too_many,
            Self::Unavailable => t.problem_unavailable,
            Self::Fault => t.problem_fault,
        }
    }

    fn lead(self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let text = match self {
            Self::UnknownApp => t.problem_unknown_app_lead,
            Self::WrongReturnAddress => t.problem_return_lead,
            Self::WrongRequest => t.problem_request_lead,
            Self::Expired => t.problem_expired_lead,
            Self::FormExpired => t.problem_form_lead,
            Self::InvitationGone => t.problem_invitation_lead,
            Self::LaunchGone => t.problem_launch_lead,
            Self::NoPatient => t.problem_no_patient_lead,
            Self::AccountDisabled => t.problem_disabled_lead,
            Self::NotAllowed => t.problem_not_allowed_lead,
            Self::NotFound => t.problem_not_found_lead,
            Self::TooMany(minutes) => return parts::wait(minutes, t).into(),
            Self::Unavailable => t.problem_unavailable_lead,
            Self::Fault => t.problem_fault_lead,
        };
        fill(text, &[("facility", (&cx.frame.facility).into())])
    }

    /// Where a person can go on, where there is such a place.
    fn next(self, t: &Texts) -> Option<(Address, &'static str)> {
        match self {
            Self::LaunchGone => Some((Address::of(paths::LAUNCH), t.launch_title)),
            Self::NotFound | Self::NotAllowed => Some((Address::of(paths::APPS), t.apps_title)),
            _ => None,
        }
    }
}

impl Render for Problem {
    fn title(&self, cx: Context<'_>) -> String {
        self.what.title(cx.t).to_owned()
    }

    /// The page of a problem cannot be asked for again: the language switch leads to a page that everybody has.
    fn here(&self) -> Address {
        Address::of(paths::SIGN_IN)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let next = self.what.next(t).map(|(address, text)| actions(primary_link(&address, text)));
        let reference = self
            .reference
            .as_ref()
            .map(|id| el("p").class("hint").add(t.problem_reference).add(" ").add(el("code").class("key").add(id)));
        Fragment::all([parts::lead(self.what.lead(cx)).into(), Fragment::from(next), reference.into()])
    }
}
