//! A person signs in at another member's server: this one is its client. SPEC: HL7 FHIR UDAP Security 2.0 section 6; UDAP
//! Tiered OAuth; OpenID Connect Core sections 3.1.2 and 3.1.3; rows D34 to D38.
//!
//! What goes to the identity provider and what comes back, each held against what this server began
//! ([`crate::openid_provider::Begun`]). Left out: fetching, and whether certificates lead to an anchor and name the
//! provider's base URL: the caller has them vouched for, of the metadata and of the id token.

use super::{
    metadata::{Document, DocumentError, SignedMetadata, SignedMetadataError},
    x5c::{Signed, UdapJwtError},
};
use crate::{
    client_assertion,
    jwk::PublicKey,
    limits,
    openid_provider::{Begun, Person, ProviderError, joined},
    secret::Secret,
    strict_json, web_url,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::fmt;

/// What is asked for at a provider: who it is, no more.
pub const SCOPE: &str = "openid udap";

/// What a provider must say that it supports.
const SCOPES: [&str; 2] = ["openid", "udap"];

/// Bytes of a `client_id` that a provider gives.
const CLIENT_ID_BYTES_MAX: usize = 512;

/// Why a provider is not used. For the log and the audit entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdpError {
    /// Its metadata cannot be read.
    Document(DocumentError),
    /// The signed part of its metadata is not to be trusted.
    Signed(SignedMetadataError),
    /// An endpoint that is needed is missing or not https; its name.
    Endpoint(&'static str),
    /// It does not say that people may sign in there for others.
    Scopes,
    /// It did not register this server.
    Registration,
    /// Its id token is no JWT with certificates, or its signature is wrong.
    IdToken(UdapJwtError),
    /// Its answer or its id token is not right.
    Provider(ProviderError),
}

impl fmt::Display for IdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(why) => write!(f, "its metadata: {why}"),
            Self::Signed(why) => why.fmt(f),
            Self::Endpoint(name) => write!(f, "its metadata: {name} is missing or not an https URL"),
            Self::Scopes => f.write_str("its scopes_supported has not both openid and udap"),
            Self::Registration => f.write_str("its answer to the registration has no usable client_id"),
            Self::IdToken(why) => write!(f, "its id token: {why}"),
            Self::Provider(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for IdpError {}

impl From<DocumentError> for IdpError {
    fn from(error: DocumentError) -> Self {
        Self::Document(error)
    }
}

impl From<SignedMetadataError> for IdpError {
    fn from(error: SignedMetadataError) -> Self {
        Self::Signed(error)
    }
}

impl From<ProviderError> for IdpError {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}

impl From<UdapJwtError> for IdpError {
    fn from(error: UdapJwtError) -> Self {
        Self::IdToken(error)
    }
}

/// Whether a text can be a base URL: https, with no query (row D38). It is compared to the letter everywhere.
#[must_use]
pub fn is_base_url(text: &str) -> bool {
    web_url::is_https(text) && !text.contains('?')
}

/// Where the metadata of a base URL are, for who trusts this community.
#[must_use]
pub fn metadata_url(base_url: &str, community: &str) -> String {
    let community = utf8_percent_encode(community, NON_ALPHANUMERIC);
    format!("{}/.well-known/udap?community={community}", base_url.trim_end_matches('/'))
}

/// A provider, by its metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idp {
    /// Its base URL, to the letter; `iss` of its id tokens.
    pub base_url: String,
    /// `authorization_endpoint`.
    pub authorize: String,
    /// `token_endpoint`.
    pub token: String,
    /// `registration_endpoint`.
    pub register: String,
    /// Until when its metadata count, seconds since the epoch.
    pub expires_at_s: i64,
}

impl Idp {
    /// Reads metadata whose signed part is verified with the key of its first certificate. Only signed endpoints count.
    ///
    /// # Errors
    /// [`IdpError`].
    pub fn read(
        document: &Document,
        signed: &Signed<'_>,
        key: &PublicKey,
        base_url: &str,
        now_s: i64,
    ) -> Result<Self, IdpError> {
        let signed = SignedMetadata::read(signed, key, base_url, now_s)?;
        let link = |name, url: Option<String>| url.filter(|url| web_url::is_https(url)).ok_or(IdpError::Endpoint(name));
        let is_supported = |scope: &str| document.scopes.iter().flatten().any(|other| other == scope);
        if !SCOPES.iter().all(|scope| is_supported(scope)) {
            return Err(IdpError::Scopes);
        }
        Ok(Self {
            base_url: base_url.to_owned(),
            authorize: link("authorization_endpoint", signed.authorization_endpoint)?,
            token: link("token_endpoint", Some(signed.token_endpoint))?,
            register: link("registration_endpoint", Some(signed.registration_endpoint))?,
            expires_at_s: signed.expires_at_s,
        })
    }
}

/// What this server says of itself where it registers.
#[derive(Debug, Clone, Copy)]
pub struct Ours<'a> {
    /// Our base URL, which our certificate has among its names.
    pub base_url: &'a str,
    /// Our name, for people.
    pub name: &'a str,
    /// How to reach who runs this server: a `mailto:` URI.
    pub contact: &'a str,
    /// https URL of our logo.
    pub logo: &'a str,
    /// Where people come back.
    pub redirect_uri: &'a str,
}

