//! A request for an access token. SPEC: RFC 6749 section 4.4, RFC 7523 section 2.2; rows C1, C8, C12.

use crate::{client_assertion, error::ErrorCode, form::Form};

/// Credentials as a client presents them. Secret: no Debug.
pub struct ClientCredentials {
    /// The JWT.
    pub assertion: String,
    /// `client_id`, when it was sent too; it must agree with the assertion (RFC 7521 section 4.2).
    pub client_id: Option<String>,
}

impl ClientCredentials {
    /// From a form: `client_assertion_type` and `client_assertion`.
    ///
    /// # Errors
    /// `invalid_client` when there is no assertion of the one known type, `invalid_request` when a secret came beside it.
    pub fn from_form(form: &Form) -> Result<Self, ErrorCode> {
        let assertion = form.value("client_assertion");
        if form.value("client_secret").is_some() && assertion.is_some() {
            return Err(ErrorCode::InvalidRequest);
        }
        match (form.value("client_assertion_type"), assertion) {
            (Some(client_assertion::TYPE), Some(assertion)) => {
                Ok(Self { assertion: assertion.to_owned(), client_id: form.value("client_id").map(str::to_owned) })
            }
            _ => Err(ErrorCode::InvalidClient),
        }
    }
}

/// A request for a token by client credentials.
pub struct TokenRequest {
    /// `scope`, when it was sent.
    pub scope: Option<String>,
    /// Who asks.
    pub credentials: ClientCredentials,
}

impl TokenRequest {
    /// From a form. The grant type is looked at first: a wrong one is named whoever asks.
    ///
    /// # Errors
    /// `invalid_request`, `unsupported_grant_type`, `invalid_client`.
    pub fn from_form(form: &Form) -> Result<Self, ErrorCode> {
        match form.value("grant_type") {
            None => return Err(ErrorCode::InvalidRequest),
            Some("client_credentials") => {}
            Some(_) => return Err(ErrorCode::UnsupportedGrantType),
        }
        Ok(Self { scope: form.value("scope").map(str::to_owned), credentials: ClientCredentials::from_form(form)? })
    }
}

#[cfg(test)]
mod tests;
