//! Measures handrail beside its references, in one run on one machine: `cargo xtask bench`.
//!
//! Every rate is a ratio: subject and reference take turns, and the medians are compared. Durable
//! writes, TLS, token, permit, validation and audit are on for the subject, always. What the rows
//! mean and what they must reach: `design/storage-and-speed.md`.

mod data;
mod engine;
mod load;
mod reference;
mod report;

use bytes::Bytes;
use clap::Parser;
use live::{client, subject, subject::Subject};
use load::{Measured, Requests};
use report::Row;
use std::{
    io::{self, BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

/// What to measure and how long.
#[derive(Parser)]
struct Arguments {
    /// The handrail binary, built with --release.
    #[arg(long, default_value = "target/release/handrail")]
    handrail: PathBuf,
    /// Resources in the store before the work begins.
    #[arg(long, default_value_t = 10_000)]
    resources: usize,
    /// Seconds of each turn.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Turns of subject and reference.
    #[arg(long, default_value_t = 3)]
    turns: usize,
    /// Clients of the read and search rows.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Only these rows: read, search, create, transaction. Start, memory and disk are always told.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Where the machine-readable table goes.
    #[arg(long, default_value = "target/bench.json")]
    json: PathBuf,
    /// Serve as the reference: the bytes of this file, on a free port; the certificate goes to --certificate.
    #[arg(long, hide = true)]
    reference: Option<PathBuf>,
    /// See --reference.
    #[arg(long, hide = true)]
    certificate: Option<PathBuf>,
}

impl Arguments {
    fn does(&self, row: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == row)
    }
}

#[expect(clippy::print_stdout, reason = "the bench speaks to a terminal")]
fn say(text: &str) {
    println!("{text}");
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    if let (Some(body), Some(certificate)) = (&arguments.reference, &arguments.certificate) {
        let body = Bytes::from(std::fs::read(body)?);
        return runtime.block_on(reference::serve(body, certificate, |port| say(&port.to_string())));
    }
    let rows = runtime.block_on(measure(&arguments))?;
    say("");
    say(&report::table(&rows));
    std::fs::write(&arguments.json, report::json(&rows).to_string())
}

/// A reference server in a process of its own.
struct Reference {
    child: Child,
    address: SocketAddr,
    tls: Arc<rustls::ClientConfig>,
}

impl Reference {
    fn start(body: &[u8], directory: &Path) -> io::Result<Self> {
        let (file, certificate) = (directory.join("body"), directory.join("reference.pem"));
        std::fs::write(&file, body)?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--reference")
            .arg(&file)
            .arg("--certificate")
            .arg(&certificate)
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let port = line.trim().parse().map_err(io::Error::other)?;
        let tls = client::tls(&std::fs::read(&certificate)?)?;
        Ok(Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)), tls })
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn measure(arguments: &Arguments) -> io::Result<Vec<Row>> {
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("data");
    std::fs::create_dir_all(&data)?;
    let patients = (arguments.resources / data::PER_PATIENT).max(4);
    let time = Duration::from_secs(arguments.seconds);
    let mut rows = Vec::new();

    // Start, twice: the first makes certificates and keys, the second is the everyday start.
    Subject::start(&arguments.handrail, &data).await?.stop()?;
    let subject = Subject::start(&arguments.handrail, &data).await?;
    rows.push(figure("start to first answer, empty store", subject.start.as_secs_f64(), "s", 0.3, 0.1));

    let client = subject.register("system/*.cruds")?;
    let before = subject::bytes_below(&data);
    let loaded = Instant::now();
    let token = subject.token(&client)?;
    for n in 0..patients {
        let request = client::request("POST", "/fhir", &token, &data::whole_patient(n));
        expect(&subject, &request, 200).await?;
    }
    let resources = patients * data::PER_PATIENT;
    #[expect(clippy::cast_precision_loss, reason = "a count of resources")]
    let count = resources as f64;
    say(&format!("loaded {resources} resources in {:.1} s", loaded.elapsed().as_secs_f64()));

    #[expect(clippy::cast_precision_loss, reason = "megabytes")]
    let mebibytes = |subject: &Subject| subject.resident_bytes() as f64 / 1_048_576.0;
    rows.push(figure("resident memory after the load", mebibytes(&subject), "MiB", 96.0, 48.0));
    subject.stop()?;

    // At rest: what it takes on disk, and after a restart on the loaded store in memory.
    #[expect(clippy::cast_precision_loss, reason = "bytes")]
    let disk = subject::bytes_below(&data).saturating_sub(before) as f64 / count;
    rows.push(figure("disk per resource of 1.5 KB, indexed, with its audit entry", disk / 1000.0, "KB", 1.8, 1.1));
    let subject = Subject::start(&arguments.handrail, &data).await?;
    rows.push(figure("start to first answer, loaded store", subject.start.as_secs_f64(), "s", 0.3, 0.1));
    let token = subject.token(&client)?;
    expect(&subject, &client::request("GET", "/fhir/Observation/bench-o0-0-0", &token, b""), 200).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    rows.push(figure("resident memory, idle, loaded store", mebibytes(&subject), "MiB", 96.0, 48.0));

    if arguments.does("read") {
        rows.push(read(arguments, &subject, &client, patients, time, directory.path()).await?);
    }
    if arguments.does("search") {
        rows.push(search(arguments, &subject, &client, patients, time, directory.path()).await?);
    }
    subject.stop()?;

    // The engine's turn writes what handrail wrote.
    let engine_rows = engine::rows(&data.join("engine"), resources).map_err(io::Error::other)?;
    let subject = Subject::start(&arguments.handrail, &data).await?;
    if arguments.does("create") {
        rows.push(create(arguments, &subject, &client, patients, time, &engine_rows).await?);
    }
    if arguments.does("transaction") {
        rows.push(transaction(arguments, &subject, &client, patients, time, &engine_rows).await?);
    }
    subject.stop()?;
    rows.push(validate());
    Ok(rows)
}

