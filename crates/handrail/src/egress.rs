//! The one guarded way out: every fetch from another host goes through here. SPEC: rows F60 and C9.
//!
//! https only, but for revocation lists and OCSP, which are signed by themselves. The host is resolved first and *every*
//! address must be public, or lie in a network that the operator allowed; the connection then goes to a checked address,
//! so a second answer of the name server changes nothing (DNS rebinding). Redirects: three, within the origin, each
//! checked again. No proxies from the environment, no credentials, bounded time and bytes.

mod addresses;

pub(crate) use addresses::Network;

use crate::{
    http_client::{ClientError, Connection, Url},
    limits,
};
use authserver::{
    egress::{Fetch, FetchError, Fetched, Fetching, Listing, Message, Posting, Said, Sending},
    limits::{FETCH_BODY_BYTES_MAX, FETCH_TIME_S_MAX, LISTING_TIME_S_MAX, LOGO_BYTES_MAX},
};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use oauth::secret::Secret;
use rustls::ClientConfig;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::lookup_host, time::timeout};

/// The guarded client.
pub(crate) struct Egress {
    tls: Arc<ClientConfig>,
    allowed: Vec<Network>,
}

impl Egress {
    /// `allowed`: networks that are reached although they are not public, on any port.
    pub(crate) fn new(tls: Arc<ClientConfig>, allowed: Vec<Network>) -> Self {
        Self { tls, allowed }
    }

    async fn get(&self, url: &str, accept: &'static str, bytes_max: usize) -> Result<Fetched, FetchError> {
        self.get_from(Url::parse(url).map_err(forbidden)?, accept, bytes_max).await
    }

    async fn get_from(&self, mut url: Url, accept: &'static str, bytes_max: usize) -> Result<Fetched, FetchError> {
        for _ in 0..=limits::REDIRECTS_MAX {
            let mut connection = self.connect(&url).await?;
            let request = Request::get(url.target())
                .header(header::ACCEPT, accept)
                .header(header::USER_AGENT, "handrail")
                .body(Full::new(Bytes::new()))
                .map_err(|_| FetchError::Forbidden("not a URL".into()))?;
            let answer = connection.send(request, bytes_max).await.map_err(unreachable)?;
            match answer.status().as_u16() {
                200 => return Ok(fetched(answer)),
                301 | 302 | 303 | 307 | 308 => {
                    let location = field(&answer, header::LOCATION)
                        .ok_or_else(|| FetchError::Forbidden("a redirect without Location".into()))?;
                    let next = url.join(&location).map_err(forbidden)?;
                    if !next.same_origin(&url) {
                        return Err(FetchError::Forbidden("a redirect to another origin".into()));
                    }
                    url = next;
                }
                status => return Err(FetchError::Status(status)),
            }
        }
        Err(FetchError::Forbidden(format!("more than {} redirects", limits::REDIRECTS_MAX)))
    }

    async fn send(&self, message: Message<'_>, authorization: Option<&Secret>) -> Result<Said, FetchError> {
        let url = Url::parse(message.url).map_err(forbidden)?;
        let mut connection = self.connect(&url).await?;
        let mut request = Request::post(url.target())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, message.media_type)
            .header(header::USER_AGENT, "handrail");
        if let Some(authorization) = authorization {
            let value = HeaderValue::from_str(authorization.expose());
            let mut value = value.map_err(|_| FetchError::Forbidden("not a header field".into()))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request
            .body(Full::new(Bytes::copy_from_slice(message.body.expose().as_bytes())))
            .map_err(|_| FetchError::Forbidden("not a URL".into()))?;
        let answer = connection.send(request, FETCH_BODY_BYTES_MAX).await.map_err(unreachable)?;
        Ok(Said { status: answer.status().as_u16(), body: answer.into_body() })
    }

    async fn listing(&self, asked: Listing<'_>) -> Result<Fetched, FetchError> {
        let url = Url::parse_plain_too(asked.url()).map_err(forbidden)?;
        let Listing::Ocsp { request, .. } = asked else {
            let accept = "application/pkix-crl, application/x-pem-file;q=0.9, */*;q=0.1";
            return self.get_from(url, accept, oauth::limits::CRL_BYTES_MAX).await;
        };
        let mut connection = self.connect(&url).await?;
        let request = Request::post(url.target())
            .header(header::ACCEPT, "application/ocsp-response")
            .header(header::CONTENT_TYPE, "application/ocsp-request")
            .header(header::USER_AGENT, "handrail")
            .body(Full::new(Bytes::copy_from_slice(request)))
            .map_err(|_| FetchError::Forbidden("not a URL".into()))?;
        let answer = connection.send(request, oauth::limits::OCSP_BYTES_MAX).await.map_err(unreachable)?;
        match answer.status().as_u16() {
            200 => Ok(fetched(answer)),
            status => Err(FetchError::Status(status)),
        }
    }

