//! A closed loop: each client sends its next request when the last one was answered.

use live::client::Connection;
use rustls::ClientConfig;
use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

/// What a loop measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
}

impl Measured {
    pub(crate) fn from(mut latencies: Vec<Duration>, elapsed: Duration) -> Self {
        latencies.sort_unstable();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank"
        )]
        let at = |share: f64| {
            let rank = ((latencies.len() as f64 - 1.0) * share).max(0.0) as usize;
            latencies.get(rank).map_or(0.0, |d| d.as_secs_f64() * 1e6)
        };
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let per_second = latencies.len() as f64 / elapsed.as_secs_f64();
        Self { per_second, p50_us: at(0.5), p99_us: at(0.99), p999_us: at(0.999) }
    }
}

/// Makes the n-th request of a client: (client, n) → bytes.
pub(crate) type Requests = Arc<dyn Fn(usize, usize) -> Vec<u8> + Send + Sync>;

/// Runs `clients` closed loops for `time`; every status must be one of `expected`.
pub(crate) async fn closed(
    address: SocketAddr,
    tls: &Arc<ClientConfig>,
    clients: usize,
    time: Duration,
    requests: &Requests,
    expected: &'static [u16],
) -> io::Result<Measured> {
    let mut tasks = Vec::new();
    for client in 0..clients {
        let (tls, requests) = (Arc::clone(tls), Arc::clone(requests));
        let mut connection = Connection::open(address, &tls).await?;
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::with_capacity(100_000);
            let begin = Instant::now();
            let mut n = 0;
            while begin.elapsed() < time {
                let request = requests(client, n);
                let sent = Instant::now();
                let answer = connection.send(&request, false).await?;
                latencies.push(sent.elapsed());
                if !expected.contains(&answer.status) {
                    return Err(io::Error::other(format!("status {} where {expected:?} was expected", answer.status)));
                }
                n += 1;
            }
            Ok::<_, io::Error>((latencies, begin.elapsed()))
        }));
    }
    let mut all = Vec::new();
    let mut longest = Duration::ZERO;
    for task in tasks {
        let (latencies, elapsed) = task.await.map_err(io::Error::other)??;
        all.extend(latencies);
        longest = longest.max(elapsed);
    }
    Ok(Measured::from(all, longest))
}
