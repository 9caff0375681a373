//! One HTTP/1.1 request, over TLS but for revocation lists, to one address: what the egress client and the commands share.
//!
//! It resolves nothing, follows nothing and reads no proxy settings: whoever calls decides on the
//! address. Left out: HTTP/2, cookies, compression.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use std::{fmt, net::SocketAddr, sync::Arc};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum ClientError {
    /// Not an https URL with a host and nothing secret in it.
    Url(&'static str),
    /// The host name has no address.
    Resolve(std::io::Error),
    /// Nobody listens there, or the network is in the way.
    Connect(SocketAddr, std::io::Error),
    /// The TLS handshake failed; most often the certificate is not trusted.
    Tls(std::io::Error),
    /// The exchange broke off.
    Http(String),
    /// The answer is longer than the limit.
    TooLarge,
    /// No answer in time.
    TimedOut,
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => f.write_str(why),
            Self::Resolve(why) => write!(f, "the host name cannot be resolved: {why}"),
            Self::Connect(address, why) => write!(f, "cannot connect to {address}: {why}"),
            Self::Tls(why) => write!(f, "TLS failed: {why}"),
            Self::Http(why) => write!(f, "the exchange broke off: {why}"),
            Self::TooLarge => f.write_str("the answer is too large"),
            Self::TimedOut => f.write_str("no answer in time"),
        }
    }
}

impl std::error::Error for ClientError {}

/// An https URL, or an http one where such are allowed, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    is_plain: bool,
    host: String,
    port: u16,
    target: String,
}

impl Url {
    /// Reads an absolute https URL. A fragment is dropped; user names and passwords are refused.
    ///
    /// # Errors
    /// [`ClientError::Url`].
    pub(crate) fn parse(text: &str) -> Result<Self, ClientError> {
        let url = Self::parse_plain_too(text)?;
        if url.is_plain { Err(ClientError::Url("only https URLs are used here")) } else { Ok(url) }
    }

    /// As [`Url::parse`], http too: for what is signed by itself, such as revocation lists (row F60).
    ///
    /// # Errors
    /// [`ClientError::Url`].
    pub(crate) fn parse_plain_too(text: &str) -> Result<Self, ClientError> {
        let uri: Uri = text.parse().map_err(|_| ClientError::Url("not a URL"))?;
        let is_plain = match uri.scheme_str() {
            Some("https") => false,
            Some("http") => true,
            _ => return Err(ClientError::Url("only https URLs are used here")),
        };
        let authority = uri.authority().ok_or(ClientError::Url("the URL names no host"))?;
        if authority.as_str().contains('@') {
            return Err(ClientError::Url("the URL holds a user name"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err(ClientError::Url("the URL names no host"));
        }
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        let port = uri.port_u16().unwrap_or(if is_plain { 80 } else { 443 });
        Ok(Self { is_plain, host, port, target })
    }

    /// Whether it is http.
    pub(crate) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// The host: a name, or an address without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Path and query.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// Whether both have the same scheme, host and port.
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.is_plain == other.is_plain && self.host == other.host && self.port == other.port
    }

    /// What a `Location` of an answer from here means.
    ///
    /// # Errors
    /// [`ClientError::Url`].
    pub(crate) fn join(&self, location: &str) -> Result<Self, ClientError> {
        if location.starts_with('/') && !location.starts_with("//") {
            let uri: Uri = location.parse().map_err(|_| ClientError::Url("not a URL"))?;
            let target = uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
            return Ok(Self { target, ..self.clone() });
        }
        if self.is_plain { Self::parse_plain_too(location) } else { Self::parse(location) }
    }

    /// `host:port`, brackets around IPv6 addresses, the default port left away: the `Host` field.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.is_plain { 80 } else { 443 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_plain { "http" } else { "https" };
        write!(f, "{scheme}://{}{}", self.authority(), self.target)
    }
}

/// An open connection to one host.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    authority: HeaderValue,
}

impl Connection {
    /// Connects to this address, as the host of this URL. The caller bounds the time.
    ///
    /// # Errors
    /// [`ClientError`].
    pub(crate) async fn open(url: &Url, address: SocketAddr, tls: &Arc<ClientConfig>) -> Result<Self, ClientError> {
        let tcp = TcpStream::connect(address).await.map_err(|why| ClientError::Connect(address, why))?;
        let _ = tcp.set_nodelay(true);
        // The task ends with the connection: when the sender is dropped or the peer closes.
        let sender = if url.is_plain() {
            let (sender, connection) = handshake(TokioIo::new(tcp)).await.map_err(http_error)?;
            tokio::spawn(connection);
            sender
        } else {
            let name = ServerName::try_from(url.host().to_owned()).map_err(|_| ClientError::Url("not a host name"))?;
            let stream = TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await.map_err(ClientError::Tls)?;
            let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(http_error)?;
            tokio::spawn(connection);
            sender
        };
        let authority = HeaderValue::from_str(&url.authority()).map_err(|_| ClientError::Url("not a host name"))?;
        Ok(Self { sender, authority })
    }

    /// Whether another request can be sent here.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends a request, whose URI is path and query, and reads the whole answer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub(crate) async fn send(
        &mut self,
        mut request: Request<Full<Bytes>>,
        bytes_max: usize,
    ) -> Result<Response<Bytes>, ClientError> {
        request.headers_mut().insert(header::HOST, self.authority.clone());
        self.sender.ready().await.map_err(http_error)?;
        let (parts, body) = self.sender.send_request(request).await.map_err(http_error)?.into_parts();
        let body = Limited::new(body, bytes_max).collect().await.map_err(|why| {
            if why.is::<http_body_util::LengthLimitError>() {
                ClientError::TooLarge
            } else {
                ClientError::Http(why.to_string())
            }
        })?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }
}

fn http_error(why: hyper::Error) -> ClientError {
    let source = std::error::Error::source(&why).map(|cause| format!(": {cause}")).unwrap_or_default();
    ClientError::Http(format!("{why}{source}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_https_apart() {
        let url = Url::parse("https://FHIR.example.org/jwks?a=b#c").unwrap();
        assert_eq!((url.host(), url.port(), url.target()), ("fhir.example.org", 443, "/jwks?a=b"));
        assert_eq!(url.to_string(), "https://fhir.example.org/jwks?a=b");
        let url = Url::parse("https://[::1]:8443").unwrap();
        assert_eq!((url.host(), url.authority().as_str(), url.target()), ("::1", "[::1]:8443", "/"));
    }

    #[test]
    fn refuses_other_schemes_and_credentials() {
        for text in ["http://a.example/", "file:///x", "/relative", "https://user:pass@a.example/", "https://", ""] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_location_is_relative_or_absolute() {
        let url = Url::parse("https://a.example/one").unwrap();
        assert!(url.join("/two").unwrap().same_origin(&url));
        assert!(!url.join("//b.example/two").is_ok_and(|other| other.same_origin(&url)));
        assert!(!url.join("https://a.example:444/two").unwrap().same_origin(&url));
        assert!(url.join("http://a.example/two").is_err());
    }
}
