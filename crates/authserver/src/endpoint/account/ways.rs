//! Which paths there are, and what each takes: one table, from which all else is asked.

use super::{
    APPS_FORM, CASES_FORM, CLIENTS_FORM, EMERGENCY_FORM, LAUNCH_FORM, SECURITY_FORM, SIGN_IN_FORM,
    choices::CHOICES_FORM, privacy::PRIVACY_FORM,
};
use crate::page::SIGN_OUT_FORM;
use pages::paths;

/// What a path takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// It is shown.
    Page(Page),
    /// It is shown, and takes a form.
    Both(Page, Act),
    /// It takes a form of another page.
    Act(Act),
    /// It leads somebody on.
    Link(Link),
}

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    SignIn,
    Idp,
    SecondFactor,
    PasskeyAdd,
    Invitation,
    Recovery,
    Security,
    Password,
    Authenticator,
    Apps,
    App,
    Launch,
    Emergency,
    Cases,
    Case,
    Clients,
    ClientNew,
    Client,
    Partners,
    Seen,
    SeenTable,
    Choices,
    ChoiceNew,
    ChoiceEnd,
    Officer,
    Events,
    Event,
    Unusual,
    UnusualOne,
}

/// What a form does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    SignIn,
    SecondFactor,
    PasskeySignIn,
    PasskeyAdd,
    PasskeyRemove,
    SignOut,
    Invitation,
    Recovery,
    Password,
    Authenticator,
    RecoveryCodes,
    SessionEnd,
    Apps,
    App,
    Launch,
    Emergency,
    Case,
    ClientNew,
    Client,
    Partners,
    ChoiceNew,
    ChoiceEnd,
    UnusualOne,
}

/// To an outside provider and back from it; to one that an app named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    Outside,
    Back,
    Idp,
    IdpBack,
}

/// The table.
pub(super) const WAYS: [(&str, Takes); 38] = [
    (paths::SIGN_IN, Takes::Both(Page::SignIn, Act::SignIn)),
    (paths::SIGN_IN_OUTSIDE, Takes::Link(Link::Outside)),
    (paths::SIGN_IN_OUTSIDE_BACK, Takes::Link(Link::Back)),
    (paths::IDP, Takes::Page(Page::Idp)),
    (paths::IDP_GO, Takes::Link(Link::Idp)),
    (paths::IDP_BACK, Takes::Link(Link::IdpBack)),
    (paths::SECOND_FACTOR, Takes::Both(Page::SecondFactor, Act::SecondFactor)),
    (paths::PASSKEY_SIGN_IN, Takes::Act(Act::PasskeySignIn)),
    (paths::PASSKEY_ADD, Takes::Both(Page::PasskeyAdd, Act::PasskeyAdd)),
    (paths::PASSKEY_REMOVE, Takes::Act(Act::PasskeyRemove)),
    (paths::SIGN_OUT, Takes::Act(Act::SignOut)),
    (paths::INVITATION, Takes::Both(Page::Invitation, Act::Invitation)),
    (paths::RECOVERY, Takes::Both(Page::Recovery, Act::Recovery)),
    (paths::SECURITY, Takes::Page(Page::Security)),
    (paths::PASSWORD, Takes::Both(Page::Password, Act::Password)),
    (paths::AUTHENTICATOR, Takes::Both(Page::Authenticator, Act::Authenticator)),
    (paths::RECOVERY_CODES, Takes::Act(Act::RecoveryCodes)),
    (paths::SESSION_END, Takes::Act(Act::SessionEnd)),
    (paths::APPS, Takes::Both(Page::Apps, Act::Apps)),
    (paths::APP, Takes::Both(Page::App, Act::App)),
    (paths::LAUNCH, Takes::Both(Page::Launch, Act::Launch)),
    (paths::EMERGENCY, Takes::Both(Page::Emergency, Act::Emergency)),
    (paths::CASES, Takes::Page(Page::Cases)),
    (paths::CASE, Takes::Both(Page::Case, Act::Case)),
    (paths::CLIENTS, Takes::Page(Page::Clients)),
    (paths::CLIENT_NEW, Takes::Both(Page::ClientNew, Act::ClientNew)),
    (paths::CLIENT, Takes::Both(Page::Client, Act::Client)),
    (paths::PARTNERS, Takes::Both(Page::Partners, Act::Partners)),
    (paths::SEEN, Takes::Page(Page::Seen)),
    (paths::SEEN_TABLE, Takes::Page(Page::SeenTable)),
    (paths::CHOICES, Takes::Page(Page::Choices)),
    (paths::CHOICE_NEW, Takes::Both(Page::ChoiceNew, Act::ChoiceNew)),
    (paths::CHOICE_END, Takes::Both(Page::ChoiceEnd, Act::ChoiceEnd)),
    (paths::OFFICER, Takes::Page(Page::Officer)),
    (paths::EVENTS, Takes::Page(Page::Events)),
    (paths::EVENT, Takes::Page(Page::Event)),
    (paths::UNUSUAL, Takes::Page(Page::Unusual)),
    (paths::UNUSUAL_ONE, Takes::Both(Page::UnusualOne, Act::UnusualOne)),
];

/// What this path takes, when there is one.
pub(super) fn takes(path: &str) -> Option<Takes> {
    WAYS.iter().find(|(known, _)| *known == path).map(|(_, takes)| *takes)
}

impl Takes {
    /// Its methods, for `Allow`.
    pub(super) const fn allow(self) -> &'static str {
        match self {
            Self::Page(_) => "GET, HEAD",
            Self::Both(..) => "GET, HEAD, POST",
            Self::Act(_) => "POST",
            Self::Link(_) => "GET",
        }
    }
}

impl Act {
    /// What its form's token is of.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::SignOut => SIGN_OUT_FORM,
            Self::SignIn | Self::SecondFactor | Self::PasskeySignIn | Self::Invitation | Self::Recovery => SIGN_IN_FORM,
            Self::Apps | Self::App => APPS_FORM,
            Self::Launch => LAUNCH_FORM,
            Self::Emergency => EMERGENCY_FORM,
            Self::Case => CASES_FORM,
            Self::ClientNew | Self::Client | Self::Partners => CLIENTS_FORM,
            Self::ChoiceNew | Self::ChoiceEnd => CHOICES_FORM,
            Self::UnusualOne => PRIVACY_FORM,
            Self::PasskeyAdd
            | Self::PasskeyRemove
            | Self::Password
            | Self::Authenticator
            | Self::RecoveryCodes
            | Self::SessionEnd => SECURITY_FORM,
        }
    }
}
