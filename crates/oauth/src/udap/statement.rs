//! A software statement: what a client says of itself when it registers, signed by itself. SPEC: HL7 FHIR UDAP Security 2.0
//! section 3; RFC 7591 section 2.3; rows D13 to D19.
//!
//! A statement with an empty `grant_types` cancels the registration. Members that are not named here are not looked at,
//! nor is the `logo_uri` of a system, which some clients send. Whether the scopes can be given is the server's.

use super::{
    claims::{self, ClaimError, Once},
    is_uri,
    x5c::{Signed, UdapJwtError},
};
use crate::{
    client_metadata::{MetadataError, contacts, invalid, short_text, text, texts, web_address},
    discovery::GrantType,
    error::ErrorCode,
    jwk::PublicKey,
    limits,
    redirect_uri::{ApplicationType, RedirectUri},
};
use serde_json::{Map, Value, json};
use std::{borrow::Cow, fmt};

/// The one `token_endpoint_auth_method`.
const METHOD: &str = "private_key_jwt";

/// Why a statement is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatementError {
    /// It is no JWT with certificates, or its signature is wrong.
    Jwt(UdapJwtError),
    /// A claim of the JWT is wrong.
    Claim(ClaimError),
    /// What it asks for is not acceptable.
    Metadata(MetadataError),
}

impl StatementError {
    /// The code of the answer (row D17).
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Jwt(_) | Self::Claim(_) => ErrorCode::InvalidSoftwareStatement,
            Self::Metadata(why) => why.code,
        }
    }
}

impl fmt::Display for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jwt(why) => write!(f, "software statement: {why}"),
            Self::Claim(why) => write!(f, "software statement: {why}"),
            Self::Metadata(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for StatementError {}

impl From<UdapJwtError> for StatementError {
    fn from(error: UdapJwtError) -> Self {
        Self::Jwt(error)
    }
}

impl From<ClaimError> for StatementError {
    fn from(error: ClaimError) -> Self {
        Self::Claim(error)
    }
}

impl From<MetadataError> for StatementError {
    fn from(error: MetadataError) -> Self {
        Self::Metadata(error)
    }
}

/// A statement that was read; nobody has vouched for it.
pub struct Unverified<'a> {
    text: &'a str,
    signed: Signed<'a>,
    uri: String,
}

/// A statement whose signature and claims are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoftwareStatement {
    /// `iss`: the client's URI, which its certificate must have among its names.
    pub uri: String,
    once: Once,
    /// The JWT, as it was sent.
    text: String,
    /// What is to be registered; `None` to cancel.
    pub registration: Option<Registration>,
}

/// What a client wants to be registered as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// `client_name`: for people.
    pub name: String,
    /// `contacts`, as URIs.
    pub contacts: Vec<String>,
    /// `grant_types`.
    pub grants: Vec<GrantType>,
    /// `redirect_uris`: https; none for a system.
    pub redirect_uris: Vec<RedirectUri>,
    /// `logo_uri` of an app.
    pub logo: Option<String>,
    /// `client_uri`.
    pub website: Option<String>,
    /// `tos_uri`.
    pub terms: Option<String>,
    /// `policy_uri`.
    pub policy: Option<String>,
    /// `scope`: what it would like to ask for.
    pub scope: String,
}

impl<'a> Unverified<'a> {
    /// Reads a statement as far as is needed to know who says it.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn parse(text: &'a str) -> Result<Self, StatementError> {
        let signed = Signed::parse(text)?;
        let uri = claims::issuer(signed.unverified_claims())?;
        if !is_uri(uri) || uri.len() > limits::REDIRECT_URI_BYTES_MAX {
            return Err(ClaimError::Issuer.into());
        }
        Ok(Self { uri: uri.to_owned(), signed, text })
    }

    /// Who the client says it is: a URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The certificates as DER, the client's first.
    #[must_use]
    pub fn x5c(&self) -> &[Vec<u8>] {
        self.signed.x5c()
    }

    /// Verifies signature and claims, then reads what is asked for. `endpoint` is the URL of the registration endpoint.
    ///
    /// # Errors
    /// [`StatementError`]; the signature comes first.
    pub fn verify(&self, key: &PublicKey, endpoint: &str, now_s: i64) -> Result<SoftwareStatement, StatementError> {
        let claims = self.signed.verify(key)?;
        if !claims::is_for(claims, endpoint) {
            return Err(ClaimError::Audience.into());
        }
        let once = claims::once(claims, now_s, limits::UDAP_JWT_LIFE_S_MAX)?;
        let registration = registration(claims)?;
        Ok(SoftwareStatement { uri: self.uri.clone(), once, text: self.text.to_owned(), registration })
    }
}

impl SoftwareStatement {
    /// `jti`: to be used once by this client (row D12).
    #[must_use]
    pub fn jti(&self) -> &str {
        &self.once.jti
    }

    /// From when on the same `jti` may come again.
    #[must_use]
    pub fn replayable_until_s(&self) -> i64 {
        self.once.expires_at_s.saturating_add(limits::CLOCK_SKEW_S)
    }

