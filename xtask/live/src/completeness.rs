//! Is the audit log complete? A server process under random clients, killed at random moments and started again; then
//! every answer is held against the log, and every entry of the log against what was asked. Rows F16 to F18, F23, F25.
//!
//! The checker stands outside: it knows what it sent, what came back, and reads the log's files. **Direction A**: an
//! answer that was read whole has the entries that the documentation promises: who, what, when, how it ended, and every
//! resource and patient that its body speaks of. **Direction B**: every entry is of a request that was sent, or of an
//! act of the server that is known by name; none stands twice. An answer that the kill cut off may have its entry or not.
//! Beside it: every version in the store has the one entry of the write that made it. At last copies of the log are
//! tampered with in every way there is, and `handrail` has to name the segment and the record.
//!
//! A kill keeps what the kernel has taken; lost power is the business of `store`'s simulated disk. `cargo xtask
//! audit-complete` runs it long, a test of `handrail` with one kill.

mod ask;
mod book;
mod check;
mod facility;
mod tamper;

use crate::{seeded::Seeded, subject::Subject, trail};
use book::{Asked, Round};
use check::Ledger;
use facility::Facility;
use std::{
    fmt, io,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The handrail binary.
    pub handrail: PathBuf,
    /// Kills under load, in all.
    pub kills: usize,
    /// Kills of one data directory; then its log is tampered with, and another one begins.
    pub per_store: usize,
    /// Clients of the API; people at the pages come on top.
    pub clients: usize,
    /// Longest time of load before a kill, in milliseconds; the shortest is a fifth.
    pub load_ms: usize,
    /// Ways of each kind in which a copy of a log is tampered with.
    pub tamperings: usize,
    /// Seed of what is asked and when it is killed; how the server's threads run is not in it.
    pub seed: u64,
    /// Entries of each round that are passed over, to see that the checker misses them: 0 for none.
    pub blind: usize,
}

/// What was done and seen.
#[derive(Debug, Default, Clone)]
pub struct Sums {
    /// Data directories.
    pub stores: usize,
    /// Kills under load, and while starting.
    pub kills: usize,
    /// Kills of a server that was starting.
    pub killed_starting: usize,
    /// Answers with their entries, by what was asked.
    pub answers: std::collections::BTreeMap<&'static str, usize>,
    /// Answers that showed something of a patient.
    pub told: usize,
    /// Requests whose answer a kill cut off, and those of them that have an entry.
    pub cut: (usize, usize),
    /// Entries that were held against what was asked.
    pub entries: usize,
    /// Entries of acts of the server itself.
    pub own: usize,
    /// Versions in the stores that have the one entry of their write.
    pub versions: usize,
    /// Tampered logs, each found at its place, by how.
    pub tampered: std::collections::BTreeMap<&'static str, usize>,
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: usize = self.answers.values().sum();
        write!(
            f,
            "{} kills under load, {} while starting, {} stores; {all} answers have their entries, {} of them told of \
             patients; {} requests were cut off, {} of them have entries; {} entries have their request, {} are acts of \
             the server; {} versions have the entry of their write; {} tampered logs named at segment and record",
            self.kills,
            self.killed_starting,
            self.stores,
            self.told,
            self.cut.0,
            self.cut.1,
            self.entries,
            self.own,
            self.versions,
            self.tampered.values().sum::<usize>(),
        )?;
        for (of, counts) in [("answers", &self.answers), ("tampered", &self.tampered)] {
            let each: Vec<String> = counts.iter().map(|(what, count)| format!("{what} {count}")).collect();
            write!(f, "\n  {of}: {}", each.join(", "))?;
        }
        Ok(())
    }
}

/// Of so many restarts one is killed while it starts.
const KILLED_STARTING_EVERY: usize = 8;

/// Longest life of such a start, in milliseconds.
const STARTING_MS: usize = 250;

pub(crate) fn said(error: impl fmt::Display) -> String {
    error.to_string()
}

/// Runs it. `tell` hears of each store that is done.
///
/// # Errors
/// What was wrong, with the seed and where the data is kept.
pub async fn run(plan: &Plan, mut tell: impl FnMut(&Sums)) -> Result<Sums, String> {
    let mut sums = Sums::default();
    while sums.kills < plan.kills {
        let directory = tempfile::Builder::new().prefix("handrail-complete-").tempdir().map_err(said)?;
        if let Err(wrong) = one_store(plan, directory.path(), &mut sums).await {
            // What a blind checker misses is no evidence.
            let kept =
                if plan.blind > 0 { String::new() } else { format!("; data kept in {}", directory.keep().display()) };
            let Sums { stores, kills, .. } = sums;
            return Err(format!("{wrong}\nseed {}, store {stores}, kill {kills}{kept}", plan.seed));
        }
        sums.stores += 1;
        tell(&sums);
    }
    Ok(sums)
}

