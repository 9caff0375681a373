//! The answer with an app's tokens, its id token among them. SPEC: RFC 6749 section 5.1, OpenID Connect Core section
//! 3.1.3.3; rows B47, B50, B53 to B55.

use super::refresh::Given;
use crate::{client::Client, outcome::Refusal, service::Inner};
use oauth::{
    caller::Grant,
    id_token::{Claims, fhir_user_url},
    jws::Algorithm,
    secret::Secret,
    token_response::TokenResponse,
};
use serde_json::Value;

/// The body.
pub(super) fn body(
    inner: &Inner,
    client: &Client,
    access_token: &Secret,
    grant: &Grant,
    given: &Given,
) -> Result<Value, Refusal> {
    let granted = |text: &str| grant.scope_text.split(' ').any(|scope| scope == text);
    let id_token = match granted("openid") {
        true => Some(id_token(inner, client, access_token, grant, given, &granted)?),
        false => None,
    };
    let response = TokenResponse {
        access_token,
        confirmation: grant.confirmation.as_ref(),
        expires_in_s: grant.expires_at_s - grant.issued_at_s,
        scope: &grant.scope_text,
        refresh_token: given.refresh_token.as_ref(),
        id_token: id_token.as_ref(),
        launch: &grant.launch,
    };
    Ok(response.body())
}

fn id_token(
    inner: &Inner,
    client: &Client,
    access_token: &Secret,
    grant: &Grant,
    given: &Given,
    granted: &dyn Fn(&str) -> bool,
) -> Result<Secret, Refusal> {
    let url = |reference: &std::sync::Arc<str>| fhir_user_url(&inner.endpoints.fhir_base, reference);
    let fhir_user = given.user.fhir_user.as_ref().filter(|_| granted("fhirUser")).map(url);
    let methods: Vec<&str> = given.signed_in.methods.iter().map(|method| &**method).collect();
    // Row D39: for who sends people here to sign in, as a member of their community.
    let community = client.kind.udap().filter(|_| granted("udap"));
    let community = community.and_then(|udap| inner.communities.get(&udap.community));
    let claims = Claims {
        issuer: if community.is_some() { &inner.endpoints.fhir_base } else { &inner.endpoints.issuer },
        subject: &given.user.id,
        client_id: &grant.client_id,
        issued_at_s: grant.issued_at_s,
        expires_at_s: grant.expires_at_s,
        authenticated_at_s: Some(given.signed_in.at_s),
        nonce: given.signed_in.nonce.as_deref(),
        acr: None,
        amr: &methods,
        fhir_user: fhir_user.as_deref(),
        name: granted("profile").then_some(&*given.user.name),
        session: None,
    };
    let signed = match &community {
        Some(community) => claims.signed_with(&community.key, &community.chain, access_token),
        None => {
            let key = inner.keys.current(Algorithm::Rs256).ok_or(Refusal::Unavailable)?;
            claims.signed(&key, access_token)
        }
    };
    signed.map_err(|why| {
        tracing::error!(?why, "no id token could be signed");
        Refusal::Unavailable
    })
}
