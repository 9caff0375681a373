//! Statuses of pages for people. SPEC: RFC 9110 section 15; rows A18, B26, F66.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use oauth::secret::Secret;

/// What the browser has is as it was.
pub(crate) fn not_modified() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

/// How a page is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    /// As what was asked for.
    Shown,
    /// Something that was typed is not taken; the page says what.
    NotTaken,
    /// Not who they say, or not from a page of ours.
    Refused,
    /// There is no such page, or no longer.
    NotFound,
    /// The path does not have the method; the value of `Allow`.
    Method(&'static str),
    /// Over the body limit.
    TooLarge,
    /// Not a form.
    MediaType,
    /// Too often; seconds to wait.
    TooMany(u64),
    /// The server cannot do it at the moment.
    Unavailable,
    /// On to this path of this server: what was sent is done and need not be sent again.
    SeeOther(String),
    /// On to an app; the address is a secret.
    ToApp,
}

/// Seconds after which an unavailable server may be asked again.
const RETRY_S: u64 = 5;

impl Sent {
    /// The status.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Shown => StatusCode::OK,
            Self::NotTaken => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Refused => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::SeeOther(_) | Self::ToApp => StatusCode::SEE_OTHER,
        }
    }

    /// The fields that go with it.
    pub(crate) fn fields(&self, headers: &mut HeaderMap) {
        match self {
            Self::Method(allow) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allow));
            }
            Self::TooMany(seconds) => {
                headers.insert(header::RETRY_AFTER, (*seconds).into());
            }
            Self::Unavailable => {
                headers.insert(header::RETRY_AFTER, RETRY_S.into());
            }
            Self::SeeOther(path) => {
                if let Ok(path) = HeaderValue::from_str(path) {
                    headers.insert(header::LOCATION, path);
                }
            }
            _ => {}
        }
    }

    /// As one word, for metrics and log lines; `None` when nothing was refused.
    pub(crate) const fn word(&self) -> Option<&'static str> {
        match self {
            Self::Shown | Self::SeeOther(_) | Self::ToApp => None,
            Self::NotTaken => Some("not-taken"),
            Self::Refused => Some("sign-in"),
            Self::NotFound | Self::Method(_) | Self::MediaType => Some("request"),
            Self::TooLarge => Some("too-long"),
            Self::TooMany(_) => Some("throttled"),
            Self::Unavailable => Some("unavailable"),
        }
    }
}

/// What became of a FHIR request that a page made.
pub(crate) enum Written {
    /// It is done.
    Done,
    /// Another version stood there: somebody was first.
    Late,
    /// Not for this person.
    Refused,
    /// It was not done, with this status.
    Failed(StatusCode),
}

impl Written {
    /// Of the service's answer. SPEC: R4 http.html#status-codes.
    pub(crate) fn of(answer: &Response<()>) -> Self {
        match answer.status() {
            status if status.is_success() => Self::Done,
            StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT => Self::Late,
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => Self::Refused,
            status => Self::Failed(status),
        }
    }
}

/// On to an app, at one of its own addresses; it may hold a code. SPEC: RFC 9700 section 4.12: 303, so that no form goes
/// along; no referrer, and nobody keeps it.
pub(crate) fn to_client(url: &Secret) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    let Ok(mut location) = HeaderValue::from_str(url.expose()) else {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        return response;
    };
    location.set_sensitive(true);
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
