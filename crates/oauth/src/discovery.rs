//! Discovery documents as values. SPEC: SMART App Launch 2.2 conformance; RFC 8414; rows B2 to B6, B10.
//!
//! They say what is built, no more. Left out: OpenID Connect discovery, until there are users.

use crate::jws::Algorithm;
use serde_json::{Value, json};

/// What the documents are made of. All URLs absolute.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// Issuer: scheme, host and port, perhaps a path.
    pub issuer: String,
    /// Token endpoint.
    pub token: String,
    /// Introspection endpoint.
    pub introspect: String,
    /// Revocation endpoint.
    pub revoke: String,
    /// The server's own public keys.
    pub jwks: String,
}

impl Endpoints {
    /// From our own FHIR base URL, which ends with `/fhir`; `None` when it does not, or is not https.
    #[must_use]
    pub fn of_fhir_base(base_url: &str) -> Option<Self> {
        let issuer = base_url.strip_suffix("/fhir")?;
        let authority = issuer.strip_prefix("https://")?;
        if authority.is_empty() || authority.contains(['?', '#', '@', ' ']) || authority.starts_with('/') {
            return None;
        }
        let below = |path: &str| format!("{issuer}/oauth/{path}");
        Some(Self {
            token: below("token"),
            introspect: below("introspect"),
            revoke: below("revoke"),
            jwks: below("jwks"),
            issuer: issuer.to_owned(),
        })
    }
}

const GRANT_TYPES: [&str; 1] = ["client_credentials"];
const AUTHENTICATION_METHODS: [&str; 1] = ["private_key_jwt"];

fn algorithms() -> Vec<&'static str> {
    Algorithm::ALL.into_iter().map(Algorithm::as_str).collect()
}

/// `/.well-known/smart-configuration` below the FHIR base.
///
/// No `issuer` and no `jwks_uri`: those belong to `sso-openid-connect`. `code_challenge_methods_supported` is there
/// because row B2 demands it of every server, launch or not; what will be offered is S256, never plain.
#[must_use]
pub fn smart_configuration(endpoints: &Endpoints, scopes_supported: &[String]) -> Value {
    json!({
        "token_endpoint": endpoints.token,
        "token_endpoint_auth_methods_supported": AUTHENTICATION_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": algorithms(),
        "grant_types_supported": GRANT_TYPES,
        "scopes_supported": scopes_supported,
        "introspection_endpoint": endpoints.introspect,
        "revocation_endpoint": endpoints.revoke,
        "code_challenge_methods_supported": ["S256"],
        "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
    })
}

/// `/.well-known/oauth-authorization-server`. SPEC: RFC 8414 section 2; `response_types_supported` is required there, and
/// empty while there is no authorization endpoint.
#[must_use]
pub fn authorization_server(endpoints: &Endpoints, scopes_supported: &[String]) -> Value {
    json!({
        "issuer": endpoints.issuer,
        "token_endpoint": endpoints.token,
        "jwks_uri": endpoints.jwks,
        "scopes_supported": scopes_supported,
        "response_types_supported": [],
        "grant_types_supported": GRANT_TYPES,
        "token_endpoint_auth_methods_supported": AUTHENTICATION_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": algorithms(),
        "introspection_endpoint": endpoints.introspect,
        "introspection_endpoint_auth_methods_supported": AUTHENTICATION_METHODS,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms(),
        "revocation_endpoint": endpoints.revoke,
        "revocation_endpoint_auth_methods_supported": AUTHENTICATION_METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms(),
    })
}

#[cfg(test)]
mod tests;
