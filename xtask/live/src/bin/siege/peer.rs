//! A peer that misbehaves: raw TLS over TCP from an address of its own, and HTTP/2 frames by hand.

use crate::attack::Target;
use rustls::{ClientConfig, pki_types::ServerName};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// A TCP connection from `127.0.0.HOST`.
pub(crate) async fn tcp(target: &Target, host: u8) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, host], 0)))?;
    socket.connect(target.address).await
}

/// A TLS connection from there.
pub(crate) async fn tls(target: &Target, host: u8, http_2: bool) -> io::Result<TlsStream<TcpStream>> {
    let mut config: ClientConfig = (*target.tls).clone();
    if http_2 {
        config.alpn_protocols = vec![b"h2".to_vec()];
    }
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, tcp(target, host).await?).await
}

/// Sends these bytes and reads all that comes until the connection ends or goes quiet.
pub(crate) async fn exchange(stream: &mut TlsStream<TcpStream>, bytes: &[u8]) -> String {
    // A server that has refused may close before it has everything.
    let _ = stream.write_all(bytes).await;
    let _ = stream.flush().await;
    let mut answer = Vec::new();
    let quiet = Duration::from_millis(700);
    while let Ok(Ok(read)) = timeout(quiet, stream.read_buf(&mut answer)).await {
        if read == 0 {
            break;
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// The client preface with empty SETTINGS. SPEC: RFC 9113 section 3.4.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// HEADERS of `GET https://a/` for literal and static table entries alone.
pub(crate) const GET: [u8; 6] = [0x82, 0x87, 0x84, 0x41, 0x01, b'a'];

/// An HTTP/2 frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    let mut out = length.get(1..).unwrap_or_default().to_vec();
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
    out
}
