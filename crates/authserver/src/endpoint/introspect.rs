//! Introspection. SPEC: RFC 7662; rows B67 to B69: for a client that authenticates with an assertion or with a live
//! token of its own. It learns of its own tokens, and of others' when it is registered to.

use super::{
    Outcome, Posted,
    bearer::{self, Shown},
};
use crate::{
    client::{Client, Kind},
    event::Event,
    outcome::{self, Refusal},
    service::Inner,
};
use audit::entry::Action;
use oauth::{introspection, revocation::NamedToken};
use std::sync::Arc;

/// Answers a request to introspect.
pub(crate) async fn answer(inner: &Arc<Inner>, posted: Posted) -> Outcome {
    let mut event = Event::new("token-introspected", Action::Execute);
    let asker = match asker(inner, &posted, &mut event).await {
        Ok(asker) => asker,
        Err(refusal) => return Outcome::refused(refusal, event),
    };
    let Ok(token) = NamedToken::from_form(&posted.form) else {
        return Outcome::refused(Refusal::Missing("token"), event);
    };
    let now_s = inner.now().unix_seconds();
    let grant = inner
        .tokens
        .grant(token.expose())
        .filter(|grant| grant.expires_at_s > now_s && (asker.introspects_any || grant.client_id == asker.id));
    let body = match grant {
        Some(grant) => {
            event.detail("token", &grant.token_name);
            event.detail("client_id", &grant.client_id);
            introspection::active(&grant, &inner.endpoints.issuer, &inner.endpoints.fhir_base)
        }
        None => {
            event.detail("active", "false");
            introspection::inactive()
        }
    };
    Outcome { answer: Ok(outcome::uncached(&body)), event }
}

/// Who asks: whoever shows a live token of its own, or a client that proves who it is. A public client proves nothing, so
/// it shows a token (row B69).
async fn asker(inner: &Arc<Inner>, posted: &Posted, event: &mut Event) -> Result<Arc<Client>, Refusal> {
    let Some(authorization) = posted.authorization.as_deref().filter(|_| !posted.tries_basic()) else {
        let endpoint = &inner.endpoints.introspect;
        let refusal = Refusal::ClientIntrospecting;
        let client = super::revoke::client(inner, posted, endpoint, refusal, event).await?;
        return if client.kind == Kind::Public { Err(refusal) } else { Ok(client) };
    };
    if ["client_assertion", "client_secret"].into_iter().any(|name| posted.form.value(name).is_some()) {
        return Err(Refusal::SeveralCredentials);
    }
    let shown = Shown {
        authorization: Some(authorization.to_owned()),
        certificate: posted.certificate.clone(),
        dpop: posted.dpop.clone(),
    };
    let caller = bearer::caller(inner, &shown, "POST", &inner.endpoints.introspect, event);
    let caller = caller.map_err(|refusal| match refusal {
        Refusal::BearerNonce => Refusal::DpopNonce,
        _ => Refusal::Bearer,
    })?;
    let client = inner.clients.client(&caller.grant().client_id);
    let client = client.filter(|client| client.works()).ok_or(Refusal::Bearer)?;
    event.client_id = Some(Arc::clone(&client.id));
    Ok(client)
}

#[cfg(test)]
mod tests;
