//! `kill -9` under people's apps: `cargo xtask kill-apps`. SPEC: RFC 6749 section 4.1.2, RFC 9700 section 4.14, RFC 7009;
//! rows B22, B58, B61.
//!
//! Each client is a person with a session and an app that gets codes, redeems them, refreshes, gives tokens back, is
//! ended at "my apps", asks what a token is worth, and sends old codes and tokens again. The server is killed meanwhile
//! and started again, and everything that it had answered is held against it: a code or refresh token that was used works
//! never again (but within the documented grace, for the same successor), one that was given is not lost, one that ended
//! stays so, its access tokens too. What was under way may have happened or not, and never both. A kill keeps what the
//! kernel has taken: lost power is the business of the simulated disk.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

mod book;
mod check;

use book::Book;
use check::Held;
use clap::Parser;
use live::{
    client::{Connection, request},
    seeded::Seeded,
    subject::Subject,
    trail::Trail,
    visitor::{App, REDIRECT, Visitor},
};
use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How often to kill, and whom.
#[derive(Debug, Parser)]
struct Arguments {
    /// The handrail binary.
    #[arg(long, default_value = "target/release/handrail")]
    handrail: PathBuf,
    /// Kills under load.
    #[arg(long, default_value_t = 60)]
    kills: usize,
    /// Kills of one data directory; then everything is checked, and another one begins.
    #[arg(long, default_value_t = 20)]
    per_store: usize,
    /// People with an app each.
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// Longest time of load before a kill, in milliseconds; the shortest is a tenth.
    #[arg(long, default_value_t = 900)]
    load_ms: usize,
    /// Shows that the checker sees a loss: after the second kill all files are put back to the first one.
    #[arg(long)]
    put_back: bool,
    /// Seed of what is done and when it is killed; how the server's threads run is not in it.
    #[arg(long)]
    seed: Option<u64>,
}

/// Of so many restarts one is killed while it starts.
const KILLED_STARTING_EVERY: usize = 8;

/// Longest life of such a start, in milliseconds.
const STARTING_MS: usize = 250;

/// What was done and seen so far.
#[derive(Debug, Default)]
struct Sums {
    stores: u64,
    kills: usize,
    killed_starting: usize,
    held: Held,
}

impl std::fmt::Display for Sums {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let held = &self.held;
        write!(
            f,
            "{} kills under load, {} while starting; {} requests under way at a kill, {} of them had happened; codes and \
             refresh tokens: {} had to work and did, {} must not work and did not; access tokens: {} and {}; {} answers \
             with tokens are in the audit log",
            self.kills,
            self.killed_starting,
            held.under_way,
            held.happened,
            held.worked,
            held.refused,
            held.access_worked,
            held.access_refused,
            held.audited
        )
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    live::ended("kill-apps", run(&Arguments::parse()).await)
}

async fn run(a: &Arguments) -> io::Result<bool> {
    let seed = a.seed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        now.as_secs() % 1_000_000
    });
    println!("seed {seed}");
    let (mut sums, begin) = (Sums::default(), Instant::now());
    while sums.kills < a.kills {
        let directory = tempfile::Builder::new().prefix("handrail-kill-apps-").tempdir()?;
        if let Err(wrong) = one_store(a, seed, directory.path(), &mut sums).await {
            let kept = directory.keep();
            println!(
                "WRONG: {wrong}\nseed {seed}, store {}, kill {}; data kept in {}",
                sums.stores,
                sums.kills,
                kept.display()
            );
            return Ok(false);
        }
        sums.stores += 1;
        println!("{} stores, {:.0} s: {sums}", sums.stores, begin.elapsed().as_secs_f64());
    }
    println!("nothing worked twice, nothing was lost, nothing came back: {sums}");
    Ok(true)
}

