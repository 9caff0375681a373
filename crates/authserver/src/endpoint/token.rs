//! The token endpoint. SPEC: RFC 6749 sections 4.1.3, 4.4 and 6; RFC 8705, RFC 9449; SMART App Launch 2.2; rows B46 to
//! B50, B57 to B60, C1 to C13.
//!
//! The grant type is looked at first, then who asks, then what they bring. `system`: for a system, `organization`: for one
//! of a trust community. `code` and `refresh`:
//! for an app that a person let in. `bound`: the key that a token is bound to.

pub(crate) mod bound;
mod code;
mod organization;
mod refresh;
mod response;
mod system;

use super::{Outcome, Posted};
use crate::{
    authentication::Proven,
    client::Client,
    event::Event,
    live_tokens::{IssueError, NewGrant},
    outcome::Refusal,
    service::Inner,
};
use audit::entry::{Action, Organization};
use oauth::{
    caller::Grant,
    secret::Secret,
    token_request::{Asked, AskedError},
};
use std::sync::Arc;

/// Answers a request for a token.
pub(crate) async fn answer(inner: &Arc<Inner>, posted: Posted) -> Outcome {
    let mut event = Event::new("token-refused", Action::Execute);
    let asked = match Asked::from_form(&posted.form, &inner.endpoints.fhir_base) {
        Ok(asked) => asked,
        Err(why) => return Outcome::refused(refusal(why), event),
    };
    let audiences = [inner.endpoints.token.as_str(), inner.endpoints.issuer.as_str()];
    let Proven { client, proof } = match inner.proven_client(&posted, &audiences, Refusal::Client, &mut event).await {
        Ok(proven) => proven,
        Err(refusal) => return Outcome::refused(refusal, event),
    };
    let bound = match bound::to(inner, &client, &posted, &inner.endpoints.token, &mut event) {
        Ok(bound) => bound,
        Err(refusal) => return Outcome::refused(refusal, event),
    };
    let issuing = Arc::clone(inner);
    let failed = event.clone();
    // The rest waits for the disk.
    let outcome = tokio::task::spawn_blocking(move || match asked {
        Asked::ClientCredentials { scope } => system::issued(&issuing, &client, &proof, scope.as_deref(), bound, event),
        Asked::AuthorizationCode { code, redirect_uri, verifier } => {
            let redeemed = code::Redeemed { code, redirect_uri, verifier };
            code::issued(&issuing, &client, &redeemed, bound, event)
        }
        Asked::RefreshToken { token, scope } => {
            refresh::issued(&issuing, &client, &token, scope.as_deref(), bound, event)
        }
    })
    .await;
    drop(inner.sweep_when_due());
    outcome.unwrap_or_else(|_| Outcome::refused(Refusal::Unavailable, failed))
}

fn refusal(why: AskedError) -> Refusal {
    match why {
        AskedError::Missing(name) => Refusal::Missing(name),
        AskedError::Grant => Refusal::Grant,
        AskedError::GrantType => Refusal::GrantType,
        AskedError::Target => Refusal::Target,
    }
}

/// Issues an access token; it lives when this returns, and so do its client and its family.
fn access_token(
    inner: &Inner,
    client: &Client,
    new: NewGrant,
    event: &mut Event,
) -> Result<(Secret, Arc<Grant>), Refusal> {
    event.organization = new.acting.as_deref().map(Organization::of);
    let (token, grant) = inner.tokens.issue(new).map_err(|why| match why {
        IssueError::TooMany { retry_after_s } => {
            event.reason = Some("too many live tokens".into());
            Refusal::TooMany(retry_after_s)
        }
        IssueError::Unavailable(why) => {
            tracing::error!(%why, "no token could be issued");
            Refusal::Unavailable
        }
    })?;
    // They may have ended meanwhile; what they had was revoked before this one was there.
    let client_works = inner.clients.works(&client.id);
    if client_works && grant.family.as_deref().is_none_or(|family| inner.families.is_live(family)) {
        event.becomes("token-issued");
        event.token_name = Some(Arc::clone(&grant.token_name));
        event.detail("granted", &grant.scope_text);
        return Ok((token, grant));
    }
    if let Err(why) = inner.tokens.revoke(token.expose(), &client.id) {
        tracing::error!(%why, "a token that nobody has stays in the table until it ends");
    }
    event.reason = Some("the client or the consent ended meanwhile".into());
    Err(if client_works { Refusal::Grant } else { Refusal::Client })
}

#[cfg(test)]
mod app;
#[cfg(test)]
mod tests;
