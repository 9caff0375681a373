//! The server's public keys. SPEC: RFC 7517 section 5; rows A12 and B53: bare keys, open to all.

use crate::{outcome, service::Inner};
use bytes::Bytes;
use http::Response;

/// The set as published now.
pub(crate) fn answer(inner: &Inner) -> Response<Bytes> {
    outcome::document(&inner.keys.published(inner.now()).to_json())
}
