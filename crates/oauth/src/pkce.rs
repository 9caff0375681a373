//! Proof Key for Code Exchange: the one who redeems a code is the one who asked for it. SPEC: RFC 7636; rows B18, B48.
//!
//! S256 only. A `plain` challenge, or none, is refused: whoever reads the authorization request could redeem the code.

use crate::secret::{Secret, same};
use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;

/// The one `code_challenge_method`.
pub const METHOD: &str = "S256";

/// Why a challenge or a verifier is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PkceError {
    /// No `code_challenge`.
    NoChallenge,
    /// `code_challenge_method` is missing (which would mean `plain`), or not `S256`.
    Method,
    /// The challenge is not the base64url of a SHA-256.
    Challenge,
    /// No `code_verifier`.
    NoVerifier,
    /// The verifier is not 43 to 128 unreserved characters.
    Verifier,
    /// The verifier is not the one of the challenge.
    Mismatch,
}

impl fmt::Display for PkceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoChallenge => "code_challenge is missing (PKCE is required)",
            Self::Method => "code_challenge_method must be S256",
            Self::Challenge => "code_challenge is not the base64url form of a SHA-256 hash",
            Self::NoVerifier => "code_verifier is missing",
            Self::Verifier => "code_verifier is not 43 to 128 characters of A-Z a-z 0-9 - . _ ~",
            Self::Mismatch => "code_verifier is not the one of this code",
        })
    }
}

impl std::error::Error for PkceError {}

/// SHA-256 of the verifier: kept with the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge([u8; 32]);

impl Challenge {
    /// From the parameters of an authorization request.
    ///
    /// # Errors
    /// [`PkceError::NoChallenge`], [`PkceError::Method`], [`PkceError::Challenge`].
    pub fn parse(challenge: Option<&str>, method: Option<&str>) -> Result<Self, PkceError> {
        let challenge = challenge.ok_or(PkceError::NoChallenge)?;
        if method != Some(METHOD) {
            return Err(PkceError::Method);
        }
        let bytes = URL_SAFE_NO_PAD.decode(challenge).map_err(|_| PkceError::Challenge)?;
        Ok(Self(bytes.try_into().map_err(|_| PkceError::Challenge)?))
    }

    /// As kept with a code.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For keeping.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The challenge of a verifier, for clients and tests.
    #[must_use]
    pub fn of(verifier: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, verifier.as_bytes()).as_ref());
        Self(bytes)
    }

    /// As a parameter.
    #[must_use]
    pub fn as_parameter(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Whether this verifier is the challenge's.
    ///
    /// # Errors
    /// [`PkceError::NoVerifier`], [`PkceError::Verifier`], [`PkceError::Mismatch`].
    pub fn verify(&self, verifier: Option<&Secret>) -> Result<(), PkceError> {
        let verifier = verifier.ok_or(PkceError::NoVerifier)?.expose();
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
            return Err(PkceError::Verifier);
        }
        if same(&Self::of(verifier).0, &self.0) { Ok(()) } else { Err(PkceError::Mismatch) }
    }
}

#[cfg(test)]
mod tests;
