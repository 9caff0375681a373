//! Clients register themselves, and look after that. SPEC: RFC 7591, RFC 7592; rows B12 to B14, F16, F61, F66.
//!
//! Nobody registers without an initial access token, which the operator makes (`handrail client invite`) and which says
//! what kinds of client and which scopes may come of it; a later change is held to the same. What is registered here is
//! a client like any other, but never one that the facility vouches for, or that looks into tokens of others. The way in
//! which a client proves who it is stays as it was registered; its keys may change.
//!
//! Left out: software statements (refused by name; UDAP has its own endpoint), registration without a token.

use super::{Outcome, bearer::Shown};
use crate::{
    client::{Client, ClientError, Kind, OwnRegistration, own, scopes},
    event::Event,
    outcome::{self, Refusal},
    random,
    registering::{By, Recorded},
    service::Inner,
};
use audit::entry::Action;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use bytes::Bytes;
use http::{Method, Request, header};
use oauth::{
    client_metadata::{self, ClientMetadata, Issued, MetadataError},
    error::ErrorCode,
    secret::Secret,
};
use serde_json::Value;
use std::{net::IpAddr, sync::Arc};

/// What came of a request: its entry may stand already.
pub(crate) struct Registering {
    pub(crate) outcome: Outcome,
    pub(crate) recorded: Option<Recorded>,
}

/// The event of a request with this method, until it did what was asked for.
pub(crate) fn begun(method: &Method) -> Event {
    match *method {
        Method::GET => Event::new("client-registration-read", Action::Read),
        Method::PUT => Event::new("client-registration-refused", Action::Update),
        Method::DELETE => Event::new("client-registration-refused", Action::Delete),
        _ => Event::new("client-registration-refused", Action::Create),
    }
}

/// A request that was read as far as HTTP goes.
struct Asked {
    method: Method,
    /// The client of the URL; `None` at the endpoint itself.
    client_id: Option<String>,
    token: Secret,
    body: Bytes,
    address: IpAddr,
}

/// Answers a request.
pub(crate) async fn answer(inner: &Arc<Inner>, request: &Request<Bytes>, address: IpAddr) -> Registering {
    let mut event = begun(request.method());
    let asked = match asked(request, address) {
        Ok(asked) => asked,
        Err(refusal) => return refused(refusal, event),
    };
    let working = Arc::clone(inner);
    // Changes wait for the disk.
    let done = tokio::task::spawn_blocking(move || {
        let done = working.registration(&asked, &mut event);
        (done, event)
    });
    match done.await {
        Ok((Ok((answer, recorded)), event)) => Registering { outcome: Outcome { answer: Ok(answer), event }, recorded },
        Ok((Err(refusal), event)) => refused(refusal, event),
        Err(_) => refused(Refusal::Unavailable, begun(request.method())),
    }
}

pub(super) fn refused(refusal: Refusal, event: Event) -> Registering {
    Registering { outcome: Outcome::refused(refusal, event), recorded: None }
}

fn asked(request: &Request<Bytes>, address: IpAddr) -> Result<Asked, Refusal> {
    let shown = Shown::of(request)?;
    let token = Secret::new(shown.plain()?.ok_or(Refusal::NoToken)?);
    let has_body = matches!(*request.method(), Method::POST | Method::PUT);
    if has_body && request.body().len() > crate::limits::BODY_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    if has_body && !is_json(request) {
        return Err(Refusal::JsonType);
    }
    let client_id = request.uri().path().strip_prefix(crate::routes::REGISTRATION).map(str::to_owned);
    Ok(Asked { method: request.method().clone(), client_id, token, body: request.body().clone(), address })
}

