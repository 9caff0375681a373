//! A request for an access token. SPEC: RFC 6749 sections 4.1.3, 4.4 and 6; rows B48, B49, B57, C1, C8, C12.

use crate::{audience, error::ErrorCode, form::Form, limits, secret::Secret};

/// What a request asks for, by `grant_type`; who asks is [`crate::client_authentication::Credentials`]. Holds
/// secrets: no Debug.
pub enum Asked {
    /// `authorization_code`. SPEC: RFC 6749 section 4.1.3, RFC 7636 section 4.5; rows B48, B49.
    AuthorizationCode {
        /// `code`.
        code: Secret,
        /// `redirect_uri`: must be the one of the authorization request, to the letter.
        redirect_uri: Option<String>,
        /// `code_verifier`; [`crate::pkce::Challenge::verify`] tells what is wrong with it.
        verifier: Option<Secret>,
    },
    /// `refresh_token`. SPEC: RFC 6749 section 6; row B57.
    RefreshToken {
        /// `refresh_token`.
        token: Secret,
        /// `scope`, when it was sent; see [`crate::scope::offer::refreshed`].
        scope: Option<String>,
    },
    /// `client_credentials`. SPEC: RFC 6749 section 4.4; rows C1, C11.
    ClientCredentials {
        /// `scope`, when it was sent.
        scope: Option<String>,
    },
}

/// Why a request asks for nothing that can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedError {
    /// A parameter is missing: `invalid_request`.
    Missing(&'static str),
    /// `invalid_grant`: a code or token that is none of ours by its length alone (row B48: a bad code is 400).
    Grant,
    /// `unsupported_grant_type`.
    GrantType,
    /// `aud` or `resource` is not this server: `invalid_target`.
    Target,
}

impl AskedError {
    /// The code of the answer.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Missing(_) => ErrorCode::InvalidRequest,
            Self::Grant => ErrorCode::InvalidGrant,
            Self::GrantType => ErrorCode::UnsupportedGrantType,
            Self::Target => ErrorCode::InvalidTarget,
        }
    }
}

impl Asked {
    /// From a form.
    ///
    /// # Errors
    /// [`AskedError`]; a wrong grant type is named first, whoever asks.
    pub fn from_form(form: &Form, fhir_base: &str) -> Result<Self, AskedError> {
        let grant_type = form.value("grant_type").ok_or(AskedError::Missing("grant_type"))?;
        let handle = |name: &'static str| {
            let value = form.value(name).ok_or(AskedError::Missing(name))?;
            if value.len() > limits::HANDLE_BYTES_MAX { Err(AskedError::Grant) } else { Ok(Secret::new(value)) }
        };
        let scope = form.value("scope").map(str::to_owned);
        let asked = match grant_type {
            "authorization_code" => Self::AuthorizationCode {
                code: handle("code")?,
                redirect_uri: form.value("redirect_uri").map(str::to_owned),
                verifier: form.value("code_verifier").map(Secret::new),
            },
            "refresh_token" => Self::RefreshToken { token: handle("refresh_token")?, scope },
            "client_credentials" => Self::ClientCredentials { scope },
            _ => return Err(AskedError::GrantType),
        };
        audience::if_named(form, fhir_base).map_err(|_| AskedError::Target)?;
        Ok(asked)
    }
}

#[cfg(test)]
mod tests;