/// All kills of one data directory.
async fn one_store(plan: &Plan, directory: &Path, sums: &mut Sums) -> Result<(), String> {
    let data = directory.join("data");
    let mut chance = Seeded::new(plan.seed, u64::try_from(sums.stores).unwrap_or(0) * 1000);
    let mut subject = Subject::start(&plan.handrail, &data).await.map_err(said)?;
    let mut facility = Facility::open(&subject, &data).await.map_err(said)?;
    let mut ledger = Ledger::default();
    // What made the facility was asked by commands, whose requests have no names of ours.
    ledger.begin(&data).map_err(said)?;
    let rounds = plan.per_store.min(plan.kills - sums.kills);
    for _ in 0..rounds {
        let round = Arc::new(Round {
            address: subject.address,
            tls: Arc::clone(&subject.tls),
            askers: facility.askers.clone(),
            killed: AtomicBool::new(false),
        });
        let asked = load(plan, &round, &mut facility, subject, &mut chance).await?;
        sums.kills += 1;
        if chance.below(KILLED_STARTING_EVERY) == 0 {
            let after = Duration::from_millis(u64::try_from(chance.below(STARTING_MS)).unwrap_or(0));
            Subject::start_and_kill(&plan.handrail, &data, after).map_err(said)?;
            sums.killed_starting += 1;
        }
        // The log as the kill left it lacks what only the outbox has: it is read after the start.
        subject = Subject::start(&plan.handrail, &data).await.map_err(said)?;
        ledger.read_on(&data).map_err(said)?;
        ledger.settle(asked, plan.blind, &facility, sums)?;
        facility.reconnect(&subject).await.map_err(said)?;
    }
    let asked = check::versions(&subject, &facility, &mut ledger, sums).await?;
    subject.stop().map_err(said)?;
    ledger.read_on(&data).map_err(said)?;
    ledger.settle(asked, 0, &facility, sums)?;
    for command in [["audit", "verify", "--data"].as_slice(), &["doctor", "--data"]] {
        let output = Command::new(&plan.handrail).args(command).arg(&data).output().map_err(said)?;
        if !output.status.success() {
            let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            return Err(format!("handrail {}: {out}{err}", command.join(" ")));
        }
    }
    tamper::all(plan, &data, &directory.join("copy"), &mut chance, sums)
}

/// Clients of the API and people at the pages, until the kill; what all of them asked.
async fn load(
    plan: &Plan,
    round: &Arc<Round>,
    facility: &mut Facility,
    subject: Subject,
    chance: &mut Seeded,
) -> Result<Vec<Asked>, String> {
    let mut clients = Vec::new();
    for number in 0..plan.clients {
        clients.push(tokio::spawn(ask::client(Arc::clone(round), Seeded::new(chance.next(), number as u64))));
    }
    let mut people = Vec::new();
    for person in facility.people.drain(..) {
        people.push(tokio::spawn(ask::person(Arc::clone(round), person, Seeded::new(chance.next(), 1))));
    }
    let life = plan.load_ms / 5 + chance.below(plan.load_ms);
    tokio::time::sleep(Duration::from_millis(u64::try_from(life).unwrap_or(0))).await;
    round.killed.store(true, Ordering::SeqCst);
    subject.kill().map_err(said)?;
    let (mut asked, mut outcome) = (Vec::new(), Ok(()));
    for task in clients {
        let (mut more, one) = task.await.map_err(said)?;
        asked.append(&mut more);
        outcome = outcome.and(one);
    }
    for task in people {
        let (person, mut more, one) = task.await.map_err(said)?;
        facility.people.push(person);
        asked.append(&mut more);
        outcome = outcome.and(one);
    }
    outcome.map(|()| asked)
}

/// Whether a connection that broke was broken by the kill.
fn broke(round: &Round, error: &io::Error) -> Result<(), String> {
    if round.killed.load(Ordering::SeqCst) && error.kind() != io::ErrorKind::Other {
        Ok(())
    } else {
        Err(format!("a connection broke before the kill: {error}"))
    }
}
