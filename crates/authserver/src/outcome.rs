//! The only place that chooses a status, an error code and their headers. SPEC: RFC 6749 section 5.2, RFC 6750 section
//! 3, RFC 7009, RFC 7662; rows B46, C8, C13, F66.
//!
//! The texts are fixed: nothing of a request comes back, and all failures of a client to prove who it is have one text.

pub(crate) mod page;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use oauth::error::ErrorCode;
use serde_json::{Value, json};

/// Why a request gets an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Refusal {
    /// No such path.
    NotFound,
    /// A method that the path does not have; the value of `Allow`.
    Method(&'static str),
    /// Over the body limit.
    TooLarge,
    /// Not a form.
    MediaType,
    /// A form that breaks the rules.
    Form,
    /// A required parameter is missing; its name.
    Missing(&'static str),
    /// More than one way of authenticating at once.
    SeveralCredentials,
    /// A grant type that is not offered.
    GrantType,
    /// A grant type that this kind of client does not have.
    GrantTypeOfClient,
    /// A code or refresh token that is not good, for whatever reason.
    Grant,
    /// A token is asked for another server than this.
    Target,
    /// A pushed authorization request that breaks a rule, with what the redirect would have said.
    Pushed(ErrorCode, &'static str),
    /// A DPoP proof that is not good, for whatever reason.
    DpopProof,
    /// A DPoP proof without a nonce of now.
    DpopNonce,
    /// Tokens of this client must be bound to a key or certificate.
    Unbound,
    /// The client did not prove who it is, for whatever reason.
    Client,
    /// A request of a trust community's client that is not as UDAP says, or one that only looks like it.
    Udap(&'static str),
    /// The operator has not agreed to the client yet (UDAP).
    Unapproved,
    /// The B2B object is missing, or not acceptable; what to change is told beside.
    B2b,
    /// As [`Refusal::Client`], where the client tried HTTP Basic.
    ClientBasic,
    /// As [`Refusal::Client`], at the introspection endpoint (row B69).
    ClientIntrospecting,
    /// A Bearer token that is not live.
    Bearer,
    /// No token where one is needed.
    NoToken,
    /// A token in another place than the one field, or more than one.
    BearerRequest,
    /// As [`Refusal::DpopNonce`], beside an access token (RFC 9449 section 9).
    BearerNonce,
    /// The token does not go as far as telling who the person is.
    OpenIdScope,
    /// A registration that is not JSON.
    JsonType,
    /// A registration that is not acceptable, with its code; what to change is told beside.
    Metadata(ErrorCode),
    /// The client is disabled, and cannot change that itself.
    ClientDisabled,
    /// No scope was asked for.
    NoScope,
    /// `system/` beside `patient/` or `user/`.
    MixedScopes,
    /// Too many or too long scopes.
    ScopeSize,
    /// Nothing grantable.
    Scope,
    /// Too often; seconds to wait.
    TooMany(u64),
    /// The store, the audit log or the randomness is unavailable.
    Unavailable,
}

/// Status, code and description of a refusal.
fn row(refusal: Refusal) -> (StatusCode, ErrorCode, &'static str) {
    use ErrorCode as E;
    use StatusCode as S;
    const CLIENT: &str = "the client could not be authenticated";
    match refusal {
        Refusal::NotFound => (S::NOT_FOUND, E::InvalidRequest, "no such endpoint"),
        Refusal::Method(_) => (S::METHOD_NOT_ALLOWED, E::InvalidRequest, "the endpoint does not have this method"),
        Refusal::TooLarge => (S::PAYLOAD_TOO_LARGE, E::InvalidRequest, "the request body is over 64 kB"),
        Refusal::MediaType => {
            (S::BAD_REQUEST, E::InvalidRequest, "the Content-Type must be application/x-www-form-urlencoded")
        }
        Refusal::Form => {
            (S::BAD_REQUEST, E::InvalidRequest, "the form is not properly encoded or has a parameter more than once")
        }
        Refusal::Missing("grant_type") => (S::BAD_REQUEST, E::InvalidRequest, "grant_type is missing"),
        Refusal::Missing("code") => (S::BAD_REQUEST, E::InvalidRequest, "code is missing"),
        Refusal::Missing("refresh_token") => (S::BAD_REQUEST, E::InvalidRequest, "refresh_token is missing"),
        Refusal::Missing("token") => (S::BAD_REQUEST, E::InvalidRequest, "token is missing"),
        Refusal::Missing(_) => (S::BAD_REQUEST, E::InvalidRequest, "a required parameter is missing"),
        Refusal::SeveralCredentials => {
            (S::BAD_REQUEST, E::InvalidRequest, "more than one way of authenticating was used")
        }
        Refusal::GrantType => (S::BAD_REQUEST, E::UnsupportedGrantType, "the grant type is not one of this server"),
        Refusal::GrantTypeOfClient => {
            (S::BAD_REQUEST, E::UnauthorizedClient, "the client is not registered for this grant type")
        }
        Refusal::Grant => (
            S::BAD_REQUEST,
            E::InvalidGrant,
            "the code or refresh token is unknown, used, past its end, or not the client's",
        ),
        Refusal::Target => {
            (S::BAD_REQUEST, E::InvalidTarget, "aud or resource is not the FHIR base URL of this server")
        }
        Refusal::Pushed(code, description) => (S::BAD_REQUEST, code, description),
        Refusal::DpopProof => (S::BAD_REQUEST, E::InvalidDpopProof, "the DPoP proof is not good"),
        Refusal::DpopNonce => {
            (S::BAD_REQUEST, E::UseDpopNonce, "the DPoP proof needs the nonce of the DPoP-Nonce header")
        }
        Refusal::Unbound => (
            S::BAD_REQUEST,
            E::InvalidRequest,
            "tokens of this client must be bound, by a DPoP proof or its certificate",
        ),
        Refusal::Udap(description) => (S::BAD_REQUEST, E::InvalidRequest, description),
        Refusal::Unapproved => {
            (S::BAD_REQUEST, E::UnauthorizedClient, "the operator of this server has not agreed to the client yet")
        }
        Refusal::B2b => (S::BAD_REQUEST, E::InvalidGrant, "the hl7-b2b object is missing or not acceptable"),
        Refusal::Client => (S::BAD_REQUEST, E::InvalidClient, CLIENT),
        Refusal::ClientBasic | Refusal::ClientIntrospecting => (S::UNAUTHORIZED, E::InvalidClient, CLIENT),
        Refusal::Bearer => (S::UNAUTHORIZED, E::InvalidToken, "the access token is not valid"),
        Refusal::NoToken => (S::UNAUTHORIZED, E::InvalidToken, "a token is needed in the Authorization header"),
        Refusal::BearerRequest => {
            (S::BAD_REQUEST, E::InvalidRequest, "one token is needed, in the Authorization header and nowhere else")
        }
        Refusal::BearerNonce => {
            (S::UNAUTHORIZED, E::UseDpopNonce, "the DPoP proof needs the nonce of the DPoP-Nonce header")
        }
        Refusal::OpenIdScope => (S::FORBIDDEN, E::InsufficientScope, "the token does not have the scope openid"),
        Refusal::JsonType => (S::BAD_REQUEST, E::InvalidRequest, "the Content-Type must be application/json"),
        Refusal::Metadata(code) => (S::BAD_REQUEST, code, "the registration is not acceptable"),
        Refusal::ClientDisabled => (S::FORBIDDEN, E::AccessDenied, "the client is disabled"),
        Refusal::NoScope => (S::BAD_REQUEST, E::InvalidScope, "scope is missing"),
        Refusal::MixedScopes => {
            (S::BAD_REQUEST, E::InvalidScope, "system/ scopes cannot be asked for together with patient/ or user/ ones")
        }
        Refusal::ScopeSize => (S::BAD_REQUEST, E::InvalidScope, "too many or too long scopes"),
        Refusal::Scope => (S::BAD_REQUEST, E::InvalidScope, "none of the scopes can be granted to this client"),
        Refusal::TooMany(_) => {
            (S::TOO_MANY_REQUESTS, E::TemporarilyUnavailable, "too many requests; use a token for its whole life")
        }
        Refusal::Unavailable => {
            (S::SERVICE_UNAVAILABLE, E::TemporarilyUnavailable, "the server cannot do this at the moment")
        }
    }
}

/// Seconds after which an unavailable server may be asked again.
const UNAVAILABLE_RETRY_S: u64 = 5;

/// The response of a refusal.
pub(crate) fn refused(refusal: Refusal) -> Response<Bytes> {
    refused_saying(refusal, None)
}

/// The same with another description, where one text does not do for all.
pub(crate) fn refused_saying(refusal: Refusal, told: Option<&str>) -> Response<Bytes> {
    let (status, code, description) = row(refusal);
    let description = told.unwrap_or(description);
    let mut response = uncached(&json!({ "error": code.as_str(), "error_description": description }));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    match refusal {
        Refusal::Method(allow) => {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        Refusal::ClientBasic => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"handrail\""));
        }
        Refusal::ClientIntrospecting | Refusal::NoToken => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"handrail\""));
        }
        Refusal::Bearer => {
            let value = HeaderValue::from_static("Bearer realm=\"handrail\", error=\"invalid_token\"");
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
        Refusal::BearerRequest => {
            let value = HeaderValue::from_static("Bearer realm=\"handrail\", error=\"invalid_request\"");
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
        Refusal::BearerNonce => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("DPoP error=\"use_dpop_nonce\""));
        }
        Refusal::OpenIdScope => {
            let value = "Bearer realm=\"handrail\", error=\"insufficient_scope\", scope=\"openid\"";
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(value));
        }
        Refusal::TooMany(seconds) => {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        Refusal::Unavailable => {
            headers.insert(header::RETRY_AFTER, UNAVAILABLE_RETRY_S.into());
        }
        _ => {}
    }
    response
}

