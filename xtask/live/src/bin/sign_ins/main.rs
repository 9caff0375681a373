//! People sign in and apps exchange tokens while others read and search: `cargo xtask sign-ins`. SPEC: rows B26, F66.
//!
//! Each sign-in is the whole way of a person at a browser: the page, the password (argon2id at its full cost), an app's
//! request, its code, and the code redeemed for a token. Beside them refresh tokens are used, each once and its successor
//! next. Both fall due at a fixed rate a minute. It fails when less was done than fell due, when a call of the steady
//! caller failed, or when that caller's p99 more than doubled against the quiet time just before.
//! Left out: second factors and passkeys, which cost the server less than a password.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use clap::Parser;
use live::{
    steady::{self, Target},
    subject::{self, Subject},
    visitor::{App, REDIRECT, Visitor},
};
use std::{
    collections::VecDeque,
    io,
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Signs people in at the real binary, and watches what others get meanwhile.
#[derive(Debug, Parser)]
struct Arguments {
    /// The binary.
    #[arg(long)]
    handrail: PathBuf,
    /// Seconds of load, and of the quiet time before it.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Accounts.
    #[arg(long, default_value_t = 20)]
    people: usize,
    /// Sign-ins a minute, each with a code redeemed.
    #[arg(long, default_value_t = 500)]
    sign_ins: u32,
    /// Token exchanges a minute, codes and refreshes together.
    #[arg(long, default_value_t = 2000)]
    exchanges: u32,
    /// Requests a second of the steady caller.
    #[arg(long, default_value_t = 400)]
    rate: u32,
    /// Only print; do not fail for figures.
    #[arg(long)]
    print_only: bool,
}

/// Times the quiet p99 that is allowed.
const RATIO_MAX: f64 = 2.0;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    live::ended("sign-ins", run(&Arguments::parse()).await)
}

