//! The doctor: says of a data directory at rest what is wrong with it, and changes nothing.
//!
//! The engine mends and deletes files when it opens, so what is opened is a copy: tables are linked,
//! small files copied, into a directory that is gone afterwards. Then everything is held against
//! everything: files against their checksums, the chain of commits against every version, index rows
//! against an extraction of the current resources, counters against rows, history against versions,
//! the audit log against its chain, its checkpoints, and the versions that it must tell of.
//!
//! Left out: whether the program is configured well (certificates, clock, permissions): the command's.

mod copy;
mod data;
mod engine_files;
mod log;

use crate::{
    OpenError,
    engine::{Engine, files, mark},
    open,
    parameters::Parameters,
};
use search::Registry;
use std::{collections::HashMap, fmt, path::Path, sync::Arc};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Nothing is lost or wrong, but a safeguard is weaker than it should be.
    Warning,
    /// Something stored is not what was written, or is missing.
    Damage,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Damage => "damage",
        })
    }
}

/// One thing that the doctor found. Names types, ids and numbers, never what is in a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// Where: a file below the data directory, or a part of the store.
    pub place: String,
    /// What, in plain words.
    pub what: String,
    /// What to do about it.
    pub advice: &'static str,
}

/// What was counted on the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// Commits in the chain.
    pub commits: u64,
    /// Live resources.
    pub resources: u64,
    /// Versions, deletions among them.
    pub versions: u64,
    /// Rows of all indices.
    pub index_rows: u64,
    /// Search parameters that packages added, or that are being removed.
    pub parameters: u64,
    /// Last record of the audit log.
    pub audit_records: u64,
    /// Signed checkpoints that hold.
    pub checkpoints: u64,
    /// Audit entries that the next start appends to the log.
    pub outbox: u64,
    /// Batches in the engine's journals.
    pub journal_batches: u64,
    /// Tables of the engine.
    pub engine_tables: u64,
}

/// The findings, worst first, and the counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What was found.
    pub findings: Vec<Finding>,
    /// What was counted.
    pub facts: Facts,
}

impl Report {
    /// Whether everything stored is what was written.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity < Severity::Damage)
    }
}

const RESTORE: &str = "copy the data directory away, then restore the last backup into a new one";
const EVIDENCE: &str = "keep a copy as evidence; `handrail audit verify` reads the whole log; restore the last backup";
const START: &str = "nothing: the next start settles it";
/// Findings of one kind that are written out; the others are counted.
const OF_A_KIND: usize = 5;

/// Findings as they come: many of one kind are counted, not listed.
#[derive(Default)]
struct Findings {
    list: Vec<Finding>,
    more: HashMap<&'static str, (usize, Severity, String)>,
}

impl Findings {
    fn add(
        &mut self,
        severity: Severity,
        kind: &'static str,
        place: impl Into<String>,
        what: impl Into<String>,
        advice: &'static str,
    ) {
        let place = place.into();
        let (count, ..) = self.more.entry(kind).or_insert_with(|| (0, severity, place.clone()));
        *count += 1;
        if *count <= OF_A_KIND {
            self.list.push(Finding { severity, place, what: what.into(), advice });
        }
    }

    fn damage(&mut self, kind: &'static str, place: impl Into<String>, what: impl Into<String>) {
        self.add(Severity::Damage, kind, place, what, RESTORE);
    }

    fn finish(self, facts: Facts) -> Report {
        let mut findings = self.list;
        for (kind, (count, severity, place)) in self.more {
            if count > OF_A_KIND {
                let what = format!("{} more of this kind: {kind}", count - OF_A_KIND);
                findings.push(Finding { severity, place, what, advice: RESTORE });
            }
        }
        findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.place.cmp(&b.place)));
        Report { findings, facts }
    }
}

