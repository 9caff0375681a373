//! Mixed load for a while at a fixed rate: `cargo xtask soak --minutes 15`.
//!
//! Requests fall due at a share of what a closed loop of the same mix reached just before; latencies
//! count from the moment of being due. Connections come and go, tokens are renewed. It fails when
//! the server answers nothing for too long although requests were due, when memory is not flat
//! ([`memory`] has the rule), or when an answer is wrong.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

mod histogram;
mod memory;
mod mix;

use clap::Parser;
use histogram::Histogram;
use live::{
    client::Connection,
    data, due,
    subject::{self, Subject},
};
use mix::{Kind, Mix};
use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// How long, how much.
#[derive(Debug, Parser)]
struct Arguments {
    /// The handrail binary, built with --release.
    #[arg(long, default_value = "target/release/handrail")]
    handrail: PathBuf,
    /// Minutes of load.
    #[arg(long, default_value_t = 15.0)]
    minutes: f64,
    /// Resources in the store before.
    #[arg(long, default_value_t = 20_000)]
    resources: usize,
    /// Requests due per second; without it a share of what a closed loop reaches.
    #[arg(long)]
    rate: Option<f64>,
    /// That share, in per cent.
    #[arg(long, default_value_t = 55)]
    share: u32,
    /// Longest time without any answer, in milliseconds.
    #[arg(long, default_value_t = 250)]
    stall_ms: u64,
    /// Seed of the mix.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the machine-readable result goes.
    #[arg(long, default_value = "target/soak.json")]
    json: PathBuf,
}

/// Connections of the open loop: as many requests can be under way.
const CONNECTIONS: usize = 48;

/// Requests after which a connection is closed and another opened.
const REQUESTS_OF_A_CONNECTION: usize = 300;

/// Time after which another token is used.
const TOKEN: Duration = Duration::from_secs(45);

/// Time of the closed loop that finds the rate, after as much that is not counted.
const PACE: Duration = Duration::from_secs(5);

/// Clients of that closed loop.
const PACERS: usize = 16;

/// Time for what is still under way at the end.
const PATIENCE: Duration = Duration::from_secs(10);

/// One window of latencies, in seconds.
const WINDOW_S: u64 = 60;

/// What all workers note.
#[derive(Debug, Default)]
struct Notes {
    /// By window and kind (its place in [`Kind::ALL`]).
    latencies: BTreeMap<(u64, usize), Histogram>,
    handshakes: Histogram,
    last_answer: Option<Instant>,
    /// Longest time without an answer, and when it ended.
    stall: (Duration, Duration),
    stalls: usize,
}

