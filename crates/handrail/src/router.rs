//! From path to pipeline: FHIR, authorization server, health; and the one place where an answer
//! leaves, which takes nothing but [`Audited`] ones and completes their headers.
//!
//! Before any of it: the host must be ours (row A24), and there must be room (row F66).

use crate::{
    answered::{self, Facts},
    cors::Cors,
    health::Health,
    limits,
    listener::{
        RequestBody,
        body::BodyError,
        peer::{NotLet, Peer},
        room::Work,
    },
    log::{self, access},
    metrics::Metrics,
    outcome::{self, Format, Outcome},
    security_headers::SecurityHeaders,
};
use audit::Audited;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body::Body as _;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use std::{collections::HashSet, net::IpAddr, sync::Arc};
use tokio::time::{Instant, timeout};

/// Everything that answers.
pub(crate) struct Router {
    /// The FHIR pipeline.
    pub(crate) rest: Arc<rest::Service>,
    /// The authorization server.
    pub(crate) authserver: Arc<authserver::Service>,
    /// Liveness and readiness.
    pub(crate) health: Health,
    /// Who may read answers from another origin.
    pub(crate) cors: Cors,
    /// Headers of every answer.
    pub(crate) security_headers: SecurityHeaders,
    /// Host names that are ours, in lower case, without port.
    pub(crate) hosts: HashSet<String>,
    /// Which requests get a log line.
    pub(crate) log: log::Settings,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// Log lines of failed handshakes.
    pub(crate) handshake_lines: log::sparing::Sparing,
}

/// Which part of the server a path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Live,
    Ready,
    Authserver,
    Fhir,
    Nowhere,
}

fn door(path: &str) -> Door {
    match path {
        "/livez" => Door::Live,
        "/readyz" => Door::Ready,
        _ if authserver::Service::owns(path) => Door::Authserver,
        "/fhir" => Door::Fhir,
        _ if path.starts_with("/fhir/") => Door::Fhir,
        _ => Door::Nowhere,
    }
}

impl Router {
    /// Answers a request.
    pub(crate) async fn answer(
        &self,
        peer: &Peer,
        work: &Work,
        request: Request<RequestBody>,
    ) -> Response<Full<Bytes>> {
        let started = Instant::now();
        let _in_flight = self.metrics.begin();
        let origin = request.headers().get(header::ORIGIN).cloned();
        let path = request.uri().path().to_owned();
        let (parts, body) = request.into_parts();
        let preflight = Cors::is_preflight(&parts);
        let answer = if preflight {
            Audited::public(outcome::response(Outcome::Preflight, Format::Fhir))
        } else {
            self.dispatch(peer, work, Request::from_parts(parts, body)).await
        };
        let mut response = self.leave(answer, &path, origin.as_ref(), preflight);
        let otherwise = match door(&path) {
            _ if preflight => "preflight",
            Door::Live | Door::Ready => "health",
            Door::Authserver => answered::endpoint(&path),
            Door::Fhir | Door::Nowhere => "none",
        };
        let facts = Facts::of(&mut response, otherwise);
        let (status, took) = (response.status().as_u16(), started.elapsed());
        let bytes = response.body().size_hint().exact().unwrap_or_default();
        self.metrics.answered(&facts, status, took, bytes);
        access::log(
            self.log.access,
            self.log.format,
            &access::Answered {
                request_id: facts.request_id.as_deref().unwrap_or_default(),
                interaction: facts.interaction,
                resource_type: facts.resource_type.map(fhir::ResourceType::name),
                status,
                refused: facts.refused,
                took,
                bytes,
                client: facts.client.as_deref(),
                peer: peer.address.ip(),
            },
        );
        response
    }

