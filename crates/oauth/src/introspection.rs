//! Token introspection, the answer. SPEC: RFC 7662 section 2.2, RFC 8705 section 3.2, RFC 9449 section 6.2; SMART App
//! Launch 2.2 token introspection; rows B67, B68 and D28. The request is a form with `token`.

use crate::{caller::Grant, id_token::fhir_user_url, scope::narrow, token_response::token_type, udap::b2b};
use serde_json::{Map, Value, json};

/// The answer for a live token. `issuer` and `fhir_base` are this server's.
#[must_use]
pub fn active(grant: &Grant, issuer: &str, fhir_base: &str) -> Value {
    let mut answer = Map::new();
    answer.insert("active".into(), true.into());
    answer.insert("scope".into(), (*grant.scope_text).into());
    answer.insert("client_id".into(), (*grant.client_id).into());
    answer.insert("token_type".into(), token_type(grant.confirmation.as_ref()).into());
    answer.insert("iat".into(), grant.issued_at_s.into());
    answer.insert("exp".into(), grant.expires_at_s.into());
    answer.insert("aud".into(), fhir_base.into());
    if let Some(confirmation) = &grant.confirmation {
        let (name, value) = confirmation.member();
        answer.insert("cnf".into(), json!({ name: value }));
    }
    let granted = |text: &str| narrow::has(&grant.scope_text, text);
    if let Some(user) = grant.user.as_ref().filter(|_| granted("openid")) {
        // What the id token said, no more: an app that did not ask who the person is does not learn it here.
        answer.insert("iss".into(), issuer.into());
        answer.insert("sub".into(), (*user.id).into());
        if let Some(own) = user.fhir_user.as_ref().filter(|_| granted("fhirUser")) {
            answer.insert("fhirUser".into(), fhir_user_url(fhir_base, own).into());
        }
    }
    answer.extend(grant.launch.members());
    if let Some(acting) = &grant.acting {
        // Row D28: whoever serves data for this token has to know for whom and why it was issued.
        answer.insert("extensions".into(), json!({ b2b::NAME: acting.b2b.to_value() }));
    }
    Value::Object(answer)
}

/// The answer for everything else: unknown, expired, revoked, or not the asker's to know of. Nothing more is said.
#[must_use]
pub fn inactive() -> Value {
    json!({ "active": false })
}

#[cfg(test)]
mod tests;
