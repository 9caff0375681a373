//! Whether a registration is acceptable, and if not, what to change. SPEC: rows B4, B11, B13, A16, C2, C11, F60, F61.

use super::{Client, ClientError, Keys, NewClient, NewKeys};
use crate::limits;
use fhir::{Instant, ResourceType};
use oauth::{
    jwk::Jwks,
    scope::{self, Scope, ScopeContext, narrow::Granted},
};
use std::sync::Arc;

/// Whether the server can enforce a scope; the text says why not.
pub type Enforceable = dyn Fn(&Scope) -> Result<(), String> + Send + Sync;

/// A client of what was asked for.
pub(super) fn checked(
    new: &NewClient,
    id: String,
    created: Instant,
    enforceable: &Enforceable,
) -> Result<Client, ClientError> {
    let name = new.name.trim();
    if name.is_empty() || name.len() > limits::CLIENT_NAME_BYTES_MAX || name.chars().any(char::is_control) {
        let most = limits::CLIENT_NAME_BYTES_MAX;
        return Err(ClientError::Invalid(format!("the name must have 1 to {most} bytes and no control characters")));
    }
    let granted = scopes(&new.scope, enforceable)?;
    let keys = match &new.keys {
        NewKeys::Inline(text) => Jwks::register(text.as_bytes())
            .map(|jwks| Keys::Inline(Arc::new(jwks)))
            .map_err(|why| ClientError::Invalid(why.to_string()))?,
        NewKeys::Url(url) => Keys::Url(jwks_url(url)?.into()),
    };
    if new.origins.len() > limits::CLIENT_ORIGINS_MAX {
        return Err(ClientError::Invalid(format!("at most {} origins", limits::CLIENT_ORIGINS_MAX)));
    }
    for origin in &new.origins {
        if !is_origin(origin) {
            let shown: String = origin.chars().filter(|c| !c.is_control()).take(100).collect();
            return Err(ClientError::Invalid(format!(
                "{shown}: an origin is https://HOST or https://HOST:PORT, in lower case and without a path (http only for localhost)"
            )));
        }
    }
    Ok(Client {
        id: id.into(),
        name: name.into(),
        scopes: granted.scopes,
        scope_text: granted.text,
        keys,
        origins: new.origins.clone(),
        introspects_any: new.introspects_any,
        created,
        disabled: false,
    })
}

fn scopes(text: &str, enforceable: &Enforceable) -> Result<Granted, ClientError> {
    if text.len() > limits::SCOPE_BYTES_MAX {
        return Err(ClientError::Invalid("the scopes are longer than 32 kB".into()));
    }
    let mut scopes: Vec<Scope> = Vec::new();
    for (text, scope) in scope::parse_list(text) {
        let refused = |why: &str| {
            let shown: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
            ClientError::Invalid(format!("scope {shown}: {why}"))
        };
        let scope = scope.map_err(|why| refused(&why.to_string()))?;
        if scope.context != ScopeContext::System {
            return Err(refused("a system has system/ scopes; patient/ and user/ need a person who signs in"));
        }
        usable(&scope, enforceable).map_err(|why| refused(&why))?;
        if !scopes.iter().any(|other| other.text == scope.text) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() {
        return Err(ClientError::Invalid("at least one scope is needed, for example system/Observation.rs".into()));
    }
    Ok(Granted::from_scopes(scopes))
}

/// Whether this server knows the scope's type and can enforce its query (row B4).
pub(crate) fn usable(scope: &Scope, enforceable: &Enforceable) -> Result<(), String> {
    if let Some(name) = &scope.resource_type {
        ResourceType::parse(name).map_err(|why| why.to_string())?;
    }
    enforceable(scope)
}

/// An https URL with a host and nothing that could mislead. Which addresses may be reached is for the fetcher.
fn jwks_url(url: &str) -> Result<&str, ClientError> {
    let refused = |why: &str| Err(ClientError::Invalid(format!("the JWKS URL {why}")));
    let Some(rest) = url.strip_prefix("https://") else {
        return refused("must begin with https://");
    };
    if url.len() > 2048 {
        return refused("is longer than 2048 bytes");
    }
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) || url.contains(['#', '\\', '"', '<', '>']) {
        return refused("has a character that it may not have, or a fragment");
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return refused("may not have a user name");
    }
    if authority.is_empty() || authority.starts_with(':') || url.parse::<http::Uri>().is_err() {
        return refused("has no valid host");
    }
    Ok(url)
}

/// An origin as browsers send it (row A16): compared to the letter, so it must be written as they write it.
fn is_origin(origin: &str) -> bool {
    let (host, local_only) = match (origin.strip_prefix("https://"), origin.strip_prefix("http://")) {
        (Some(host), _) => (host, false),
        (_, Some(host)) => (host, true),
        _ => return false,
    };
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (host, None),
    };
    let port_fits = port.is_none_or(|port| {
        let usual = if local_only { "80" } else { "443" };
        !port.starts_with('0') && port != usual && port.parse::<u16>().is_ok()
    });
    let name = |host: &str| {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        !host.is_empty() && host.len() <= 253 && host.bytes().all(legal) && !host.starts_with(['.', '-'])
    };
    let bracketed = |host: &str| {
        let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        inside.is_some_and(|inside| {
            inside.parse::<std::net::Ipv6Addr>().is_ok_and(|address| address.to_string() == inside)
        })
    };
    let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    port_fits && (name(host) || bracketed(host)) && (!local_only || local)
}

#[cfg(test)]
mod tests;
