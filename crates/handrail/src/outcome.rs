//! Answers that the binary gives itself, before or beside the FHIR and authorization pipelines:
//! health, preflight, wrong door, wrong host, too much, no certificate. The only file of this crate with status codes.
//!
//! None of them tells of a person, so none needs an audit record; refused certificates have one all the same.

use crate::tls::client::Unfit;
use bytes::Bytes;
use fhir::issue::{Issue, IssueType, operation_outcome};
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// What the binary answers by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The process runs.
    Live,
    /// Requests are taken.
    Ready,
    /// Requests are not taken: the store or the audit log fails, or the server stops.
    NotReady,
    /// An answer to a CORS preflight.
    Preflight,
    /// Not a path of this server.
    NotFound,
    /// Not a method of a health endpoint.
    Method,
    /// Not a host name of this server (row A24).
    WrongHost,
    /// More requests in flight than the server works on.
    Busy,
    /// A form longer than the authorization server reads.
    TooLong,
    /// A form that came too slowly or broke off.
    TooSlow,
    /// The client's certificate counts for nothing now, or is missing where one is required (rows A6, A11).
    Certificate(Unfit),
    /// A trusted proxy's header of a client's certificate cannot be read (row A9).
    ForwardedCertificate,
    /// What had to be recorded could not be (row F25).
    Unrecorded,
}

/// Why one of these is a refusal, as one word: an extension of its response, for log lines and metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused(pub(crate) &'static str);

const fn word(outcome: Outcome) -> Option<Refused> {
    match outcome {
        Outcome::Live | Outcome::Ready | Outcome::Preflight => None,
        Outcome::NotReady => Some(Refused("not-ready")),
        Outcome::NotFound => Some(Refused("not-found")),
        Outcome::Method => Some(Refused("request")),
        Outcome::WrongHost => Some(Refused("wrong-host")),
        Outcome::Busy => Some(Refused("busy")),
        Outcome::TooLong => Some(Refused("too-long")),
        Outcome::TooSlow => Some(Refused("too-slow")),
        Outcome::Certificate(why) => Some(Refused(why.word())),
        Outcome::ForwardedCertificate => Some(Refused("certificate-header")),
        Outcome::Unrecorded => Some(Refused("audit-unavailable")),
    }
}

/// Which error format the path speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// OperationOutcome.
    Fhir,
    /// RFC 6749 section 5.2.
    OAuth,
}

/// Makes the answer.
pub(crate) fn response(outcome: Outcome, format: Format) -> Response<Full<Bytes>> {
    let mut response = answer(outcome, format);
    word(outcome).map(|refused| response.extensions_mut().insert(refused));
    response
}

