//! What the facility decided on who may see what: read from its files at start, and again when it is asked for.
//!
//! A file with a mistake never rules. At start the server does not start; later what was in force stays, and who asked
//! is told why. With four eyes the file of rules begins the history ([`ledger`]), and from then on administrators change
//! them ([`council`]). Rules in [`shadow`] are tried beside those in force, and rule nobody. What is read counts with the next request: the store hands the house to whoever decides (row G17).

pub(crate) mod council;
pub(crate) mod ledger;
pub(crate) mod shadow;

use crate::{assembly, clock, fault::Fault, limits};
use ledger::Ledger;
use policy::{House, label::Labels, rules};
use rest::council::{CouncilError, Version};
use shadow::{Found, Shelf};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What the text of the version in force is called where it is at fault.
pub(crate) const IN_FORCE: &str = "the rules in force";

/// The files, and what the settings say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    /// The operator's rules (`policy.file`).
    pub(crate) rules: Option<PathBuf>,
    /// Whether other rules take two administrators (`policy.four_eyes`).
    pub(crate) four_eyes: bool,
    /// Rules that are tried beside those in force (`policy.shadow`).
    pub(crate) shadow: Option<PathBuf>,
    /// What labels mean and who is cleared for them (`labels.rules`).
    pub(crate) labels: Option<PathBuf>,
    /// Whom clinicians see.
    pub(crate) clinicians: policy::Clinicians,
    /// Days; `None`: as the policy has it.
    pub(crate) encounter_lookback_days: Option<i64>,
    /// Days; `None`: as the policy has it.
    pub(crate) payer_lookback_days: Option<i64>,
}

/// Keeps the house of a running server as its files, or with four eyes its administrators, say.
pub(crate) struct Keeper {
    store: Arc<store::Store>,
    authserver: Arc<authserver::Service>,
    files: Files,
    ledger: Ledger,
    /// A server's: what its file says becomes a version. A command on a directory at rest leaves the history alone.
    is_serving: bool,
    /// One reading or change at a time.
    reading: Mutex<()>,
    shelf: Shelf,
    shade: Mutex<Shade>,
}

/// The rules in shadow, and what was found of them.
#[derive(Default)]
struct Shade {
    rules: Option<Arc<rules::Rules>>,
    found: Option<Found>,
    tally: Tally,
    /// Since when there is something that is not kept; `None`: all is kept.
    unkept_since: Option<std::time::Instant>,
}

/// What was found of rules in shadow since the start, for metrics.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Requests that were looked at.
    pub(crate) requests: u64,
    /// Requests that were left out.
    pub(crate) left_out: u64,
    /// By interaction and outcome.
    pub(crate) differences: BTreeMap<(&'static str, &'static str), u64>,
}

/// What a reading found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    /// Rules in force now.
    pub(crate) rules: usize,
    /// Why the file of rules was not taken, where it says something else than what is in force.
    pub(crate) not_taken: Option<String>,
    /// Rules in shadow; `None`: `policy.shadow` is not set.
    pub(crate) shadow: Option<usize>,
}

impl Keeper {
    /// Reads the files for the first time, before anybody gets an answer.
    ///
    /// # Errors
    /// [`Fault`] with everything that is wrong with them.
    pub(crate) fn begin(
        store: Arc<store::Store>,
        authserver: Arc<authserver::Service>,
        files: Files,
    ) -> Result<Self, Fault> {
        Self::open(store, authserver, files, true)
    }

    /// The same for a command on a directory that no server runs on.
    ///
    /// # Errors
    /// [`Fault`] with everything that is wrong with them.
    pub(crate) fn at_rest(open: &assembly::Assembly, files: Files) -> Result<Self, Fault> {
        Self::open(Arc::clone(&open.store), Arc::clone(&open.authserver), files, false)
    }

    fn open(
        store: Arc<store::Store>,
        authserver: Arc<authserver::Service>,
        files: Files,
        is_serving: bool,
    ) -> Result<Self, Fault> {
        let ledger = Ledger::open(&store).map_err(Fault::new)?;
        let shelf = Shelf::open(&store)?;
        let shade = Mutex::new(Shade { found: shelf.found()?, ..Shade::default() });
        let keeper = Self { store, authserver, files, ledger, is_serving, reading: Mutex::new(()), shelf, shade };
        if let Some(why) = keeper.read(|| Ok(()))?.not_taken {
            tracing::warn!(%why, "the file of rules was not taken");
        }
        Ok(keeper)
    }

    /// Whether other rules take two administrators.
    pub(crate) fn four_eyes(&self) -> bool {
        self.files.four_eyes
    }