pub(super) fn is_json(request: &Request<Bytes>) -> bool {
    let mut fields = request.headers().get_all(header::CONTENT_TYPE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return false };
    let essence = field.to_str().ok().and_then(|text| text.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

pub(super) type Answered = (http::Response<Bytes>, Option<Recorded>);

impl Inner {
    fn registration(&self, asked: &Asked, event: &mut Event) -> Result<Answered, Refusal> {
        let Some(client_id) = &asked.client_id else { return self.registered(asked, event) };
        let client = self.own_client(client_id, &asked.token, event)?;
        let (Some(own), by) = (&client.own, By::Itself(Arc::clone(&client.id), asked.address)) else {
            return Err(Refusal::Bearer);
        };
        match asked.method {
            Method::GET => {
                let issued = self.issued(&client, None, Some(&asked.token));
                Ok((outcome::uncached(&issued.answer(&own.metadata)), None))
            }
            Method::PUT => self.updated(&client, own, asked, &by, event),
            _ => {
                let recorded = self.remove_client(&client.id, &by).map_err(|why| unavailable(&why))?;
                Ok((outcome::removed(), Some(recorded)))
            }
        }
    }

    /// A new client.
    fn registered(&self, asked: &Asked, event: &mut Event) -> Result<Answered, Refusal> {
        let token = asked.token.expose();
        let Some(invitation) = self.invitations.look(token, self.now()) else {
            event.reason = Some("no initial access token that works".into());
            return Err(Refusal::Bearer);
        };
        event.detail("invitation", &invitation.name);
        let metadata = ClientMetadata::read(&asked.body).map_err(|why| unacceptable(why, event))?;
        let id = random::name().map_err(|_| Refusal::Unavailable)?;
        let management = random::secret().map(Secret::new).map_err(|_| Refusal::Unavailable)?;
        let own = OwnRegistration {
            metadata,
            invitation: Arc::clone(&invitation.name),
            reach: invitation.reach.clone(),
            token: self.registration_token(&id, &management),
        };
        let client = self.fitting(own, id, event)?;
        // Everything is in order but the use itself, which is spent before anything comes of it.
        let taken = self.invitations.take(token, self.now()).map_err(|why| unavailable(&why.into()))?;
        if taken.is_none() {
            event.reason = Some("the initial access token was used up meanwhile".into());
            return Err(Refusal::Bearer);
        }
        let by = By::Invited(Arc::clone(&invitation.name), asked.address);
        let (added, recorded) = self.add_client(client, &by).map_err(|why| {
            self.invitations.give_back(token);
            self.refused_change(why, event)
        })?;
        let Some(own) = &added.client.own else { return Err(Refusal::Unavailable) };
        let secret = added.secret.as_ref().map(|secret| Secret::new(secret.expose()));
        let issued = self.issued(&added.client, secret, Some(&management));
        Ok((outcome::created(&issued.answer(&own.metadata)), Some(recorded)))
    }

    /// The client of this id, when the token is its registration access token. The same work and the same answer
    /// whether there is such a client or not.
    fn own_client(&self, client_id: &str, token: &Secret, event: &mut Event) -> Result<Arc<Client>, Refusal> {
        event.detail("client_id", client_id);
        let client = self.clients.client(client_id);
        let shown = self.registration_token(client_id, token);
        let kept = client.as_ref().and_then(|client| client.own.as_ref()).map_or([0; 32], |own| own.token);
        let is_own = verify_slices_are_equal(&shown, &kept).is_ok();
        let Some(client) = client.filter(|client| is_own && client.own.is_some()) else {
            event.reason = Some("not the registration access token of such a client".into());
            return Err(Refusal::Bearer);
        };
        event.client_id = Some(Arc::clone(&client.id));
        if client.disabled {
            return Err(Refusal::ClientDisabled);
        }
        Ok(client)
    }

    /// A changed client (RFC 7592 section 2.2): what is left out is gone.
    fn updated(
        &self,
        client: &Client,
        own: &OwnRegistration,
        asked: &Asked,
        by: &By,
        event: &mut Event,
    ) -> Result<Answered, Refusal> {
        let update = ClientMetadata::read_update(&asked.body, &client.id).map_err(|why| unacceptable(why, event))?;
        if let Some(secret) = &update.secret {
            let known = match &client.kind {
                Kind::ConfidentialSymmetric(secrets) => self.pepper.position(&client.id, secret.expose(), secrets),
                _ => None,
            };
            if known.is_none() {
                let description = "client_secret is not the client's";
                let error = MetadataError { code: ErrorCode::InvalidRequest, description: description.into() };
                return Err(unacceptable(error, event));
            }
        }
        let own = OwnRegistration { metadata: update.metadata, ..own.clone() };
        let new = self.fitting(own, client.id.to_string(), event)?;
        if new.kind.kind_name() != client.kind.kind_name() || new.is_app() != client.is_app() {
            let why = "the kind of a client and the way in which it proves who it is stay as they are";
            return Err(unacceptable(invalid(why), event));
        }
        let changed = |before: Client| {
            let kind = match (new.kind, before.kind) {
                // Its secrets are not its own to set.
                (Kind::ConfidentialSymmetric(_), kept) => kept,
                (new, _) => new,
            };
            Ok(Client {
                kind,
                created: before.created,
                disabled: before.disabled,
                introspects_any: before.introspects_any,
                standing: before.standing,
                origins: before.origins,
                // What the facility's people are offered is not the app's to say.
                intents: before.intents,
                // Nor is what it may act for.
                purposes_of_use: before.purposes_of_use,
                ..new
            })
        };
        let (after, recorded) =
            self.change_client(&client.id, by, changed).map_err(|why| self.refused_change(why, event))?;
        if let Some(crate::client::Keys::Url(url)) = client.kind.keys() {
            self.sources.forget(url);
        }
        // What it had by scopes that it no longer has.
        if scopes::beyond(&client.registered, &after.registered).is_some() {
            self.end_client(&client.id).map_err(|why| unavailable(&why.into()))?;
        }
        let Some(own) = &after.own else { return Err(Refusal::Unavailable) };
        let issued = self.issued(&after, update.secret, Some(&asked.token));
        Ok((outcome::uncached(&issued.answer(&own.metadata)), Some(recorded)))
    }

    /// The client of a registration, when it is acceptable and within its reach.
    fn fitting(&self, own: OwnRegistration, id: String, event: &mut Event) -> Result<Client, Refusal> {
        own::client(own, id, self.now(), &*self.enforceable).map_err(|why| match why {
            ClientError::Invalid(why) => unacceptable(invalid(why.to_string()), event),
            why => unavailable(&why),
        })
    }

    /// What is kept of a registration access token.
    fn registration_token(&self, client_id: &str, token: &Secret) -> [u8; 32] {
        self.pepper.of("registration-token", &[client_id.as_bytes(), token.expose().as_bytes()])
    }

    fn refused_change(&self, why: ClientError, event: &mut Event) -> Refusal {
        match why {
            ClientError::Invalid(why) => unacceptable(invalid(why.to_string()), event),
            // Removed meanwhile.
            ClientError::NotFound => Refusal::Bearer,
            ClientError::Unavailable(_) => unavailable(&why),
        }
    }

    fn issued<'a>(&self, client: &'a Client, secret: Option<Secret>, management: Option<&'a Secret>) -> Told<'a> {
        let url = format!("{}/{}", self.endpoints.register, client.id);
        Told { client, url, secret, management }
    }
}

/// What the client is told beside what it said itself.
struct Told<'a> {
    client: &'a Client,
    url: String,
    secret: Option<Secret>,
    management: Option<&'a Secret>,
}

impl Told<'_> {
    fn answer(&self, metadata: &ClientMetadata) -> Value {
        let issued = Issued {
            client_id: &self.client.id,
            issued_at_s: self.client.created.unix_seconds(),
            secret: self.secret.as_ref(),
            scope: &self.client.scope_text,
            management: self.management.map(|token| (self.url.as_str(), token)),
        };
        client_metadata::answer(metadata, &issued)
    }
}

fn invalid(why: impl Into<std::borrow::Cow<'static, str>>) -> MetadataError {
    MetadataError { code: ErrorCode::InvalidClientMetadata, description: why.into() }
}

/// The refusal of what it said; it is told what to change, the log too.
pub(super) fn unacceptable(why: MetadataError, event: &mut Event) -> Refusal {
    // SPEC: RFC 6749 section 5.2: the characters of a description.
    let legal = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    let description: String = why.description.chars().filter(legal).take(DESCRIPTION_CHARS_MAX).collect();
    event.reason = Some(description.clone());
    event.told = Some(description);
    Refusal::Metadata(why.code)
}

/// Characters of a description.
const DESCRIPTION_CHARS_MAX: usize = 500;

pub(super) fn unavailable(why: &ClientError) -> Refusal {
    if let ClientError::Unavailable(inner) = why {
        tracing::error!(why = inner, "a client could not be registered or changed");
    }
    Refusal::Unavailable
}

#[cfg(test)]
mod tests;
