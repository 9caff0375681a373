//! The order of a run: stores are made, then each kind of work has its turns. Within a turn the
//! stores of all sizes and their references follow each other, so that what the machine does beside
//! us meets all of them.

use crate::{
    Arguments, engine, engines, guarded, indexing,
    load::{self, Measured, Work},
    profile::{Profile, Recording},
    reference::Reference,
    report::{Open, Row},
    say,
    stage::{self, Served, Stage},
    works::{Bare, Claim, Create, Prepared, Read, Search, Transaction, UNIT},
};
use bytes::Bytes;
use live::data;
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

type Profiles = Vec<(String, Profile)>;

/// Before a turn on a fresh copy is measured: caches fill and the engine finds its pace.
const WARM: Duration = Duration::from_millis(500);

/// Clients of the create row.
const CREATORS: usize = 16;

/// Clients of the transaction row.
const TRANSACTORS: usize = 2;

/// Tickets that one turn may use: far more than it can.
const TURN: usize = 10_000_000;

/// All rows, and the profiles when they were asked for.
pub(crate) async fn all(a: &Arguments) -> io::Result<(Vec<Row>, Profiles)> {
    if a.only == ["engines"] {
        return Ok((engines::rows(a.guides.as_deref(), a.work.as_deref())?, Vec::new()));
    }
    let directory = tempfile::tempdir()?;
    let run = Run { a, directory: directory.path(), time: Duration::from_secs(a.seconds) };
    let (mut rows, mut profiles, mut stages) = (Vec::new(), Vec::new(), Vec::new());
    let mut figures: Vec<Vec<Row>> = Vec::new();
    for size in &a.sizes {
        let (stage, figure) = Stage::prepare(&a.handrail, directory.path(), *size, say).await?;
        stages.push(stage);
        figures.push(figure);
    }
    if let ([small, .., large], true) = (figures.as_slice(), a.sizes.is_sorted()) {
        // Not the start of an empty store, nor what memtables hold just after the load.
        let costs = small.iter().zip(large).skip(2);
        rows.extend(costs.map(|(small, large)| Row::of_costs(large, small)));
    }
    rows.splice(0..0, figures.into_iter().flatten());
    if a.does("demo") {
        rows.push(stage::demo(&a.handrail, directory.path()).await?);
    }
    if a.does("read") {
        run.read(&stages, &mut rows, &mut profiles).await?;
    }
    if a.does("search") {
        run.search(&stages, &mut rows, &mut profiles).await?;
    }
    if a.does("guarded") {
        run.guarded(&stages, &mut rows, &mut profiles).await?;
    }
    if a.does("create") {
        let make = |patients, token, first| Prepared::new(Create { patients, token }, first, 30_000);
        let kind =
            Kind { name: "create, durable, 16 clients", clients: CREATORS, unit: 1, bounds: (0.5, 0.8), p99_ms: 50.0 };
        run.write(&kind, &stages, make, &mut rows, &mut profiles).await?;
    }
    if a.does("claim") {
        run.claims(&stages, &mut rows).await?;
    }
    if a.does("indexing") {
        run.indexing(&stages, &mut rows).await?;
    }
    if a.does("transaction") {
        let make = |patients, token, first| Prepared::new(Transaction { patients, token }, first, 300);
        let name = "transaction of 200 resources, durable, 2 clients";
        let kind = Kind { name, clients: TRANSACTORS, unit: UNIT, bounds: (0.4, 0.7), p99_ms: 1000.0 };
        run.write(&kind, &stages, make, &mut rows, &mut profiles).await?;
    }
    if a.does("validate") {
        rows.push(validate());
    }
    if a.does("engines") {
        let engines = || engines::rows(a.guides.as_deref(), a.work.as_deref());
        rows.extend(tokio::task::block_in_place(engines)?);
    }
    Ok((rows, profiles))
}

/// A kind of work and what is asked of it.
struct Kind {
    name: &'static str,
    clients: usize,
    /// Resources of one request.
    unit: usize,
    bounds: (f64, f64),
    /// The open loop's bound.
    p99_ms: f64,
}

/// What the turns of one store gave.
#[derive(Default)]
struct Turns {
    ours: Vec<Measured>,
    theirs: Vec<Measured>,
    open: Vec<Open>,
}

/// Two servers on copies of one store, one with consents and labels, and the client that they bind.
struct Beside<'a> {
    stage: &'a Stage,
    free: Served<'a>,
    guarded: Served<'a>,
    bound: (String, PathBuf),
    rows: &'a mut Vec<Row>,
    profiles: &'a mut Profiles,
}

struct Run<'a> {
    a: &'a Arguments,
    directory: &'a Path,
    time: Duration,
}