    /// Reads the files again, and records that. What was in force stays when one is wrong.
    ///
    /// # Errors
    /// [`Fault`] with everything that is wrong.
    pub(crate) fn look(&self, rest: &rest::Service) -> Result<Read, Fault> {
        let read = self.read(|| assembly::record(&self.store, "policy-reload"));
        self.cast(rest);
        match &read {
            Ok(read) => {
                tracing::info!(rules = read.rules, "the policy was read again");
                if let Some(why) = &read.not_taken {
                    tracing::warn!(%why, "the file of rules was not taken");
                }
            }
            Err(why) => tracing::error!(%why, "the policy was not read: what was in force stays"),
        }
        read
    }

    /// Reads them; what they say is in force when `record` went well, and not before.
    fn read(&self, record: impl FnOnce() -> Result<(), Fault>) -> Result<Read, Fault> {
        let _one = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut house = House::clone(&self.store.house());
        let of_rules = self.rules()?;
        house.rules = Arc::clone(&of_rules.rules);
        house.labels = Arc::new(match &self.files.labels {
            Some(file) => labels(file)?,
            None => Labels::standard(),
        });
        house.clinicians = self.files.clinicians;
        let shadow = self.files.shadow.as_deref().map(|file| {
            let text = text(file)?;
            let read = rules::Rules::read(&text, &self.store.registry()).map_err(|faults| told(file, &faults))?;
            Ok::<_, Fault>((ledger::hash_of(&text), Arc::new(read)))
        });
        let shadow = shadow.transpose()?;
        let in_ms = |days: i64| days.saturating_mul(policy::DAY_MS);
        if let Some(days) = self.files.encounter_lookback_days {
            house.encounter_lookback_ms = in_ms(days);
        }
        if let Some(days) = self.files.payer_lookback_days {
            house.payer_lookback_ms = in_ms(days);
        }
        let read = Read {
            rules: house.rules.rules().len(),
            not_taken: of_rules.not_taken,
            shadow: shadow.as_ref().map(|(_, rules)| rules.rules().len()),
        };
        record()?;
        if let Some(text) = of_rules.is_new.filter(|_| self.is_serving) {
            self.begin_version(&text, read.rules).map_err(|why| kept(&why))?;
        }
        self.store.set_house(house);
        let mut shade = self.shade();
        shade.rules = shadow.as_ref().map(|(_, rules)| Arc::clone(rules));
        if let Some((hash, rules)) = shadow
            && !shade.found.as_ref().is_some_and(|found| found.is_of(&hash))
        {
            shade.found = Some(Found::begin(hash, rules.rules().len(), clock::now()));
            shade.unkept_since.get_or_insert_with(std::time::Instant::now);
        }
        Ok(read)
    }

    fn shade(&self) -> MutexGuard<'_, Shade> {
        self.shade.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands the rules in shadow to the service.
    pub(crate) fn cast(&self, rest: &rest::Service) {
        rest.set_shadow(self.shade().rules.clone());
    }

    /// Whether there are rules in shadow.
    pub(crate) fn has_shadow(&self) -> bool {
        self.shade().rules.is_some()
    }

    /// Looks at requests that wait for the rules in shadow, for so long, and keeps what was found once a minute.
    pub(crate) fn look_at_shadow(&self, rest: &rest::Service, time: Duration) {
        let mut differences = Vec::new();
        let looked = rest.look_at_shadow(time, &mut |one| differences.push(one));
        let mut shade = self.shade();
        let Shade { found: Some(found), tally, unkept_since, .. } = &mut *shade else { return };
        tally.requests += looked.requests;
        tally.left_out += looked.left_out;
        for one in &differences {
            *tally.differences.entry((one.interaction, one.outcome.as_str())).or_default() += 1;
            found.add(one);
        }
        if found.looked(looked) {
            unkept_since.get_or_insert_with(std::time::Instant::now);
        }
        let is_due = unkept_since.is_some_and(|since| since.elapsed() >= limits::SHADOW_KEEP);
        drop(shade);
        if is_due {
            self.keep_shadow();
        }
    }

    /// Keeps what was found of the rules in shadow.
    pub(crate) fn keep_shadow(&self) {
        let found = {
            let mut shade = self.shade();
            shade.unkept_since.take().and_then(|_| shade.found.clone())
        };
        if let Some(Err(why)) = found.map(|found| self.shelf.keep(&found)) {
            tracing::warn!(%why, "what was found of the rules in shadow was not kept");
        }
    }

    /// What was found of the rules in shadow, to be read; `None`: there are none.
    pub(crate) fn shadow_text(&self, last: usize) -> Option<String> {
        let shade = self.shade();
        shade.found.as_ref().filter(|_| shade.rules.is_some()).map(|found| found.text(last))
    }

    /// What was found of them since the start.
    pub(crate) fn shadow_tally(&self) -> Option<Tally> {
        let shade = self.shade();
        shade.rules.as_ref().map(|_| shade.tally.clone())
    }

