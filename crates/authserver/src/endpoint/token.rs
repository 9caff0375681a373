//! The token endpoint. SPEC: RFC 6749 section 4.4; SMART Backend Services; rows B46, B47, C1 to C13.

use super::{Outcome, Posted};
use crate::{
    authentication::{ClientRefusal, Proven},
    client::check,
    event::Event,
    limits,
    live_tokens::{IssueError, NewGrant},
    outcome::{self, Refusal},
    service::Inner,
};
use audit::entry::Action;
use oauth::{
    caller::Grant,
    error::ErrorCode,
    scope::narrow::{Granted, NarrowError, narrow},
    token_request::TokenRequest,
};
use serde_json::json;
use std::sync::Arc;

/// Answers a request for a token.
pub(crate) async fn answer(inner: &Arc<Inner>, posted: Posted) -> Outcome {
    let mut event = Event::new("token-refused", Action::Execute);
    let request = match TokenRequest::from_form(&posted.form) {
        Ok(request) => request,
        Err(code) => {
            let refusal = match code {
                ErrorCode::UnsupportedGrantType => Refusal::GrantType,
                ErrorCode::InvalidClient if posted.tries_basic() => Refusal::ClientBasic,
                ErrorCode::InvalidClient => Refusal::Client,
                _ if posted.form.value("grant_type").is_none() => Refusal::Missing("grant_type"),
                _ => Refusal::SeveralCredentials,
            };
            if code == ErrorCode::InvalidClient {
                event.reason = Some(ClientRefusal::NoAssertion.to_string());
                event.word = Some(ClientRefusal::NoAssertion.word());
            }
            return Outcome::refused(refusal, event);
        }
    };
    // SPEC: RFC 6749 section 2.3: one method of authentication in a request.
    if posted.authorization.is_some() {
        return Outcome::refused(Refusal::SeveralCredentials, event);
    }
    let audiences = [inner.endpoints.token.as_str(), inner.endpoints.issuer.as_str()];
    let proven = match inner.proven(&request.credentials, &audiences).await {
        Ok(proven) => proven,
        Err(failed) => {
            event.reason = Some(failed.why.to_string());
            event.word = Some(failed.why.word());
            if let Some(claimed) = &failed.claimed {
                event.detail("client_id", claimed);
            }
            return Outcome::refused(Refusal::Client, event);
        }
    };
    let scope = request.scope;
    let issuing = Arc::clone(inner);
    let failed = event.clone();
    // The rest waits for the disk.
    let outcome = tokio::task::spawn_blocking(move || issued(&issuing, &proven, scope.as_deref(), event)).await;
    drop(inner.sweep_when_due());
    outcome.unwrap_or_else(|_| Outcome::refused(Refusal::Unavailable, failed))
}

fn issued(inner: &Inner, proven: &Proven, scope: Option<&str>, mut event: Event) -> Outcome {
    let client = &proven.client;
    if let Err(not_first) = inner.used_for_the_first_time(proven) {
        event.reason = Some(not_first.reason());
        event.word = not_first.word();
        event.detail("client_id", &client.id);
        return Outcome::refused(not_first.refusal(Refusal::Client), event);
    }
    event.client_id = Some(Arc::clone(&client.id));
    event.detail("scope", scope.unwrap_or_default());
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
        confirmation: None,
        family: None,
        now: inner.now(),
    };
    let (token, grant) = match inner.tokens.issue(new) {
        Ok(issued) => issued,
        Err(IssueError::TooMany { retry_after_s }) => {
            event.reason = Some("the client has too many live tokens".into());
            return Outcome::refused(Refusal::TooMany(retry_after_s), event);
        }
        Err(IssueError::Unavailable(why)) => {
            tracing::error!(%why, "no token could be issued");
            return Outcome::refused(Refusal::Unavailable, event);
        }
    };
    // The client may have been removed meanwhile; its tokens were revoked before this one was there.
    if !inner.clients.works(&client.id) {
        if let Err(why) = inner.tokens.revoke(token.expose(), &client.id) {
            tracing::error!(%why, "a token of a removed client stays in the table until it ends");
        }
        event.reason = Some("the client was removed".into());
        return Outcome::refused(Refusal::Client, event);
    }
    event.becomes("token-issued");
    event.token_name = Some(Arc::clone(&grant.token_name));
    event.detail("granted", &grant.scope_text);
    Outcome { answer: Ok(outcome::uncached(&response(token.expose(), &grant))), event }
}

/// What of the request the client may have.
fn granted(inner: &Inner, scope: Option<&str>, registered: &[oauth::scope::Scope]) -> Result<Granted, Refusal> {
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

/// Row C10; no refresh token.
fn response(token: &str, grant: &Grant) -> serde_json::Value {
    json!({
        "access_token": token,
        "token_type": "bearer",
        "expires_in": grant.expires_at_s - grant.issued_at_s,
        "scope": &*grant.scope_text,
    })
}

#[cfg(test)]
mod tests;