fn answer(outcome: Outcome, format: Format) -> Response<Full<Bytes>> {
    let (status, issue, text) = match outcome {
        Outcome::Live => return plain(StatusCode::OK, "live\n"),
        Outcome::Ready => return plain(StatusCode::OK, "ready\n"),
        Outcome::NotReady => return plain(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        Outcome::Preflight => return with(StatusCode::NO_CONTENT, None, Bytes::new()),
        Outcome::NotFound => (StatusCode::NOT_FOUND, IssueType::NotFound, "nothing here; the FHIR base is /fhir"),
        Outcome::Method => (StatusCode::METHOD_NOT_ALLOWED, IssueType::NotSupported, "use GET"),
        Outcome::WrongHost => (
            StatusCode::MISDIRECTED_REQUEST,
            IssueType::NotFound,
            "this server does not answer to that host name; see base_url and allowed_hosts in its configuration",
        ),
        Outcome::Busy => (StatusCode::SERVICE_UNAVAILABLE, IssueType::Throttled, "the server is busy; try again"),
        Outcome::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, IssueType::TooLong, "the request body is too long"),
        Outcome::TooSlow => (StatusCode::REQUEST_TIMEOUT, IssueType::Timeout, "the request body came too slowly"),
        Outcome::Certificate(Unfit::None) => {
            (StatusCode::FORBIDDEN, IssueType::Security, "a client certificate is required here")
        }
        Outcome::Certificate(_) => {
            (StatusCode::FORBIDDEN, IssueType::Security, "the client certificate is not accepted")
        }
        Outcome::ForwardedCertificate => {
            (StatusCode::BAD_REQUEST, IssueType::Invalid, "the proxy's header of the client certificate cannot be read")
        }
        Outcome::Unrecorded => (StatusCode::SERVICE_UNAVAILABLE, IssueType::Transient, "the server cannot answer now"),
    };
    let (content_type, body) = match format {
        Format::Fhir => ("application/fhir+json;charset=utf-8", operation_outcome(&[Issue::error(issue, text)])),
        Format::OAuth => {
            let code = match outcome {
                Outcome::Busy | Outcome::Unrecorded => "temporarily_unavailable",
                Outcome::Certificate(_) => "invalid_client",
                _ => "invalid_request",
            };
            let body = serde_json::json!({ "error": code, "error_description": text });
            ("application/json", body.to_string().into_bytes())
        }
    };
    let mut response = with(status, Some(content_type), body.into());
    match outcome {
        Outcome::Busy => {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        Outcome::Method => {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        _ => {}
    }
    response
}

/// What the listener of the metrics answers.
#[derive(Debug)]
pub(crate) enum Scraped {
    /// The page.
    Page(String),
    /// The page could not be made.
    Failed,
    /// Not a method of the page.
    Method,
    /// Another path.
    Elsewhere,
}

/// The response of the metrics listener. SPEC: Prometheus exposition format 0.0.4.
pub(crate) fn metrics(scraped: Scraped) -> Response<Full<Bytes>> {
    const PAGE: &str = "text/plain; version=0.0.4; charset=utf-8";
    let mut response = match scraped {
        Scraped::Page(page) => with(StatusCode::OK, Some(PAGE), page.into()),
        Scraped::Failed => plain(StatusCode::INTERNAL_SERVER_ERROR, "the page could not be made\n"),
        Scraped::Method => plain(StatusCode::METHOD_NOT_ALLOWED, "use GET\n"),
        Scraped::Elsewhere => plain(StatusCode::NOT_FOUND, "metrics are at /metrics; FHIR is served elsewhere\n"),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

/// What a lab community publishes.
#[derive(Debug)]
pub(crate) enum Published {
    /// A revocation list, and the seconds that it counts still.
    List(Bytes, u64),
    /// A certificate.
    Certificate(Bytes),
    /// An OCSPResponse, and the seconds that others may be given it.
    Answer(Bytes, Option<u64>),
    /// What was sent is too long, too slow or broken off.
    Unread,
    /// Not a method of this path.
    Method,
    /// Another path.
    Elsewhere,
    /// It could not be made.
    Failed,
}

/// The response of a lab community. SPEC: RFC 2585 section 4, RFC 6960 appendix A, RFC 5019 section 6.
pub(crate) fn published(published: Published) -> Response<Full<Bytes>> {
    let aged = |seconds: u64| HeaderValue::try_from(format!("max-age={seconds}, public, no-transform"));
    let (mut response, life_s) = match published {
        Published::List(der, life_s) => (with(StatusCode::OK, Some("application/pkix-crl"), der), Some(life_s)),
        Published::Certificate(der) => (with(StatusCode::OK, Some("application/pkix-cert"), der), Some(3600)),
        Published::Answer(der, life_s) => (with(StatusCode::OK, Some("application/ocsp-response"), der), life_s),
        Published::Unread => (plain(StatusCode::PAYLOAD_TOO_LARGE, "too long or too slow\n"), None),
        Published::Method => (plain(StatusCode::METHOD_NOT_ALLOWED, "use GET\n"), None),
        Published::Elsewhere => {
            (plain(StatusCode::NOT_FOUND, "root.crl, ca.crl, ca-delta.crl, ocsp, root.cer, ca.cer\n"), None)
        }
        Published::Failed => (plain(StatusCode::INTERNAL_SERVER_ERROR, "it could not be made\n"), None),
    };
    let is_method = response.status() == StatusCode::METHOD_NOT_ALLOWED;
    let headers = response.headers_mut();
    let life = life_s.and_then(|seconds| aged(seconds).ok());
    headers.insert(header::CACHE_CONTROL, life.unwrap_or(HeaderValue::from_static("no-store")));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if is_method {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    with(status, Some("text/plain;charset=utf-8"), Bytes::from_static(text.as_bytes()))
}

fn with(status: StatusCode, content_type: Option<&'static str>, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}