fn main() -> ExitCode {
    live::ended("soak", run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> io::Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(soak(arguments))?;
    println!("{}", result.text(arguments));
    std::fs::write(&arguments.json, result.json(arguments).to_string())?;
    let wrong = result.wrong(arguments);
    wrong.iter().for_each(|what| println!("FAILED: {what}"));
    if wrong.is_empty() {
        println!("passed: memory flat, no stall above {} ms, every answer right", arguments.stall_ms);
    }
    Ok(wrong.is_empty())
}

async fn soak(a: &Arguments) -> io::Result<Outcome> {
    let directory = tempfile::tempdir()?;
    let store = directory.path().join("data");
    let subject = Subject::start(&a.handrail, &store).await?;
    let client = subject.register("system/*.cruds")?;
    let patients = (a.resources / data::PER_PATIENT).max(30);
    let mut connection = Connection::open(subject.address, &subject.tls).await?;
    let token = subject.token(&client)?;
    for n in 0..patients {
        let request = live::client::request("POST", "/fhir", &token, &data::whole_patient(n));
        let answer = connection.send(&request, true).await?;
        if answer.status != 200 {
            return Err(io::Error::other(format!(
                "the load: {} {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            )));
        }
    }
    let mix = Arc::new(Mix::new(patients, a.seed, subject.token(&client)?));
    let (rate, capacity) = match a.rate {
        Some(rate) => (rate, 0.0),
        None => {
            pace(&subject, &mix, 0).await?;
            let capacity = pace(&subject, &mix, 1 << 40).await?;
            (capacity * f64::from(a.share) / 100.0, capacity)
        }
    };
    let disk_before = subject::bytes_below(&store);
    println!(
        "{} resources; closed loop {capacity:.0}/s; {rate:.0}/s fall due for {} minutes",
        patients * data::PER_PATIENT,
        a.minutes
    );

    let time = Duration::from_secs_f64(a.minutes * 60.0);
    let over = Arc::new(AtomicBool::new(false));
    let sampler = tokio::spawn(sample(subject.process(), Arc::clone(&over)));
    let notes = Arc::new(Mutex::new(Notes::default()));
    let (send, receive) = mpsc::unbounded_channel::<(usize, Instant)>();
    let load = Arc::new(Load {
        address: subject.address,
        tls: subject.tls.clone(),
        mix: Arc::clone(&mix),
        receive: tokio::sync::Mutex::new(receive),
        notes: Arc::clone(&notes),
        begin: Instant::now(),
        answered: AtomicUsize::new(0),
        connections: AtomicUsize::new(0),
    });
    let processor = subject::processor_time(subject.process());
    let workers: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(Arc::clone(&load).work())).collect();
    let clock = std::thread::spawn(move || due::tick(rate, time, 1 << 41, &send));
    let witness = std::thread::spawn({
        let over = Arc::clone(&over);
        move || lateness(&over)
    });
    let mut tokens = 1;
    while load.begin.elapsed() < time {
        tokio::time::sleep(TOKEN.min(time.saturating_sub(load.begin.elapsed()))).await;
        mix.renew(tokio::task::block_in_place(|| subject.token(&client))?);
        tokens += 1;
    }
    let patience = tokio::time::Instant::now() + PATIENCE;
    let mut failure = None;
    for worker in workers {
        match tokio::time::timeout_at(patience, worker).await {
            Ok(outcome) => failure = failure.or(outcome.map_err(io::Error::other)?.err()),
            Err(_) => failure = failure.or(Some(io::Error::other("requests were not answered at the end"))),
        }
    }
    let processor = subject::processor_time(subject.process()).saturating_sub(processor);
    over.store(true, Ordering::SeqCst);
    let due = clock.join().unwrap_or(0);
    let samples = sampler.await.map_err(io::Error::other)?;
    let notes = std::mem::take(&mut *notes.lock().unwrap_or_else(PoisonError::into_inner));
    let disk = (disk_before, subject::bytes_below(&store));
    subject.stop()?;
    Ok(Outcome {
        rate,
        due,
        answered: load.answered.load(Ordering::SeqCst),
        connections: load.connections.load(Ordering::SeqCst),
        tokens,
        processor: processor.as_secs_f64() / time.as_secs_f64(),
        notes,
        memory: memory::Verdict::of(&samples),
        samples,
        disk,
        witness: witness.join().unwrap_or_default(),
        failure: failure.map(|error| error.to_string()),
    })
}

/// Requests a second of a closed loop of the mix.
async fn pace(subject: &Subject, mix: &Arc<Mix>, first: usize) -> io::Result<f64> {
    let next = Arc::new(AtomicUsize::new(first));
    let begin = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..PACERS {
        let (mix, next) = (Arc::clone(mix), Arc::clone(&next));
        let mut connection = Connection::open(subject.address, &subject.tls).await?;
        tasks.push(tokio::spawn(async move {
            while begin.elapsed() < PACE {
                mix.one(&mut connection, next.fetch_add(1, Ordering::Relaxed)).await?;
            }
            Ok::<_, io::Error>(())
        }));
    }
    for task in tasks {
        task.await.map_err(io::Error::other)??;
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let done = (next.load(Ordering::Relaxed) - first) as f64;
    Ok(done / begin.elapsed().as_secs_f64())
}

struct Load {
    address: std::net::SocketAddr,
    tls: Arc<rustls::ClientConfig>,
    mix: Arc<Mix>,
    receive: tokio::sync::Mutex<mpsc::UnboundedReceiver<(usize, Instant)>>,
    notes: Arc<Mutex<Notes>>,
    begin: Instant,
    answered: AtomicUsize,
    connections: AtomicUsize,
}

impl Load {
    async fn work(self: Arc<Self>) -> io::Result<()> {
        let mut connection: Option<Connection> = None;
        let mut left = 0;
        loop {
            let next = self.receive.lock().await.recv().await;
            let Some((ticket, due)) = next else { return Ok(()) };
            // A new connection is made while its request is due already: the handshake counts.
            let mut open = match connection.take().filter(|_| left > 0) {
                Some(open) => open,
                None => {
                    let begin = Instant::now();
                    let open = Connection::open(self.address, &self.tls).await?;
                    self.connections.fetch_add(1, Ordering::Relaxed);
                    // Not all at the same time: the ticket spreads them.
                    left = REQUESTS_OF_A_CONNECTION / 2 + ticket % REQUESTS_OF_A_CONNECTION;
                    self.notes.lock().unwrap_or_else(PoisonError::into_inner).handshakes.add(begin.elapsed());
                    open
                }
            };
            let (kind, answered) = self.mix.one(&mut open, ticket).await?;
            left -= 1;
            connection = Some(open);
            self.note(kind, due, answered);
        }
    }

    fn note(&self, kind: Kind, due: Instant, answered: Instant) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        let since = answered.saturating_duration_since(self.begin);
        let place = Kind::ALL.iter().position(|other| *other == kind).unwrap_or(0);
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes
            .latencies
            .entry((since.as_secs() / WINDOW_S, place))
            .or_default()
            .add(answered.saturating_duration_since(due));
        let last = notes.last_answer.unwrap_or(self.begin);
        let gap = answered.saturating_duration_since(last);
        if gap > Duration::from_millis(100) {
            notes.stalls += 1;
        }
        if gap > notes.stall.0 {
            notes.stall = (gap, since);
        }
        notes.last_answer = Some(last.max(answered));
    }
}

/// Memory once a second.
async fn sample(process: u32, over: Arc<AtomicBool>) -> Vec<subject::Memory> {
    let mut samples = Vec::new();
    let mut second = tokio::time::interval(Duration::from_secs(1));
    while !over.load(Ordering::SeqCst) {
        second.tick().await;
        samples.push(subject::memory(process));
    }
    samples
}

/// The longest time by which a thread that does nothing was woken too late: what the machine itself
/// does to everyone, so that a stall can be told from it.
fn lateness(over: &AtomicBool) -> Duration {
    let step = Duration::from_millis(2);
    let mut longest = Duration::ZERO;
    while !over.load(Ordering::SeqCst) {
        let begin = Instant::now();
        std::thread::sleep(step);
        longest = longest.max(begin.elapsed().saturating_sub(step));
    }
    longest
}

/// What came of it.
struct Outcome {
    rate: f64,
    due: usize,
    answered: usize,
    connections: usize,
    tokens: usize,
    /// Cores that the server kept busy.
    processor: f64,
    notes: Notes,
    memory: memory::Verdict,
    samples: Vec<subject::Memory>,
    disk: (u64, u64),
    witness: Duration,
    failure: Option<String>,
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn latencies(histogram: &Histogram) -> String {
    format!(
        "{} | {:.2} | {:.2} | {:.2} | {:.1}",
        histogram.count(),
        milliseconds(histogram.per_mille(500)),
        milliseconds(histogram.per_mille(990)),
        milliseconds(histogram.per_mille(999)),
        milliseconds(histogram.max())
    )
}

impl Outcome {
    fn merged(&self, pick: impl Fn(u64, usize) -> bool) -> Histogram {
        let mut out = Histogram::default();
        for ((window, kind), histogram) in &self.notes.latencies {
            if pick(*window, *kind) {
                out.merge(histogram);
            }
        }
        out
    }

    fn wrong(&self, a: &Arguments) -> Vec<String> {
        let mut wrong: Vec<String> = self.failure.iter().cloned().collect();
        if self.answered != self.due && self.failure.is_none() {
            wrong.push(format!("{} of {} requests were answered", self.answered, self.due));
        }
        if self.notes.stall.0 > Duration::from_millis(a.stall_ms) {
            wrong.push(format!(
                "no answer for {:.0} ms at {:.1} s (the machine woke a thread that does nothing up to {:.0} ms late)",
                milliseconds(self.notes.stall.0),
                self.notes.stall.1.as_secs_f64(),
                milliseconds(self.witness)
            ));
        }
        if !self.memory.is_flat() {
            wrong.push(format!("memory is not flat: {:.1} MiB more over the last two thirds", self.memory.rise));
        }
        wrong
    }

    #[expect(clippy::cast_precision_loss, reason = "bytes for people")]
    fn text(&self, a: &Arguments) -> String {
        let mut out =
            String::from("\n| request | answers | p50 ms | p99 ms | p99.9 ms | max ms |\n|---|---|---|---|---|---|\n");
        for (place, kind) in Kind::ALL.iter().enumerate() {
            out.push_str(&format!("| {} | {} |\n", kind.name(), latencies(&self.merged(|_, k| k == place))));
        }
        out.push_str(&format!("| all | {} |\n", latencies(&self.merged(|_, _| true))));
        out.push_str(&format!("| (new connection, TLS handshake) | {} |\n", latencies(&self.notes.handshakes)));
        out.push_str("\n| minute | answers | p50 ms | p99 ms | p99.9 ms | max ms | anonymous MiB | resident MiB |\n|---|---|---|---|---|---|---|---|\n");
        let windows = self.notes.latencies.keys().map(|(window, _)| *window).max().unwrap_or(0);
        for window in 0..=windows {
            let second = usize::try_from((window + 1) * WINDOW_S).unwrap_or(usize::MAX) - 1;
            let memory = self.samples.get(second).or(self.samples.last()).copied().unwrap_or_default();
            out.push_str(&format!(
                "| {} | {} | {:.1} | {:.1} |\n",
                window + 1,
                latencies(&self.merged(|w, _| w == window)),
                memory.anonymous as f64 / 1_048_576.0,
                memory.resident as f64 / 1_048_576.0
            ));
        }
        let memory = &self.memory;
        out.push_str(&format!(
            "\n{:.0}/s due, {} due, {} answered; {} connections, {} tokens; the server kept {:.2} cores busy\n\
             longest time without an answer {:.1} ms (bound {} ms), {} above 100 ms; the machine woke an idle thread up to {:.1} ms late\n\
             anonymous memory of the last two thirds: mean {:.1} MiB, rise {:.1} MiB: {}; peak resident {:.1} MiB, of files at the end {:.1} MiB\n\
             store on disk: {:.1} MiB before, {:.1} MiB after",
            self.rate, self.due, self.answered, self.connections, self.tokens, self.processor,
            milliseconds(self.notes.stall.0), a.stall_ms, self.notes.stalls, milliseconds(self.witness),
            memory.mean, memory.rise, if memory.is_flat() { "flat" } else { "NOT FLAT" }, memory.peak, memory.of_files,
            self.disk.0 as f64 / 1_048_576.0, self.disk.1 as f64 / 1_048_576.0
        ));
        out
    }

    fn json(&self, a: &Arguments) -> serde_json::Value {
        let figures = |h: &Histogram| {
            serde_json::json!({
                "answers": h.count(), "p50_ms": milliseconds(h.per_mille(500)), "p99_ms": milliseconds(h.per_mille(990)),
                "p999_ms": milliseconds(h.per_mille(999)), "max_ms": milliseconds(h.max()),
            })
        };
        let kinds: serde_json::Map<_, _> = Kind::ALL
            .iter()
            .enumerate()
            .map(|(place, kind)| (kind.name().to_owned(), figures(&self.merged(|_, k| k == place))))
            .collect();
        serde_json::json!({
            "rate": self.rate, "due": self.due, "answered": self.answered, "all": figures(&self.merged(|_, _| true)),
            "kinds": kinds, "stall_ms": milliseconds(self.notes.stall.0), "witness_ms": milliseconds(self.witness),
            "memory": { "mean_mib": self.memory.mean, "rise_mib": self.memory.rise, "peak_mib": self.memory.peak, "flat": self.memory.is_flat() },
            "anonymous_bytes": self.samples.iter().map(|memory| memory.anonymous).collect::<Vec<_>>(),
            "resident_bytes": self.samples.iter().map(|memory| memory.resident).collect::<Vec<_>>(),
            "disk_bytes": [self.disk.0, self.disk.1], "failed": self.wrong(a),
        })
    }
}
