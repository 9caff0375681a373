//! The audit log to a repository elsewhere: DICOM audit messages by syslog over TLS, as ATNA feeds are. SPEC: RFC 5424, RFC
//! 5425; DICOM PS3.15 A.5; IHE ITI-20; row F23.
//!
//! The log on disk is the queue: what is sent is read from there, from a place that is kept in a table, so nothing is lost
//! over a restart, and a repository that is slow or away is caught up with later. Syslog confirms nothing, but TCP does: a
//! connection on which nothing is confirmed for [`limits::SYSLOG_PATIENCE`] is ended by the system (`TCP_USER_TIMEOUT`).
//! So what was written [`limits::SYSLOG_ARRIVED`] ago, over a connection that still works, has arrived, and that is the
//! place that is kept. After a connection broke, all from there on is sent again: a receiver may see an event twice, and
//! misses none that its system took. Where there is no such timeout (other systems than Linux), what went into a
//! connection that died without a word, and was not noticed in that time, is missed.
//!
//! Left out: other transports, and messages as FHIR: repositories that take a syslog feed take DICOM's.

use crate::{limits, listen::Listen, metrics::Metrics};
use rustls::{ClientConfig, pki_types::ServerName};
use std::{collections::VecDeque, io, sync::Arc};
use store::{Seen, Store};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Facility 10 (security and authorization), severity 5 (notice).
const PRIORITY: u8 = 85;

const CURSOR: &[u8] = b"cursor";

/// Sends for as long as the server runs.
pub(crate) async fn send(store: Arc<Store>, to: Listen, tls: Arc<ClientConfig>, metrics: Arc<Metrics>) {
    let mut was_down = false;
    loop {
        let why = match session(&store, &to, &tls, &metrics, &mut was_down).await {
            Ok(()) => return,
            Err(why) => why,
        };
        if !was_down {
            tracing::error!(%why, %to, "the audit log does not reach its repository; it is kept here and sent later");
        }
        was_down = true;
        tokio::time::sleep(limits::SYSLOG_AGAIN).await;
    }
}

async fn session(
    store: &Arc<Store>,
    to: &Listen,
    tls: &Arc<ClientConfig>,
    metrics: &Metrics,
    was_down: &mut bool,
) -> io::Result<()> {
    let mut stream = connected(to, tls).await?;
    let mut sent = cursor(store).await?;
    let mut written = Written::default();
    loop {
        let batch = read(store, sent).await?;
        let Some((last, bytes)) = batch else {
            // Nothing comes from there but the end.
            let mut one = [0; 1];
            match timeout(limits::SYSLOG_LOOK, stream.read(&mut one)).await {
                Err(_) => {
                    if let Some(arrived) = written.arrived(Instant::now()) {
                        keep(store, arrived).await?;
                    }
                    continue;
                }
                Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(Ok(_)) => continue,
                Ok(Err(why)) => return Err(why),
            }
        };
        let done = timeout(limits::SYSLOG_PATIENCE, async {
            stream.write_all(&bytes).await?;
            stream.flush().await
        });
        done.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        if *was_down {
            tracing::info!(%to, "the audit log reaches its repository again");
            *was_down = false;
        }
        let now = Instant::now();
        if let Some(arrived) = written.arrived(now) {
            keep(store, arrived).await?;
        }
        written.note(now, last);
        metrics.sent(last);
        sent = last;
    }
}

/// What was written and may not have arrived.
#[derive(Debug, Default)]
struct Written {
    /// When, and up to which entry: what is written in [`limits::SYSLOG_ARRIVED`], some thousands at most.
    batches: VecDeque<(Instant, u64)>,
}

impl Written {
    fn note(&mut self, now: Instant, last: u64) {
        self.batches.push_back((now, last));
    }

    /// Up to which entry all has arrived, when that is more than the last time. The connection works at this moment.
    fn arrived(&mut self, now: Instant) -> Option<u64> {
        let mut arrived = None;
        while let Some((at, last)) = self.batches.front().copied() {
            if now.duration_since(at) < limits::SYSLOG_ARRIVED {
                break;
            }
            arrived = Some(last);
            self.batches.pop_front();
        }
        arrived
    }
}

async fn connected(to: &Listen, tls: &Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let connect = async {
        let stream = TcpStream::connect(to.address().await?).await?;
        #[cfg(target_os = "linux")]
        socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(limits::SYSLOG_PATIENCE))?;
        let name = ServerName::try_from(to.host().to_owned()).map_err(io::Error::other)?;
        TlsConnector::from(Arc::clone(tls)).connect(name, stream).await
    };
    timeout(limits::SYSLOG_PATIENCE, connect).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

async fn blocking<T: Send + 'static>(
    store: &Arc<Store>,
    work: impl FnOnce(&Store) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let store = Arc::clone(store);
    tokio::task::spawn_blocking(move || work(&store)).await.map_err(io::Error::other)?
}

/// The last entry that was certainly written.
async fn cursor(store: &Arc<Store>) -> io::Result<u64> {
    blocking(store, |store| {
        let table = store.table("audit_syslog").map_err(io::Error::other)?;
        let value = table.value(CURSOR).map_err(io::Error::other)?;
        Ok(value.and_then(|value| Some(u64::from_be_bytes(*value.first_chunk::<8>()?))).unwrap_or(0))
    })
    .await
}

async fn keep(store: &Arc<Store>, sequence: u64) -> io::Result<()> {
    blocking(store, move |store| {
        let table = store.table("audit_syslog").map_err(io::Error::other)?;
        table.put(CURSOR, &sequence.to_be_bytes()).map_err(io::Error::other)
    })
    .await
}

/// The next entries as frames, with the last one's place; `None`: there are none.
async fn read(store: &Arc<Store>, sent: u64) -> io::Result<Option<(u64, Vec<u8>)>> {
    blocking(store, move |store| {
        let failed = |why: store::ReadError| io::Error::other(format!("{why:?}"));
        let entries = store.audit_after(sent, limits::SYSLOG_BATCH).map_err(failed)?;
        let Some(last) = entries.last().map(|seen| seen.sequence) else { return Ok(None) };
        let mut bytes = Vec::new();
        for seen in &entries {
            for message in store.audit_messages(seen).map_err(failed)? {
                bytes.extend_from_slice(&frame(seen, store.base_url(), &message));
            }
        }
        Ok(Some((last, bytes)))
    })
    .await
}

/// One message with its length before it. SPEC: RFC 5425 section 4.3; RFC 5424 section 6.
fn frame(seen: &Seen, base_url: &str, message: &str) -> Vec<u8> {
    let host = base_url.split("://").nth(1).unwrap_or_default();
    let host: String =
        host.split(['/', ':']).next().unwrap_or_default().chars().filter(char::is_ascii_graphic).collect();
    let host = if host.is_empty() { "-" } else { host.as_str() };
    let at = seen.entry.recorded;
    let message = format!("<{PRIORITY}>1 {at} {host} handrail - DICOM+RFC3881 - \u{feff}{message}");
    let mut out = format!("{} ", message.len()).into_bytes();
    out.extend_from_slice(message.as_bytes());
    out
}

#[cfg(test)]
mod tests;