    async fn dispatch(
        &self,
        peer: &Peer,
        work: &Work,
        mut request: Request<RequestBody>,
    ) -> Audited<Response<Full<Bytes>>> {
        let door = door(request.uri().path());
        let format = if door == Door::Authserver { Format::OAuth } else { Format::Fhir };
        let own = |outcome| Audited::public(outcome::response(outcome, format));
        // Health comes first: probes name pods and addresses as host, and must work under load.
        match door {
            Door::Live | Door::Ready if !matches!(*request.method(), Method::GET | Method::HEAD) => {
                return own(Outcome::Method);
            }
            Door::Live => return own(Outcome::Live),
            Door::Ready if self.health.is_ready() => return own(Outcome::Ready),
            Door::Ready => return own(Outcome::NotReady),
            _ => {}
        }
        if !self.is_ours(&request) {
            return own(Outcome::WrongHost);
        }
        if work.begin().is_err() {
            return own(Outcome::Busy);
        }
        let address = peer.address.ip();
        let mut accepted = rest::wire::Accepted::new(address);
        match peer.presented(request.headers_mut()) {
            Ok(Some(presented)) => {
                accepted = accepted.with_certificate(presented.thumbprint);
                if door == Door::Fhir
                    && calls_by_itself(request.headers())
                    && let Some(principal) = self.authserver.certificate_principal(&presented)
                {
                    accepted = accepted.with_principal(principal);
                }
                request.extensions_mut().insert(presented);
            }
            Ok(None) => {}
            Err(why) => return self.not_let(why, address, format),
        }
        match door {
            Door::Fhir => self.rest.answer(accepted, request).await,
            Door::Authserver => {
                let (parts, body) = request.into_parts();
                match form(body).await {
                    Ok(body) => {
                        let answer = self.authserver.answer(address, Request::from_parts(parts, body)).await;
                        answer.map(|response| response.map(Full::new))
                    }
                    Err(refused) => own(refused),
                }
            }
            _ => own(Outcome::NotFound),
        }
    }

    /// The answer to a request whose certificate is not accepted, with its record.
    fn not_let(&self, why: NotLet, address: IpAddr, format: Format) -> Audited<Response<Full<Bytes>>> {
        let (outcome, word, thumbprint) = match why {
            NotLet::Unfit(why, thumbprint) => (Outcome::Certificate(why), why.word(), thumbprint),
            NotLet::Header => (Outcome::ForwardedCertificate, "certificate-header", None),
        };
        match self.authserver.certificate_refused(address, thumbprint.as_ref(), word) {
            Ok(receipt) => Audited::new(outcome::response(outcome, format), receipt),
            Err(why) => {
                tracing::error!(%why, "the refusal of a certificate could not be recorded");
                Audited::public(outcome::response(Outcome::Unrecorded, format))
            }
        }
    }

    /// INVARIANT: the only way to a socket, and it takes an audited answer.
    fn leave(
        &self,
        answer: Audited<Response<Full<Bytes>>>,
        path: &str,
        origin: Option<&HeaderValue>,
        preflight: bool,
    ) -> Response<Full<Bytes>> {
        let mut response = answer.into_inner();
        self.security_headers.apply(response.headers_mut());
        self.cors.apply(path, origin, preflight, response.headers_mut());
        response
    }

    /// Whether the request names us: the authority of HTTP/2 or an absolute URI, else the Host field.
    fn is_ours<B>(&self, request: &Request<B>) -> bool {
        let field = || request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let Some(authority) = request.uri().authority().map(http::uri::Authority::as_str).or_else(field) else {
            return false;
        };
        if authority.contains('@') {
            return false;
        }
        let Ok(authority) = authority.parse::<http::uri::Authority>() else { return false };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        self.hosts.contains(&host)
    }
}

/// Whether a certificate may count without a token here (row A10). Not where a browser sends the request: it shows its
/// person's certificate for any page that asks it to.
fn calls_by_itself(headers: &HeaderMap) -> bool {
    let of_browsers = ["origin", "referer", "cookie", "sec-fetch-site", "sec-fetch-mode"];
    !headers.contains_key(header::AUTHORIZATION) && of_browsers.iter().all(|name| !headers.contains_key(*name))
}

/// Reads the body of a request to the authorization server, within its limit and [`limits::FORM`]:
/// nobody is known yet who could be trusted to be slow.
async fn form(body: RequestBody) -> Result<Bytes, Outcome> {
    let body = Limited::new(body, authserver::limits::BODY_BYTES_MAX).collect();
    match timeout(limits::FORM, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(why)) if why.is::<LengthLimitError>() => Err(Outcome::TooLong),
        Ok(Err(why)) => match why.downcast_ref() {
            Some(BodyError::<hyper::Error>::Busy) => Err(Outcome::Busy),
            _ => Err(Outcome::TooSlow),
        },
        Err(_) => Err(Outcome::TooSlow),
    }
}
