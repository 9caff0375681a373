//! What must be true of a store that is opened after a crash, by what was acknowledged before it.

use super::{disk::Loss, workload::hash};
use crate::Server;
use audit::{Entry, frame::Segment};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::Arc,
};

/// A version that was acknowledged.
#[derive(Debug, Clone)]
struct Version {
    /// Hash of the body that was answered, when the body was the resource.
    hash: Option<String>,
    deleted: bool,
}

/// A request that was begun.
#[derive(Debug, Clone, Default)]
struct Try {
    bundle: bool,
    /// Names, and whether they are deleted.
    names: Vec<(String, bool)>,
}

/// What the outside knows: what it asked for and what it was told.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    pending: BTreeMap<usize, Try>,
    versions: BTreeMap<String, Vec<Version>>,
    /// Requests that were answered: the line of the trace, and how many audit entries each has.
    writes: Vec<(usize, usize)>,
    reads: Vec<(usize, usize)>,
    /// Reads up to here are on stable storage.
    settled: usize,
    recent: Vec<String>,
    table: HashMap<String, usize>,
    table_pending: Option<(String, usize)>,
    strict: bool,
    second: bool,
    /// Acknowledgements so far.
    pub acknowledged: usize,
}

/// Names that a quick look reads again.
const RECENT: usize = 40;

impl Ledger {
    /// Nothing was asked for yet.
    #[must_use]
    pub fn new(strict: bool) -> Self {
        Self { strict, ..Self::default() }
    }

    /// Takes a line of the worker, which the trace has at line `at`.
    pub fn hear(&mut self, at: usize, line: &str) {
        let mut words = line.split_whitespace();
        let verb = words.next().unwrap_or_default();
        let number = |word: Option<&str>| word.unwrap().parse::<usize>().unwrap();
        match verb {
            "try" => {
                let number = number(words.next());
                let mut begun = Try::default();
                let mut remove = false;
                for word in words {
                    match word {
                        "bundle" => begun.bundle = true,
                        "remove" => remove = true,
                        name => begun.names.push((name.to_owned(), remove)),
                    }
                }
                self.pending.insert(number, begun);
            }
            "ack" => {
                let number = number(words.next());
                let (_status, hash) = (words.next(), words.next().filter(|hash| *hash != "-"));
                let begun = self.pending.remove(&number).expect("it was begun");
                self.acknowledged += 1;
                if begun.names.is_empty() {
                    self.reads.push((number, at));
                    return;
                }
                self.writes.push((number, if begun.bundle { begun.names.len() + 1 } else { 1 }));
                for (name, deleted) in begun.names {
                    let version = Version { hash: hash.map(str::to_owned), deleted };
                    self.versions.entry(name.clone()).or_default().push(version);
                    self.recent.push(name);
                }
                let old = self.recent.len().saturating_sub(RECENT);
                self.recent.drain(..old);
            }
            "table" => {
                let number = number(words.next());
                self.table_pending = Some((words.next().unwrap().to_owned(), number));
            }
            "put" => {
                let number = number(words.next());
                self.table.insert(words.next().unwrap().to_owned(), number);
                self.table_pending = None;
                self.acknowledged += 1;
            }
            "closed" => self.second = true,
            _ => {}
        }
    }

    /// A segment of the audit log was synced; the sync began at this line.
    pub fn settle(&mut self, line: usize) {
        self.settled = self.settled.max(line);
    }

    /// The base URL that the server has at this time.
    #[must_use]
    pub fn base_url(&self) -> String {
        if self.second { format!("{}2", Server::BASE_URL) } else { Server::BASE_URL.to_owned() }
    }

    /// Opens what a crash left and holds it against what is known. `deep` looks at everything: every
    /// version, and all that the doctor holds against each other.
    ///
    /// # Errors
    /// What is not as it must be.
    pub fn check(&self, image: &Path, loss: Loss, deep: bool) -> Result<(), String> {
        let server = Server::open(image, &self.base_url(), self.strict).map_err(|why| format!("refused: {why}"))?;
        if !server.store().is_healthy() {
            return Err("it opened and is not healthy".into());
        }
        let recent: BTreeSet<&String> = self.recent.iter().collect();
        let names: BTreeSet<&String> = if deep { self.versions.keys().collect() } else { recent };
        let in_flight: HashMap<&String, bool> =
            self.pending.values().flat_map(|begun| &begun.names).map(|(name, deleted)| (name, *deleted)).collect();
        for name in names {
            self.resource(&server, name, in_flight.get(name).copied(), deep)?;
        }
        for (number, begun) in &self.pending {
            let applied: Vec<bool> =
                begun.names.iter().map(|(name, deleted)| self.applied(&server, *number, name, *deleted)).collect();
            if applied.iter().any(|one| *one != applied[0]) {
                return Err(format!("request {number} is half there: {:?} {applied:?}", begun.names));
            }
        }
        self.tables(&server)?;
        drop(server);
        self.log(image, loss)?;
        if deep {
            let report = store::doctor::examine(image, search::registry::registry(), None)
                .map_err(|why| format!("the doctor: {why}"))?;
            if !report.is_sound() {
                return Err(format!("the doctor found: {:#?}", report.findings));
            }
        }
        Ok(())
    }