/// The code of a refusal, for its audit entry.
pub(crate) fn code(refusal: Refusal) -> ErrorCode {
    row(refusal).1
}

/// A refusal as one word, for metrics and log lines.
pub(crate) fn word(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NotFound
        | Refusal::Method(_)
        | Refusal::MediaType
        | Refusal::Form
        | Refusal::Missing(_)
        | Refusal::JsonType
        | Refusal::Udap(_) => "request",
        Refusal::TooLarge => "too-long",
        Refusal::SeveralCredentials => "several-credentials",
        Refusal::GrantType | Refusal::GrantTypeOfClient => "grant-type",
        Refusal::Metadata(_) => "registration",
        Refusal::Grant => "grant",
        Refusal::B2b => "purpose",
        Refusal::Target => "target",
        Refusal::Pushed(..) => "authorization",
        Refusal::DpopProof | Refusal::DpopNonce | Refusal::BearerNonce | Refusal::Unbound => "key",
        Refusal::Client
        | Refusal::ClientBasic
        | Refusal::ClientIntrospecting
        | Refusal::ClientDisabled
        | Refusal::Unapproved => "client",
        Refusal::Bearer | Refusal::NoToken | Refusal::BearerRequest => "token",
        Refusal::NoScope | Refusal::MixedScopes | Refusal::ScopeSize | Refusal::Scope | Refusal::OpenIdScope => "scope",
        Refusal::TooMany(_) => "throttled",
        Refusal::Unavailable => "unavailable",
    }
}

