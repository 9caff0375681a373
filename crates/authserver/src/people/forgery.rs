//! Forms that another site made a browser send. SPEC: row A18; RFC 6749 section 10.12; Fetch Metadata.
//!
//! Two checks, each enough by itself: what the browser says of where a request comes from, and a token that only our
//! page for this browser and this form had. A sign-in form has a token too, so that nobody is signed in as another.

use super::{People, credentials::Hash};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, header};

impl People {
    /// The token of this form (its path) for this browser.
    pub(crate) fn csrf(&self, browser: &Hash, form: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.seal.tag("csrf", &[browser, form.as_bytes()]))
    }

    /// Whether this is it.
    pub(crate) fn is_csrf(&self, browser: &Hash, form: &str, given: Option<&str>) -> bool {
        given
            .is_some_and(|given| verify_slices_are_equal(self.csrf(browser, form).as_bytes(), given.as_bytes()).is_ok())
    }

    /// Whether the browser says that a form was sent from a page of ours. A browser says `Origin: null` under a strict
    /// referrer policy, and then where it comes from in `Sec-Fetch-Site`. One that says neither is refused.
    pub(crate) fn is_from_our_page(&self, headers: &HeaderMap) -> bool {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let origin = headers.get(header::ORIGIN).map(|value| value.to_str().unwrap_or_default());
        match (text("sec-fetch-site"), origin) {
            (Some(site), Some(origin)) if origin != "null" => {
                site == "same-origin" && origin.eq_ignore_ascii_case(&self.party.origin)
            }
            (Some(site), _) => site == "same-origin",
            (None, Some(origin)) => origin.eq_ignore_ascii_case(&self.party.origin),
            (None, None) => false,
        }
    }
}
