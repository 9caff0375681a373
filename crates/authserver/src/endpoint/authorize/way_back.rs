//! Back to the app. SPEC: RFC 6749 section 4.1.2, RFC 9207, RFC 9700 section 4.12 (303, so that no form goes along); rows
//! B19, B20.

use super::Reply;
use crate::{outcome::page, service::Inner};
use oauth::{
    authorization_request::{AuthorizationRequest, Redirected},
    authorization_response,
    secret::Secret,
};

/// With an error.
pub(super) fn refused(inner: &Inner, refused: &Redirected) -> Reply {
    Reply::of(page::to_client(&Secret::new(authorization_response::error(refused, &inner.endpoints))))
}

/// With a code.
pub(super) fn granted(inner: &Inner, request: &AuthorizationRequest, code: &Secret) -> Reply {
    Reply::of(page::to_client(&authorization_response::success(request, code, &inner.endpoints)))
}
