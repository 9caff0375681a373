//! The rules of the FAPI 2.0 Security Profile for clients that are held to them. SPEC: FAPI 2.0 Security Profile sections
//! 5.3.2 and 5.4; issue 5 item 7.
//!
//! Pure checks of facts: of a registration, of a request for a token. What holds for all clients of this server (PKCE
//! S256, `iss` in answers, exact redirect URIs, codes of 60 s, no `plain`, no implicit flow) is not repeated here.

use crate::{
    client_authentication::Method,
    jwk::{Jwks, Material},
    jws::Algorithm,
    redirect_uri::RedirectUri,
};
use std::fmt;

/// The rules that a client is held to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// SMART App Launch 2.2.
    #[default]
    Smart,
    /// SMART and the FAPI 2.0 Security Profile.
    Fapi2,
}

impl Profile {
    /// As written in a registration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smart => "smart",
            Self::Fapi2 => "fapi2",
        }
    }

    /// Reads it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Smart, Self::Fapi2].into_iter().find(|profile| profile.as_str() == text)
    }

    /// Whether authorization requests must be pushed.
    #[must_use]
    pub const fn requires_pushed(self) -> bool {
        matches!(self, Self::Fapi2)
    }

    /// Whether access tokens must be bound to a key of the client.
    #[must_use]
    pub const fn requires_bound_tokens(self) -> bool {
        matches!(self, Self::Fapi2)
    }

    /// Whether this algorithm may sign assertions and DPoP proofs. SPEC: FAPI 2.0 section 5.4.1.
    #[must_use]
    pub const fn allows(self, algorithm: Algorithm) -> bool {
        match self {
            Self::Smart => true,
            Self::Fapi2 => matches!(algorithm, Algorithm::Ps256 | Algorithm::Es256),
        }
    }
}

/// A rule of FAPI 2.0 that a registration or request breaks. The text is for who registers, or for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// The client proves nothing, or by a secret.
    Authentication,
    /// A redirect URI that is not https.
    RedirectUri,
    /// Neither DPoP nor a certificate binds its tokens.
    UnboundTokens,
    /// No key that may sign with PS256 or ES256.
    Keys,
    /// The assertion or proof is signed with another algorithm.
    Algorithm,
    /// The request for authorization was not pushed.
    NotPushed,
    /// `aud` of the assertion is not the issuer.
    Audience,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authentication => "fapi2: the client must authenticate with private_key_jwt or mutual TLS",
            Self::RedirectUri => "fapi2: every redirect URI must be https",
            Self::UnboundTokens => "fapi2: access tokens must be bound, by DPoP or by the client's certificate",
            Self::Keys => "fapi2: no key of the JWKS can sign with PS256 or ES256",
            Self::Algorithm => "fapi2: signatures must be PS256 or ES256",
            Self::NotPushed => "fapi2: the authorization request must be pushed",
            Self::Audience => "fapi2: aud of the assertion must be the issuer",
        })
    }
}

impl std::error::Error for Violation {}

/// A registration, as far as the profile looks at it.
#[derive(Clone, Copy)]
pub struct Registration<'a> {
    /// How the client authenticates.
    pub method: Method,
    /// Its redirect URIs.
    pub redirect_uris: &'a [RedirectUri],
    /// Its tokens are bound to a DPoP key.
    pub binds_by_dpop: bool,
    /// Its tokens are bound to its certificate.
    pub binds_by_certificate: bool,
    /// Its keys, when they are registered inline.
    pub keys: Option<&'a Jwks>,
}

/// All rules that a registration breaks; empty when it may be held to the profile.
#[must_use]
pub fn registration(client: &Registration<'_>) -> Vec<Violation> {
    let mut broken = Vec::new();
    let proves =
        matches!(client.method, Method::PrivateKeyJwt | Method::TlsClientAuth | Method::SelfSignedTlsClientAuth);
    if !proves {
        broken.push(Violation::Authentication);
    }
    if !client.redirect_uris.iter().all(RedirectUri::is_https) {
        broken.push(Violation::RedirectUri);
    }
    if !client.binds_by_dpop && !client.binds_by_certificate {
        broken.push(Violation::UnboundTokens);
    }
    let can_sign = |keys: &Jwks| {
        keys.keys().iter().any(|key| match key.material() {
            Material::Rsa { .. } => key.fits(Algorithm::Ps256),
            Material::Ec { .. } => key.fits(Algorithm::Es256),
        })
    };
    if client.method == Method::PrivateKeyJwt && client.keys.is_some_and(|keys| !can_sign(keys)) {
        broken.push(Violation::Keys);
    }
    broken
}

/// A request for a token, as far as the profile looks at it.
#[derive(Debug, Clone, Copy)]
pub struct TokenFacts<'a> {
    /// What the client's assertion was signed with; `None` when it came by certificate.
    pub assertion_algorithm: Option<Algorithm>,
    /// `aud` of the assertion.
    pub assertion_audience: Option<&'a str>,
    /// What the DPoP proof was signed with.
    pub dpop_algorithm: Option<Algorithm>,
    /// A verified client certificate is there.
    pub certificate: bool,
    /// For a code: whether its request was pushed. `None` for other grants.
    pub pushed: Option<bool>,
}

/// Whether a request for a token keeps the profile.
///
/// # Errors
/// The first [`Violation`].
pub fn token_request(facts: &TokenFacts<'_>, issuer: &str) -> Result<(), Violation> {
    let signatures = [facts.assertion_algorithm, facts.dpop_algorithm];
    if signatures.into_iter().flatten().any(|algorithm| !Profile::Fapi2.allows(algorithm)) {
        return Err(Violation::Algorithm);
    }
    if facts.assertion_algorithm.is_none() && !facts.certificate {
        return Err(Violation::Authentication);
    }
    if facts.assertion_algorithm.is_some() && facts.assertion_audience != Some(issuer) {
        return Err(Violation::Audience);
    }
    if facts.dpop_algorithm.is_none() && !facts.certificate {
        return Err(Violation::UnboundTokens);
    }
    if facts.pushed == Some(false) {
        return Err(Violation::NotPushed);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
