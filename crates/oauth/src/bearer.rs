//! Access tokens at the resource server: bearer tokens, and those bound to a certificate or to a DPoP key.
//! SPEC: RFC 6750; RFC 8705 section 3; RFC 9449 section 7; rows A8, B63, B64, F13.
//!
//! Left out: checking a DPoP proof itself (its signature, age and first use) is the authorization server's, who makes
//! [`DpopFacts`] of a proof that holds.

use crate::{
    caller::{Caller, CallerKind, Confirmation, Grant},
    limits,
};
use aws_lc_rs::digest;
use std::{fmt, sync::Arc};

/// What a request shows of who it is from. Holds a token: no Debug.
#[derive(Clone, Copy, Default)]
pub struct Presented<'a> {
    /// The value of the one Authorization header.
    pub authorization: Option<&'a str>,
    /// SHA-256 of the DER of the certificate that the client showed in the TLS handshake.
    pub certificate_thumbprint: Option<[u8; 32]>,
    /// What the request's DPoP proof says, when there is one and it holds.
    pub dpop: Option<&'a DpopFacts>,
    /// What the registered system may do that this certificate stands for by itself, without a token (row A10). It is
    /// bound to the certificate, and counts only where no token is shown: a token that is refused is no way to it.
    pub principal: Option<&'a Arc<Grant>>,
}

impl<'a> Presented<'a> {
    /// A header and nothing else.
    #[must_use]
    pub fn header(authorization: Option<&'a str>) -> Self {
        Self { authorization, ..Self::default() }
    }
}

/// What a DPoP proof says that was found right: signed by its key, made for this method and URL, now, and never seen
/// before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DpopFacts {
    /// RFC 7638 SHA-256 thumbprint of the key that signed it.
    pub key: [u8; 32],
    /// `ath`: SHA-256 of the access token that it was made for. A proof for a token endpoint has none.
    pub access_token: Option<[u8; 32]>,
}

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
    /// A token that is bound to a key, without that key (row A8).
    Unproven,
}

impl fmt::Display for BearerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "an access token is required",
            Self::Malformed => "the Authorization header does not hold one access token",
            Self::Unknown => "the access token is not valid",
            Self::Expired => "the access token has expired",
            Self::Unproven => "the access token is bound to a key that the request does not prove",
        })
    }
}

impl std::error::Error for BearerError {}

/// A DPoP proof as a request showed it, and what it must be made for. Holds a token: no Debug.
#[derive(Clone, Copy)]
pub struct ShownProof<'a> {
    /// The value of the one `DPoP` header.
    pub header: &'a str,
    /// Method of the request.
    pub method: &'a str,
    /// URL of the request without its query, from the configured base (row A24).
    pub url: &'a str,
    /// The access token beside it.
    pub access_token: &'a str,
}

/// Why a proof does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofRefused {
    /// The nonce to try again with, when that is all that was wrong (RFC 9449 section 9).
    pub nonce: Option<String>,
}

/// The access token of an Authorization header that goes with a DPoP proof.
#[must_use]
pub fn dpop_token(authorization: Option<&str>) -> Option<&str> {
    let (scheme, token) = authorization?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("dpop").then_some(token)
}

/// The authorization server's live tokens, looked up by the token as presented. The
/// implementation hashes it and never keeps it; a revoked token is not found.
pub trait LiveTokens {
    /// The grant behind this token.
    fn grant(&self, token: &str) -> Option<Arc<Grant>>;

    /// When the person behind a grant proved who they are before they let the client in, seconds since the epoch:
    /// `auth_time`. `None`: nobody did, or it is not known. SPEC: RFC 9470.
    fn signed_in_s(&self, grant: &Grant) -> Option<i64> {
        let _ = grant;
        None
    }

    /// Checks a DPoP proof, which counts once. Where no token is ever bound to such a key, there is nothing to check
    /// with: a proof is refused.
    ///
    /// # Errors
    /// [`ProofRefused`].
    fn proven(&self, proof: &ShownProof<'_>) -> Result<DpopFacts, ProofRefused> {
        let _ = proof;
        Err(ProofRefused { nonce: None })
    }
}

/// Authenticates a request by what it shows.
///
/// A token bound to a certificate goes with `Bearer` over a connection with that certificate; one bound to a DPoP key
/// goes with `DPoP` and a proof by that key for this very token. A token that is bound to nothing is a bearer token:
/// whoever sends it as `DPoP` believes it to be bound, and is told that it is not.
///
/// # Errors
/// [`BearerError`]; `now_s` is seconds since the epoch.
pub fn authenticate(presented: &Presented<'_>, tokens: &dyn LiveTokens, now_s: i64) -> Result<Caller, BearerError> {
    let Some(header) = presented.authorization else {
        return by_certificate(presented, now_s);
    };
    let (scheme, token) = header.split_once(' ').ok_or(BearerError::Malformed)?;
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    let is_dpop = scheme.eq_ignore_ascii_case("dpop");
    if !(is_dpop || scheme.eq_ignore_ascii_case("bearer"))
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
    let is_proven = match grant.confirmation {
        None => !is_dpop,
        Some(Confirmation::Certificate(bound)) => !is_dpop && presented.certificate_thumbprint == Some(bound),
        Some(Confirmation::Key(bound)) => {
            is_dpop
                && presented.dpop.is_some_and(|proof| {
                    let hash = digest::digest(&digest::SHA256, token.as_bytes());
                    proof.key == bound && proof.access_token.as_ref().is_some_and(|own| own == hash.as_ref())
                })
        }
    };
    if !is_proven {
        return Err(BearerError::Unproven);
    }
    let kind = if grant.user.is_some() { CallerKind::Person } else { CallerKind::System };
    Ok(Caller::of(grant, kind, now_s))
}

/// The caller that a certificate stands for by itself (row A10).
fn by_certificate(presented: &Presented<'_>, now_s: i64) -> Result<Caller, BearerError> {
    let grant = presented.principal.ok_or(BearerError::Missing)?;
    let shown = presented.certificate_thumbprint.map(Confirmation::Certificate);
    if shown.is_none() || grant.confirmation != shown || grant.user.is_some() {
        return Err(BearerError::Unproven);
    }
    if grant.expires_at_s <= now_s {
        return Err(BearerError::Expired);
    }
    Ok(Caller::of(Arc::clone(grant), CallerKind::System, now_s))
}

#[cfg(test)]
mod tests;
