//! The cookies: `__Host-`, Secure, HttpOnly, SameSite=Lax, Path=/. SPEC: row A20; RFC 6265bis section 4.1.3.2.
//!
//! The prefix makes browsers refuse them from subdomains, over HTTP and with another path, so nobody but this origin can
//! plant one. Row A20 would have their path limited to the pages; the prefix asks for `/`, and the FHIR API reads none.

use crate::limits::people as limits;
use http::{HeaderMap, HeaderValue, header};

/// A session.
pub(crate) const SESSION: &str = "__Host-handrail";
/// A visit: a browser before anybody is signed in.
pub(crate) const VISIT: &str = "__Host-handrail-visit";
/// A device where somebody signed in.
pub(crate) const DEVICE: &str = "__Host-handrail-device";

/// What waits behind an outside provider: a handle of ours.
pub(crate) const OUTSIDE: &str = "__Host-handrail-outside";

/// The value of a cookie, when it is there once and looks like ours.
pub(crate) fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let fields = headers.get_all(header::COOKIE).iter().filter_map(|field| field.to_str().ok());
    let mut found = fields
        .flat_map(|field| field.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(other, _)| *other == name)
        .map(|(_, value)| value);
    match (found.next(), found.next()) {
        (Some(value), None) => (!value.is_empty() && value.len() <= 128).then_some(value),
        _ => None,
    }
}

/// For as long as the browser is open: the server knows when a session ends.
pub(crate) fn of_session(name: &str, value: &str) -> Option<HeaderValue> {
    set(&format!("{name}={value}"))
}

/// A device's, for long.
pub(crate) fn of_device(value: &str) -> Option<HeaderValue> {
    set(&format!("{DEVICE}={value}; Max-Age={}", limits::DEVICE_LIFE_S))
}

/// Takes a cookie away.
pub(crate) fn gone(name: &str) -> Option<HeaderValue> {
    set(&format!("{name}=; Max-Age=0"))
}

fn set(start: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("{start}; Path=/; Secure; HttpOnly; SameSite=Lax")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests;
