//! Pushed authorization requests. SPEC: RFC 9126, RFC 9449 section 10.1; row B29: the client proves who it is, leaves its
//! request, and gets a handle for the browser, good once and for two minutes.

use super::rules;
use crate::{
    endpoint::{Outcome, Posted, token::bound},
    event::Event,
    outcome::{self, Refusal},
    service::Inner,
    single_use::{GiveError, Taken},
};
use audit::entry::Action;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth::{
    authorization_request::{Local, Refused, Unchecked, Way},
    caller::Confirmation,
    error::ErrorCode,
    pushed_authorization,
};
use percent_encoding::percent_decode_str;
use serde_json::json;
use std::sync::Arc;

/// Parameters by which a client proves who it is: they are not kept.
const PROOFS: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// Answers a request that is left here.
pub(crate) async fn answer(inner: &Arc<Inner>, posted: Posted, body: &[u8]) -> Outcome {
    let mut event = Event::new("authorization-refused", Action::Execute);
    let audiences = [inner.endpoints.par.as_str(), inner.endpoints.token.as_str(), inner.endpoints.issuer.as_str()];
    let client = match inner.authenticated(&posted, &audiences, Refusal::Client, &mut event).await {
        Ok(client) => client,
        Err(refusal) => return Outcome::refused(refusal, event),
    };
    if pushed_authorization::may_be_pushed(&posted.form).is_err() {
        return Outcome::refused(Refusal::Pushed(ErrorCode::InvalidRequest, "request_uri cannot be pushed"), event);
    }
    let Ok(body) = std::str::from_utf8(body) else { return Outcome::refused(Refusal::Form, event) };
    let mut kept = without_proofs(body);
    if posted.form.value("client_id").is_none() {
        kept = format!("{kept}&client_id={}", client.id);
    }
    match bound::to(inner, &client, &posted, &inner.endpoints.par, &mut event) {
        Ok(Some(Confirmation::Key(key))) => {
            let thumbprint = URL_SAFE_NO_PAD.encode(key);
            match posted.form.value("dpop_jkt") {
                None => kept = format!("{kept}&dpop_jkt={thumbprint}"),
                Some(named) if named == thumbprint => {}
                Some(_) => return Outcome::refused(Refusal::DpopProof, event),
            }
        }
        // What binds the tokens is looked at when they are asked for.
        Ok(_) | Err(Refusal::Unbound) => {}
        Err(refusal) => return Outcome::refused(refusal, event),
    }
    let unchecked = match Unchecked::parse(kept.as_bytes()) {
        Ok(unchecked) if unchecked.client_id() == &*client.id => unchecked,
        Ok(_) => return Outcome::refused(Refusal::Pushed(ErrorCode::InvalidRequest, "client_id is another's"), event),
        Err(why) => return refused(&Refused::Local(why), event),
    };
    if let Err(why) = unchecked.check(&rules(inner, &client), Way::Pushed, &inner.endpoints.fhir_base) {
        return refused(&why, event);
    }
    let row = json!({ "client_id": &*client.id, "form": kept });
    let (giving, now_s) = (Arc::clone(inner), inner.now().unix_seconds());
    match tokio::task::spawn_blocking(move || giving.pushed.give(&row, now_s)).await {
        Ok(Ok(handle)) => {
            event.becomes("authorization-pushed");
            Outcome { answer: Ok(outcome::created(&pushed_authorization::response(&handle))), event }
        }
        failed => {
            if let Ok(Err(GiveError::Unavailable(why))) = failed {
                tracing::error!(why, "a pushed request could not be kept");
            }
            Outcome::refused(Refusal::Unavailable, event)
        }
    }
}

/// What was left behind this handle by this client, for the first time; `None` for all else. Blocks nothing but a task.
pub(super) async fn taken(inner: &Arc<Inner>, handle: String, client_id: &str) -> Option<String> {
    let (taking, now_s) = (Arc::clone(inner), inner.now().unix_seconds());
    let taken = tokio::task::spawn_blocking(move || taking.pushed.take(&handle, now_s, "")).await.ok()?;
    match taken {
        Ok(Taken::First(kept)) => {
            let is_its_own = kept.get("client_id")?.as_str()? == client_id;
            is_its_own.then(|| kept.get("form")?.as_str().map(str::to_owned))?
        }
        Ok(Taken::Again(_) | Taken::Unknown) => None,
        Err(why) => {
            tracing::error!(%why, "a pushed request could not be taken");
            None
        }
    }
}

fn refused(why: &Refused, mut event: Event) -> Outcome {
    let (code, description) = match why {
        Refused::Redirected(refused) => (refused.code, refused.description),
        Refused::Local(Local::RedirectUri | Local::NoRedirectUri) => {
            (ErrorCode::InvalidRequest, "redirect_uri is missing or not registered for this client")
        }
        Refused::Local(_) => (ErrorCode::InvalidRequest, "the authorization request cannot be read"),
    };
    event.reason = Some(description.into());
    Outcome::refused(Refusal::Pushed(code, description), event)
}

/// The form as it came, without what proved who the client is.
fn without_proofs(body: &str) -> String {
    let is_proof = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default().replace('+', " ");
        PROOFS.iter().any(|proof| percent_decode_str(&name).decode_utf8_lossy() == *proof)
    };
    body.split('&').filter(|pair| !pair.is_empty() && !is_proof(pair)).collect::<Vec<_>>().join("&")
}
