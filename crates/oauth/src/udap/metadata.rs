//! What a server says of itself at `/.well-known/udap`, plain and signed. SPEC: HL7 FHIR UDAP Security 2.0 section 2 (and
//! 1.0, 1.1); rows D2, D3, D4, D6.
//!
//! A document of its own: two of its lists have exactly one value (row D3). Both sides: [`Document::to_value`] and
//! [`signed`] for a server, [`Document::read`], [`Document::broken_rules`] and [`SignedMetadata::read`] for who looks at a
//! partner's.

mod rules;

use super::{
    b2b,
    claims::{self, ClaimError},
    x5c::{self, Signed, UdapJwtError},
};
use crate::{
    client_metadata::text,
    discovery::GrantType,
    jwk::PublicKey,
    limits,
    sign::{KeyError, PrivateKey},
    strict_json,
};
use serde_json::{Map, Value, json};
use std::fmt;

/// A metadata document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// `udap_versions_supported`.
    pub versions: Vec<String>,
    /// `udap_profiles_supported`.
    pub profiles: Vec<String>,
    /// `udap_authorization_extensions_supported`.
    pub extensions: Vec<String>,
    /// `udap_authorization_extensions_required`; `None` when it is not there.
    pub extensions_required: Option<Vec<String>>,
    /// `udap_certifications_supported`.
    pub certifications: Vec<String>,
    /// `udap_certifications_required`; `None` when it is not there.
    pub certifications_required: Option<Vec<String>>,
    /// `grant_types_supported`.
    pub grants: Vec<String>,
    /// `scopes_supported`; `None` when it is not there (1.0 and 1.1 allow that).
    pub scopes: Option<Vec<String>>,
    /// `authorization_endpoint`.
    pub authorization_endpoint: Option<String>,
    /// `token_endpoint`.
    pub token_endpoint: String,
    /// `token_endpoint_auth_methods_supported`.
    pub methods: Vec<String>,
    /// `token_endpoint_auth_signing_alg_values_supported`.
    pub token_algorithms: Vec<String>,
    /// `registration_endpoint`.
    pub registration_endpoint: String,
    /// `registration_endpoint_jwt_signing_alg_values_supported`; `None` when it is not there (1.0 and 1.1 allow that).
    pub registration_algorithms: Option<Vec<String>>,
    /// `signed_metadata`.
    pub signed: String,
}

/// What a server of ours offers, beside what is the same for all.
#[derive(Debug, Clone, Copy)]
pub struct Offered<'a> {
    /// `authorization_endpoint`: people sign in to apps.
    pub authorization_endpoint: &'a str,
    /// `token_endpoint`.
    pub token_endpoint: &'a str,
    /// `registration_endpoint`.
    pub registration_endpoint: &'a str,
    /// What can be enforced, no more.
    pub scopes: &'a [String],
    /// People sign in at other members' servers, and here for them (`udap_to`).
    pub is_tiered: bool,
    /// Certifications that the community asks for: others mean nothing here.
    pub certifications: &'a [String],
}

/// Why a document cannot be read at all. What is merely wrong in it, [`Document::broken_rules`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentError {
    /// Over [`limits::UDAP_METADATA_BYTES_MAX`].
    TooLong,
    /// Not a JSON object, or a member comes twice.
    NotAnObject,
    /// A member has the wrong type.
    Member(&'static str),
    /// A member is missing without which nothing can be done.
    Missing(&'static str),
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the document is longer than 256 kB"),
            Self::NotAnObject => f.write_str("the document is not a JSON object, or a member comes twice"),
            Self::Member(name) => write!(f, "{name} has the wrong type"),
            Self::Missing(name) => write!(f, "{name} is missing"),
        }
    }
}

impl std::error::Error for DocumentError {}

