//! Single bits flipped in the files of a store at rest: each must be found when the store opens, when
//! something is read, or by the doctor, and nothing wrong may be given out.

use super::check::Ledger;
use crate::{Server, dice::Dice};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Where a flipped bit was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// The store did not open, and said why.
    AtOpen,
    /// A request was refused with a 5xx.
    AtRead,
    /// The doctor named it.
    ByDoctor,
    /// The store opened and mended it: it was in bytes that carry nothing, or that are made anew.
    Mended,
}

/// A store at rest, and what it answers.
#[derive(Debug)]
pub struct Subject<'a> {
    directory: &'a Path,
    ledger: &'a Ledger,
    files: Vec<(PathBuf, u64)>,
    /// Searches and their matches, before anything was flipped.
    searches: Vec<(&'static str, Vec<String>)>,
}

const SEARCHES: [&str; 4] = [
    "Patient?family=Family1",
    "Observation?code=1-1&_count=100",
    "Observation?patient=p3&_count=100",
    "Condition?_count=50",
];

fn files_below(directory: &Path, into: &mut Vec<(PathBuf, u64)>) {
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files_below(&path, into);
        } else {
            let bytes = fs::read(&path).unwrap();
            // The zeros at the end of a journal carry nothing: one in a hundred flips goes there.
            let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            let used = (used + used / 100 + 1).min(bytes.len());
            into.push((path, used as u64));
        }
    }
}

fn copy(from: &Path, to: &Path, but: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target, but);
        } else if from.ends_with("tables") && path != but {
            fs::hard_link(&path, &target).unwrap();
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

impl<'a> Subject<'a> {
    /// The store in this directory, which must be sound.
    ///
    /// # Panics
    /// When it is not.
    #[must_use]
    pub fn new(directory: &'a Path, ledger: &'a Ledger) -> Self {
        let server = Server::open(directory, &ledger.base_url(), false).expect("a sound store");
        let searches = SEARCHES.map(|url| (url, server.request("GET", url).as_operator().send().entries("match")));
        drop(server);
        let mut files = Vec::new();
        files_below(directory, &mut files);
        files.retain(|(path, used)| *used > 0 && path.file_name().is_none_or(|name| name != "lock"));
        Self { directory, ledger, files, searches: searches.into() }
    }

    /// The files, by name below the directory.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Flips a bit of the `number`th file (they come round) somewhere, below `scratch`.
    ///
    /// # Errors
    /// What was given out though it is wrong, or that nobody found it.
    pub fn flip(&self, number: usize, seed: u64, scratch: &Path) -> Result<(String, Found), String> {
        let mut dice = Dice::new(seed ^ (number as u64) << 20);
        let (path, used) = &self.files[number % self.files.len()];
        let at = dice.below(usize::try_from(*used).unwrap());
        let bit = dice.below(8);
        let name = path.strip_prefix(self.directory).unwrap().to_string_lossy().into_owned();
        let place = format!("{name}, byte {at}, bit {bit}");
        let image = scratch.join("flipped");
        let make = || {
            let _ = fs::remove_dir_all(&image);
            copy(self.directory, &image, path);
            let flipped = image.join(&name);
            let mut bytes = fs::read(&flipped).unwrap();
            bytes[at] ^= 1 << bit;
            fs::write(&flipped, bytes).unwrap();
        };
        make();
        let report = store::doctor::examine(&image, search::registry::registry(), None);
        let by_doctor = match &report {
            Err(_) => true,
            Ok(report) => report.findings.iter().any(|finding| finding.severity >= store::doctor::Severity::Warning),
        };
        make();
        let found = match Server::open(&image, &self.ledger.base_url(), false) {
            Err(why) => {
                let text = why.to_string();
                if !text.contains("handrail") {
                    Err(format!("{place}: refused without advice: {text}"))
                } else {
                    Ok(Found::AtOpen)
                }
            }
            Ok(server) => self.read(&server).map_err(|why| format!("{place}: {why}")),
        }?;
        let found = match found {
            Found::Mended if by_doctor => Found::ByDoctor,
            found => found,
        };
        if found == Found::AtOpen && !by_doctor {
            return Err(format!("{place}: the store is refused, and the doctor finds nothing: {report:?}"));
        }
        if found == Found::Mended && !self.carries_nothing(&name, &report) {
            return Err(format!("{place}: nobody found it"));
        }
        Ok((name, found))
    }

    /// Whether it is known that these bytes carry nothing: an unfinished batch or record at the end, or
    /// a list of tables that another has replaced; the engine removes it at its next change.
    fn carries_nothing(&self, name: &str, report: &Result<store::doctor::Report, store::OpenError>) -> bool {
        let noted = report.as_ref().is_ok_and(|report| !report.findings.is_empty());
        (noted && (name.ends_with(".jnl") || name.ends_with(".log"))) || self.is_replaced(name)
    }

    fn is_replaced(&self, name: &str) -> bool {
        let path = self.directory.join(name);
        let list = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix('v'));
        let Some(list) = list.and_then(|number| number.parse::<u64>().ok()) else { return false };
        let current = fs::read(path.with_file_name("current")).unwrap_or_default();
        current.first_chunk::<8>().is_some_and(|current| u64::from_le_bytes(*current) != list)
    }

    fn read(&self, server: &Server) -> Result<Found, String> {
        let mut refused = false;
        for (name, hash, deleted) in self.ledger.newest() {
            let reply = server.request("GET", &name).as_operator().send();
            match reply.status {
                500.. => refused = true,
                410 if deleted => {}
                200 if !deleted && hash.as_ref().is_none_or(|hash| *hash == super::workload::hash(&reply.body)) => {}
                status => return Err(format!("{name}: {status} was given out")),
            }
        }
        for (url, matches) in &self.searches {
            let reply = server.request("GET", url).as_operator().send();
            match reply.status {
                500.. => refused = true,
                200 if reply.entries("match") == *matches => {}
                status => return Err(format!("{url}: {status} with other matches")),
            }
        }
        Ok(if refused { Found::AtRead } else { Found::Mended })
    }
}

/// How many flips were found where, by kind of file.
#[derive(Debug, Clone, Default)]
pub struct Count(pub BTreeMap<(String, Found), usize>);

impl Count {
    /// Counts one.
    pub fn add(&mut self, name: &str, found: Found) {
        let name = Path::new(name);
        let of = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let kind = match (of(name.parent().and_then(Path::file_name)).as_str(), of(name.extension()).as_str()) {
            ("tables", _) => "engine: tables".to_owned(),
            ("engine", "jnl") => "engine: journal".to_owned(),
            (_, "log") => "audit: segments".to_owned(),
            ("audit", _) => "audit: checkpoints and keys".to_owned(),
            ("engine", _) => "engine: version".to_owned(),
            (parent, _) if parent.parse::<u64>().is_ok() => "engine: lists of tables".to_owned(),
            _ => of(name.file_name()),
        };
        *self.0.entry((kind, found)).or_default() += 1;
    }
}
