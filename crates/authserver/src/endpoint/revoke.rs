//! Revocation. SPEC: RFC 7009; row B61: a client that authenticates revokes a token of its own, with effect on the next
//! request. The answer is 200 whether there was such a token or not; one of another client is left alone.

use super::{Outcome, Posted};
use crate::{
    authentication::ClientRefusal,
    client::Client,
    event::Event,
    outcome::{self, Refusal},
    service::Inner,
};
use audit::entry::Action;
use oauth::{error::ErrorCode, revocation::NamedToken, token_request::ClientCredentials};
use std::sync::Arc;

/// Answers a request to revoke.
pub(crate) async fn answer(inner: &Arc<Inner>, posted: Posted) -> Outcome {
    let mut event = Event::new("token-revoked", Action::Execute);
    let client = match client(inner, &posted, &mut event).await {
        Ok(client) => client,
        Err(refusal) => return Outcome::refused(refusal, event),
    };
    event.client_id = Some(Arc::clone(&client.id));
    let Ok(token) = NamedToken::from_form(&posted.form) else {
        return Outcome::refused(Refusal::Missing("token"), event);
    };
    let failed = event.clone();
    let inner = Arc::clone(inner);
    tokio::task::spawn_blocking(move || match inner.tokens.revoke(token.expose(), &client.id) {
        Ok(name) => {
            event.detail("found", if name.is_some() { "true" } else { "false" });
            event.token_name = name;
            Outcome { answer: Ok(outcome::empty()), event }
        }
        Err(why) => {
            tracing::error!(%why, "a revocation did not reach the table");
            Outcome::refused(Refusal::Unavailable, event)
        }
    })
    .await
    .unwrap_or_else(|_| Outcome::refused(Refusal::Unavailable, failed))
}

async fn client(inner: &Arc<Inner>, posted: &Posted, event: &mut Event) -> Result<Arc<Client>, Refusal> {
    let credentials = ClientCredentials::from_form(&posted.form).map_err(|code| {
        event.reason = Some(ClientRefusal::NoAssertion.to_string());
        match code {
            ErrorCode::InvalidRequest => Refusal::SeveralCredentials,
            _ if posted.tries_basic() => Refusal::ClientBasic,
            _ => Refusal::Client,
        }
    })?;
    if posted.authorization.is_some() {
        return Err(Refusal::SeveralCredentials);
    }
    let endpoint = inner.endpoints.revoke.clone();
    authenticated(inner, &credentials, &endpoint, Refusal::Client, event).await
}

/// The client of an assertion for this server or this endpoint of it, used for the first time. One who is not gets
/// `refusal`.
pub(super) async fn authenticated(
    inner: &Arc<Inner>,
    credentials: &ClientCredentials,
    endpoint: &str,
    refusal: Refusal,
    event: &mut Event,
) -> Result<Arc<Client>, Refusal> {
    let audiences = [endpoint, inner.endpoints.token.as_str(), inner.endpoints.issuer.as_str()];
    let proven = inner.proven(credentials, &audiences).await.map_err(|failed| {
        event.reason = Some(failed.why.to_string());
        event.word = Some(failed.why.word());
        if let Some(claimed) = &failed.claimed {
            event.detail("client_id", claimed);
        }
        refusal
    })?;
    let client = Arc::clone(&proven.client);
    let marking = Arc::clone(inner);
    let marked = tokio::task::spawn_blocking(move || marking.used_for_the_first_time(&proven)).await;
    marked.map_err(|_| Refusal::Unavailable)?.map_err(|not_first| {
        event.reason = Some(not_first.reason());
        event.word = not_first.word();
        event.detail("client_id", &client.id);
        not_first.refusal(refusal)
    })?;
    Ok(client)
}

#[cfg(test)]
mod tests;