fn figure(work: &str, figure: f64, unit: &'static str, at_least: f64, aim: f64) -> Row {
    let (subject, reference) = (format!("{figure:.3} {unit}"), "-".to_owned());
    Row { work: work.to_owned(), subject, reference, figure, unit, at_least, aim, less: true }
}

async fn expect(subject: &Subject, request: &[u8], status: u16) -> io::Result<Vec<u8>> {
    let mut connection = client::Connection::open(subject.address, &subject.tls).await?;
    let answer = connection.send(request, true).await?;
    if answer.status == status {
        Ok(answer.body)
    } else {
        Err(io::Error::other(format!("status {}: {}", answer.status, String::from_utf8_lossy(&answer.body))))
    }
}

type Client = (String, PathBuf);

async fn beside_bare_server(
    arguments: &Arguments,
    subject: &Subject,
    client: &Client,
    time: Duration,
    body: &[u8],
    directory: &Path,
    path: impl Fn(usize, usize) -> String + Send + Sync + 'static,
) -> io::Result<(Vec<Measured>, Vec<Measured>)> {
    let reference = Reference::start(body, directory)?;
    let path = Arc::new(path);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..arguments.turns {
        let token = subject.token(client)?;
        let path = Arc::clone(&path);
        let requests: Requests = Arc::new(move |c, n| client::request("GET", &path(c, n), &token, b""));
        ours.push(load::closed(subject.address, &subject.tls, arguments.clients, time, &requests, &[200]).await?);
        theirs.push(load::closed(reference.address, &reference.tls, arguments.clients, time, &requests, &[200]).await?);
    }
    Ok((ours, theirs))
}

async fn read(
    a: &Arguments,
    subject: &Subject,
    client: &Client,
    patients: usize,
    time: Duration,
    directory: &Path,
) -> io::Result<Row> {
    let token = subject.token(client)?;
    let body = expect(subject, &client::request("GET", "/fhir/Observation/bench-o1-1-1", &token, b""), 200).await?;
    let path = move |c: usize, n: usize| {
        let pick = n.wrapping_mul(7919).wrapping_add(c * 104_729);
        format!("/fhir/Observation/bench-o{}-{}-{}", pick % patients, pick % data::CODES.len(), pick / 3 % data::DATES)
    };
    let (ours, theirs) = beside_bare_server(a, subject, client, time, &body, directory, path).await?;
    Ok(Row::ratio(format!("read by id, {} bytes", body.len()), &ours, &theirs, 0.45, 0.8))
}

