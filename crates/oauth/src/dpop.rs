//! DPoP: a request proves that its sender holds a private key, without TLS's help. SPEC: RFC 9449; row A8's sibling.
//!
//! [`check`] makes a [`Proof`] of the one `DPoP` header. That a proof comes for the first time is for the caller to see
//! to, who has a table: [`Proof::replay_key`] is what to keep there, until [`Proof::replayable_until_s`]. Nonces need no
//! table: [`Nonces`] makes and knows them by a secret of the server and the time.

use crate::{
    bearer::DpopFacts,
    jwk::{JwkError, PublicKey},
    jws::{Algorithm, Compact, JwsError},
    limits,
    secret::same,
};
use aws_lc_rs::{digest, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use std::fmt;

/// The `typ` of a proof.
const TYPE: &str = "dpop+jwt";

/// Why a proof does not count. The client hears `invalid_dpop_proof`, or `use_dpop_nonce` for the two of the nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DpopError {
    /// It is no JWS that we verify, or its signature is wrong.
    Jws(JwsError),
    /// `typ` is not `dpop+jwt`.
    Type,
    /// No `jwk` in the header, or one that we do not verify with; a private one too.
    Key(Option<JwkError>),
    /// `htm` is not the method.
    Method,
    /// `htu` is not the URL.
    Url,
    /// `iat` is missing, too old or in the future.
    Time,
    /// No `jti`, or one over [`limits::DPOP_JTI_BYTES_MAX`].
    NoJti,
    /// `ath` is not the hash of the access token beside it.
    AccessToken,
    /// A nonce is asked for, and there is none.
    NoNonce,
    /// The nonce is not one of ours, or too old.
    Nonce,
}

impl DpopError {
    /// Whether the client should try again with the nonce that the answer brings.
    #[must_use]
    pub const fn wants_nonce(self) -> bool {
        matches!(self, Self::NoNonce | Self::Nonce)
    }
}

impl fmt::Display for DpopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jws(why) => return write!(f, "DPoP proof: {why}"),
            Self::Type => "DPoP proof: typ is not dpop+jwt",
            Self::Key(Some(why)) => return write!(f, "DPoP proof: jwk: {why}"),
            Self::Key(None) => "DPoP proof: no jwk in the header",
            Self::Method => "DPoP proof: htm is not the method of the request",
            Self::Url => "DPoP proof: htu is not the URL of the request",
            Self::Time => "DPoP proof: iat is missing, too old or in the future",
            Self::NoJti => "DPoP proof: jti is missing or too long",
            Self::AccessToken => "DPoP proof: ath is not the hash of the access token",
            Self::NoNonce => "DPoP proof: a nonce is required",
            Self::Nonce => "DPoP proof: the nonce is too old or not of this server",
        })
    }
}

impl std::error::Error for DpopError {}

impl From<JwsError> for DpopError {
    fn from(error: JwsError) -> Self {
        Self::Jws(error)
    }
}

/// What a proof must agree with.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// Method of the request.
    pub method: &'a str,
    /// URL of the request, from our configured base (row A24), without its query or with it.
    pub url: &'a str,
    /// The access token beside the proof; `None` at the token and pushed authorization endpoints.
    pub access_token: Option<&'a str>,
    /// The server's nonces.
    pub nonces: &'a Nonces,
    /// Whether a proof without a nonce is refused. One with a bad nonce always is.
    pub requires_nonce: bool,
    /// Now, seconds since the epoch.
    pub now_s: i64,
}

/// A proof that holds: made by [`check`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    key: [u8; 32],
    algorithm: Algorithm,
    access_token: Option<[u8; 32]>,
    replay_key: [u8; 32],
    replayable_until_s: i64,
}

/// Checks the value of the one `DPoP` header of a request.
///
/// # Errors
/// [`DpopError`]; the signature comes before every claim.
pub fn check(header: &str, expected: &Expected<'_>) -> Result<Proof, DpopError> {
    let jws = Compact::parse(header)?;
    if !jws.typ().is_some_and(|typ| typ.eq_ignore_ascii_case(TYPE)) {
        return Err(DpopError::Type);
    }
    let jwk = jws.embedded_key().ok_or(DpopError::Key(None))?;
    let key = PublicKey::from_jwk(jwk).map_err(|why| DpopError::Key(Some(why)))?;
    let claims = jws.verify(&key)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("htm") != Some(expected.method) {
        return Err(DpopError::Method);
    }
    let target = normal(expected.url).ok_or(DpopError::Url)?;
    if text("htu").and_then(normal).is_none_or(|htu| htu != target) {
        return Err(DpopError::Url);
    }
    let now_s = expected.now_s;
    let issued_s = crate::client_assertion::numeric_date(claims, "iat").ok_or(DpopError::Time)?;
    let oldest_s = now_s.saturating_sub(limits::DPOP_LIFE_S + limits::CLOCK_SKEW_S);
    if issued_s < oldest_s || issued_s > now_s.saturating_add(limits::CLOCK_SKEW_S) {
        return Err(DpopError::Time);
    }
    let jti =
        text("jti").filter(|jti| !jti.is_empty() && jti.len() <= limits::DPOP_JTI_BYTES_MAX).ok_or(DpopError::NoJti)?;
    let access_token = match expected.access_token {
        None => None,
        Some(token) => {
            let hash = sha256(&[token.as_bytes()]);
            let named = text("ath").and_then(|ath| URL_SAFE_NO_PAD.decode(ath).ok());
            if named.is_none_or(|named| named != hash) {
                return Err(DpopError::AccessToken);
            }
            Some(hash)
        }
    };
    match claims.get("nonce") {
        None if expected.requires_nonce => return Err(DpopError::NoNonce),
        None => {}
        Some(nonce) if nonce.as_str().is_some_and(|nonce| expected.nonces.knows(nonce, now_s)) => {}
        Some(_) => return Err(DpopError::Nonce),
    }
    let thumbprint = key.thumbprint_bytes();
    Ok(Proof {
        replay_key: sha256(&[&thumbprint, jti.as_bytes()]),
        key: thumbprint,
        algorithm: jws.algorithm(),
        access_token,
        replayable_until_s: issued_s.saturating_add(limits::DPOP_LIFE_S + limits::CLOCK_SKEW_S),
    })
}

