//! UserInfo: who the person is, for an app that they let know it. SPEC: OpenID Connect Core section 5.3; RFC 6750; rows
//! B54 to B56, A8.
//!
//! GET and POST; the token in the `Authorization` field alone (row B64). The claims are those of the id token, as they
//! are now. Left out: signed answers.

use super::{
    Outcome,
    bearer::{self, Shown},
};
use crate::{
    event::Event,
    outcome::{self, Refusal},
    service::Inner,
};
use audit::entry::{Action, Person};
use bytes::Bytes;
use http::Request;
use oauth::id_token::{Claims, fhir_user_url};
use serde_json::Value;

/// The event of a request.
pub(crate) fn begun() -> Event {
    Event::new("token-userinfo", Action::Read)
}

/// Answers a request.
pub(crate) fn answer(inner: &Inner, request: &Request<Bytes>) -> Outcome {
    let mut event = begun();
    match claims(inner, request, &mut event) {
        Ok(body) => Outcome { answer: Ok(outcome::uncached(&body)), event },
        Err(refusal) => Outcome::refused(refusal, event),
    }
}

fn claims(inner: &Inner, request: &Request<Bytes>, event: &mut Event) -> Result<Value, Refusal> {
    let shown = Shown::of(request)?;
    let url = &inner.endpoints.userinfo;
    let caller = bearer::caller(inner, &shown, request.method().as_str(), url, event)?;
    let grant = caller.grant();
    event.client_id = Some(grant.client_id.clone());
    let granted = |text: &str| grant.scope_text.split(' ').any(|scope| scope == text);
    let user = caller.user().filter(|_| granted("openid")).ok_or_else(|| {
        event.reason = Some("the token is not for telling who the person is".into());
        Refusal::OpenIdScope
    })?;
    // As the account is now: the role or name of an account may have been changed since.
    let user = inner.persons.user(&user.id).ok_or_else(|| {
        event.reason = Some("the account is disabled".into());
        Refusal::Bearer
    })?;
    event.person = Some(Person::of(&user));
    let fhir_user = user.fhir_user.as_ref().filter(|_| granted("fhirUser"));
    let fhir_user = fhir_user.map(|reference| fhir_user_url(&inner.endpoints.fhir_base, reference));
    let claims = Claims {
        issuer: &inner.endpoints.issuer,
        subject: &user.id,
        client_id: &grant.client_id,
        issued_at_s: grant.issued_at_s,
        expires_at_s: grant.expires_at_s,
        authenticated_at_s: None,
        nonce: None,
        acr: None,
        amr: &[],
        fhir_user: fhir_user.as_deref(),
        name: granted("profile").then_some(&*user.name),
        session: None,
    };
    Ok(claims.userinfo())
}

#[cfg(test)]
mod tests;
