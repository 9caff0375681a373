//! What a client says of itself when it registers. SPEC: RFC 7591 sections 2 and 3, RFC 7592 section 2, RFC 8705 section
//! 2.1.2, RFC 9126 section 6, RFC 9449 section 5.2; rows B11 to B14, F61.
//!
//! Only the members named here are read; all others mean nothing, whatever they are called: nobody registers themselves
//! as trusted. [`ClientMetadata::read`] is the same for the endpoint and for the page of an administrator. Left out:
//! software statements (UDAP, a later issue), which are refused by name; names in several languages.

mod answer;

pub use answer::{Issued, answer};

use crate::{
    certificate::{RegisteredSubject, SUBJECT_MEMBERS},
    client_authentication::Method,
    discovery::GrantType,
    ehr_launch::LaunchUrl,
    error::ErrorCode,
    fapi2::{self, Profile},
    jwk::Jwks,
    jws::Algorithm,
    limits,
    redirect_uri::{ApplicationType, RedirectUri},
    secret::Secret,
    self_signed, strict_json, web_url,
};
use serde_json::{Map, Value};
use std::{borrow::Cow, fmt};

/// Where a client's keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisteredKeys {
    /// It has none.
    None,
    /// The text of a JWKS.
    Inline(String),
    /// An https URL of one.
    Url(String),
}

/// A registration that keeps all rules of the protocol. What the server makes of it (id, secret, whether it may) is
/// not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientMetadata {
    /// `client_name`: for people.
    pub name: String,
    /// `redirect_uris`.
    pub redirect_uris: Vec<RedirectUri>,
    /// `application_type`.
    pub application: ApplicationType,
    /// `token_endpoint_auth_method`.
    pub method: Method,
    /// `token_endpoint_auth_signing_alg`: the one algorithm of its assertions, when it names one.
    pub assertion_algorithm: Option<Algorithm>,
    /// `grant_types`.
    pub grants: Vec<GrantType>,
    /// `scope`: what it would like to ask for.
    pub scope: Option<String>,
    /// `jwks` or `jwks_uri`.
    pub keys: RegisteredKeys,
    /// The name of its certificate, for `tls_client_auth`.
    pub subject: Option<RegisteredSubject>,
    /// `initiate_login_uri`: where the EHR side opens it.
    pub launch_url: Option<LaunchUrl>,
    /// `logo_uri`.
    pub logo: Option<String>,
    /// `client_uri`.
    pub website: Option<String>,
    /// `policy_uri`.
    pub policy: Option<String>,
    /// `tos_uri`.
    pub terms: Option<String>,
    /// `contacts`.
    pub contacts: Vec<String>,
    /// `software_id`.
    pub software_id: Option<String>,
    /// `software_version`.
    pub software_version: Option<String>,
    /// `dpop_bound_access_tokens`.
    pub binds_by_dpop: bool,
    /// `tls_client_certificate_bound_access_tokens`.
    pub binds_by_certificate: bool,
    /// `require_pushed_authorization_requests`.
    pub requires_pushed: bool,
    /// `handrail_profile`: the rules that it wants to be held to.
    pub profile: Profile,
}

/// Why a registration is refused: the code, and what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataError {
    /// `error`.
    pub code: ErrorCode,
    /// `error_description`: names members, never what was sent in them.
    pub description: Cow<'static, str>,
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.description)
    }
}

impl std::error::Error for MetadataError {}

pub(crate) fn invalid(description: impl Into<Cow<'static, str>>) -> MetadataError {
    MetadataError { code: ErrorCode::InvalidClientMetadata, description: description.into() }
}

/// What is beside the metadata in an update. SPEC: RFC 7592 section 2.2. Holds a secret: no Debug.
pub struct Update {
    /// The new registration, whole: what is left out is gone.
    pub metadata: ClientMetadata,
    /// `client_secret`, when it was sent: it must be the present one, and is never set by this.
    pub secret: Option<Secret>,
}

