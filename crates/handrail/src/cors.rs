//! Which web origins may read which answers. SPEC: Fetch standard, CORS protocol; rows A12 to A17.
//!
//! Public documents: anyone. FHIR and the token endpoints: origins that a registered client or the
//! configuration names, compared whole. Everything else, the pages for people above all: nobody.
//! Never with credentials: this API takes no cookies, so `Access-Control-Allow-Credentials` is never sent.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header, request};
use std::{collections::HashSet, fmt};

/// Who may read the answers of a path from a page of another origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Any origin: documents that tell nothing of a person (row A12).
    Anyone,
    /// Origins of registered clients and of the configuration (row A13).
    Registered,
    /// No other origin (row A17).
    Nobody,
}

/// The rule for a path.
pub(crate) fn sharing(path: &str) -> Sharing {
    match path {
        "/fhir/metadata"
        | "/fhir/.well-known/smart-configuration"
        | "/fhir/.well-known/udap"
        | "/fhir/.well-known/openid-configuration"
        | "/.well-known/smart-configuration"
        | "/.well-known/oauth-authorization-server"
        | "/.well-known/openid-configuration"
        | "/brands"
        | "/assets/smart-style.json"
        | "/oauth/jwks" => Sharing::Anyone,
        "/oauth/token" | "/oauth/revoke" | "/oauth/userinfo" | "/fhir" => Sharing::Registered,
        _ if path.starts_with("/fhir/") => Sharing::Registered,
        _ => Sharing::Nobody,
    }
}

/// A web origin: scheme, host and port, in the form that browsers send.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Origin(String);

/// Text that is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoOrigin;

impl fmt::Display for NoOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an origin is a scheme, a host and perhaps a port, such as https://app.example.org:8443")
    }
}

impl std::error::Error for NoOrigin {}

impl Origin {
    /// Reads an origin; scheme and host in lower case, a default port left away.
    ///
    /// # Errors
    /// [`NoOrigin`], for `null` too (row A16).
    pub(crate) fn parse(text: &str) -> Result<Self, NoOrigin> {
        let uri: http::Uri = text.parse().map_err(|_| NoOrigin)?;
        let scheme = uri.scheme_str().ok_or(NoOrigin)?;
        let authority = uri.authority().ok_or(NoOrigin)?;
        let bare = uri.path_and_query().is_none_or(|rest| rest.as_str() == "/") && !text.ends_with('/');
        if !bare || authority.as_str().contains('@') || !matches!(scheme, "http" | "https") {
            return Err(NoOrigin);
        }
        let host = authority.host().to_ascii_lowercase();
        let default = if scheme == "https" { 443 } else { 80 };
        Ok(Self(match authority.port_u16().filter(|port| *port != default) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }))
    }

    /// The origin as browsers write it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Asks the authorization server whether a registered client names this origin.
pub(crate) type Registered = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// The CORS rules of a server.
pub(crate) struct Cors {
    configured: HashSet<Origin>,
    registered: Registered,
}

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
const ALLOW: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Accept, Prefer, If-Match, If-None-Match, If-None-Exist, If-Modified-Since, \
     X-Provenance, X-Security-Context, X-Request-Id, DPoP, Category, X-Purpose-Of-Use",
);
const EXPOSE: HeaderValue = HeaderValue::from_static(
    "ETag, Location, Content-Location, Last-Modified, Retry-After, X-Request-Id, WWW-Authenticate, DPoP-Nonce, \
     X-Progress",
);
/// Seconds that a browser may keep a preflight's answer.
const PREFLIGHT_AGE: HeaderValue = HeaderValue::from_static("600");

impl Cors {
    /// `configured`: `allowed_origins` of the configuration.
    pub(crate) fn new(configured: impl IntoIterator<Item = Origin>, registered: Registered) -> Self {
        Self { configured: configured.into_iter().collect(), registered }
    }

    /// Whether this request is a preflight, which is answered without a look at who asks (row A15).
    pub(crate) fn is_preflight(request: &request::Parts) -> bool {
        request.method == Method::OPTIONS
            && request.headers.contains_key(header::ORIGIN)
            && request.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// Completes the headers of a response to a request with this `Origin`.
    pub(crate) fn apply(&self, path: &str, origin: Option<&HeaderValue>, preflight: bool, headers: &mut HeaderMap) {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let sharing = sharing(path);
        if sharing == Sharing::Anyone {
            let open = HeaderName::from_static("cross-origin-resource-policy");
            headers.insert(open, HeaderValue::from_static("cross-origin"));
        }
        let allowed = match (sharing, origin) {
            (Sharing::Anyone, _) => Some(HeaderValue::from_static("*")),
            (Sharing::Registered, Some(origin)) if self.knows(origin) => Some(origin.clone()),
            _ => None,
        };
        let Some(allowed) = allowed else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOW);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_AGE);
        } else {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSE);
        }
    }

    fn knows(&self, origin: &HeaderValue) -> bool {
        let Some(origin) = origin.to_str().ok().and_then(|text| Origin::parse(text).ok()) else { return false };
        self.configured.contains(&origin) || (self.registered)(origin.as_str())
    }
}

#[cfg(test)]
mod tests;