impl Ours<'_> {
    /// Claims of the software statement.
    #[must_use]
    pub fn statement(&self, idp: &Idp, jti: &str, now_s: i64) -> Value {
        json!({
            "iss": self.base_url,
            "sub": self.base_url,
            "aud": idp.register,
            "iat": now_s,
            "exp": now_s + limits::UDAP_JWT_LIFE_S_MAX,
            "jti": jti,
            "client_name": self.name,
            "contacts": [self.contact],
            "logo_uri": self.logo,
            "redirect_uris": [self.redirect_uri],
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "private_key_jwt",
            "scope": SCOPE,
        })
    }
}

/// The body of a registration.
#[must_use]
pub fn registration(statement: &str) -> Value {
    json!({ "software_statement": statement, "certifications": [], "udap": "1" })
}

/// The `client_id` in the answer to a registration.
///
/// # Errors
/// [`IdpError::Registration`].
pub fn registered(answer: &[u8]) -> Result<String, IdpError> {
    let members = strict_json::object(answer).map_err(|_| IdpError::Registration)?;
    let id = members.get("client_id").and_then(Value::as_str).filter(|id| {
        (1..=CLIENT_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
    });
    id.map(str::to_owned).ok_or(IdpError::Registration)
}

/// Claims by which this server proves at a provider's token endpoint who it is.
#[must_use]
pub fn proof(client_id: &str, idp: &Idp, jti: &str, now_s: i64) -> Value {
    json!({
        "iss": client_id,
        "sub": client_id,
        "aud": idp.token,
        "iat": now_s,
        "exp": now_s + limits::UDAP_JWT_LIFE_S_MAX,
        "jti": jti,
    })
}

/// Whether a token endpoint's refusal says that it does not know the client.
#[must_use]
pub fn is_unknown_client(answer: &[u8]) -> bool {
    strict_json::object(answer)
        .is_ok_and(|members| members.get("error").and_then(Value::as_str) == Some("invalid_client"))
}

impl Begun {
    /// Where to send the browser (row D35). `max_age_s`: the person must have proven who they are within this time.
    #[must_use]
    pub fn url_of_idp(&self, idp: &Idp, client_id: &str, redirect_uri: &str, max_age_s: Option<u32>) -> String {
        self.url_at(&idp.authorize, client_id, redirect_uri, SCOPE, max_age_s)
    }

    /// The code in the answer that the browser brings back.
    ///
    /// # Errors
    /// [`ProviderError`], [`ProviderError::State`] before all else.
    pub fn code_of_idp(&self, query: &[u8]) -> Result<Secret, ProviderError> {
        self.code_in(query, false)
    }

    /// What goes to the provider's token endpoint; `proof`: [`proof`], signed.
    #[must_use]
    pub fn redemption_at_idp(&self, code: &Secret, redirect_uri: &str, proof: &str) -> Secret {
        Secret::new(joined(&[
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect_uri),
            ("code_verifier", self.verifier.expose()),
            ("client_assertion_type", client_assertion::TYPE),
            ("client_assertion", proof),
            ("udap", "1"),
        ]))
    }

    /// Who signed in, by the id token, verified with the key of its first certificate (row D37). That its certificates
    /// are the provider's is for the caller.
    ///
    /// # Errors
    /// [`IdpError`].
    pub fn person_of_idp(
        &self,
        id_token: &Signed<'_>,
        key: &PublicKey,
        client_id: &str,
        max_age_s: Option<u32>,
        now_s: i64,
    ) -> Result<Person, IdpError> {
        let claims = id_token.verify(key)?;
        Ok(self.told(claims, client_id, max_age_s, now_s)?)
    }
}

#[cfg(test)]
mod tests;
