//! `kill -9` at random moments under writing clients: `cargo xtask kill`.
//!
//! The server runs in its own process and is killed while writers create, update, delete, create
//! under conditions, and post transactions and batches over TLS; then it is started again and a
//! checker, which keeps its own book of what was acknowledged, asks for all of it. Now and then it
//! is killed again while it starts. A kill keeps what the kernel has taken: lost power is the
//! business of the simulated disk in `testkit` and `store`.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

mod check;
mod model;
mod writers;

use check::Checker;
use clap::Parser;
use live::{client, seeded::Seeded, subject::Subject, trail::Trail};
use model::{Book, Shared};
use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use writers::{Round, Steady};

/// How often to kill, and whom.
#[derive(Debug, Parser)]
struct Arguments {
    /// The handrail binary.
    #[arg(long, default_value = "target/release/handrail")]
    handrail: PathBuf,
    /// Kills under load.
    #[arg(long, default_value_t = 50)]
    kills: usize,
    /// Kills of one data directory; then everything is checked, and another one begins.
    #[arg(long, default_value_t = 25)]
    per_store: usize,
    /// Writing clients.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Reading clients.
    #[arg(long, default_value_t = 4)]
    readers: usize,
    /// Longest time of load before a kill, in milliseconds; the shortest is a tenth.
    #[arg(long, default_value_t = 900)]
    load_ms: usize,
    /// Seed of what is done and when it is killed; how the server's threads run is not in it.
    #[arg(long)]
    seed: Option<u64>,
}

/// Of so many restarts one is killed while it starts.
const KILLED_STARTING_EVERY: usize = 8;

/// Longest life of such a start, in milliseconds.
const STARTING_MS: usize = 250;

/// Age of a token at which another is asked for: it lives 300 s.
const TOKEN: Duration = Duration::from_secs(150);

fn main() -> ExitCode {
    live::ended("kill", run(Arguments::parse()))
}

fn run(mut arguments: Arguments) -> io::Result<bool> {
    let seed = *arguments.seed.get_or_insert_with(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        now.as_secs() % 1_000_000
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    println!("seed {seed}");
    let mut sums = Sums::default();
    let begin = Instant::now();
    while sums.kills < arguments.kills {
        let store = sums.stores;
        let directory = tempfile::Builder::new().prefix("handrail-kill-").tempdir()?;
        let outcome = runtime.block_on(one_store(&arguments, seed, directory.path(), &mut sums));
        sums.stores += 1;
        if let Err(wrong) = outcome {
            let kept = directory.keep();
            println!(
                "WRONG: {wrong}\nseed {seed}, store {store}, kill {}; data kept in {}",
                sums.kills,
                kept.display()
            );
            return Ok(false);
        }
        println!("{} kills, {} stores, {:.0} s: {sums}", sums.kills, sums.stores, begin.elapsed().as_secs_f64());
    }
    println!("nothing lost, nothing in halves, every answer in the audit log: {sums}");
    Ok(true)
}

/// What was done and seen so far.
#[derive(Debug, Default)]
struct Sums {
    stores: usize,
    kills: usize,
    killed_starting: usize,
    /// Answers that were held against the audit log.
    answers: usize,
    /// Requests under way at a kill, and how many of those had happened.
    under_way: (usize, usize),
    checks: usize,
    starts: Vec<Duration>,
    starts_processor: Vec<Duration>,
}

impl std::fmt::Display for Sums {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} kills under load, {} while starting; {} answers; {} requests under way at a kill, {} of them had happened; \
             {} resources checked; start after a kill {}, its processor time {}",
            self.kills,
            self.killed_starting,
            self.answers,
            self.under_way.0,
            self.under_way.1,
            self.checks,
            spread(&self.starts),
            spread(&self.starts_processor)
        )
    }
}