    fn resource(&self, server: &Server, name: &str, in_flight: Option<bool>, deep: bool) -> Result<(), String> {
        let known = &self.versions[name];
        let newest = server.request("GET", name).as_operator().send();
        let fits = |version: &Version, status: u16, body: &[u8]| {
            if version.deleted {
                status == 410
            } else {
                status == 200 && version.hash.as_ref().is_none_or(|wanted| *wanted == hash(body))
            }
        };
        let last = known.last().unwrap();
        let etag = newest.header("etag").unwrap_or_default().to_owned();
        let is_last =
            fits(last, newest.status, &newest.body) && (last.deleted || etag == format!("W/\"{}\"", known.len()));
        let is_next = in_flight.is_some_and(|deleted| {
            if deleted {
                newest.status == 410
            } else {
                newest.status == 200 && etag == format!("W/\"{}\"", known.len() + 1)
            }
        });
        if !is_last && !is_next {
            let (status, count) = (newest.status, known.len());
            return Err(format!("{name}: {status} {etag}, and version {count} was acknowledged: {last:?}"));
        }
        if deep {
            for (at, version) in known.iter().enumerate() {
                let path = format!("{name}/_history/{}", at + 1);
                let reply = server.request("GET", &path).as_operator().send();
                if !fits(version, reply.status, &reply.body) {
                    return Err(format!("{path}: {} instead of {version:?}", reply.status));
                }
            }
        }
        Ok(())
    }

    /// Whether a request that was not answered did what it should.
    fn applied(&self, server: &Server, number: usize, name: &str, deleted: bool) -> bool {
        let reply = server.request("GET", name).as_operator().send();
        if deleted { reply.status == 410 } else { reply.text().contains(&format!("\"n{number}\"")) }
    }

    fn tables(&self, server: &Server) -> Result<(), String> {
        if self.table.is_empty() {
            return Ok(());
        }
        let table = server.store().table("crash").map_err(|why| why.to_string())?;
        for (key, number) in &self.table {
            let value = table.value(key.as_bytes()).map_err(|why| format!("{why:?}"))?;
            let text = value.map(|value| String::from_utf8_lossy(&value).into_owned()).unwrap_or_default();
            let pending = self.table_pending.as_ref().is_some_and(|(of, new)| of == key && text == format!("n{new}"));
            if text != format!("n{number}") && !pending {
                return Err(format!("table: {key} is {text:?}, and n{number} was acknowledged"));
            }
        }
        Ok(())
    }

    /// The log verifies and has an entry for each answer.
    fn log(&self, image: &Path, loss: Loss) -> Result<(), String> {
        match store::verify_audit(image) {
            Ok(Ok(_)) => {}
            Ok(Err(broken)) => return Err(format!("audit log: {broken}")),
            Err(why) => return Err(format!("audit log: {why}")),
        }
        let mut found: HashMap<Arc<str>, usize> = HashMap::new();
        let mut paths: Vec<_> =
            std::fs::read_dir(image.join("audit")).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
        for path in paths {
            let Ok(mut segment) = Segment::open(std::io::BufReader::new(std::fs::File::open(path).unwrap())) else {
                continue;
            };
            while let Ok(Some(record)) = segment.next_record() {
                let entry = Entry::decode(&record.entry).map_err(|_| "an entry does not decode")?;
                *found.entry(entry.request_id).or_default() += 1;
            }
        }
        let count = |number: usize| found.get(format!("n{number}").as_str()).copied().unwrap_or(0);
        if let Some((number, wanted)) = self.writes.iter().find(|(number, wanted)| count(*number) != *wanted) {
            return Err(format!("request {number} was answered, and has {} of {wanted} audit entries", count(*number)));
        }
        let all = loss == Loss::Killed || self.strict;
        let lost = self.reads.iter().find(|(number, at)| count(*number) == 0 && (all || *at < self.settled));
        if let Some((number, _)) = lost {
            return Err(format!("read {number} was answered, and has no audit entry"));
        }
        Ok(())
    }

    /// Names that were acknowledged, with the hash of each one's newest body.
    #[must_use]
    pub fn newest(&self) -> Vec<(String, Option<String>, bool)> {
        let last = |(name, versions): (&String, &Vec<Version>)| {
            let last = versions.last().unwrap();
            (name.clone(), last.hash.clone(), last.deleted)
        };
        self.versions.iter().map(last).collect()
    }
}
