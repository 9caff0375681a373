//! A token for a system that acts for itself. SPEC: RFC 6749 section 4.4; SMART Backend Services; rows B47, C1, C10, C11.

use super::{Outcome, organization};
use crate::{
    authentication::Proof,
    client::{Client, check},
    event::Event,
    limits,
    live_tokens::NewGrant,
    outcome::{self, Refusal},
    service::Inner,
};
use oauth::{
    caller::Confirmation,
    scope::{
        Scope,
        narrow::{Granted, NarrowError, narrow},
    },
    token_response::TokenResponse,
};
use std::sync::Arc;

/// Issues it. Blocks on the disk.
pub(super) fn issued(
    inner: &Inner,
    client: &Client,
    proof: &Proof,
    scope: Option<&str>,
    bound: Option<Confirmation>,
    mut event: Event,
) -> Outcome {
    event.detail("scope", scope.unwrap_or_default());
    // Row B12: an app, symmetric or not, gets nothing that no person gave.
    if client.is_app() {
        return Outcome::refused(Refusal::GrantTypeOfClient, event);
    }
    let acting = match organization::acting(inner, client, proof, &mut event) {
        Ok(acting) => acting,
        Err(refusal) => return Outcome::refused(refusal, event),
    };
    // Row D31: who names no scope, gets those that are registered.
    let scope = scope.or(acting.as_ref().map(|_| &*client.scope_text));
    let granted = match granted(inner, scope, &client.scopes) {
        Ok(granted) => granted,
        Err(refusal) => return Outcome::refused(refusal, event),
    };
    let new = NewGrant {
        client_id: Arc::clone(&client.id),
        client_name: Arc::clone(&client.name),
        scopes: granted.scopes,
        scope_text: granted.text,
        user: None,
        launch: Arc::default(),
        confirmation: bound,
        family: None,
        acting,
        standing: client.standing,
        now: inner.now(),
    };
    match super::access_token(inner, client, new, &mut event) {
        Ok((token, grant)) => {
            // Row C10; no refresh token.
            let response = TokenResponse {
                access_token: &token,
                confirmation: grant.confirmation.as_ref(),
                expires_in_s: grant.expires_at_s - grant.issued_at_s,
                scope: &grant.scope_text,
                refresh_token: None,
                id_token: None,
                launch: &grant.launch,
            };
            Outcome { answer: Ok(outcome::uncached(&response.body())), event }
        }
        Err(refusal) => Outcome::refused(refusal, event),
    }
}

/// What of the request the client may have.
fn granted(inner: &Inner, scope: Option<&str>, registered: &[Scope]) -> Result<Granted, Refusal> {
    let requested = scope.ok_or(Refusal::NoScope)?;
    if requested.len() > limits::SCOPE_BYTES_MAX {
        return Err(Refusal::ScopeSize);
    }
    narrow(requested, registered, |scope| check::usable(scope, &*inner.enforceable).is_ok()).map_err(|why| match why {
        NarrowError::Mixed => Refusal::MixedScopes,
        NarrowError::Nothing => Refusal::Scope,
        NarrowError::TooMany => Refusal::ScopeSize,
    })
}
