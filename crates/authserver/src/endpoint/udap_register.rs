//! Clients of trust communities register themselves. SPEC: HL7 FHIR UDAP Security 2.0 section 3; rows D12 to D21, F16, F66.
//!
//! Signature and claims are looked at before anything is fetched; then the chain must lead to an anchor of a community
//! and hold, and the client's URI must stand in its certificate. One registration for each community and URI: it comes
//! again to change it, with an empty `grant_types` to cancel it. A change keeps the `client_id`.
//!
//! Left out: plain registration (RFC 7591), which has its own endpoint.

use super::{
    Outcome,
    register::{Answered, Registering, is_json, refused, unacceptable, unavailable},
};
use crate::{
    client::{Client, ClientError, NewClient, NewKind, Udap, check, scopes},
    event::Event,
    limits,
    outcome::{self, Refusal},
    random,
    registering::By,
    service::Inner,
    udap::{
        community::{Approval, Community},
        trust::Distrust,
    },
};
use audit::entry::Action;
use bytes::Bytes;
use http::Request;
use oauth::{
    client_metadata::MetadataError,
    discovery::GrantType,
    error::ErrorCode,
    scope::{
        Scope, ScopeContext,
        request::{ScopeRequest, Special, Wanted},
    },
    strict_json,
    udap::{
        certification,
        statement::{Registration, SoftwareStatement, Unverified},
    },
    x509::Certificate,
};
use serde_json::Value;
use std::{borrow::Cow, net::IpAddr, sync::Arc};

/// What a client hears that the operator has disabled.
const DISABLED: &str = "the operator of this server has disabled this client";

/// The event of a request, until it did what was asked for.
pub(crate) fn begun() -> Event {
    Event::new("client-registration-refused", Action::Create)
}

/// Answers a request.
pub(crate) async fn answer(inner: &Arc<Inner>, request: &Request<Bytes>, address: IpAddr) -> Registering {
    let mut event = begun();
    match registered(inner, request, address, &mut event).await {
        Ok((answer, recorded)) => Registering { outcome: Outcome { answer: Ok(answer), event }, recorded },
        Err(refusal) => refused(refusal, event),
    }
}

async fn registered(
    inner: &Arc<Inner>,
    request: &Request<Bytes>,
    address: IpAddr,
    event: &mut Event,
) -> Result<Answered, Refusal> {
    // Row D1: without a community there is no such endpoint.
    if inner.communities.is_empty() {
        return Err(Refusal::NotFound);
    }
    let body = read(request, event)?;
    let now_s = inner.now().unix_seconds();
    let invalid =
        |why: &dyn std::fmt::Display, code, event: &mut Event| unacceptable(said(code, why.to_string()), event);
    let unverified = Unverified::parse(&body.statement).map_err(|why| invalid(&why, why.code(), event))?;
    event.detail("uri", unverified.uri());
    // Row D9: with the key of the first certificate; whether that is anybody's, is seen right after.
    let leaf = leaf(unverified.x5c()).map_err(|why| invalid(&why, ErrorCode::InvalidSoftwareStatement, event))?;
    let statement = unverified
        .verify(leaf.key(), &inner.endpoints.udap_register, now_s)
        .map_err(|why| invalid(&why, why.code(), event))?;
    let (community, x5c) = (vouched(inner, unverified.x5c(), &statement.uri, event).await?, unverified.x5c().to_vec());
    event.detail("community", &community.uri);
    if let Some(registration) = &statement.registration {
        certified(inner, &community, &body.certifications, &statement.uri, registration).await.map_err(
            |why| match why {
                Uncertified::Busy => busy(event),
                Uncertified::Said(why) => invalid(&why, ErrorCode::UnapprovedSoftwareStatement, event),
            },
        )?;
    }
    let working = Arc::clone(inner);
    let mut going_on = event.clone();
    // Changes wait for the disk.
    let done = tokio::task::spawn_blocking(move || {
        let asked = Asked { statement, community, x5c, address };
        let done = working.of_community(&asked, &mut going_on);
        (done, going_on)
    });
    let (done, going_on) = done.await.map_err(|_| Refusal::Unavailable)?;
    *event = going_on;
    done
}

/// What was sent, as far as JSON goes.
struct Body {
    statement: String,
    certifications: Vec<String>,
}