impl Run<'_> {
    async fn read(&self, stages: &[Stage], rows: &mut Vec<Row>, profiles: &mut Profiles) -> io::Result<()> {
        let kind = Kind { name: "read by id", clients: self.a.clients, unit: 1, bounds: (0.45, 0.8), p99_ms: 10.0 };
        self.get(&kind, stages, |patients, token| Read { patients, token }, Read::path, rows, profiles).await
    }

    async fn search(&self, stages: &[Stage], rows: &mut Vec<Row>, profiles: &mut Profiles) -> io::Result<()> {
        let name = "Observation?patient=&code=&date=ge, 20 entries";
        let kind = Kind { name, clients: self.a.clients, unit: 1, bounds: (0.25, 0.5), p99_ms: 20.0 };
        self.get(&kind, stages, |patients, token| Search { patients, token }, Search::path, rows, profiles).await
    }

    /// What consents and labels cost, on each road: with them in force for every patient beside without.
    async fn guarded(&self, stages: &[Stage], rows: &mut Vec<Row>, profiles: &mut Profiles) -> io::Result<()> {
        for stage in stages {
            let (free, guarded) = (stage.serve().await?, stage.serve_beside().await?);
            guarded::fill(&guarded, stage.patients).await?;
            let bound = guarded::bound(&guarded)?;
            let mut beside = Beside { stage, free, guarded, bound, rows, profiles };
            self.beside(&mut beside, "read by id", |patients, token| Read { patients, token }).await?;
            let name = "Observation?patient=&code=&date=ge, 20 entries";
            self.beside(&mut beside, name, |patients, token| Search { patients, token }).await?;
            for of in [guarded::Of::Patient, guarded::Of::Include, guarded::Of::Type] {
                self.beside(&mut beside, of.name(), |patients, token| guarded::Page { patients, token, of }).await?;
            }
        }
        Ok(())
    }

    async fn beside<W: Work>(
        &self,
        beside: &mut Beside<'_>,
        name: &str,
        make: impl Fn(usize, String) -> W,
    ) -> io::Result<()> {
        let Beside { stage, free, guarded, bound, rows, profiles } = beside;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for turn in 0..self.a.turns {
            let work = Arc::new(make(stage.patients, guarded.subject.token(bound)?));
            let plain = Arc::new(make(stage.patients, free.token()?));
            if turn == 0 {
                load::closed(&guarded.target(), self.a.guarded_clients, WARM, &work, 0).await?;
                load::closed(&free.target(), self.a.guarded_clients, WARM, &plain, 0).await?;
            }
            ours.push(load::closed(&guarded.target(), self.a.guarded_clients, self.time, &work, turn * TURN).await?);
            theirs.push(load::closed(&free.target(), self.a.guarded_clients, self.time, &plain, turn * TURN).await?);
        }
        if self.a.profile {
            let work = Arc::new(make(stage.patients, guarded.subject.token(bound)?));
            let profile = self.profiled(guarded, self.a.guarded_clients, &work, 0).await?;
            profiles.push((format!("{name}, guarded, {}", stage.resources), profile));
            let plain = Arc::new(make(stage.patients, free.token()?));
            let profile = self.profiled(free, self.a.guarded_clients, &plain, 0).await?;
            profiles.push((format!("{name}, {}", stage.resources), profile));
        }
        let name = format!("{name}: consents and labels in force beside none, store of {}", stage.resources);
        rows.push(Row::ratio(name, &ours, &theirs, (0.85, 0.95)).of_none());
        Ok(())
    }

    /// A GET beside the bare server.
    async fn get<W: Work + Clone>(
        &self,
        kind: &Kind,
        stages: &[Stage],
        make: impl Fn(usize, String) -> W,
        path: impl Fn(&W, usize) -> String,
        rows: &mut Vec<Row>,
        profiles: &mut Profiles,
    ) -> io::Result<()> {
        let mut sides = Vec::new();
        for stage in stages {
            let served = stage.serve().await?;
            let body = served.get(&path(&make(stage.patients, String::new()), 0)).await?;
            let reference = Reference::start(&body, self.directory)?;
            sides.push((stage, served, reference, body, Turns::default()));
        }
        let clients = kind.clients;
        for turn in 0..self.a.turns {
            for (stage, served, reference, body, turns) in &mut sides {
                let work = make(stage.patients, served.token()?);
                let bare = Arc::new(Bare { work: work.clone(), body: body.clone() });
                let work = Arc::new(work);
                if turn == 0 {
                    load::closed(&served.target(), clients, WARM, &work, 0).await?;
                    load::closed(&reference.target(), clients, WARM, &bare, 0).await?;
                }
                turns.ours.push(load::closed(&served.target(), clients, self.time, &work, turn * TURN).await?);
                turns.theirs.push(load::closed(&reference.target(), clients, self.time, &bare, turn * TURN).await?);
            }
        }
        for (stage, served, reference, body, turns) in &mut sides {
            for rate in self.rates(&turns.ours) {
                let work = make(stage.patients, served.token()?);
                let bare = Arc::new(Bare { work: work.clone(), body: body.clone() });
                let ours = load::open(&served.target(), rate, self.time, &Arc::new(work), 0).await?;
                let theirs = load::open(&reference.target(), rate, self.time, &bare, 0).await?;
                turns.open.push(Open { ours, theirs: Some(theirs) });
            }
            if self.a.profile {
                let work = Arc::new(make(stage.patients, served.token()?));
                let profile = self.profiled(served, clients, &work, 0).await?;
                profiles.push((format!("{}, {}", kind.name, stage.resources), profile));
            }
        }
        let results = sides.into_iter().map(|(stage, _, _, body, turns)| {
            (format!("{}, {} bytes, store of {}", kind.name, body.len(), stage.resources), stage.resources, turns)
        });
        rows_of(kind, results.collect(), rows);
        Ok(())
    }

    /// Writes beside the engine alone; each turn on a fresh copy of its store.
    async fn write<W: Work>(
        &self,
        kind: &Kind,
        stages: &[Stage],
        make: impl Fn(usize, String, usize) -> W,
        rows: &mut Vec<Row>,
        profiles: &mut Profiles,
    ) -> io::Result<()> {
        let mut sides = Vec::new();
        for stage in stages {
            // The engine's turn writes what handrail wrote.
            let at_rest = stage.serve().await?.stop()?;
            let engine_rows = engine::rows(&at_rest.engine, stage.resources).map_err(io::Error::other)?;
            sides.push((stage, engine_rows, Turns::default()));
        }
        let clients = kind.clients;
        for _ in 0..self.a.turns {
            for (stage, engine_rows, turns) in &mut sides {
                let served = stage.serve().await?;
                let first = served.observations().await?;
                let work = Arc::new(make(stage.patients, served.token()?, 0));
                let warm = load::closed(&served.target(), clients, WARM, &work, TURN).await?;
                let ours = load::closed(&served.target(), clients, self.time, &work, 0).await?;
                let written = served.observations().await?.saturating_sub(first);
                if written != (warm.requests + ours.requests) * kind.unit {
                    let acknowledged = warm.requests + ours.requests;
                    return Err(io::Error::other(format!(
                        "{acknowledged} requests were acknowledged, {written} resources came"
                    )));
                }
                turns.ours.push(ours);
                served.stop()?;
                let directory = tempfile::tempdir_in(self.directory)?;
                let theirs = || engine::write(engine_rows, directory.path(), clients, kind.unit, self.time);
                turns.theirs.push(tokio::task::block_in_place(theirs).map_err(io::Error::other)?);
            }
        }
        for (stage, _, turns) in &mut sides {
            for rate in self.rates(&turns.ours) {
                let served = stage.serve().await?;
                let work = Arc::new(make(stage.patients, served.token()?, 0));
                load::closed(&served.target(), clients, WARM, &work, TURN).await?;
                let ours = load::open(&served.target(), rate, self.time, &work, 0).await?;
                turns.open.push(Open { ours, theirs: None });
                served.stop()?;
            }
            if self.a.profile {
                let served = stage.serve().await?;
                let work = Arc::new(make(stage.patients, served.token()?, 0));
                load::closed(&served.target(), clients, WARM, &work, TURN).await?;
                let profile = self.profiled(&served, clients, &work, 0).await?;
                profiles.push((format!("{}, {}", kind.name, stage.resources), profile));
                served.stop()?;
            }
        }
        let results = sides
            .into_iter()
            .map(|(stage, _, turns)| (format!("{}, store of {}", kind.name, stage.resources), stage.resources, turns));
        rows_of(kind, results.collect(), rows);
        Ok(())
    }

    /// Creates that claim a profile beside creates that claim none, each turn of either on a fresh copy.
    async fn claims(&self, stages: &[Stage], rows: &mut Vec<Row>) -> io::Result<()> {
        for stage in stages {
            let name = format!(
                "create, durable, 16 clients, held to its profile, beside create by base R4, store of {}",
                stage.resources
            );
            // A write may take 1.5 times as long.
            let bounds = (0.667, 0.9);
            let (mut ours, mut theirs, mut is_held) = (Vec::new(), Vec::new(), true);
            for _ in 0..self.a.turns {
                let served = stage.serve().await?;
                let (patients, token) = (stage.patients, served.token()?);
                is_held &= Claim::is_held_to_it(&served, &token).await?;
                let work = Claim(Create { patients, token });
                ours.push(self.created(&served, Prepared::new(work, 0, 30_000)).await?);
                served.stop()?;
                let served = stage.serve().await?;
                let work = Create { patients, token: served.token()? };
                theirs.push(self.created(&served, Prepared::new(work, 0, 30_000)).await?);
                served.stop()?;
            }
            rows.push(if is_held {
                Row::ratio(name, &ours, &theirs, bounds)
            } else {
                let taken = "takes what breaks the profile that it claims".to_owned();
                Row::figure(name, taken, 0.0, "of the reference", bounds, false)
            });
        }
        Ok(())
    }

    /// The indexer on the search parameters of a package: alone, and beside the creates of others.
    async fn indexing(&self, stages: &[Stage], rows: &mut Vec<Row>) -> io::Result<()> {
        let package = indexing::package(self.directory)?;
        for stage in stages {
            let served = stage.serve().await?;
            let took = tokio::task::block_in_place(|| indexing::time(&self.a.handrail, &served, &package))?;
            served.stop()?;
            #[expect(clippy::cast_precision_loss, reason = "a count of resources")]
            let rate = stage.resources as f64 / took.as_secs_f64();
            rows.push(Row::told(
                format!("{} added search parameters indexed, store of {}", indexing::COUNT, stage.resources),
                format!("{rate:.0} resources/s, {:.2} s", took.as_secs_f64()),
                rate,
                "resources/s",
            ));
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for _ in 0..self.a.turns {
                let served = stage.serve().await?;
                let work = Create { patients: stage.patients, token: served.token()? };
                let busy = tokio::task::block_in_place(|| indexing::Busy::begin(&self.a.handrail, &served, &package))?;
                ours.push(self.created(&served, Prepared::new(work, 0, 30_000)).await?);
                let rounds = tokio::task::block_in_place(|| busy.end())?;
                say(&format!("beside the creates all was indexed {rounds} times"));
                served.stop()?;
                let served = stage.serve().await?;
                let work = Create { patients: stage.patients, token: served.token()? };
                theirs.push(self.created(&served, Prepared::new(work, 0, 30_000)).await?);
                served.stop()?;
            }
            let name = format!(
                "create, durable, 16 clients, while added parameters are indexed, beside none, store of {}",
                stage.resources
            );
            rows.push(Row::ratio(name, &ours, &theirs, (0.0, 0.0)));
        }
        Ok(())
    }

    async fn created<W: Work>(&self, served: &Served<'_>, work: W) -> io::Result<Measured> {
        let work = Arc::new(work);
        load::closed(&served.target(), CREATORS, WARM, &work, TURN).await?;
        load::closed(&served.target(), CREATORS, self.time, &work, 0).await
    }

    /// Rates of the open loop: shares of what the closed loop reached.
    fn rates(&self, ours: &[Measured]) -> Vec<f64> {
        if self.a.closed_only {
            return Vec::new();
        }
        let reached = crate::report::median(ours).per_second;
        self.a.rates.iter().map(|share| reached * f64::from(*share) / 100.0).collect()
    }

    async fn profiled<W: Work>(
        &self,
        served: &Served<'_>,
        clients: usize,
        work: &Arc<W>,
        first: usize,
    ) -> io::Result<Profile> {
        let recording = Recording::start(served.subject.process(), self.directory)?;
        load::closed(&served.target(), clients, self.time, work, first).await?;
        tokio::task::block_in_place(|| recording.finish(&self.a.handrail))
    }
}

