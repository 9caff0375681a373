//! The one way out: fetching a document from another host. The binary implements it, guarded as row F60
//! asks (https, no private addresses after resolution, pinned address, redirects checked, no proxies).
//!
//! SPEC: rows C9 and F60. What the fetcher owes: TLS verified, `Accept: application/json`, at most
//! [`crate::limits::FETCH_BODY_BYTES_MAX`] bytes and [`crate::limits::FETCH_TIME_S_MAX`] seconds, at most
//! three redirects and none to another origin, no credentials. Revocation lists and OCSP answers have limits of their own
//! ([`Fetch::list`]), and alone may come by plain HTTP: they are signed.

use bytes::Bytes;
use oauth::secret::Secret;
use std::{fmt, future::Future, pin::Pin};

/// What came back with status 200.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The body, within the limit.
    pub body: Bytes,
    /// The `Cache-Control` field; several fields joined by a comma.
    pub cache_control: Option<String>,
    /// The `Age` field, when it is a number of seconds.
    pub age_s: Option<u64>,
}

impl Fetched {
    /// How long this may be kept, by its own word. `None`: it says nothing.
    #[must_use]
    pub fn life_s(&self) -> Option<u64> {
        life_s(self.cache_control.as_deref()?, self.age_s.unwrap_or(0))
    }
}

/// Seconds that a response may be kept. SPEC: RFC 9111 section 5.2.2; a field we cannot read counts as zero,
/// because row C9 says never longer than the other side allows.
fn life_s(cache_control: &str, age_s: u64) -> Option<u64> {
    let mut life: Option<u64> = None;
    for directive in cache_control.split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return Some(0),
            "max-age" => {
                let stated = value.trim().trim_matches('"').parse::<u64>().unwrap_or(0);
                // Stated twice: the shorter one binds.
                life = Some(life.map_or(stated, |other| other.min(stated)));
            }
            _ => {}
        }
    }
    life.map(|stated| stated.saturating_sub(age_s))
}

/// Why nothing came back. The text is for the log, never for the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchError {
    /// Our rules forbid this address, scheme, port or redirect.
    Forbidden(String),
    /// The other side could not be reached, or TLS failed.
    Unreachable(String),
    /// It answered with this status.
    Status(u16),
    /// More bytes than the limit.
    TooLarge,
    /// Not within the time limit.
    TimedOut,
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden(why) => write!(f, "fetching is not permitted: {why}"),
            Self::Unreachable(why) => write!(f, "not reachable: {why}"),
            Self::Status(status) => write!(f, "answered with status {status}"),
            Self::TooLarge => f.write_str("the answer is too large"),
            Self::TimedOut => f.write_str("no answer in time"),
        }
    }
}

impl std::error::Error for FetchError {}

/// The future of a fetch.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Fetched, FetchError>> + Send + 'a>>;

/// The guarded outbound client.
pub trait Fetch: Send + Sync {
    /// GETs this URL.
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a>;

    /// GETs a picture. `None`: none are fetched from here, and nobody needs to be told.
    fn picture<'a>(&'a self, url: &'a str) -> Option<Fetching<'a>> {
        let _ = url;
        None
    }

    /// POSTs a form, follows no redirect. One that only reads refuses.
    fn post<'a>(&'a self, posting: Posting<'a>) -> Fetching<'a> {
        let _ = posting;
        Box::pin(async { Err(FetchError::Forbidden("forms are not sent from here".into())) })
    }

    /// POSTs a message, follows no redirect, and gives back what was said whatever its status: by a refusal one learns
    /// what to do. One that only reads refuses.
    fn send<'a>(&'a self, message: Message<'a>) -> Sending<'a> {
        let _ = message;
        Box::pin(async { Err(FetchError::Forbidden("messages are not sent from here".into())) })
    }

    /// Fetches what an authority says of its certificates, by http or https: at most
    /// [`oauth::limits::CRL_BYTES_MAX`] or [`oauth::limits::OCSP_BYTES_MAX`] bytes and
    /// [`crate::limits::LISTING_TIME_S_MAX`] seconds. One that does not refuses.
    fn list<'a>(&'a self, asked: Listing<'a>) -> Fetching<'a> {
        let _ = asked;
        Box::pin(async { Err(FetchError::Forbidden("revocation lists are not fetched from here".into())) })
    }
}

/// What is asked of an authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing<'a> {
    /// GETs a revocation list. Redirects within the origin are followed.
    Crl {
        /// Where it is.
        url: &'a str,
    },
    /// POSTs a question to an OCSP responder.
    Ocsp {
        /// Where it answers.
        url: &'a str,
        /// The question, DER.
        request: &'a [u8],
    },
}

impl<'a> Listing<'a> {
    /// Where to.
    #[must_use]
    pub const fn url(self) -> &'a str {
        match self {
            Self::Crl { url } | Self::Ocsp { url, .. } => url,
        }
    }
}

/// The future of something that was sent.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Said, FetchError>> + Send + 'a>>;

/// Something to be sent that proves by itself who sends it. Holds secrets: no Debug.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// Where to.
    pub url: &'a str,
    /// What it is: the field `Content-Type`.
    pub media_type: &'static str,
    /// The body.
    pub body: &'a Secret,
}

/// What the other side says to it, whatever the status.
#[derive(Debug, Clone)]
pub struct Said {
    /// The status.
    pub status: u16,
    /// The body, within the limit.
    pub body: Bytes,
}

/// A form to be sent, with what proves who sends it. Holds secrets: no Debug.
#[derive(Clone, Copy)]
pub struct Posting<'a> {
    /// Where to.
    pub url: &'a str,
    /// The body, `application/x-www-form-urlencoded`.
    pub form: &'a Secret,
    /// The field `Authorization`.
    pub authorization: Option<&'a Secret>,
}

/// Fetches nothing: for a command on an offline data directory, and for a server without outbound access.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFetch;

impl Fetch for NoFetch {
    fn fetch<'a>(&'a self, _url: &'a str) -> Fetching<'a> {
        Box::pin(async { Err(FetchError::Forbidden("outbound fetches are off".into())) })
    }
}

#[cfg(test)]
mod tests;