impl Document {
    /// The document of this server, without its signed part. RS256 and its kin, both grant types, B2B required: that is
    /// what is built.
    #[must_use]
    pub fn offered(offered: &Offered<'_>) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let algorithms: Vec<String> = x5c::ALGORITHMS.iter().map(|algorithm| algorithm.as_str().to_owned()).collect();
        Self {
            versions: owned(&["1"]),
            profiles: owned(match offered.is_tiered {
                true => &["udap_dcr", "udap_authn", "udap_authz", "udap_to"],
                false => &["udap_dcr", "udap_authn", "udap_authz"],
            }),
            extensions: owned(&[b2b::NAME]),
            extensions_required: Some(owned(&[b2b::NAME])),
            certifications: offered.certifications.to_vec(),
            certifications_required: (!offered.certifications.is_empty()).then(|| offered.certifications.to_vec()),
            grants: GrantType::ALL.iter().map(|grant| grant.as_str().to_owned()).collect(),
            scopes: Some(offered.scopes.to_vec()),
            authorization_endpoint: Some(offered.authorization_endpoint.to_owned()),
            token_endpoint: offered.token_endpoint.to_owned(),
            methods: owned(&["private_key_jwt"]),
            token_algorithms: algorithms.clone(),
            registration_endpoint: offered.registration_endpoint.to_owned(),
            registration_algorithms: Some(algorithms),
            signed: String::new(),
        }
    }

    /// Reads a partner's document, as far as anything can be done with it.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        use DocumentError as E;
        if bytes.len() > limits::UDAP_METADATA_BYTES_MAX {
            return Err(E::TooLong);
        }
        let members = strict_json::object(bytes).map_err(|_| E::NotAnObject)?;
        let optional = |name: &'static str| list(&members, name).ok_or(E::Member(name));
        let list = |name| Ok(optional(name)?.unwrap_or_default());
        let link = |name: &'static str| text(&members, name).map_err(|_| E::Member(name));
        let needed = |name: &'static str| Ok(link(name)?.ok_or(E::Missing(name))?.to_owned());
        Ok(Self {
            versions: list("udap_versions_supported")?,
            profiles: list("udap_profiles_supported")?,
            extensions: list("udap_authorization_extensions_supported")?,
            extensions_required: optional("udap_authorization_extensions_required")?,
            certifications: list("udap_certifications_supported")?,
            certifications_required: optional("udap_certifications_required")?,
            grants: list("grant_types_supported")?,
            scopes: optional("scopes_supported")?,
            authorization_endpoint: link("authorization_endpoint")?.map(str::to_owned),
            token_endpoint: needed("token_endpoint")?,
            methods: list("token_endpoint_auth_methods_supported")?,
            token_algorithms: list("token_endpoint_auth_signing_alg_values_supported")?,
            registration_endpoint: needed("registration_endpoint")?,
            registration_algorithms: optional("registration_endpoint_jwt_signing_alg_values_supported")?,
            signed: needed("signed_metadata")?,
        })
    }

    /// The document as JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut document = Map::new();
        let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
        put("udap_versions_supported", json!(self.versions));
        put("udap_profiles_supported", json!(self.profiles));
        put("udap_authorization_extensions_supported", json!(self.extensions));
        put("udap_certifications_supported", json!(self.certifications));
        put("grant_types_supported", json!(self.grants));
        put("token_endpoint", json!(self.token_endpoint));
        put("token_endpoint_auth_methods_supported", json!(self.methods));
        put("token_endpoint_auth_signing_alg_values_supported", json!(self.token_algorithms));
        put("registration_endpoint", json!(self.registration_endpoint));
        put("signed_metadata", json!(self.signed));
        for (name, list) in [
            ("udap_authorization_extensions_required", &self.extensions_required),
            ("udap_certifications_required", &self.certifications_required),
            ("scopes_supported", &self.scopes),
            ("registration_endpoint_jwt_signing_alg_values_supported", &self.registration_algorithms),
        ] {
            if let Some(list) = list {
                put(name, json!(list));
            }
        }
        if let Some(url) = &self.authorization_endpoint {
            put("authorization_endpoint", json!(url));
        }
        Value::Object(document)
    }

    /// Whether it lists this grant type.
    #[must_use]
    pub fn has_grant(&self, grant: GrantType) -> bool {
        self.grants.iter().any(|name| name == grant.as_str())
    }

    /// The document with the endpoints of its signed part: they win over the plain ones (row D4).
    #[must_use]
    pub fn with(self, signed: &SignedMetadata) -> Self {
        Self {
            authorization_endpoint: signed.authorization_endpoint.clone().or(self.authorization_endpoint),
            token_endpoint: signed.token_endpoint.clone(),
            registration_endpoint: signed.registration_endpoint.clone(),
            ..self
        }
    }
}

