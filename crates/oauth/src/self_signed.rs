//! Certificates that a client registered by its JWKS, for `self_signed_tls_client_auth`. SPEC: RFC 8705 section 2.2, RFC
//! 7517 section 4.7; row A7.
//!
//! A certificate is known by its SHA-256. The chain behind it, its names and its dates mean nothing: the client itself
//! vouches for it, by its registration.

use crate::{jwk::JwksError, jwk::set::members, secret::same};
use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// SHA-256 of the DER of each certificate that stands first in an `x5c`, in order.
///
/// # Errors
/// [`JwksError`]; [`JwksError::Empty`] when no key has a certificate.
pub fn thumbprints(jwks: &[u8]) -> Result<Vec<[u8; 32]>, JwksError> {
    let mut found = Vec::new();
    for jwk in members(jwks)? {
        let Some(chain) = jwk.get("x5c") else { continue };
        // SPEC: RFC 7517 section 4.7: standard base64 with padding, not base64url.
        let first = chain.as_array().and_then(|chain| chain.first()).and_then(Value::as_str);
        let der = first.and_then(|text| STANDARD.decode(text).ok()).ok_or(JwksError::Malformed)?;
        if der.is_empty() {
            return Err(JwksError::Malformed);
        }
        let mut thumbprint = [0; 32];
        thumbprint.copy_from_slice(digest::digest(&digest::SHA256, &der).as_ref());
        found.push(thumbprint);
    }
    if found.is_empty() { Err(JwksError::Empty) } else { Ok(found) }
}

/// Whether a certificate of this thumbprint, whose key the peer of the connection proved to hold, is registered.
#[must_use]
pub fn is_registered(registered: &[[u8; 32]], thumbprint: &[u8; 32]) -> bool {
    registered.iter().any(|own| same(own, thumbprint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(jwks: Value) -> Result<Vec<[u8; 32]>, JwksError> {
        thumbprints(jwks.to_string().as_bytes())
    }

    fn hash(der: &[u8]) -> [u8; 32] {
        digest::digest(&digest::SHA256, der).as_ref().try_into().unwrap()
    }

    /// Row A7: the first of each chain, and no other.
    #[test]
    fn the_first_of_each_chain() {
        let keys = json!({ "keys": [
            { "kty": "RSA", "x5c": [STANDARD.encode("one"), STANDARD.encode("its CA")] },
            { "kty": "EC" },
            { "kty": "EC", "x5c": [STANDARD.encode("two")] },
        ]});
        let registered = read(keys).unwrap();
        assert_eq!(registered, [hash(b"one"), hash(b"two")]);
        assert!(is_registered(&registered, &hash(b"two")));
        assert!(!is_registered(&registered, &hash(b"its CA")), "a CA in the chain vouches for nobody");
        assert!(!is_registered(&[], &hash(b"one")));
    }

    #[test]
    fn malformed() {
        assert_eq!(read(json!({ "keys": [{ "kty": "EC" }] })), Err(JwksError::Empty));
        for x5c in [json!([]), json!("x"), json!([1]), json!(["-_"]), json!([""]), Value::Null] {
            assert_eq!(read(json!({ "keys": [{ "kty": "EC", "x5c": x5c }] })), Err(JwksError::Malformed), "{x5c}");
        }
    }
}
