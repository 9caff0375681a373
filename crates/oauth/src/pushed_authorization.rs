//! Pushed authorization requests. SPEC: RFC 9126; row B29.
//!
//! A client that proved who it is leaves its request here and sends the browser with a handle alone. The form is kept as
//! it came and checked again when it is used: the registration may have changed in between. The handle is good for
//! one use (the caller's table sees to it) and [`limits::PUSHED_REQUEST_LIFE_S`] seconds.

use crate::{error::ErrorCode, form::Form, limits, secret::Secret};
use serde_json::{Value, json};

const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// The `request_uri` of a handle, which is at least 128 random bits in characters of base64url.
#[must_use]
pub fn request_uri(handle: &Secret) -> Secret {
    Secret::new(format!("{PREFIX}{}", handle.expose()))
}

/// The handle of a `request_uri`; `None` when it is not one of ours.
#[must_use]
pub fn handle(request_uri: &str) -> Option<&str> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    request_uri
        .strip_prefix(PREFIX)
        .filter(|handle| (22..=limits::HANDLE_BYTES_MAX).contains(&handle.len()) && handle.bytes().all(legal))
}

/// Whether a form may be pushed. SPEC: RFC 9126 section 2.1: it may not point to another one.
///
/// # Errors
/// `invalid_request`.
pub fn may_be_pushed(form: &Form) -> Result<(), ErrorCode> {
    if form.value("request_uri").is_some() { Err(ErrorCode::InvalidRequest) } else { Ok(()) }
}

/// The answer, with status 201.
#[must_use]
pub fn response(handle: &Secret) -> Value {
    json!({ "request_uri": request_uri(handle).expose(), "expires_in": limits::PUSHED_REQUEST_LIFE_S })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles() {
        let text = "abcdefghijklmnopqrstuvwxyz-_01";
        let uri = request_uri(&Secret::new(text));
        assert_eq!(handle(uri.expose()), Some(text));
        assert_eq!(response(&Secret::new(text))["expires_in"], limits::PUSHED_REQUEST_LIFE_S);
        for other in [
            "",
            "https://app.example/request",
            "urn:ietf:params:oauth:request_uri:",
            "urn:ietf:params:oauth:request_uri:short",
            "URN:ietf:params:oauth:request_uri:abcdefghijklmnopqrstuvwxyz",
            "urn:ietf:params:oauth:request_uri:abcdefghijklmnopqrstuvwx/z",
            "urn:ietf:params:oauth:request_uri:abcdefghijklmnopqrstuvwxyz%00",
        ] {
            assert_eq!(handle(other), None, "{other}");
        }
        let form = |text: &str| Form::parse(text.as_bytes()).unwrap();
        assert_eq!(may_be_pushed(&form("client_id=a")), Ok(()));
        assert_eq!(may_be_pushed(&form("client_id=a&request_uri=urn:x")), Err(ErrorCode::InvalidRequest));
    }
}
