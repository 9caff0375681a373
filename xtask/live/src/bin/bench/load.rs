//! The two loops. Closed: each client sends its next request when the last one was answered, which
//! gives the throughput. Open: requests fall due at a fixed rate whatever the server does, and each
//! latency counts from the moment its request was due, so a stall is seen by all that it held up.
//!
//! Every answer is checked; a wrong one ends the run.

use live::client::{Connection, Reply};
use rustls::ClientConfig;
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// What a closed loop measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    pub(crate) requests: usize,
    pub(crate) per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
    pub(crate) max_us: f64,
    /// Processor time of the server per request, in microseconds.
    pub(crate) processor_us: f64,
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
            let rank = ((latencies.len() as f64 - 1.0) * share).ceil().max(0.0) as usize;
            latencies.get(rank).map_or(0.0, |d| d.as_secs_f64() * 1e6)
        };
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let per_second = latencies.len() as f64 / elapsed.as_secs_f64();
        Self {
            requests: latencies.len(),
            per_second,
            p50_us: at(0.5),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: at(1.0),
            processor_us: 0.0,
        }
    }
}

/// Requests and what their answers must be, by ticket: each ticket is used once.
pub(crate) trait Work: Send + Sync + 'static {
    /// The bytes of a request.
    fn request(&self, ticket: usize) -> Vec<u8>;
    /// Whether an answer is right, as far as can be told in a microsecond.
    fn is_right(&self, ticket: usize, reply: &Reply<'_>) -> bool;
    /// Whether it is right in every part; asked for a few answers, after the loop.
    fn is_wholly_right(&self, ticket: usize, body: &[u8]) -> Result<(), String>;
}

/// Where a load goes.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<ClientConfig>,
    /// The server's process.
    pub(crate) process: u32,
}

/// Of so many answers one is looked at wholly.
const LOOKED_AT_EVERY: usize = 199;

/// Answers of one connection that are kept for that.
const LOOKED_AT_MAX: usize = 20;

fn wrong(ticket: usize, reply: &Reply<'_>) -> io::Error {
    let body: String = String::from_utf8_lossy(reply.body).chars().take(400).collect();
    io::Error::other(format!("request {ticket} was answered wrongly: {} {body}", reply.status))
}

/// One connection's part of either loop.
struct Worker<W> {
    connection: Connection,
    work: Arc<W>,
    kept: Vec<(usize, Vec<u8>)>,
}

impl<W: Work> Worker<W> {
    async fn open(target: &Target, work: &Arc<W>) -> io::Result<Self> {
        let connection = Connection::open(target.address, &target.tls).await?;
        Ok(Self { connection, work: Arc::clone(work), kept: Vec::new() })
    }

    async fn one(&mut self, ticket: usize, request: &[u8]) -> io::Result<Instant> {
        let reply = self.connection.exchange(request).await?;
        let answered = Instant::now();
        if !self.work.is_right(ticket, &reply) {
            return Err(wrong(ticket, &reply));
        }
        if ticket.is_multiple_of(LOOKED_AT_EVERY) && self.kept.len() < LOOKED_AT_MAX {
            self.kept.push((ticket, reply.body.to_vec()));
        }
        Ok(answered)
    }

    fn look_at_kept(&self) -> io::Result<()> {
        for (ticket, body) in &self.kept {
            self.work
                .is_wholly_right(*ticket, body)
                .map_err(|why| io::Error::other(format!("request {ticket} was answered wrongly: {why}")))?;
        }
        Ok(())
    }
}