/// `None` when it is there and no list of texts; an empty list stays one.
fn list(members: &Map<String, Value>, name: &'static str) -> Option<Option<Vec<String>>> {
    // As many scopes as a server has: the bytes of the document bound it.
    match members.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(Value::Array(items)) => {
            let texts: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            texts.map(Some)
        }
        Some(_) => None,
    }
}

/// The signed part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedMetadata {
    /// `exp`, seconds since the epoch.
    pub expires_at_s: i64,
    /// `jti`.
    pub jti: String,
    /// `authorization_endpoint`.
    pub authorization_endpoint: Option<String>,
    /// `token_endpoint`.
    pub token_endpoint: String,
    /// `registration_endpoint`.
    pub registration_endpoint: String,
}

/// Why the signed part of a document is not to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignedMetadataError {
    /// It is no JWT with certificates, or its signature is wrong.
    Jwt(UdapJwtError),
    /// A claim is wrong; [`ClaimError::Issuer`]: `iss` and `sub` are not both the base URL, to the letter.
    Claim(ClaimError),
}

impl fmt::Display for SignedMetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jwt(why) => write!(f, "signed_metadata: {why}"),
            Self::Claim(ClaimError::Issuer) => {
                f.write_str("signed_metadata: iss and sub are not both the base URL of the server, to the letter")
            }
            Self::Claim(why) => write!(f, "signed_metadata: {why}"),
        }
    }
}

impl std::error::Error for SignedMetadataError {}

impl From<UdapJwtError> for SignedMetadataError {
    fn from(error: UdapJwtError) -> Self {
        Self::Jwt(error)
    }
}

impl From<ClaimError> for SignedMetadataError {
    fn from(error: ClaimError) -> Self {
        Self::Claim(error)
    }
}

impl SignedMetadata {
    /// Verifies the signed part of the document of the server at `base_url` with the key of its first certificate. That
    /// the certificates lead to an anchor, and name the base URL, is for the caller (rows D9, D11).
    ///
    /// # Errors
    /// [`SignedMetadataError`].
    pub fn read(signed: &Signed<'_>, key: &PublicKey, base_url: &str, now_s: i64) -> Result<Self, SignedMetadataError> {
        let claims = signed.verify(key)?;
        if claims::issuer(claims)? != base_url {
            return Err(ClaimError::Issuer.into());
        }
        let once = claims::once(claims, now_s, limits::SIGNED_METADATA_LIFE_S_MAX)?;
        let link = |name: &'static str| claims::text(claims, name).map(str::to_owned);
        Ok(Self {
            expires_at_s: once.expires_at_s,
            jti: once.jti,
            authorization_endpoint: link("authorization_endpoint").ok(),
            token_endpoint: link("token_endpoint")?,
            registration_endpoint: link("registration_endpoint")?,
        })
    }
}

/// Signs the endpoints of a document for the server at `base_url`.
///
/// # Errors
/// [`KeyError`].
pub fn signed(
    document: &Document,
    base_url: &str,
    key: &PrivateKey,
    chain: &[Vec<u8>],
    jti: &str,
    now_s: i64,
    life_s: i64,
) -> Result<String, KeyError> {
    let mut claims = json!({
        "iss": base_url,
        "sub": base_url,
        "iat": now_s,
        "exp": now_s + life_s,
        "jti": jti,
        "token_endpoint": document.token_endpoint,
        "registration_endpoint": document.registration_endpoint,
    });
    if let (Some(url), Some(claims)) = (&document.authorization_endpoint, claims.as_object_mut()) {
        claims.insert("authorization_endpoint".to_owned(), json!(url));
    }
    x5c::sign(key, chain, &claims)
}

#[cfg(test)]
mod tests;
