//! Introspection. SPEC: RFC 7662; rows B67 to B69: for a client that authenticates with an assertion or with a live
//! token of its own. It learns of its own tokens, and of others' when it is registered to.

use super::{Outcome, Posted};
use crate::{
    authentication::ClientRefusal,
    client::Client,
    event::Event,
    outcome::{self, Refusal},
    service::Inner,
};
use audit::entry::Action;
use oauth::{bearer, introspection, revocation::NamedToken, token_request::ClientCredentials};
use std::sync::Arc;

/// Answers a request to introspect.
pub(crate) async fn answer(inner: &Arc<Inner>, posted: Posted) -> Outcome {
    let mut event = Event::new("token-introspected", Action::Execute);
    let asker = match asker(inner, &posted, &mut event).await {
        Ok(asker) => asker,
        Err(refusal) => return Outcome::refused(refusal, event),
    };
    event.client_id = Some(Arc::clone(&asker.id));
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

async fn asker(inner: &Arc<Inner>, posted: &Posted, event: &mut Event) -> Result<Arc<Client>, Refusal> {
    let credentials = ClientCredentials::from_form(&posted.form);
    if let Some(authorization) = &posted.authorization {
        if posted.form.value("client_assertion").is_some() {
            return Err(Refusal::SeveralCredentials);
        }
        if posted.tries_basic() {
            event.reason = Some(ClientRefusal::NoAssertion.to_string());
            return Err(Refusal::ClientBasic);
        }
        let presented = bearer::Presented::header(Some(authorization));
        let caller = bearer::authenticate(&presented, &**inner, inner.now().unix_seconds());
        let caller = caller.map_err(|why| {
            event.reason = Some(why.to_string());
            Refusal::Bearer
        })?;
        event.token_name = Some(Arc::clone(&caller.grant().token_name));
        let client = inner.clients.client(&caller.grant().client_id);
        return client.filter(|client| !client.disabled).ok_or(Refusal::Bearer);
    }
    let credentials = credentials.map_err(|code| {
        event.reason = Some(ClientRefusal::NoAssertion.to_string());
        if code == oauth::error::ErrorCode::InvalidRequest {
            Refusal::SeveralCredentials
        } else {
            Refusal::ClientIntrospecting
        }
    })?;
    let endpoint = inner.endpoints.introspect.clone();
    super::revoke::authenticated(inner, &credentials, &endpoint, Refusal::ClientIntrospecting, event).await
}

#[cfg(test)]
mod tests;