/// Whether a refusal is the server's own fault.
pub(crate) fn is_fault(refusal: Refusal) -> bool {
    row(refusal).0.is_server_error()
}

/// A JSON answer that nobody may keep: `no-store`, and for old caches `no-cache` (row B46).
pub(crate) fn uncached(body: &Value) -> Response<Bytes> {
    let mut response = json_response(body);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// A public document, to be kept for a few minutes.
pub(crate) fn document(body: &Value) -> Response<Bytes> {
    let mut response = json_response(body);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// The public bundle of brands; without its body for who has it.
pub(crate) fn bundle(body: &Bytes, etag: &HeaderValue, is_known: bool) -> Response<Bytes> {
    let mut response = Response::new(if is_known { Bytes::new() } else { body.clone() });
    *response.status_mut() = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/fhir+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.insert(header::ETAG, etag.clone());
    response
}

/// The answer to a registration.
pub(crate) fn created(body: &Value) -> Response<Bytes> {
    let mut response = uncached(body);
    *response.status_mut() = StatusCode::CREATED;
    response
}

/// The answer to a removal.
pub(crate) fn removed() -> Response<Bytes> {
    let mut response = empty();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// An answer without a body: a revocation that was done.
pub(crate) fn empty() -> Response<Bytes> {
    let mut response = uncached(&Value::Null);
    response.headers_mut().remove(header::CONTENT_TYPE);
    *response.body_mut() = Bytes::new();
    response
}

fn json_response(body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests;