impl ClientMetadata {
    /// Reads a registration request.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn read(body: &[u8]) -> Result<Self, MetadataError> {
        Self::of(&object(body)?)
    }

    /// Reads an update of a client's own registration.
    ///
    /// # Errors
    /// [`MetadataError`]; `invalid_request` when `client_id` is not the client's or a member of the server's is sent.
    pub fn read_update(body: &[u8], client_id: &str) -> Result<Update, MetadataError> {
        let members = object(body)?;
        let request = |description: &'static str| MetadataError {
            code: ErrorCode::InvalidRequest,
            description: Cow::Borrowed(description),
        };
        if members.get("client_id").and_then(Value::as_str) != Some(client_id) {
            return Err(request("client_id must be the client's own"));
        }
        const OURS: [&str; 4] =
            ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];
        if OURS.iter().any(|name| members.contains_key(*name)) {
            return Err(request("an update has none of the members that the server sets"));
        }
        let secret = text(&members, "client_secret")?.map(Secret::new);
        Ok(Update { metadata: Self::of(&members)?, secret })
    }

    fn of(members: &Map<String, Value>) -> Result<Self, MetadataError> {
        if members.contains_key("software_statement") {
            return Err(MetadataError {
                code: ErrorCode::InvalidSoftwareStatement,
                description: Cow::Borrowed("software statements are not taken here"),
            });
        }
        let grants = grants(members)?;
        let is_for_people = grants.contains(&GrantType::AuthorizationCode);
        response_types(members, is_for_people)?;
        let application = match text(members, "application_type")? {
            None => ApplicationType::Web,
            Some(kind) => {
                ApplicationType::parse(kind).ok_or_else(|| invalid("application_type must be web or native"))?
            }
        };
        let redirect_uris = redirect_uris(members, application, is_for_people)?;
        // SPEC: RFC 7591 section 2: absent means HTTP Basic.
        let method = match text(members, "token_endpoint_auth_method")? {
            None => Method::ClientSecretBasic,
            Some(name) => Method::parse(name).ok_or_else(|| invalid("token_endpoint_auth_method is not supported"))?,
        };
        if !is_for_people && (!method.is_confidential() || method.has_secret()) {
            // Row B12.
            return Err(invalid("client_credentials needs private_key_jwt or mutual TLS"));
        }
        let assertion_algorithm = match text(members, "token_endpoint_auth_signing_alg")? {
            None => None,
            Some(name) => Some(
                Algorithm::parse(name).ok_or_else(|| invalid("token_endpoint_auth_signing_alg is not supported"))?,
            ),
        };
        if text(members, "id_token_signed_response_alg")?.is_some_and(|name| name != "RS256") {
            return Err(invalid("id_token_signed_response_alg must be RS256"));
        }
        let keys = keys(members, method)?;
        let subject = subject(members, method)?;
        let launch_url = match text(members, "initiate_login_uri")? {
            None => None,
            Some(url) => {
                Some(LaunchUrl::register(url).map_err(|_| invalid("initiate_login_uri must be an https URL"))?)
            }
        };
        let metadata = Self {
            name: short_text(members, "client_name", limits::CLIENT_NAME_BYTES_MAX)?
                .ok_or_else(|| invalid("client_name is missing: people are shown it"))?,
            redirect_uris,
            application,
            method,
            assertion_algorithm,
            scope: scope(members)?,
            keys,
            subject,
            launch_url,
            logo: web_address(members, "logo_uri")?,
            website: web_address(members, "client_uri")?,
            policy: web_address(members, "policy_uri")?,
            terms: web_address(members, "tos_uri")?,
            contacts: contacts(members)?,
            software_id: short_text(members, "software_id", limits::METADATA_TEXT_BYTES_MAX)?,
            software_version: short_text(members, "software_version", limits::METADATA_TEXT_BYTES_MAX)?,
            binds_by_dpop: flag(members, "dpop_bound_access_tokens")?,
            binds_by_certificate: flag(members, "tls_client_certificate_bound_access_tokens")?,
            requires_pushed: flag(members, "require_pushed_authorization_requests")?,
            profile: match text(members, "handrail_profile")? {
                None => Profile::Smart,
                Some(name) => Profile::parse(name).ok_or_else(|| invalid("handrail_profile must be smart or fapi2"))?,
            },
            grants,
        };
        metadata.profile_kept()?;
        Ok(metadata)
    }

    /// Whether it keeps the rules of the profile that it names.
    fn profile_kept(&self) -> Result<(), MetadataError> {
        if self.binds_by_dpop && self.binds_by_certificate {
            return Err(invalid("tokens are bound by DPoP or by the certificate, not by both"));
        }
        if self.profile != Profile::Fapi2 {
            return Ok(());
        }
        let inline = match &self.keys {
            RegisteredKeys::Inline(text) => Jwks::register(text.as_bytes()).ok(),
            RegisteredKeys::None | RegisteredKeys::Url(_) => None,
        };
        let broken = fapi2::registration(&fapi2::Registration {
            method: self.method,
            redirect_uris: &self.redirect_uris,
            binds_by_dpop: self.binds_by_dpop,
            binds_by_certificate: self.binds_by_certificate,
            keys: inline.as_ref(),
        });
        match broken.first() {
            None => Ok(()),
            Some(why) => Err(invalid(why.to_string())),
        }
    }
}

