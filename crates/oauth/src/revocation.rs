//! Token revocation, the request. SPEC: RFC 7009 section 2.1; row B61. `token_type_hint` is only a hint, and there is
//! one kind of token: it is not looked at.

use crate::{error::ErrorCode, form::Form};

/// The token to be revoked or looked into. Secret: no Debug.
pub struct NamedToken(String);

impl NamedToken {
    /// From a form.
    ///
    /// # Errors
    /// `invalid_request` without `token`.
    pub fn from_form(form: &Form) -> Result<Self, ErrorCode> {
        form.value("token").map(|token| Self(token.to_owned())).ok_or(ErrorCode::InvalidRequest)
    }

    /// The token, for looking it up.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}
