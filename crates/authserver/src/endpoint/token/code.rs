//! An authorization code is redeemed. SPEC: RFC 6749 section 4.1.3, RFC 7636 section 4.6, RFC 9449 section 10; rows B22,
//! B48 to B50, B53.
//!
//! The code is marked as used before anything else is looked at: who has it and cannot redeem it has stolen it, or is
//! broken, and gets one try. When it comes again, what came of it ends.

use super::{Outcome, refresh};
use crate::{
    client::{Client, Kind},
    codes::Code,
    event::Event,
    families::NewFamily,
    outcome::Refusal,
    random,
    service::Inner,
    single_use::Taken,
};
use oauth::{caller::Confirmation, secret::Secret};
use std::sync::Arc;

/// What the client sends.
pub(super) struct Redeemed {
    pub(super) code: Secret,
    pub(super) redirect_uri: Option<String>,
    pub(super) verifier: Option<Secret>,
}

/// Redeems it. Blocks on the disk.
pub(super) fn issued(
    inner: &Inner,
    client: &Client,
    redeemed: &Redeemed,
    bound: Option<Confirmation>,
    mut event: Event,
) -> Outcome {
    if !client.is_app() {
        return Outcome::refused(Refusal::GrantTypeOfClient, event);
    }
    match tokens(inner, client, redeemed, bound, &mut event) {
        Ok(answer) => Outcome { answer: Ok(answer), event },
        Err(refusal) => Outcome::refused(refusal, event),
    }
}

fn tokens(
    inner: &Inner,
    client: &Client,
    redeemed: &Redeemed,
    bound: Option<Confirmation>,
    event: &mut Event,
) -> Result<http::Response<bytes::Bytes>, Refusal> {
    let now_s = inner.now().unix_seconds();
    let family: Arc<str> = random::name().map_err(|_| Refusal::Unavailable)?.into();
    let taken = inner.codes.take(redeemed.code.expose(), now_s, &family).map_err(super::refresh::unavailable)?;
    let code = match taken {
        Taken::First(kept) => Code::from_kept(&kept).ok_or_else(|| {
            tracing::error!("what was kept with a code is malformed");
            Refusal::Unavailable
        })?,
        Taken::Again(family) => {
            event.reason = Some("the code was used before; what came of it has ended".into());
            event.word = Some("code-replayed");
            event.detail("consent", &family);
            // A failure of the disk concerns a restart only; the answer is the same.
            if let Err(why) = inner.end_family_of_code(&family) {
                tracing::error!(%why, "a consent whose code came again is still on the table");
                return Err(Refusal::Unavailable);
            }
            return Err(Refusal::Grant);
        }
        Taken::Unknown => {
            event.reason = Some("no such code".into());
            return Err(Refusal::Grant);
        }
    };
    if let Err(why) = fits(&code, client, redeemed, bound) {
        event.reason = Some(why.into());
        return Err(Refusal::Grant);
    }
    let user = inner.persons.user(&code.user).ok_or_else(|| {
        event.reason = Some("the account is disabled".into());
        Refusal::Grant
    })?;
    event.detail("sub", &user.id);
    let new = NewFamily {
        id: Arc::clone(&family),
        client_id: Arc::clone(&client.id),
        user: Arc::clone(&user.id),
        scope_text: Arc::clone(&code.scope_text),
        launch: Arc::clone(&code.launch),
        // Row B60: whoever proves who they are is bound by that.
        confirmation: bound.filter(|_| client.kind == Kind::Public),
        signed_in_s: code.signed_in_s,
        lasting: code.lasting.clone(),
        ends_s: code.ends_s,
    };
    let token = inner.families.begin(new, now_s).map_err(|why| refresh::refused(&why, event))?;
    let given = refresh::Given {
        family,
        user,
        scope_text: Arc::clone(&code.scope_text),
        launch: Arc::clone(&code.launch),
        refresh_token: token,
        bound,
        signed_in: refresh::SignedIn {
            at_s: code.signed_in_s,
            methods: code.methods.clone(),
            nonce: code.nonce.clone(),
        },
    };
    refresh::answer(inner, client, given, event)
}

/// Whether the code is this client's, and this is who asked for it.
fn fits(code: &Code, client: &Client, redeemed: &Redeemed, bound: Option<Confirmation>) -> Result<(), &'static str> {
    if *code.client_id != *client.id {
        return Err("the code is another client's");
    }
    let names = redeemed.redirect_uri.as_deref();
    if names != Some(&*code.redirect_uri) && (names.is_some() || code.names_redirect) {
        return Err("redirect_uri is not the one of the authorization request");
    }
    match code.challenge {
        Some(challenge) if challenge.verify(redeemed.verifier.as_ref()).is_err() => {
            return Err("code_verifier is not the challenge's");
        }
        // SPEC: RFC 9700 section 2.1.1: whoever took the challenge out of the request must not go on.
        None if redeemed.verifier.is_some() => return Err("a code_verifier without a challenge"),
        _ => {}
    }
    if code.dpop_key.is_some_and(|key| bound != Some(Confirmation::Key(key))) {
        return Err("the code is bound to another DPoP key");
    }
    if client.must_push() && !code.was_pushed {
        return Err("the authorization request of this client was not pushed");
    }
    Ok(())
}