/// What was done, with how long each took.
#[derive(Debug, Default)]
struct Done {
    sign_ins: Vec<Duration>,
    codes: Vec<Duration>,
    refreshes: Vec<Duration>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn run(a: &Arguments) -> io::Result<bool> {
    let data = tempfile::tempdir()?;
    let subject = Subject::start(&a.handrail, data.path()).await?;
    let client = subject.register("system/*.cruds")?;
    let mut target = Target { address: subject.address, tls: Arc::clone(&subject.tls), token: subject.token(&client)? };
    steady::load(&target).await?;

    let origin = subject.base.trim_end_matches("/fhir").to_owned();
    let scope = "launch/patient offline_access patient/Patient.rs patient/Observation.rs";
    let client_id =
        subject.operate(&["client", "add", "Walks", "--public", "--redirect", REDIRECT, "--scope", scope])?;
    let app = Arc::new(App { client_id, fhir_base: subject.base.clone() });
    let (mut people, mut tokens) = (VecDeque::new(), VecDeque::new());
    for n in 0..a.people {
        let login = format!("person{n}");
        let patient = format!("Patient/p{}", n % 20);
        let role = ["--role", "patient", "--as", &patient, "--name", "A Person"];
        let link = subject.operate(&[&["user", "add", &login], &role[..]].concat())?;
        let mut person = Visitor::enrol(subject.address, &subject.tls, &origin, &login, &link).await?;
        let code = person.code(&app, true).await?;
        let answer = person.redeem(&app, &code).await?;
        let refresh = answer.get("refresh_token").and_then(|token| token.as_str()).unwrap_or_default().to_owned();
        tokens.push_back((person, refresh));
        // The same person at another browser, which signs in again and again.
        let link = subject.operate(&["user", "invite", &login])?;
        people.push_back(Visitor::enrol(subject.address, &subject.tls, &origin, &login, &link).await?);
    }

    let time = Duration::from_secs(a.seconds);
    target.token = subject.token(&client)?;
    let target = Arc::new(target);
    let quiet = steady::steady(&target, a.rate, time, || 0).await?;
    let mut target = Target::clone(&target);
    target.token = subject.token(&client)?;
    let target = Arc::new(target);

    let done = Arc::new(Mutex::new(Done::default()));
    let processor = subject::processor_time(subject.process());
    let load = tokio::spawn(load(Arc::clone(&app), people, tokens, rates(a), time, Arc::clone(&done)));
    let during = steady::steady(&target, a.rate, time, || subject.resident_bytes()).await?;
    let (due_sign_ins, due_refreshes) = load.await.map_err(io::Error::other)??;
    let processor = subject::processor_time(subject.process()).saturating_sub(processor);
    subject.stop()?;

    let mut done = std::mem::take(&mut *lock(&done));
    println!("| work | due | done | p50 ms | p99 ms | max ms |\n|---|---|---|---|---|---|");
    println!("| sign-in with a password | {due_sign_ins} | {}", figures(&mut done.sign_ins));
    println!("| an app's request, its code and token | {due_sign_ins} | {}", figures(&mut done.codes));
    println!("| refresh | {due_refreshes} | {}", figures(&mut done.refreshes));
    let ratio = during.p99_us / quiet.p99_us.max(1.0);
    #[expect(clippy::cast_precision_loss, reason = "bytes for people")]
    let mebibytes = during.resident_max as f64 / 1_048_576.0;
    println!(
        "\nothers, {} reads and searches a second: p99 {:.2} ms quiet, {:.2} ms meanwhile, ratio {ratio:.2} (bound {RATIO_MAX}); \
         {} of their calls failed\nthe server kept {:.2} cores busy and held {mebibytes:.0} MiB at most",
        a.rate,
        quiet.p99_us / 1e3,
        during.p99_us / 1e3,
        during.failed,
        processor.as_secs_f64() / time.as_secs_f64(),
    );
    let all_done = done.sign_ins.len() == due_sign_ins && done.refreshes.len() == due_refreshes;
    let held = all_done && during.failed == 0 && ratio <= RATIO_MAX;
    println!("{}", if held { "passed" } else { "FAILED" });
    Ok(held || a.print_only)
}

/// Time between two sign-ins, and between two refreshes.
fn rates(a: &Arguments) -> (Duration, Duration) {
    let minute = Duration::from_secs(60);
    (minute / a.sign_ins.max(1), minute / a.exchanges.saturating_sub(a.sign_ins).max(1))
}

/// Begins each when it is due, whether those before have ended or not; how many of both fell due.
async fn load(
    app: Arc<App>,
    people: VecDeque<Visitor>,
    tokens: VecDeque<(Visitor, String)>,
    (every_sign_in, every_refresh): (Duration, Duration),
    time: Duration,
    done: Arc<Mutex<Done>>,
) -> io::Result<(usize, usize)> {
    let begin = tokio::time::Instant::now();
    let (people, tokens) = (Arc::new(Mutex::new(people)), Arc::new(Mutex::new(tokens)));
    let (mut work, mut due) = (tokio::task::JoinSet::new(), (0, 0));
    let (mut next_sign_in, mut next_refresh) = (begin, begin);
    loop {
        let next = next_sign_in.min(next_refresh);
        if next.duration_since(begin) >= time {
            break;
        }
        tokio::time::sleep_until(next).await;
        let (app, done) = (Arc::clone(&app), Arc::clone(&done));
        if next_sign_in <= next_refresh {
            next_sign_in += every_sign_in;
            due.0 += 1;
            let people = Arc::clone(&people);
            work.spawn(async move {
                let mut person = free(&people).await;
                let begin = Instant::now();
                person.sign_in().await?;
                lock(&done).sign_ins.push(begin.elapsed());
                let begin = Instant::now();
                let code = person.code(&app, false).await?;
                person.redeem(&app, &code).await?;
                lock(&done).codes.push(begin.elapsed());
                lock(&people).push_back(person);
                Ok::<_, io::Error>(())
            });
        } else {
            next_refresh += every_refresh;
            due.1 += 1;
            let tokens = Arc::clone(&tokens);
            work.spawn(async move {
                let (mut person, token) = free(&tokens).await;
                let begin = Instant::now();
                let token = person.refresh(&app, &token).await?;
                lock(&done).refreshes.push(begin.elapsed());
                lock(&tokens).push_back((person, token));
                Ok(())
            });
        }
    }
    while let Some(one) = work.join_next().await {
        one.map_err(io::Error::other)??;
    }
    Ok(due)
}

/// One that nobody uses now.
async fn free<T>(all: &Mutex<VecDeque<T>>) -> T {
    loop {
        if let Some(one) = lock(all).pop_front() {
            return one;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Count, median, 99th percentile and longest.
fn figures(all: &mut [Duration]) -> String {
    all.sort_unstable();
    let at = |share: usize| all.get(all.len().saturating_sub(1) * share / 100).map_or(0.0, |d| d.as_secs_f64() * 1e3);
    format!("{} | {:.1} | {:.1} | {:.1} |", all.len(), at(50), at(99), at(100))
}
