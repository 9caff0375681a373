//! The security argument, to be read from top to bottom.
//!
//! A request is a value that gains proof as it moves. Each line of [`proceed`] takes the proof of
//! the line before; none can be left out, because nothing else makes the value that the next needs:
//!
//! | proof | made only by | says |
//! |---|---|---|
//! | [`Accepted`] | the listener | from where |
//! | [`Request`], [`Unread`] | `wire::Request::split` | a head; a body nobody has looked at |
//! | [`Caller`] | `oauth::bearer` | who: a live token of this server |
//! | `route::Asked` | `route::parse`, for a `Caller` | what: URL and headers, no body |
//! | `policy::Permit` | `policy::decide` | may they, and on which resources |
//! | `body::Content` | [`Unread::read`], for a `Permit` | the body, its type and length checked first |
//! | `validation::Validated` | `validation` | the resource keeps the rules of R4 |
//! | `store::Found`, `Committed` | `store`, for a `Permit` | read within the permit; durable with its record |
//! | `audit::Audited` | `audit`, for a log's `Receipt` | all that the socket writer takes |
//!
//! So no body byte is parsed before a caller exists and a permit was given (invariant 3), no data
//! leaves without a permit (4), and no response without a record (6).

use crate::{
    answered::{self, Answered},
    body::Unread,
    emergency,
    failure::Failure,
    held::Held,
    interaction::{self, Answer, Call, Proof},
    outcome, purpose, route,
    service::Service,
    trail::Trail,
    wire::{self, Accepted, BodyEnd, Reply, Request, Response},
};
use audit::Audited;
use bytes::Bytes;
use http_body::Body;
use oauth::{
    Caller,
    bearer::{self, BearerError, Presented, ShownProof},
    caller::Confirmation,
};
use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
};

/// One request, from head to audited response.
pub(crate) async fn answer<B: Body<Data = Bytes, Error: Into<BodyEnd>>>(
    service: &Service,
    peer: Accepted,
    known: Option<Caller>,
    request: http::Request<B>,
) -> Audited<Response> {
    let (head, body) = Request::split(request);
    let request_id = service.request_id(&head);
    if route::is_public(&head, &service.base_path) {
        let mut response = wire::respond(Reply::document(service.capabilities()), &request_id, &head);
        response.extensions_mut().insert(Answered {
            request_id,
            client_id: None,
            interaction: "capabilities",
            resource_type: None,
            refused: None,
        });
        return Audited::public(response);
    }
    let mut trail = Trail::begin(service.now(), &peer, request_id);
    let mut held = None;
    let outcome = caught(proceed(service, &peer, known, &head, body, &mut trail, &mut held)).await;
    let done = outcome.is_ok();
    trail.note(&service.shadows, outcome.as_ref().err());
    let answer = audited(service, &head, trail, outcome);
    if let Some(moment) = held.and_then(|held| held.until(done)) {
        (service.parts.rest_until)(moment).await;
    }
    answer
}

/// Who, what, may they, and only then the body.
async fn proceed<B: Body<Data = Bytes, Error: Into<BodyEnd>>>(
    service: &Service,
    peer: &Accepted,
    known: Option<Caller>,
    head: &Request,
    body: Unread<B>,
    trail: &mut Trail,
    held: &mut Option<Held>,
) -> Result<Answer, Failure> {
    let caller = match known {
        Some(caller) => caller,
        None => authenticated(service, peer, head)?,
    };
    trail.caller(&caller, service.accounting().disclosures);
    let caller = emergency::marked(service, purpose::narrowed(caller, head)?, head)?;
    trail.caller(&caller, service.accounting().disclosures);
    let asked = route::parse(&caller, head, &service.base_path)?;
    trail.interaction(&asked.interaction);
    emergency::suits(service, &caller, &asked)?;
    trail.glimpsed(service.shadows.glimpse(&caller, &asked.interaction));
    let permit = service.decide(&caller, &asked.interaction)?;
    let content = body.read(&permit, asked.expects, head).await?;
    *held = Held::begin(&permit, &asked.interaction);
    let done = interaction::perform(Call { service, caller: &caller, asked, permit }, content, trail, held).await;
    let answer = done.map_err(|failure| emergency::told(service, &caller, failure))?;
    if answer.missed
        && let Some(held) = held
    {
        held.when_done();
    }
    Ok(answer)
}

