//! What has been done, and where to go from there.

use crate::{
    Secret, Text, fields,
    html::{Address, Fragment},
    parts::{self, actions, fill, primary_link},
    paths,
    render::{Context, Render},
};

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

impl Render for Done {
    fn title(&self, cx: Context<'_>) -> String {
        let title = match self.what {
            DoneWhat::SignedOut => cx.t.done_signed_out,
            DoneWhat::AccountMade => cx.t.done_account,
            DoneWhat::PasswordChanged => cx.t.done_password,
            DoneWhat::NotShared(_) => cx.t.done_not_shared,
        };
        title.to_owned()
    }

    /// What was done cannot be shown again: the language switch leads to where one goes from here.
    fn here(&self) -> Address {
        match &self.next {
            Next::SignIn(handle) => {
                Address::of(paths::SIGN_IN).with_some(fields::CONTINUATION, handle.as_ref().map(Secret::as_str))
            }
            Next::Apps => Address::of(paths::APPS),
            Next::Security => Address::of(paths::SECURITY),
            Next::Close => Address::of(paths::SIGN_IN),
        }
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let lead = match &self.what {
            DoneWhat::SignedOut => t.done_signed_out_lead.into(),
            DoneWhat::AccountMade => t.done_account_lead.into(),
            DoneWhat::PasswordChanged => t.done_password_lead.into(),
            DoneWhat::NotShared(app) => fill(t.done_not_shared_lead, &[("app", app.into())]),
        };
        let text = match &self.next {
            Next::SignIn(_) => Some(t.sign_in),
            Next::Apps => Some(t.apps_title),
            Next::Security => Some(t.security_title),
            Next::Close => None,
        };
        let next = text.map(|text| actions(primary_link(&self.here(), text)));
        Fragment::all([parts::lead(lead).into(), Fragment::from(next)])
    }
}
