//! Revocation. SPEC: RFC 7009; row B61: a client that authenticates revokes a token of its own, with effect on the next
//! request. The answer is 200 whether there was such a token or not; one of another client is left alone.

use super::{Outcome, Posted};
use crate::{
    client::Client,
    event::Event,
    outcome::{self, Refusal},
    service::Inner,
    tables::Unavailable,
};
use audit::entry::Action;
use oauth::revocation::NamedToken;
use std::sync::Arc;

/// Answers a request to revoke.
pub(crate) async fn answer(inner: &Arc<Inner>, posted: Posted) -> Outcome {
    let mut event = Event::new("token-revoked", Action::Execute);
    let client = match client(inner, &posted, &inner.endpoints.revoke, Refusal::Client, &mut event).await {
        Ok(client) => client,
        Err(refusal) => return Outcome::refused(refusal, event),
    };
    let Ok(token) = NamedToken::from_form(&posted.form) else {
        return Outcome::refused(Refusal::Missing("token"), event);
    };
    let failed = event.clone();
    let inner = Arc::clone(inner);
    tokio::task::spawn_blocking(move || match revoked(&inner, &client, token.expose(), &mut event) {
        Ok(found) => {
            event.detail("found", if found { "true" } else { "false" });
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

/// Ends an access token alone; a refresh token with all that came of the same consent. Whether there was one of this
/// client's. Blocks on the disk.
fn revoked(inner: &Inner, client: &Client, token: &str, event: &mut Event) -> Result<bool, Unavailable> {
    if let Some(name) = inner.tokens.revoke(token, &client.id)? {
        event.token_name = Some(name);
        return Ok(true);
    }
    let family = inner.families.of_token(token, inner.now().unix_seconds())?;
    match family.filter(|family| *family.client_id == *client.id) {
        Some(family) => {
            event.detail("consent", &family.id);
            inner.end_family(&family.id)
        }
        None => Ok(false),
    }
}

/// Whom the endpoints beside the token endpoint may be named to as: themselves, the token endpoint, the issuer.
pub(super) async fn client(
    inner: &Arc<Inner>,
    posted: &Posted,
    endpoint: &str,
    refusal: Refusal,
    event: &mut Event,
) -> Result<Arc<Client>, Refusal> {
    let audiences = [endpoint, inner.endpoints.token.as_str(), inner.endpoints.issuer.as_str()];
    inner.authenticated(posted, &audiences, refusal, event).await
}

#[cfg(test)]
mod tests;
