//! A request in the making, for the service in process.

use crate::{Reply, Server};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use oauth::Caller;
use rest::wire::Accepted;
use std::net::{IpAddr, Ipv4Addr};

/// A request in the making.
#[must_use]
pub struct Request<'a> {
    server: &'a Server,
    builder: http::request::Builder,
    body: Bytes,
    operator: Option<Caller>,
    certificate: Option<[u8; 32]>,
}

impl<'a> Request<'a> {
    /// `path` below the FHIR base, or a whole URL below it.
    pub(crate) fn new(server: &'a Server, method: &str, path: &str) -> Self {
        let path = path.strip_prefix(Server::BASE_URL).unwrap_or(path).trim_start_matches('/');
        let url = if path.is_empty() { "/fhir".to_owned() } else { format!("/fhir/{path}") };
        let builder = http::Request::builder().method(method).uri(url.replace(' ', "%20").replace('|', "%7C"));
        Self { server, builder, body: Bytes::new(), operator: None, certificate: None }
    }

    /// With this access token.
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// With FHIR JSON.
    pub fn json(self, body: &serde_json::Value) -> Self {
        self.body("application/fhir+json", body.to_string())
    }

    /// With a body of this type.
    pub fn body(mut self, media_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", media_type)
    }

    /// As the operator of the machine, without a token.
    pub fn as_operator(mut self) -> Self {
        self.operator = Some(Caller::operator("test"));
        self
    }

    /// Over a connection that showed the certificate with this SHA-256.
    pub fn certificate(mut self, thumbprint: [u8; 32]) -> Self {
        self.certificate = Some(thumbprint);
        self
    }

    /// Sends it.
    ///
    /// # Panics
    /// When the request cannot be built.
    pub fn send(self) -> Reply {
        let server = self.server;
        server.block_on(self.answer())
    }

    /// Sends it from within the server's runtime.
    pub(crate) async fn answer(self) -> Reply {
        let Self { server, builder, body, operator, certificate } = self;
        let builder = if body.is_empty() { builder } else { builder.header("content-length", body.len()) };
        let request = builder.body(Full::new(body)).expect("a request");
        let peer = Accepted::new(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let peer = match certificate {
            Some(thumbprint) => peer.with_certificate(thumbprint),
            None => peer,
        };
        let answered = match operator {
            Some(caller) => server.service().answer_operator(peer, caller, request).await,
            None => server.service().answer(peer, request).await,
        };
        let (parts, body) = answered.into_inner().into_parts();
        let body = body.collect().await.expect("a full body").to_bytes();
        let mut headers: Vec<(String, String)> = parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        headers.sort();
        Reply { status: parts.status.as_u16(), headers, body }
    }
}
