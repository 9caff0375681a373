//! Who the person is, signed for the app. SPEC: OpenID Connect Core sections 2 and 3.1.3.6; SMART App Launch 2.2
//! scopes-and-launch-context; rows B53 to B55.
//!
//! RS256, as SMART asks for: the server keeps an RSA key for it. The same claims, without those of the token itself, are
//! what the UserInfo endpoint tells ([`Claims::userinfo`], row B56). One for a data holder that sends people here to sign
//! in (UDAP) has the certificates along ([`Claims::signed_with`]).

use crate::{
    jws::Algorithm,
    secret::Secret,
    sign::{KeyError, PrivateKey},
    udap::x5c,
};
use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// What an id token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims<'a> {
    /// `iss`: as in the discovery documents, to the letter.
    pub issuer: &'a str,
    /// `sub`: opaque, under 256 bytes, never used again for another person.
    pub subject: &'a str,
    /// `aud`: the client, alone.
    pub client_id: &'a str,
    /// `iat`, seconds since the epoch.
    pub issued_at_s: i64,
    /// `exp`, seconds since the epoch.
    pub expires_at_s: i64,
    /// `auth_time`: when the person last proved who they are.
    pub authenticated_at_s: Option<i64>,
    /// `nonce`, when the authorization request had one; a refresh has none.
    pub nonce: Option<&'a str>,
    /// `acr`: how surely.
    pub acr: Option<&'a str>,
    /// `amr`: by what means (RFC 8176).
    pub amr: &'a [&'a str],
    /// `fhirUser` when it was granted: the absolute URL of the resource that stands for the person.
    pub fhir_user: Option<&'a str>,
    /// `name`, when `profile` was granted.
    pub name: Option<&'a str>,
    /// `sid`: a name of the person's session that tells nothing.
    pub session: Option<&'a str>,
}

/// Why no id token can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdTokenError {
    /// The key does not sign RS256.
    Key,
    /// The subject is blank or over 255 bytes.
    Subject,
    /// The cryptographic library refused.
    Signing(KeyError),
}

/// The resource that stands for a person as `fhirUser` tells it.
#[must_use]
pub fn fhir_user_url(fhir_base: &str, relative: &str) -> String {
    format!("{fhir_base}/{relative}")
}

impl Claims<'_> {
    /// The signed token. `access_token` is the one that goes with it (`at_hash`).
    ///
    /// # Errors
    /// [`IdTokenError`].
    pub fn signed(&self, key: &PrivateKey, access_token: &Secret) -> Result<Secret, IdTokenError> {
        if key.algorithm() != Algorithm::Rs256 {
            return Err(IdTokenError::Key);
        }
        let claims = self.all(access_token)?;
        key.jwt(&claims).map(Secret::new).map_err(IdTokenError::Signing)
    }

    /// The token as a member of a trust community signs it, with its certificates in the header. SPEC: HL7 FHIR UDAP
    /// Security 2.0 section 6; rows D37, D39.
    ///
    /// # Errors
    /// [`IdTokenError`].
    pub fn signed_with(
        &self,
        key: &PrivateKey,
        chain: &[Vec<u8>],
        access_token: &Secret,
    ) -> Result<Secret, IdTokenError> {
        let claims = self.all(access_token)?;
        x5c::sign(key, chain, &claims).map(Secret::new).map_err(IdTokenError::Signing)
    }

    fn all(&self, access_token: &Secret) -> Result<Value, IdTokenError> {
        if self.subject.trim().is_empty() || self.subject.len() > 255 {
            return Err(IdTokenError::Subject);
        }
        let mut claims = Map::new();
        claims.insert("iss".into(), self.issuer.into());
        claims.insert("sub".into(), self.subject.into());
        claims.insert("aud".into(), self.client_id.into());
        claims.insert("iat".into(), self.issued_at_s.into());
        claims.insert("exp".into(), self.expires_at_s.into());
        if let Some(at_s) = self.authenticated_at_s {
            claims.insert("auth_time".into(), at_s.into());
        }
        for (name, value) in [("nonce", self.nonce), ("acr", self.acr), ("sid", self.session)] {
            if let Some(value) = value {
                claims.insert(name.into(), value.into());
            }
        }
        if !self.amr.is_empty() {
            claims.insert("amr".into(), self.amr.iter().map(|means| Value::from(*means)).collect());
        }
        claims.insert("at_hash".into(), at_hash(access_token).into());
        claims.extend(self.of_the_person());
        Ok(Value::Object(claims))
    }

    /// What the UserInfo endpoint tells. SPEC: OpenID Connect Core section 5.3.2.
    #[must_use]
    pub fn userinfo(&self) -> Value {
        let mut claims = Map::new();
        claims.insert("sub".into(), self.subject.into());
        claims.extend(self.of_the_person());
        Value::Object(claims)
    }

    fn of_the_person(&self) -> impl Iterator<Item = (String, Value)> {
        [("fhirUser", self.fhir_user), ("name", self.name)]
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name.to_owned(), Value::from(value))))
    }
}

/// The left half of the hash of the access token. SPEC: OpenID Connect Core section 3.1.3.6.
fn at_hash(access_token: &Secret) -> String {
    let hash = digest::digest(&digest::SHA256, access_token.expose().as_bytes());
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests;
