//! Opening an app from the EHR side. SPEC: SMART App Launch 2.2, launch app: EHR launch; row B23.
//!
//! The launch handle itself (random, for one use, bound to session, person, patient and client) is the authorization
//! server's to make and keep.

use crate::{
    redirect_uri::{ApplicationType, RedirectUri, RedirectUriError},
    secret::Secret,
};

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
}
