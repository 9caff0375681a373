//! One HTTPS connection of a test, with every header as it came.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use std::{path::Path, sync::Arc};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A header as text; empty when absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|why| panic!("{why}: {:?}", self.body))
    }
}

enum Sender {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

/// A connection.
pub(crate) struct Http {
    sender: Sender,
    authority: String,
}

/// A client configuration that trusts this CA.
pub(crate) fn tls(ca: &Path, versions: &[&'static SupportedProtocolVersion], alpn: &[&[u8]]) -> ClientConfig {
    tls_of(ca, versions, alpn, None)
}

/// The same, with a certificate to show.
pub(crate) fn tls_of(
    ca: &Path,
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&[u8]],
    identity: Option<&Identity>,
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        Some(Identity { chain, key }) => builder.with_client_auth_cert(chain.clone(), key.clone_key()).unwrap(),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config
}

/// A client's certificate chain and key.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: Arc<PrivateKeyDer<'static>>,
}

impl Identity {
    /// From the files that `handrail pki` writes.
    pub(crate) fn read(folder: &Path, name: &str) -> Self {
        let chain = CertificateDer::pem_file_iter(folder.join(format!("{name}.pem"))).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join(format!("{name}.key"))).unwrap();
        Self { chain: chain.map(Result::unwrap).collect(), key: Arc::new(key) }
    }

    /// From what a test made.
    pub(crate) fn made(certificate: &rcgen::Certificate, key: &rcgen::KeyPair) -> Self {
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Self { chain: vec![certificate.der().clone()], key: Arc::new(key) }
    }
}

/// A client configuration that trusts this CA and shows this certificate, over HTTP/1.1.
pub(crate) fn tls_as(ca: &Path, identity: Option<&Identity>) -> ClientConfig {
    tls_of(ca, rustls::ALL_VERSIONS, &[b"http/1.1"], identity)
}

/// Shakes hands.
pub(crate) async fn handshake(port: u16, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

impl Http {
    /// Connects to a server on loopback.
    pub(crate) async fn connect(port: u16, ca: &Path, http_2: bool) -> Self {
        let alpn: &[u8] = if http_2 { b"h2" } else { b"http/1.1" };
        let stream = handshake(port, tls(ca, rustls::ALL_VERSIONS, &[alpn])).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(alpn));
        let io = TokioIo::new(stream);
        let sender = if http_2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
            tokio::spawn(connection);
            Sender::Two(sender)
        } else {
            let (sender, connection) = http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            Sender::One(sender)
        };
        Self { sender, authority: format!("127.0.0.1:{port}") }
    }

    /// Connects over HTTP/1.1 with this configuration, from this address; the TLS session is told of, too. An error is
    /// a refused connection, but TLS 1.3 tells some refusals with the first request only.
    pub(crate) async fn with(
        port: u16,
        config: Arc<ClientConfig>,
        from: &str,
    ) -> std::io::Result<(Self, Option<HandshakeKind>)> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        let tcp = socket.connect(([127, 0, 0, 1], port).into()).await?;
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TlsConnector::from(config).connect(name, tcp).await?;
        let kind = stream.get_ref().1.handshake_kind();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        tokio::spawn(connection);
        Ok((Self { sender: Sender::One(sender), authority: format!("127.0.0.1:{port}") }, kind))
    }

    /// Sends a request; `Host` is ours unless the request names one. An error is a broken connection.
    pub(crate) async fn try_send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, hyper::Error> {
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Full::new(body.into());
        let response = match &mut self.sender {
            Sender::One(sender) => {
                if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
                    request = request.header("host", &self.authority);
                }
                sender.ready().await?;
                sender.send_request(request.uri(path).body(body).unwrap()).await?
            }
            Sender::Two(sender) => {
                let uri = format!("https://{}{path}", self.authority);
                sender.ready().await?;
                sender.send_request(request.uri(uri).body(body).unwrap()).await?
            }
        };
        let (parts, body) = response.into_parts();
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.collect().await?.to_bytes() })
    }

    /// Sends a request that must be answered.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        self.try_send(method, path, headers, body).await.unwrap()
    }

    /// GETs.
    pub(crate) async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, Bytes::new()).await
    }

    /// GETs with a token.
    pub(crate) async fn get_as(&mut self, token: &str, path: &str) -> Answer {
        self.get(path, &[("authorization", &format!("Bearer {token}"))]).await
    }

    /// Sends a resource with a token.
    pub(crate) async fn put_as(&mut self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/fhir+json")];
        self.send(method, path, &headers, body.to_owned()).await
    }
}

/// Takes every server certificate and keeps the last one, and the OCSP response beside it: for tests of what is shown.
#[derive(Debug, Default)]
pub(crate) struct Seen(std::sync::Mutex<(Option<CertificateDer<'static>>, Vec<u8>)>);

impl Seen {
    /// The last certificate.
    pub(crate) fn last(&self) -> Option<CertificateDer<'static>> {
        self.0.lock().unwrap().0.clone()
    }

    /// The last OCSP response; empty when there was none.
    pub(crate) fn staple(&self) -> Vec<u8> {
        self.0.lock().unwrap().1.clone()
    }
}

impl rustls::client::danger::ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        *self.0.lock().unwrap() = (Some(end_entity.clone().into_owned()), ocsp_response.to_vec());
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
