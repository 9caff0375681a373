//! A store of one size: loaded once, kept at rest, copied for each piece of work, so that no work
//! finds what another has left.

use crate::{load::Target, report::Row};
use live::{
    client, data,
    subject::{self, Subject},
};
use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Connections that load the store.
const LOADERS: usize = 4;

/// A loaded store at rest.
pub(crate) struct Stage {
    pub(crate) resources: usize,
    pub(crate) patients: usize,
    handrail: PathBuf,
    data: PathBuf,
    client: (String, PathBuf),
}

fn figure(work: String, figure: f64, unit: &'static str, at_least: f64, aim: f64) -> Row {
    Row::figure(work, format!("{figure:.3} {unit}"), figure, unit, (at_least, aim), true)
}

#[expect(clippy::cast_precision_loss, reason = "bytes")]
fn mebibytes(process: u32) -> f64 {
    subject::memory(process).resident as f64 / 1_048_576.0
}

/// From the last answer of a load until the server counts as idle.
const REST_AFTER_LOAD: Duration = Duration::from_secs(10);

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

/// Copies a directory's files; sockets and the like are left out.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()))?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

impl Stage {
    /// Makes a store of about so many resources below `directory`, and the figures of that.
    pub(crate) async fn prepare(
        handrail: &Path,
        directory: &Path,
        resources: usize,
        say: impl Fn(&str),
    ) -> io::Result<(Self, Vec<Row>)> {
        let data = directory.join(format!("store-{resources}"));
        let patients = (resources / data::PER_PATIENT).max(4);
        let resources = patients * data::PER_PATIENT;
        let mut rows = Vec::new();

        // The first start makes certificates and keys; after that comes the everyday start.
        Subject::start(handrail, &data).await?.stop()?;
        rows.push(starts(handrail, &data, "empty store".into()).await?);
        let subject = Subject::start(handrail, &data).await?;
        let client = subject.register("system/*.cruds")?;
        let before = subject::bytes_below(&data);
        let begin = Instant::now();
        fill(&subject, &client, patients).await?;
        say(&format!("loaded {resources} resources in {:.1} s", begin.elapsed().as_secs_f64()));
        say(&format!("resident memory at the end of the load: {:.0} MiB", mebibytes(subject.process())));
        tokio::time::sleep(REST_AFTER_LOAD).await;
        rows.push(figure(
            format!("resident memory, idle, after the load of {resources}"),
            mebibytes(subject.process()),
            "MiB",
            96.0,
            48.0,
        ));
        subject.stop()?;

        let disk = subject::bytes_below(&data).saturating_sub(before);
        #[expect(clippy::cast_precision_loss, reason = "bytes and resources")]
        let disk = disk as f64 / resources as f64 / 1000.0;
        rows.push(figure(
            format!("disk per resource of 1.5 KB, indexed, with its audit entry, {resources}"),
            disk,
            "KB",
            1.8,
            1.1,
        ));
        rows.push(starts(handrail, &data, format!("store of {resources}")).await?);
        let subject = Subject::start(handrail, &data).await?;
        let token = subject.token(&client)?;
        expect(&subject, &client::request("GET", "/fhir/Observation/bench-o0-0-0", &token, b""), 200).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        rows.push(figure(
            format!("resident memory, idle, store of {resources}"),
            mebibytes(subject.process()),
            "MiB",
            96.0,
            48.0,
        ));
        subject.stop()?;
        Ok((Self { resources, patients, handrail: handrail.to_owned(), data, client }, rows))
    }

    /// Starts a server on a copy of this store; the copy vanishes with it.
    pub(crate) async fn serve(&self) -> io::Result<Served<'_>> {
        let (data, copied) = self.copied()?;
        self.served(data, copied).await
    }

    /// The same while another copy is served: on a port of its own, so its indices are made anew at the start.
    pub(crate) async fn serve_beside(&self) -> io::Result<Served<'_>> {
        let (data, copied) = self.copied()?;
        std::fs::remove_file(data.join("port"))?;
        self.served(data, copied).await
    }

    fn copied(&self) -> io::Result<(PathBuf, tempfile::TempDir)> {
        let beside = self.data.parent().unwrap_or(Path::new("."));
        let copied = tempfile::tempdir_in(beside)?;
        let data = copied.path().join("data");
        copy(&self.data, &data)?;
        Ok((data, copied))
    }

    async fn served(&self, data: PathBuf, copied: tempfile::TempDir) -> io::Result<Served<'_>> {
        let subject = Subject::start(&self.handrail, &data).await?;
        Ok(Served { subject, data, stage: self, _copied: copied })
    }
}