/// Runs `clients` closed loops for `time`, with tickets from `first` on.
pub(crate) async fn closed<W: Work>(
    target: &Target,
    clients: usize,
    time: Duration,
    work: &Arc<W>,
    first: usize,
) -> io::Result<Measured> {
    let mut workers = Vec::new();
    for _ in 0..clients {
        workers.push(Worker::open(target, work).await?);
    }
    let before = live::subject::processor_time(target.process);
    let mut tasks = Vec::new();
    for (client, mut worker) in workers.into_iter().enumerate() {
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::with_capacity(100_000);
            let begin = Instant::now();
            let mut ticket = first + client;
            while begin.elapsed() < time {
                let request = worker.work.request(ticket);
                let sent = Instant::now();
                let answered = worker.one(ticket, &request).await?;
                latencies.push(answered.duration_since(sent));
                ticket += clients;
            }
            Ok::<_, io::Error>((latencies, begin.elapsed(), worker))
        }));
    }
    let (mut all, mut longest, mut workers) = (Vec::new(), Duration::ZERO, Vec::new());
    for task in tasks {
        let (latencies, elapsed, worker) = task.await.map_err(io::Error::other)??;
        all.extend(latencies);
        longest = longest.max(elapsed);
        workers.push(worker);
    }
    let processor = live::subject::processor_time(target.process).saturating_sub(before);
    workers.iter().try_for_each(Worker::look_at_kept)?;
    let mut measured = Measured::from(all, longest);
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let requests = measured.requests.max(1) as f64;
    measured.processor_us = processor.as_secs_f64() * 1e6 / requests;
    Ok(measured)
}

/// What an open loop measured at one rate.
#[derive(Debug, Clone)]
pub(crate) struct AtRate {
    /// Requests due per second.
    pub(crate) rate: f64,
    /// Latencies from the moment of being due.
    pub(crate) measured: Measured,
    /// Requests that were due and not answered when the loop gave up waiting.
    pub(crate) unanswered: usize,
}

/// Connections of an open loop: as many requests can be under way.
const CONNECTIONS: usize = 64;

/// Time for what is still under way at the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Lets `rate` requests a second fall due for `time`, with tickets from `first` on.
pub(crate) async fn open<W: Work>(
    target: &Target,
    rate: f64,
    time: Duration,
    work: &Arc<W>,
    first: usize,
) -> io::Result<AtRate> {
    let (send, receive) = mpsc::unbounded_channel::<(usize, Instant)>();
    let receive = Arc::new(tokio::sync::Mutex::new(receive));
    let done = Arc::new(AtomicUsize::new(0));
    let mut workers = Vec::new();
    for _ in 0..CONNECTIONS {
        workers.push(Worker::open(target, work).await?);
    }
    let tasks: Vec<_> = workers
        .into_iter()
        .map(|mut worker| {
            let (receive, done) = (Arc::clone(&receive), Arc::clone(&done));
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                loop {
                    let next = receive.lock().await.recv().await;
                    let Some((ticket, due)) = next else { break };
                    let request = worker.work.request(ticket);
                    let answered = worker.one(ticket, &request).await?;
                    latencies.push(answered.saturating_duration_since(due));
                    done.fetch_add(1, Ordering::Relaxed);
                }
                worker.look_at_kept()?;
                Ok::<_, io::Error>(latencies)
            })
        })
        .collect();
    let clock = std::thread::spawn(move || live::due::tick(rate, time, first, &send));
    let begin = Instant::now();
    let patience = tokio::time::Instant::now() + time + PATIENCE;
    let (mut all, mut gave_up) = (Vec::new(), false);
    for task in tasks {
        let abort = task.abort_handle();
        match tokio::time::timeout_at(patience, task).await {
            Ok(latencies) => all.extend(latencies.map_err(io::Error::other)??),
            Err(_) => {
                gave_up = true;
                abort.abort();
            }
        }
    }
    let elapsed = begin.elapsed().max(time);
    let sent = clock.join().unwrap_or(0);
    let unanswered = if gave_up { sent.saturating_sub(done.load(Ordering::Relaxed)).max(1) } else { 0 };
    Ok(AtRate { rate, measured: Measured::from(all, elapsed), unanswered })
}

#[cfg(test)]
mod tests;
