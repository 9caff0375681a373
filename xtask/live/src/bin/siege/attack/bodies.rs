//! What a registered client may send, and should not: deep, compressed and endless bodies, and
//! searches that read everything.

use super::{Siege, Target, Verdict, connections::host, counted};
use crate::peer;
use std::{future::Future, io, io::Write, pin::Pin, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, sync::watch, time::sleep};

type Begun = Pin<Box<dyn Future<Output = io::Result<Siege>> + Send>>;

fn post(target: &Target, path: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/fhir+json\r\n{more}Content-Length: {}\r\n\r\n",
        target.token,
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Posts again and again; every answer must have this status.
async fn posts(target: &Target, n: usize, bytes: &[u8], status: u16, stop: &watch::Receiver<bool>) -> Verdict {
    let mut count = 0;
    while !*stop.borrow() {
        let Ok(mut stream) = peer::tls(target, host(n), false).await else { continue };
        let answer = peer::exchange(&mut stream, bytes).await;
        if !answer.starts_with(&format!("HTTP/1.1 {status} ")) && !*stop.borrow() {
            return Err(format!("{:?} where {status} was expected", answer.lines().next().unwrap_or_default()));
        }
        count += 1;
        sleep(Duration::from_millis(20)).await;
    }
    Ok(format!("{status} ×{count}"))
}

fn all_post(target: Arc<Target>, bodies: Vec<Vec<u8>>, status: u16) -> Begun {
    let bodies = Arc::new(bodies);
    Box::pin(async move {
        Ok(Siege::of(8, counted, |n, stop| {
            let (target, bodies) = (Arc::clone(&target), Arc::clone(&bodies));
            async move {
                let bytes = bodies.get(n % bodies.len()).cloned().unwrap_or_default();
                posts(&target, n, &bytes, status, &stop).await
            }
        }))
    })
}

/// Nesting that would break a recursive reader.
pub(super) fn deep(target: Arc<Target>) -> Begun {
    let array = post(&target, "/fhir/Patient", "", "[".repeat(100 * 1024).as_bytes());
    let object = post(&target, "/fhir/Patient", "", "{\"a\":".repeat(20 * 1024).as_bytes());
    let bundle = post(&target, "/fhir", "", "[{\"entry\":".repeat(10 * 1024).as_bytes());
    all_post(target, vec![array, object, bundle], 400)
}

/// A small body that claims to unpack to a large one; it is refused unread.
pub(super) fn bombs(target: Arc<Target>) -> Begun {
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..64 {
        let _ = zip.write_all(&zeros);
    }
    let bomb = zip.finish().unwrap_or_default();
    let bodies = ["gzip", "deflate", "br", "gzip, gzip", "zstd"]
        .iter()
        .map(|coding| post(&target, "/fhir/Patient", &format!("Content-Encoding: {coding}\r\n"), &bomb))
        .collect();
    all_post(target, bodies, 415)
}

/// A length over the limit, and chunks that go on past it.
pub(super) fn over_long(target: Arc<Target>) -> Begun {
    Box::pin(async move {
        Ok(Siege::of(4, counted, |n, stop| {
            let target = Arc::clone(&target);
            async move {
                let head = format!(
                    "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n",
                    target.token
                );
                let mut chunk = format!("{:x}\r\n", 64 * 1024).into_bytes();
                chunk.extend(std::iter::repeat_n(b' ', 64 * 1024));
                chunk.extend_from_slice(b"\r\n");
                let mut said = Vec::new();
                while !*stop.borrow() {
                    let Ok(mut stream) = peer::tls(&target, host(n), false).await else { continue };
                    let mut sent = stream.write_all(head.as_bytes()).await;
                    let mut chunks = 0;
                    while sent.is_ok() && chunks < 1024 && !*stop.borrow() {
                        sent = stream.write_all(&chunk).await;
                        chunks += 1;
                        sleep(Duration::from_millis(1)).await;
                    }
                    if sent.is_ok() && chunks >= 1024 {
                        return Err("64 MB were taken for one resource".into());
                    }
                    said.push("cut at the limit".to_owned());
                }
                Ok(said.join("; "))
            }
        }))
    })
}

/// Searches that no index narrows, one after the other; a few run, the rest are told to come back.
pub(super) fn costly(target: Arc<Target>) -> Begun {
    Box::pin(async move {
        Ok(Siege::of(2, counted, |n, stop| {
            let target = Arc::clone(&target);
            async move {
                let paths = [
                    "/fhir/Observation?code:not=1&_sort=-date&_total=accurate&_count=1",
                    "/fhir/AuditEvent?outcome=8&_total=accurate&_count=1",
                    "/fhir/Observation?subject:Patient.name=Siege&_sort=code&_count=1",
                ];
                let ask =
                    live::client::request("GET", paths.get(n % 3).copied().unwrap_or_default(), &target.token, b"");
                let Ok(mut connection) = live::client::Connection::open(target.address, &target.tls).await else {
                    return Err("not let in".into());
                };
                let mut said = Vec::new();
                while !*stop.borrow() {
                    let answer = connection.send(&ask, false).await.map_err(|why| why.to_string())?;
                    if ![200, 400, 503].contains(&answer.status) {
                        return Err(format!("status {}", answer.status));
                    }
                    said.push(answer.status.to_string());
                }
                Ok(said.join("; "))
            }
        }))
    })
}