    async fn connect(&self, url: &Url) -> Result<Connection, FetchError> {
        let mut last = FetchError::Unreachable(format!("{} has no address", url.host()));
        for address in self.checked_addresses(url).await? {
            match Connection::open(url, address, &self.tls).await {
                Ok(connection) => return Ok(connection),
                Err(why) => last = unreachable(why),
            }
        }
        Err(last)
    }

    async fn checked_addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, FetchError> {
        let found: Vec<SocketAddr> = lookup_host((url.host(), url.port()))
            .await
            .map_err(|why| FetchError::Unreachable(format!("{}: {why}", url.host())))?
            .collect();
        self.check(url, &found)?;
        Ok(found)
    }

    /// Every address that the name server gave must do: one that does not is a trap, or soon will be.
    fn check(&self, url: &Url, found: &[SocketAddr]) -> Result<(), FetchError> {
        for address in found {
            let ip = address.ip().to_canonical();
            if self.allowed.iter().any(|network| network.contains(ip)) {
                continue;
            }
            if !addresses::is_public(ip) {
                return Err(FetchError::Forbidden(format!(
                    "{} has the address {ip}, which is not public; egress.allow_networks can allow its network",
                    url.host()
                )));
            }
            let is_ours = if url.is_plain() {
                url.port() == limits::LISTING_PORT
            } else {
                limits::EGRESS_PORTS.contains(&url.port())
            };
            if !is_ours {
                return Err(FetchError::Forbidden(format!("port {} is not one of ours", url.port())));
            }
        }
        Ok(())
    }
}

impl Fetch for Egress {
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        let got = self.get(url, "application/json", FETCH_BODY_BYTES_MAX);
        Box::pin(async move {
            timeout(Duration::from_secs(FETCH_TIME_S_MAX), got).await.unwrap_or(Err(FetchError::TimedOut))
        })
    }

    fn picture<'a>(&'a self, url: &'a str) -> Option<Fetching<'a>> {
        let got = self.get(url, "image/png, image/jpeg, image/gif", LOGO_BYTES_MAX);
        Some(Box::pin(async move {
            timeout(Duration::from_secs(FETCH_TIME_S_MAX), got).await.unwrap_or(Err(FetchError::TimedOut))
        }))
    }

    fn list<'a>(&'a self, asked: Listing<'a>) -> Fetching<'a> {
        let got = self.listing(asked);
        Box::pin(async move {
            timeout(Duration::from_secs(LISTING_TIME_S_MAX), got).await.unwrap_or(Err(FetchError::TimedOut))
        })
    }

    fn post<'a>(&'a self, posting: Posting<'a>) -> Fetching<'a> {
        let Posting { url, form, authorization } = posting;
        let message = Message { url, media_type: "application/x-www-form-urlencoded", body: form };
        let sent = async move { self.send(message, authorization).await };
        Box::pin(async move {
            let said =
                timeout(Duration::from_secs(FETCH_TIME_S_MAX), sent).await.unwrap_or(Err(FetchError::TimedOut))?;
            match said.status {
                200 => Ok(Fetched { cache_control: None, age_s: None, body: said.body }),
                status => Err(FetchError::Status(status)),
            }
        })
    }

    fn send<'a>(&'a self, message: Message<'a>) -> Sending<'a> {
        let sent = async move { Self::send(self, message, None).await };
        Box::pin(async move {
            timeout(Duration::from_secs(FETCH_TIME_S_MAX), sent).await.unwrap_or(Err(FetchError::TimedOut))
        })
    }
}

fn field(answer: &Response<Bytes>, name: header::HeaderName) -> Option<String> {
    let values: Vec<_> = answer.headers().get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

fn fetched(answer: Response<Bytes>) -> Fetched {
    Fetched {
        cache_control: field(&answer, header::CACHE_CONTROL),
        age_s: field(&answer, header::AGE).and_then(|age| age.trim().parse().ok()),
        body: answer.into_body(),
    }
}

fn forbidden(why: ClientError) -> FetchError {
    FetchError::Forbidden(why.to_string())
}

fn unreachable(why: ClientError) -> FetchError {
    match why {
        ClientError::TooLarge => FetchError::TooLarge,
        other => FetchError::Unreachable(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