fn object(body: &[u8]) -> Result<Map<String, Value>, MetadataError> {
    if body.len() > limits::METADATA_BYTES_MAX {
        return Err(invalid("the registration is longer than 512 kB"));
    }
    strict_json::object(body).map_err(|why| invalid(why.to_string()))
}

/// A text member; an empty one counts as absent, as null does.
pub(crate) fn text<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, MetadataError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(value)) => Ok(Some(value.as_str()).filter(|value| !value.is_empty())),
        Some(_) => Err(invalid(format!("{name} must be a text"))),
    }
}

pub(crate) fn texts<'a>(
    members: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<Vec<&'a str>>, MetadataError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) if list.len() <= limits::METADATA_LIST_MAX => {
            let all: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            all.map(Some).ok_or_else(|| invalid(format!("{name} must be a list of texts")))
        }
        Some(Value::Array(_)) => Err(invalid(format!("{name} has too many items"))),
        Some(_) => Err(invalid(format!("{name} must be a list of texts"))),
    }
}

fn flag(members: &Map<String, Value>, name: &'static str) -> Result<bool, MetadataError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(invalid(format!("{name} must be true or false"))),
    }
}

/// A text for people: bounded, and without anything that changes how the text around it reads.
pub(crate) fn short_text(
    members: &Map<String, Value>,
    name: &'static str,
    most: usize,
) -> Result<Option<String>, MetadataError> {
    let Some(value) = text(members, name)?.map(str::trim).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    if value.len() > most {
        return Err(invalid(format!("{name} is longer than {most} bytes")));
    }
    if value.chars().any(is_deceptive) {
        return Err(invalid(format!("{name} has a control character")));
    }
    Ok(Some(value.to_owned()))
}

/// Control characters, those that turn the direction of writing, and those that nobody sees: a name with them could
/// pass for another one.
pub(crate) fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn grants(members: &Map<String, Value>) -> Result<Vec<GrantType>, MetadataError> {
    let mut grants = Vec::new();
    for name in texts(members, "grant_types")?.unwrap_or_else(|| vec![GrantType::AuthorizationCode.as_str()]) {
        let grant = GrantType::parse(name).ok_or_else(|| invalid("grant_types has one that is not supported"))?;
        if !grants.contains(&grant) {
            grants.push(grant);
        }
    }
    let has = |grant| grants.contains(&grant);
    if has(GrantType::AuthorizationCode) == has(GrantType::ClientCredentials) {
        return Err(invalid("grant_types must have either authorization_code or client_credentials"));
    }
    if has(GrantType::RefreshToken) && has(GrantType::ClientCredentials) {
        return Err(invalid("refresh_token goes with authorization_code only"));
    }
    Ok(grants)
}

fn response_types(members: &Map<String, Value>, is_for_people: bool) -> Result<(), MetadataError> {
    let expected: &[&str] = if is_for_people { &["code"] } else { &[] };
    match texts(members, "response_types")? {
        None => Ok(()),
        Some(named) if named == expected => Ok(()),
        Some(_) if is_for_people => Err(invalid("response_types must be code alone")),
        Some(_) => Err(invalid("client_credentials has no response_types")),
    }
}

