//! Adding a passkey. SPEC: WebAuthn Level 3; the browser's part is `assets/passkey.js`.
//!
//! The one page that needs JavaScript, because browsers give passkeys no other door; it says so without it.

use crate::{
    Secret, Text, fields,
    html::{Address, Element, Fragment, el},
    parts::{self, Field, Tone, actions, deciding, hint, primary},
    paths,
    render::{Context, Render},
};

/// The page that adds a passkey.
#[derive(Clone, Debug)]
pub struct Passkey {
    /// Form token.
    pub csrf: Secret,
    /// What comes after; `None`: the security page.
    pub continuation: Option<Secret>,
    /// `PublicKeyCredentialCreationOptionsJSON`.
    pub options: Secret,
    /// A name to start with: `Rosa's phone`.
    pub name: Option<Text>,
    /// It did not work the last time.
    pub has_failed: bool,
}

/// A form that the script fills: `what` is `get` or `create`, `failed` what it says when it does not work. Hidden until
/// the script has seen that the browser knows passkeys.
pub(super) fn script_form(form: Element, what: &str, options: &Secret, failed: &str) -> Element {
    form.class("passkey")
        .flag("hidden", true)
        .attr("data-passkey", what)
        .attr("data-options", options.as_str())
        .add(parts::hidden(fields::CREDENTIAL, ""))
        .add(parts::problem(failed).flag("hidden", true))
}

/// A button with the sign of a key.
pub(super) fn button(button: Element, text: &str) -> Element {
    let key = parts::icon("M15 3a6 6 0 1 0 0 12 6 6 0 0 0 0-12ZM10.7 13.3 3 21M6 18l3 3M17 8v.5");
    button.attr("data-start", "").add(key).add(el("span").add(text))
}

impl Render for Passkey {
    fn title(&self, cx: Context<'_>) -> String {
        cx.t.passkey_title.to_owned()
    }

    fn here(&self) -> Address {
        let handle = self.continuation.as_ref().map(Secret::as_str);
        Address::of(paths::PASSKEY_ADD).with_some(fields::CONTINUATION, handle)
    }

    fn has_script(&self) -> bool {
        true
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let failed = self.has_failed.then(|| parts::notice(Tone::Trouble, el("p").add(t.passkey_not_added), t));
        let start =
            || parts::form(paths::PASSKEY_ADD, &self.csrf).add(self.continuation.as_ref().map(parts::continuation));
        let name = Field::text(fields::NAME, t.passkey_name).hint(t.passkey_name_hint).set("maxlength", "60");
        let name = name.value(self.name.as_ref().map(Text::as_str)).set("autocomplete", "off").element(t);
        let form = script_form(start(), "create", &self.options, t.passkey_not_added)
            .add(name)
            .add(hint(t.passkey_next))
            .add(actions(button(primary(Fragment::default()), t.passkey_title)));
        let without =
            parts::notice(Tone::Attention, el("p").add(t.passkey_no_script), t).attr("data-without-passkey", "");
        let later = start().add(deciding(el("button").class("quiet"), fields::LATER).add(t.not_now));
        Fragment::all([
            parts::lead(t.passkey_lead).into(),
            Fragment::from(failed),
            without.into(),
            form.into(),
            later.into(),
        ])
    }
}
