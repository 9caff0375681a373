//! HTTP heads (rows A21, F59, F61): any bytes on a connection, through the HTTP/1.1 reader with the listener's
//! bounds and the FHIR service behind it. Every answer is whole, explained, and one header is one line.
//!
//! Left out: TLS, HTTP/2 (the listener's own tests) and what the binary decides before FHIR (hosts, room).

use crate::{outcome, world};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rest::wire::{Accepted, BodyEnd};
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

/// What the listener allows: bytes of a head, fields of it.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 100;

/// Any bytes as what a client sends.
pub fn head(bytes: &[u8]) {
    let answer = world::with(|world| {
        let service = Arc::clone(world.server.service());
        world.server.block_on(async {
            let (mut client, ours) = duplex(1024 * 1024);
            let service = service_fn(move |request: Request<Incoming>| {
                let service = Arc::clone(&service);
                async move {
                    let peer = Accepted::new(IpAddr::V4(Ipv4Addr::LOCALHOST));
                    let request = request.map(|body| body.map_err(|_| BodyEnd::Broken));
                    Ok::<_, Infallible>(service.answer(peer, request).await.into_inner())
                }
            });
            let connection = http1::Builder::new()
                .max_headers(HEADERS_MAX)
                .max_header_size(HEAD_BYTES_MAX)
                .max_buf_size(2 * HEAD_BYTES_MAX)
                .serve_connection(TokioIo::new(ours), service);
            let talk = async {
                let _ = client.write_all(bytes).await;
                let _ = client.shutdown().await;
                let mut answer = Vec::new();
                let _ = client.read_to_end(&mut answer).await;
                answer
            };
            let (_, answer) = tokio::join!(connection, talk);
            Bytes::from(answer)
        })
    });
    let is_head = bytes.windows(5).any(|word| word.eq_ignore_ascii_case(b"HEAD "));
    let mut rest = &answer[..];
    while !rest.is_empty() {
        rest = one(rest, is_head);
    }
}

/// Checks the first answer of these bytes and gives what follows it.
fn one(answer: &[u8], maybe_head: bool) -> &[u8] {
    let end = answer.windows(4).position(|word| word == b"\r\n\r\n").expect("the end of a head");
    let head = std::str::from_utf8(&answer[..end]).expect("a head is ASCII");
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.")).expect("a status line");
    let status: u16 = status.get(2..5).and_then(|code| code.parse().ok()).expect("a status");
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").expect("name and value"))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let header = |name: &str| headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str());
    let length: usize = header("content-length").map_or(0, |length| length.parse().expect("a length"));
    let body = &answer[end + 4..];
    // The answer to HEAD says a length and sends no body; a refusal of hyper's own has neither.
    let sent = if body.len() < length || (maybe_head && !body.starts_with(b"{")) { 0 } else { length };
    let by_hyper = header("x-request-id").is_none();
    outcome::check(status, &headers, &body[..sent], by_hyper || sent == 0);
    assert!(!by_hyper || (400..500).contains(&status), "{head}");
    &body[sent..]
}
