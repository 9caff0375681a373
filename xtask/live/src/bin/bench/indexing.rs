//! What it costs that a package brings search parameters: how fast the resources that are there are indexed, and
//! what the writes of others feel of it.
//!
//! The server is the one that is measured otherwise, the package comes by `handrail package add` as an operator's
//! does. On a store that is indexed in less than a turn the package is added and removed over and over, so that the
//! indexer works for all of it.

use crate::stage::Served;
use flate2::{Compression, write::GzEncoder};
use std::{
    io,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

const NAME: &str = "bench.indexing";

/// Code, type and expression of the parameters: the observations of the bench have a value for each.
const PARAMETERS: [(&str, &str, &str); 3] = [
    ("bench-performer", "string", "Observation.performer.display"),
    ("bench-answer", "token", "Observation.value.ofType(CodeableConcept)"),
    ("bench-answer-text", "string", "Observation.value.ofType(CodeableConcept).text"),
];

/// How many parameters there are.
pub(crate) const COUNT: usize = PARAMETERS.len();

/// Between two looks at the list: each is a process of its own.
const LOOK: Duration = Duration::from_millis(20);

/// Longer than any store of the bench takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// Writes the package.
pub(crate) fn package(directory: &Path) -> io::Result<PathBuf> {
    let path = directory.join(format!("{NAME}.tgz"));
    let mut tar = tar::Builder::new(GzEncoder::new(std::fs::File::create(&path)?, Compression::fast()));
    let mut add = |name: String, text: serde_json::Value| {
        let bytes = text.to_string().into_bytes();
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("package/{name}.json"), bytes.as_slice())
    };
    add("package".into(), serde_json::json!({"name": NAME, "version": "1.0.0", "fhirVersions": ["4.0.1"]}))?;
    for (code, kind, expression) in PARAMETERS {
        let parameter = serde_json::json!({
            "resourceType": "SearchParameter", "url": format!("http://bench.example/{code}"), "version": "1.0.0",
            "name": code, "status": "active", "description": code, "code": code, "base": ["Observation"],
            "type": kind, "expression": expression
        });
        add(format!("SearchParameter-{code}"), parameter)?;
    }
    tar.into_inner()?.finish()?;
    Ok(path)
}

/// The command line beside a server.
#[derive(Debug, Clone)]
struct Operator {
    handrail: PathBuf,
    data: PathBuf,
    package: PathBuf,
}

impl Operator {
    fn of(handrail: &Path, served: &Served<'_>, package: &Path) -> Self {
        Self { handrail: handrail.to_owned(), data: served.data().to_owned(), package: package.to_owned() }
    }

    fn run(&self, action: &str, what: Option<&Path>) -> io::Result<String> {
        let mut command = Command::new(&self.handrail);
        let output = command.args(["package", action]).args(what).arg("--data").arg(&self.data).output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(io::Error::other(format!("package {action}: {}", String::from_utf8_lossy(&output.stderr))))
    }

    /// Waits until the list names none of these states.
    fn rested(&self, is_stopped: &AtomicBool) -> io::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let list = self.run("list", None)?;
            if !list.contains("\tindexing") && !list.contains("\tremoving") || is_stopped.load(Ordering::Relaxed) {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(io::Error::other(format!("not indexed in {} s", PATIENCE.as_secs())));
            }
            std::thread::sleep(LOOK);
        }
    }

    fn add(&self) -> io::Result<()> {
        let said = self.run("add", Some(&self.package))?;
        let all = format!("indexes     {COUNT} search parameters");
        if said.contains(&all) { Ok(()) } else { Err(io::Error::other(format!("not all are indexed: {said}"))) }
    }
}

/// How long the store takes until all of the package's parameters are ready, when nobody else asks anything.
pub(crate) fn time(handrail: &Path, served: &Served<'_>, package: &Path) -> io::Result<Duration> {
    let operator = Operator::of(handrail, served, package);
    operator.add()?;
    let begin = Instant::now();
    operator.rested(&AtomicBool::new(false))?;
    Ok(begin.elapsed())
}

/// Work for the indexer until it is stopped.
pub(crate) struct Busy {
    is_stopped: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<usize>>,
}

impl Busy {
    /// Begins; the first package is there when this returns.
    pub(crate) fn begin(handrail: &Path, served: &Served<'_>, package: &Path) -> io::Result<Self> {
        let operator = Operator::of(handrail, served, package);
        operator.add()?;
        let is_stopped = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&is_stopped);
        let thread = std::thread::spawn(move || {
            let mut rounds = 0;
            loop {
                operator.rested(&stopped)?;
                if stopped.load(Ordering::Relaxed) {
                    return Ok(rounds);
                }
                rounds += 1;
                operator.run("remove", Some(Path::new(NAME)))?;
                operator.rested(&stopped)?;
                if stopped.load(Ordering::Relaxed) {
                    return Ok(rounds);
                }
                operator.add()?;
            }
        });
        Ok(Self { is_stopped, thread })
    }

    /// Ends it; how often everything was indexed.
    pub(crate) fn end(self) -> io::Result<usize> {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the operator's thread panicked")))
    }
}
