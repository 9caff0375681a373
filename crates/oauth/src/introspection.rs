//! Token introspection, the answer. SPEC: RFC 7662 section 2.2; rows B67 and B68. The request is a form with `token`.

use crate::caller::Grant;
use serde_json::{Value, json};

/// The answer for a live token.
#[must_use]
pub fn active(grant: &Grant) -> Value {
    json!({
        "active": true,
        "scope": &*grant.scope_text,
        "client_id": &*grant.client_id,
        "token_type": "Bearer",
        "iat": grant.issued_at_s,
        "exp": grant.expires_at_s,
    })
}

/// The answer for everything else: unknown, expired, revoked, or not the asker's to know of. Nothing more is said.
#[must_use]
pub fn inactive() -> Value {
    json!({ "active": false })
}