fn spread(times: &[Duration]) -> String {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at =
        |share: usize| times.get(times.len().saturating_sub(1) * share / 100).copied().unwrap_or_default().as_millis();
    format!("p50 {} ms p95 {} ms max {} ms", at(50), at(95), at(100))
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// All kills of one data directory.
async fn one_store(a: &Arguments, seed: u64, directory: &Path, sums: &mut Sums) -> Result<(), String> {
    let data = directory.join("data");
    let store = u64::try_from(sums.stores).unwrap_or(0);
    let mut chance = Seeded::new(seed, store * 1000);
    let mut subject = Subject::start(&a.handrail, &data).await.map_err(said)?;
    let who = subject.register("system/*.cruds").map_err(said)?;
    let mut token = (subject.token(&who).map_err(said)?, Instant::now());
    let mut books = Vec::new();
    for client in 0..a.clients {
        books.push(patient(&subject, &token.0, client).await?);
    }
    let mut steady = Steady::new();
    let (mut shared, mut next_shared) = (Shared::default(), 0);
    let mut trail = Trail::default();
    let rounds = a.per_store.min(a.kills - sums.kills);
    for round in 0..rounds {
        if token.1.elapsed() > TOKEN {
            token = (subject.token(&who).map_err(said)?, Instant::now());
        }
        let all = Arc::new(Round {
            address: subject.address,
            tls: subject.tls.clone(),
            token: token.0.clone(),
            killed: AtomicBool::new(false),
            shared: Mutex::new(shared),
            next_shared: AtomicUsize::new(next_shared),
            steady: Mutex::new(steady),
        });
        let part = store * 1000 + u64::try_from(round).unwrap_or(0) * 100_000;
        let writing: Vec<_> = books
            .drain(..)
            .map(|book: Book| {
                let chance = Seeded::new(seed, part + 1 + u64::try_from(book.client).unwrap_or(0));
                tokio::spawn(writers::write(Arc::clone(&all), book, chance))
            })
            .collect();
        let reading: Vec<_> = (0..a.readers)
            .map(|n| {
                tokio::spawn(writers::read(
                    Arc::clone(&all),
                    n,
                    Seeded::new(seed, part + 500 + u64::try_from(n).unwrap_or(0)),
                ))
            })
            .collect();
        let life = a.load_ms / 10 + chance.below(a.load_ms);
        tokio::time::sleep(Duration::from_millis(u64::try_from(life).unwrap_or(0))).await;
        all.killed.store(true, Ordering::SeqCst);
        subject.kill().map_err(said)?;
        sums.kills += 1;

        let mut wrong = Ok(());
        let mut answered = Vec::new();
        for task in writing {
            let (mut book, outcome) = task.await.map_err(said)?;
            wrong = wrong.and(outcome);
            answered.append(&mut book.answered);
            books.push(book);
        }
        for task in reading {
            let (mut more, outcome) = task.await.map_err(said)?;
            wrong = wrong.and(outcome);
            answered.append(&mut more);
        }
        wrong?;
        let all = Arc::into_inner(all).ok_or("a client still runs")?;
        shared = all.shared.into_inner().map_err(said)?;
        steady = all.steady.into_inner().map_err(said)?;
        next_shared = all.next_shared.into_inner();

        // The log as the kill left it lacks what only the outbox has: it is read after the start.
        if chance.below(KILLED_STARTING_EVERY) == 0 {
            let after = Duration::from_millis(u64::try_from(chance.below(STARTING_MS)).unwrap_or(0));
            Subject::start_and_kill(&a.handrail, &data, after).map_err(said)?;
            sums.killed_starting += 1;
        }
        subject = Subject::start(&a.handrail, &data).await.map_err(said)?;
        sums.starts.push(subject.start);
        sums.starts_processor.push(subject.start_processor);
        trail.read_on(&data).map_err(said)?;
        audited(&trail, &answered, sums)?;
        let last = round + 1 == rounds;
        let (checked, mut asked);
        (books, shared, checked, asked) =
            checks(&subject, &token.0, books, shared, &trail, &mut chance, last, sums).await?;
        let live: usize =
            books.iter().map(Book::live).sum::<usize>() + shared.keys.values().filter(|ids| !ids.is_empty()).count();
        let mut checker = Checker::open(&subject, &token.0, format!("t{round}")).await?;
        let total = checker.total().await?;
        asked.append(&mut checker.answered);
        if total != live {
            return Err(format!("{total} Observations in all, {live} are known"));
        }
        sums.checks += checked;
        trail.read_on(&data).map_err(said)?;
        audited(&trail, &asked, sums)?;
    }
    verified(a, &data, &["audit", "verify", "--data"])?;
    subject.stop().map_err(said)?;
    verified(a, &data, &["audit", "verify", "--data"])?;
    verified(a, &data, &["doctor", "--data"])?;
    if trail.count() == 0 {
        return Err("the audit log is empty".into());
    }
    Ok(())
}

async fn patient(subject: &Subject, token: &str, client: usize) -> Result<Book, String> {
    let patient = format!("kill-p{client}");
    let body =
        format!("{{\"resourceType\":\"Patient\",\"id\":\"{patient}\",\"name\":[{{\"family\":\"Kill{client}\"}}]}}");
    let request = client::request("PUT", &format!("/fhir/Patient/{patient}"), token, body.as_bytes());
    let mut connection = client::Connection::open(subject.address, &subject.tls).await.map_err(said)?;
    let answer = connection.send(&request, true).await.map_err(said)?;
    if answer.status != 201 {
        return Err(format!("the patient: {} {}", answer.status, String::from_utf8_lossy(&answer.body)));
    }
    Ok(Book { client, patient, ..Book::default() })
}

/// Every answer has its entries.
fn audited(trail: &Trail, answered: &[(String, usize)], sums: &mut Sums) -> Result<(), String> {
    for (request_id, expected) in answered {
        let entries = trail.of(request_id);
        if entries.all != *expected {
            return Err(format!(
                "request {request_id} was answered; it must have {expected} audit entries and has {entries:?}"
            ));
        }
    }
    sums.answers += answered.len();
    Ok(())
}

type Checked = (Vec<Book>, Shared, usize, Vec<(String, usize)>);

/// All books at the same time, and the shared keys.
#[expect(clippy::too_many_arguments, reason = "the state of a store, handed on by its one caller")]
async fn checks(
    subject: &Subject,
    token: &str,
    books: Vec<Book>,
    mut shared: Shared,
    trail: &Trail,
    chance: &mut Seeded,
    all: bool,
    sums: &mut Sums,
) -> Result<Checked, String> {
    let (mut done, mut checked, mut asked) = (Vec::new(), 0, Vec::new());
    let mut tasks = Vec::new();
    for mut book in books {
        checked += if all { book.items.len() } else { book.touched.len() };
        let entries = book.pending.as_ref().map(|pending| trail.of(&pending.request_id)).unwrap_or_default();
        let mut checker =
            Checker::open(subject, token, format!("v{:08x}-{}", chance.next() >> 32, book.client)).await?;
        let mut chance = Seeded::new(chance.next(), 0);
        tasks.push(tokio::spawn(async move {
            let outcome = match checker.settle(&mut book, entries).await {
                Ok(settled) => checker.book(&mut book, &mut chance, all).await.map(|()| settled),
                Err(wrong) => Err(wrong),
            };
            (book, checker.answered, outcome)
        }));
    }
    let mut sharing = Checker::open(subject, token, format!("s{:08x}", chance.next() >> 32)).await?;
    sharing.shared(&mut shared, all).await?;
    asked.append(&mut sharing.answered);
    for task in tasks {
        let (book, mut answered, outcome) = task.await.map_err(said)?;
        if let Some(happened) = outcome? {
            sums.under_way.0 += 1;
            sums.under_way.1 += usize::from(happened);
        }
        asked.append(&mut answered);
        done.push(book);
    }
    Ok((done, shared, checked, asked))
}

/// A command of handrail on the directory that must find nothing.
fn verified(a: &Arguments, data: &Path, command: &[&str]) -> Result<(), String> {
    let output = Command::new(&a.handrail).args(command).arg(data).output().map_err(said)?;
    if output.status.success() {
        return Ok(());
    }
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("handrail {}: {out}{err}", command.join(" ")))
}
