//! Opening an app from the EHR side. SPEC: SMART App Launch 2.2, launch app: EHR launch; row B23.
//!
//! The launch handle itself (random, for one use, bound to session, person, patient and client) is the authorization
//! server's to make and keep.

use crate::{
    redirect_uri::{ApplicationType, RedirectUri, RedirectUriError},
    secret::Secret,
};
use std::{fmt, sync::Arc};

/// Bytes of the word of an intent: a short one that EHR and app agreed on.
pub const INTENT_BYTES_MAX: usize = 64;

/// What an app can be opened for: the word of `intent` (SMART App Launch 2.2, launch context), and what people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchIntent {
    word: Arc<str>,
    name: Arc<str>,
}

/// Why a text names no intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaunchIntentError;

impl fmt::Display for LaunchIntentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an intent is a word of letters, digits, hyphens, dots and underscores that begins with a letter, at most \
             {INTENT_BYTES_MAX} of them, alone or as WORD=NAME FOR PEOPLE"
        )
    }
}

impl std::error::Error for LaunchIntentError {}

impl LaunchIntent {
    /// Reads `WORD` or `WORD=NAME`. Without a name people see the word as words: `reconcile-medications` is "Reconcile
    /// medications". Which names people may be shown, the caller says.
    ///
    /// # Errors
    /// [`LaunchIntentError`].
    pub fn register(text: &str) -> Result<Self, LaunchIntentError> {
        let (word, name) = text.split_once('=').map_or((text, None), |(word, name)| (word, Some(name)));
        let (word, name) = (word.trim(), name.map(str::trim).filter(|name| !name.is_empty()));
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let is_word = word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.bytes().all(fits);
        if !is_word || word.len() > INTENT_BYTES_MAX {
            return Err(LaunchIntentError);
        }
        let name = name.map_or_else(|| in_words(word), str::to_owned);
        Ok(Self { word: word.into(), name: name.into() })
    }

    /// What the app is told.
    #[must_use]
    pub fn word(&self) -> &str {
        &self.word
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// `WORD=NAME`, which [`LaunchIntent::register`] reads.
impl fmt::Display for LaunchIntent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.word, self.name)
    }
}

fn in_words(word: &str) -> String {
    let spaced = word.replace(['-', '.', '_'], " ");
    let mut letters = spaced.trim().chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A registered launch URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchUrl(RedirectUri);

impl LaunchUrl {
    /// Checks a URL for registration: the same rules as for a redirect URI of a web app, so that a handle never goes to
    /// an address that cannot be told apart from another.
    ///
    /// # Errors
    /// [`RedirectUriError`]; `launch` in its query is one of the parameters that it may not have.
    pub fn register(text: &str) -> Result<Self, RedirectUriError> {
        let uri = RedirectUri::register(text, ApplicationType::Web)?;
        let query = text.split_once('?').map_or("", |(_, query)| query);
        let names = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
        for name in names {
            if crate::form::decoded(name.as_bytes()).is_ok_and(|name| name == "launch") {
                return Err(RedirectUriError::Parameter);
            }
        }
        Ok(Self(uri))
    }

    /// As registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The URL to send the browser to. A secret: it carries the handle.
    #[must_use]
    pub fn opening(&self, fhir_base: &str, handle: &Secret) -> Secret {
        let target = RedirectUri::matching(std::slice::from_ref(&self.0), self.0.as_str());
        let url = target.map(|target| target.with_parameters([("iss", fhir_base), ("launch", handle.expose())]));
        Secret::new(url.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Row B23.
    #[test]
    fn opening() {
        let url = LaunchUrl::register("https://app.example/launch.html?x=1").unwrap();
        let opening = url.opening("https://care.example/fhir", &Secret::new("h"));
        assert_eq!(
            opening.expose(),
            "https://app.example/launch.html?x=1&iss=https%3A%2F%2Fcare.example%2Ffhir&launch=h"
        );
        for bad in [
            "http://app.example/launch",
            "com.example.app:/launch",
            "https://app.example/launch?iss=x",
            "https://app.example/launch?l%61unch=x",
            "https://app.example/#",
            "javascript:alert(1)",
        ] {
            assert!(LaunchUrl::register(bad).is_err(), "{bad}");
        }
        assert!(LaunchUrl::register("http://localhost:3000/launch").is_ok());
    }

    /// Row B50.
    #[test]
    fn intents() {
        for (text, word, name) in [
            ("reconcile-medications", "reconcile-medications", "Reconcile medications"),
            (" gait.review = Look at the walk ", "gait.review", "Look at the walk"),
            ("x=", "x", "X"),
            ("Order_labs=a=b", "Order_labs", "a=b"),
        ] {
            let intent = LaunchIntent::register(text).unwrap();
            assert_eq!((intent.word(), intent.name()), (word, name));
            assert_eq!(LaunchIntent::register(&intent.to_string()), Ok(intent));
        }
        let long = "a".repeat(INTENT_BYTES_MAX + 1);
        for bad in ["", "=Name", "two words", "-x", "1", "é", "a/b", "a\nb", &long] {
            assert!(LaunchIntent::register(bad).is_err(), "{bad}");
        }
    }
}