/// Who, by what the head and the connection show.
fn authenticated(service: &Service, peer: &Accepted, head: &Request) -> Result<Caller, Failure> {
    let tokens = &*service.parts.tokens;
    let authorization = head.authorization()?;
    let is_bound_to_key = |token: &&str| matches!(tokens.grant(token), Some(grant) if matches!(grant.confirmation, Some(Confirmation::Key(_))));
    // A signature costs more than a look-up: nobody has one checked without a token that asks for it.
    let dpop = match (bearer::dpop_token(authorization).filter(is_bound_to_key), head.dpop()?) {
        (Some(access_token), Some(header)) => {
            let below = head.path().strip_prefix(&*service.base_path).unwrap_or_default();
            let url = [service.base_url(), below].concat();
            let shown = ShownProof { header, method: head.method_name(), url: &url, access_token };
            Some(tokens.proven(&shown).map_err(|refused| match refused.nonce {
                Some(nonce) => Failure::DpopNonce(nonce),
                None => BearerError::Unproven.into(),
            })?)
        }
        _ => None,
    };
    let presented = Presented {
        authorization,
        certificate_thumbprint: peer.certificate_thumbprint,
        dpop: dpop.as_ref(),
        principal: peer.principal.as_ref(),
    };
    Ok(bearer::authenticate(&presented, tokens, service.now().unix_seconds())?)
}

/// Joins the response with the proof of its record; without one it becomes a 503 that tells nothing.
fn audited(service: &Service, head: &Request, trail: Trail, outcome: Result<Answer, Failure>) -> Audited<Response> {
    let request_id = Arc::clone(trail.request_id());
    let code = || route::code(head, &service.base_path);
    let mut answered = trail.answered(outcome.as_ref().err().map(answered::word), code);
    let recorded = match outcome {
        Ok(Answer { reply, proof: Proof::Recorded(receipt), .. }) => {
            Ok((wire::respond(reply, &request_id, head), receipt))
        }
        Ok(Answer { reply, proof: Proof::ToRecord, .. }) => {
            let receipt = service.parts.store.log().record(&trail.done());
            receipt.map(|receipt| (wire::respond(reply, &request_id, head), receipt))
        }
        Err(failure) => {
            log(&failure, &request_id);
            let mapped = outcome::map(failure);
            let receipt = service.parts.store.log().record(&trail.failed(&mapped, code));
            receipt.map(|receipt| (wire::refuse_request(&mapped, &request_id, head), receipt))
        }
    };
    match recorded {
        Ok((mut response, receipt)) => {
            response.extensions_mut().insert(answered);
            Audited::new(response, receipt)
        }
        Err(unavailable) => {
            tracing::error!(%request_id, error = %unavailable.0, "audit log unavailable");
            let failure = unavailable.into();
            answered.refused = Some(answered::word(&failure));
            let mut response = wire::refuse_request(&outcome::map(failure), &request_id, head);
            response.extensions_mut().insert(answered);
            Audited::public(response)
        }
    }
}

/// What only the operator may read: the internal text, joined to the public one by the request id.
fn log(failure: &Failure, request_id: &str) {
    match failure {
        Failure::Store(why) => tracing::error!(%request_id, %why, "store unavailable"),
        Failure::Entry(_, inner) => log(inner, request_id),
        _ => {}
    }
}

/// A panic while a request is worked on is that request's failure alone (row H42): it is answered,
/// recorded, and the connection lives on.
async fn caught<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let mut work = pin!(work);
    // INVARIANT: after a panic the future is dropped, never polled again; the store's own state is
    // behind its locks, and what a request made so far goes with it.
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(poll) => poll,
        Err(_) => Poll::Ready(Err(Failure::Fault)),
    })
    .await
}

#[cfg(test)]
mod tests;