/// A server on a copy of a stage's store.
pub(crate) struct Served<'a> {
    pub(crate) subject: Subject,
    data: PathBuf,
    stage: &'a Stage,
    _copied: tempfile::TempDir,
}

impl Served<'_> {
    pub(crate) fn target(&self) -> Target {
        Target { address: self.subject.address, tls: self.subject.tls.clone(), process: self.subject.process() }
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// A token that lives for some minutes.
    pub(crate) fn token(&self) -> io::Result<String> {
        self.subject.token(&self.stage.client)
    }

    /// The body of a GET that must succeed.
    pub(crate) async fn get(&self, path: &str) -> io::Result<Vec<u8>> {
        expect(&self.subject, &client::request("GET", path, &self.token()?, b""), 200).await
    }

    /// Live Observations.
    pub(crate) async fn observations(&self) -> io::Result<usize> {
        let body = self.get("/fhir/Observation?_summary=count").await?;
        let tree = fhir::json::Tree::parse(body).map_err(io::Error::other)?;
        let total = tree.root().get("total").and_then(|total| total.number_text()?.parse().ok());
        total.ok_or_else(|| io::Error::other("a count without total"))
    }

    /// Stops it; its store's engine directory is at rest then.
    pub(crate) fn stop(self) -> io::Result<AtRest> {
        self.subject.stop()?;
        Ok(AtRest { engine: self.data.join("engine"), _copied: self._copied })
    }
}

/// A copy whose server has stopped.
pub(crate) struct AtRest {
    pub(crate) engine: PathBuf,
    _copied: tempfile::TempDir,
}

async fn starts(handrail: &Path, data: &Path, of: String) -> io::Result<Row> {
    let (mut times, mut processor) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let subject = Subject::start(handrail, data).await?;
        times.push(subject.start.as_secs_f64());
        processor.push(subject.start_processor.as_secs_f64());
        subject.stop()?;
    }
    let shown: Vec<String> = times.iter().map(|time| format!("{time:.3}")).collect();
    let middle = median(times);
    let bounds = (0.3, 0.1);
    Ok(Row::figure(
        format!("start to first answer, {of}"),
        format!("{middle:.3} s ({}), CPU {:.2} s", shown.join(", "), median(processor)),
        middle,
        "s",
        bounds,
        true,
    ))
}

async fn fill(subject: &Subject, client: &(String, PathBuf), patients: usize) -> io::Result<()> {
    let mut loaders = Vec::new();
    for loader in 0..LOADERS {
        let token = subject.token(client)?;
        let mut connection = client::Connection::open(subject.address, &subject.tls).await?;
        loaders.push(tokio::spawn(async move {
            for n in (loader..patients).step_by(LOADERS) {
                let request = client::request("POST", "/fhir", &token, &data::whole_patient(n));
                let answer = connection.send(&request, true).await?;
                if answer.status != 200 {
                    return Err(unexpected(&answer));
                }
            }
            Ok(())
        }));
    }
    for loader in loaders {
        loader.await.map_err(io::Error::other)??;
    }
    Ok(())
}

fn unexpected(answer: &client::Answer) -> io::Error {
    io::Error::other(format!("status {}: {}", answer.status, String::from_utf8_lossy(&answer.body)))
}

async fn expect(subject: &Subject, request: &[u8], status: u16) -> io::Result<Vec<u8>> {
    let mut connection = client::Connection::open(subject.address, &subject.tls).await?;
    let answer = connection.send(request, true).await?;
    if answer.status == status { Ok(answer.body) } else { Err(unexpected(&answer)) }
}

/// What `handrail demo` takes when nobody asks it anything.
pub(crate) async fn demo(handrail: &Path, directory: &Path) -> io::Result<Row> {
    let subject = Subject::demo(handrail, &directory.join("demo")).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let row = figure(
        "resident memory, idle, after the load of the demo".into(),
        mebibytes(subject.process()),
        "MiB",
        96.0,
        48.0,
    );
    subject.stop()?;
    Ok(row)
}
