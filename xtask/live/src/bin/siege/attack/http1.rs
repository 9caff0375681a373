//! HTTP/1.1 as no client writes it.

use super::{
    Siege, Target, Verdict,
    connections::{handed_out, host, opened},
    counted,
};
use crate::peer;
use std::{future::Future, io, pin::Pin, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::watch, time::sleep};
use tokio_rustls::client::TlsStream;

type Begun = Pin<Box<dyn Future<Output = io::Result<Siege>> + Send>>;

/// Sends these first bytes, then a byte twice a second, until the server ends it or the attack ends.
async fn trickle(stream: Option<TlsStream<TcpStream>>, first: String, stop: watch::Receiver<bool>) -> Verdict {
    let Some(mut stream) = stream else { return Ok("not let in".into()) };
    let mut sent = stream.write_all(first.as_bytes()).await;
    while sent.is_ok() && !*stop.borrow() {
        sleep(Duration::from_millis(500)).await;
        sent = stream.write_all(b"a").await;
    }
    Ok(if sent.is_ok() { "still trickling" } else { "cut" }.into())
}

/// Heads that never come to their end.
pub(super) fn slow_heads(target: Arc<Target>) -> Begun {
    Box::pin(async move {
        let streams = opened(&target, 1500, false).await;
        let (count, next) = (streams.len(), handed_out(streams));
        Ok(Siege::of(count, counted, |_, stop| {
            let head = "GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
            trickle(next(), head.to_owned(), stop)
        }))
    })
}

/// Bodies that never come to theirs: forms of nobody, resources of a known client.
pub(super) fn slow_bodies(target: Arc<Target>) -> Begun {
    Box::pin(async move {
        let streams = opened(&target, 900, false).await;
        let (count, next) = (streams.len(), handed_out(streams));
        Ok(Siege::of(count, counted, |n, stop| {
            let head = if n % 2 == 0 {
                "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\ngrant_type=".to_owned()
            } else {
                format!(
                    "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/fhir+json\r\nContent-Length: 500000\r\n\r\n{{\"a\":\"",
                    target.token
                )
            };
            trickle(next(), head, stop)
        }))
    })
}

/// Sends the same over and over on new connections, five times a second; every answer must begin so,
/// and there must be one at most.
async fn repeat(
    target: &Target,
    n: usize,
    bytes: &[u8],
    fits: impl Fn(&str) -> bool,
    stop: &watch::Receiver<bool>,
) -> Verdict {
    let mut said = Vec::new();
    while !*stop.borrow() {
        let Ok(mut stream) = peer::tls(target, host(n), false).await else { continue };
        let answer = peer::exchange(&mut stream, bytes).await;
        let line = answer.lines().next().unwrap_or("closed without a word").to_owned();
        if !fits(&answer) {
            return Err(format!(
                "{line:?} for {:?}",
                String::from_utf8_lossy(bytes.get(..bytes.len().min(120)).unwrap_or(bytes))
            ));
        }
        said.push(line);
        sleep(Duration::from_millis(200)).await;
    }
    Ok(said.join("; "))
}

/// Heads over every limit.
pub(super) fn oversized_heads(target: Arc<Target>) -> Begun {
    Box::pin(async move {
        Ok(Siege::of(16, counted, |n, stop| {
            let target = Arc::clone(&target);
            async move {
                let head = match n % 3 {
                    0 => format!(
                        "GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n",
                        "a".repeat(1 << 20)
                    ),
                    1 => format!(
                        "GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
                        "X-Many: a\r\n".repeat(5000)
                    ),
                    _ => format!("GET /fhir/{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(1 << 20)),
                };
                let fits = |answer: &str| {
                    answer.is_empty() || answer.starts_with("HTTP/1.1 431") || answer.starts_with("HTTP/1.1 414")
                };
                repeat(&target, n, head.as_bytes(), fits, &stop).await
            }
        }))
    })
}

/// Requests that two readers could cut in different places; a hidden second one asks for `/livez`.
pub(super) fn smuggling(target: Arc<Target>) -> Begun {
    const HIDDEN: &str = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const HEADS: &[&str] = &[
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n",
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0, 44\r\n\r\n",
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Length: +0\r\n\r\n",
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Length : 0\r\n\r\n",
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0_x\r\n\r\n",
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n\r\n",
        "GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\nX: a\rGET /livez HTTP/1.1\r\n\r\n",
        "GET /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nHost: other\r\nX-Fold: a\r\n b\r\n\r\n",
        "GET /fhir/Patient HTTP/1.1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET\t/fhir/Patient\tHTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /fhir/Patient\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ];
    Box::pin(async move {
        Ok(Siege::of(HEADS.len(), counted, |n, stop| {
            let target = Arc::clone(&target);
            async move {
                let head = HEADS.get(n).copied().unwrap_or_default();
                // One answer, and it refuses; the hidden request is never answered.
                let fits = |answer: &str| {
                    let refuses = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
                    refuses && !answer.contains("live\n") && answer.matches("HTTP/1.1 ").count() <= 1
                };
                repeat(&target, n, format!("{head}{HIDDEN}").as_bytes(), fits, &stop).await
            }
        }))
    })
}