    /// What the file says is a version from now on.
    fn begin_version(&self, text: &str, rules: usize) -> Result<(), CouncilError> {
        let hash = ledger::hash_of(text);
        self.record("policy-of-file", None, &hash)?;
        let version = Version {
            number: 0,
            hash,
            note: String::new(),
            how: "file".into(),
            proposed: None,
            approved: None,
            since: clock::now(),
            rules: council::count(rules),
        };
        self.ledger.append(version, text).map(drop)
    }

    /// The rules in force: with four eyes what was approved last, whatever the file says; else the file, of which a new
    /// text is a version like any other. The first version is the file's in either case: somebody has to begin.
    fn rules(&self) -> Result<OfRules, Fault> {
        let registry = self.store.registry();
        let of_file = self.files.rules.as_deref().map(|file| Ok::<_, Fault>((file, text(file)?))).transpose();
        let last = self.ledger.in_force().map_err(|why| kept(&why))?;
        if let Some(version) = last.as_ref().filter(|_| self.files.four_eyes) {
            let in_force = self.ledger.text(&version.hash).map_err(|why| kept(&why))?;
            let in_force = in_force.ok_or_else(|| kept(&CouncilError::Unknown))?;
            let read = rules::Rules::read(&in_force, &registry).map_err(|faults| {
                told(Path::new(IN_FORCE), &faults)
                    .fix("with policy.four_eyes = false the file counts again; that is recorded")
            })?;
            let differs = match &of_file {
                Ok(Some((_, text))) => ledger::hash_of(text) != version.hash,
                Ok(None) => false,
                Err(_) => true,
            };
            let not_taken = differs.then(|| {
                let (number, hash) = (version.number, version.hash.get(..12).unwrap_or_default());
                format!(
                    "policy.four_eyes is set, and the file is not version {number} ({hash}), which is in force: propose it \
                     with 'handrail policy propose', and have another administrator approve it"
                )
            });
            return Ok(OfRules { rules: Arc::new(read), not_taken, is_new: None });
        }
        let (file, text) = of_file?.unwrap_or((Path::new("no file"), String::new()));
        let read = rules::Rules::read(&text, &registry).map_err(|faults| told(file, &faults))?;
        let hash = ledger::hash_of(&text);
        let is_new = last.map_or(self.files.four_eyes || !text.is_empty(), |last| last.hash != hash);
        Ok(OfRules { rules: Arc::new(read), not_taken: None, is_new: is_new.then_some(text) })
    }
}

/// What a reading of the rules found.
struct OfRules {
    rules: Arc<rules::Rules>,
    not_taken: Option<String>,
    /// The text, when it is no version yet.
    is_new: Option<String>,
}

fn kept(why: &CouncilError) -> Fault {
    Fault::new(format_args!("the history of rules: {}", told_of(why)))
}

/// Why the history does not serve, for the operator.
pub(crate) fn told_of(why: &CouncilError) -> String {
    match why {
        CouncilError::Unavailable(why) => why.clone(),
        CouncilError::Unknown => "there is no such proposal or version".into(),
        CouncilError::Full => "it is full".into(),
        other => format!("{other:?}"),
    }
}

/// Reads a file of rules.
///
/// # Errors
/// [`Fault`]: one line for each thing that is wrong with it, `FILE:LINE:COLUMN: …`.
pub(crate) fn rules(file: &Path, registry: &search::Registry) -> Result<rules::Rules, Fault> {
    let text = text(file)?;
    rules::Rules::read(&text, registry).map_err(|faults| told(file, &faults))
}

/// Reads a file on security labels.
///
/// # Errors
/// [`Fault`]: one line for each thing that is wrong with it, `FILE: line LINE: …`.
pub(crate) fn labels(file: &Path) -> Result<Labels, Fault> {
    Labels::read(&text(file)?).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("{}: {problem}", file.display())).collect();
        Fault::new(lines.join("\n"))
    })
}

/// The text of a file, as far as a file of rules may be long.
///
/// # Errors
/// [`Fault`].
pub(crate) fn text(file: &Path) -> Result<String, Fault> {
    let max = u64::try_from(policy::limits::RULES_BYTES_MAX).unwrap_or(u64::MAX);
    let length = std::fs::metadata(file).map_err(|why| Fault::at(file.display(), why))?.len();
    if length > max {
        return Err(Fault::at(file.display(), format_args!("longer than {max} bytes")));
    }
    std::fs::read_to_string(file).map_err(|why| Fault::at(file.display(), why))
}

/// What is wrong with a file of rules.
pub(crate) fn told(file: &Path, faults: &[rules::Fault]) -> Fault {
    let name = file.display();
    let lines: Vec<String> = faults.iter().map(|fault| format!("{name}:{fault}")).collect();
    Fault::new(lines.join("\n"))
}
