//! Error codes of OAuth and its kin. SPEC: RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1, RFC 7009 section
//! 2.2.1, RFC 7591 section 3.2.2, RFC 8707 section 2, RFC 9101 section 7, RFC 9449 sections 5 and 8, OpenID Connect Core
//! section 3.1.2.6, UDAP Tiered OAuth section 2; rows B21, D36.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The value of `error`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the names are the codes")]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As written in a response.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    InvalidRequest = "invalid_request",
    InvalidClient = "invalid_client",
    InvalidGrant = "invalid_grant",
    UnauthorizedClient = "unauthorized_client",
    UnsupportedGrantType = "unsupported_grant_type",
    UnsupportedResponseType = "unsupported_response_type",
    InvalidScope = "invalid_scope",
    InvalidToken = "invalid_token",
    InsufficientScope = "insufficient_scope",
    AccessDenied = "access_denied",
    ServerError = "server_error",
    /// Not in RFC 6749 for the token endpoint, but the code that clients know for "later".
    TemporarilyUnavailable = "temporarily_unavailable",
    /// `prompt=none`, and nobody is signed in.
    LoginRequired = "login_required",
    /// `prompt=none`, and the person has not agreed yet.
    ConsentRequired = "consent_required",
    /// `prompt=none`, and something else must be asked, such as which patient is meant.
    InteractionRequired = "interaction_required",
    /// A `resource` or `aud` that is not this server.
    InvalidTarget = "invalid_target",
    RequestNotSupported = "request_not_supported",
    RequestUriNotSupported = "request_uri_not_supported",
    RegistrationNotSupported = "registration_not_supported",
    /// A pushed request that is unknown, used, or past its end.
    InvalidRequestUri = "invalid_request_uri",
    InvalidRedirectUri = "invalid_redirect_uri",
    InvalidClientMetadata = "invalid_client_metadata",
    InvalidSoftwareStatement = "invalid_software_statement",
    UnapprovedSoftwareStatement = "unapproved_software_statement",
    /// The identity provider that a request names is not trusted, or did not say who the person is (UDAP Tiered OAuth).
    InvalidIdp = "invalid_idp",
    InvalidDpopProof = "invalid_dpop_proof",
    UseDpopNonce = "use_dpop_nonce",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
