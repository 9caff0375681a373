//! Bearer tokens at the resource server. SPEC: RFC 6750; rows B63, B64, F13.

use crate::{
    caller::{Caller, CallerKind, Grant},
    limits,
};
use std::{fmt, sync::Arc};

/// Why a request has no caller. The public answer is the same for all but `Missing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BearerError {
    /// No Authorization header.
    Missing,
    /// Not `Bearer` with one token of legal characters and length.
    Malformed,
    /// Not a live token of this server.
    Unknown,
    /// A token past its end.
    Expired,
}

impl fmt::Display for BearerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "an access token is required",
            Self::Malformed => "the Authorization header does not hold one Bearer token",
            Self::Unknown => "the access token is not valid",
            Self::Expired => "the access token has expired",
        })
    }
}

impl std::error::Error for BearerError {}

/// The authorization server's live tokens, looked up by the token as presented. The
/// implementation hashes it and never keeps it; a revoked token is not found.
pub trait LiveTokens {
    /// The grant behind this token.
    fn grant(&self, token: &str) -> Option<Arc<Grant>>;
}

/// Authenticates a request by its Authorization header value.
///
/// # Errors
/// [`BearerError`]; `now_s` is seconds since the epoch.
pub fn authenticate(authorization: Option<&str>, tokens: &dyn LiveTokens, now_s: i64) -> Result<Caller, BearerError> {
    let header = authorization.ok_or(BearerError::Missing)?;
    let (scheme, token) = header.split_once(' ').ok_or(BearerError::Malformed)?;
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    if !scheme.eq_ignore_ascii_case("bearer")
        || token.is_empty()
        || token.len() > limits::TOKEN_BYTES_MAX
        || !token.bytes().all(legal)
    {
        return Err(BearerError::Malformed);
    }
    let grant = tokens.grant(token).ok_or(BearerError::Unknown)?;
    if grant.expires_at_s <= now_s {
        return Err(BearerError::Expired);
    }
    Ok(Caller { grant, kind: CallerKind::System })
}

#[cfg(test)]
mod tests;
