//! The table of routes: every path of the authorization server, with its methods. A test walks it.

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `endpoint/authorize.rs`.
    Authorize,
    /// `endpoint/authorize/pushed.rs`.
    PushedRequest,
    /// `endpoint/token.rs`.
    Token,
    /// `endpoint/introspect.rs`.
    Introspect,
    /// `endpoint/revoke.rs`.
    Revoke,
    /// `endpoint/register.rs`.
    Register,
    /// `endpoint/register.rs`: one client's own.
    Registration,
    /// `endpoint/jwks.rs`.
    Jwks,
    /// `endpoint/discovery.rs`.
    AuthorizationServer,
    /// `brands.rs`.
    Brands,
    /// `endpoint/discovery.rs`.
    OpenIdConfiguration,
    /// `endpoint/discovery.rs`.
    SmartConfiguration,
    /// `endpoint/userinfo.rs`.
    UserInfo,
    /// `endpoint/udap_discovery.rs`.
    Udap,
    /// `endpoint/udap_register.rs`.
    UdapRegister,
}

/// A path with its methods.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The whole path, or what stands before an id when it ends with a slash.
    pub path: &'static str,
    /// The value of `Allow`.
    pub allow: &'static str,
    /// What answers.
    pub endpoint: Endpoint,
}

/// Before the id of a client that registered itself.
pub(crate) const REGISTRATION: &str = "/oauth/register/";

const FORM: &str = "POST";
const DOCUMENT: &str = "GET, HEAD";

/// Every route but those of pages. Those with `POST` alone take a form and authenticate the client; `/oauth/authorize` is
/// for browsers; the others are public documents.
pub const ROUTES: [Route; 15] = [
    Route { path: "/oauth/authorize", allow: "GET, POST", endpoint: Endpoint::Authorize },
    Route { path: "/oauth/par", allow: FORM, endpoint: Endpoint::PushedRequest },
    Route { path: "/oauth/token", allow: FORM, endpoint: Endpoint::Token },
    Route { path: "/oauth/introspect", allow: FORM, endpoint: Endpoint::Introspect },
    Route { path: "/oauth/revoke", allow: FORM, endpoint: Endpoint::Revoke },
    Route { path: "/oauth/register", allow: FORM, endpoint: Endpoint::Register },
    Route { path: REGISTRATION, allow: "GET, PUT, DELETE", endpoint: Endpoint::Registration },
    Route { path: "/oauth/udap/register", allow: FORM, endpoint: Endpoint::UdapRegister },
    Route { path: "/oauth/userinfo", allow: "GET, POST", endpoint: Endpoint::UserInfo },
    Route { path: "/oauth/jwks", allow: DOCUMENT, endpoint: Endpoint::Jwks },
    Route { path: "/.well-known/oauth-authorization-server", allow: DOCUMENT, endpoint: Endpoint::AuthorizationServer },
    Route { path: "/brands", allow: DOCUMENT, endpoint: Endpoint::Brands },
    Route { path: "/.well-known/openid-configuration", allow: DOCUMENT, endpoint: Endpoint::OpenIdConfiguration },
    Route { path: "/fhir/.well-known/smart-configuration", allow: DOCUMENT, endpoint: Endpoint::SmartConfiguration },
    Route { path: "/fhir/.well-known/udap", allow: DOCUMENT, endpoint: Endpoint::Udap },
];

/// Whether this path is the authorization server's.
pub(crate) fn owns(path: &str) -> bool {
    path.starts_with("/oauth/")
        || path.starts_with("/account/")
        || path.starts_with("/assets/")
        || route(path).is_some()
}

/// The route of this path.
pub(crate) fn route(path: &str) -> Option<&'static Route> {
    let is = |route: &&Route| {
        let rest = path.strip_prefix(route.path);
        rest.is_some_and(|rest| rest.is_empty() || (route.path.ends_with('/') && !rest.contains('/')))
    };
    ROUTES.iter().find(is)
}

impl Endpoint {
    /// What this path leads to.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        route(path).map(|route| route.endpoint)
    }
}