/// Examines the data directory. No server may run on it; the directory is locked meanwhile. `scratch`
/// is where the copy is made; without it, the data directory itself (tables are then linked, which
/// takes no room).
///
/// # Errors
/// [`OpenError::Locked`]; [`OpenError::Engine`] when this is no data directory or cannot be read.
pub fn examine(data: &Path, registry: &Arc<Registry>, scratch: Option<&Path>) -> Result<Report, OpenError> {
    let failed = |error: std::io::Error| OpenError::Engine(error.to_string());
    if !data.join("engine").is_dir() {
        return Err(OpenError::Engine("there is no store here".into()));
    }
    let _lock = files::lock(data)?;
    let (mut findings, mut facts) = (Findings::default(), Facts::default());
    let mark = mark(data, &mut findings);

    let look = files::look(&data.join("engine")).map_err(failed)?;
    facts.journal_batches = look.batches;
    let mut openable = look.damage.is_empty();
    for damage in look.damage {
        findings.damage("engine file", damage.file, damage.what);
    }
    facts.engine_tables = engine_files::tables(&data.join("engine"), &mut findings);
    if look.unfinished.is_some() {
        let what = "it ends in an unfinished batch, as after a crash; the next start cuts it off";
        findings.add(Severity::Note, "unfinished batch", "engine", what, START);
    }
    if data.join(files::CUT).exists() {
        let what = "an earlier start cut this off the journal and did not come to verify the rest";
        findings.add(Severity::Warning, "cut", files::CUT, what, "keep it until the store opens without complaint");
    }
    let told = log::examine(data, mark.map(|mark| mark.audit), &mut findings, &mut facts);

    if openable {
        let copy = copy::Copy::new(data, scratch).map_err(failed)?;
        match Engine::open(copy.path()) {
            Ok(engine) => match open::meta(&engine, None) {
                Ok((types, _)) => match Parameters::load(&engine.view(), registry) {
                    Ok(parameters) => {
                        facts.parameters = parameters.known.len() as u64;
                        let (parameters, told) = (&parameters, told.as_ref());
                        let look = data::Look { engine: &engine, types: &types, parameters, mark, told };
                        look.at(&mut findings, &mut facts);
                    }
                    Err(fault) => findings.damage("search parameters", "engine: meta", fault.0),
                },
                Err(OpenError::Format(why)) => {
                    let advice = "open it with the program that made it, or begin a new one";
                    findings.add(Severity::Damage, "format", "engine", why, advice);
                }
                Err(error) => findings.damage("meta", "engine", words(&error)),
            },
            Err(error) => {
                openable = false;
                findings.damage("engine", "engine", words(&error));
            }
        }
    }
    if !openable {
        let what = "the engine cannot be opened, so versions, indices and counters were not looked at";
        findings.add(Severity::Warning, "not looked at", "engine", what, RESTORE);
    }
    Ok(findings.finish(facts))
}

/// The reason alone: the doctor has its own advice.
fn words(error: &OpenError) -> String {
    match error {
        OpenError::Engine(why) | OpenError::Lost(why) | OpenError::Format(why) => why.clone(),
        OpenError::Damaged(file, why) => format!("{file}: {why}"),
        OpenError::Chain(at, why) => format!("the chain of commits is broken at commit {at}: {why}"),
        OpenError::AuditLog(at, why) => format!("the audit log is broken at record {at}: {why}"),
        OpenError::Locked => "it is locked".into(),
    }
}

fn mark(data: &Path, findings: &mut Findings) -> Option<mark::Mark> {
    const ADVICE: &str = "nothing: the next start writes it; lost ends are found less surely until then";
    match mark::read(&data.join("mark")) {
        Ok((bad, mark)) => {
            if bad > 0 {
                let what = format!("{bad} of its 2 slots do not verify");
                findings.add(Severity::Warning, "mark", "mark", what, ADVICE);
            }
            return mark;
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            findings.add(Severity::Warning, "mark", "mark", "it is missing", ADVICE);
        }
        Err(error) => findings.add(Severity::Warning, "mark", "mark", error.to_string(), ADVICE),
    }
    None
}

#[cfg(test)]
mod tests;
