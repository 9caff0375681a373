//! The door: limits first, then the endpoint, then the record of the answer. SPEC: rows A24, B46, F16, F66.

use crate::{
    brands,
    endpoint::{self, Outcome, Posted},
    event::Event,
    limits,
    outcome::{self, Refusal},
    random,
    rate::address_key,
    registering::Recorded,
    routes::{self, Endpoint},
    service::{Inner, Service},
};
use audit::{
    Audited,
    entry::{Action, Entry},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use oauth::form::Form;
use std::{net::IpAddr, sync::Arc};

/// What an operator may know of an answered request, for log lines and metrics: an extension of every
/// response to a form. No token, no assertion, nothing that the request brought.
#[derive(Debug, Clone)]
pub struct Answered {
    /// As in `X-Request-Id` and in the audit entry; empty when there is no entry.
    pub request_id: Arc<str>,
    /// The client, when it proved who it is.
    pub client_id: Option<Arc<str>>,
    /// Why it was refused, as one word.
    pub refused: Option<&'static str>,
}

impl Service {
    /// Whether this path is the authorization server's.
    #[must_use]
    pub fn owns(path: &str) -> bool {
        routes::owns(path)
    }

    /// Answers a request of a path that it owns; must be called within a tokio runtime. `address` is the peer's. The
    /// body is whole; reading no more of it than [`limits::BODY_BYTES_MAX`] and one byte is the caller's part.
    pub async fn answer(&self, address: IpAddr, request: Request<Bytes>) -> Audited<Response<Bytes>> {
        if endpoint::account::owns(request.uri().path()) {
            return endpoint::account::answer(&self.inner, address, request).await;
        }
        if endpoint::authorize::owns(request.uri().path()) {
            return endpoint::authorize::answer(&self.inner, address, request).await;
        }
        let Some(route) = routes::route(request.uri().path()) else {
            return Audited::public(outcome::refused(Refusal::NotFound));
        };
        let is_head = request.method() == Method::HEAD;
        let document = match (route.endpoint, request.method()) {
            (Endpoint::Token | Endpoint::Introspect | Endpoint::Revoke | Endpoint::PushedRequest, &Method::POST) => {
                return self.posted(route.endpoint, address, request).await;
            }
            (Endpoint::UserInfo, &Method::GET | &Method::POST)
            | (Endpoint::Register | Endpoint::UdapRegister, &Method::POST)
            | (Endpoint::Registration, &Method::GET | &Method::PUT | &Method::DELETE) => {
                return self.posted(route.endpoint, address, request).await;
            }
            (Endpoint::Jwks, &Method::GET | &Method::HEAD) => endpoint::jwks::answer(&self.inner),
            (Endpoint::AuthorizationServer, &Method::GET | &Method::HEAD) => {
                endpoint::discovery::authorization_server(&self.inner)
            }
            (Endpoint::Brands, &Method::GET | &Method::HEAD) => brands::answer(&self.inner, request.headers()),
            (Endpoint::OpenIdConfiguration, &Method::GET | &Method::HEAD) => {
                endpoint::discovery::openid_configuration(&self.inner)
            }
            (Endpoint::SmartConfiguration, &Method::GET | &Method::HEAD) => {
                endpoint::discovery::smart_configuration(&self.inner)
            }
            (Endpoint::Udap, &Method::GET | &Method::HEAD) => {
                endpoint::udap_discovery::answer(&self.inner, request.uri().query())
            }
            _ => outcome::refused(Refusal::Method(route.allow)),
        };
        Audited::public(if is_head { document.map(|_| Bytes::new()) } else { document })
    }

    /// A request that somebody answers for: limits first, then the endpoint, then the record.
    async fn posted(&self, endpoint: Endpoint, address: IpAddr, request: Request<Bytes>) -> Audited<Response<Bytes>> {
        let inner = &self.inner;
        let begun = || match endpoint {
            Endpoint::UserInfo => endpoint::userinfo::begun(),
            Endpoint::Register | Endpoint::Registration => endpoint::register::begun(request.method()),
            Endpoint::UdapRegister => endpoint::udap_register::begun(),
            Endpoint::Introspect => Event::new("token-introspected", Action::Execute),
            Endpoint::Revoke => Event::new("token-revoked", Action::Execute),
            Endpoint::PushedRequest => Event::new("authorization-refused", Action::Execute),
            _ => Event::new("token-refused", Action::Execute),
        };
        let is_registration = matches!(endpoint, Endpoint::Register | Endpoint::Registration | Endpoint::UdapRegister);
        let (key, now_ms) = (address_key(address), inner.now().unix_millis());
        let taken = inner.address_rate.take(key, now_ms);
        let taken =
            if is_registration { taken.and_then(|()| inner.registration_rate.take(key, now_ms)) } else { taken };
        if let Err(limited) = taken {
            let refusal = Refusal::TooMany(limited.retry_after_s);
            // A flood is recorded once, not request by request.
            if !limited.first {
                let mut response = outcome::refused(refusal);
                let refused = Some(outcome::word(refusal));
                response.extensions_mut().insert(Answered { request_id: "".into(), client_id: None, refused });
                return Audited::public(response);
            }
            let mut event = begun();
            event.reason = Some("too many requests from this address".into());
            return inner.recorded(Outcome::refused(refusal, event), address);
        }
        if is_registration {
            let registering = match endpoint {
                Endpoint::UdapRegister => endpoint::udap_register::answer(inner, &request, address).await,
                _ => endpoint::register::answer(inner, &request, address).await,
            };
            return match registering.recorded {
                Some(recorded) => Inner::recorded_before(registering.outcome, recorded),
                None => inner.recorded(registering.outcome, address),
            };
        }
        let shows_proof = request.headers().contains_key("dpop");
        let outcome = match endpoint {
            Endpoint::UserInfo => endpoint::userinfo::answer(inner, &request),
            _ => match read(&request) {
                Err(refusal) => Outcome::refused(refusal, begun()),
                Ok(posted) => match endpoint {
                    Endpoint::Introspect => endpoint::introspect::answer(inner, posted).await,
                    Endpoint::Revoke => endpoint::revoke::answer(inner, posted).await,
                    Endpoint::PushedRequest => endpoint::authorize::pushed::answer(inner, posted, request.body()).await,
                    _ => endpoint::token::answer(inner, posted).await,
                },
            },
        };
        let answer = inner.recorded(outcome, address);
        // SPEC: RFC 9449 section 8: whoever uses DPoP gets the nonce for the next proof.
        let nonce = shows_proof.then(|| HeaderValue::from_str(&inner.proofs.nonce(inner.now().unix_seconds())).ok());
        answer.map(|mut response| {
            if let Some(nonce) = nonce.flatten() {
                response.headers_mut().insert("dpop-nonce", nonce);
            }
            response
        })
    }
}

impl Inner {
    /// The answer of an outcome, once its entry stands. Without the record there is no answer but 503 (row F25); a
    /// token that was issued for it is known to nobody and ends by itself.
    fn recorded(&self, outcome: Outcome, address: IpAddr) -> Audited<Response<Bytes>> {
        let request_id: Arc<str> = random::name().unwrap_or_default().into();
        let refusal = outcome.answer.as_ref().err().copied();
        let answered = Answered {
            request_id: Arc::clone(&request_id),
            client_id: outcome.event.client_id.clone(),
            refused: refusal.map(|refusal| outcome.event.word.unwrap_or_else(|| outcome::word(refusal))),
        };
        let told = outcome.event.told.clone();
        let entry = outcome.event.entry(refusal, self.now(), Some(address), request_id);
        let response = outcome.answer.unwrap_or_else(|refusal| outcome::refused_saying(refusal, told.as_deref()));
        self.once_recorded(&entry, response, answered, || outcome::refused(Refusal::Unavailable))
    }

    /// The response, once its entry stands; without the entry there is none but `otherwise` (row F25).
    pub(crate) fn once_recorded(
        &self,
        entry: &Entry,
        mut response: Response<Bytes>,
        mut answered: Answered,
        otherwise: impl FnOnce() -> Response<Bytes>,
    ) -> Audited<Response<Bytes>> {
        match self.recorder.record(entry) {
            Ok(receipt) => {
                if let Ok(value) = HeaderValue::from_str(&answered.request_id) {
                    response.headers_mut().insert("x-request-id", value);
                }
                response.extensions_mut().insert(answered);
                Audited::new(response, receipt)
            }
            Err(why) => {
                tracing::error!(%why, "an answer of the authorization server was held back");
                let mut response = otherwise();
                answered.refused = Some("audit-unavailable");
                response.extensions_mut().insert(answered);
                Audited::public(response)
            }
        }
    }
}

impl Inner {
    /// The answer of what did something whose entry stands already.
    fn recorded_before(outcome: Outcome, recorded: Recorded) -> Audited<Response<Bytes>> {
        let Recorded { receipt, request_id } = recorded;
        let mut response = outcome.answer.unwrap_or_else(outcome::refused);
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("x-request-id", value);
        }
        response.extensions_mut().insert(Answered { request_id, client_id: outcome.event.client_id, refused: None });
        Audited::new(response, receipt)
    }
}