fn redirect_uris(
    members: &Map<String, Value>,
    application: ApplicationType,
    is_for_people: bool,
) -> Result<Vec<RedirectUri>, MetadataError> {
    let refused = |description: String| MetadataError {
        code: ErrorCode::InvalidRedirectUri,
        description: Cow::Owned(description),
    };
    let named = texts(members, "redirect_uris")?.unwrap_or_default();
    if named.is_empty() == is_for_people {
        let why = if is_for_people { "redirect_uris is missing" } else { "client_credentials has no redirect_uris" };
        return Err(refused(why.to_owned()));
    }
    let mut uris: Vec<RedirectUri> = Vec::new();
    for text in named {
        let uri = RedirectUri::register(text, application).map_err(|why| refused(why.to_string()))?;
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    Ok(uris)
}

/// Row B13. A public client and one with a secret or a named certificate need no keys; theirs are not kept.
fn keys(members: &Map<String, Value>, method: Method) -> Result<RegisteredKeys, MetadataError> {
    let inline = match members.get("jwks") {
        None | Some(Value::Null) => None,
        Some(Value::Object(jwks)) => Some(Value::Object(jwks.clone()).to_string()),
        Some(_) => return Err(invalid("jwks must be a JWKS, as an object")),
    };
    let keys = match (inline, text(members, "jwks_uri")?) {
        (Some(_), Some(_)) => return Err(invalid("jwks and jwks_uri exclude each other")),
        (Some(text), None) => RegisteredKeys::Inline(text),
        (None, Some(url)) if web_url::is_https(url) => RegisteredKeys::Url(url.to_owned()),
        (None, Some(_)) => return Err(invalid("jwks_uri must be an https URL")),
        (None, None) => RegisteredKeys::None,
    };
    match (method, keys) {
        (Method::PrivateKeyJwt | Method::SelfSignedTlsClientAuth, RegisteredKeys::None) => {
            Err(invalid("jwks or jwks_uri is missing"))
        }
        (Method::PrivateKeyJwt, RegisteredKeys::Inline(text)) => match Jwks::register(text.as_bytes()) {
            Ok(_) => Ok(RegisteredKeys::Inline(text)),
            Err(why) => Err(invalid(format!("jwks: {why}"))),
        },
        (Method::SelfSignedTlsClientAuth, RegisteredKeys::Inline(text)) => {
            match self_signed::thumbprints(text.as_bytes()) {
                Ok(_) => Ok(RegisteredKeys::Inline(text)),
                Err(_) => Err(invalid("jwks must have each certificate in x5c, as standard base64 of its DER")),
            }
        }
        (Method::PrivateKeyJwt | Method::SelfSignedTlsClientAuth, keys) => Ok(keys),
        _ => Ok(RegisteredKeys::None),
    }
}

/// Row A7: exactly one for `tls_client_auth`, none for others.
fn subject(members: &Map<String, Value>, method: Method) -> Result<Option<RegisteredSubject>, MetadataError> {
    let mut named = Vec::new();
    for name in SUBJECT_MEMBERS {
        named.extend(text(members, name)?.map(|value| (name, value)));
    }
    if method != Method::TlsClientAuth {
        return match named.is_empty() {
            true => Ok(None),
            false => Err(invalid("a name of a certificate goes with tls_client_auth only")),
        };
    }
    RegisteredSubject::only(named.into_iter()).map(Some).map_err(|why| invalid(why.to_string()))
}

fn scope(members: &Map<String, Value>) -> Result<Option<String>, MetadataError> {
    let Some(scope) = text(members, "scope")? else { return Ok(None) };
    if scope.len() > limits::SCOPE_REQUEST_BYTES_MAX {
        return Err(invalid("scope is too long"));
    }
    Ok(Some(scope.to_owned()))
}

pub(crate) fn web_address(members: &Map<String, Value>, name: &'static str) -> Result<Option<String>, MetadataError> {
    match text(members, name)? {
        None => Ok(None),
        Some(url) if web_url::is_https(url) => Ok(Some(url.to_owned())),
        Some(_) => Err(invalid(format!("{name} must be an https URL"))),
    }
}

pub(crate) fn contacts(members: &Map<String, Value>) -> Result<Vec<String>, MetadataError> {
    let contacts = texts(members, "contacts")?.unwrap_or_default();
    let fits = |text: &&str| {
        !text.is_empty() && text.len() <= limits::METADATA_TEXT_BYTES_MAX && !text.chars().any(is_deceptive)
    };
    if contacts.iter().all(fits) {
        Ok(contacts.into_iter().map(str::to_owned).collect())
    } else {
        Err(invalid("contacts has one that is empty, too long, or has a control character"))
    }
}

#[cfg(test)]
mod tests;
