//! What log lines and metrics say of a request, whichever part answered it.

use crate::outcome::Refused;
use bytes::Bytes;
use fhir::ResourceType;
use http::Response;
use http_body_util::Full;
use std::sync::Arc;

/// Every interaction and endpoint, as labels name them. What is not among them counts as `other`.
pub(crate) const INTERACTIONS: [&str; 27] = [
    "read",
    "vread",
    "history-instance",
    "search-type",
    "create",
    "update",
    "delete",
    "patch",
    "batch",
    "transaction",
    "capabilities",
    "unknown",
    "authorize",
    "par",
    "token",
    "introspect",
    "revoke",
    "userinfo",
    "register",
    "jwks",
    "discovery",
    "account",
    "asset",
    "health",
    "preflight",
    "none",
    "other",
];

/// The facts.
#[derive(Debug)]
pub(crate) struct Facts {
    /// As in `X-Request-Id`, when there is one.
    pub(crate) request_id: Option<Arc<str>>,
    /// One of [`INTERACTIONS`].
    pub(crate) interaction: &'static str,
    /// The resource type that the URL names.
    pub(crate) resource_type: Option<ResourceType>,
    /// The client, when it proved who it is.
    pub(crate) client: Option<Arc<str>>,
    /// Why it was refused, as one word.
    pub(crate) refused: Option<&'static str>,
}

impl Facts {
    /// Takes what the parts left beside the response. `otherwise` names a request that none of them says more of.
    pub(crate) fn of(response: &mut Response<Full<Bytes>>, otherwise: &'static str) -> Self {
        let extensions = response.extensions_mut();
        if let Some(fhir) = extensions.remove::<rest::Answered>() {
            return Self {
                request_id: Some(fhir.request_id),
                interaction: fhir.interaction,
                resource_type: fhir.resource_type,
                client: fhir.client_id,
                refused: fhir.refused,
            };
        }
        let own = extensions.remove::<Refused>().map(|refused| refused.0);
        let (request_id, client, refused) = match extensions.remove::<authserver::Answered>() {
            Some(oauth) => (Some(oauth.request_id), oauth.client_id, oauth.refused),
            None => (None, None, own),
        };
        Self { request_id, interaction: otherwise, resource_type: None, client, refused }
    }
}

/// The name of an endpoint of the authorization server.
pub(crate) fn endpoint(path: &str) -> &'static str {
    match authserver::Endpoint::of(path) {
        Some(authserver::Endpoint::Authorize) => "authorize",
        Some(authserver::Endpoint::PushedRequest) => "par",
        Some(authserver::Endpoint::Token) => "token",
        Some(authserver::Endpoint::Introspect) => "introspect",
        Some(authserver::Endpoint::Revoke) => "revoke",
        Some(authserver::Endpoint::UserInfo) => "userinfo",
        Some(
            authserver::Endpoint::Register | authserver::Endpoint::Registration | authserver::Endpoint::UdapRegister,
        ) => "register",
        Some(authserver::Endpoint::Jwks) => "jwks",
        Some(
            authserver::Endpoint::AuthorizationServer
            | authserver::Endpoint::OpenIdConfiguration
            | authserver::Endpoint::Brands
            | authserver::Endpoint::SmartConfiguration
            | authserver::Endpoint::Udap,
        ) => "discovery",
        None if path.starts_with("/account/logo/") => "asset",
        None if path.starts_with("/account/") => "account",
        None if path.starts_with("/assets/") => "asset",
        None => "none",
    }
}
