//! What a client is told of its registration. SPEC: RFC 7591 section 3.2.1, RFC 7592 section 3.

use super::{ClientMetadata, RegisteredKeys};
use crate::{client_authentication::Method, discovery::GrantType, fapi2::Profile, secret::Secret};
use serde_json::{Map, Value, json};

/// What the server adds. Holds secrets: no Debug.
pub struct Issued<'a> {
    /// `client_id`.
    pub client_id: &'a str,
    /// `client_id_issued_at`, seconds since the epoch.
    pub issued_at_s: i64,
    /// `client_secret`: shown once, when it is made.
    pub secret: Option<&'a Secret>,
    /// The scopes that it may ask for.
    pub scope: &'a str,
    /// Where it reads and changes its registration, and the token for that: shown once.
    pub management: Option<(&'a str, &'a Secret)>,
}

/// The answer: all that is registered, as it is registered.
#[must_use]
pub fn answer(metadata: &ClientMetadata, issued: &Issued<'_>) -> Value {
    let mut answer = Map::new();
    let mut put = |name: &str, value: Value| answer.insert(name.to_owned(), value);
    put("client_id", json!(issued.client_id));
    put("client_id_issued_at", json!(issued.issued_at_s));
    if let Some(secret) = issued.secret {
        put("client_secret", json!(secret.expose()));
        // SPEC: required beside a secret; 0: it does not end by itself.
        put("client_secret_expires_at", json!(0));
    }
    if let Some((url, token)) = issued.management {
        put("registration_client_uri", json!(url));
        put("registration_access_token", json!(token.expose()));
    }
    put("client_name", json!(metadata.name));
    put("token_endpoint_auth_method", json!(metadata.method.as_str()));
    put("grant_types", metadata.grants.iter().map(|grant| grant.as_str()).collect());
    if metadata.grants.contains(&GrantType::AuthorizationCode) {
        put("response_types", json!(["code"]));
        put("redirect_uris", metadata.redirect_uris.iter().map(|uri| uri.as_str()).collect());
        put("application_type", json!(metadata.application.as_str()));
        put("id_token_signed_response_alg", json!("RS256"));
    }
    put("scope", json!(issued.scope));
    match &metadata.keys {
        RegisteredKeys::None => {}
        RegisteredKeys::Url(url) => _ = put("jwks_uri", json!(url)),
        RegisteredKeys::Inline(text) => {
            if let Ok(jwks) = serde_json::from_str::<Value>(text) {
                put("jwks", jwks);
            }
        }
    }
    if let Some(subject) = &metadata.subject {
        let (name, value) = subject.member();
        put(name, json!(value));
    }
    if metadata.method == Method::PrivateKeyJwt
        && let Some(algorithm) = metadata.assertion_algorithm
    {
        put("token_endpoint_auth_signing_alg", json!(algorithm.as_str()));
    }
    let texts = [
        ("initiate_login_uri", metadata.launch_url.as_ref().map(|url| url.as_str())),
        ("logo_uri", metadata.logo.as_deref()),
        ("client_uri", metadata.website.as_deref()),
        ("policy_uri", metadata.policy.as_deref()),
        ("tos_uri", metadata.terms.as_deref()),
        ("software_id", metadata.software_id.as_deref()),
        ("software_version", metadata.software_version.as_deref()),
        ("handrail_profile", (metadata.profile != Profile::Smart).then_some(metadata.profile.as_str())),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            put(name, json!(value));
        }
    }
    if !metadata.contacts.is_empty() {
        put("contacts", json!(metadata.contacts));
    }
    for (name, value) in [
        ("dpop_bound_access_tokens", metadata.binds_by_dpop),
        ("tls_client_certificate_bound_access_tokens", metadata.binds_by_certificate),
        ("require_pushed_authorization_requests", metadata.requires_pushed),
    ] {
        if value {
            put(name, json!(true));
        }
    }
    Value::Object(answer)
}
