//! Connections that cost memory and nothing else: they rest, or do not take what they asked for.

use super::{Siege, Target, Verdict, counted};
use crate::peer;
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_rustls::client::TlsStream;

/// Handshakes under way at once: the machine is shared with the steady caller.
const OPENING: usize = 8;

/// Addresses that the attackers come from: 127.0.0.2 and up.
const ADDRESSES: usize = 8;

/// Opens connections for all peers of an attack, a few at a time: a burst of handshakes is another
/// attack, and would be all that is measured.
pub(super) async fn opened(target: &Target, count: usize, http_2: bool) -> Vec<TlsStream<TcpStream>> {
    let (opening, mut tasks) = (Arc::new(Semaphore::new(OPENING)), Vec::new());
    for n in 0..count {
        let (target, opening) = (target.clone(), Arc::clone(&opening));
        tasks.push(tokio::spawn(async move {
            let _place = opening.acquire_owned().await.ok()?;
            peer::tls(&target, host(n), http_2).await.ok()
        }));
    }
    let mut streams = Vec::with_capacity(count);
    for task in tasks {
        streams.extend(task.await.ok().flatten());
    }
    streams
}

/// Each stream is one peer's.
pub(super) fn handed_out(streams: Vec<TlsStream<TcpStream>>) -> impl Fn() -> Option<TlsStream<TcpStream>> {
    let streams = Mutex::new(streams);
    move || streams.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

/// The address of the n-th peer.
pub(super) fn host(n: usize) -> u8 {
    u8::try_from(2 + n % ADDRESSES).unwrap_or(2)
}

type Begun = Pin<Box<dyn Future<Output = io::Result<Siege>> + Send>>;

/// Whether the server has closed this connection.
async fn is_closed(stream: &mut (impl AsyncReadExt + Unpin)) -> bool {
    let mut byte = [0];
    timeout(Duration::from_millis(1), stream.read(&mut byte)).await.is_ok()
}

/// The peers open first, all of them; the attack begins when they have.
fn idle(target: Arc<Target>, with_tls: bool) -> Begun {
    Box::pin(async move {
        let (opening, opened) = (Arc::new(Semaphore::new(OPENING)), Arc::new(Semaphore::new(0)));
        let count = target.idle;
        let peers = Siege::of(count, counted, |n, mut stop: watch::Receiver<bool>| {
            let (target, opening, opened) = (Arc::clone(&target), Arc::clone(&opening), Arc::clone(&opened));
            async move {
                let place = opening.acquire_owned().await.map_err(|why| why.to_string())?;
                let (mut tls, mut tcp) = (None, None);
                if with_tls {
                    tls = peer::tls(&target, host(n), false).await.ok();
                } else {
                    tcp = peer::tcp(&target, host(n)).await.ok();
                }
                drop(place);
                opened.add_permits(1);
                let _ = stop.wait_for(|stop| *stop).await;
                let held = match (&mut tls, &mut tcp) {
                    (Some(tls), _) => !is_closed(tls).await,
                    (_, Some(tcp)) => !is_closed(tcp).await,
                    _ => false,
                };
                Verdict::Ok(if held { "held to the end" } else { "closed" }.into())
            }
        });
        let all = u32::try_from(count).unwrap_or(u32::MAX);
        let _ = timeout(Duration::from_secs(300), opened.acquire_many(all)).await;
        Ok(peers)
    })
}

/// More idle connections than there are places: they give way.
pub(super) fn idle_tls(target: Arc<Target>) -> Begun {
    idle(target, true)
}

/// As many places as idle connections.
pub(super) fn idle_tls_held(target: Arc<Target>) -> Begun {
    idle(target, true)
}

/// Connections that never begin a handshake.
pub(super) fn idle_tcp(target: Arc<Target>) -> Begun {
    idle(target, false)
}

/// Peers that ask for a large answer and take a byte of it now and then.
pub(super) fn slow_readers(target: Arc<Target>) -> Begun {
    Box::pin(async move {
        let ask = live::client::request("GET", "/fhir/Observation?_count=500", &target.token, b"");
        let mut streams = opened(&target, 200, false).await;
        for stream in &mut streams {
            // One after the other: it is the taking that is slow, not the asking that is much.
            for _ in 0..4 {
                stream.write_all(&ask).await?;
            }
            let _ = stream.read(&mut [0]).await;
        }
        let (count, next) = (streams.len(), handed_out(streams));
        Ok(Siege::of(count, counted, |_, stop| {
            let stream = next();
            async move {
                let Some(mut stream) = stream else { return Ok("not let in".into()) };
                while !*stop.borrow() {
                    match stream.read(&mut [0]).await {
                        Ok(1..) => sleep(Duration::from_millis(500)).await,
                        Ok(0) | Err(_) => return Ok("cut".into()),
                    }
                }
                Ok("still reading".into())
            }
        }))
    })
}