    /// The answer: what is registered with these scopes, or that nothing is any more. SPEC: section 3.2.3; row D16: no
    /// empty members and no claims of the JWT.
    #[must_use]
    pub fn answer(&self, client_id: &str, scope: &str) -> Value {
        let mut answer = Map::new();
        let mut put = |name: &str, value: Value| answer.insert(name.to_owned(), value);
        put("client_id", json!(client_id));
        put("software_statement", json!(self.text));
        let Some(registration) = &self.registration else {
            put("grant_types", json!([]));
            return Value::Object(answer);
        };
        put("client_name", json!(registration.name));
        put("contacts", json!(registration.contacts));
        put("grant_types", registration.grants.iter().map(|grant| grant.as_str()).collect());
        put("token_endpoint_auth_method", json!(METHOD));
        put("scope", json!(scope));
        if registration.is_app() {
            put("redirect_uris", registration.redirect_uris.iter().map(RedirectUri::as_str).collect());
            put("response_types", json!(["code"]));
        }
        let links = [
            ("logo_uri", &registration.logo),
            ("client_uri", &registration.website),
            ("tos_uri", &registration.terms),
            ("policy_uri", &registration.policy),
        ];
        for (name, link) in links {
            if let Some(link) = link {
                put(name, json!(link));
            }
        }
        Value::Object(answer)
    }
}

impl Registration {
    /// Whether people sign in to it.
    #[must_use]
    pub fn is_app(&self) -> bool {
        self.grants.contains(&GrantType::AuthorizationCode)
    }
}

fn registration(claims: &Map<String, Value>) -> Result<Option<Registration>, MetadataError> {
    let Some(grants) = grants(claims)? else { return Ok(None) };
    let is_app = grants.contains(&GrantType::AuthorizationCode);
    if text(claims, "token_endpoint_auth_method")? != Some(METHOD) {
        return Err(invalid("token_endpoint_auth_method must be private_key_jwt"));
    }
    let response_types = texts(claims, "response_types")?.unwrap_or_default();
    if response_types != if is_app { vec!["code"] } else { Vec::new() } {
        return Err(invalid("response_types must be code for authorization_code, and absent for client_credentials"));
    }
    let contacts = contacts(claims)?;
    if !contacts.iter().any(|contact| contact.strip_prefix("mailto:").is_some_and(|address| address.contains('@'))) {
        return Err(invalid("contacts must have a mailto: address"));
    }
    let scope = text(claims, "scope")?.ok_or_else(|| invalid("scope is missing"))?;
    if scope.len() > limits::SCOPE_REQUEST_BYTES_MAX {
        return Err(invalid("scope is too long"));
    }
    Ok(Some(Registration {
        name: short_text(claims, "client_name", limits::CLIENT_NAME_BYTES_MAX)?
            .ok_or_else(|| invalid("client_name is missing"))?,
        contacts,
        redirect_uris: redirect_uris(claims, is_app)?,
        logo: if is_app { Some(logo(claims)?) } else { None },
        website: web_address(claims, "client_uri")?,
        terms: web_address(claims, "tos_uri")?,
        policy: web_address(claims, "policy_uri")?,
        scope: scope.to_owned(),
        grants,
    }))
}

/// `None` to cancel.
fn grants(claims: &Map<String, Value>) -> Result<Option<Vec<GrantType>>, MetadataError> {
    let named = texts(claims, "grant_types")?.ok_or_else(|| invalid("grant_types is missing"))?;
    let mut grants = Vec::new();
    for name in named {
        let grant = GrantType::parse(name).ok_or_else(|| invalid("grant_types has one that is not supported"))?;
        if !grants.contains(&grant) {
            grants.push(grant);
        }
    }
    if grants.is_empty() {
        return Ok(None);
    }
    let has = |grant| grants.contains(&grant);
    if has(GrantType::AuthorizationCode) == has(GrantType::ClientCredentials) {
        return Err(invalid("grant_types must have exactly one of authorization_code and client_credentials"));
    }
    if has(GrantType::RefreshToken) && !has(GrantType::AuthorizationCode) {
        return Err(invalid("refresh_token goes with authorization_code only"));
    }
    Ok(Some(grants))
}

fn redirect_uris(claims: &Map<String, Value>, is_app: bool) -> Result<Vec<RedirectUri>, MetadataError> {
    let refused = |description: Cow<'static, str>| MetadataError { code: ErrorCode::InvalidRedirectUri, description };
    let named = texts(claims, "redirect_uris")?.unwrap_or_default();
    if named.is_empty() == is_app {
        let why = if is_app { "redirect_uris is missing" } else { "client_credentials has no redirect_uris" };
        return Err(refused(why.into()));
    }
    let mut uris = Vec::new();
    for text in named {
        let uri = RedirectUri::register(text, ApplicationType::Web).map_err(|why| refused(why.to_string().into()))?;
        if !uri.is_https() {
            return Err(refused("redirect_uris must be https".into()));
        }
        uris.push(uri);
    }
    Ok(uris)
}

/// SPEC: section 3.1: an https URL of a PNG, JPG or GIF. What its path says is looked at here; what it really is, by who
/// fetches it.
fn logo(claims: &Map<String, Value>) -> Result<String, MetadataError> {
    let url = web_address(claims, "logo_uri")?.ok_or_else(|| invalid("logo_uri is missing"))?;
    let path = url.split('?').next().unwrap_or_default();
    let (before, name) = path.rsplit_once('/').unwrap_or_default();
    // The host's own dots are no ending of a file.
    let ending = name.rsplit_once('.').filter(|_| !before.ends_with(":/")).map(|(_, ending)| ending);
    match ending.map(str::to_ascii_lowercase).as_deref() {
        None | Some("png" | "jpg" | "jpeg" | "gif") => Ok(url),
        Some(_) => Err(invalid("logo_uri must be a PNG, JPG or GIF")),
    }
}

#[cfg(test)]
mod tests;