async fn search(
    a: &Arguments,
    subject: &Subject,
    client: &Client,
    patients: usize,
    time: Duration,
    directory: &Path,
) -> io::Result<Row> {
    let query = move |p: usize, code: usize| {
        let code = data::CODES.get(code % data::CODES.len()).copied().unwrap_or_default();
        // 25 dates, the first five are before the 6th: 20 entries.
        format!("/fhir/Observation?patient=bench-p{}&code={code}&date=ge2026-03-06&_count=20", p % patients)
    };
    let token = subject.token(client)?;
    let body = expect(subject, &client::request("GET", &query(1, 1), &token, b""), 200).await?;
    let entries = fhir::json::Tree::parse(body.clone()).map_err(io::Error::other)?;
    let entries = entries.root().get("entry").map_or(0, |entry| entry.items().count());
    if entries != 20 {
        return Err(io::Error::other(format!("the search answered {entries} entries where 20 are right")));
    }
    let path = move |c: usize, n: usize| query(n.wrapping_mul(7919).wrapping_add(c * 31), n / 5);
    let (ours, theirs) = beside_bare_server(a, subject, client, time, &body, directory, path).await?;
    Ok(Row::ratio(
        format!("Observation?patient=&code=&date=ge, 20 entries, {} bytes", body.len()),
        &ours,
        &theirs,
        0.25,
        0.5,
    ))
}

async fn beside_engine(
    arguments: &Arguments,
    subject: &Subject,
    client: &Client,
    time: Duration,
    rows: &engine::Rows,
    (clients, unit): (usize, usize),
    body: impl Fn(usize, usize) -> (&'static str, Vec<u8>) + Send + Sync + 'static,
) -> io::Result<(Vec<Measured>, Vec<Measured>)> {
    let body = Arc::new(body);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for turn in 0..arguments.turns {
        let token = subject.token(client)?;
        let body = Arc::clone(&body);
        let requests: Requests = Arc::new(move |c, n| {
            let (path, body) = body(c + turn * 1000, n);
            client::request("POST", path, &token, &body)
        });
        ours.push(load::closed(subject.address, &subject.tls, clients, time, &requests, &[200, 201]).await?);
        let directory = tempfile::tempdir()?;
        theirs.push(
            tokio::task::block_in_place(|| engine::write(rows, directory.path(), clients, unit, time))
                .map_err(io::Error::other)?,
        );
    }
    Ok((ours, theirs))
}

async fn create(
    a: &Arguments,
    subject: &Subject,
    client: &Client,
    patients: usize,
    time: Duration,
    rows: &engine::Rows,
) -> io::Result<Row> {
    let body = move |c: usize, n: usize| {
        let code = data::CODES.get(n % data::CODES.len()).copied().unwrap_or_default();
        (
            "/fhir/Observation",
            data::observation((c + n) % patients, code, n % data::DATES, None, 1_000_000 + c * 100_000 + n),
        )
    };
    let (ours, theirs) = beside_engine(a, subject, client, time, rows, (16, 1), body).await?;
    Ok(Row::ratio("create, durable, 16 clients".into(), &ours, &theirs, 0.5, 0.8))
}

async fn transaction(
    a: &Arguments,
    subject: &Subject,
    client: &Client,
    patients: usize,
    time: Duration,
    rows: &engine::Rows,
) -> io::Result<Row> {
    let body = move |c: usize, n: usize| {
        let entries: Vec<_> = (0..200)
            .map(|k| {
                let code = data::CODES.get(k % data::CODES.len()).copied().unwrap_or_default();
                let resource = data::observation(
                    (c + n) % patients,
                    code,
                    k % data::DATES,
                    None,
                    9_000_000 + (c * 1000 + n) * 200 + k,
                );
                ("POST", "Observation".to_owned(), resource)
            })
            .collect();
        ("/fhir", data::bundle(&entries))
    };
    let (ours, theirs) = beside_engine(a, subject, client, time, rows, (2, 200), body).await?;
    Ok(Row::ratio("transaction of 200 resources, durable, 2 clients".into(), &ours, &theirs, 0.4, 0.7))
}

/// Validation alone, parsing included, on one core: no socket, no store.
fn validate() -> Row {
    let body = Bytes::from(data::observation(1, data::CODES[0], 1, Some("x"), 1));
    let schema = fhir::schema::r4();
    let begin = Instant::now();
    let mut done = 0u32;
    while begin.elapsed() < Duration::from_secs(2) {
        let valid = fhir::json::Tree::parse(body.clone()).is_ok_and(|tree| validation::validate(tree, schema).is_ok());
        done += u32::from(valid);
    }
    let rate = f64::from(done) / begin.elapsed().as_secs_f64();
    let work = "validate one Observation against base R4".to_owned();
    let (subject, reference) = (format!("{rate:.0}/s"), "-".to_owned());
    Row { work, subject, reference, figure: rate, unit: "/s a core", at_least: 20_000.0, aim: 60_000.0, less: false }
}