/// The row of each store, and of the largest beside the smallest.
fn rows_of(kind: &Kind, results: Vec<(String, usize, Turns)>, rows: &mut Vec<Row>) {
    if let [(_, small, few), .., (_, large, many)] = results.as_slice() {
        let name = format!("{}: store of {large} beside {small}", kind.name);
        rows.push(Row::ratio(name, &many.ours, &few.ours, (0.7, 0.9)).of_small_store());
    }
    let at = rows.len().saturating_sub(usize::from(results.len() > 1));
    let each = results.into_iter().map(|(name, _, turns)| {
        Row::ratio(name, &turns.ours, &turns.theirs, kind.bounds).with_open(turns.open, kind.p99_ms)
    });
    rows.splice(at..at, each);
}

/// Validation alone, parsing included, on one core: no socket, no store.
fn validate() -> Row {
    let body = Bytes::from(data::loaded(1, 0, 1));
    let schema = fhir::schema::r4();
    let begin = Instant::now();
    let mut done = 0u32;
    while begin.elapsed() < Duration::from_secs(2) {
        let valid = fhir::json::Tree::parse(body.clone()).is_ok_and(|tree| validation::validate(tree, schema).is_ok());
        done += u32::from(valid);
    }
    let rate = f64::from(done) / begin.elapsed().as_secs_f64();
    let bounds = (20_000.0, 60_000.0);
    Row::figure(
        "validate one Observation against base R4".into(),
        format!("{rate:.0}/s"),
        rate,
        "/s a core",
        bounds,
        false,
    )
}