fn read(request: &Request<Bytes>, event: &mut Event) -> Result<Body, Refusal> {
    if request.body().len() > limits::BODY_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    if !is_json(request) {
        return Err(Refusal::JsonType);
    }
    let metadata =
        |why: &'static str, event: &mut Event| unacceptable(said(ErrorCode::InvalidClientMetadata, why), event);
    let members = strict_json::object(request.body());
    let mut members = members.map_err(|_| metadata("the body is not a JSON object, or a member comes twice", event))?;
    // Row D13.
    if members.get("udap").and_then(Value::as_str) != Some("1") {
        return Err(metadata("udap must be \"1\"", event));
    }
    let Some(Value::String(statement)) = members.remove("software_statement") else {
        let why = said(ErrorCode::InvalidSoftwareStatement, "software_statement is missing");
        return Err(unacceptable(why, event));
    };
    let certifications = match members.remove("certifications") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list.into_iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        Some(_) => return Err(metadata("certifications must be a list", event)),
    };
    Ok(Body { statement, certifications })
}

fn said(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> MetadataError {
    MetadataError { code, description: description.into() }
}

/// The signer's certificate.
fn leaf(x5c: &[Vec<u8>]) -> Result<Certificate, String> {
    let der = x5c.first().ok_or_else(|| "there is no certificate".to_owned())?;
    Certificate::read(der).map_err(|why| format!("the first certificate of x5c: {why}"))
}

/// The community that vouches for these certificates as this URI's: the first one to whose anchors they lead.
async fn vouched(inner: &Inner, x5c: &[Vec<u8>], uri: &str, event: &mut Event) -> Result<Arc<Community>, Refusal> {
    let mut why = None;
    for community in inner.communities.all() {
        match inner.trust.vouched(&community, x5c, uri).await {
            Ok(_) => return Ok(community),
            Err(chain @ Distrust::Chain(_)) => why = why.or(Some(chain)),
            Err(other) => {
                why = Some(other);
                break;
            }
        }
    }
    if why == Some(Distrust::Busy) {
        return Err(busy(event));
    }
    // Row D17: what contradicts itself is invalid, what is merely not trusted is not approved.
    let refusal = match &why {
        Some(Distrust::San) => {
            said(ErrorCode::InvalidSoftwareStatement, "iss is not among the URIs of the certificate, to the letter")
        }
        Some(Distrust::Chain(why)) if why.is_malformed() => {
            said(ErrorCode::InvalidSoftwareStatement, "the certificates of x5c are malformed or not within their time")
        }
        _ => said(
            ErrorCode::UnapprovedSoftwareStatement,
            "the certificates are not those of a community that is trusted here",
        ),
    };
    let refusal = unacceptable(refusal, event);
    if let Some(why) = why {
        event.word = Some(why.word());
        event.reason = Some(why.to_string());
    }
    Err(refusal)
}

/// Nothing was said of the certificates, for so many ask at once: the same statement may come again.
fn busy(event: &mut Event) -> Refusal {
    event.word = Some(Distrust::Busy.word());
    event.reason = Some(Distrust::Busy.to_string());
    Refusal::Unavailable
}

/// Why a client is not certified as its community asks.
enum Uncertified {
    Said(String),
    Busy,
}

/// Row D20: what the community asks for is certified; all else is not looked at.
async fn certified(
    inner: &Inner,
    community: &Community,
    certifications: &[String],
    uri: &str,
    registration: &Registration,
) -> Result<(), Uncertified> {
    let mut missing: Vec<&str> = community.certifications.iter().map(|uri| &**uri).collect();
    let mut amiss = None;
    for text in certifications.iter().take(limits::CERTIFICATIONS_MAX) {
        let Ok(unverified) = certification::Unverified::parse(text) else { continue };
        if !unverified.uris().iter().any(|uri| missing.contains(&uri.as_str())) {
            continue;
        }
        let now_s = inner.now().unix_seconds();
        let good = leaf(unverified.x5c())
            .and_then(|leaf| unverified.verify(leaf.key(), uri, registration, now_s).map_err(|why| why.to_string()));
        let certification = match good {
            Ok(certification) => certification,
            Err(why) => {
                amiss = Some(why);
                continue;
            }
        };
        match inner.trust.vouched(community, unverified.x5c(), &certification.issuer).await {
            Ok(_) => missing.retain(|uri| !certification.uris.iter().any(|certified| certified == uri)),
            Err(Distrust::Busy) => return Err(Uncertified::Busy),
            Err(why) => {
                tracing::info!(%why, "the certifier of a client is not trusted");
                amiss = Some("certification: its certificates are not trusted here".to_owned());
            }
        }
    }
    match missing.first() {
        None => Ok(()),
        Some(uri) => {
            let why = amiss.unwrap_or_else(|| format!("the community asks for a certification: {uri}"));
            Err(Uncertified::Said(why))
        }
    }
}

/// A statement that its community vouches for.
struct Asked {
    statement: SoftwareStatement,
    community: Arc<Community>,
    x5c: Vec<Vec<u8>>,
    address: IpAddr,
}

impl Inner {
    /// Registers, changes or cancels. Blocks on the disk.
    fn of_community(&self, asked: &Asked, event: &mut Event) -> Result<Answered, Refusal> {
        let Asked { statement, community, .. } = asked;
        let (uri, by) = (statement.uri.as_str(), By::Community(statement.uri.as_str().into(), asked.address));
        // Row D12.
        let until_s = statement.replayable_until_s();
        let is_first = self.assertions.use_statement_once(uri, statement.jti(), until_s, self.now().unix_seconds());
        if !is_first.map_err(|why| unavailable(&why.into()))? {
            let why = said(ErrorCode::InvalidSoftwareStatement, "the software statement was used before");
            return Err(unacceptable(why, event));
        }
        let before = self.clients.of_uri(&community.uri, uri);
        // Who was disabled here is not back by coming again.
        if before.as_ref().is_some_and(|client| client.disabled) {
            return Err(unacceptable(said(ErrorCode::UnapprovedSoftwareStatement, DISABLED), event));
        }
        let Some(registration) = &statement.registration else {
            let Some(before) = before else {
                let why = said(ErrorCode::InvalidClientMetadata, "there is no registration to be cancelled");
                return Err(unacceptable(why, event));
            };
            let recorded = self.remove_client(&before.id, &by).map_err(|why| unavailable(&why))?;
            event.client_id = Some(Arc::clone(&before.id));
            return Ok((outcome::uncached(&statement.answer(&before.id, "")), Some(recorded)));
        };
        let scope = grantable(self, community, registration).map_err(|why| unacceptable(why, event))?;
        let id = random::name().map_err(|_| Refusal::Unavailable)?;
        let mut code = ErrorCode::InvalidClientMetadata;
        let mut replaced = None;
        let made = |before: Option<&Client>, others: usize| {
            if before.is_none() && others >= community.registrations_max {
                code = ErrorCode::UnapprovedSoftwareStatement;
                return Err(ClientError::Invalid("the community has as many clients here as it may".into()));
            }
            // Meanwhile, perhaps.
            if before.is_some_and(|before| before.disabled) {
                code = ErrorCode::UnapprovedSoftwareStatement;
                return Err(ClientError::Invalid(DISABLED.into()));
            }
            // Row D18.
            if before.is_some_and(|before| before.is_app() != registration.is_app()) {
                let why = "to change between authorization_code and client_credentials, cancel the registration first";
                return Err(ClientError::Invalid(why.into()));
            }
            let id = before.map_or(id, |before| before.id.to_string());
            let client = client(self, asked, registration, &scope, id, before)?;
            replaced = before.cloned();
            Ok(client)
        };
        let (client, recorded) =
            self.register_of_community(&community.uri, uri, made, &by).map_err(|why| match why {
                ClientError::Invalid(why) => unacceptable(said(code, why.to_string()), event),
                why => unavailable(&why),
            })?;
        event.client_id = Some(Arc::clone(&client.id));
        let answer = statement.answer(&client.id, &client.scope_text);
        let Some(replaced) = replaced else { return Ok((outcome::created(&answer), Some(recorded))) };
        // What it had by scopes that it no longer has, or before it must wait again.
        let lost = scopes::beyond(&replaced.registered, &client.registered).is_some() || !client.is_approved();
        if lost {
            self.end_client(&client.id).map_err(|why| unavailable(&why.into()))?;
        }
        Ok((outcome::uncached(&answer), Some(recorded)))
    }
}

/// The client of a registration, in the place of what it was.
fn client(
    inner: &Inner,
    asked: &Asked,
    registration: &Registration,
    scope: &str,
    id: String,
    before: Option<&Client>,
) -> Result<Client, ClientError> {
    let Asked { statement, community, x5c, .. } = asked;
    let udap = Udap {
        community: Arc::clone(&community.uri),
        uri: statement.uri.as_str().into(),
        x5c: x5c.as_slice().into(),
        contacts: registration.contacts.as_slice().into(),
        refreshes: registration.grants.contains(&GrantType::RefreshToken),
        is_approved: true,
        suspended: None,
    };
    let new = NewClient {
        // Who it is, as its certificate proves it: people see it beside the name.
        maker: Some(statement.uri.chars().take(limits::CLIENT_NAME_BYTES_MAX).collect()),
        logo: registration.logo.clone(),
        redirect_uris: registration.redirect_uris.iter().map(|uri| uri.as_str().to_owned()).collect(),
        ..NewClient::new(&registration.name, scope, NewKind::Udap(udap))
    };
    let mut client =
        Client::register(&new, id, before.map_or(inner.now(), |before| before.created), &*inner.enforceable)?;
    let is_agreed = match community.approval {
        Approval::Open => true,
        // What the operator agreed to, and no more.
        Approval::Operator => before.is_some_and(|before| before.is_approved() && is_within(&client, before)),
    };
    if let crate::client::Kind::Udap(udap) = &mut client.kind {
        udap.is_approved = is_agreed;
    }
    Ok(client)
}

/// Whether a changed client asks for nothing that it did not have, and looks the same to people.
fn is_within(client: &Client, before: &Client) -> bool {
    scopes::beyond(&client.registered, &before.registered).is_none()
        && client.redirect_uris.iter().all(|uri| before.redirect_uris.contains(uri))
        && (&client.name, &client.logo) == (&before.name, &before.logo)
}

/// What of the scopes can be registered: what this server can enforce, of the kind that fits. SPEC: section 3.2.3: the
/// scopes may differ; rows D15, D17, D31: a wildcard that is not offered, or nothing left, is an error.
fn grantable(inner: &Inner, community: &Community, registration: &Registration) -> Result<String, MetadataError> {
    let invalid = |why: &'static str| said(ErrorCode::InvalidClientMetadata, why);
    let wanted = ScopeRequest::parse(&registration.scope).map_err(|_| invalid("too many or too long scopes"))?;
    let offered: Vec<Scope> = inner.offer.scopes.iter().filter_map(|text| Scope::parse(text).ok()).collect();
    let is_offered = |scope: &Scope| offered.iter().any(|wider| wider.covers(scope));
    let mut wildcards = wanted.resources().filter(|scope| scope.resource_type.is_none());
    if !wildcards.all(is_offered) || wanted.unknown().iter().any(|text| text.contains('*')) {
        return Err(invalid("scope has a wildcard that is not among scopes_supported"));
    }
    let is_app = registration.is_app();
    let refreshes = registration.grants.contains(&GrantType::RefreshToken);
    let identifies = wanted.asks(&Special::OpenId);
    let fits = |wanted: &Wanted| match wanted {
        Wanted::Resource(scope) => {
            (scope.context == ScopeContext::System) != is_app && check::usable(scope, &*inner.enforceable).is_ok()
        }
        Wanted::Special(_) if !is_app => false,
        Wanted::Special(Special::OfflineAccess | Special::OnlineAccess) => refreshes,
        Wanted::Special(Special::FhirUser) => identifies,
        // Nobody opens it from here.
        Wanted::Special(Special::Launch) => false,
        Wanted::Special(Special::Udap) => community.identity_providers,
        Wanted::Special(Special::LaunchType { resource_type, .. }) => scopes::LAUNCH_TYPES.contains(&&**resource_type),
        Wanted::Special(Special::OpenId | Special::Profile) => true,
    };
    let kept: Vec<&str> = wanted.wanted().iter().filter(|(_, wanted)| fits(wanted)).map(|(text, _)| &**text).collect();
    if kept.is_empty() {
        return Err(invalid("none of the scopes can be given to this kind of client"));
    }
    Ok(kept.join(" "))
}

#[cfg(test)]
mod tests;
