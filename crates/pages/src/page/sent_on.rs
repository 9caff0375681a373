//! Before somebody goes to another organization to sign in: who sends them, where, and why that is good enough. SPEC: HL7
//! FHIR UDAP Security 2.0 section 6; rows D35, D36.
//!
//! An app names the place. So the page says its host to the letter, and who vouches for it; nothing is sent from here, the
//! person follows a link. A link, not a form: a browser holds the redirects that follow a form against `form-action`, and
//! who knows to which of its hosts the place sends people on.

use crate::{
    Secret, Text, fields,
    html::{Address, Fragment, el},
    parts::{self, actions, fill, hint, primary_link},
    paths,
    render::{Context, Render},
};

/// The page.
#[derive(Clone, Debug)]
pub struct SentOn {
    /// What comes after.
    pub continuation: Secret,
    /// The app that asks for it.
    pub app: Text,
    /// Where to: host, and port when it is not the usual one.
    pub place: Text,
    /// The community whose member that is.
    pub community: Text,
}

impl Render for SentOn {
    fn title(&self, cx: Context<'_>) -> String {
        parts::fill_plain(cx.t.sent_on_title, &[("place", self.place.as_str())])
    }

    fn heading(&self, cx: Context<'_>) -> Fragment {
        fill(cx.t.sent_on_title, &[("place", (&self.place).into())])
    }

    fn here(&self) -> Address {
        Address::of(paths::IDP).with(fields::CONTINUATION, self.continuation.as_str())
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let lead = fill(t.sent_on_lead, &[("app", (&self.app).into()), ("place", (&self.place).into())]);
        let facility = || Fragment::from(&cx.frame.facility);
        let trust =
            [("place", (&self.place).into()), ("community", (&self.community).into()), ("facility", facility())];
        let told = fill(t.sent_on_told, &[("facility", facility())]);
        let go = Address::of(paths::IDP_GO).with(fields::CONTINUATION, self.continuation.as_str());
        // One piece: a long address must break within the button.
        let link = primary_link(&go, el("span").add(fill(t.sent_on_go, &[("place", (&self.place).into())])));
        Fragment::all([
            parts::lead(lead).into(),
            el("p").add(fill(t.sent_on_trust, &trust)).into(),
            hint(told).into(),
            Fragment::from(actions(link)),
        ])
    }
}
