//! Sign-in: by passkey, by name and password, or through an outside provider. SPEC: row B26, RFC 6749 section 10.12.
//!
//! Says the same of an unknown name and a wrong password. Also the page that asks somebody who is signed in to prove
//! it again (step-up, `prompt=login`, `max_age`).

use super::passkey;
use crate::{
    Literal, Secret, Text, fields,
    html::{Address, Element, Fragment, el},
    parts::{self, Field, Tone, actions, fill, hint, primary, secondary},
    paths,
    render::{Context, Render},
    texts::Texts,
};

/// The sign-in page.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Form token.
    pub csrf: Secret,
    /// What comes after.
    pub continuation: Secret,
    /// The app that sent the person here, when one did.
    pub app: Option<Text>,
    /// Sign-in name to start with: what was typed before.
    pub user: Option<Text>,
    /// Why the page is shown (again).
    pub reason: Option<SignInReason>,
    /// `PublicKeyCredentialRequestOptionsJSON` for a passkey; `None`: no passkeys here.
    pub passkey: Option<Secret>,
    /// Outside providers.
    pub providers: Vec<Provider>,
}

/// Somewhere else to sign in.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its id here.
    pub id: Literal,
    /// What people call it.
    pub name: Text,
}

/// Why somebody sees the sign-in page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInReason {
    /// Name or password is wrong; never which.
    Wrong,
    /// Too many attempts; minutes to wait, at least 1.
    TooMany(u32),
    /// The session ended by itself.
    Ended,
    /// They are signed in, but what comes next needs fresh proof.
    ProveAgain,
    /// The passkey was not accepted.
    PasskeyFailed,
    /// The outside provider did not vouch for them, or for nobody known here.
    OutsideFailed,
}

/// Links to outside providers, under "or". Links, not forms: a browser holds the redirects that follow a form against
/// `form-action`, and a provider may send people on to hosts that nobody here knows.
pub(super) fn links(providers: &[Provider], (name, value): (&str, &str), t: &Texts) -> Option<Element> {
    let links = providers.iter().map(|provider| {
        let address = Address::of(paths::SIGN_IN_OUTSIDE).with(fields::PROVIDER, provider.id.as_str());
        let address = if value.is_empty() { address } else { address.with(name, value) };
        let words = fill(t.sign_in_with, &[("provider", (&provider.name).into())]);
        el("a").class("button secondary").href(&address).add(el("span").add(words))
    });
    let links = el("div").class("stack").add(Fragment::all(links));
    (!providers.is_empty()).then(|| el("div").class("others").add(el("p").class("or").add(t.or)).add(links))
}

impl SignIn {
    fn is_again(&self) -> bool {
        self.reason == Some(SignInReason::ProveAgain)
    }

    fn notice(&self, t: &Texts) -> Option<Element> {
        let (tone, words) = match self.reason? {
            SignInReason::ProveAgain => return None,
            SignInReason::Wrong => (Tone::Trouble, t.sign_in_wrong.to_owned()),
            SignInReason::TooMany(minutes) => (Tone::Trouble, parts::too_many(minutes, t)),
            SignInReason::Ended => (Tone::Attention, t.sign_in_ended.to_owned()),
            SignInReason::PasskeyFailed => (Tone::Trouble, t.passkey_failed.to_owned()),
            SignInReason::OutsideFailed => (Tone::Trouble, t.outside_failed.to_owned()),
        };
        Some(parts::notice(tone, el("p").add(words), t))
    }
}

impl Render for SignIn {
    fn title(&self, cx: Context<'_>) -> String {
        if self.is_again() { cx.t.sign_in_again } else { cx.t.sign_in }.to_owned()
    }

    fn here(&self) -> Address {
        Address::of(paths::SIGN_IN).with(fields::CONTINUATION, self.continuation.as_str())
    }

    fn has_script(&self) -> bool {
        self.passkey.is_some()
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let lead = match &self.app {
            _ if self.is_again() => t.sign_in_again_lead.into(),
            Some(app) => fill(t.sign_in_for_app, &[("app", app.into())]),
            None => fill(t.sign_in_lead, &[("facility", (&cx.frame.facility).into())]),
        };
        let start = |path| parts::form(path, &self.csrf).add(parts::continuation(&self.continuation));
        let passkey = self.passkey.as_ref().map(|options| {
            let form = passkey::script_form(start(paths::PASSKEY_SIGN_IN), "get", options, t.passkey_failed);
            let button = passkey::button(secondary(Fragment::default()), t.sign_in_with_passkey);
            let button = button.attr("aria-describedby", "passkey-hint");
            let form = form.attr("data-offer", "").add(el("p").class("or").add(t.or)).add(button);
            form.add(hint(t.passkey_hint).id("passkey-hint"))
        });
        let autocomplete = if self.passkey.is_some() { "username webauthn" } else { "username" };
        let password = start(paths::SIGN_IN)
            .add(Field::user(t.user, autocomplete).value(self.user.as_ref().map(Text::as_str)).element(t))
            .add(Field::password(fields::PASSWORD, t.password, "current-password").element(t))
            .add(actions(primary(t.sign_in)));
        let recovery = Address::of(paths::RECOVERY).with(fields::CONTINUATION, self.continuation.as_str());
        let recovery = el("p").add(el("a").class("quiet").href(&recovery).add(t.cannot_sign_in));
        let providers = links(&self.providers, (fields::CONTINUATION, self.continuation.as_str()), t);
        Fragment::all([
            parts::lead(lead).into(),
            self.notice(t).into(),
            password.into(),
            recovery.into(),
            Fragment::from(passkey),
            providers.into(),
        ])
    }
}
