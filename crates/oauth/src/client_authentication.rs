//! How a client proves who it is. SPEC: RFC 6749 section 2.3, RFC 7521 section 4.2, RFC 8705 section 2, RFC 7591 section
//! 2; rows A7, B12, C1, C8.
//!
//! Exactly one way in a request. [`Credentials::read`] takes it out; whether it is the way that the client is registered
//! for, [`Method::accepts`] says; whether the proof holds is for [`crate::client_assertion`],
//! [`crate::certificate_subject`] and the register of secrets.

use crate::{client_assertion, form, form::Form, limits, secret::Secret};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt;

/// A way of authenticating that a client is registered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// `none`: a public client.
    None,
    /// `client_secret_basic`.
    ClientSecretBasic,
    /// `client_secret_post`.
    ClientSecretPost,
    /// `private_key_jwt`.
    PrivateKeyJwt,
    /// `tls_client_auth`: a certificate of a trusted CA with the registered subject.
    TlsClientAuth,
    /// `self_signed_tls_client_auth`: a registered certificate.
    SelfSignedTlsClientAuth,
}

impl Method {
    /// All.
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::PrivateKeyJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
    ];

    /// The value of `token_endpoint_auth_method`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
        }
    }

    /// Reads `token_endpoint_auth_method`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }

    /// Whether clients of this method prove anything.
    #[must_use]
    pub const fn is_confidential(self) -> bool {
        !matches!(self, Self::None)
    }

    /// Whether a secret is kept for such a client.
    #[must_use]
    pub const fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }

    /// Whether these credentials are of the kind that a client of this method shows: no other will do, even a stronger
    /// one, and a client that has something to prove never passes as a public one. A secret may come either way (row
    /// B12). `certificate`: whether the connection brought a client certificate.
    #[must_use]
    pub fn accepts(self, credentials: &Credentials, certificate: bool) -> bool {
        match (self, credentials) {
            (Self::None, Credentials::Named { .. })
            | (Self::ClientSecretBasic | Self::ClientSecretPost, Credentials::Secret { .. })
            | (Self::PrivateKeyJwt, Credentials::Assertion { .. }) => true,
            (Self::TlsClientAuth | Self::SelfSignedTlsClientAuth, Credentials::Named { .. }) => certificate,
            _ => false,
        }
    }
}

/// What a request shows of who the client is. Holds secrets: no Debug.
pub enum Credentials {
    /// `client_id` alone: of a public client, or of one that shows a certificate in the TLS handshake.
    Named {
        /// `client_id`.
        client_id: String,
    },
    /// A secret.
    Secret {
        /// `client_id`.
        client_id: String,
        /// `client_secret`.
        secret: Secret,
        /// By HTTP Basic; else in the form.
        is_basic: bool,
    },
    /// A signed assertion; see [`crate::client_assertion`].
    Assertion {
        /// The JWT.
        assertion: Secret,
        /// `client_id`, when it was sent too; it must be the assertion's (RFC 7521 section 4.2).
        client_id: Option<String>,
    },
}

/// Why no credentials can be taken from a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialsError {
    /// None at all, not even a `client_id`: `invalid_client`.
    Missing,
    /// More than one way: `invalid_request`.
    Several,
    /// An Authorization header that is no whole HTTP Basic: `invalid_client` with 401.
    Basic,
    /// A `client_assertion_type` that is not known, or without its assertion: `invalid_client`.
    AssertionType,
    /// `client_id` in the form is not the one of the Authorization header: `invalid_client`.
    OtherClientId,
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "no client credentials",
            Self::Several => "more than one way of authenticating was used",
            Self::Basic => "the Authorization header is no whole HTTP Basic",
            Self::AssertionType => "client_assertion or its known type is missing",
            Self::OtherClientId => "client_id and the Authorization header name different clients",
        })
    }
}

impl std::error::Error for CredentialsError {}

impl Credentials {
    /// Takes them out of the Authorization header, if there is one, and the form.
    ///
    /// # Errors
    /// [`CredentialsError`].
    pub fn read(authorization: Option<&str>, form: &Form) -> Result<Self, CredentialsError> {
        use CredentialsError as E;
        let named = form.value("client_id");
        let secret = form.value("client_secret");
        let assertion = form.value("client_assertion");
        let kind = form.value("client_assertion_type");
        let ways = [authorization.is_some(), secret.is_some(), assertion.is_some() || kind.is_some()];
        if ways.into_iter().filter(|used| *used).count() > 1 {
            return Err(E::Several);
        }
        if let Some(header) = authorization {
            let (client_id, secret) = basic(header).ok_or(E::Basic)?;
            if named.is_some_and(|other| other != client_id) {
                return Err(E::OtherClientId);
            }
            return Ok(Self::Secret { client_id, secret, is_basic: true });
        }
        if assertion.is_some() || kind.is_some() {
            return match (assertion, kind) {
                (Some(assertion), Some(client_assertion::TYPE)) => {
                    Ok(Self::Assertion { assertion: Secret::new(assertion), client_id: named.map(str::to_owned) })
                }
                _ => Err(E::AssertionType),
            };
        }
        let client_id = named.ok_or(E::Missing)?.to_owned();
        Ok(match secret {
            Some(secret) => Self::Secret { client_id, secret: Secret::new(secret), is_basic: false },
            None => Self::Named { client_id },
        })
    }

    /// `client_id`, as far as it was sent in clear. An assertion says it inside.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::Named { client_id } | Self::Secret { client_id, .. } => Some(client_id),
            Self::Assertion { client_id, .. } => client_id.as_deref(),
        }
    }
}

/// Name and secret of HTTP Basic. SPEC: RFC 6749 section 2.3.1: both are form-encoded before they are joined.
fn basic(header: &str) -> Option<(String, Secret)> {
    if header.len() > limits::BASIC_BYTES_MAX {
        return None;
    }
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = STANDARD.decode(encoded.trim_start_matches(' ')).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let (name, secret) = text.split_once(':')?;
    let (name, secret) = (form::decoded(name.as_bytes()).ok()?, form::decoded(secret.as_bytes()).ok()?);
    (!name.is_empty() && !secret.is_empty()).then(|| (name, Secret::new(secret)))
}

#[cfg(test)]
mod tests;