/// What HTTP asks of a form request: size, type, one `Authorization` field at most.
pub(crate) fn read(request: &Request<Bytes>) -> Result<Posted, Refusal> {
    if request.body().len() > limits::BODY_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    if !is_form(request.headers()) {
        return Err(Refusal::MediaType);
    }
    let authorization = only(request.headers(), header::AUTHORIZATION, Refusal::SeveralCredentials)?;
    let dpop = only(request.headers(), header::HeaderName::from_static("dpop"), Refusal::DpopProof)?;
    let form = Form::parse(request.body()).map_err(|_| Refusal::Form)?;
    // Made by the listener, never by the request.
    let certificate = request.extensions().get().cloned();
    Ok(Posted { form, authorization, certificate, dpop })
}

/// As [`read`] for forms of our own pages in which a field may come more than once, as the choices of a consent do.
pub(crate) fn read_choices(request: &Request<Bytes>) -> Result<Form, Refusal> {
    if request.body().len() > limits::BODY_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    if !is_form(request.headers()) {
        return Err(Refusal::MediaType);
    }
    Form::parse_choices(request.body()).map_err(|_| Refusal::Form)
}

/// The value of a field that may come once.
pub(crate) fn only(headers: &HeaderMap, name: header::HeaderName, several: Refusal) -> Result<Option<String>, Refusal> {
    let mut fields = headers.get_all(name).iter();
    match (fields.next(), fields.next()) {
        (None, _) => Ok(None),
        (Some(field), None) => Ok(Some(field.to_str().map_err(|_| several)?.to_owned())),
        (Some(_), Some(_)) => Err(several),
    }
}

/// Exactly one `Content-Type`, which is a form's; a charset may stand behind it, as browsers write it.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let mut fields = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return false;
    };
    let essence = field.to_str().ok().and_then(|text| text.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