/// All kills of one data directory.
async fn one_store(a: &Arguments, seed: u64, directory: &Path, sums: &mut Sums) -> io::Result<()> {
    let data = directory.join("data");
    let mut chance = Seeded::new(seed, sums.stores * 1000);
    let mut subject = Subject::start(&a.handrail, &data).await?;
    let mut books = people(a, &subject).await?;
    let mut trail = Trail::default();
    let rounds = a.per_store.min(a.kills - sums.kills);
    for round in 0..rounds {
        let killed = Arc::new(AtomicBool::new(false));
        let tasks: Vec<_> = books
            .drain(..)
            .map(|book: Book| {
                let chance = Seeded::new(chance.next(), u64::try_from(book.number).unwrap_or(0));
                tokio::spawn(load(book, chance, Arc::clone(&killed)))
            })
            .collect();
        let life = a.load_ms / 10 + chance.below(a.load_ms);
        tokio::time::sleep(Duration::from_millis(u64::try_from(life).unwrap_or(0))).await;
        killed.store(true, Ordering::SeqCst);
        subject.kill()?;
        sums.kills += 1;
        let mut outcome = Ok(());
        for task in tasks {
            let (book, one) = task.await.map_err(io::Error::other)?;
            outcome = outcome.and(one);
            books.push(book);
        }
        outcome?;
        if a.put_back && round < 2 {
            let copy = directory.join("copy");
            let (from, to) = if round == 0 { (&data, &copy) } else { (&copy, &data) };
            let _ = std::fs::remove_dir_all(to);
            Command::new("cp").arg("-a").args([from, to]).status()?;
        }
        if chance.below(KILLED_STARTING_EVERY) == 0 {
            let after = Duration::from_millis(u64::try_from(chance.below(STARTING_MS)).unwrap_or(0));
            Subject::start_and_kill(&a.handrail, &data, after)?;
            sums.killed_starting += 1;
        }
        subject = Subject::start(&a.handrail, &data).await?;
        // The log as the kill left it lacks what only the outbox has: it is read after the start.
        trail.read_on(&data)?;
        let all = round + 1 == rounds;
        for book in &mut books {
            book.visitor.reconnect(subject.address, &subject.tls, address(book.number)).await?;
            sums.held.add(check::check(book, &trail, &mut chance, all).await?);
        }
    }
    subject.stop()?;
    verified(a, &data, &["audit", "verify", "--data"])?;
    verified(a, &data, &["doctor", "--data"])
}

/// Does one thing after the other until the server is killed; a connection that breaks before that is wrong.
async fn load(mut book: Book, mut chance: Seeded, killed: Arc<AtomicBool>) -> (Book, io::Result<()>) {
    loop {
        if let Err(error) = book.step(&mut chance).await {
            let is_kill = error.kind() != io::ErrorKind::Other && killed.load(Ordering::SeqCst);
            return (book, if is_kill { Ok(()) } else { Err(error) });
        }
    }
}

/// People with an account and a session, and an app for each.
async fn people(a: &Arguments, subject: &Subject) -> io::Result<Vec<Book>> {
    let operator = subject.register("system/*.cruds")?;
    let token = subject.token(&operator)?;
    let mut connection = Connection::open(subject.address, &subject.tls).await?;
    let origin = subject.base.trim_end_matches("/fhir").to_owned();
    let scope = "launch/patient offline_access patient/Patient.rs patient/Observation.rs";
    let mut books = Vec::new();
    for number in 0..a.clients {
        let (patient, login) = (format!("Patient/p{number}"), format!("person{number}"));
        let path = format!("/fhir/{patient}");
        let body = format!("{{\"resourceType\":\"Patient\",\"id\":\"p{number}\"}}");
        let answer = connection.send(&request("PUT", &path, &token, body.as_bytes()), false).await?;
        if answer.status != 201 {
            return Err(book::wrong(format!("the patient: {}", answer.status)));
        }
        let add = ["client", "add", "Walks", "--public", "--redirect", REDIRECT, "--scope", scope];
        let app = App { client_id: subject.operate(&add)?, fhir_base: subject.base.clone() };
        let link =
            subject.operate(&["user", "add", &login, "--role", "patient", "--as", &patient, "--name", "A Person"])?;
        let mut visitor = Visitor::enrol(subject.address, &subject.tls, &origin, &login, &link).await?;
        visitor.reconnect(subject.address, &subject.tls, address(number)).await?;
        books.push(Book {
            number,
            visitor,
            app,
            patient: path,
            codes: Vec::new(),
            lost_codes: Vec::new(),
            families: Vec::new(),
            doing: None,
            answered: Vec::new(),
        });
    }
    Ok(books)
}

/// Each at an address of their own: the server limits what one address asks.
fn address(number: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 2, u8::try_from(number % 250).unwrap_or(0) + 1))
}

/// A command of handrail on the directory that must find nothing.
fn verified(a: &Arguments, data: &Path, command: &[&str]) -> io::Result<()> {
    let output = Command::new(&a.handrail).args(command).arg(data).output()?;
    if output.status.success() {
        return Ok(());
    }
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(book::wrong(format!("handrail {}: {out}{err}", command.join(" "))))
}