impl Proof {
    /// RFC 7638 SHA-256 thumbprint of the key: `jkt`, what tokens and codes are bound to.
    #[must_use]
    pub fn key(&self) -> [u8; 32] {
        self.key
    }

    /// As the check of access tokens takes it, once the proof is known to come for the first time.
    #[must_use]
    pub fn facts(&self) -> DpopFacts {
        DpopFacts { key: self.key, access_token: self.access_token }
    }

    /// What it was signed with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// SHA-256 of the access token that it was made for.
    #[must_use]
    pub fn access_token(&self) -> Option<[u8; 32]> {
        self.access_token
    }

    /// What names this proof among all: to be taken once (RFC 9449 section 11.1).
    #[must_use]
    pub fn replay_key(&self) -> &[u8; 32] {
        &self.replay_key
    }

    /// From when on the same proof is refused for its age, so that its replay key need not be kept.
    #[must_use]
    pub fn replayable_until_s(&self) -> i64 {
        self.replayable_until_s
    }
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// Nonces of this server (RFC 9449 section 8): the number of a span of time, and a code over it that only we can make. A
/// secret: no Debug.
pub struct Nonces {
    key: hmac::Key,
}

impl Nonces {
    /// Of 32 secret random bytes. All processes of one server share them, or clients are asked twice.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret) }
    }

    /// The nonce to give out now, in the header `DPoP-Nonce`.
    #[must_use]
    pub fn current(&self, now_s: i64) -> String {
        self.of(now_s.div_euclid(limits::DPOP_NONCE_STEP_S))
    }

    /// Whether a nonce is the one of now or of the span before.
    #[must_use]
    pub fn knows(&self, nonce: &str, now_s: i64) -> bool {
        let step = now_s.div_euclid(limits::DPOP_NONCE_STEP_S);
        [step, step.saturating_sub(1)].into_iter().any(|step| same(self.of(step).as_bytes(), nonce.as_bytes()))
    }

    fn of(&self, step: i64) -> String {
        let tag = hmac::sign(&self.key, &[b"dpop-nonce".as_slice(), &step.to_be_bytes()].concat());
        URL_SAFE_NO_PAD.encode(tag.as_ref().get(..16).unwrap_or_default())
    }
}

/// A URL without query and fragment in its normal form: scheme and host in lower case, no default port, no needless
/// percent signs. SPEC: RFC 9449 section 4.3, RFC 3986 section 6.2.
fn normal(url: &str) -> Option<String> {
    let url = url.split(['?', '#']).next()?;
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let authority = authority.to_ascii_lowercase();
    let default = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let authority = authority.strip_suffix(default).unwrap_or(&authority);
    let path = if path.is_empty() { "/" } else { path };
    Some(format!("{scheme}://{authority}{}", normal_percent(path)?))
}

/// Percent-encoded characters that need not be are written plainly, the others with capital digits.
fn normal_percent(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2)?;
        let byte = u8::from_str_radix(hex, 16).ok().filter(|_| hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
        // WHY: `$` of an operation is a character of a path, but many libraries encode it; for us both are one.
        if byte.is_ascii_alphanumeric() || b"-._~$".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
        text.push_str(rest);
    }
    Some(text)
}

/// A signed proof, for the client's side: tests and the command line. `access_token` and `nonce` where they belong.
///
/// # Errors
/// [`crate::sign::KeyError::Failed`].
pub fn signed(
    key: &crate::sign::PrivateKey,
    method: &str,
    url: &str,
    jti: &str,
    now_s: i64,
    access_token: Option<&str>,
    nonce: Option<&str>,
) -> Result<String, crate::sign::KeyError> {
    let header = serde_json::json!({
        "typ": TYPE,
        "alg": key.algorithm().as_str(),
        "jwk": key.public().to_bare_jwk(),
    });
    let mut claims = serde_json::Map::new();
    claims.insert("htm".into(), method.into());
    claims.insert("htu".into(), url.into());
    claims.insert("iat".into(), now_s.into());
    claims.insert("jti".into(), jti.into());
    if let Some(token) = access_token {
        claims.insert("ath".into(), URL_SAFE_NO_PAD.encode(sha256(&[token.as_bytes()])).into());
    }
    if let Some(nonce) = nonce {
        claims.insert("nonce".into(), nonce.into());
    }
    key.jws(&header, Value::Object(claims).to_string().as_bytes())
}

#[cfg(test)]
mod tests;
