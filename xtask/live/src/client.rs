//! A bare HTTP/1.1 client over TLS: as little work as possible between two requests, so that the
//! ratio speaks of the servers. It reads answers that carry a Content-Length, and no others.

use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// One kept-alive connection.
pub struct Connection {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

/// An answer: status and length of its body; the body itself when asked for.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body, when it was asked for.
    pub body: Vec<u8>,
}

/// A TLS client configuration that trusts one CA.
///
/// # Errors
/// A certificate that does not parse.
pub fn tls(ca_pem: &[u8]) -> io::Result<Arc<ClientConfig>> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem) {
        roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

impl Connection {
    /// Connects and shakes hands, as `localhost`.
    ///
    /// # Errors
    /// What the network or TLS says.
    pub async fn open(address: SocketAddr, tls: &Arc<ClientConfig>) -> io::Result<Self> {
        Self::shake(TcpStream::connect(address).await?, tls).await
    }

    /// The same from an address of this machine's own: servers count requests by address.
    ///
    /// # Errors
    /// What the network or TLS says.
    pub async fn open_from(address: SocketAddr, tls: &Arc<ClientConfig>, from: IpAddr) -> io::Result<Self> {
        let socket = if from.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.bind(SocketAddr::new(from, 0))?;
        Self::shake(socket.connect(address).await?, tls).await
    }

    async fn shake(socket: TcpStream, tls: &Arc<ClientConfig>) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, socket).await?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a whole request and reads its whole answer.
    ///
    /// # Errors
    /// What the network says; `InvalidData` for an answer that is no HTTP.
    pub async fn send(&mut self, request: &[u8], keep_body: bool) -> io::Result<Answer> {
        let reply = self.exchange(request).await?;
        Ok(Answer { status: reply.status, body: if keep_body { reply.body.to_vec() } else { Vec::new() } })
    }

    /// The same, without a copy of the answer.
    ///
    /// # Errors
    /// What the network says; `InvalidData` for an answer that is no HTTP.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Reply<'_>> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        self.buffer.clear();
        let head_end = loop {
            let seen = self.buffer.len().saturating_sub(3);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let fresh = self.buffer.get(seen..).unwrap_or_default();
            if let Some(at) = fresh.windows(4).position(|w| w == b"\r\n\r\n") {
                break seen + at + 4;
            }
        };
        let head = self.buffer.get(..head_end).and_then(|head| std::str::from_utf8(head).ok());
        let head = head.ok_or(io::ErrorKind::InvalidData)?;
        let status = head.get(9..12).and_then(|s| s.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        let length: usize = head
            .lines()
            .find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            })
            .unwrap_or(0);
        while self.buffer.len() < head_end + length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let head = self.buffer.get(..head_end).and_then(|head| std::str::from_utf8(head).ok()).unwrap_or_default();
        Ok(Reply { status, head, body: self.buffer.get(head_end..).unwrap_or_default() })
    }
}

/// An answer, until the next request of its connection.
#[derive(Debug)]
pub struct Reply<'a> {
    /// HTTP status.
    pub status: u16,
    /// Status line and header fields.
    pub head: &'a str,
    /// Body.
    pub body: &'a [u8],
}

impl<'a> Reply<'a> {
    /// The value of a header field.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.head.lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// The bytes of a request.
pub fn request(method: &str, path: &str, token: &str, body: &[u8]) -> Vec<u8> {
    request_with(method, path, token, &[], body)
}

/// The bytes of a request with further header fields.
pub fn request_with(method: &str, path: &str, token: &str, fields: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut out = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\naccept: application/fhir+json\r\n"
    );
    for (name, value) in fields {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        out.push_str(&format!("content-type: application/fhir+json\r\ncontent-length: {}\r\n", body.len()));
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend_from_slice(body);
    out
}
