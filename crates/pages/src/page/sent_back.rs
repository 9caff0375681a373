//! After somebody signed in at another organization: back here, and on at once. SPEC: HL7 FHIR UDAP Security 2.0 section 6;
//! Content Security Policy Level 3 section 6.4.2 (form-action).
//!
//! The browser goes on by itself (the field `Refresh`, which the caller sends); the link is for one that does not. A redirect
//! in its place would still be held against the `form-action` of the other organization's page, which cannot know the app.

use crate::{
    Secret, fields,
    html::{Address, Fragment},
    parts::{self, actions, fill, fill_plain, primary_link},
    paths,
    render::{Context, Render},
};

/// The page.
#[derive(Clone, Debug)]
pub struct SentBack {
    /// What comes after.
    pub continuation: Secret,
}

impl Render for SentBack {
    fn title(&self, cx: Context<'_>) -> String {
        fill_plain(cx.t.sent_back_title, &[("facility", cx.frame.facility.as_str())])
    }

    fn heading(&self, cx: Context<'_>) -> Fragment {
        fill(cx.t.sent_back_title, &[("facility", (&cx.frame.facility).into())])
    }

    fn here(&self) -> Address {
        Address::of(paths::AUTHORIZE).with(fields::CONTINUATION, self.continuation.as_str())
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let link = primary_link(&self.here(), cx.t.sent_back_go);
        Fragment::all([parts::lead(cx.t.sent_back_lead).into(), Fragment::from(actions(link))])
    }
}
