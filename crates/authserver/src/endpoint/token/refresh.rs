//! A refresh, and the answer that it shares with a code. SPEC: RFC 6749 sections 5.1 and 6; SMART App Launch 2.2; rows
//! B32, B47, B50, B53, B57 to B60.

use super::Outcome;
use crate::{
    client::{Client, check},
    event::Event,
    families::{Asker, RefreshError},
    live_tokens::NewGrant,
    outcome::{self, Refusal},
    service::Inner,
};
use bytes::Bytes;
use http::Response;
use oauth::{
    caller::{Confirmation, Standing, User},
    launch_context::LaunchContext,
    scope::{Scope, narrow::Granted, offer, request::ScopeRequest},
    secret::Secret,
};
use std::sync::Arc;

/// Refreshes. Blocks on the disk.
pub(super) fn issued(
    inner: &Inner,
    client: &Client,
    presented: &Secret,
    scope: Option<&str>,
    bound: Option<Confirmation>,
    mut event: Event,
) -> Outcome {
    match tokens(inner, client, presented, scope, bound, &mut event) {
        Ok(answer) => Outcome { answer: Ok(answer), event },
        Err(refusal) => Outcome::refused(refusal, event),
    }
}

fn tokens(
    inner: &Inner,
    client: &Client,
    presented: &Secret,
    scope: Option<&str>,
    bound: Option<Confirmation>,
    event: &mut Event,
) -> Result<Response<Bytes>, Refusal> {
    let now_s = inner.now().unix_seconds();
    // A scope that was not granted is refused before the token moves on: the client still has a good one.
    // Of another client's token nothing is told and nothing changes but the refusal below.
    let family = inner.families.of_token(presented.expose(), now_s).map_err(unavailable)?;
    if let Some(family) = family.filter(|family| family.client_id == client.id) {
        narrowed(&family.scope_text, scope)?;
        inner
            .client_rate
            .take(format!("{}/{}", client.id, family.user).into(), inner.now().unix_millis())
            .map_err(|limited| Refusal::TooMany(limited.retry_after_s))?;
        if inner.persons.user(&family.user).is_none() {
            event.reason = Some("the account is disabled".into());
            inner.end_family(&family.id).map_err(unavailable)?;
            return Err(Refusal::Grant);
        }
    }
    let is_live = |session: &str| inner.persons.is_live(session);
    let asker = Asker { client_id: &client.id, confirmation: bound, now_s, is_live: &is_live };
    let (family, successor) = match inner.families.rotate(presented.expose(), &asker) {
        Ok(rotated) => rotated,
        Err(why) => {
            if let RefreshError::Replayed(family) = &why {
                event.detail("consent", family);
                inner.end_family(family).map_err(unavailable)?;
            }
            return Err(refused(&why, event));
        }
    };
    let user = inner.persons.user(&family.user).ok_or(Refusal::Grant)?;
    event.detail("sub", &user.id);
    let given = Given {
        scope_text: narrowed(&family.scope_text, scope)?.text,
        family: family.id,
        user,
        launch: family.launch,
        refresh_token: Some(successor),
        bound,
        signed_in: SignedIn { at_s: family.signed_in_s, methods: Vec::new(), nonce: None },
    };
    answer(inner, client, given, event)
}

/// What is left of what was granted.
fn narrowed(granted: &str, scope: Option<&str>) -> Result<Granted, Refusal> {
    let request = ScopeRequest::parse(granted).map_err(|_| Refusal::Scope)?;
    let scopes: Arc<[Scope]> = request.resources().cloned().collect();
    offer::refreshed(&Granted { scopes, text: granted.into() }, scope).map_err(|_| Refusal::Scope)
}

/// The refusal of a refresh; the reason goes into the event.
pub(super) fn refused(why: &RefreshError, event: &mut Event) -> Refusal {
    let reason = match why {
        RefreshError::Unknown => "no such refresh token",
        RefreshError::OtherClient => "the refresh token is another client's",
        RefreshError::Unproven => "the refresh token is bound to a key that the request does not prove",
        RefreshError::Over => "the consent is over",
        RefreshError::Replayed(_) => {
            event.word = Some("refresh-replayed");
            "the refresh token was used before; the consent has ended"
        }
        RefreshError::Unavailable(why) => {
            tracing::error!(%why, "the table of consents fails");
            return Refusal::Unavailable;
        }
    };
    event.reason = Some(reason.into());
    Refusal::Grant
}

/// As [`Refusal::Unavailable`], with a line in the log.
pub(super) fn unavailable(why: crate::tables::Unavailable) -> Refusal {
    tracing::error!(%why, "a table of the authorization server fails");
    Refusal::Unavailable
}

/// How the person signed in, for the id token.
pub(super) struct SignedIn {
    pub(super) at_s: i64,
    pub(super) methods: Vec<Arc<str>>,
    pub(super) nonce: Option<Arc<str>>,
}

/// What an app gets.
pub(super) struct Given {
    pub(super) family: Arc<str>,
    pub(super) user: Arc<User>,
    pub(super) scope_text: Arc<str>,
    pub(super) launch: Arc<LaunchContext>,
    pub(super) refresh_token: Option<Secret>,
    pub(super) bound: Option<Confirmation>,
    pub(super) signed_in: SignedIn,
}

/// The tokens as a response.
pub(super) fn answer(
    inner: &Inner,
    client: &Client,
    given: Given,
    event: &mut Event,
) -> Result<Response<Bytes>, Refusal> {
    let request = ScopeRequest::parse(&given.scope_text).map_err(|_| Refusal::Scope)?;
    // What the registration lost since, or the server cannot enforce any more, does not come back by a refresh.
    let still = |scope: &&Scope| {
        client.registered.resources().any(|wide| wide.covers(scope))
            && check::usable(scope, &*inner.enforceable).is_ok()
    };
    let scopes: Arc<[Scope]> = request.resources().filter(still).cloned().collect();
    let is_kept = |text: &str| match Scope::parse(text) {
        Ok(_) => scopes.iter().any(|scope| *scope.text == *text),
        Err(_) => true,
    };
    let texts: Vec<&str> = request.wanted().iter().map(|(text, _)| &**text).filter(|text| is_kept(text)).collect();
    let scope_text: Arc<str> = texts.join(" ").into();
    if scope_text.is_empty() {
        return Err(Refusal::Scope);
    }
    let new = NewGrant {
        client_id: Arc::clone(&client.id),
        client_name: Arc::clone(&client.name),
        scopes,
        scope_text,
        user: Some(Arc::clone(&given.user)),
        launch: Arc::clone(&given.launch),
        confirmation: given.bound,
        family: Some(Arc::clone(&given.family)),
        acting: None,
        standing: Standing::Ordinary,
        now: inner.now(),
    };
    event.detail("consent", &given.family);
    let (token, grant) = super::access_token(inner, client, new, event)?;
    let body = super::response::body(inner, client, &token, &grant, &given)?;
    Ok(outcome::uncached(&body))
}
